/* SPDX-License-Identifier: MIT */
/*
 * Builds the machine: devices, ports, interrupt lines.
 */
#include "hv/dev/platform.h"
#include "hv/dev/ports.h"
#include "hv/lib/err.h"

/* Keeps the devices' products of frequency and small factors within 64 bits. */
#define MAX_HZ (1ull << 40)

static void platform_irq(void *ctx, u32 line, bool level)
{
    struct platform *p = ctx;

    pic_line(&p->pic, line, level);
}

int platform_init(struct platform *p, struct dev_host *host)
{
    struct dev_irq irq = {platform_irq, p};
    int err;

    if (!host->hz || host->hz > MAX_HZ)
        return -HV_EINVAL;
    for (u32 i = 0; i < DEV_TIMER_COUNT; i++)
        host->timer(host->ctx, (enum dev_timer)i, 0);
    pio_init(&p->bus);
    pic_init(&p->pic, host);
    pit_init(&p->pit, host, irq);
    uart_init(&p->uart, host, irq);
    host->intr(host->ctx, false);
    err = pic_claim(&p->pic, &p->bus);
    err = err ? err : pit_claim(&p->pit, &p->bus);
    err = err ? err : uart_claim(&p->uart, &p->bus);
    return err ? err : ports_init(&p->bus, host);
}

void platform_timer(struct platform *p, enum dev_timer which)
{
    switch (which) {
    case DEV_TIMER_PIT0: pit_timer(&p->pit); break;
    case DEV_TIMER_UART: uart_timer(&p->uart); break;
    case DEV_TIMER_COUNT: break;
    }
}
