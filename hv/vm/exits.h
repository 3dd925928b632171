/* SPDX-License-Identifier: MIT */
/*
 * Handling of exits, vendor-blind. The backends resolve the commonest exits themselves with the
 * inline helpers of cpuid.h, msr.h and pio; all others come through exit_handle.
 */
#ifndef HV_VM_EXITS_H
#define HV_VM_EXITS_H

#include "hv/vm/backend.h"

enum exit_result {
    EXIT_RESUME,     /* enter again */
    EXIT_BLOCK,      /* wait for an interrupt */
    EXIT_YIELD,      /* let others run */
    EXIT_STOP_VCPU,  /* the VM has ended */
};

/* Handles e and names it in v->exit_kind. */
enum exit_result exit_handle(struct vcpu *v, struct exit *e);

/* Ends the VM with a full dump of the vCPU: registers, last trace records, hardware structure. */
void exit_fault(struct vcpu *v, const struct exit *e, const char *why);

/* Serves a port access of size 1, 2 or 4 bytes on the VM's devices; sets v->exit_kind. */
u32 exit_pio_in(struct vcpu *v, u16 port, u32 size);
void exit_pio_out(struct vcpu *v, u16 port, u32 size, u32 value);

#endif
