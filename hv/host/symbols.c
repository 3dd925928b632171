/* SPDX-License-Identifier: MIT */
/*
 * Look-up in the symbol table: u32 count, count ascending u32 addresses, then as many terminated
 * names. Searched in order, since only a panic asks.
 */
#include "hv/host/symbols.h"
#include "hv/host/image.h"
#include "hv/lib/string.h"

const char *symbols_find(u64 addr, u64 *offset)
{
    const u32 *table = (const u32 *)symbols_start;
    u32 count = table[0], i;
    const char *name = (const char *)(table + 1 + count);

    if (addr < (u64)text_start || addr >= (u64)text_end || !count || addr < table[1])
        return NULL;
    for (i = 1; i < count && table[1 + i] <= addr; i++)
        name += strlen(name) + 1;
    *offset = addr - table[i];
    return name;
}
