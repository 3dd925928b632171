/* SPDX-License-Identifier: MIT */
/*
 * Handling of exits, vendor-blind. The backends resolve the commonest exits themselves with the
 * inline helpers of cpuid.h, msr.h and pio; all others come through exit_handle.
 */
#ifndef HV_VM_EXITS_H
#define HV_VM_EXITS_H

#include "hv/vm/backend.h"

enum exit_result {
    EXIT_RESUME,    /* enter again */
    EXIT_BLOCK,     /* wait for an interrupt */
    EXIT_YIELD,     /* let others run */
    EXIT_STOP_VCPU, /* the VM has ended */
};

/* Handles e and names it in v->exit_kind. */
enum exit_result exit_handle(struct vcpu *v, struct exit *e);

/* Ends the VM with a full dump of the vCPU: registers, last trace records, hardware structure. */
void exit_fault(struct vcpu *v, const struct exit *e, const char *why);

/* Port accesses of size 1, 2 or 4 bytes on the VM's devices. */
static inline u32 exit_pio_in(struct vm *vm, u16 port, u32 size)
{
    u32 value;

    vm_lock_devices(vm);
    value = pio_read(&vm->platform.bus, port, size);
    vm_unlock_devices(vm);
    return value;
}

static inline void exit_pio_out(struct vm *vm, u16 port, u32 size, u32 value)
{
    vm_lock_devices(vm);
    pio_write(&vm->platform.bus, port, size, value);
    vm_unlock_devices(vm);
}

/* The kind of exit that an access to port is. */
static inline u8 exit_pio_kind(const struct vm *vm, u16 port, bool in)
{
    if (!pio_present(&vm->platform.bus, port))
        return EXIT_PIO_ABSENT;
    return in ? EXIT_PIO_IN : EXIT_PIO_OUT;
}

#endif
