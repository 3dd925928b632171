/* SPDX-License-Identifier: MIT */
/*
 * A vCPU on AMD-V. The VMCB is its first page, so the physical address in RAX at VMRUN, which
 * #VMEXIT gives back, finds everything else: no pointer is loaded on the exit path.
 */
#ifndef SVM_VCPU_H
#define SVM_VCPU_H

#include "hv/vm/backend.h"
#include "svm/length.h"
#include "svm/vmcb.h"

struct svm_vcpu {
    struct vmcb vmcb;
    struct vcpu base;       /* enter.S saves general registers in base.regs */
    u64 entered;            /* measuring loop: TSC of the last entry's stamp */
    u64 left;               /* measuring loop: TSC of the last exit's stamp */
    bool use_nrip;          /* take the next RIP from the VMCB */
    bool served;            /* the fast path completed this exit; only a request is left */
    bool live;              /* VMLOAD state is on the CPU */
    bool window;            /* V_IRQ asks for an interrupt window */
    bool window_at_iret;    /* the window is asked for at the next IRET */
    bool virtual_interrupt; /* V_IRQ delivers an interrupt */
    u32 clean;              /* clean bits for the next entry */
    u32 asid_generation;
    struct cpu *asid_cpu;
    struct length_cache lengths;
};

static inline struct svm_vcpu *svm_of(struct vcpu *v)
{
    return container_of(v, struct svm_vcpu, base);
}

/* Forgets the clean bits in mask: their fields were written. The fast path enters with what the
 * VMCB holds. */
static inline void svm_dirty(struct svm_vcpu *s, u32 mask)
{
    s->clean &= ~mask;
    s->vmcb.clean &= ~mask;
}

/* Per CPU. */
struct svm_cpu {
    void *hsave;
    struct vmcb *host; /* the host's VMSAVE state */
    u32 asid_next;
    u32 asid_generation;
};

/*
 * enter.S: enters the guest and returns when an exit needs more than svm_fast() could do. GIF is 0
 * before and after, RFLAGS.IF is 1. The measured form calls svm_fast_measured() instead and stamps.
 */
void svm_enter(struct svm_vcpu *s);
void svm_enter_measured(struct svm_vcpu *s);

/* fast.c: serves an exit without leaving the entry loop. Returns vmcb to enter again, else NULL. */
struct vmcb *svm_fast(struct vmcb *vmcb);
struct vmcb *svm_fast_measured(struct vmcb *vmcb);

/* state.c: registers and segments, for struct backend. */
u64 svm_get(struct vcpu *v, enum vreg r);
void svm_set(struct vcpu *v, enum vreg r, u64 value);
void svm_get_segment(struct vcpu *v, enum vseg n, struct segment *out);
void svm_set_segment(struct vcpu *v, enum vseg n, const struct segment *in);
u8 svm_cpl(struct vcpu *v);
void svm_dump(struct vcpu *v);

/* event.c: injection and windows, for struct backend. */
bool svm_interruptible(struct vcpu *v);
void svm_inject(struct vcpu *v, const struct event *e);
void svm_window(struct vcpu *v, bool open);

/* After an exit: what was injected is spent, or goes back to the vCPU. */
void svm_event_clean_up(struct svm_vcpu *s);

/* Brings the VMLOAD state back into the VMCB, and the host's onto the CPU. */
void svm_host_state(struct svm_vcpu *s);

/* exit.c: fills in e from the VMCB after svm_fast() gave up. */
void svm_exit_decode(struct svm_vcpu *s, struct exit *e);

/*
 * Instructions of enter.S between #VMEXIT and the first stamp, and from the second stamp to VMRUN,
 * RDTSC and VMRUN included: what the stamps do not see.
 */
#define SVM_RESIDUE_IN  4
#define SVM_RESIDUE_OUT 6

#endif
