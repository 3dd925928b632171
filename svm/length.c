/* SPDX-License-Identifier: MIT */
/*
 * Instruction lengths without help from the processor.
 */
#include "svm/length.h"

#include "hv/emu/insn.h"
#include "hv/vm/walk.h"
#include "svm/vcpu.h"

void length_forget(struct length_cache *c)
{
    u32 i;

    for (i = 0; i < LENGTH_ENTRIES; i++)
        c->entries[i].rip = LENGTH_NONE;
}

/*
 * Only 64-bit mode with up to four levels is remembered: there linear address and RIP are the same,
 * and leaving that mode takes a change that empties the cache or shows in CS or CR0.PG.
 */
static void remember(struct svm_vcpu *s, const u8 *bytes, u32 length)
{
    const struct vmcb *b = &s->vmcb;
    struct length_entry *e = length_slot(&s->lengths, b->rip);
    struct walk w;
    u32 i;

    if (!(b->efer & EFER_LMA) || !(b->cs.attr & SEG_ATTR_L) || length > 8 ||
        (b->rip & (PAGE_SIZE - 1)) > PAGE_SIZE - 8)
        return;
    if (walk_gva(&s->base, b->rip, &w) || w.levels < 2 || w.levels > LENGTH_LEVELS)
        return;
    e->code = vm_memory_peek(s->base.vm, w.gpa);
    if (!e->code)
        return;
    e->mask = ~0ull >> (64 - 8 * length);
    e->bytes = 0;
    for (i = 0; i < length; i++)
        e->bytes |= (u64)bytes[i] << (8 * i);
    for (i = 0; i < LENGTH_LEVELS; i++) {
        u32 level = MIN(i, w.levels - 1);

        e->pte[i] = w.entry[level];
        e->pte_value[i] = w.value[level];
    }
    e->cr3 = b->cr3;
    e->cs = length_cs(b);
    e->length = length;
    e->rip = b->rip;
}

gva_t length_linear_rip(const struct vmcb *b)
{
    return b->efer & EFER_LMA && b->cs.attr & SEG_ATTR_L ? b->rip : (u32)(b->cs.base + b->rip);
}

u32 length_decode(struct svm_vcpu *s)
{
    const struct vmcb *b = &s->vmcb;
    enum insn_mode mode = INSN_MODE_16;
    u8 bytes[INSN_MAX_LENGTH];
    struct insn i;
    u32 n, length;

    if (b->efer & EFER_LMA && b->cs.attr & SEG_ATTR_L)
        mode = INSN_MODE_64;
    else if (b->cr0 & CR0_PE && !(b->rflags & RFLAGS_VM) && b->cs.attr & SEG_ATTR_DB)
        mode = INSN_MODE_32;
    n = walk_read(&s->base, length_linear_rip(b), bytes, sizeof(bytes));
    length = insn_decode(&i, bytes, n, mode);
    if (length)
        remember(s, bytes, length);
    return length;
}
