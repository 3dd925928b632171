/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts of a payload. Interrupts are off when main starts.
 */
#ifndef GUEST_CRT_INTERRUPT_H
#define GUEST_CRT_INTERRUPT_H

#include <stdint.h>

/* Exit status after an exception or interrupt that nobody handles. */
#define EXIT_UNHANDLED 125

enum vector {
    VECTOR_DB = 1,
    VECTOR_BP = 3,
    VECTOR_UD = 6,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_COUNT = 256,
};

/* What the stubs push; a handler may change any field, the interrupted code sees the change. */
struct interrupt_frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector;
    uint64_t error; /* 0 where the processor pushes none */
    uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*interrupt_handler)(struct interrupt_frame *f);

/* Loads the IDT on this CPU; every vector unhandled the first time. */
void interrupt_init(void);
void interrupt_load(void);

/* NULL: unhandled again. The handler sends the EOI itself, and runs with interrupts off. */
void interrupt_set_handler(uint8_t vector, interrupt_handler handler);

/*
 * Points the IDT entry straight at entry, which sees what the processor pushed and nothing else,
 * and ends with IRETQ. For timed paths. interrupt_set_handler undoes it.
 */
void interrupt_set_raw(uint8_t vector, void (*entry)(void));

#endif
