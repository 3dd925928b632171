/* SPDX-License-Identifier: MIT */
/*
 * The groups of this payload, one file each.
 */
#ifndef GUEST_PAYLOADS_EXITS_BENCHES_H
#define GUEST_PAYLOADS_EXITS_BENCHES_H

#include "guest/lib/bench.h"

extern const struct bench_group instruction_benches;
extern const struct bench_group port_benches;
extern const struct bench_group mmio_benches;
extern const struct bench_group register_benches;
extern const struct bench_group halt_benches;
extern const struct bench_group touch_benches;
extern const struct bench_group exception_benches;
extern const struct bench_group interrupt_benches;

#define BENCH_GROUP(name, table)                                                                   \
    const struct bench_group name = {table, sizeof(table) / sizeof((table)[0])}

#endif
