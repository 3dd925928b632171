/* SPDX-License-Identifier: MIT */
/*
 * Interrupt entries for timed code, see bench.h.
 */
        .text
/*
 * void bench_stamp(void): entered through the IDT. Puts the time stamp's low half into R9D of the
 * interrupted code; clobbers RAX and RDX too, which that code declares lost.
 */
        .globl  bench_stamp
bench_stamp:
        rdtsc
        movl    %eax, %r9d
        iretq

/*
 * void bench_return(void): entered through the IDT. Keeps every register.
 */
        .globl  bench_return
bench_return:
        iretq
        .section .note.GNU-stack, "", @progbits
