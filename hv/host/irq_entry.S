/* SPDX-License-Identifier: MIT */
/*
 * Entries of exceptions and interrupts: each vector has a stub of 16 bytes at irq_stubs + 16 *
 * vector, all of which lead to irq_dispatch.
 */
#define VECTORS_WITH_ERROR_CODE 0x227d00 /* hv/x86/regs.h; irq.c asserts that they agree */

    .section .text

/*
 * On entry: the processor's frame, with or without an error code. Every register is kept.
 */
    .balign 16
    .globl irq_stubs
irq_stubs:
.set vector, 0
.rept 256
    .balign 16
    .if !((VECTORS_WITH_ERROR_CODE >> (vector & 31)) & (vector < 32) & 1)
    push $0
    .endif
    push $vector
    jmp irq_common
.set vector, vector + 1
.endr

/* Completes struct irq_frame and calls irq_dispatch(frame). */
    .type irq_common, @function
irq_common:
    push %r15
    push %r14
    push %r13
    push %r12
    push %r11
    push %r10
    push %r9
    push %r8
    push %rdi
    push %rsi
    push %rbp
    push 16 * 8(%rsp) /* RSP as interrupted: above 11 registers, vector, error, RIP, CS, RFLAGS */
    push %rbx
    push %rdx
    push %rcx
    push %rax
    cld
    mov %rsp, %rdi
    call irq_dispatch
    pop %rax
    pop %rcx
    pop %rdx
    pop %rbx
    add $8, %rsp
    pop %rbp
    pop %rsi
    pop %rdi
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    add $16, %rsp /* vector and error code */
    iretq

/*
 * void irq_load(const struct table_register *gdt, const struct table_register *idt, u16 tss):
 * loads them. The code and data selectors stay as boot/ loaded them: their descriptors are equal.
 */
    .globl irq_load
    .type irq_load, @function
irq_load:
    lgdt (%rdi)
    lidt (%rsi)
    ltr %dx
    ret

    .section .note.GNU-stack, "", @progbits
