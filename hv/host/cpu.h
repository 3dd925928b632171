/* SPDX-License-Identifier: MIT */
/*
 * Physical CPUs. Each has one struct cpu. Its address stands in the last eight bytes of each of
 * its stacks, every stack ends at a multiple of CPU_STACK_SIZE, so the stack pointer alone finds
 * it: no segment register, which guests own while they run.
 */
#ifndef HV_HOST_CPU_H
#define HV_HOST_CPU_H

#include "hv/lib/types.h"

#define CPU_MAX        64
#define CPU_STACK_SIZE 0x4000ul /* the lowest page of it is a guard page, never mapped */

struct vcpu;

struct cpu {
    u32 id; /* 0: the one that booted; dense */
    u32 apic_id;
    u32 node;     /* NUMA node; dense, 0 when the machine tells nothing */
    bool online;  /* set by the CPU itself when it can take work */
    bool backend; /* the virtualization backend is enabled on it */
    s64 tsc_skew; /* ticks this CPU's TSC is ahead of CPU 0's, as measured at start */
    void *stack_top;
    struct vcpu *current; /* the vCPU whose state is loaded here, or NULL; owned by hv/vm */
    void *sched;          /* hv/vm's per-CPU scheduler state */
    void *account;        /* hv/measure's per-CPU accounts */
    void *backend_data;   /* the backend's per-CPU state */
    u64 nmis;             /* NMIs taken while the host ran */
    u64 interrupts;       /* physical interrupts handled */
    volatile bool kick;   /* set by the kick IPI's handler */
    volatile bool timer;  /* set by the timer interrupt's handler */
    u64 timer_armed;      /* TSC of the armed deadline; 0: none */
};

/* All CPUs, indexed by id; cpu_count of them. */
extern struct cpu cpus[CPU_MAX];
extern u32 cpu_count;

/* Stack slots of CPU 0: its own, then those for NMI, #DF and #MC. Guard pages are set at boot. */
extern char cpu_bsp_stacks[][CPU_STACK_SIZE];

/*
 * Prepares a stack slot for cpu from fresh memory: guard page, struct cpu pointer. Returns the end
 * of the slot (the usable top is 16 bytes lower), NULL when memory is short. Kept for ever.
 */
void *cpu_stack_create(struct cpu *cpu);

static inline struct cpu *cpu_this(void)
{
    u64 sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return *(struct cpu **)((sp | (CPU_STACK_SIZE - 1)) - 7);
}

#endif
