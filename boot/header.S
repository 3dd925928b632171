/* SPDX-License-Identifier: MIT */
/*
 * The multiboot headers, first in the file (multiboot 1 looks at 8 KiB, multiboot 2 at 32 KiB).
 * Loaders take addresses and the 32-bit entry from the ELF headers. Source: Multiboot
 * Specification 0.6.96 and 2.0, "OS image format".
 */
#define MB1_MAGIC   0x1badb002
#define MB1_ALIGN   (1 << 0) /* modules on page boundaries */
#define MB1_MEMINFO (1 << 1)
#define MB1_FLAGS   (MB1_ALIGN | MB1_MEMINFO)

#define MB2_MAGIC         0xe85250d6
#define MB2_I386          0
#define MB2_END           0
#define MB2_INFO_REQUEST  1
#define MB2_CONSOLE       4
#define MB2_FRAMEBUFFER   5
#define MB2_MODULE_ALIGN  6
#define MB2_OPTIONAL      1
#define MB2_EGA_TEXT      (1 << 1) /* text is understood */

    .section .multiboot, "a"
    .balign 8
    .long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

    /* Boot services are not asked for: the loader ends them and hands over in protected mode. */
    .balign 8
mb2:
    .long MB2_MAGIC, MB2_I386, mb2_end - mb2, -(MB2_MAGIC + MB2_I386 + (mb2_end - mb2))

    .balign 8
request:
    .short MB2_INFO_REQUEST, MB2_OPTIONAL
    .long request_end - request
    /* command line, loader, modules, sizes, map, framebuffer, EFI 32 and 64, ACPI 1 and 2 */
    .long 1, 2, 3, 4, 6, 8, 11, 12, 14, 15
request_end:

    .balign 8
    .short MB2_CONSOLE, MB2_OPTIONAL
    .long 12, MB2_EGA_TEXT

    .balign 8
    .short MB2_FRAMEBUFFER, MB2_OPTIONAL
    .long 20, 0, 0, 32 /* any size, 32 bits a pixel */

    .balign 8
    .short MB2_MODULE_ALIGN, MB2_OPTIONAL
    .long 8

    .balign 8
    .short MB2_END, 0
    .long 8
mb2_end:

    .section .note.GNU-stack, "", @progbits
