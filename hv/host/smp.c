/* SPDX-License-Identifier: MIT */
/*
 * INIT-STARTUP of the other CPUs, one after the other through one trampoline page, and calls
 * between CPUs. Every wait executes PAUSE (see hv/lib/lock.h). Source: Intel SDM volume 3,
 * "Multiple-Processor Management", "MP Initialization Protocol"; AMD64 APM volume 2, same topic.
 */
#include "hv/host/smp.h"

#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/panic.h"
#include "hv/host/time.h"
#include "hv/host/trampoline.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"
#include "hv/x86/regs.h"

#define INIT_DELAY_NS   10000000u /* as the protocol asks */
#define STARTUP_WAIT_NS 1000000u  /* before the second STARTUP */
#define SILENT_NS       100000000u
#define ALIVE_LOOK_NS   20000u
#define SKEW_ROUNDS     16u

/* One CPU coming up. The boot CPU owns it; the new CPU writes here and the skew answers. */
struct start {
    void (*cpu_main)(struct cpu *cpu);
    u32 alive; /* APIC ID + 1 of the CPU that came up last */
};

/* Ping-pong of time stamps: the boot CPU numbers its questions from 1. */
struct skew {
    u32 question;
    u32 answer;
    u64 tsc; /* of the answering CPU, when it saw the question */
};

struct call {
    void (*fn)(void *arg);
    void *arg;
    bool done;
};

static struct start start;
static struct skew skew;
static struct call *calls[CPU_MAX]; /* what each CPU is asked to do; NULL: nothing */

/* Waits until *p is value, spinning: for what the other CPU does at once. */
static void wait_for(const u32 *p, u32 value)
{
    while (__atomic_load_n(p, __ATOMIC_ACQUIRE) != value)
        insn_pause();
}

/*
 * Waits for the new CPU, halted but for short looks, at most ns nanoseconds; true when it came.
 * Seen on QEMU with -icount: while this CPU spins, even with PAUSE, a new one begins only at the
 * next timer event, up to 55 ms later (a period of the PIT); while it halts, at once.
 */
static bool alive_wait(u32 target, u64 ns)
{
    u64 limit = time_now() + time_ticks_from_ns(ns);

    while (__atomic_load_n(&start.alive, __ATOMIC_ACQUIRE) != target + 1) {
        if (time_now() > limit)
            return false;
        time_arm(time_now() + time_ticks_from_ns(ALIVE_LOOK_NS));
        insn_sti_hlt();
        insn_cli();
    }
    time_disarm();
    return true;
}

static void skew_answer(void)
{
    for (u32 i = 1; i <= SKEW_ROUNDS; i++) {
        wait_for(&skew.question, i);
        skew.tsc = time_now();
        __atomic_store_n(&skew.answer, i, __ATOMIC_RELEASE);
    }
}

/*
 * How far the answering CPU's TSC is ahead, by the quickest round trip; the error is at most half
 * of that, and a skew within the error counts as none.
 */
static s64 skew_measure(void)
{
    u64 best = ~0ull;
    s64 ahead = 0;

    for (u32 i = 1; i <= SKEW_ROUNDS; i++) {
        u64 sent = time_now();
        u64 trip;

        __atomic_store_n(&skew.question, i, __ATOMIC_RELEASE);
        wait_for(&skew.answer, i);
        trip = time_now() - sent;
        if (trip < best) {
            best = trip;
            ahead = (s64)(skew.tsc - (sent + trip / 2));
        }
    }
    return (u64)(ahead < 0 ? -ahead : ahead) > best / 2 ? ahead : 0;
}

/* Where the trampoline hands over a new CPU, on its own stack. */
static void cpu_enter(u64 arg)
{
    struct cpu *cpu = (struct cpu *)arg;

    irq_init_cpu(cpu);
    apic_init_cpu();
    time_init_cpu();
    __atomic_store_n(&start.alive, apic_id() + 1, __ATOMIC_RELEASE);
    skew_answer();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
    start.cpu_main(cpu);
}

static void trampoline_place(hpa_t page)
{
    struct trampoline_mailbox *m = (struct trampoline_mailbox *)(page + TRAMPOLINE_MAILBOX);

    memcpy((void *)page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    m->cr3 = insn_read_cr3();
    m->entry = (u64)cpu_enter;
}

/* Starts the CPU as the next dense id. False: it does not answer, and was told to stop. */
static bool cpu_start(u32 target, u32 node, hpa_t page)
{
    struct trampoline_mailbox *m = (struct trampoline_mailbox *)(page + TRAMPOLINE_MAILBOX);
    struct cpu *cpu = &cpus[cpu_count];

    memset(cpu, 0, sizeof(*cpu));
    cpu->id = cpu_count;
    cpu->apic_id = target;
    cpu->node = node;
    cpu->stack_top = cpu_stack_create(cpu);
    if (!cpu->stack_top) {
        log_error("CPU with APIC ID %u: no memory for its stack", target);
        return false;
    }
    m->stack_top = (u64)cpu->stack_top;
    m->arg = (u64)cpu;
    start.alive = 0;
    skew = (struct skew){0};
    apic_send_startup(target, (u8)(page >> PAGE_SHIFT));
    if (alive_wait(target, STARTUP_WAIT_NS))
        return true;
    apic_send_startup(target, (u8)(page >> PAGE_SHIFT));
    if (alive_wait(target, SILENT_NS))
        return true;
    /* It may yet wake up, so its stack stays its own. */
    apic_send_init(target);
    log_error("CPU with APIC ID %u is silent, left out", target);
    return false;
}

static void cpu_join(struct cpu *cpu)
{
    u64 ahead;

    cpu->tsc_skew = skew_measure();
    while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
        insn_pause();
    cpu_count++;
    ahead = (u64)(cpu->tsc_skew < 0 ? -cpu->tsc_skew : cpu->tsc_skew);
    time_info.max_skew = MAX(time_info.max_skew, (s64)ahead);
}

static void kick_interrupt(struct irq_frame *f)
{
    (void)f;
    cpu_this()->kick = true;
}

/* Does what this CPU has been asked to do, if anything. */
static void call_serve(void)
{
    struct call *c = __atomic_exchange_n(&calls[cpu_this()->id], NULL, __ATOMIC_ACQUIRE);

    if (!c)
        return;
    c->fn(c->arg);
    __atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
}

static void call_interrupt(struct irq_frame *f)
{
    (void)f;
    call_serve();
}

static void others_stop(void)
{
    for (u32 i = 0; i < cpu_count; i++)
        if (&cpus[i] != cpu_this())
            apic_send_nmi(cpus[i].apic_id);
}

static void boot_cpu_describe(void)
{
    struct cpu *cpu = &cpus[0];

    cpu->apic_id = apic_id();
    cpu->online = true;
    for (u32 i = 0; i < acpi_info.nr_cpus; i++)
        if (acpi_info.apic_ids[i] == cpu->apic_id)
            cpu->node = acpi_info.nodes[i];
}

void smp_start(u32 max, void (*cpu_main)(struct cpu *cpu))
{
    hpa_t page = mem_low_page();
    u32 self = apic_id();

    boot_cpu_describe();
    irq_register(VECTOR_KICK, kick_interrupt);
    irq_register(VECTOR_CALL, call_interrupt);
    panic_stop_others = others_stop;
    start.cpu_main = cpu_main;
    max = MIN(max, (u32)CPU_MAX);
    if (acpi_info.nr_cpus <= 1 || max <= 1)
        return;
    if (!page) {
        log_error("no free page below 1 MiB: other CPUs stay unused");
        return;
    }
    trampoline_place(page);
    for (u32 i = 0; i < acpi_info.nr_cpus; i++)
        if (acpi_info.apic_ids[i] != self)
            apic_send_init(acpi_info.apic_ids[i]);
    time_delay_ns(INIT_DELAY_NS);
    for (u32 i = 0; i < acpi_info.nr_cpus && cpu_count < max; i++)
        if (acpi_info.apic_ids[i] != self &&
            cpu_start(acpi_info.apic_ids[i], acpi_info.nodes[i], page))
            cpu_join(&cpus[cpu_count]);
    log_info("%u of %u CPU(s) run, TSC skew at most %lld ticks", cpu_count, acpi_info.nr_cpus,
             (long long)time_info.max_skew);
}

void smp_kick(struct cpu *cpu)
{
    cpu->kick = true;
    if (cpu != cpu_this())
        apic_send(cpu->apic_id, VECTOR_KICK);
}

void smp_call(struct cpu *cpu, void (*fn)(void *arg), void *arg)
{
    struct call c = {fn, arg, false};
    struct call *none = NULL;

    if (cpu == cpu_this()) {
        fn(arg);
        return;
    }
    while (!__atomic_compare_exchange_n(&calls[cpu->id], &none, &c, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
        none = NULL;
        call_serve();
        insn_pause();
    }
    apic_send(cpu->apic_id, VECTOR_CALL);
    while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
        call_serve();
        insn_pause();
    }
}
