/* SPDX-License-Identifier: MIT */
/*
 * Building nested page tables. Entries are only ever added, from not present to present, which
 * needs no TLB invalidation.
 */
#include "svm/npt.h"

#include "hv/host/mem.h"
#include "hv/host/page_pool.h"
#include "hv/lib/err.h"
#include "hv/x86/insn.h"
#include "hv/x86/regs.h"
#include "svm/caps.h"

#define NPT_LEVELS 4
#define NPT_TABLE  (PTE_P | PTE_RW | PTE_US | PTE_A)
#define NPT_LEAF   (NPT_TABLE | PTE_D)

static u64 *entry_of(u64 *table, gpa_t gpa, u32 level)
{
    return &table[gpa >> (PAGE_SHIFT + 9 * (level - 1)) & 511];
}

static __attribute__((noinline)) hpa_t new_table(struct vm *vm)
{
    hpa_t table = page_pool_take_zeroed();

    if (!table) {
        table = mem_alloc(MEM_ORDER_4K, vm->node);
        if (table)
            insn_zero_page((void *)table);
    }
    return table;
}

int npt_create(struct vm *vm)
{
    vm->nested_root = new_table(vm);
    return vm->nested_root ? 0 : -HV_ENOMEM;
}

static void free_level(hpa_t table, u32 level)
{
    u64 *entries = (u64 *)table;
    u32 i;

    for (i = 0; level > 1 && i < 512; i++)
        if (entries[i] & PTE_P && !(entries[i] & PTE_PS))
            free_level(entries[i] & PTE_ADDR, level - 1);
    mem_free(table, MEM_ORDER_4K);
}

void npt_destroy(struct vm *vm)
{
    if (vm->nested_root)
        free_level(vm->nested_root, NPT_LEVELS);
    vm->nested_root = 0;
}

static inline int map_at(struct vm *vm, gpa_t gpa, hpa_t hpa, u32 level)
{
    u64 *table = (u64 *)vm->nested_root, *entry;
    u32 l;

    for (l = NPT_LEVELS; l > level; l--) {
        entry = entry_of(table, gpa, l);
        if (unlikely(!(*entry & PTE_P))) {
            hpa_t next = new_table(vm);

            if (!next)
                return -HV_ENOMEM;
            *entry = next | NPT_TABLE;
        }
        table = (u64 *)(*entry & PTE_ADDR);
    }
    *entry_of(table, gpa, level) = hpa | NPT_LEAF | (level > 1 ? PTE_PS : 0);
    return 0;
}

static __attribute__((noinline)) int map_large(struct vm *vm, gpa_t gpa, hpa_t hpa, u32 order)
{
    u64 offset;
    int err;

    if (order == MEM_ORDER_2M || svm_caps.pages_1g)
        return map_at(vm, gpa, hpa, 1 + order / 9);
    for (offset = 0; offset < GIB; offset += 2 * MIB) {
        err = map_at(vm, gpa + offset, hpa + offset, 2);
        if (err)
            return err;
    }
    return 0;
}

int npt_map(struct vm *vm, gpa_t gpa, hpa_t hpa, u32 order)
{
    return likely(order == MEM_ORDER_4K) ? map_at(vm, gpa, hpa, 1) : map_large(vm, gpa, hpa, order);
}
