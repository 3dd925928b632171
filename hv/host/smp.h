/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs and calling functions on them.
 */
#ifndef HV_HOST_SMP_H
#define HV_HOST_SMP_H

#include "hv/host/cpu.h"

/*
 * Starts every CPU that ACPI lists, up to max in all ("maxcpus=N" on the command line). Each one
 * loads its own tables, sets cpu.online and enters cpu_main(cpu), which hv/main.c gives, with
 * interrupts off; it must not return. One that stays silent for 100 ms is logged and left out (ids
 * stay dense). Measures each one's TSC skew; one smaller than the measurement's error counts as 0.
 * On the boot CPU, after time_init, interrupts off. Also fills in cpus[0].
 */
void smp_start(u32 max, void (*cpu_main)(struct cpu *cpu));

/* Makes CPU leave guest mode or HLT soon: sets cpu->kick and sends VECTOR_KICK. */
void smp_kick(struct cpu *cpu);

/*
 * Runs fn(arg) on CPU, in its interrupt handler, and waits for its end; directly when it is this
 * one. The target must take interrupts sooner or later. While waiting, calls made to this CPU are
 * served, so two CPUs may call each other. Not from an interrupt handler.
 */
void smp_call(struct cpu *cpu, void (*fn)(void *arg), void *arg);

#endif
