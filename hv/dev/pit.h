/* SPDX-License-Identifier: MIT */
/*
 * The PC's 8254 interval timer and the system control port 0x61 that gates its counter 2. All
 * counting is derived from host->now(): the CLK input is numbered from pit_init on and a counter
 * remembers the number of the CLK that loaded it. Source: Intel 8254 data sheet.
 */
#ifndef HV_DEV_PIT_H
#define HV_DEV_PIT_H

#include "hv/dev/dev.h"
#include "hv/dev/ratio.h"

#define PIT_HZ    1193182u
#define PIT_NEVER UINT64_MAX

struct pit;

struct pit_counter {
    struct pit *pit;
    u64 start;   /* CLK that loaded the count in effect (mode 3: that began its high half) */
    u64 load_at; /* CLK that will load the count register; PIT_NEVER: none will */
    u64 held;    /* CLKs counted since start when GATE stopped the counter */
    u32 initial; /* count in effect: 1-65536 */
    u32 reg;     /* count register: 1-65536 */
    u32 period;  /* direct: the count is initial - ((CLKs since start) % period << step) */
    u16 idle;    /* what the counting element holds while no count is in effect */
    u16 latch;   /* latched count, as it will be read */
    bool direct; /* a read needs no more than that formula */
    u8 step;
    u8 read_shift; /* 0: the next byte read is the low one; 8: the high one */
    u8 read_flip;  /* what a byte read changes read_shift by */
    u8 control;    /* bits 5-0 of the control word */
    u8 low;        /* least significant byte of a count half written */
    u8 status;     /* latched status */
    bool count_latched;
    bool status_latched;
    bool write_high; /* the next byte written is the most significant one */
    bool gate;
    bool loaded;   /* a count is in effect */
    bool frozen;   /* GATE is low and stops it */
    bool null;     /* the count register holds what was not loaded yet */
    bool written;  /* it holds a count written since the last control word */
    bool load_low; /* the due load begins a low half of mode 3 */
};

struct pit {
    struct dev_host *host;
    struct dev_irq irq;
    u64 base;               /* tick of CLK 0 */
    struct ratio to_clocks; /* ticks to CLKs */
    struct ratio to_ticks;
    u64 edge;     /* CLK of the next rising edge of OUT 0 to deliver */
    u64 deadline; /* armed tick; 0: none */
    bool line;    /* level given to irq */
    u8 port61;    /* bits 3-0 as written */
    struct pit_counter counter[3];
};

/*
 * Power-on state: nothing counts, all OUTs high, GATE 2 low. host and irq.ctx must outlive pit;
 * host->hz must be 1 to 2^40.
 */
void pit_init(struct pit *pit, struct dev_host *host, struct dev_irq irq);

/* Claims ports 0x40-0x43 and 0x61. 0, or an error of pio_claim. */
int pit_claim(struct pit *pit, struct pio_bus *bus);

/*
 * To be called when DEV_TIMER_PIT0 is due; early calls only arm it again. Delivers the edge of
 * OUT 0 to line 0. When several edges of a periodic mode went by since the last call they are
 * delivered as one, and the next comes in phase: an interrupt controller could not have counted
 * them either.
 */
void pit_timer(struct pit *pit);

#endif
