/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: each vCPU has a home CPU out of its VM's set; each CPU runs its runnable vCPUs in
 * turn, a time slice each, and sleeps when there is none. The slice timer runs only while two
 * or more want the CPU.
 */
#ifndef HV_VM_SCHED_H
#define HV_VM_SCHED_H

#include "hv/vm/vm.h"

/* Makes the calling CPU's queue and accounts. 0 or -HV_ENOMEM (logged). trace_records: power of 2.
 */
int sched_init_cpu(struct cpu *cpu, u32 trace_records);

/* Makes v runnable, which its starter has claimed: its state is VCPU_STARTING. */
void sched_start(struct vcpu *v);

/* Makes a halted vCPU runnable; does nothing when it is not halted. Any CPU. */
void sched_wake(struct vcpu *v);

/* Runs vCPUs of this CPU until sched_finish() has been called; never with interrupts on. */
void sched_loop(struct cpu *cpu);

/* Ends sched_loop on every CPU. */
void sched_finish(void);

#endif
