/* SPDX-License-Identifier: MIT */
/*
 * One entry stub for each of the 256 vectors, and their common tail, which builds a struct
 * interrupt_frame, keeps the SSE state and calls interrupt_dispatch. All registers are kept.
 */
#define ERROR_CODE_VECTORS 0x60227d00 /* #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX */
#define STUB_SIZE 16

        .text
/*
 * void interrupt_stubs[256](void): entered by the processor through the IDT only.
 */
        .globl  interrupt_stubs
        .balign STUB_SIZE
interrupt_stubs:
        .set    vector, 0
        .rept   256
        .balign STUB_SIZE
        .if     vector >= 32
        pushq   $0
        .elseif ((ERROR_CODE_VECTORS >> vector) & 1) == 0
        pushq   $0
        .endif
        pushq   $vector
        jmp     interrupt_common
        .set    vector, vector + 1
        .endr

interrupt_common:
        pushq   %r15
        pushq   %r14
        pushq   %r13
        pushq   %r12
        pushq   %r11
        pushq   %r10
        pushq   %r9
        pushq   %r8
        pushq   %rbp
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %rbx
        pushq   %rax
        cld
        movq    %rsp, %rdi
        movq    %rsp, %rbp
        subq    $512, %rsp
        andq    $-16, %rsp
        fxsaveq (%rsp)
        call    interrupt_dispatch
        fxrstorq (%rsp)
        movq    %rbp, %rsp
        popq    %rax
        popq    %rbx
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rbp
        popq    %r8
        popq    %r9
        popq    %r10
        popq    %r11
        popq    %r12
        popq    %r13
        popq    %r14
        popq    %r15
        addq    $16, %rsp
        iretq
        .section .note.GNU-stack, "", @progbits
