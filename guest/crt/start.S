/* SPDX-License-Identifier: MIT */
/*
 * Multiboot entry of a payload: 32-bit protected mode without paging to 64-bit C with the first
 * 4 GiB mapped one to one, SSE and x87 on, interrupts off. Source: Multiboot Specification 0.6.96;
 * AMD64 APM volume 2, "Long-Mode Initialization".
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 3 /* modules on page boundaries, memory information */

#define PAGE_TABLE   0x03  /* present, writable */
#define PAGE_LARGE   0x83  /* 2 MiB page */
#define PAGE_UNCACHED 0x18 /* PCD, PWT */
#define DEVICE_PDE   (3 * 512) /* from 3 GiB on: device memory */

        .section .multiboot, "a"
        .balign 4
        .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

/*
 * void _start(void): EAX holds the loader's magic number, EBX the address of the multiboot
 * information. Never returns.
 */
        .text
        .code32
        .globl _start
_start:
        cli
        cld
        movl    $stack_top, %esp
        movl    %eax, %ebp
        /* PML4[0] and the four entries of the page-directory-pointer table. */
        movl    $(page_pdpt + PAGE_TABLE), page_pml4
        movl    $(page_pd + PAGE_TABLE), %eax
        xorl    %ecx, %ecx
1:      movl    %eax, page_pdpt(, %ecx, 8)
        addl    $4096, %eax
        incl    %ecx
        cmpl    $4, %ecx
        jne     1b
        /* 2048 large pages. */
        movl    $PAGE_LARGE, %eax
        xorl    %ecx, %ecx
2:      cmpl    $DEVICE_PDE, %ecx
        jne     3f
        orl     $PAGE_UNCACHED, %eax
3:      movl    %eax, page_pd(, %ecx, 8)
        addl    $0x200000, %eax
        incl    %ecx
        cmpl    $2048, %ecx
        jne     2b
        /* CR4: PAE, OSFXSR, OSXMMEXCPT. */
        movl    %cr4, %eax
        orl     $0x620, %eax
        movl    %eax, %cr4
        movl    $page_pml4, %eax
        movl    %eax, %cr3
        /* EFER.LME */
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x100, %eax
        wrmsr
        /* CR0: PG, WP, NE, MP, PE on; CD, NW, TS, EM off. */
        movl    %cr0, %eax
        andl    $~0x6000000c, %eax
        orl     $0x80010023, %eax
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $start64

        .code64
start64:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        fninit
        movl    %ebp, %edi
        movl    %ebx, %esi
        xorl    %ebp, %ebp
        call    crt_main

        .section .rodata
        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff /* 8: 64-bit code */
        .quad   0x00cf93000000ffff /* 16: data */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .bss
        .balign 4096
        .globl  page_pml4
page_pml4: .skip 4096
page_pdpt: .skip 4096
page_pd:   .skip 4 * 4096
stack:     .skip 65536
stack_top:
        .section .note.GNU-stack, "", @progbits
