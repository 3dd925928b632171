/* SPDX-License-Identifier: MIT */
/*
 * Plain numbers that assembly and C share: segment selectors, stack slots, exit statuses.
 */
#ifndef HV_HOST_LAYOUT_H
#define HV_HOST_LAYOUT_H

/* The GDT of every CPU; the one at boot has the 32-bit code segment in the place of the TSS. */
#define SEG_CODE64 0x08
#define SEG_DATA   0x10
#define SEG_TSS    0x18 /* two entries long */
#define SEG_CODE32 0x18 /* boot only */

/* Descriptors: present, DPL 0, accessed; flat. */
#define SEG_DESC_CODE64 0x00af9b000000ffff
#define SEG_DESC_DATA   0x00cf93000000ffff
#define SEG_DESC_CODE32 0x00cf9b000000ffff

/* A stack slot: guard page, then the stack; its last eight bytes hold the struct cpu pointer. */
#define STACK_SLOT     0x4000
#define STACK_RESERVED 16 /* bytes at the top that are not stack; keeps RSP aligned */
#define STACK_BSP      4  /* slots of the boot CPU: its own, NMI, #DF, #MC */

/*
 * What the host writes to the exit port at its end, when an emulator is there to see it; QEMU's
 * status is (value << 1) | 1.
 */
#define HOST_EXIT_UNFIT    0x7e /* status 253: this machine or boot loader cannot run Tollgate */
#define HOST_EXIT_PANIC    0x7f /* status 255 */
#define HOST_EXIT_ACCOUNTS 0x7d /* status 251: some CPU's time accounts do not close */

#endif
