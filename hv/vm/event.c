/* SPDX-License-Identifier: MIT */
/*
 * Requests to vCPUs, exceptions and interrupts on their way into a guest.
 */
#include "hv/host/smp.h"
#include "hv/vm/backend.h"

void vcpu_request(struct vcpu *v, u32 bits)
{
    __atomic_fetch_or(&v->request, bits, __ATOMIC_ACQ_REL);
    if (v->home != cpu_this() && __atomic_load_n(&v->state, __ATOMIC_ACQUIRE) == VCPU_RUNNING)
        smp_kick(v->home);
}

/* AMD64 APM volume 2, "#DF (Double-Fault Exception)", table of contributory combinations. */
static bool is_contributory(u8 vector)
{
    return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

static bool makes_double_fault(u8 first, u8 second)
{
    if (first == VECTOR_PF)
        return second == VECTOR_PF || is_contributory(second);
    return is_contributory(first) && is_contributory(second);
}

void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
    const struct event *old = &v->event;

    if (old->type == EVENT_EXCEPTION) {
        if (old->vector == VECTOR_DF && (vector == VECTOR_PF || is_contributory(vector))) {
            vm_stop(v->vm, VM_END_TRIPLE_FAULT, 0, "exception %u while delivering #DF", vector);
            return;
        }
        if (makes_double_fault(old->vector, vector)) {
            vector = VECTOR_DF;
            has_error = true;
            error = 0;
        }
    }
    if (old->type == EVENT_INTERRUPT) /* its delivery raised the exception; it is taken later */
        v->hypercall_irqs[old->vector / 64] |= BIT64(old->vector % 64);
    if (!(backend->get(v, VREG_CR0) & CR0_PE))
        has_error = false; /* real mode pushes none */
    v->event = (struct event){
        .type = EVENT_EXCEPTION, .vector = vector, .has_error = has_error, .error = error};
    vcpu_request(v, REQUEST_EVENT);
    vcpu_note_event(v);
}

bool vcpu_interrupt_pending(const struct vcpu *v)
{
    const u64 *irqs = v->hypercall_irqs;

    return (v->id == 0 && v->vm->intr_pending) || irqs[0] | irqs[1] | irqs[2] | irqs[3];
}

int vcpu_interrupt_acknowledge(struct vcpu *v)
{
    int i, vector = -1;

    for (i = 3; i >= 0; i--)
        if (v->hypercall_irqs[i]) {
            vector = i * 64 + 63 - __builtin_clzll(v->hypercall_irqs[i]);
            v->hypercall_irqs[i] &= ~BIT64(vector & 63);
            return vector;
        }
    vm_lock_devices(v->vm);
    vector = pic_acknowledge(&v->vm->platform.pic);
    vm_unlock_devices(v->vm);
    return vector;
}
