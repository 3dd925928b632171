/* SPDX-License-Identifier: MIT */
/*
 * What multiboot 1 and 2 share: reading with bounds, modules, the check of the whole.
 */
#include "boot/multiboot.h"
#include "hv/host/image.h"
#include "hv/lib/string.h"

#define NO_TEXT 0 /* address of a string that is absent */

static bool overlaps(u64 a_start, u64 a_end, u64 b_start, u64 b_end)
{
    return a_start < b_end && b_start < a_end;
}

static bool overlaps_image(u64 start, u64 end)
{
    return overlaps(start, end, (u64)image_start, (u64)image_end);
}

/* The first page tables map 4 GiB without page 0. */
bool multiboot_read(void *dst, u64 addr, u64 size)
{
    if (addr < PAGE_SIZE || size > 4 * GIB || addr > 4 * GIB - size)
        return false;
    if (overlaps_image(addr, addr + size))
        return false;
    memcpy(dst, (const void *)addr, size);
    return true;
}

const char *multiboot_read_text(char *dst, size_t size, u64 addr, u64 max)
{
    size_t i;

    for (i = 0; i < size && i < max; i++) {
        if (!multiboot_read(&dst[i], addr + i, 1))
            break;
        if (!dst[i])
            return NULL;
    }
    dst[MIN(i, size - 1)] = 0;
    return i == size ? "a command line is too long" : "a command line has no end";
}

const char *multiboot_add_module(struct boot_info *bi, u64 start, u64 end, u64 text, u64 max)
{
    struct boot_module *m = &bi->modules[bi->nr_modules];
    u32 i;

    if (bi->nr_modules == BOOT_MAX_MODULES)
        return "too many modules";
    if (start < PAGE_SIZE || end < start || end > 4 * GIB)
        return "a module has a bad address";
    if (overlaps_image(start, end))
        return "a module overlaps the image";
    for (i = 0; i < bi->nr_modules; i++)
        if (overlaps(start, end, bi->modules[i].start, bi->modules[i].end))
            return "two modules overlap";
    m->start = start;
    m->end = end;
    bi->nr_modules++;
    return text == NO_TEXT ? NULL : multiboot_read_text(m->cmdline, BOOT_TEXT, text, max);
}

const char *multiboot_parse(u32 magic, u32 info, struct boot_info *bi)
{
    static struct memory_map map;
    const char *why;

    memset(bi, 0, sizeof(*bi));
    map.nr = 0;
    if (magic == MULTIBOOT1_MAGIC)
        why = multiboot1_parse(info, bi, &map);
    else if (magic == MULTIBOOT2_MAGIC)
        why = multiboot2_parse(info, bi, &map);
    else
        why = "not started by a multiboot loader";
    return why ? why : memory_map_finish(&map, bi);
}
