/* SPDX-License-Identifier: MIT */
/*
 * Where a payload's output goes: debug port 0xE9 where it answers, else COM1.
 */
#ifndef GUEST_CRT_CONSOLE_H
#define GUEST_CRT_CONSOLE_H

#include <stddef.h>

void console_init(void);

/* Every byte has left when it returns. Needs no heap. */
void console_write(const char *text, size_t n);

#endif
