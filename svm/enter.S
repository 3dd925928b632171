/* SPDX-License-Identifier: MIT */
/*
 * The way into a guest and back. RAX holds the physical address of the VMCB, which is the first
 * page of struct svm_vcpu; VMRUN takes it from there and #VMEXIT restores it together with RSP and
 * RIP. All other general registers pass through VMRUN unchanged.
 */
#include "svm/offsets.h"

/* Loads what svm_fast() may have changed and what C may clobber; RAX and RSP live in the VMCB. */
.macro load_caller_saved
    mov SVM_RCX(%rax), %rcx
    mov SVM_RDX(%rax), %rdx
    load_caller_saved_but_rcx_rdx
.endm

.macro load_caller_saved_but_rcx_rdx
    mov SVM_RBX(%rax), %rbx
    mov SVM_RSI(%rax), %rsi
    mov SVM_RDI(%rax), %rdi
    mov SVM_R8(%rax), %r8
    mov SVM_R9(%rax), %r9
    mov SVM_R10(%rax), %r10
    mov SVM_R11(%rax), %r11
.endm

.macro save_caller_saved
    mov %rcx, SVM_RCX(%rax)
    mov %rdx, SVM_RDX(%rax)
    save_caller_saved_but_rcx_rdx
.endm

.macro save_caller_saved_but_rcx_rdx
    mov %rbx, SVM_RBX(%rax)
    mov %rsi, SVM_RSI(%rax)
    mov %rdi, SVM_RDI(%rax)
    mov %r8, SVM_R8(%rax)
    mov %r9, SVM_R9(%rax)
    mov %r10, SVM_R10(%rax)
    mov %r11, SVM_R11(%rax)
.endm

/* The registers C keeps: guest values stay in them while svm_fast() runs. */
.macro load_callee_saved
    mov SVM_RBP(%rax), %rbp
    mov SVM_R12(%rax), %r12
    mov SVM_R13(%rax), %r13
    mov SVM_R14(%rax), %r14
    mov SVM_R15(%rax), %r15
.endm

.macro save_callee_saved
    mov %rbp, SVM_RBP(%rax)
    mov %r12, SVM_R12(%rax)
    mov %r13, SVM_R13(%rax)
    mov %r14, SVM_R14(%rax)
    mov %r15, SVM_R15(%rax)
.endm

.macro push_host
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
.endm

.macro pop_host
    pop %rdi
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
.endm

    .text

/*
 * void svm_enter(struct svm_vcpu *s)
 * GIF = 0, RFLAGS.IF = 1. C calling convention. On the stack while the guest runs: s.
 */
    .globl svm_enter
    .type svm_enter, @function
    .p2align 4
svm_enter:
    push_host
    mov %rdi, %rax
    load_callee_saved
    load_caller_saved
    .p2align 4
1:  vmrun %rax
    save_caller_saved
    mov %rax, %rdi
    call svm_fast           /* returns the VMCB to enter again, or NULL */
    test %rax, %rax
    jz 2f
    load_caller_saved
    jmp 1b
2:  mov (%rsp), %rax
    save_callee_saved
    pop_host
    ret
    .size svm_enter, . - svm_enter

/*
 * void svm_enter_measured(struct svm_vcpu *s)
 * The same with two stamps. Each TSC value is stored in s, since no register is free for it.
 */
    .globl svm_enter_measured
    .type svm_enter_measured, @function
    .p2align 4
svm_enter_measured:
    push_host
    mov %rdi, %rax
    load_callee_saved
    .p2align 4
1:  load_caller_saved_but_rcx_rdx
    mov %rax, %rcx
    rdtsc                               /* the second stamp of an exit */
    mov %eax, SVM_ENTERED(%rcx)         /* SVM_RESIDUE_OUT: from here through VMRUN */
    mov %edx, SVM_ENTERED + 4(%rcx)
    mov %rcx, %rax
    mov SVM_RDX(%rax), %rdx
    mov SVM_RCX(%rax), %rcx
    vmrun %rax
    mov %rcx, SVM_RCX(%rax)             /* SVM_RESIDUE_IN: from here through RDTSC */
    mov %rdx, SVM_RDX(%rax)
    mov %rax, %rcx
    rdtsc                               /* the first stamp */
    mov %eax, SVM_LEFT(%rcx)
    mov %edx, SVM_LEFT + 4(%rcx)
    mov %rcx, %rax
    save_caller_saved_but_rcx_rdx
    mov %rax, %rdi
    call svm_fast_measured
    test %rax, %rax
    jnz 1b
    mov (%rsp), %rax
    save_callee_saved
    pop_host
    ret
    .size svm_enter_measured, . - svm_enter_measured

    .section .note.GNU-stack, "", @progbits
