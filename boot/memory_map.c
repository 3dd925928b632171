/* SPDX-License-Identifier: MIT */
/*
 * The loader's memory ranges, in any order and overlapping, become a sorted map without overlaps.
 */
#include "boot/multiboot.h"

/* How strongly each type forbids use; the strongest covers. 0: no memory. */
static u32 strength(u32 type)
{
    switch (type) {
    case BOOT_MEM_USABLE: return 1;
    case BOOT_MEM_ACPI_RECLAIM: return 2;
    case BOOT_MEM_ACPI_NVS: return 3;
    case BOOT_MEM_BAD: return 5;
    default: return 4;
    }
}

const char *memory_map_add(struct memory_map *map, u64 base, u64 length, u32 type)
{
    if (!length)
        return NULL;
    if (base + length < base)
        return "a memory range wraps around";
    if (map->nr == MULTIBOOT_MAX_RANGES)
        return "too many memory ranges";
    if (type < BOOT_MEM_USABLE || type > BOOT_MEM_BAD)
        type = BOOT_MEM_RESERVED;
    map->ranges[map->nr++] = (struct boot_mem){base, length, type};
    return NULL;
}

const char *memory_map_add_sizes(struct memory_map *map, u32 lower, u32 upper)
{
    const char *why = memory_map_add(map, 0, MIN(lower, 640u) * KIB, BOOT_MEM_USABLE);

    return why ? why : memory_map_add(map, MIB, upper * KIB, BOOT_MEM_USABLE);
}

/* Next address after at where some range begins or ends; at itself when there is none. */
static u64 next_border(const struct memory_map *map, u64 at)
{
    const struct boot_mem *r;
    u64 next = UINT64_MAX;

    for (r = map->ranges; r < map->ranges + map->nr; r++) {
        if (r->base > at)
            next = MIN(next, r->base);
        if (r->base + r->length > at)
            next = MIN(next, r->base + r->length);
    }
    return next == UINT64_MAX ? at : next;
}

/* Type that holds at address at; 0: none. */
static u32 type_at(const struct memory_map *map, u64 at)
{
    const struct boot_mem *r;
    u32 type = 0;

    for (r = map->ranges; r < map->ranges + map->nr; r++)
        if (at >= r->base && at - r->base < r->length)
            if (!type || strength(r->type) > strength(type))
                type = r->type;
    return type;
}

/* Appends, joining what touches and is of one type. */
static bool append(struct boot_info *bi, u64 base, u64 end, u32 type)
{
    struct boot_mem *last = bi->nr_mem ? &bi->mem[bi->nr_mem - 1] : NULL;

    if (last && last->type == type && last->base + last->length == base) {
        last->length = end - last->base;
        return true;
    }
    if (bi->nr_mem == BOOT_MAX_MEM)
        return false;
    bi->mem[bi->nr_mem++] = (struct boot_mem){base, end - base, type};
    return true;
}

const char *memory_map_finish(const struct memory_map *map, struct boot_info *bi)
{
    u64 at, next;
    u32 type;

    for (at = 0; (next = next_border(map, at)) != at; at = next) {
        type = type_at(map, at);
        if (type && !append(bi, at, next, type))
            return "too many memory ranges";
    }
    return bi->nr_mem ? NULL : "no memory map";
}
