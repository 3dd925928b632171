/* SPDX-License-Identifier: MIT */
/*
 * Guest MSRs: which exist, what they hold, which may be reached without an exit.
 */
#ifndef HV_VM_MSR_H
#define HV_VM_MSR_H

#include "hv/vm/vm.h"
#include "hv/x86/msr.h"

/* Emulates RDMSR/WRMSR of index. False: the guest gets #GP(0). */
bool msr_read(struct vcpu *v, u32 index, u64 *value);
bool msr_write(struct vcpu *v, u32 index, u64 value);

/* Those of msr_read() that need no state of a backend: what the fast path may serve. */
static inline bool msr_read_simple(const struct vcpu *v, u32 index, u64 *value)
{
    switch (index) {
    case MSR_APIC_BASE:
        *value = 0xfee00000u | (v->id == 0 ? APIC_BASE_BSP : 0); /* disabled: none is offered */
        return true;
    case MSR_TSC: *value = insn_rdtsc(); return true;
    case MSR_BIOS_SIGN_ID:
    case MSR_MISC_ENABLE: *value = 0; return true;
    }
    return false;
}

/* The MSRs a guest may read and write directly where a backend saves them: the i-th, 0 at the end.
 */
u32 msr_passthrough(u32 i);

#endif
