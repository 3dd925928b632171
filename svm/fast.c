/* SPDX-License-Identifier: MIT */
/*
 * The fast path: exits served between #VMEXIT and VMRUN with only the caller-saved registers
 * saved, GIF clear, the guest's FS, GS, TR and the rest of the VMLOAD state still on the CPU, no
 * MSR touched. Nothing here may fault or use a stack of the IDT. What needs more returns NULL.
 */
#include "hv/abi/hypercall.h"
#include "hv/vm/exits.h"
#include "hv/vm/msr.h"
#include "svm/exitcode.h"
#include "svm/vcpu.h"

/* Compares all that a remembered length rests on; see svm/length.h. */
static inline u32 verified_length(struct svm_vcpu *s)
{
    const struct vmcb *b = &s->vmcb;
    const struct length_entry *e = length_slot(&s->lengths, b->rip);

    if (unlikely(e->rip != b->rip || e->cr3 != b->cr3 || e->cs != length_cs(b) ||
                 !(b->cr0 & CR0_PG) || *e->pte[0] != e->pte_value[0] ||
                 *e->pte[1] != e->pte_value[1] || *e->pte[2] != e->pte_value[2] ||
                 *e->pte[3] != e->pte_value[3] || (*e->code & e->mask) != e->bytes))
        return length_decode(s);
    return e->length;
}

/* Steps over the instruction. False: its length is not to be had. */
static inline bool step(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    if (likely(s->use_nrip)) {
        b->rip = b->nrip;
    } else {
        u32 length = verified_length(s);

        if (unlikely(!length))
            return false;
        b->rip += length;
        if (unlikely(!(b->cs.attr & SEG_ATTR_L)))
            b->rip = (u32)b->rip;
    }
    b->int_shadow = 0;
    return true;
}

/* The exit is served; stays on the fast path unless something waits. */
static inline struct vmcb *served(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    if (unlikely(b->rflags & RFLAGS_TF)) {
        b->dr6 |= DR6_BS;
        svm_dirty(s, CLEAN_DR);
        vcpu_inject_exception(&s->base, VECTOR_DB, false, 0);
    }
    if (likely(!s->base.request))
        return b;
    s->served = true;
    return NULL;
}

static inline struct vmcb *fast_cpuid(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    const struct cpuid_regs *r = cpuid_fast(s->base.cpuid, (u32)b->rax);

    if (unlikely(!r || !step(s)))
        return NULL;
    b->rax = r->eax;
    s->base.regs[GPR_RBX] = r->ebx;
    s->base.regs[GPR_RCX] = r->ecx;
    s->base.regs[GPR_RDX] = r->edx;
    return served(s);
}

static inline struct vmcb *fast_msr(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    u64 value;

    if (b->exitinfo1) { /* WRMSR */
        s->base.exit_kind = EXIT_WRMSR;
        return NULL;
    }
    s->base.exit_kind = EXIT_RDMSR;
    if (unlikely(!msr_read(&s->base, (u32)s->base.regs[GPR_RCX], &value) || !step(s)))
        return NULL;
    b->rax = (u32)value;
    s->base.regs[GPR_RDX] = value >> 32;
    return served(s);
}

static inline struct vmcb *fast_hypercall(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    if (b->rax != HYPERCALL_NULL || b->cpl || !s->base.vm->config.hypercalls || !step(s))
        return NULL;
    b->rax = 0;
    return served(s);
}

/* EXITINFO2 always holds the next RIP of a port access. */
static inline struct vmcb *fast_port(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    u32 info = (u32)b->exitinfo1, size = (info & IOIO_SIZE) >> 4;
    u16 port = (u16)(info >> 16);

    if (unlikely(info & IOIO_STR))
        return NULL;
    if (info & IOIO_IN) {
        u32 value = exit_pio_in(&s->base, port, size);

        if (size == 1)
            b->rax = (b->rax & ~0xffull) | (value & 0xff);
        else if (size == 2)
            b->rax = (b->rax & ~0xffffull) | (value & 0xffff);
        else
            b->rax = value;
    } else {
        exit_pio_out(&s->base, port, size, (u32)b->rax);
    }
    b->rip = b->exitinfo2;
    b->int_shadow = 0;
    return served(s);
}

struct vmcb *svm_fast(struct vmcb *vmcb)
{
    struct svm_vcpu *s = (struct svm_vcpu *)vmcb;

    s->base.stats->exits++;
    switch ((u32)vmcb->exitcode) {
    case VMEXIT_CPUID: return fast_cpuid(s);
    case VMEXIT_IOIO: return fast_port(s);
    case VMEXIT_MSR: return fast_msr(s);
    case VMEXIT_VMMCALL: return fast_hypercall(s);
    }
    return NULL;
}

/* Names the exits svm_fast() serves; fast_port and fast_msr say more. */
static void name_exit(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    switch ((u32)b->exitcode) {
    case VMEXIT_CPUID: s->base.exit_kind = EXIT_CPUID; break;
    case VMEXIT_VMMCALL: s->base.exit_kind = EXIT_HYPERCALL; break;
    case VMEXIT_IOIO:
        s->base.exit_kind = b->exitinfo1 & IOIO_IN ? EXIT_PIO_IN : EXIT_PIO_OUT;
        break;
    default: s->base.exit_kind = EXIT_UNKNOWN;
    }
}

struct vmcb *svm_fast_measured(struct vmcb *vmcb)
{
    struct svm_vcpu *s = (struct svm_vcpu *)vmcb;
    struct account *a = s->base.account;
    struct vmcb *again;

    account_exit(a, s->entered, s->left);
    a->record.rip = vmcb->rip;
    a->record.info = vmcb->exitinfo1;
    name_exit(s);
    again = svm_fast(vmcb);
    if (again || s->served)
        account_exit_is(a, (enum exit_kind)s->base.exit_kind);
    return again;
}
