/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader's information to struct boot_info. Nothing the loader says is believed
 * unchecked, and all but the modules' contents is copied: its memory gets used again. A function
 * that returns text returns NULL for success, else why the information is refused.
 */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "hv/host/boot_info.h"

#define MULTIBOOT1_MAGIC 0x2badb002u /* in EAX at entry */
#define MULTIBOOT2_MAGIC 0x36d76289u

#define MULTIBOOT_FB_TEXT 2 /* framebuffer type: EGA text */

/* magic and info are EAX and EBX at entry. *bi is written whole, refused or not. */
const char *multiboot_parse(u32 magic, u32 info, struct boot_info *bi);

/* What the two versions share. */

#define MULTIBOOT_MAX_RANGES 256 /* as the loader gave them */

struct memory_map {
    u32 nr;
    struct boot_mem ranges[MULTIBOOT_MAX_RANGES];
};

const char *multiboot1_parse(u32 info, struct boot_info *bi, struct memory_map *map);
const char *multiboot2_parse(u32 info, struct boot_info *bi, struct memory_map *map);

/* Copies size bytes from addr; false when they are not all in mapped memory outside the image. */
bool multiboot_read(void *dst, u64 addr, u64 size);

/* Copies the terminated string at addr, which may take max bytes with its end. */
const char *multiboot_read_text(char *dst, size_t size, u64 addr, u64 max);

/* Adds a module whose name starts at text, with at most max bytes. */
const char *multiboot_add_module(struct boot_info *bi, u64 start, u64 end, u64 text, u64 max);

const char *memory_map_add(struct memory_map *map, u64 base, u64 length, u32 type);

/* The two sizes in KiB, below 1 MiB and from 1 MiB on, of loaders that know no map. */
const char *memory_map_add_sizes(struct memory_map *map, u32 lower, u32 upper);

/* Sorts into bi->mem; where ranges overlap, the type that forbids more holds. */
const char *memory_map_finish(const struct memory_map *map, struct boot_info *bi);

#endif
