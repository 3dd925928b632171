/* SPDX-License-Identifier: MIT */
/*
 * Guest MSRs: which exist, what they hold, which may be reached without an exit.
 */
#ifndef HV_VM_MSR_H
#define HV_VM_MSR_H

#include "hv/vm/vm.h"

/* Emulates RDMSR/WRMSR of index. False: the guest gets #GP(0). */
bool msr_read(struct vcpu *v, u32 index, u64 *value);
bool msr_write(struct vcpu *v, u32 index, u64 value);

/* The MSRs a guest may read and write directly where a backend saves them: the i-th, 0 at the end. */
u32 msr_passthrough(u32 i);

#endif
