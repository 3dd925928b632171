/* SPDX-License-Identifier: MIT */
/*
 * The trace ring of a physical CPU: the last records, oldest overwritten. Written by its own CPU
 * only; read by others when that CPU has stopped, or by panic.
 */
#ifndef HV_MEASURE_TRACE_H
#define HV_MEASURE_TRACE_H

#include "hv/lib/types.h"

struct trace_record {
    u64 tsc;     /* host TSC at the exit's first stamp */
    u64 rip;     /* of the guest at the exit */
    u64 info;    /* exit qualification, see enum exit_kind's handler */
    u32 ticks;   /* charged to the exit, saturated */
    u16 account; /* exit kind */
    u8 vm;
    u8 vcpu;
};

struct trace {
    u64 head; /* records ever written */
    u32 mask; /* size - 1; size is a power of two */
    struct trace_record *ring;
};

static inline void trace_add(struct trace *t, const struct trace_record *r)
{
    if (t->ring)
        t->ring[t->head++ & t->mask] = *r;
}

/* The i-th newest record (0: the last one), or NULL. */
static inline const struct trace_record *trace_newest(const struct trace *t, u32 i)
{
    if (!t->ring || i >= t->head || i > t->mask)
        return NULL;
    return &t->ring[(t->head - 1 - i) & t->mask];
}

#endif
