/* SPDX-License-Identifier: MIT */
/*
 * Where the loaded image lies, at its physical address; linker.ld defines the symbols. All are page
 * aligned. The image takes in what no file bytes back (.bss, boot stacks, boot page tables).
 */
#ifndef HV_HOST_IMAGE_H
#define HV_HOST_IMAGE_H

#include "hv/lib/types.h"

extern u8 image_start[];
extern u8 image_end[]; /* first byte after it */
extern u8 text_start[], text_end[];
extern u8 rodata_start[], rodata_end[];
extern u8 data_start[], bss_end[];
extern u8 symbols_start[], symbols_end[];

#endif
