/* SPDX-License-Identifier: MIT */
/*
 * Guest page-table walks: none, 32-bit, PAE, 4-level and 5-level paging.
 */
#include "hv/vm/walk.h"

#include "hv/lib/err.h"
#include "hv/lib/string.h"

/* One format of 64-bit entries: how many levels, and the index bits of the top one. */
static int walk_64(struct vcpu *v, gva_t gva, u32 levels, gpa_t table, struct walk *w)
{
    u32 level;

    for (level = levels; level > 0; level--) {
        u32 shift = PAGE_SHIFT + 9 * (level - 1);
        u64 *entry = vm_memory_peek(v->vm, table + ((gva >> shift & 511) << 3));
        u64 value, offset_mask = BIT64(shift) - 1;

        if (!entry)
            return -HV_EFAULT;
        value = *entry;
        w->entry[w->levels] = entry;
        w->value[w->levels++] = value;
        if (!(value & PTE_P))
            return -HV_EFAULT;
        if (levels != 3 || level != 3) /* PAE's top entries have no rights */
            w->rights &= value;
        table = value & PTE_ADDR;
        if (level == 1 || ((value & PTE_PS) && level <= 3)) {
            w->gpa = (table & ~offset_mask) | (gva & offset_mask);
            return 0;
        }
    }
    return -HV_EFAULT;
}

static int walk_32(struct vcpu *v, gva_t gva, gpa_t cr3, struct walk *w)
{
    const u32 *pde = vm_memory_peek(v->vm, (cr3 & 0xfffff000u) + ((gva >> 22) << 2));
    const u32 *pte;

    if (!pde || !(*pde & PTE_P))
        return -HV_EFAULT;
    w->rights &= *pde;
    if ((*pde & PTE_PS) && (backend->get(v, VREG_CR4) & CR4_PSE)) {
        /* PSE-36: bits 20:13 are address bits 39:32. */
        w->gpa = (*pde & 0xffc00000u) | (u64)(*pde >> 13 & 0xff) << 32 | (gva & 0x3fffff);
        return 0;
    }
    pte = vm_memory_peek(v->vm, (*pde & 0xfffff000u) + ((gva >> 12 & 1023) << 2));
    if (!pte || !(*pte & PTE_P))
        return -HV_EFAULT;
    w->rights &= *pte;
    w->gpa = (*pte & 0xfffff000u) | (gva & 0xfff);
    return 0;
}

int walk_gva(struct vcpu *v, gva_t gva, struct walk *w)
{
    u64 cr3 = backend->get(v, VREG_CR3), cr4 = backend->get(v, VREG_CR4);

    w->levels = 0;
    w->rights = PTE_RW | PTE_US;
    if (!(backend->get(v, VREG_CR0) & CR0_PG)) {
        w->gpa = (u32)gva;
        return 0;
    }
    if (backend->get(v, VREG_EFER) & EFER_LMA)
        return walk_64(v, gva, cr4 & CR4_LA57 ? 5 : 4, cr3 & PTE_ADDR, w);
    if (cr4 & CR4_PAE)
        return walk_64(v, (u32)gva, 3, cr3 & 0xffffffe0u, w);
    return walk_32(v, (u32)gva, cr3, w);
}

u32 walk_read(struct vcpu *v, gva_t gva, void *dst, u32 n)
{
    u32 done = 0;

    while (done < n) {
        u32 part = MIN(n - done, (u32)(PAGE_SIZE - ((gva + done) & (PAGE_SIZE - 1))));
        struct walk w;
        const void *p;

        if (walk_gva(v, gva + done, &w))
            break;
        p = vm_memory_peek(v->vm, w.gpa);
        if (!p)
            break;
        memcpy((u8 *)dst + done, p, part);
        done += part;
    }
    return done;
}
