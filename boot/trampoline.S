/* SPDX-License-Identifier: MIT */
/*
 * Start of an application processor; hv/host/trampoline.h tells how it is used. Only the 16-bit
 * part runs in the copied page.
 */
#include "boot/long_mode.inc"
#include "hv/host/trampoline.h"

    .section .rodata
    .code16
    .globl trampoline_start
    .globl trampoline_end
/* Entry from STARTUP: CS = page << 8, IP = 0. Leaves the page's address in EBX. */
trampoline_start:
    cli
    cld
    xor %ebx, %ebx
    mov %cs, %bx
    mov %bx, %ds
    shl $4, %ebx
    lgdtl trampoline_gdtr - trampoline_start
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEG_CODE32, $trampoline32
trampoline_gdtr:
    .short 4 * 8 - 1
    .long boot_gdt
trampoline_end:

    .section .text
    .code32
trampoline32:
    mov $SEG_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov TRAMPOLINE_MAILBOX + TRAMPOLINE_MAILBOX_CR3(%ebx), %eax
    enter_long_mode trampoline64

    .code64
trampoline64:
    mov %ebx, %ebx
    add $TRAMPOLINE_MAILBOX, %rbx
    mov TRAMPOLINE_MAILBOX_STACK(%rbx), %rsp
    sub $STACK_RESERVED, %rsp
    mov TRAMPOLINE_MAILBOX_ARG(%rbx), %rdi
    xor %ebp, %ebp /* ends backtraces */
    call *TRAMPOLINE_MAILBOX_ENTRY(%rbx)
    ud2

    .section .note.GNU-stack, "", @progbits
