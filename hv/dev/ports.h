/* SPDX-License-Identifier: MIT */
/*
 * The two ports a payload and its emulator talk through: the debug console (0xe9) and the exit
 * port (0xf4-0xf7, compatible with QEMU's isa-debug-exit). Neither has state.
 */
#ifndef HV_DEV_PORTS_H
#define HV_DEV_PORTS_H

#include "hv/dev/dev.h"

/*
 * Claims both on bus; host must outlive it. Every write to the exit port, of 1, 2 or 4 bytes, is
 * one host->exit_port(value); it reads as 0. 0, or an error of pio_claim.
 */
int ports_init(struct pio_bus *bus, struct dev_host *host);

#endif
