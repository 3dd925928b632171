/* SPDX-License-Identifier: MIT */
/*
 * The CPUs' objects and stacks.
 */
#include "hv/host/cpu.h"
#include "hv/host/layout.h"
#include "hv/host/mem.h"
#include "hv/host/paging.h"

static_assert(STACK_SLOT == CPU_STACK_SIZE, "assembly and C agree on the stack slot");

struct cpu cpus[CPU_MAX];
u32 cpu_count = 1;

char cpu_bsp_stacks[STACK_BSP][CPU_STACK_SIZE] __attribute__((aligned(STACK_SLOT)));

void *cpu_stack_create(struct cpu *cpu)
{
    hpa_t slot = mem_alloc(2, cpu->node);

    static_assert(PAGE_SIZE << 2 == CPU_STACK_SIZE, "one slot is 2^2 pages");
    if (!slot)
        return NULL;
    if (paging_unmap_page(slot)) {
        mem_free(slot, 2);
        return NULL;
    }
    *(struct cpu **)(slot + CPU_STACK_SIZE - 8) = cpu;
    return (void *)(slot + CPU_STACK_SIZE);
}
