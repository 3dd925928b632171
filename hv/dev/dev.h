/* SPDX-License-Identifier: MIT */
/*
 * What a virtual device needs from the world above it, and how port accesses reach it. Devices
 * know no VM and no host: everything outside goes through struct dev_host, which hv/vm (or a unit
 * test) provides. All calls for one VM's devices are serialized by the caller.
 */
#ifndef HV_DEV_DEV_H
#define HV_DEV_DEV_H

#include "hv/lib/types.h"

/* Timers a VM's devices may arm; each has one deadline. */
enum dev_timer { DEV_TIMER_PIT0, DEV_TIMER_UART, DEV_TIMER_COUNT };

struct dev_host {
    void *ctx;
    u64 hz;                /* ticks per second of now() */
    u64 (*now)(void *ctx); /* ticks; never goes backwards */
    /* One-shot: calls the device's timer function at or after deadline. 0 disarms. */
    void (*timer)(void *ctx, enum dev_timer which, u64 deadline);
    /* Output of the PIC pair: an unmasked interrupt waits (true) or none does. Changes only. */
    void (*intr)(void *ctx, bool pending);
    /* One character of guest console output. */
    void (*console_out)(void *ctx, u8 c);
    /* The guest wrote value to the exit port. */
    void (*exit_port)(void *ctx, u32 value);
    /* What could not be honoured, once per kind, for the log. */
    void (*note)(void *ctx, const char *text);
};

/* Where a device's interrupt output is soldered to: set() gives input line 0-15 a level. */
struct dev_irq {
    void (*set)(void *ctx, u32 line, bool level);
    void *ctx;
};

/*
 * A port device. Its registers are 8 bits wide: wider accesses are split into single bytes, lowest
 * address and least significant byte first. A device for which one wide write is one event
 * provides write_wide, which then gets every write of 2 or 4 bytes that lies inside its claim.
 */
struct pio_ops {
    u32 (*read)(void *dev, u16 port); /* returns 0-0xff */
    void (*write)(void *dev, u16 port, u8 value);
    void (*write_wide)(void *dev, u16 port, u32 size, u32 value); /* or NULL */
};

/* Ports below PIO_PORTS can be claimed, which reaches up to the PIC's ELCR. */
#define PIO_PORTS   0x500
#define PIO_DEVICES 16

/* One claimant: its operations, copied so that a read costs one dependent load less. */
struct pio_slot {
    struct pio_ops ops;
    void *dev;
};

/* Slot 0 answers for absent ports, so that finding nobody needs no branch. */
struct pio_bus {
    struct pio_slot slot[PIO_DEVICES];
    u8 index[PIO_PORTS]; /* slot of each port */
    u32 count;           /* slots in use */
};

void pio_init(struct pio_bus *bus);

/*
 * Claims [first, last] for dev, which must outlive the bus. 0, -HV_EEXIST when one of the ports is
 * taken, -HV_ENOSPC without a free slot, -HV_EINVAL for a bad range or missing operations.
 */
int pio_claim(struct pio_bus *bus, u16 first, u16 last, const struct pio_ops *ops, void *dev);

u32 pio_read_wide(struct pio_bus *bus, u16 port, u32 size);
void pio_write_wide(struct pio_bus *bus, u16 port, u32 size, u32 value);

/* True when somebody claims port: what makes the exit "pio_in" rather than "pio_absent". */
static inline bool pio_present(const struct pio_bus *bus, u16 port)
{
    return port < PIO_PORTS && bus->index[port];
}

static inline struct pio_slot *pio_slot(struct pio_bus *bus, u16 port)
{
    return &bus->slot[likely(port < PIO_PORTS) ? bus->index[port] : 0];
}

/*
 * An access of 1, 2 or 4 bytes to any port. Absent ports read as all ones and swallow writes; an
 * access beyond port 0xffff continues at port 0.
 */
static inline u32 pio_read(struct pio_bus *bus, u16 port, u32 size)
{
    struct pio_slot *slot = pio_slot(bus, port);

    return likely(size == 1) ? slot->ops.read(slot->dev, port) : pio_read_wide(bus, port, size);
}

static inline void pio_write(struct pio_bus *bus, u16 port, u32 size, u32 value)
{
    struct pio_slot *slot = pio_slot(bus, port);

    if (likely(size == 1))
        slot->ops.write(slot->dev, port, (u8)value);
    else
        pio_write_wide(bus, port, size, value);
}

#endif
