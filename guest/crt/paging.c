/* SPDX-License-Identifier: MIT */
/*
 * A walk that makes the tables it misses. They come from the heap and stay.
 */
#include "guest/crt/paging.h"

#include <malloc.h>
#include <string.h>

#include "guest/crt/insn.h"
#include "guest/crt/memory.h"

#define PTE_ADDR 0x000ffffffffff000ul

static uint64_t *table_below(uint64_t *entry)
{
    void *table;

    if (*entry & PTE_P)
        return (uint64_t *)(*entry & PTE_ADDR);
    table = memalign(MEMORY_PAGE, MEMORY_PAGE);
    if (!table)
        return NULL;
    memset(table, 0, MEMORY_PAGE);
    *entry = (uintptr_t)table | PTE_P | PTE_RW;
    return table;
}

int paging_map(uintptr_t va, uint64_t pte)
{
    uint64_t *table = page_pml4;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        table = table_below(&table[va >> shift & 511]);
        if (!table)
            return -1;
    }
    *(volatile uint64_t *)&table[va >> 12 & 511] = pte;
    insn_invlpg((void *)va);
    return 0;
}
