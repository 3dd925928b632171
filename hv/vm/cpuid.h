/* SPDX-License-Identifier: MIT */
/*
 * What a guest's CPUID shows. Tables are made once per vCPU; the few leaves that depend on the
 * sub-leaf or on changing state are filled in at the exit. No CPUID is executed in a handler.
 */
#ifndef HV_VM_CPUID_H
#define HV_VM_CPUID_H

#include "hv/x86/insn.h"

struct vcpu;

#define CPUID_BASIC_LEAVES    32
#define CPUID_EXTENDED_LEAVES 33
#define CPUID_D_SUBLEAVES     10 /* of leaf 0xD: XSAVE components 0 to 9 */
#define CPUID_7_SUBLEAVES     1

struct vm_cpuid {
    /* Basic leaves that do not depend on sub-leaf or state; NULL: ask cpuid_read. */
    const struct cpuid_regs *fast[CPUID_BASIC_LEAVES];
    u32 max_basic;
    u32 max_extended;
    struct cpuid_regs basic[CPUID_BASIC_LEAVES];
    struct cpuid_regs extended[CPUID_EXTENDED_LEAVES];
    struct cpuid_regs hypervisor[2];
    struct cpuid_regs xsave[CPUID_D_SUBLEAVES];
    bool hypervisor_leaves;
};

/* Fills *t for vCPU id of a VM with nr_vcpus; host leaves are read here and nowhere else. */
struct vm_config;
void cpuid_init(struct vm_cpuid *t, const struct vm_config *c, u32 id, u32 hv_flags);

/* Any leaf; OSXSAVE, XSAVE sizes and other state come from v. */
struct cpuid_regs cpuid_read(struct vcpu *v, u32 leaf, u32 subleaf);

/* A leaf that cannot change: NULL when cpuid_read must be asked. */
static inline const struct cpuid_regs *cpuid_fast(const struct vm_cpuid *t, u32 leaf)
{
    return likely(leaf < CPUID_BASIC_LEAVES) ? t->fast[leaf] : NULL;
}

#endif
