/* SPDX-License-Identifier: MIT */
/*
 * The devices of one VM and how they are wired to each other: what hv/vm embeds and talks to.
 */
#ifndef HV_DEV_PLATFORM_H
#define HV_DEV_PLATFORM_H

#include "hv/dev/pic.h"
#include "hv/dev/pit.h"
#include "hv/dev/uart.h"

struct platform {
    struct pio_bus bus;
    struct pit pit;
    struct pic pic;
    struct uart uart;
};

/*
 * Brings all devices into their power-on state and claims their ports. host must outlive p and
 * have every function set; p must not move. Returns 0, or -HV_EINVAL when host->hz is 0 or beyond
 * 2^40. Also the way to reset; timers armed before are then disarmed.
 */
int platform_init(struct platform *p, struct dev_host *host);

/* A timer armed through host->timer is due. */
void platform_timer(struct platform *p, enum dev_timer which);

#endif
