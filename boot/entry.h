/* SPDX-License-Identifier: MIT */
/*
 * Between boot/entry.S and boot/main.c.
 */
#ifndef BOOT_ENTRY_H
#define BOOT_ENTRY_H

#include "hv/lib/types.h"

/* Segment of the extended BIOS data area, read from page 0 before that page is unmapped. */
extern u16 boot_ebda_segment;

/* 64-bit C entry on the boot CPU's stack, interrupts off; magic and info are the loader's. */
__attribute__((noreturn)) void boot_main(u32 magic, u32 info);

#endif
