/* SPDX-License-Identifier: MIT */
/*
 * Page tables of the hypervisor, four levels, shared by all CPUs. One address means one thing in
 * every trace, and reaching guest memory needs no addition: that is why the map is one to one and
 * not in the higher half; there is no user half to protect. Source: AMD64 APM volume 2, "Page
 * Translation and Protection".
 */
#include "hv/host/paging.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/lib/lock.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"

#define LEVEL_4K     1
#define LEVEL_2M     2
#define LEVEL_1G     3
#define LEVEL_TOP    4
#define ENTRIES      512
#define EARLY_TABLES 32
#define BOOT_MAPPED  (4 * GIB)

static u64 early_tables[EARLY_TABLES][ENTRIES] __attribute__((aligned(4096)));
static u32 early_used;
static struct lock paging_lock; /* guards the tables and early_used */

static u64 level_size(u32 level)
{
    return PAGE_SIZE << 9 * (level - 1);
}

static u64 *entry_of(u64 *table, hpa_t pa, u32 level)
{
    return &table[pa / level_size(level) % ENTRIES];
}

static bool has_1g_pages(void)
{
    return insn_cpuid(0x80000000, 0).eax >= 0x80000001 && (insn_cpuid(0x80000001, 0).edx & BIT(26));
}

static u64 *table_alloc(void)
{
    u64 *t;

    if (early_used < EARLY_TABLES)
        return early_tables[early_used++];
    t = (u64 *)mem_alloc(MEM_ORDER_4K, MEM_ANY_NODE);
    if (t)
        memset(t, 0, PAGE_SIZE);
    return t;
}

/* Replaces a large page by a table of the next smaller ones that map the same, or by an empty one.
 */
static u64 *table_split(u64 *entry, u32 level)
{
    u64 *t = table_alloc();
    u64 old = *entry, step = level_size(level - 1);
    u32 i;

    if (!t)
        return NULL;
    if (old & PTE_P) {
        if (level == LEVEL_2M)
            old &= ~PTE_PS;
        for (i = 0; i < ENTRIES; i++)
            t[i] = old + i * step;
    }
    *entry = (u64)t | PTE_P | PTE_RW;
    return t;
}

/* Finds the entry of pa at level, making the tables above it; NULL when memory is short. */
static u64 *entry_make(hpa_t pa, u32 level)
{
    u64 *table = (u64 *)(insn_read_cr3() & PTE_ADDR);
    u64 *entry;
    u32 l;

    for (l = LEVEL_TOP;; l--) {
        entry = entry_of(table, pa, l);
        if (l == level)
            return entry;
        if (!(*entry & PTE_P) || (*entry & PTE_PS))
            table = table_split(entry, l);
        else
            table = (u64 *)(*entry & PTE_ADDR);
        if (!table)
            return NULL;
    }
}

/* True when pa is already mapped at level by a table of smaller pages. */
static bool is_split(hpa_t pa, u32 level)
{
    u64 *table = (u64 *)(insn_read_cr3() & PTE_ADDR);
    u64 *entry;
    u32 l;

    for (l = LEVEL_TOP; l >= level; l--) {
        entry = entry_of(table, pa, l);
        if (!(*entry & PTE_P) || (*entry & PTE_PS))
            return false;
        table = (u64 *)(*entry & PTE_ADDR);
    }
    return true;
}

static u32 best_level(hpa_t pa, hpa_t end, bool huge)
{
    u32 level = huge ? LEVEL_1G : LEVEL_2M;

    while (level > LEVEL_4K &&
           (pa % level_size(level) || end - pa < level_size(level) || is_split(pa, level)))
        level--;
    return level;
}

/* Maps up to end, returns how far it came. The last TLB flush is the caller's. */
static hpa_t map_range(hpa_t pa, hpa_t end, u64 flags)
{
    bool huge = has_1g_pages();
    u64 *entry;
    u32 level;

    for (; pa < end; pa += level_size(level)) {
        level = best_level(pa, end, huge);
        entry = entry_make(pa, level);
        if (!entry)
            break;
        *entry = pa | flags | PTE_P | (level > LEVEL_4K ? PTE_PS : 0);
    }
    return pa;
}

static hpa_t map_locked(hpa_t pa, hpa_t end, u64 flags)
{
    lock_take(&paging_lock);
    pa = map_range(pa, end, flags);
    lock_release(&paging_lock);
    insn_write_cr3(insn_read_cr3());
    return pa;
}

int paging_map(hpa_t pa, u64 size, u64 flags)
{
    hpa_t end = ALIGN_UP(pa + size, PAGE_SIZE);

    return map_locked(ALIGN_DOWN(pa, PAGE_SIZE), end, flags) < end ? -HV_ENOMEM : 0;
}

int paging_unmap_page(hpa_t pa)
{
    u64 *entry;

    lock_take(&paging_lock);
    entry = entry_make(pa, LEVEL_4K);
    if (entry)
        *entry = 0;
    lock_release(&paging_lock);
    insn_invlpg((const void *)pa);
    return entry ? 0 : -HV_ENOMEM;
}

/*
 * Maps all of one usable range above 4 GiB, in whole 2 MiB pages (1 GiB for the middle of it);
 * returns the end of what is mapped.
 */
static hpa_t map_usable(const struct boot_mem *m)
{
    hpa_t start = ALIGN_DOWN(MAX(m->base, BOOT_MAPPED), level_size(LEVEL_2M));
    hpa_t end = ALIGN_UP(m->base + m->length, level_size(LEVEL_2M));

    return MIN(map_locked(start, end, PAGING_RW | PAGING_NX), m->base + m->length);
}

void paging_init(struct boot_info *bi)
{
    struct boot_mem *m;
    hpa_t mapped, end;

    for (m = bi->mem; m < bi->mem + bi->nr_mem; m++) {
        end = m->base + m->length;
        if (m->type != BOOT_MEM_USABLE || end <= BOOT_MAPPED)
            continue;
        mapped = MAX(map_usable(m), m->base);
        if (mapped < end)
            log_warn("%llu MiB of memory at %#llx left out: no page tables to map it",
                     (unsigned long long)((end - mapped) / MIB), (unsigned long long)mapped);
        m->length = mapped - m->base;
    }
}

int mem_map_mmio(hpa_t pa, u64 size)
{
    return paging_map(pa, size, PAGING_RW | PAGING_NX | PAGING_UC);
}
