/* SPDX-License-Identifier: MIT */
/*
 * The 8254 timer.
 */
#ifndef GUEST_CRT_PIT_H
#define GUEST_CRT_PIT_H

#include <stdint.h>

#define PIT_HZ      1193182u
#define PIT_CHANNEL 0x40 /* port of channel 0 */
#define PIT_COMMAND 0x43
#define PIT_LINE    0 /* PIC input of channel 0 */

enum pit_mode { PIT_ONE_SHOT = 0, PIT_RATE = 2, PIT_SQUARE = 3 };

/* Starts channel (0 to 2) in mode with count (0 means 65536), low byte first. */
void pit_start(uint8_t channel, enum pit_mode mode, uint16_t count);

/* The channel's count now, by the latch command. */
uint16_t pit_latch(uint8_t channel);

#endif
