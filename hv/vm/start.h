/* SPDX-License-Identifier: MIT */
/*
 * The state in which a vCPU begins.
 */
#ifndef HV_VM_START_H
#define HV_VM_START_H

#include "hv/vm/vm.h"

/* Registers a loader asks for; general registers in enum gpr order. */
struct start_state {
    enum vm_start mode;
    u64 regs[GPR_COUNT];
    u64 rip;
    u16 cs;  /* real mode: segment of RIP */
    u64 cr3; /* long mode: identity page tables in guest memory */
};

/* Sets all registers of v, which has just been created. */
void start_set(struct vcpu *v, const struct start_state *s);

/* Gives v the control registers, tables and segments of from; the rest as after RESET. */
void start_like(struct vcpu *v, struct vcpu *from, u64 rip, u64 rsp);

#endif
