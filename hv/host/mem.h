/* SPDX-License-Identifier: MIT */
/*
 * Physical memory of the host: a buddy allocator per NUMA node. All memory is mapped one to one,
 * so an hpa_t is also the address at which the hypervisor reads and writes it.
 */
#ifndef HV_HOST_MEM_H
#define HV_HOST_MEM_H

#include "hv/host/boot_info.h"

/* Sizes as log2 of 4 KiB pages. */
#define MEM_ORDER_4K  0
#define MEM_ORDER_2M  9
#define MEM_ORDER_1G  18
#define MEM_MAX_ORDER 18
#define MEM_ANY_NODE  (~0u)
#define MEM_MAX_NODES 8

/*
 * Hands all usable memory of the boot map that is not the image, a module, boot_info itself or
 * below 1 MiB to the allocator. Memory from 1 MiB on only; the pages below serve AP start.
 * Returns 0 or -HV_ENOMEM when less than MEM_MIN_BYTES is usable (logged).
 */
#define MEM_MIN_BYTES (8 * MIB)
int mem_init(const struct boot_info *bi);

/*
 * Allocating and freeing are safe on every CPU, also in interrupt handlers, but not in NMI, #MC or
 * #DF handlers.
 *
 * Takes 2^order naturally aligned pages, from the wanted node first (MEM_ANY_NODE: any), then from
 * any other. Contents undefined. Returns 0 when none is left: never panics, never logs.
 */
hpa_t mem_alloc(u32 order, u32 node);

/* Gives back exactly what mem_alloc(order, …) returned. BUG on a double free that is seen. */
void mem_free(hpa_t pa, u32 order);

/* Makes an allocated block into single pages, each to be given back with mem_free(pa, 0). */
void mem_split(hpa_t pa, u32 order);

/* Zeroed pages for the hypervisor's own objects, whole pages covering bytes; NULL when none left.
 */
void *mem_zalloc(size_t bytes, u32 node);
void mem_zfree(void *p, size_t bytes);

/* Bytes free now, on node or on all (MEM_ANY_NODE). */
u64 mem_free_bytes(u32 node);
u64 mem_total_bytes(void);

/* A usable page below 640 KiB that nothing occupies, for AP start; always the same. 0: none. */
hpa_t mem_low_page(void);

/* Maps device memory [pa, pa + size) one to one, uncached, not executable. 0 or -HV_ENOMEM. */
int mem_map_mmio(hpa_t pa, u64 size);

#endif
