/* SPDX-License-Identifier: MIT */
/*
 * The devices behind the console. Calls are serialized by console.c; text is not terminated.
 */
#ifndef HV_HOST_CONSOLE_SINK_H
#define HV_HOST_CONSOLE_SINK_H

#include "hv/host/boot_info.h"

/* Port 0xE9 of QEMU and Bochs: it reads as its own number. */
bool debugcon_present(void);
void debugcon_write(const char *text, size_t n);

/* 16550 at COM1, 115200 8N1, polled, LF becomes CR LF. False when no UART answers. */
bool serial_init(void);
void serial_write(const char *text, size_t n);

/* 80x25 text at 0xB8000. Clears it. */
void vga_init(void);
void vga_write(const char *text, size_t n);

/* Linear framebuffer, 16, 24 or 32 bits a pixel. False when fb is none of these or not mappable. */
bool fb_init(const struct boot_framebuffer *fb);
void fb_write(const char *text, size_t n);

#endif
