/* SPDX-License-Identifier: MIT */
/*
 * Page mappings beyond the identity map of the first 4 GiB. Source: AMD64 APM volume 2, "Page
 * Translation and Protection".
 */
#ifndef GUEST_CRT_PAGING_H
#define GUEST_CRT_PAGING_H

#include <stdint.h>

#define PTE_P  0x1ul
#define PTE_RW 0x2ul

/* Nothing is mapped here until paging_map does it; room up to 512 GiB. */
#define PAGING_WINDOW 0x1000000000ul

/*
 * Maps the 4 KiB page at virtual address va, in the window, to pte (address and flags; 0 unmaps),
 * and invalidates its TLB entry. 0, or -1 without memory for tables.
 */
int paging_map(uintptr_t va, uint64_t pte);

/* The top-level table, for payloads that destroy it. */
extern uint64_t page_pml4[512];

#endif
