/* SPDX-License-Identifier: MIT */
/*
 * Time for the C library: the TSC, calibrated against PIT channel 0 at the first use.
 */
#ifndef GUEST_CRT_CLOCK_H
#define GUEST_CRT_CLOCK_H

#include <stdint.h>

/* TSC ticks per second; 0 when the PIT does not move. Reprograms PIT channel 0 the first time. */
uint64_t clock_tsc_hz(void);

/* Microseconds of TSC since the machine started; 0 without a frequency. */
uint64_t clock_microseconds(void);

#endif
