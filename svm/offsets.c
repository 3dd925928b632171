/* SPDX-License-Identifier: MIT */
/*
 * Offsets that enter.S uses. Compiled to assembly only; the build turns the marked lines into
 * svm/offsets.h.
 */
#include "svm/vcpu.h"

#define OFFSET(name, value) __asm__ volatile("\n->" #name " %c0" ::"i"(value))
#define OFFSET_REG(r)       OFFSET(SVM_##r, offsetof(struct svm_vcpu, base.regs) + 8 * GPR_##r)

void svm_offsets(void);

void svm_offsets(void)
{
    OFFSET_REG(RCX);
    OFFSET_REG(RDX);
    OFFSET_REG(RBX);
    OFFSET_REG(RBP);
    OFFSET_REG(RSI);
    OFFSET_REG(RDI);
    OFFSET_REG(R8);
    OFFSET_REG(R9);
    OFFSET_REG(R10);
    OFFSET_REG(R11);
    OFFSET_REG(R12);
    OFFSET_REG(R13);
    OFFSET_REG(R14);
    OFFSET_REG(R15);
    OFFSET(SVM_ENTERED, offsetof(struct svm_vcpu, entered));
    OFFSET(SVM_LEFT, offsetof(struct svm_vcpu, left));
}
