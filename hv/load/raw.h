/* SPDX-License-Identifier: MIT */
/*
 * Raw images: bytes placed at one address, started in the mode the manifest names.
 */
#ifndef HV_LOAD_RAW_H
#define HV_LOAD_RAW_H

#include "hv/load/load.h"

/*
 * True when c's image cannot lie at c->load, or c->entry cannot start it; why and what is accepted
 * stand in reason[size] then. The manifest asks both to name the line.
 */
bool raw_refuse_load(const struct vm_config *c, char *reason, size_t size);
bool raw_refuse_entry(const struct vm_config *c, char *reason, size_t size);

/*
 * Real mode: an entry below 64 KiB starts as CS:IP = 0:entry, others as entry >> 4:entry & 15.
 * Protected mode: 32-bit, paging off. Long mode: paging on; the tables lie right below
 * RAW_TABLE_TOP and map the lower 4 GiB, or all memory if that is more, with 2 MiB pages.
 */
#define RAW_TABLE_TOP 0x9f000ull
int raw_load(const struct vm_config *c, const struct load_target *t, struct load_result *r);

#endif
