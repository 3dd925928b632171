/* SPDX-License-Identifier: MIT */
/*
 * Setting up a VM's permission maps and a vCPU's VMCB.
 */
#ifndef SVM_SETUP_H
#define SVM_SETUP_H

#include "hv/vm/msr.h"
#include "svm/vcpu.h"

#define SVM_IOPM_SIZE  (3 * PAGE_SIZE)
#define SVM_MSRPM_SIZE (2 * PAGE_SIZE)

/* Permission maps, one set per VM: every bit set means an exit. */
struct svm_vm {
    u8 *iopm;
    u8 *msrpm;
};

void svm_setup_maps(struct svm_vm *maps, const struct vm_config *c);

/* Everything in a fresh VMCB; s->base.vm is set. */
void svm_setup(struct svm_vcpu *s, const struct svm_vm *maps);

#endif
