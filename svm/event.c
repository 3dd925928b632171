/* SPDX-License-Identifier: MIT */
/*
 * Events into the guest. Source: AMD64 APM volume 2, "Event Injection" and "Virtual Interrupts".
 */
#include "hv/emu/insn.h"
#include "hv/vm/walk.h"
#include "svm/caps.h"
#include "svm/vcpu.h"

/*
 * One emulator's VMRUN does not load INTERRUPT_SHADOW. That an exit in a shadow, once resumed,
 * gets no interrupt an instruction early is therefore decided here, from the field, at injection.
 */
bool svm_interruptible(struct vcpu *v)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    return (b->rflags & RFLAGS_IF) && !(b->int_shadow & INT_SHADOW) && !(b->eventinj & EVENT_V);
}

/* A virtual interrupt without its intercept: delivered as soon as the guest can take it. */
static void set_virtual_interrupt(struct svm_vcpu *s, u8 vector)
{
    s->vmcb.vint_ctl |= VINT_IRQ | VINT_PRIO_MAX | VINT_IGN_TPR;
    s->vmcb.vint_vector = vector;
    svm_dirty(s, CLEAN_TPR);
}

static void clear_virtual_interrupt(struct svm_vcpu *s)
{
    s->vmcb.vint_ctl &= ~(VINT_IRQ | VINT_PRIO_MAX | VINT_IGN_TPR);
    svm_dirty(s, CLEAN_TPR);
}

/*
 * QEMU's TCG may deliver an interrupt injected by EVENTINJ a second time, later and whatever IF
 * is, unless another event or #VMEXIT comes first. There, interrupts go in as virtual ones.
 */
void svm_inject(struct vcpu *v, const struct event *e)
{
    static const u64 types[] = {
        [EVENT_INTERRUPT] = EVENT_TYPE_INTR,
        [EVENT_NMI] = EVENT_TYPE_NMI,
        [EVENT_EXCEPTION] = EVENT_TYPE_EXCEPT,
        [EVENT_SOFT_INTERRUPT] = EVENT_TYPE_SOFT,
    };
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = &s->vmcb;

    if (e->type == EVENT_INTERRUPT && svm_caps.repeats_interrupts) {
        svm_window(v, false);
        set_virtual_interrupt(s, e->vector);
        s->virtual_interrupt = true;
    } else {
        b->eventinj = EVENT_V | types[e->type] | e->vector;
        if (e->has_error)
            b->eventinj |= EVENT_EV | (u64)e->error << 32;
    }
    /* Either is for one entry. */
    __atomic_fetch_or(&v->request, REQUEST_BACKEND, __ATOMIC_ACQ_REL);
}

void svm_event_clean_up(struct svm_vcpu *s)
{
    s->vmcb.eventinj = 0;
    if (!s->virtual_interrupt)
        return;
    s->virtual_interrupt = false;
    if (s->vmcb.vint_ctl & VINT_IRQ) { /* a physical interrupt came first */
        s->base.event = (struct event){.type = EVENT_INTERRUPT, .vector = (u8)s->vmcb.vint_vector};
        __atomic_fetch_or(&s->base.request, REQUEST_EVENT, __ATOMIC_ACQ_REL);
    }
    clear_virtual_interrupt(s);
}

/*
 * The HLT of `sti; hlt` comes next. One emulator's VMRUN does not load the interrupt shadow: the
 * interrupt that HLT waits for would come before it, and the guest sleep for good.
 */
static bool halts_next(struct svm_vcpu *s)
{
    u8 opcode;

    return s->vmcb.int_shadow & INT_SHADOW &&
           walk_read(&s->base, length_linear_rip(&s->vmcb), &opcode, 1) == 1 && opcode == INSN_HLT;
}

/*
 * A virtual interrupt that is never delivered: its intercept fires when the guest could take one.
 * While it is pending, CR8 writes exit, since one emulator cannot bear them then. While a virtual
 * interrupt is on its way, the end of its handler is the next chance instead.
 */
void svm_window(struct vcpu *v, bool open)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = &s->vmcb;
    bool at_iret = open && s->virtual_interrupt;

    open = open && !at_iret && !halts_next(s); /* HLT exits, and asks again */
    if (s->window == open && s->window_at_iret == at_iret)
        return;
    s->window = open;
    s->window_at_iret = at_iret;
    b->intercept_misc1 &= ~(INTERCEPT_VINTR | INTERCEPT_IRET);
    b->intercept_cr &= ~INTERCEPT_CR_WRITE(8);
    if (at_iret)
        b->intercept_misc1 |= INTERCEPT_IRET;
    if (open) {
        set_virtual_interrupt(s, 0);
        b->intercept_misc1 |= INTERCEPT_VINTR;
    } else if (!at_iret) {
        clear_virtual_interrupt(s);
    }
    if (open || v->vm->config.intercept & VM_INTERCEPT_CR8)
        b->intercept_cr |= INTERCEPT_CR_WRITE(8);
    svm_dirty(s, CLEAN_I);
}
