/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of this CPU, in xAPIC or x2APIC mode (used when the firmware left it on, or when
 * APIC IDs above 254 exist and the CPU has it, or with "x2apic" on the command line).
 */
#ifndef HV_HOST_APIC_H
#define HV_HOST_APIC_H

#include "hv/host/boot_info.h"

/*
 * On the boot CPU, once, after acpi_init and paging_init, interrupts off: chooses the mode for all
 * CPUs, masks the legacy PICs, maps the registers and calls apic_init_cpu. 0, -HV_ENODEV (no local
 * APIC) or -HV_ENOMEM, logged.
 */
int apic_init(const struct boot_info *bi);

/* Enables this CPU's APIC with every local vector masked. Interrupts off. */
void apic_init_cpu(void);

u32 apic_id(void);
void apic_eoi(void);

/*
 * Interprocessor interrupts to the CPU with that APIC ID. They wait, executing PAUSE, until the one
 * sent before was accepted. apic_send: fixed delivery; apic_send_startup: page is the 4 KiB page
 * below 1 MiB where the target begins.
 */
void apic_send(u32 apic_id, u8 vector);
void apic_send_nmi(u32 apic_id);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);

/*
 * This CPU's timer, which time.c drives. Setting it up leaves it stopped and unmasked with that
 * vector, divider 1, one-shot or (deadline) following the TSC. Counts are of the APIC's timer
 * clock; a count of 0 stops it.
 */
void apic_timer_setup(u8 vector, bool deadline);
void apic_timer_start(u32 count);
u32 apic_timer_left(void);

#endif
