/* SPDX-License-Identifier: MIT */
/*
 * Why: a VM's other vCPUs start where they are told, run beside the first, and share its memory.
 * Each adds to a counter of its own and, by locked instructions, to a common one. Words: count=N
 * additions each, timeout=TURNS of the first vCPU's waiting loop.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "guest/crt/hypercall.h"
#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/lib/args.h"
#include "guest/lib/record.h"

#define MAX_VCPUS       64
#define STACK_SIZE      16384
#define DEFAULT_COUNT   100000
#define DEFAULT_TIMEOUT 1000000000

struct worker {
    volatile uint64_t count;
    volatile uint64_t ticks; /* from the first to the last addition */
    volatile bool done;
};

static struct worker workers[MAX_VCPUS];
static char stacks[MAX_VCPUS][STACK_SIZE] __attribute__((aligned(16)));
static uint64_t additions;
static volatile uint64_t common;

static void work(struct worker *w)
{
    uint64_t start = insn_rdtsc();

    for (uint64_t i = 0; i < additions; i++) {
        w->count++;
        __atomic_fetch_add(&common, 1, __ATOMIC_SEQ_CST);
    }
    w->ticks = insn_rdtsc() - start;
    w->done = true;
}

/* The low half of HYPERCALL_VM_ID tells who we are. */
static void vcpu_entry(void)
{
    interrupt_load();
    work(&workers[(uint32_t)hypercall(HYPERCALL_VM_ID, 0, 0, 0) % MAX_VCPUS]);
    for (;;)
        insn_hlt();
}

/* Starts vCPU 1, 2, … until there are no more; returns how many run, this one included. */
static unsigned start_all(void)
{
    unsigned n = 1;

    for (; n < MAX_VCPUS; n++) {
        uintptr_t stack = (uintptr_t)stacks[n] + STACK_SIZE - 8; /* as a call leaves it */

        if (hypercall(HYPERCALL_VCPU_START, n, (uintptr_t)vcpu_entry, stack) < 0)
            break;
    }
    return n;
}

static bool wait_for(unsigned vcpus, uint64_t turns)
{
    for (unsigned i = 0; i < vcpus; i++) {
        while (!workers[i].done && turns--)
            insn_pause();
        if (!workers[i].done) {
            printf("FAIL smp: vCPU %u never ended, its count is %lu\n", i, workers[i].count);
            return false;
        }
    }
    return true;
}

static int report(unsigned vcpus)
{
    bool right = common == additions * vcpus;

    for (unsigned i = 0; i < vcpus; i++) {
        record_begin("smp");
        record_number("vcpu", i);
        record_number("count", workers[i].count);
        record_number("ticks", workers[i].ticks);
        record_end();
        right = right && workers[i].count == additions;
    }
    if (right)
        printf("PASS smp %u\n", vcpus);
    else
        printf("FAIL smp: the common count is %lu with %u vCPUs\n", common, vcpus);
    return !right;
}

int main(int argc, char **argv)
{
    unsigned vcpus;

    (void)argc;
    if (platform_get() != PLATFORM_TOLLGATE) {
        printf("SKIP smp: no hypervisor that starts vCPUs by hypercall\n");
        return 0;
    }
    additions = args_number(argv, "count", DEFAULT_COUNT);
    platform_uses_vmcall(); /* known before others ask */
    vcpus = start_all();
    work(&workers[0]);
    if (!wait_for(vcpus, args_number(argv, "timeout", DEFAULT_TIMEOUT)))
        return 1;
    return report(vcpus);
}
