/* SPDX-License-Identifier: MIT */
/*
 * Events into the guest. Source: AMD64 APM volume 2, "Event Injection" and "Virtual Interrupts".
 */
#include "hv/vm/walk.h"
#include "svm/vcpu.h"

#define OPCODE_HLT 0xf4

/*
 * One emulator's VMRUN does not load INTERRUPT_SHADOW. That an exit in a shadow, once resumed,
 * gets no interrupt an instruction early is therefore decided here, from the field, at injection.
 */
bool svm_interruptible(struct vcpu *v)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    return (b->rflags & RFLAGS_IF) && !(b->int_shadow & INT_SHADOW) && !(b->eventinj & EVENT_V);
}

void svm_inject(struct vcpu *v, const struct event *e)
{
    static const u64 types[] = {
        [EVENT_INTERRUPT] = EVENT_TYPE_INTR,
        [EVENT_NMI] = EVENT_TYPE_NMI,
        [EVENT_EXCEPTION] = EVENT_TYPE_EXCEPT,
        [EVENT_SOFT_INTERRUPT] = EVENT_TYPE_SOFT,
    };
    struct vmcb *b = &svm_of(v)->vmcb;

    b->eventinj = EVENT_V | types[e->type] | e->vector;
    if (e->has_error)
        b->eventinj |= EVENT_EV | (u64)e->error << 32;
    __atomic_fetch_or(&v->request, REQUEST_BACKEND,
                      __ATOMIC_ACQ_REL); /* eventinj is for one entry */
}

/*
 * The HLT of `sti; hlt` comes next. One emulator's VMRUN does not load the interrupt shadow: the
 * interrupt that HLT waits for would come before it, and the guest sleep for good.
 */
static bool halts_next(struct svm_vcpu *s)
{
    const struct vmcb *b = &s->vmcb;
    bool wide = b->efer & EFER_LMA && b->cs.attr & SEG_ATTR_L;
    u64 gva = wide ? b->rip : (u32)(b->cs.base + b->rip);
    u8 opcode;

    return b->int_shadow & INT_SHADOW && walk_read(&s->base, gva, &opcode, 1) == 1 &&
           opcode == OPCODE_HLT;
}

/*
 * A virtual interrupt that is never delivered: its intercept fires when the guest could take one.
 * While it is pending, CR8 writes exit, since one emulator cannot bear them then.
 */
void svm_window(struct vcpu *v, bool open)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = &s->vmcb;
    bool cr8 = open || v->vm->config.intercept & VM_INTERCEPT_CR8;

    if (s->window == open || (open && halts_next(s)))
        return; /* HLT exits, and asks again */
    s->window = open;
    if (open) {
        b->vint_ctl |= VINT_IRQ | VINT_PRIO_MAX | VINT_IGN_TPR;
        b->vint_vector = 0;
        b->intercept_misc1 |= INTERCEPT_VINTR;
    } else {
        b->vint_ctl &= ~(VINT_IRQ | VINT_PRIO_MAX | VINT_IGN_TPR);
        b->intercept_misc1 &= ~INTERCEPT_VINTR;
    }
    if (cr8)
        b->intercept_cr |= INTERCEPT_CR_WRITE(8);
    else
        b->intercept_cr &= ~INTERCEPT_CR_WRITE(8);
    svm_dirty(s, CLEAN_I | CLEAN_TPR);
}
