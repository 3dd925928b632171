/* SPDX-License-Identifier: MIT */
/*
 * Reading the instruction that exited, and the memory it names.
 */
#include "hv/lib/string.h"
#include "hv/vm/exit_parts.h"
#include "hv/vm/walk.h"

/* Page-fault error code. */
#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)
#define PF_USER    BIT(2)

static enum insn_mode mode_of(struct vcpu *v, const struct segment *cs)
{
    if (!(backend->get(v, VREG_CR0) & CR0_PE) || backend->get(v, VREG_RFLAGS) & RFLAGS_VM)
        return INSN_MODE_16;
    if (backend->get(v, VREG_EFER) & EFER_LMA && cs->attr & SEG_ATTR_L)
        return INSN_MODE_64;
    return cs->attr & SEG_ATTR_DB ? INSN_MODE_32 : INSN_MODE_16;
}

bool exit_decode(struct vcpu *v, struct insn *i)
{
    struct segment cs;
    u8 bytes[INSN_MAX_LENGTH];
    enum insn_mode mode;
    gva_t rip = backend->get(v, VREG_RIP);
    u32 n;

    backend->get_segment(v, VSEG_CS, &cs);
    mode = mode_of(v, &cs);
    if (mode != INSN_MODE_64)
        rip = (u32)(cs.base + rip);
    n = walk_read(v, rip, bytes, sizeof(bytes));
    return insn_decode(i, bytes, n, mode) != 0;
}

gva_t exit_linear(struct vcpu *v, u8 override, enum vseg dflt, u64 offset, u32 addrsize)
{
    enum vseg seg = dflt;
    struct segment s, cs;

    switch (override) {
    case 0x26: seg = VSEG_ES; break;
    case 0x2e: seg = VSEG_CS; break;
    case 0x36: seg = VSEG_SS; break;
    case 0x3e: seg = VSEG_DS; break;
    case 0x64: seg = VSEG_FS; break;
    case 0x65: seg = VSEG_GS; break;
    }
    if (addrsize < 8)
        offset &= BIT64(addrsize * 8) - 1;
    backend->get_segment(v, VSEG_CS, &cs);
    backend->get_segment(v, seg, &s);
    if (mode_of(v, &cs) != INSN_MODE_64)
        return (u32)(s.base + offset);
    return seg == VSEG_FS || seg == VSEG_GS ? s.base + offset : offset;
}

u8 *exit_reach(struct vcpu *v, gva_t gva, bool write)
{
    bool user = backend->cpl(v) == 3;
    u32 error = (write ? PF_WRITE : 0) | (user ? PF_USER : 0);
    struct walk w;
    u8 *p = NULL;

    if (walk_gva(v, gva, &w) == 0) {
        error |= PF_PRESENT;
        if ((!user || w.rights & PTE_US) &&
            (!write || w.rights & PTE_RW || !(user || backend->get(v, VREG_CR0) & CR0_WP)))
            p = vm_memory_at(v->vm, w.gpa);
    }
    if (!p) {
        backend->set(v, VREG_CR2, gva);
        vcpu_inject_exception(v, VECTOR_PF, true, error);
    }
    return p;
}
