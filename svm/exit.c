/* SPDX-License-Identifier: MIT */
/*
 * From exit codes to vendor-blind exits.
 */
#include "hv/x86/regs.h"
#include "svm/exitcode.h"
#include "svm/vcpu.h"

/* Codes with a kind of their own; all absent ones are EXIT_UNKNOWN. */
static const u8 kinds[VMEXIT_CODES] = {
    [0 ... VMEXIT_CODES - 1] = EXIT_UNKNOWN,
    [VMEXIT_CR0_READ... VMEXIT_CR15_READ] = EXIT_CR_READ,
    [VMEXIT_CR0_WRITE... VMEXIT_CR15_WRITE] = EXIT_CR_WRITE,
    [VMEXIT_DR0_READ... VMEXIT_DR15_WRITE] = EXIT_DR,
    [VMEXIT_EXCP0... VMEXIT_EXCP31] = EXIT_EXCEPTION,
    [VMEXIT_INTR] = EXIT_INTERRUPT,
    [VMEXIT_NMI] = EXIT_NMI,
    /* Taken by the host like an interrupt, as soon as GIF is set again. */
    [VMEXIT_SMI] = EXIT_INTERRUPT,
    [VMEXIT_INIT] = EXIT_INTERRUPT,
    [VMEXIT_VINTR] = EXIT_WINDOW,
    [VMEXIT_RDTSC] = EXIT_RDTSC,
    [VMEXIT_RDPMC] = EXIT_RDPMC,
    [VMEXIT_CPUID] = EXIT_CPUID,
    [VMEXIT_RSM] = EXIT_VIRT_INSN, /* outside SMM it raises #UD */
    [VMEXIT_IRET] = EXIT_WINDOW,
    [VMEXIT_INVD] = EXIT_WBINVD,
    [VMEXIT_PAUSE] = EXIT_PAUSE,
    [VMEXIT_HLT] = EXIT_HLT,
    [VMEXIT_INVLPG] = EXIT_INVLPG,
    [VMEXIT_INVLPGA] = EXIT_VIRT_INSN,
    [VMEXIT_TASK_SWITCH] = EXIT_TASK_SWITCH,
    [VMEXIT_SHUTDOWN] = EXIT_SHUTDOWN,
    [VMEXIT_VMRUN] = EXIT_VIRT_INSN,
    [VMEXIT_VMMCALL] = EXIT_HYPERCALL,
    [VMEXIT_VMLOAD] = EXIT_VIRT_INSN,
    [VMEXIT_VMSAVE] = EXIT_VIRT_INSN,
    [VMEXIT_STGI] = EXIT_VIRT_INSN,
    [VMEXIT_CLGI] = EXIT_VIRT_INSN,
    [VMEXIT_SKINIT] = EXIT_VIRT_INSN,
    [VMEXIT_ICEBP] = EXIT_EXCEPTION,
    [VMEXIT_WBINVD] = EXIT_WBINVD,
    [VMEXIT_MONITOR] = EXIT_VIRT_INSN,
    [VMEXIT_MWAIT] = EXIT_VIRT_INSN,
    [VMEXIT_MWAIT_ARMED] = EXIT_VIRT_INSN,
    [VMEXIT_XSETBV] = EXIT_XSETBV,
    [VMEXIT_RDPRU] = EXIT_VIRT_INSN,
};

/* An event whose delivery the exit interrupted must be delivered again. Some emulators leave the
 * field nonzero with V clear; V decides. */
static void repeat_event(struct svm_vcpu *s)
{
    u64 info = s->vmcb.exitintinfo;
    struct event *e = &s->base.event;
    u8 vector = (u8)(info & EVENT_VECTOR);

    if (!(info & EVENT_V))
        return;
    /* INT n, INT3, INTO: RIP is still at the instruction, which then runs again. */
    if ((info & EVENT_TYPE_MASK) == EVENT_TYPE_SOFT ||
        ((info & EVENT_TYPE_MASK) == EVENT_TYPE_EXCEPT &&
         (vector == VECTOR_BP || vector == VECTOR_OF)))
        return;
    e->vector = vector;
    e->has_error = info & EVENT_EV;
    e->error = (u32)(info >> 32);
    switch (info & EVENT_TYPE_MASK) {
    case EVENT_TYPE_INTR: e->type = EVENT_INTERRUPT; break;
    case EVENT_TYPE_NMI: e->type = EVENT_NMI; break;
    default:
        /* One emulator calls the delivery of a virtual interrupt an exception. */
        e->type = vector < 32 ? EVENT_EXCEPTION : EVENT_INTERRUPT;
        break;
    }
    __atomic_fetch_or(&s->base.request, REQUEST_EVENT, __ATOMIC_ACQ_REL);
}

static void decode_port(struct exit *e, const struct vmcb *b)
{
    u32 info = (u32)b->exitinfo1;

    e->pio.port = (u16)(info >> 16);
    e->pio.size = (info & IOIO_SIZE) >> 4;
    e->pio.in = info & IOIO_IN;
    e->pio.string = info & IOIO_STR;
    e->kind = e->pio.in ? EXIT_PIO_IN : EXIT_PIO_OUT;
    e->length = (u8)(b->exitinfo2 - b->rip);
    if (e->pio.string) {
        e->kind = EXIT_PIO_STRING;
        e->length = 0;
    }
}

static void decode_fault(struct exit *e, const struct vmcb *b)
{
    e->kind = EXIT_MMIO;
    e->fault.gpa = b->exitinfo2;
    e->fault.write = b->exitinfo1 & NPF_WRITE;
    e->fault.fetch = b->exitinfo1 & NPF_FETCH;
    e->fault.present = b->exitinfo1 & NPF_PRESENT;
    e->fault.table = b->exitinfo1 & NPF_TABLE;
}

/* INT1 pushes the address after itself, and the exit stands before it. */
static void decode_icebp(struct svm_vcpu *s, struct exit *e)
{
    u32 length = e->length ? e->length : length_decode(s);

    s->vmcb.rip += length;
    e->exception.vector = VECTOR_DB;
    e->exception.has_error = false;
}

static void decode_details(struct svm_vcpu *s, struct exit *e, u32 code)
{
    const struct vmcb *b = &s->vmcb;

    switch (e->kind) {
    case EXIT_EXCEPTION:
        if (code == VMEXIT_ICEBP) {
            decode_icebp(s, e);
            break;
        }
        e->exception.vector = (u8)(code - VMEXIT_EXCP0);
        e->exception.has_error = VECTORS_WITH_ERROR_CODE >> e->exception.vector & 1;
        e->exception.error = (u32)b->exitinfo1;
        e->exception.address = b->exitinfo2;
        break;
    case EXIT_CR_READ:
    case EXIT_CR_WRITE: e->cr.number = code & 0xf; break;
    }
}

void svm_exit_decode(struct svm_vcpu *s, struct exit *e)
{
    const struct vmcb *b = &s->vmcb;
    u32 code = b->exitcode;

    e->code = b->exitcode;
    e->info1 = b->exitinfo1;
    e->info2 = b->exitinfo2;
    e->length =
        s->use_nrip && b->nrip > b->rip && b->nrip - b->rip <= 15 ? (u8)(b->nrip - b->rip) : 0;
    repeat_event(s);
    if (code == VMEXIT_NPF) {
        decode_fault(e, b);
    } else if (code == VMEXIT_IOIO) {
        decode_port(e, b);
    } else if (code == VMEXIT_MSR) {
        e->kind = b->exitinfo1 ? EXIT_WRMSR : EXIT_RDMSR;
    } else if (code == VMEXIT_INVALID) {
        e->kind = EXIT_ENTRY_FAIL;
    } else {
        e->kind = code < VMEXIT_CODES ? kinds[code] : EXIT_UNKNOWN;
        decode_details(s, e, code);
    }
}
