/* SPDX-License-Identifier: MIT */
/*
 * Driving the 8254. Source: 8254 data sheet.
 */
#include "guest/crt/pit.h"

#include "guest/crt/insn.h"

#define LOW_THEN_HIGH 0x30

void pit_start(uint8_t channel, enum pit_mode mode, uint16_t count)
{
    uint16_t port = PIT_CHANNEL + channel;

    insn_out8(PIT_COMMAND, (uint8_t)(channel << 6 | LOW_THEN_HIGH | mode << 1));
    insn_out8(port, (uint8_t)count);
    insn_out8(port, (uint8_t)(count >> 8));
}

uint16_t pit_latch(uint8_t channel)
{
    uint16_t port = PIT_CHANNEL + channel;
    uint8_t low;

    insn_out8(PIT_COMMAND, (uint8_t)(channel << 6));
    low = insn_in8(port);
    return (uint16_t)(insn_in8(port) << 8 | low);
}
