/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own page tables: all physical memory one to one. boot/ builds the first 4 GiB
 * (page 0 and the guard pages absent, the image by section, the rest writable and not executable);
 * this module adds memory above and changes single ranges. W^X: no range is ever both.
 */
#ifndef HV_HOST_PAGING_H
#define HV_HOST_PAGING_H

#include "hv/host/boot_info.h"
#include "hv/x86/regs.h"

#define PAGING_RW PTE_RW
#define PAGING_NX PTE_NX
#define PAGING_UC (PTE_PCD | PTE_PWT)

/*
 * Maps all usable memory above 4 GiB, from a small static pool of table pages, so it precedes
 * mem_init. What the pool cannot reach (a CPU without 1 GiB pages and much memory) is taken off
 * bi's map, with a warning.
 */
void paging_init(struct boot_info *bi);

/*
 * Maps the pages that [pa, pa + size) touches one to one with flags (PAGING_*), whatever was there
 * before; 0 or -HV_ENOMEM. Large pages are used and split as needed. Only this CPU's TLB is
 * flushed: other CPUs must not have used a mapping that gets narrower.
 */
int paging_map(hpa_t pa, u64 size, u64 flags);

/* Makes the page at pa fault on any access: a guard page. 0 or -HV_ENOMEM. */
int paging_unmap_page(hpa_t pa);

#endif
