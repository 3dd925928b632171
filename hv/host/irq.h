/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts of the host.
 */
#ifndef HV_HOST_IRQ_H
#define HV_HOST_IRQ_H

#include "hv/host/cpu.h"
#include "hv/x86/insn.h"
#include "hv/x86/regs.h"

/* Interrupt vectors the hypervisor uses. All external device interrupts stay masked. */
enum irq_vector {
    VECTOR_TIMER = 0xf0, /* local APIC timer */
    VECTOR_KICK = 0xf1,  /* another CPU wants this one to look at its queue */
    VECTOR_CALL = 0xf2,  /* run a function on this CPU */
    VECTOR_STOP = 0xf3,  /* panic elsewhere */
    VECTOR_SPURIOUS = 0xff,
};

/* What the entry stubs push; also what panic prints. */
struct irq_frame {
    u64 gpr[16]; /* enum gpr order; RSP is the one interrupted */
    u64 vector;
    u64 error;
    u64 rip, cs, rflags, rsp, ss;
};

/*
 * Loads GDT, IDT and TSS of this CPU, with own stacks for NMI, #DF and #MC; CPU 0 first (its call
 * also fills in the IDT all share), the others after mem_init. Panics when memory is short.
 *
 * On AMD-V the TSS found by the processor is the guest's from #VMEXIT until VMLOAD of the host's
 * state. Nothing may use an own stack in that time: GIF is 0 (no NMI, no #MC), and the path there
 * must not fault twice.
 */
void irq_init_cpu(struct cpu *cpu);

/* Switches interrupts off on this CPU; returns what irq_restore takes to undo it. */
static inline u64 irq_save(void)
{
    u64 flags = insn_read_rflags();

    insn_cli();
    return flags;
}

static inline void irq_restore(u64 flags)
{
    if (flags & RFLAGS_IF)
        insn_sti();
}

/* Handlers run with interrupts off on the interrupted stack; the caller of irq_register sends no
 * EOI. */
typedef void (*irq_handler)(struct irq_frame *f);
void irq_register(u8 vector, irq_handler h);

/* Safe access: 0, or -HV_EFAULT when the processor raised #GP. */
int msr_read_safe(u32 msr, u64 *value);
int msr_write_safe(u32 msr, u64 value);

#endif
