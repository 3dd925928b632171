/* SPDX-License-Identifier: MIT */
/*
 * The fast path: exits served between #VMEXIT and VMRUN with only the caller-saved registers
 * saved, GIF clear, the guest's FS, GS, TR and the rest of the VMLOAD state still on the CPU, no
 * MSR touched. Nothing here may fault or use a stack of the IDT. What needs more returns NULL.
 * Rare turns are taken by tail calls, so that the straight way needs no stack frame.
 */
#include "hv/abi/hypercall.h"
#include "hv/vm/exits.h"
#include "hv/vm/msr.h"
#include "svm/exitcode.h"
#include "svm/vcpu.h"

typedef struct vmcb *fast_handler(struct svm_vcpu *s);

/* Something waits before the next entry; the exit itself is done. */
static __attribute__((noinline)) struct vmcb *served_slow(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    b->rflags &= ~(u64)RFLAGS_RF; /* it lasts for one instruction */
    if (b->rflags & RFLAGS_TF) {
        b->dr6 |= DR6_BS;
        svm_dirty(s, CLEAN_DR);
        vcpu_inject_exception(&s->base, VECTOR_DB, false, 0);
    }
    s->served = true;
    return NULL;
}

/* The exit is done; stays on the fast path unless the guest debugs or something waits. */
static inline struct vmcb *served(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    b->int_shadow = 0;
    if (unlikely(b->rflags & (RFLAGS_TF | RFLAGS_RF) || s->base.request))
        return served_slow(s);
    return b;
}

/* No length on the fast path: finds it out and remembers it, then finishes the exit. */
static __attribute__((noinline)) struct vmcb *served_after_decode(struct svm_vcpu *s)
{
    u32 length = length_decode(s);

    if (!length)
        return NULL; /* the slow path meets the same and stops the VM */
    s->vmcb.rip += length;
    if (!(s->vmcb.efer & EFER_LMA) || !(s->vmcb.cs.attr & SEG_ATTR_L))
        s->vmcb.rip = (u32)s->vmcb.rip;
    return served(s);
}

/* Steps over the instruction when its length is at hand; if not, served_after_decode() is next. */
static inline bool step(struct svm_vcpu *s)
{
    const struct length_entry *e;
    struct vmcb *b = &s->vmcb;

    if (likely(s->use_nrip)) {
        b->rip = b->nrip;
        return true;
    }
    e = length_slot(&s->lengths, b->rip);
    if (unlikely(!length_verify(e, b)))
        return false;
    b->rip += e->length;
    return true;
}

static struct vmcb *fast_cpuid(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    const struct cpuid_regs *r = cpuid_fast(s->base.cpuid, (u32)b->rax);

    if (unlikely(!r))
        return NULL;
    b->rax = r->eax;
    s->base.regs[GPR_RBX] = r->ebx;
    s->base.regs[GPR_RCX] = r->ecx;
    s->base.regs[GPR_RDX] = r->edx;
    return step(s) ? served(s) : served_after_decode(s);
}

static __attribute__((noinline)) struct vmcb *fast_wrmsr(struct svm_vcpu *s)
{
    u64 value = s->base.regs[GPR_RDX] << 32 | (u32)s->vmcb.rax;

    /* The only one that is written often, and whose writing needs no VMLOAD state. A change of NXE
     * flushes the TLB, which is asked for between two calls of svm_enter() only. */
    if ((u32)s->base.regs[GPR_RCX] != MSR_EFER || (value ^ s->vmcb.efer) & EFER_NXE ||
        !msr_write(&s->base, MSR_EFER, value))
        return NULL;
    return step(s) ? served(s) : served_after_decode(s);
}

static struct vmcb *fast_msr(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    u64 value;

    if (b->exitinfo1)
        return fast_wrmsr(s);
    if (!msr_read_simple(&s->base, (u32)s->base.regs[GPR_RCX], &value))
        return NULL;
    b->rax = (u32)value;
    s->base.regs[GPR_RDX] = value >> 32;
    return step(s) ? served(s) : served_after_decode(s);
}

static struct vmcb *fast_hypercall(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;

    if (b->rax != HYPERCALL_NULL || b->cpl || !s->base.vm->config.hypercalls)
        return NULL;
    return step(s) ? served(s) : served_after_decode(s);
}

/* EXITINFO2 always holds the next RIP of a port access. */
static inline struct vmcb *served_port(struct svm_vcpu *s)
{
    s->vmcb.rip = s->vmcb.exitinfo2;
    return served(s);
}

static __attribute__((noinline)) struct vmcb *fast_port_other(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    u32 info = (u32)b->exitinfo1, size = (info & IOIO_SIZE) >> 4, value;

    if (info & IOIO_STR)
        return NULL;
    if (!(info & IOIO_IN)) {
        exit_pio_out(s->base.vm, (u16)(info >> 16), size, (u32)b->rax);
        return served_port(s);
    }
    value = exit_pio_in(s->base.vm, (u16)(info >> 16), size);
    if (size == 2)
        *(u16 *)&b->rax = (u16)value;
    else
        b->rax = value;
    return served_port(s);
}

/* Byte reads, the commonest, have the straight way. */
static struct vmcb *fast_port(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    u32 info = (u32)b->exitinfo1;

    if ((info & (IOIO_IN | IOIO_STR | IOIO_SIZE)) != (IOIO_IN | IOIO_BYTE))
        return fast_port_other(s);
    *(u8 *)&b->rax = (u8)exit_pio_in(s->base.vm, (u16)(info >> 16), 1);
    return served_port(s);
}

/* First touch of guest memory. A fault while an event was being delivered needs the event again. */
static __attribute__((noinline)) struct vmcb *fast_fill(struct svm_vcpu *s)
{
    struct vmcb *b = &s->vmcb;
    bool zeroed;

    if (unlikely(b->exitintinfo & EVENT_V || b->exitinfo1 & NPF_PRESENT ||
                 vm_memory_fill(s->base.vm, b->exitinfo2, &zeroed)))
        return NULL;
    s->base.exit_kind = zeroed ? EXIT_FILL_ZERO : EXIT_FILL;
    if (likely(!s->base.request))
        return b;
    s->served = true; /* the instruction is yet to be executed: no single-step trap */
    return NULL;
}

static struct vmcb *fast_none(struct svm_vcpu *s)
{
    (void)s;
    return NULL;
}

static fast_handler *const handlers[VMEXIT_CODES] = {
    [0 ... VMEXIT_CODES - 1] = fast_none,
    [VMEXIT_CPUID] = fast_cpuid,
    [VMEXIT_IOIO] = fast_port,
    [VMEXIT_MSR] = fast_msr,
    [VMEXIT_VMMCALL] = fast_hypercall,
};

struct vmcb *svm_fast(struct vmcb *vmcb)
{
    struct svm_vcpu *s = (struct svm_vcpu *)vmcb;
    u32 code = vmcb->exitcode;

    s->base.stats->exits++;
    if (likely(code < VMEXIT_CODES))
        return handlers[code](s);
    return code == VMEXIT_NPF ? fast_fill(s) : NULL;
}

/* Names the exits served here; a fill says more. */
static u8 kind_of(const struct svm_vcpu *s)
{
    const struct vmcb *b = &s->vmcb;

    switch (b->exitcode) {
    case VMEXIT_CPUID: return EXIT_CPUID;
    case VMEXIT_VMMCALL: return EXIT_HYPERCALL;
    case VMEXIT_MSR: return b->exitinfo1 ? EXIT_WRMSR : EXIT_RDMSR;
    case VMEXIT_IOIO:
        return exit_pio_kind(s->base.vm, (u16)(b->exitinfo1 >> 16), b->exitinfo1 & IOIO_IN);
    default: return EXIT_UNKNOWN;
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
    s->base.exit_kind = kind_of(s);
    again = svm_fast(vmcb);
    if (again || s->served)
        account_exit_is(a, (enum exit_kind)s->base.exit_kind);
    return again;
}
