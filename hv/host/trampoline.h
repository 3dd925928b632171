/* SPDX-License-Identifier: MIT */
/*
 * How an application processor comes up. smp.c copies [trampoline_start, trampoline_end) to a free
 * page below 1 MiB, fills in the mailbox inside that copy and sends INIT and STARTUP with the
 * page's number. The copy needs no execute permission: it leaves for the image's own text before
 * paging is switched on. Assembly reads the plain numbers here.
 */
#ifndef HV_HOST_TRAMPOLINE_H
#define HV_HOST_TRAMPOLINE_H

#define TRAMPOLINE_MAILBOX       0xf00 /* offset of struct trampoline_mailbox in the page */
#define TRAMPOLINE_MAILBOX_CR3   0
#define TRAMPOLINE_MAILBOX_STACK 8
#define TRAMPOLINE_MAILBOX_ENTRY 16
#define TRAMPOLINE_MAILBOX_ARG   24

#ifndef __ASSEMBLER__

#include "hv/lib/types.h"

struct trampoline_mailbox {
    u64 cr3;       /* of the tables all CPUs share; below 4 GiB */
    u64 stack_top; /* what cpu_stack_create returned */
    u64 entry;     /* void entry(u64 arg), called in 64-bit mode with IF = 0; must not return */
    u64 arg;
};

/*
 * The code to copy. It has read the whole mailbox by the time entry runs, so the page may then be
 * used for the next processor. CR0.WP, EFER.NXE and CR4.PAE are as on the boot processor.
 */
extern const char trampoline_start[];
extern const char trampoline_end[];

#endif
#endif
