/* SPDX-License-Identifier: MIT */
/*
 * Timers on the host TSC, one sorted list per physical CPU, driven by its one-shot timer. The
 * function runs on that CPU in the scheduler, not in interrupt context.
 */
#ifndef HV_VM_TIMER_H
#define HV_VM_TIMER_H

#include "hv/host/cpu.h"
#include "hv/lib/lock.h"

struct vtimer {
    u64 deadline; /* ticks */
    void (*fn)(struct vtimer *t);
    void *ctx;
    struct cpu *cpu; /* whose list holds it; NULL: not armed */
    struct vtimer *next;
};

/* Arms (or moves) t on CPU for deadline. Any CPU may call it. */
void vtimer_arm(struct vtimer *t, struct cpu *cpu, u64 deadline);

/* Disarms t; a function that is already running goes on. */
void vtimer_cancel(struct vtimer *t);

/* Runs what is due on the calling CPU and arms its hardware timer for the next. */
void vtimer_run(struct cpu *cpu);

#endif
