/* SPDX-License-Identifier: MIT */
/*
 * This CPU's local APIC, in xAPIC or x2APIC mode as it was found. Use only where
 * platform_has_lapic().
 */
#ifndef GUEST_CRT_LAPIC_H
#define GUEST_CRT_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* Register offsets in xAPIC's page. */
#define LAPIC_ID    0x020
#define LAPIC_EOI   0x0b0
#define LAPIC_SVR   0x0f0
#define LAPIC_ICR   0x300
#define LAPIC_LINT0 0x350

#define LAPIC_ICR_SELF (1u << 18) /* destination shorthand: self; fixed delivery */

/* MSR number of an xAPIC register in x2APIC mode. */
#define LAPIC_X2APIC_MSR(reg) (0x800u + ((reg) >> 4))

bool lapic_is_x2apic(void);

/* Address of the xAPIC register page. */
uintptr_t lapic_base(void);

uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t value);

/* Software-enables the APIC and lets the PIC's output through LINT0. */
void lapic_virtual_wire(void);

#endif
