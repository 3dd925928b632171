/* SPDX-License-Identifier: MIT */
/*
 * Zeroed pages ready for the first touch of guest memory: one stack per CPU, filled from the CPU's
 * own node, touched only by that CPU and so without a lock.
 */
#ifndef HV_HOST_ZERO_POOL_H
#define HV_HOST_ZERO_POOL_H

#include "hv/host/cpu.h"

/*
 * Makes an empty pool of the given capacity for each of the cpu_count CPUs; after smp_start.
 * Returns 0 or -HV_ENOMEM (logged; CPUs without a pool always find it empty).
 */
int zero_pool_init(u32 pages);

/* A zeroed 4 KiB page, now the caller's (mem_free order 0), or 0. Own CPU, interrupts off. */
hpa_t zero_pool_take(void);

/* Zeroes up to max pages into this CPU's pool. True: it is not full yet and memory is left. */
bool zero_pool_refill(u32 max);

/* Pages ready on a CPU; exact only on that CPU. */
u32 zero_pool_count(const struct cpu *cpu);

#endif
