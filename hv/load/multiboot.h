/* SPDX-License-Identifier: MIT */
/*
 * Loads multiboot-1 kernels: ELF32, ELF64 that 32-bit code can enter, or any file whose header has
 * address fields. Source: Multiboot Specification version 0.6.96.
 */
#ifndef HV_LOAD_MULTIBOOT_H
#define HV_LOAD_MULTIBOOT_H

#include "hv/load/load.h"

/*
 * Where the kernel finds its multiboot information, tables and strings: at most MULTIBOOT_INFO_SIZE
 * bytes, below the place where PCs keep BIOS data. A kernel that loads there is refused.
 */
#define MULTIBOOT_INFO_BASE 0x90000ull
#define MULTIBOOT_INFO_SIZE 0xfc00ull

/* True when c's image has a valid multiboot-1 header. */
bool multiboot_is(const struct vm_config *c);

/* Loads c's image and modules. Returns as load_image does. */
int multiboot_load(const struct vm_config *c, const struct load_target *t, struct load_result *r);

#endif
