/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair. Requests are recomputed after every change, which also carries the slave's
 * output into the master's IR2. Source: Intel 8259A data sheet; the ELCR: Intel 82371 (PIIX) data
 * sheet.
 */
#include "hv/dev/pic.h"
#include "hv/lib/string.h"

#define PIC_MASTER_PORT 0x20
#define PIC_SLAVE_PORT  0xa0
#define PIC_ELCR_PORT   0x4d0

#define CASCADE_IR 2

#define ICW1_IC4  BIT(0) /* ICW4 follows */
#define ICW1_SNGL BIT(1) /* no cascade, no ICW3 */
#define ICW1_LTIM BIT(3) /* all inputs level-triggered */
#define ICW1_INIT BIT(4)
#define ICW4_UPM  BIT(0) /* 8086 mode */
#define ICW4_AEOI BIT(1)
#define ICW4_SFNM BIT(4) /* special fully nested mode */

#define OCW2_LEVEL 0x07
#define OCW2_EOI   BIT(5)
#define OCW2_SL    BIT(6)
#define OCW2_R     BIT(7)

#define OCW3      BIT(3)
#define OCW3_RIS  BIT(0)
#define OCW3_RR   BIT(1)
#define OCW3_P    BIT(2)
#define OCW3_SMM  BIT(5)
#define OCW3_ESMM BIT(6)

#define POLL_INTERRUPT BIT(7)

static u8 chip_irr(const struct pic_chip *c)
{
    u8 level = (c->icw1 & ICW1_LTIM) ? 0xff : c->elcr;

    return (u8)((c->lines & level) | (c->edges & ~level));
}

/* Distance of the most urgent IR in set from the top of the priority order; 8: set is empty. */
static u32 chip_rank(const struct pic_chip *c, u8 set)
{
    u32 shift = (c->lowest + 1u) & 7;
    u32 turned = ((u32)set >> shift | (u32)set << (8 - shift)) & 0xff;

    return (u32)__builtin_ctz(turned | 0x100);
}

static u32 chip_ir(const struct pic_chip *c, u32 rank)
{
    return (c->lowest + 1 + rank) & 7;
}

/* In special mask mode a masked level that is in service holds nothing back. */
static u8 chip_in_service(const struct pic_chip *c)
{
    return c->special_mask ? (u8)(c->isr & ~c->imr) : c->isr;
}

static bool chip_cascades(const struct pic_chip *c, u32 ir)
{
    return !(c->icw1 & ICW1_SNGL) && (c->icw3 & BIT(ir));
}

/*
 * The IR to be served next, or -1. In service, a level holds back itself and all below; in special
 * fully nested mode a slave's level does not hold back itself, as the slave may have found a
 * more urgent one. A chip that awaits initialization words requests nothing.
 */
static int chip_next(const struct pic_chip *c, bool master)
{
    u32 request = chip_rank(c, (u8)(chip_irr(c) & ~c->imr));
    u32 service = chip_rank(c, chip_in_service(c));
    u32 ir = chip_ir(c, request);

    if (request == 8 || c->icw_next)
        return -1;
    if (request == service && master && (c->icw4 & ICW4_SFNM) && chip_cascades(c, ir))
        return (int)ir;
    return request < service ? (int)ir : -1;
}

static void chip_line(struct pic_chip *c, u32 ir, bool level)
{
    u8 bit = (u8)BIT(ir);

    if (level) {
        c->edges |= (u8)(bit & ~c->lines);
        c->lines |= bit;
    } else {
        c->edges &= (u8)~bit;
        c->lines &= (u8)~bit;
    }
}

static void chip_acknowledge(struct pic_chip *c, u32 ir)
{
    c->edges &= (u8)~BIT(ir);
    if (!(c->icw4 & ICW4_AEOI))
        c->isr |= (u8)BIT(ir);
    else if (c->rotate_aeoi)
        c->lowest = (u8)ir;
}

/* Carries every consequence of a change from the slave's inputs to the host. */
static void pic_update(struct pic *pic)
{
    struct pic_chip *master = &pic->chip[0];
    int next;

    chip_line(master, CASCADE_IR, chip_next(&pic->chip[1], false) >= 0);
    next = chip_next(master, true);
    if (next >= 0)
        pic->winner = (u8)next;
    if (pic->intr == (next >= 0))
        return;
    pic->intr = next >= 0;
    pic->withdrawn = !pic->intr;
    pic->host->intr(pic->host->ctx, pic->intr);
}

/* The same after something that answered the request: that INTR falls is then no withdrawal. */
static void pic_update_answered(struct pic *pic)
{
    pic_update(pic);
    pic->withdrawn = false;
}

void pic_line(struct pic *pic, u32 line, bool level)
{
    if (line == CASCADE_IR || line > 15)
        return;
    chip_line(&pic->chip[line >> 3], line & 7, level);
    pic_update(pic);
}

/*
 * A slave's part of an acknowledge cycle: the one whose number the cascade lines carry drives the
 * vector, without one the bus floats. Its INT output falls even when it has more to ask for, so
 * that the edge-triggered master sees the next request.
 */
static int slave_acknowledge(struct pic *pic, u32 number)
{
    struct pic_chip *slave = &pic->chip[1];
    int ir = chip_next(slave, false);

    if ((slave->icw3 & 7) != number)
        return 0xff;
    if (ir >= 0)
        chip_acknowledge(slave, (u32)ir);
    chip_line(&pic->chip[0], CASCADE_IR, false);
    return (slave->icw2 & 0xf8) | (ir >= 0 ? ir : 7);
}

/*
 * The request vanished before the acknowledge cycle. Either chip can have lost it: when it was a
 * slave's, the master counts the slave as in service and only the slave has nothing to give.
 */
static int pic_spurious(struct pic *pic)
{
    struct pic_chip *master = &pic->chip[0];

    pic->withdrawn = false;
    if (!chip_cascades(master, pic->winner) || chip_next(&pic->chip[1], false) >= 0)
        return (master->icw2 & 0xf8) | 7;
    chip_acknowledge(master, pic->winner);
    return slave_acknowledge(pic, pic->winner);
}

int pic_acknowledge(struct pic *pic)
{
    struct pic_chip *master = &pic->chip[0];
    u32 ir = pic->winner;
    int vector;

    if (!pic->intr)
        return pic->withdrawn ? pic_spurious(pic) : -1;
    chip_acknowledge(master, ir);
    if (chip_cascades(master, ir))
        vector = slave_acknowledge(pic, ir);
    else
        vector = (master->icw2 & 0xf8) | (int)ir;
    pic_update_answered(pic);
    return vector;
}

/* Poll mode: the read is the acknowledge cycle and gives the level instead of a vector. */
static u8 chip_poll(struct pic *pic, struct pic_chip *c)
{
    bool master = c == &pic->chip[0];
    int ir = chip_next(c, master);

    c->poll = false;
    if (ir < 0)
        return 0;
    chip_acknowledge(c, (u32)ir);
    if (!master)
        chip_line(&pic->chip[0], CASCADE_IR, false);
    pic_update_answered(pic);
    return (u8)(POLL_INTERRUPT | (u32)ir);
}

/* ICW1 also clears the edge detectors: a line that is high must fall before it requests again. */
static void chip_write_icw1(struct pic_chip *c, u8 value)
{
    c->icw1 = value;
    c->icw4 = 0;
    c->icw_next = 2;
    c->edges = 0;
    c->isr = 0;
    c->imr = 0;
    c->lowest = 7;
    c->rotate_aeoi = false;
    c->special_mask = false;
    c->read_isr = false;
    c->poll = false;
}

static void pic_write_icw(struct pic *pic, struct pic_chip *c, u8 value)
{
    bool icw4 = c->icw1 & ICW1_IC4;

    switch (c->icw_next) {
    case 2:
        c->icw2 = value;
        c->icw_next = (c->icw1 & ICW1_SNGL) ? (icw4 ? 4 : 0) : 3;
        break;
    case 3:
        c->icw3 = value;
        c->icw_next = icw4 ? 4 : 0;
        break;
    default: c->icw4 = value; c->icw_next = 0;
    }
    if (!c->icw_next && !(c->icw4 & ICW4_UPM) && !pic->mcs80_noted) {
        pic->mcs80_noted = true;
        pic->host->note(pic->host->ctx, "PIC: MCS-80 mode requested, 8086 mode kept");
    }
}

/* The levels of an OCW2 command that names none: the most urgent one in service. */
static u32 ocw2_level(const struct pic_chip *c, u8 value)
{
    u32 rank = chip_rank(c, chip_in_service(c));

    if (value & OCW2_SL)
        return value & OCW2_LEVEL;
    return rank == 8 ? 8 : chip_ir(c, rank);
}

static void chip_write_ocw2(struct pic_chip *c, u8 value)
{
    u32 level = ocw2_level(c, value);

    if (!(value & (OCW2_EOI | OCW2_SL))) {
        c->rotate_aeoi = value & OCW2_R;
        return;
    }
    if (level == 8)
        return;
    if (value & OCW2_EOI)
        c->isr &= (u8)~BIT(level);
    if (value & OCW2_R)
        c->lowest = (u8)level;
}

static void chip_write_ocw3(struct pic_chip *c, u8 value)
{
    if (value & OCW3_ESMM)
        c->special_mask = value & OCW3_SMM;
    if (value & OCW3_P)
        c->poll = true;
    else if (value & OCW3_RR)
        c->read_isr = value & OCW3_RIS;
}

static void pic_write(void *dev, u16 port, u8 value)
{
    struct pic *pic = dev;
    struct pic_chip *c = &pic->chip[port >= PIC_SLAVE_PORT];

    if (port & 1) {
        if (c->icw_next)
            pic_write_icw(pic, c, value);
        else
            c->imr = value;
    } else if (value & ICW1_INIT) {
        chip_write_icw1(c, value);
        pic_update_answered(pic);
    } else if (value & OCW3) {
        chip_write_ocw3(c, value);
    } else {
        chip_write_ocw2(c, value);
    }
    pic_update(pic);
}

static u32 pic_read(void *dev, u16 port)
{
    struct pic *pic = dev;
    struct pic_chip *c = &pic->chip[port >= PIC_SLAVE_PORT];

    if (c->poll)
        return chip_poll(pic, c);
    if (port & 1)
        return c->imr;
    return c->read_isr ? c->isr : chip_irr(c);
}

static u32 elcr_read(void *dev, u16 port)
{
    struct pic *pic = dev;

    return pic->chip[port & 1].elcr;
}

static void elcr_write(void *dev, u16 port, u8 value)
{
    struct pic *pic = dev;
    struct pic_chip *c = &pic->chip[port & 1];

    c->elcr = value & c->elcr_writable;
    pic_update(pic);
}

void pic_init(struct pic *pic, struct dev_host *host)
{
    memset(pic, 0, sizeof(*pic));
    pic->host = host;
    for (u32 i = 0; i < 2; i++) {
        struct pic_chip *c = &pic->chip[i];

        c->icw1 = ICW1_INIT | ICW1_IC4;
        c->icw2 = i ? 0x70 : 0x08;
        c->icw3 = i ? CASCADE_IR : BIT(CASCADE_IR);
        c->icw4 = ICW4_UPM;
        c->imr = 0xff;
        c->lowest = 7;
    }
    /* Timer, keyboard, cascade, clock and coprocessor are edge-triggered whatever one writes. */
    pic->chip[0].elcr_writable = 0xf8;
    pic->chip[1].elcr_writable = 0xde;
}

int pic_claim(struct pic *pic, struct pio_bus *bus)
{
    static const struct pio_ops ops = {pic_read, pic_write, NULL};
    static const struct pio_ops elcr_ops = {elcr_read, elcr_write, NULL};
    int err = pio_claim(bus, PIC_MASTER_PORT, PIC_MASTER_PORT + 1, &ops, pic);

    err = err ? err : pio_claim(bus, PIC_SLAVE_PORT, PIC_SLAVE_PORT + 1, &ops, pic);
    return err ? err : pio_claim(bus, PIC_ELCR_PORT, PIC_ELCR_PORT + 1, &elcr_ops, pic);
}
