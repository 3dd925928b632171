/* SPDX-License-Identifier: MIT */
/*
 * The payload's free memory: one range above the image, clear of everything the loader left. The
 * heap grows up from its start, page takers take from its end down.
 */
#ifndef GUEST_CRT_MEMORY_H
#define GUEST_CRT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_PAGE 4096ul

void memory_init(void);

/* Moves the heap's end by bytes and returns its old end, or NULL when there is no room. */
void *memory_heap_grow(ptrdiff_t bytes);

/* Pages that lie between the heap and the taken ones, less a reserve kept for the heap. */
size_t memory_pages_left(void);

/*
 * Takes pages that nothing of this payload ever touched, for good; NULL when fewer are left. They
 * are contiguous and below 4 GiB.
 */
void *memory_take_pages(size_t pages);

/* The loader's memory map lists the byte at this physical address as available. */
bool memory_available(uint64_t address);

/* The untouched range itself, page-aligned, for looking at. */
void memory_untouched(uintptr_t *start, uintptr_t *end);

#endif
