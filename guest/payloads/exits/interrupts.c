/* SPDX-License-Identifier: MIT */
/*
 * Interrupts to the first instruction of their handler: injected by the hypervisor at our request,
 * and sent by the local APIC to itself.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/hypercall.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/lapic.h"

#define VECTOR          0x40
#define MSR_X2APIC_SELF 0x83f

BENCH_OP_TO_HANDLER(op_inject_vmmcall, "vmmcall")
BENCH_OP_TO_HANDLER(op_inject_vmcall, "vmcall")
BENCH_OP_TO_HANDLER(op_self_xapic, "movl %%eax, (%%rdi)")
BENCH_OP_TO_HANDLER(op_self_x2apic, "xorl %%edx, %%edx\n\twrmsr")

static const char *setup_inject(struct bench *b, struct bench_count *count)
{
    (void)count;
    if (platform_get() != PLATFORM_TOLLGATE)
        return "no hypervisor that injects at the guest's request";
    b->op = platform_uses_vmcall() ? op_inject_vmcall : op_inject_vmmcall;
    b->regs.rax = HYPERCALL_IRQ;
    b->regs.rdi = VECTOR;
    interrupt_set_raw(VECTOR, bench_stamp);
    return NULL;
}

static const char *setup_self(struct bench *b, struct bench_count *count)
{
    (void)count;
    if (!platform_has_lapic())
        return "no local APIC";
    interrupt_set_raw(VECTOR, bench_stamp);
    if (lapic_is_x2apic()) {
        b->op = op_self_x2apic;
        b->regs.rcx = MSR_X2APIC_SELF;
        b->regs.rax = VECTOR;
    } else {
        b->op = op_self_xapic;
        b->regs.rdi = lapic_base() + LAPIC_ICR;
        b->regs.rax = LAPIC_ICR_SELF | VECTOR;
    }
    return NULL;
}

/* The EOI of the iteration before; harmless at the first. */
static void prepare_self(struct bench *b)
{
    (void)b;
    lapic_write(LAPIC_EOI, 0);
}

static void teardown_self(struct bench *b)
{
    prepare_self(b);
    interrupt_set_handler(VECTOR, NULL);
}

static void teardown_inject(struct bench *b)
{
    (void)b;
    interrupt_set_handler(VECTOR, NULL);
}

static struct bench table[] = {
    {.name = "inject.irq", .to_handler = true, .setup = setup_inject, .teardown = teardown_inject},
    {.name = "ipi.self",
     .to_handler = true,
     .setup = setup_self,
     .prepare = prepare_self,
     .teardown = teardown_self},
};
BENCH_GROUP(interrupt_benches, table);
