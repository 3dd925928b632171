/* SPDX-License-Identifier: MIT */
/*
 * Guest registers and segments by name.
 */
#include "hv/host/log.h"
#include "svm/vcpu.h"

struct field {
    u16 offset; /* in the VMCB */
    u16 clean;  /* clean bit that covers it */
    bool live;  /* part of the VMLOAD state */
};

#define FIELD(f, c, l)                                                                             \
    {                                                                                              \
        offsetof(struct vmcb, f), c, l                                                             \
    }

static const struct field fields[VREG_COUNT] = {
    [VREG_RIP] = FIELD(rip, 0, false),
    [VREG_RFLAGS] = FIELD(rflags, 0, false),
    [VREG_CR0] = FIELD(cr0, CLEAN_CR, false),
    [VREG_CR2] = FIELD(cr2, CLEAN_CR2, false),
    [VREG_CR3] = FIELD(cr3, CLEAN_CR, false),
    [VREG_CR4] = FIELD(cr4, CLEAN_CR, false),
    [VREG_EFER] = FIELD(efer, CLEAN_CR, false),
    [VREG_DR6] = FIELD(dr6, CLEAN_DR, false),
    [VREG_DR7] = FIELD(dr7, CLEAN_DR, false),
    [VREG_PAT] = FIELD(g_pat, CLEAN_NP, false),
    [VREG_FS_BASE] = FIELD(fs.base, 0, true),
    [VREG_GS_BASE] = FIELD(gs.base, 0, true),
    [VREG_KERNEL_GS_BASE] = FIELD(kernel_gs_base, 0, true),
    [VREG_STAR] = FIELD(star, 0, true),
    [VREG_LSTAR] = FIELD(lstar, 0, true),
    [VREG_CSTAR] = FIELD(cstar, 0, true),
    [VREG_SFMASK] = FIELD(sfmask, 0, true),
    [VREG_SYSENTER_CS] = FIELD(sysenter_cs, 0, true),
    [VREG_SYSENTER_ESP] = FIELD(sysenter_esp, 0, true),
    [VREG_SYSENTER_EIP] = FIELD(sysenter_eip, 0, true),
};

static u64 *field_of(struct svm_vcpu *s, enum vreg r)
{
    if (fields[r].live)
        svm_host_state(s);
    return (u64 *)((u8 *)&s->vmcb + fields[r].offset);
}

u64 svm_get(struct vcpu *v, enum vreg r)
{
    struct svm_vcpu *s = svm_of(v);

    switch (r) {
    case VREG_CR8: return s->vmcb.vint_ctl & 0xf;
    case VREG_EFER: return s->vmcb.efer & ~(u64)EFER_SVME;
    default: return *field_of(s, r);
    }
}

void svm_set(struct vcpu *v, enum vreg r, u64 value)
{
    struct svm_vcpu *s = svm_of(v);

    if (r == VREG_CR8) {
        s->vmcb.vint_ctl = (s->vmcb.vint_ctl & ~VINT_TPR) | (u32)value;
        svm_dirty(s, CLEAN_TPR);
        return;
    }
    if (r == VREG_EFER) {
        value |= EFER_SVME;
        if (value == s->vmcb.efer)
            return;
        length_forget(&s->lengths);
    }
    *field_of(s, r) = value;
    svm_dirty(s, fields[r].clean);
}

static struct vmcb_segment *segment_of(struct svm_vcpu *s, enum vseg n)
{
    struct vmcb *b = &s->vmcb;
    struct vmcb_segment *const segments[VSEG_COUNT] = {
        [VSEG_ES] = &b->es,     [VSEG_CS] = &b->cs, [VSEG_SS] = &b->ss,     [VSEG_DS] = &b->ds,
        [VSEG_FS] = &b->fs,     [VSEG_GS] = &b->gs, [VSEG_GDTR] = &b->gdtr, [VSEG_LDTR] = &b->ldtr,
        [VSEG_IDTR] = &b->idtr, [VSEG_TR] = &b->tr,
    };

    if (n == VSEG_FS || n == VSEG_GS || n == VSEG_LDTR || n == VSEG_TR)
        svm_host_state(s);
    return segments[n];
}

/* The VMCB packs the two nibble groups of the attributes; struct segment keeps them apart by the
 * descriptor's limit nibble: bits 8 to 11 of the VMCB are bits 8 to 11 here as well. */
void svm_get_segment(struct vcpu *v, enum vseg n, struct segment *out)
{
    const struct vmcb_segment *seg = segment_of(svm_of(v), n);

    *out = (struct segment){seg->selector, seg->attr, seg->limit, seg->base};
}

void svm_set_segment(struct vcpu *v, enum vseg n, const struct segment *in)
{
    struct svm_vcpu *s = svm_of(v);

    *segment_of(s, n) = (struct vmcb_segment){in->selector, in->attr, in->limit, in->base};
    svm_dirty(s, CLEAN_SEG | CLEAN_DT);
    if (n == VSEG_SS)
        s->vmcb.cpl = in->attr >> 5 & 3;
}

u8 svm_cpl(struct vcpu *v)
{
    return svm_of(v)->vmcb.cpl;
}

void svm_dump(struct vcpu *v)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    log_error("  vmcb: exitcode %#x info %#llx %#llx intinfo %#llx nrip %#llx", b->exitcode,
              (unsigned long long)b->exitinfo1, (unsigned long long)b->exitinfo2,
              (unsigned long long)b->exitintinfo, (unsigned long long)b->nrip);
    log_error("  vmcb: asid %u tlb %u vint %#x shadow %llx eventinj %#llx clean %#x", b->asid,
              b->tlb_control, b->vint_ctl, (unsigned long long)b->int_shadow,
              (unsigned long long)b->eventinj, b->clean);
}
