/* SPDX-License-Identifier: MIT */
/*
 * The IDT and the way from a stub to a C handler. Source: AMD64 APM volume 2, "Exceptions and
 * Interrupts".
 */
#include "guest/crt/interrupt.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include "guest/crt/console.h"
#include "guest/crt/exit.h"
#include "guest/crt/insn.h"

#define CODE_SELECTOR  8
#define GATE_INTERRUPT 0x8e00 /* present, DPL 0, 64-bit interrupt gate, no IST */
#define STUB_SIZE      16

struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint16_t attributes;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved_0c;
};
static_assert(sizeof(struct idt_gate) == 16, "IDT gate size");
static_assert(offsetof(struct idt_gate, offset_high) == 8, "IDT gate layout");

extern const char interrupt_stubs[];
void interrupt_dispatch(struct interrupt_frame *f);

static struct idt_gate idt[VECTOR_COUNT];
static interrupt_handler handlers[VECTOR_COUNT];

static void gate_set(uint8_t vector, uintptr_t entry)
{
    idt[vector] = (struct idt_gate){
        .offset_low = (uint16_t)entry,
        .selector = CODE_SELECTOR,
        .attributes = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

void interrupt_set_raw(uint8_t vector, void (*entry)(void))
{
    gate_set(vector, (uintptr_t)entry);
}

void interrupt_set_handler(uint8_t vector, interrupt_handler handler)
{
    handlers[vector] = handler;
    gate_set(vector, (uintptr_t)interrupt_stubs + vector * STUB_SIZE);
}

void interrupt_load(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uintptr_t)idt};

    __asm__ volatile("lidt %0" ::"m"(pointer));
}

void interrupt_init(void)
{
    for (unsigned v = 0; v < VECTOR_COUNT; v++)
        interrupt_set_handler((uint8_t)v, NULL);
    interrupt_load();
}

/* Formats into a buffer of its own: the exception may have struck inside malloc or stdio. */
static void unhandled(const struct interrupt_frame *f)
{
    char line[160];
    int n = snprintf(line, sizeof(line),
                     "\nunhandled vector %lu error %#lx rip %#lx cr2 %#lx rsp %#lx rflags %#lx\n",
                     f->vector, f->error, f->rip, insn_read_cr2(), f->rsp, f->rflags);

    console_write(line, (size_t)n);
    exit_now(EXIT_UNHANDLED);
}

/* Called by the stubs only. */
void interrupt_dispatch(struct interrupt_frame *f)
{
    if (!handlers[f->vector])
        unhandled(f);
    handlers[f->vector](f);
}
