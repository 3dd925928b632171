/* SPDX-License-Identifier: MIT */
/*
 * What the entries of the first and of the other processors have in common.
 */
#ifndef BOOT_ENTRY_H
#define BOOT_ENTRY_H

#include "hv/host/layout.h"

#ifdef __ASSEMBLER__

/* CR0: PG, WP, NE, ET, MP, PE; this also clears CD and NW, which INIT sets. CR4: PAE alone. */
#define ENTRY_CR0 0x80010033
#define ENTRY_CR4 0x20

/*
 * 32-bit protected mode without paging, CR3 in EAX → 64-bit mode at target. Clobbers EAX, ECX, EDX.
 * Source: AMD64 APM volume 2, "Processor Initialization and Long Mode Activation".
 */
.macro enter_long_mode target
    mov %eax, %cr3
    mov $ENTRY_CR4, %eax
    mov %eax, %cr4
    mov $0xc0000080, %ecx /* EFER: NXE, LME */
    rdmsr
    or $0x900, %eax
    wrmsr
    mov $ENTRY_CR0, %eax
    mov %eax, %cr0
    ljmp $SEG_CODE64, $\target
.endm

#else

#include "hv/lib/types.h"

/* Segment of the extended BIOS data area, read from page 0 before that page is unmapped. */
extern u16 boot_ebda_segment;

/* 64-bit C entry on the boot CPU's stack, interrupts off; magic and info are the loader's. */
__attribute__((noreturn)) void boot_main(u32 magic, u32 info);

#endif
#endif
