/* SPDX-License-Identifier: MIT */
/*
 * Stands in for hv/x86/insn.h (it takes its include guard): CPUID, the TSC, MSRs and XCR0 are
 * tables that a test fills in. Include it before the unit.
 */
#ifndef TESTS_UNIT_FAKE_INSN_H
#define TESTS_UNIT_FAKE_INSN_H
#define HV_X86_INSN_H

#include "hv/lib/types.h"

struct cpuid_regs {
    u32 eax;
    u32 ebx;
    u32 ecx;
    u32 edx;
};

/* The processor: leaves not listed answer zeros. */
struct fake_leaf {
    u32 leaf, subleaf;
    struct cpuid_regs r;
};

static struct fake_leaf fake_leaves[64];
static u32 fake_leaf_count;
static u64 fake_tsc;
static u64 fake_tsc_step; /* added by each RDTSC */
static u64 fake_xcr0 = 1;
static u32 fake_xsetbvs;
static u32 fake_wrmsr_index;
static u64 fake_wrmsr_value;
static u32 fake_wrmsrs;

static inline struct cpuid_regs *fake_cpuid(u32 leaf, u32 subleaf)
{
    u32 i;

    for (i = 0; i < fake_leaf_count; i++)
        if (fake_leaves[i].leaf == leaf && fake_leaves[i].subleaf == subleaf)
            return &fake_leaves[i].r;
    fake_leaves[fake_leaf_count].leaf = leaf;
    fake_leaves[fake_leaf_count].subleaf = subleaf;
    return &fake_leaves[fake_leaf_count++].r;
}

static inline void fake_insn_reset(void)
{
    __builtin_memset(fake_leaves, 0, sizeof(fake_leaves));
    fake_leaf_count = 0;
    fake_tsc = fake_tsc_step = 0;
    fake_xcr0 = 1;
    fake_xsetbvs = fake_wrmsrs = fake_wrmsr_index = 0;
    fake_wrmsr_value = 0;
}

static inline struct cpuid_regs insn_cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid_regs none = {0};
    u32 i;

    for (i = 0; i < fake_leaf_count; i++)
        if (fake_leaves[i].leaf == leaf && fake_leaves[i].subleaf == subleaf)
            return fake_leaves[i].r;
    return none;
}

static inline u64 insn_rdtsc(void)
{
    fake_tsc += fake_tsc_step;
    return fake_tsc;
}

static inline u64 insn_xgetbv(u32 index)
{
    return index ? 0 : fake_xcr0;
}

static inline void insn_xsetbv(u32 index, u64 value)
{
    (void)index;
    fake_xcr0 = value;
    fake_xsetbvs++;
}

static inline void insn_wrmsr(u32 msr, u64 value)
{
    fake_wrmsr_index = msr;
    fake_wrmsr_value = value;
    fake_wrmsrs++;
}

static inline void insn_zero_page(void *page)
{
    __builtin_memset(page, 0, PAGE_SIZE);
}

static inline u64 insn_read_rflags(void)
{
    return 0;
}

static inline void insn_cli(void)
{
}

static inline void insn_sti(void)
{
}

static inline void insn_pause(void)
{
}

#endif
