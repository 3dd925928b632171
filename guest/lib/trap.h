/* SPDX-License-Identifier: MIT */
/*
 * Trying an instruction that may raise an exception, and going on behind it.
 */
#ifndef GUEST_LIB_TRAP_H
#define GUEST_LIB_TRAP_H

#include <stdbool.h>
#include <stdint.h>

struct trap {
    bool hit; /* an exception came; the rest tells which */
    uint64_t vector;
    uint64_t error;
    uint64_t rip; /* of the instruction that raised it */
    uint64_t cr2;
};

extern volatile struct trap trap_last;
extern uint64_t trap_resume, trap_stack;

/* From now on exceptions with this vector inside TRAP_TRY are caught; outside they end the payload.
 */
void trap_catch(uint8_t vector);

/*
 * Executes insn (one or more instructions, or a call), then goes on, whether an exception came or
 * not; the result is in trap_last. outputs and inputs as in extended asm, in parentheses' stead
 * wrapped in TRAP_OPS(…); more arguments are clobbers.
 */
#define TRAP_OPS(...) __VA_ARGS__
#define TRAP_TRY(insn, outputs, inputs, ...)                                                       \
    do {                                                                                           \
        trap_last.hit = false;                                                                     \
        __asm__ volatile("movq %%rsp, trap_stack\n\t"                                              \
                         "movq $9f, trap_resume\n\t" insn "\n"                                     \
                         "9: movq $0, trap_resume\n\t"                                             \
                         : outputs:inputs                                                          \
                         : "memory", "cc", ##__VA_ARGS__);                                         \
    } while (0)

#endif
