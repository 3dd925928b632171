/* SPDX-License-Identifier: MIT */
/*
 * The machine's consoles: debug port 0xE9 where present, 16550 at COM1, VGA text or framebuffer.
 * Output is buffered per channel and drained outside exits, since one polled character costs
 * thousands of ticks. Channel 0 is the hypervisor; channel i + 1 is VM i, whose lines get the
 * prefix "[name] " and are broken as hv/abi/record.h tells.
 */
#ifndef HV_HOST_CONSOLE_H
#define HV_HOST_CONSOLE_H

#include "hv/host/boot_info.h"

#define CONSOLE_CHANNELS 65
#define CONSOLE_HV       0

/*
 * Early: serial and 0xE9 only, needs nothing. The command line word "console=" chooses from
 * e9,serial,vga (comma-separated); without it: 0xE9 where present, else serial; and the screen.
 */
void console_init_early(const struct boot_info *bi);

/* Adds the screen, and buffers for every channel; needs mem_init. */
int console_init(const struct boot_info *bi);

/* Names a channel; the name is copied (31 characters). */
void console_name(u32 channel, const char *name);

/*
 * Appends to the channel's buffer; drains only when the buffer is full (then bytes leave at once;
 * none is lost). Before console_init: written through.
 */
void console_write(u32 channel, const char *text, size_t n);

/* Writes one record (hv/abi/record.h) on the hypervisor's channel. json: one JSON object. */
void console_record(const char *json);

/* True when some channel holds bytes; console_drain writes them all out. */
bool console_pending(void);
void console_drain(void);

/* From now on everything is written through, locks are ignored: for panic. */
void console_panic(void);

#endif
