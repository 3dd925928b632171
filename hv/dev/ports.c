/* SPDX-License-Identifier: MIT */
/*
 * Debug console and exit port.
 */
#include "hv/dev/ports.h"
#include "hv/abi/ports.h"

/* A guest finds out that somebody listens by reading the port's own number from it. */
static u32 debugcon_read(void *dev, u16 port)
{
    (void)dev;
    (void)port;
    return PORT_DEBUGCON;
}

static void debugcon_write(void *dev, u16 port, u8 value)
{
    struct dev_host *host = dev;

    (void)port;
    host->console_out(host->ctx, value);
}

static u32 exit_read(void *dev, u16 port)
{
    (void)dev;
    (void)port;
    return 0;
}

static void exit_write_wide(void *dev, u16 port, u32 size, u32 value)
{
    struct dev_host *host = dev;

    (void)port;
    host->exit_port(host->ctx, size == 2 ? (u16)value : value);
}

static void exit_write(void *dev, u16 port, u8 value)
{
    exit_write_wide(dev, port, 1, value);
}

static const struct pio_ops debugcon_ops = {debugcon_read, debugcon_write, NULL};
static const struct pio_ops exit_ops = {exit_read, exit_write, exit_write_wide};

int ports_init(struct pio_bus *bus, struct dev_host *host)
{
    int err = pio_claim(bus, PORT_DEBUGCON, PORT_DEBUGCON, &debugcon_ops, host);

    return err ? err : pio_claim(bus, PORT_EXIT, PORT_EXIT + 3, &exit_ops, host);
}
