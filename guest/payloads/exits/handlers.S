/* SPDX-License-Identifier: MIT */
/*
 * The shortest exception handlers: each returns behind the two-byte instruction that faulted.
 */
        .text
/*
 * void skip_two(void): entered through the IDT, no error code. Keeps every register but RFLAGS,
 * which IRETQ restores.
 */
        .globl  skip_two
skip_two:
        addq    $2, (%rsp)
        iretq

/*
 * void skip_two_error(void): the same for an exception with an error code.
 */
        .globl  skip_two_error
skip_two_error:
        addq    $8, %rsp
        addq    $2, (%rsp)
        iretq
        .section .note.GNU-stack, "", @progbits
