/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader's 32-bit protected mode to boot_main in 64-bit mode: checks the processor,
 * builds the first page tables (one to one, W^X from the start), switches over.
 */
#include "boot/long_mode.inc"

#define PAGE      4096
#define PTE_RO    0x1
#define PTE_RW    0x3
#define PTE_LARGE 0x83
#define NX        0x80000000 /* upper half of an entry */
#define WINDOW    0x400000   /* mapped with 4 KiB pages; linker.ld asserts that the image fits */

    .section .bss
    .balign PAGE
boot_pml4:
    .skip PAGE
boot_pdpt:
    .skip PAGE
boot_pd:
    .skip 4 * PAGE
boot_pt:
    .skip 2 * PAGE

    .section .data
    .globl boot_ebda_segment
boot_ebda_segment:
    .short 0
    .balign 8
    .globl boot_gdt
boot_gdt:
    .quad 0, SEG_DESC_CODE64, SEG_DESC_DATA, SEG_DESC_CODE32
boot_gdt_end:
boot_gdtr:
    .short boot_gdt_end - boot_gdt - 1
    .long boot_gdt

    .section .text
    .code32

/*
 * Entry from the loader. EAX: magic; EBX: its information. No stack yet, interrupts off. Magic and
 * information stay in EBP and ESI until boot_main.
 */
    .globl entry32
    .type entry32, @function
entry32:
    cli
    cld
    mov $cpu_bsp_stacks + STACK_SLOT - STACK_RESERVED, %esp
    mov %eax, %ebp
    mov %ebx, %esi
    lgdt boot_gdtr
    ljmp $SEG_CODE32, $1f
1:  mov $SEG_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov 0x40e, %ax
    mov %ax, boot_ebda_segment
    call check_cpu
    call build_tables
    mov $boot_pml4, %eax
    enter_long_mode entry64

/* Returns when the processor has long mode and NX; else ends. Clobbers EAX, EBX, ECX, EDX. */
check_cpu:
    pushf
    pop %eax
    mov %eax, %ecx
    xor $1 << 21, %eax /* EFLAGS.ID can be changed: CPUID exists */
    push %eax
    popf
    pushf
    pop %eax
    xor %ecx, %eax
    test $1 << 21, %eax
    jz no_long_mode
    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    test $1 << 29, %edx
    jz no_long_mode
    test $1 << 20, %edx
    jz no_nx
    ret
no_long_mode:
    mov $long_mode_text, %esi
    jmp refuse
no_nx:
    mov $nx_text, %esi
    jmp refuse

/*
 * The upper levels and 2 MiB pages for 4 GiB; 4 KiB pages for the window that holds the image.
 * Clobbers EAX, ECX, EDX, EDI.
 */
build_tables:
    movl $boot_pdpt + PTE_RW, boot_pml4
    mov $boot_pd + PTE_RW, %eax
    xor %edi, %edi
1:  mov %eax, boot_pdpt(, %edi, 8)
    add $PAGE, %eax
    inc %edi
    cmp $4, %edi
    jb 1b

    mov $PTE_LARGE, %eax
    xor %edi, %edi
2:  mov %eax, boot_pd(, %edi, 8)
    movl $NX, boot_pd + 4(, %edi, 8)
    inc %edi
    add $0x200000, %eax
    jnc 2b
    movl $boot_pt + PTE_RW, boot_pd
    movl $0, boot_pd + 4
    movl $boot_pt + PAGE + PTE_RW, boot_pd + 8
    movl $0, boot_pd + 12

.macro protect start, end, low, high
    mov $\start, %eax
    mov $\end, %ecx
    mov $\low, %edx
    mov $\high, %ebx
    call map_pages
.endm
    protect PAGE, WINDOW, PTE_RW, NX /* page 0 stays absent */
    protect text_start, text_end, PTE_RO, 0
    protect rodata_start, rodata_end, PTE_RO, NX
    protect symbols_start, symbols_end, PTE_RO, NX

    mov $cpu_bsp_stacks, %eax /* guard pages */
3:  mov %eax, %edi
    shr $9, %edi
    movl $0, boot_pt(%edi)
    movl $0, boot_pt + 4(%edi)
    add $STACK_SLOT, %eax
    cmp $cpu_bsp_stacks + STACK_BSP * STACK_SLOT, %eax
    jb 3b
    ret

/* Maps the pages [EAX, ECX) with EDX or-ed to the entry's lower half, EBX the upper half. */
map_pages:
    cmp %ecx, %eax
    jae 1f
    mov %eax, %edi
    shr $9, %edi
    mov %eax, boot_pt(%edi)
    or %edx, boot_pt(%edi)
    mov %ebx, boot_pt + 4(%edi)
    add $PAGE, %eax
    jmp map_pages
1:  ret

/*
 * Says the text at ESI on COM1, port 0xE9 and the first line of the screen, ends the emulator or
 * halts. A line status that never gets ready is given up on.
 */
refuse:
    mov $com1_init, %ebx
1:  movzwl (%ebx), %edx
    mov 2(%ebx), %al
    out %al, %dx
    add $3, %ebx
    cmp $com1_init_end, %ebx
    jb 1b
    mov $0xb8000, %edi
2:  mov (%esi), %bl
    inc %esi
    test %bl, %bl
    jz 5f
    mov $0x10000, %ecx
    mov $0x3fd, %edx
3:  in %dx, %al
    test $0x20, %al
    jnz 4f
    loop 3b
4:  mov %bl, %al
    mov $0x3f8, %edx
    out %al, %dx
    out %al, $0xe9
    mov $0x4f, %ah
    stosw
    jmp 2b
5:  in $0xe9, %al
    cmp $0xe9, %al
    jne 6f
    mov $HOST_EXIT_UNFIT, %al
    out %al, $0xf4
6:  cli
    hlt
    jmp 6b

    .section .rodata
long_mode_text:
    .asciz "tollgate: error: needs a 64-bit processor\r\n"
nx_text:
    .asciz "tollgate: error: needs a processor with no-execute pages (NX)\r\n"

.macro com1 register, value
    .short 0x3f8 + \register
    .byte \value
.endm
com1_init: /* no interrupts; divisor 1: 115200 baud; 8N1; FIFO */
    com1 1, 0
    com1 3, 0x80
    com1 0, 1
    com1 1, 0
    com1 3, 3
    com1 2, 7
com1_init_end:

    .section .text
    .code64
entry64:
    mov %ebp, %edi
    mov %esi, %esi
    mov $cpu_bsp_stacks + STACK_SLOT - STACK_RESERVED, %esp
    movq $cpus, STACK_RESERVED - 8(%rsp)
    xor %ebp, %ebp /* ends backtraces */
    call boot_main
    ud2

    .section .note.GNU-stack, "", @progbits
