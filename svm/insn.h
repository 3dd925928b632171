/* SPDX-License-Identifier: MIT */
/*
 * The SVM instructions the host executes, VMRUN excepted (enter.S). Each takes the physical
 * address of a VMCB in RAX. Source: AMD64 APM volume 3, "System Instruction Reference".
 */
#ifndef SVM_INSN_H
#define SVM_INSN_H

#include "hv/lib/types.h"

/* FS, GS, TR, LDTR with their hidden parts; KernelGSBase, STAR, LSTAR, CSTAR, SFMASK, SYSENTER_*.
 */
static inline void svm_vmload(hpa_t vmcb)
{
    __asm__ volatile("vmload %%rax" ::"a"(vmcb) : "memory");
}

static inline void svm_vmsave(hpa_t vmcb)
{
    __asm__ volatile("vmsave %%rax" ::"a"(vmcb) : "memory");
}

static inline void svm_clgi(void)
{
    __asm__ volatile("clgi" ::: "memory");
}

static inline void svm_stgi(void)
{
    __asm__ volatile("stgi" ::: "memory");
}

#endif
