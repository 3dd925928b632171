/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor that executes an instruction for its guest must do what the processor does at its
 * end: trap after it when TF is set, and end the shadow of STI. Source: AMD64 APM volume 2,
 * "Debug and Performance Resources"; volume 3, "STI".
 */
#include "guest/payloads/faults/faults.h"

#include <stddef.h>
#include <stdint.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/pic.h"
#include "guest/crt/pit.h"

#define RFLAGS_TF     0x100ul
#define DR6_BS        (1ul << 14)
#define MSR_APIC_BASE 0x1b
#define WAIT_TURNS    20000

static volatile uint64_t seen_rip, seen_count, seen_dr6;

static void step_handler(struct interrupt_frame *f)
{
    uint64_t dr6;

    if (!seen_count++)
        seen_rip = f->rip;
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("mov %0, %%dr6" ::"r"(0xffff0ff0ul));
    seen_dr6 = dr6;
    f->rflags &= ~RFLAGS_TF;
}

/* Executes insn with TF set; the trap must come once, right behind it. */
#define STEP(name, insn)                                                                           \
    static const char *name(void)                                                                  \
    {                                                                                              \
        uint64_t after;                                                                            \
                                                                                                   \
        seen_count = 0;                                                                            \
        __asm__ volatile("leaq 1f(%%rip), %0\n\t"                                                  \
                         "pushfq\n\t"                                                              \
                         "orq $0x100, (%%rsp)\n\t"                                                 \
                         "popfq\n\t" insn "\n"                                                     \
                         "1: nop\n\t"                                                              \
                         "nop"                                                                     \
                         : "=&S"(after)                                                            \
                         : "a"(0), "c"(MSR_APIC_BASE)                                              \
                         : "rbx", "rdx", "memory", "cc");                                          \
        if (seen_count != 1 || seen_rip != after)                                                  \
            return check_why("%s: %lu traps, the first at %#lx, not one at %#lx", #name,           \
                             seen_count, seen_rip, after);                                         \
        return (seen_dr6 & DR6_BS) ? NULL : #name ": DR6.BS is clear";                             \
    }

STEP(step_nop, "nop")
STEP(step_cpuid, "cpuid")
STEP(step_prefixed_cpuid, ".byte 0x66, 0x66, 0x0f, 0xa2")
STEP(step_rdmsr, "rdmsr")
STEP(step_in, "inb $0x40, %%al")

const char *fault_tf_cpuid(void)
{
    static const char *(*const steps[])(void) = {step_nop, step_cpuid, step_prefixed_cpuid,
                                                 step_rdmsr, step_in};

    interrupt_set_handler(VECTOR_DB, step_handler);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const char *why = steps[i]();

        if (why)
            return why;
    }
    return NULL;
}

static void irq_handler(struct interrupt_frame *f)
{
    if (!seen_count++)
        seen_rip = f->rip;
    pic_eoi(PIT_LINE);
}

/* Has the PIT's interrupt wait at the PIC while IF is 0. */
static int make_interrupt_wait(void)
{
    insn_cli();
    pit_start(0, PIT_ONE_SHOT, 20);
    pic_mask((uint16_t) ~(1u << PIT_LINE));
    for (int i = 0; i < WAIT_TURNS; i++) {
        if (pic_irr() & 1u << PIT_LINE)
            return 1;
    }
    return 0;
}

/* The interrupt is taken right behind insn, which stands in STI's shadow. */
#define SHADOW(name, insn)                                                                         \
    static const char *name(void)                                                                  \
    {                                                                                              \
        uint64_t after;                                                                            \
                                                                                                   \
        seen_count = 0;                                                                            \
        if (!make_interrupt_wait())                                                                \
            return "the PIT's interrupt never came";                                               \
        __asm__ volatile("leaq 1f(%%rip), %0\n\t"                                                  \
                         "sti\n\t" insn "\n"                                                       \
                         "1: nop\n\t"                                                              \
                         "nop\n\t"                                                                 \
                         "cli"                                                                     \
                         : "=&S"(after)                                                            \
                         : "a"(0), "c"(MSR_APIC_BASE)                                              \
                         : "rbx", "rdx", "memory", "cc");                                          \
        if (seen_count != 1 || seen_rip != after)                                                  \
            return check_why("%s: %lu interrupts, the first at %#lx, not one at %#lx", #name,      \
                             seen_count, seen_rip, after);                                         \
        return NULL;                                                                               \
    }

SHADOW(shadow_nop, "nop")
SHADOW(shadow_cpuid, "cpuid")
SHADOW(shadow_prefixed_cpuid, ".byte 0x66, 0x66, 0x0f, 0xa2")
SHADOW(shadow_rdmsr, "rdmsr")
SHADOW(shadow_in, "inb $0x40, %%al")

const char *fault_sti_cpuid(void)
{
    static const char *(*const shadows[])(void) = {shadow_nop, shadow_cpuid, shadow_prefixed_cpuid,
                                                   shadow_rdmsr, shadow_in};
    const char *why = NULL;

    interrupt_set_handler(PIC_VECTOR + PIT_LINE, irq_handler);
    for (size_t i = 0; !why && i < sizeof(shadows) / sizeof(shadows[0]); i++)
        why = shadows[i]();
    pic_mask(0xffff);
    return why;
}
