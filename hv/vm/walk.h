/* SPDX-License-Identifier: MIT */
/*
 * Guest-virtual addresses: walking the guest's page tables as the processor does. Source: AMD64
 * APM volume 2, "Page Translation and Protection"; Intel SDM volume 3, "Paging".
 */
#ifndef HV_VM_WALK_H
#define HV_VM_WALK_H

#include "hv/vm/backend.h"

#define WALK_LEVELS 5

/* One finished walk. */
struct walk {
    gpa_t gpa;
    u64 rights;              /* PTE_RW and PTE_US where every entry has them */
    u32 levels;              /* entries read */
    u64 *entry[WALK_LEVELS]; /* where they are, in host memory; 64-bit formats only */
    u64 value[WALK_LEVELS];  /* what they held */
};

/*
 * Translates gva for an instruction fetch or a data read by the supervisor; permissions are not
 * checked again, since the processor has just used the translation. 0, or -HV_EFAULT when some
 * entry is not present or lies outside memory.
 */
int walk_gva(struct vcpu *v, gva_t gva, struct walk *w);

/*
 * Reads up to n bytes at linear address gva, across a page end when mapped. Returns the bytes read.
 */
u32 walk_read(struct vcpu *v, gva_t gva, void *dst, u32 n);

#endif
