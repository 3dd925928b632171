/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls of hv/abi/hypercall.h.
 */
#include "hv/vm/hypercall.h"

#include "hv/abi/hypercall.h"
#include "hv/lib/err.h"
#include "hv/lib/string.h"
#include "hv/vm/sched.h"
#include "hv/vm/start.h"

static s64 place_stats(struct vcpu *v, gpa_t gpa)
{
    void *page;

    if (gpa & (PAGE_SIZE - 1))
        return -HV_EINVAL;
    page = vm_memory_at(v->vm, gpa);
    if (!page)
        return -HV_EFAULT;
    memcpy(page, v->stats, sizeof(*v->stats));
    v->stats = page;
    if (v->account)
        v->account->stats = page;
    return 0;
}

static s64 start_vcpu(struct vcpu *v, u64 id, u64 rip, u64 rsp)
{
    enum vcpu_state wait = VCPU_WAIT_START;
    struct vcpu *target;

    if (id >= v->vm->nr_vcpus)
        return -HV_EINVAL;
    target = v->vm->vcpus[id];
    /* Several vCPUs may ask at once: the one that claims the target starts it. */
    if (!__atomic_compare_exchange_n(&target->state, &wait, VCPU_STARTING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return -HV_EBUSY;
    start_like(target, v, rip, rsp);
    __atomic_add_fetch(&v->vm->running_vcpus, 1, __ATOMIC_ACQ_REL);
    sched_start(target);
    return 0;
}

static s64 ask_irq(struct vcpu *v, u64 vector)
{
    if (vector < 32 || vector > 255)
        return -HV_EINVAL;
    v->hypercall_irqs[vector / 64] |= BIT64(vector % 64);
    vcpu_request(v, REQUEST_INTR);
    return 0;
}

s64 hypercall_call(struct vcpu *v, u64 number, const u64 args[3])
{
    bool was;

    switch (number) {
    case HYPERCALL_NULL: return 0;
    case HYPERCALL_VM_ID: return (s64)((u64)v->vm->id << 32 | v->id);
    case HYPERCALL_STATS: return place_stats(v, args[0]);
    case HYPERCALL_VCPU_START: return start_vcpu(v, args[0], args[1], args[2]);
    case HYPERCALL_ZERO_INLINE:
        was = v->vm->memory.zero_inline;
        v->vm->memory.zero_inline = args[0] != 0;
        return was;
    case HYPERCALL_DRAIN: vm_drain(); return 0;
    case HYPERCALL_POWEROFF: vm_stop(v->vm, VM_END_POWEROFF, 0, "guest asked for it"); return 0;
    case HYPERCALL_IRQ: return ask_irq(v, args[0]);
    default: return -HV_ENOSYS;
    }
}
