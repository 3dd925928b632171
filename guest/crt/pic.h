/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair, with its lines at vectors PIC_VECTOR to PIC_VECTOR + 15.
 */
#ifndef GUEST_CRT_PIC_H
#define GUEST_CRT_PIC_H

#include <stdint.h>

#define PIC_VECTOR 0x20

#define PIC1_COMMAND 0x20
#define PIC1_DATA    0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA    0xa1

#define PIC_EOI      0x20 /* OCW2: non-specific EOI */
#define PIC_READ_IRR 0x0a /* OCW3 */
#define PIC_READ_ISR 0x0b

/* Both chips initialized, all lines masked; a local APIC, if any, passes the PIC's output on. */
void pic_init(void);

void pic_mask(uint16_t lines); /* exactly these lines are masked */
void pic_eoi(uint8_t line);

/* Request and in-service registers of both chips, bit = line. */
uint16_t pic_irr(void);
uint16_t pic_isr(void);

#endif
