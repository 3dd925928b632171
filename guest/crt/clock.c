/* SPDX-License-Identifier: MIT */
/*
 * TSC calibration: how far the TSC goes while the PIT counts a hundredth of a second.
 */
#include "guest/crt/clock.h"

#include <stdbool.h>

#include "guest/crt/insn.h"
#include "guest/crt/pit.h"

#define SPAN      (PIT_HZ / 100)
#define READS_MAX 1000000 /* a PIT that has not counted the span by then stands still */

static uint64_t calibrate(void)
{
    uint64_t start;
    uint16_t first;

    pit_start(0, PIT_RATE, 0);
    first = pit_latch(0);
    start = insn_rdtsc();
    for (int i = 0; i < READS_MAX; i++) {
        uint16_t gone = (uint16_t)(first - pit_latch(0));

        if (gone >= SPAN)
            return (insn_rdtsc() - start) * PIT_HZ / gone;
    }
    return 0;
}

uint64_t clock_tsc_hz(void)
{
    static bool known;
    static uint64_t hz;

    if (!known)
        hz = calibrate();
    known = true;
    return hz;
}

uint64_t clock_microseconds(void)
{
    uint64_t hz = clock_tsc_hz();
    uint64_t now = insn_rdtsc();

    return hz ? now / hz * 1000000 + now % hz * 1000000 / hz : 0;
}
