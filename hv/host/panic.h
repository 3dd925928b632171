/* SPDX-License-Identifier: MIT */
/*
 * The end: something the hypervisor relies on is not so. Prints CPU, registers, a symbolized
 * backtrace, the last trace records and log lines, stops the other CPUs and ends the emulator
 * (exit port) or halts.
 */
#ifndef HV_HOST_PANIC_H
#define HV_HOST_PANIC_H

#include "hv/lib/types.h"

__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *fmt, ...);

struct irq_frame;

/* An exception that nobody handles: the same, with the interrupted registers. */
__attribute__((noreturn)) void panic_exception(const struct irq_frame *f);

/* True once some CPU has panicked; the others then only halt. */
bool panic_active(void);

/* Ends the machine for good. */
__attribute__((noreturn)) void panic_halt(void);

/*
 * Drains the console and, in an emulator (port 0xE9 answers), ends it through the exit port with
 * value (hv/host/layout.h names the host's own; Bochs: port 0x8900); else halts.
 */
__attribute__((noreturn)) void host_exit(u8 value);

/* Sends the other CPUs what makes them look (an NMI); set by smp_start, NULL before. */
extern void (*panic_stop_others)(void);

#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(cond))                                                                        \
            panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond);                                  \
    } while (0)

/* Higher ranks register what panic cannot know: the current VM, vCPU and RIP, the trace ring. */
extern void (*panic_hook)(void);

#endif
