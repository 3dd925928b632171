/* SPDX-License-Identifier: MIT */
/*
 * The PC's pair of 8259A interrupt controllers, slave on IR2 of the master, with the edge/level
 * control registers (ELCR) of later chipsets. Source: Intel 8259A data sheet.
 */
#ifndef HV_DEV_PIC_H
#define HV_DEV_PIC_H

#include "hv/dev/dev.h"

struct pic_chip {
    u8 lines; /* IR inputs */
    u8 edges; /* rising edges seen; a falling input or an acknowledgement clears its bit */
    u8 isr;   /* in service */
    u8 imr;   /* interrupt mask */
    u8 elcr;  /* 1: level-triggered */
    u8 elcr_writable;
    u8 icw1;
    u8 icw2; /* vector of IR0 */
    u8 icw3; /* master: inputs with a slave; slave: its number */
    u8 icw4;
    u8 icw_next; /* initialization word expected at A0 = 1: 2-4; 0: none */
    u8 lowest;   /* IR of lowest priority */
    bool rotate_aeoi;
    bool special_mask;
    bool read_isr;
    bool poll;
};

struct pic {
    struct dev_host *host;
    struct pic_chip chip[2]; /* master, slave */
    bool intr;               /* INT output of the master, as last told to the host */
    bool mcs80_noted;
    u8 winner;      /* IR of the master that raised intr */
    bool withdrawn; /* its request vanished before the acknowledgement */
};

/*
 * State after init: as firmware leaves it (vectors 0x08 and 0x70, cascaded, 8086 mode), all inputs
 * masked and edge-triggered. host must outlive pic.
 */
void pic_init(struct pic *pic, struct dev_host *host);

/* Claims ports 0x20-0x21, 0xa0-0xa1, 0x4d0-0x4d1. 0, or an error of pio_claim. */
int pic_claim(struct pic *pic, struct pio_bus *bus);

/* Level of input line 0-15. Line 2 is the cascade and ignored. */
void pic_line(struct pic *pic, u32 line, bool level);

/*
 * The processor's interrupt acknowledge cycle. Returns the vector; when the request that raised
 * INTR has vanished since (masked, or its line fell), the vector of the spurious IRQ 7 or 15, once;
 * -1 when INTR had not been raised, so that no processor would acknowledge. A caller that looks at
 * pic_pending first never sees a spurious interrupt.
 */
int pic_acknowledge(struct pic *pic);

/* INTR: an unmasked request waits that nothing in service holds back. */
static inline bool pic_pending(const struct pic *pic)
{
    return pic->intr;
}

#endif
