/* SPDX-License-Identifier: MIT */
/*
 * Single pages at hand for the first touch of guest memory: per CPU a stack of zeroed ones, and a
 * few others so that the allocator is asked for many at a time. Touched only by their own CPU, with
 * interrupts off, and so without a lock.
 */
#ifndef HV_HOST_PAGE_POOL_H
#define HV_HOST_PAGE_POOL_H

#include "hv/host/cpu.h"

/*
 * Makes empty pools of the given capacity for each of the cpu_count CPUs; after smp_start.
 * Returns 0 or -HV_ENOMEM (logged; CPUs without a pool always find it empty).
 */
int page_pool_init(u32 pages);

/* A zeroed 4 KiB page, now the caller's (mem_free order 0), or 0 when none is ready. */
hpa_t page_pool_take_zeroed(void);

/* A 4 KiB page of this CPU's node if there is one, contents undefined; 0: no memory left. */
hpa_t page_pool_take(void);

/* Zeroes up to max pages into this CPU's pool. True: it is not full yet and memory is left. */
bool page_pool_refill(u32 max);

/* Zeroed pages ready on a CPU; exact only on that CPU. */
u32 page_pool_count(const struct cpu *cpu);

#endif
