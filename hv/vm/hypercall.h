/* SPDX-License-Identifier: MIT */
/*
 * Serving hypercalls.
 */
#ifndef HV_VM_HYPERCALL_H
#define HV_VM_HYPERCALL_H

#include "hv/vm/vm.h"

/* Does what hv/abi/hypercall.h says for number; the result goes to the guest's RAX. */
s64 hypercall_call(struct vcpu *v, u64 number, const u64 args[3]);

#endif
