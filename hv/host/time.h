/* SPDX-License-Identifier: MIT */
/*
 * Host time. A tick is one TSC tick. Calibrated once at boot against the best reference there is;
 * all conversions use that.
 */
#ifndef HV_HOST_TIME_H
#define HV_HOST_TIME_H

#include "hv/x86/insn.h"

struct time_info {
    u64 tsc_hz;
    u64 apic_hz;                 /* of the local APIC's timer, divider 1 */
    const char *reference;       /* "pm-timer", "hpet", "pit" */
    bool invariant;              /* CPUID 8000_0007 EDX[8] */
    bool deadline;               /* the APIC timer follows the TSC (TSC-deadline mode) */
    s64 max_skew;                /* largest |cpu.tsc_skew| seen, ticks */
    bool ticks_are_instructions; /* proven with a loop of known length */
};

extern struct time_info time_info;

/*
 * On the boot CPU, alone, after acpi_init, irq_init_cpu and apic_init, interrupts off. Takes about
 * 10 ms, sets up this CPU's timer and logs what it found. Returns 0 or -HV_EIO when no reference
 * clock moves (logged).
 */
int time_init(void);

/* Sets up the timer of another CPU, on it, after apic_init_cpu. */
void time_init_cpu(void);

static inline u64 time_now(void)
{
    return insn_rdtsc();
}

/*
 * Ticks in ns nanoseconds, and back, rounded down: whole results are exact, others to one tick
 * (one ns), as long as they are below 2^63. What does not fit in 64 bits saturates.
 */
u64 time_ticks_from_ns(u64 ns);
u64 time_ns_from_ticks(u64 ticks);

/* Busy-waits at least ns nanoseconds, executing PAUSE. */
void time_delay_ns(u64 ns);

/*
 * The per-CPU one-shot timer (local APIC). Fires VECTOR_TIMER at or soon after TSC deadline; a
 * deadline in the past fires at once. time_disarm stops it; one that had just fired may still be
 * delivered. The handler sets cpu.timer and clears cpu.timer_armed. Interrupts
 * may be on or off.
 */
void time_arm(u64 deadline);
void time_disarm(void);

#endif
