/* SPDX-License-Identifier: MIT */
/*
 * The world switch, as far as no backend's hardware does it: x87, SSE and XSAVE state with XCR0,
 * debug registers 0 to 3, TSC_AUX. The guest's stay on the CPU until another vCPU needs it; the
 * host uses none of them.
 */
#ifndef HV_VM_SWITCH_H
#define HV_VM_SWITCH_H

#include "hv/vm/vm.h"

/* Lets the calling CPU use the instructions needed here. Before its first vCPU. */
void switch_init_cpu(void);

/* Gives v the state after RESET. 0 or -HV_ENOMEM. */
int switch_create(struct vcpu *v, u32 node);
void switch_destroy(struct vcpu *v);

/* From v to the CPU, and back. Interrupts off. */
void switch_load(struct vcpu *v);
void switch_save(struct vcpu *v);

#endif
