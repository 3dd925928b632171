/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor tells people about a vCPU in trouble.
 */
#ifndef HV_VM_DUMP_H
#define HV_VM_DUMP_H

#include "hv/vm/vm.h"

/* Logs registers, code bytes at RIP, the last trace records and the backend's own structure. */
void dump_vcpu(struct vcpu *v);

/* For panic: what this CPU was doing, and its last trace records. */
void dump_panic(void);

#endif
