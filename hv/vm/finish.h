/* SPDX-License-Identifier: MIT */
/*
 * Results: the records the hypervisor itself contributes (tools/README.md names their fields).
 */
#ifndef HV_VM_FINISH_H
#define HV_VM_FINISH_H

#include "hv/host/boot_info.h"
#include "hv/vm/vm.h"

/* "host": the machine. Once, before any VM. */
void finish_host_record(const struct boot_info *bi);

/* "vm": a VM and its knobs. Once, before it starts. */
void finish_vm_record(const struct vm *vm);

/* A VM's last vCPU has stopped: "exits" per vCPU and kind, then "vm_end". When it was the last VM,
 * ends the scheduler. */
void finish_vm(struct vm *vm);

/* "account" for each CPU and "end". Called on CPU 0 when all CPUs have left sched_loop. False: some
 * CPU's accounts do not close within 0.1 %. */
bool finish_accounts(void);

#endif
