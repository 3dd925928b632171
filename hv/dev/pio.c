/* SPDX-License-Identifier: MIT */
/*
 * The port bus: who claims which port, and how accesses wider than a byte are split. The one-byte
 * case, which is nearly every access, is inline in dev.h.
 */
#include "hv/dev/dev.h"
#include "hv/lib/err.h"
#include "hv/lib/string.h"

static u32 absent_read(void *dev, u16 port)
{
    (void)dev;
    (void)port;
    return 0xff;
}

static void absent_write(void *dev, u16 port, u8 value)
{
    (void)dev;
    (void)port;
    (void)value;
}

void pio_init(struct pio_bus *bus)
{
    memset(bus, 0, sizeof(*bus));
    bus->slot[0].ops.read = absent_read;
    bus->slot[0].ops.write = absent_write;
    bus->count = 1;
}

int pio_claim(struct pio_bus *bus, u16 first, u16 last, const struct pio_ops *ops, void *dev)
{
    if (first > last || last >= PIO_PORTS || !ops->read || !ops->write)
        return -HV_EINVAL;
    for (u32 port = first; port <= last; port++)
        if (bus->index[port])
            return -HV_EEXIST;
    if (bus->count == PIO_DEVICES)
        return -HV_ENOSPC;
    bus->slot[bus->count].ops = *ops;
    bus->slot[bus->count].dev = dev;
    memset(&bus->index[first], (int)bus->count, (size_t)(last - first) + 1);
    bus->count++;
    return 0;
}

u32 pio_read_wide(struct pio_bus *bus, u16 port, u32 size)
{
    u32 value = 0;

    for (u32 i = 0; i < size; i++)
        value |= pio_read(bus, (u16)(port + i), 1) << (8 * i);
    return value;
}

void pio_write_wide(struct pio_bus *bus, u16 port, u32 size, u32 value)
{
    struct pio_slot *slot = pio_slot(bus, port);
    struct pio_slot *end = pio_slot(bus, (u16)(port + size - 1));

    if (slot->ops.write_wide && slot == end) {
        slot->ops.write_wide(slot->dev, port, size, value);
        return;
    }
    for (u32 i = 0; i < size; i++)
        pio_write(bus, (u16)(port + i), 1, value >> (8 * i));
}
