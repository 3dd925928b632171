/* SPDX-License-Identifier: MIT */
/*
 * Driving the 8259A pair. Source: 8259A data sheet; AMD64 APM volume 2, "Advanced Programmable
 * Interrupt Controller", for virtual wire mode.
 */
#include "guest/crt/pic.h"

#include "guest/crt/insn.h"
#include "guest/crt/lapic.h"
#include "guest/crt/platform.h"

#define ICW1_INIT_ICW4 0x11
#define ICW4_8086      0x01
#define CASCADE_LINE   2

void pic_init(void)
{
    insn_out8(PIC1_COMMAND, ICW1_INIT_ICW4);
    insn_out8(PIC1_DATA, PIC_VECTOR);
    insn_out8(PIC1_DATA, 1 << CASCADE_LINE);
    insn_out8(PIC1_DATA, ICW4_8086);
    insn_out8(PIC2_COMMAND, ICW1_INIT_ICW4);
    insn_out8(PIC2_DATA, PIC_VECTOR + 8);
    insn_out8(PIC2_DATA, CASCADE_LINE);
    insn_out8(PIC2_DATA, ICW4_8086);
    pic_mask(0xffff);
    if (platform_has_lapic())
        lapic_virtual_wire();
}

void pic_mask(uint16_t lines)
{
    insn_out8(PIC1_DATA, (uint8_t)lines);
    insn_out8(PIC2_DATA, (uint8_t)(lines >> 8));
}

void pic_eoi(uint8_t line)
{
    if (line >= 8)
        insn_out8(PIC2_COMMAND, PIC_EOI);
    insn_out8(PIC1_COMMAND, PIC_EOI);
}

static uint16_t pic_read(uint8_t which)
{
    insn_out8(PIC1_COMMAND, which);
    insn_out8(PIC2_COMMAND, which);
    return (uint16_t)(insn_in8(PIC1_COMMAND) | insn_in8(PIC2_COMMAND) << 8);
}

uint16_t pic_irr(void)
{
    return pic_read(PIC_READ_IRR);
}

uint16_t pic_isr(void)
{
    return pic_read(PIC_READ_ISR);
}
