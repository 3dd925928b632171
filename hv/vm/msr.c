/* SPDX-License-Identifier: MIT */
/*
 * Guest MSR accesses that exit.
 */
#include "hv/vm/msr.h"

#include "hv/vm/backend.h"

#define EXTENDED1_EDX_SYSCALL BIT(11)
#define EXTENDED1_EDX_NX      BIT(20)
#define EXTENDED1_EDX_FFXSR   BIT(25)
#define EXTENDED1_EDX_RDTSCP  BIT(27)
#define EXTENDED1_EDX_LM      BIT(29)
#define EFER_GUEST            (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)

/* MSRs that are plain storage a backend keeps; the hardware switches them with the guest. */
struct msr_reg {
    u32 index;
    enum vreg reg;
    bool canonical; /* holds an address: a non-canonical one raises #GP */
    bool direct;    /* guests reach it without an exit */
};

/* The TSC is not among them: one emulator reads it as 0 there. */
static const struct msr_reg regs[] = {
    {MSR_FS_BASE, VREG_FS_BASE, true, true},
    {MSR_GS_BASE, VREG_GS_BASE, true, true},
    {MSR_KERNEL_GS_BASE, VREG_KERNEL_GS_BASE, true, true},
    {MSR_STAR, VREG_STAR, false, true},
    {MSR_LSTAR, VREG_LSTAR, true, true},
    {MSR_CSTAR, VREG_CSTAR, true, true},
    {MSR_SFMASK, VREG_SFMASK, false, true},
    {MSR_SYSENTER_CS, VREG_SYSENTER_CS, false, true},
    {MSR_SYSENTER_ESP, VREG_SYSENTER_ESP, true, true},
    {MSR_SYSENTER_EIP, VREG_SYSENTER_EIP, true, true},
    {MSR_PAT, VREG_PAT, false, false},
    {MSR_EFER, VREG_EFER, false, false},
};

u32 msr_passthrough(u32 i)
{
    return i < ARRAY_SIZE(regs) && regs[i].direct ? regs[i].index : 0;
}

static const struct msr_reg *find(u32 index)
{
    u32 i;

    for (i = 0; i < ARRAY_SIZE(regs); i++)
        if (regs[i].index == index)
            return &regs[i];
    return NULL;
}

static bool is_canonical(u64 address)
{
    return (u64)((s64)(address << 16) >> 16) == address;
}

/* Each of the eight fields must be a memory type: 0, 1, 4, 5, 6 or 7. */
static bool pat_is_valid(u64 pat)
{
    u32 i;

    for (i = 0; i < 8; i++, pat >>= 8)
        if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
            return false;
    return true;
}

bool msr_read(struct vcpu *v, u32 index, u64 *value)
{
    const struct msr_reg *r;

    if (msr_read_simple(v, index, value))
        return true;
    if (index == MSR_TSC_AUX) {
        *value = v->tsc_aux;
        return true;
    }
    r = find(index);
    if (!r)
        return false;
    *value = backend->get(v, r->reg);
    return true;
}

/* What a guest may set: all that its CPUID shows. */
static u64 efer_offered(const struct vcpu *v)
{
    u32 edx = v->cpuid->extended[1].edx;

    return EFER_LMA | (edx & EXTENDED1_EDX_SYSCALL ? EFER_SCE : 0) |
           (edx & EXTENDED1_EDX_NX ? EFER_NXE : 0) | (edx & EXTENDED1_EDX_LM ? EFER_LME : 0) |
           (edx & EXTENDED1_EDX_FFXSR ? EFER_FFXSR : 0);
}

static bool write_efer(struct vcpu *v, u64 value)
{
    u64 old = backend->get(v, VREG_EFER);

    if (((value ^ old) & ~(u64)EFER_LMA) == 0)
        return true; /* what it was; kernels write it so, too */
    if (value & ~efer_offered(v))
        return false;
    if ((old ^ value) & EFER_LME && backend->get(v, VREG_CR0) & CR0_PG)
        return false;
    /* LMA follows LME and CR0.PG; software cannot change it. */
    value = (value & ~(u64)EFER_LMA) | (old & EFER_LMA);
    if ((old ^ value) & EFER_NXE)
        backend->flush(v);
    backend->set(v, VREG_EFER, value);
    return true;
}

bool msr_write(struct vcpu *v, u32 index, u64 value)
{
    const struct msr_reg *r;

    switch (index) {
    case MSR_EFER: return write_efer(v, value);
    case MSR_TSC: /* the TSC offset stays 0: host and guest stamps share one axis */
    case MSR_BIOS_SIGN_ID: /* written before CPUID to read the microcode level */ return true;
    case MSR_TSC_AUX:
        if (value >> 32 || !(v->cpuid->extended[1].edx & EXTENDED1_EDX_RDTSCP))
            return false;
        v->tsc_aux = value;
        insn_wrmsr(MSR_TSC_AUX, value);
        return true;
    case MSR_PAT:
        if (!pat_is_valid(value))
            return false;
        break;
    }
    r = find(index);
    if (!r || (r->canonical && !is_canonical(value)))
        return false;
    backend->set(v, r->reg, value);
    return true;
}
