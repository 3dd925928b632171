/* SPDX-License-Identifier: MIT */
/*
 * CPUID policy: the host's leaves through a mask of what a guest here can really use. Source:
 * AMD64 APM volume 3, "Obtaining Processor Information Via the CPUID Instruction"; Intel SDM
 * volume 2, "CPUID".
 */
#include "hv/vm/cpuid.h"

#include "hv/abi/hypercall.h"
#include "hv/lib/string.h"
#include "hv/vm/backend.h"

#define LEAF_FEATURES  1
#define LEAF_EXTENDED7 7
#define LEAF_XSAVE     0xd
#define MAX_BASIC      0xdu
#define EXTENDED       0x80000000u
#define MAX_EXTENDED   0x80000008u

/* Leaf 1 ECX: SSE3, PCLMULQDQ, SSSE3, FMA, CX16, PCID, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE,
 * AVX, F16C, RDRAND. Absent: MONITOR, VMX, x2APIC and TSC deadline (no local APIC), PDCM. */
#define FEATURES_ECX   0x76da3203u
#define ECX_OSXSAVE    BIT(27)
#define ECX_XSAVE      BIT(26)
#define ECX_HYPERVISOR BIT(31)
/* Leaf 1 EDX: all but MCE, APIC, MTRR, MCA, PSN, DS, ACPI, SS, HTT, TM, PBE. */
#define FEATURES_EDX 0x078ba97fu
/* Leaf 7 EBX: FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID, RDSEED, ADX, SMAP, CLFLUSHOPT, CLWB,
 * SHA. ECX: UMIP. */
#define EXTENDED7_EBX 0x219c07a9u
#define EXTENDED7_ECX BIT(2)
/* Leaf 8000_0001 ECX: LAHF, LZCNT, SSE4A, misaligned SSE, PREFETCHW, TBM, FMA4, XOP. EDX: SYSCALL,
 * NX, MMX extensions, FXSR, 1 GiB pages, RDTSCP, long mode, and the copies of leaf 1. */
#define EXTENDED1_ECX 0x002109e1u
#define EXTENDED1_EDX 0x2fd3a97fu
#define INVARIANT_TSC BIT(8)
/* XCR0 components offered: x87, SSE, AVX. */
#define XCR0_OFFERED 7u

static void features(struct vm_cpuid *t, const struct vm_config *c, u32 id)
{
    struct cpuid_regs *r = &t->basic[LEAF_FEATURES];

    r->ebx = (r->ebx & 0xff00u) | id << 24 | c->vcpus << 16;
    r->ecx &= FEATURES_ECX;
    if (c->hypercalls)
        r->ecx |= ECX_HYPERVISOR;
    r->edx &= FEATURES_EDX;
    r = &t->basic[LEAF_EXTENDED7];
    r->eax = 0; /* no further sub-leaves */
    r->ebx &= EXTENDED7_EBX;
    r->ecx &= EXTENDED7_ECX;
    r->edx = 0;
}

static void xsave_leaves(struct vm_cpuid *t)
{
    u32 i;

    if (!(t->basic[LEAF_FEATURES].ecx & ECX_XSAVE)) {
        memset(&t->basic[LEAF_XSAVE], 0, sizeof(t->basic[LEAF_XSAVE]));
        return;
    }
    for (i = 0; i < CPUID_D_SUBLEAVES; i++)
        t->xsave[i] = insn_cpuid(LEAF_XSAVE, i);
    t->xsave[0].eax &= XCR0_OFFERED;
    t->xsave[0].edx = 0;
    t->xsave[1].eax &= BIT(0) | BIT(2); /* XSAVEOPT, XGETBV 1; no compacted form */
    t->xsave[1].ecx = t->xsave[1].edx = 0;
    for (i = 2; i < CPUID_D_SUBLEAVES; i++)
        if (!(t->xsave[0].eax >> i & 1))
            memset(&t->xsave[i], 0, sizeof(t->xsave[i]));
}

static void extended(struct vm_cpuid *t, const struct vm_config *c)
{
    u32 i;

    t->max_extended = MIN(insn_cpuid(EXTENDED, 0).eax, MAX_EXTENDED);
    for (i = 0; EXTENDED + i <= t->max_extended; i++)
        t->extended[i] = insn_cpuid(EXTENDED + i, 0);
    t->extended[0].eax = t->max_extended;
    t->extended[1].ecx &= EXTENDED1_ECX;
    t->extended[1].edx &= EXTENDED1_EDX;
    t->extended[7].edx &= INVARIANT_TSC;
    if (t->max_extended < MAX_EXTENDED)
        return;
    /* Nested paging translates 48 bits, and guests have no five-level paging. */
    t->extended[8].eax = MIN(t->extended[8].eax & 0xff, 48u) | 48u << 8;
    t->extended[8].ebx = t->extended[8].edx = 0;
    t->extended[8].ecx = c->vcpus - 1;
}

static void hypervisor(struct vm_cpuid *t, const struct vm_config *c, u32 hv_flags)
{
    struct cpuid_regs *r = t->hypervisor;

    t->hypervisor_leaves = c->hypercalls;
    r[0].eax = HYPERCALL_CPUID_LEAF + 1;
    memcpy(&r[0].ebx, HYPERCALL_SIGNATURE, 4);
    memcpy(&r[0].ecx, HYPERCALL_SIGNATURE + 4, 4);
    memcpy(&r[0].edx, HYPERCALL_SIGNATURE + 8, 4);
    r[1].eax = HYPERCALL_ABI_VERSION;
    r[1].ebx = hv_flags;
}

void cpuid_init(struct vm_cpuid *t, const struct vm_config *c, u32 id, u32 hv_flags)
{
    /* Leaves above the last one answer zeros, as on AMD. */
    /* Whole leaves that make sense to a guest here; cache, thermal, APIC and PMU leaves do not. */
    static const u32 kept = BIT(0) | BIT(1) | BIT(2) | BIT(7) | BIT(0xd);
    u32 i;

    t->max_basic = MIN(insn_cpuid(0, 0).eax, MAX_BASIC);
    for (i = 0; i <= t->max_basic; i++)
        if (kept >> i & 1)
            t->basic[i] = insn_cpuid(i, 0);
    t->basic[0].eax = t->max_basic;
    features(t, c, id);
    xsave_leaves(t);
    extended(t, c);
    hypervisor(t, c, hv_flags);
    for (i = 0; i < CPUID_BASIC_LEAVES; i++)
        if (i != LEAF_FEATURES && i != LEAF_EXTENDED7 && i != LEAF_XSAVE)
            t->fast[i] = &t->basic[i];
}

static struct cpuid_regs features_now(struct vcpu *v)
{
    struct cpuid_regs r = v->cpuid->basic[LEAF_FEATURES];

    if (backend->get(v, VREG_CR4) & CR4_OSXSAVE)
        r.ecx |= ECX_OSXSAVE;
    return r;
}

/* Bytes an XSAVE area needs for the components enabled in xcr0. */
static u32 xsave_size(const struct vm_cpuid *t, u64 xcr0)
{
    u32 i, size = 576; /* legacy area and header */

    for (i = 2; i < CPUID_D_SUBLEAVES; i++)
        if (xcr0 >> i & 1)
            size = MAX(size, t->xsave[i].ebx + t->xsave[i].eax);
    return size;
}

static struct cpuid_regs xsave_now(struct vcpu *v, u32 subleaf)
{
    const struct vm_cpuid *t = v->cpuid;
    struct cpuid_regs r = {0};

    if (subleaf >= CPUID_D_SUBLEAVES || !(t->basic[LEAF_FEATURES].ecx & ECX_XSAVE))
        return r;
    r = t->xsave[subleaf];
    if (subleaf == 0) {
        /* XCR0 is the guest's own on this CPU now: some emulators let XSETBV by unseen. */
        u64 xcr0 = backend->get(v, VREG_CR4) & CR4_OSXSAVE ? insn_xgetbv(0) : 1;

        r.ebx = xsave_size(t, xcr0);
        r.ecx = xsave_size(t, t->xsave[0].eax);
    } else if (subleaf == 1) {
        r.ebx = 0;
    }
    return r;
}

struct cpuid_regs cpuid_read(struct vcpu *v, u32 leaf, u32 subleaf)
{
    const struct vm_cpuid *t = v->cpuid;
    struct cpuid_regs none = {0};

    if (leaf == LEAF_FEATURES)
        return features_now(v);
    if (leaf == LEAF_XSAVE)
        return xsave_now(v, subleaf);
    if (leaf == LEAF_EXTENDED7)
        return subleaf ? none : t->basic[LEAF_EXTENDED7];
    if (leaf < CPUID_BASIC_LEAVES)
        return t->basic[leaf];
    if (leaf - EXTENDED < CPUID_EXTENDED_LEAVES)
        return t->extended[leaf - EXTENDED];
    if (t->hypervisor_leaves && leaf - HYPERCALL_CPUID_LEAF < ARRAY_SIZE(t->hypervisor))
        return t->hypervisor[leaf - HYPERCALL_CPUID_LEAF];
    return none;
}
