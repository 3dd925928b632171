/* SPDX-License-Identifier: MIT */
/*
 * The 8254. Between accesses nothing runs: a counter is a few numbers from which its count and OUT
 * at any CLK follow, and a load that is due takes effect when somebody looks. Source: Intel 8254
 * data sheet; port 0x61: Intel 82371 (PIIX) data sheet.
 */
#include "hv/dev/pit.h"
#include "hv/lib/string.h"

#define PIT_PORT     0x40
#define PIT_CONTROL  (PIT_PORT + 3)
#define CONTROL_PORT 0x61

#define CW_BCD       BIT(0)
#define CW_MODE(cw)  (((cw) >> 1) & 7)
#define CW_RW(cw)    (((cw) >> 4) & 3)
#define CW_SC(cw)    ((cw) >> 6)
#define CW_READ_BACK 3
#define CW_BITS      0x3f

#define RW_LATCH 0 /* counter latch command */
#define RW_LOW   1
#define RW_HIGH  2

#define READ_BACK_NO_STATUS BIT(4)
#define READ_BACK_NO_COUNT  BIT(5)
#define STATUS_NULL         BIT(6)
#define STATUS_OUT          BIT(7)

#define P61_GATE2    BIT(0)
#define P61_WRITABLE 0x0f
#define P61_REFRESH  BIT(4)
#define P61_OUT2     BIT(5)
/* The refresh bit toggles with each memory refresh, every 18 CLKs or 15 us. */
#define REFRESH_CLOCKS 18

static inline u64 pit_clock(const struct pit *pit)
{
    return ratio_floor(&pit->to_clocks, pit->host->now(pit->host->ctx) - pit->base);
}

/* The first tick at which pit_clock() reaches clock. */
static u64 pit_tick(const struct pit *pit, u64 clock)
{
    u64 ticks = ratio_floor(&pit->to_ticks, clock);

    return pit->base + ticks + (ratio_floor(&pit->to_clocks, ticks) < clock);
}

/* Modes 6 and 7 are 2 and 3. */
static u32 counter_mode(const struct pit_counter *c)
{
    u32 mode = CW_MODE(c->control);

    return mode > 5 ? mode - 4 : mode;
}

static bool mode_periodic(u32 mode)
{
    return mode == 2 || mode == 3;
}

/* A rising GATE starts the counter; its level means nothing. */
static bool mode_triggered(u32 mode)
{
    return mode == 1 || mode == 5;
}

static u32 counter_modulus(const struct pit_counter *c)
{
    return (c->control & CW_BCD) ? 10000 : 65536;
}

static u64 counter_elapsed(const struct pit_counter *c, u64 clock)
{
    return c->frozen ? c->held : clock - c->start;
}

/* Length of the high half of mode 3, which gets the odd CLK. */
static u32 high_half(u32 count)
{
    return (count + 1) / 2;
}

/* Takes the count register into the counting element. */
static void counter_load(struct pit_counter *c)
{
    c->initial = c->reg;
    c->start = c->load_at - (c->load_low ? high_half(c->reg) : 0);
    c->held = 0;
    c->frozen = !c->gate && !mode_triggered(counter_mode(c));
    c->loaded = true;
    c->null = false;
    c->load_low = false;
    c->load_at = PIT_NEVER;
}

static inline void counter_settle(struct pit_counter *c, u64 clock)
{
    if (unlikely(clock >= c->load_at))
        counter_load(c);
}

/* Mode 3 counts down by two, twice a period, from an even number. */
static u32 square_count(u32 initial, u32 phase)
{
    u32 half = high_half(initial);

    return (initial & ~1u) - 2 * (phase < half ? phase : phase - half);
}

/* The count, in binary; counter settled. */
static u32 counter_count(const struct pit_counter *c, u64 clock)
{
    u32 mode = counter_mode(c), modulus = counter_modulus(c);
    u64 elapsed = counter_elapsed(c, clock);

    if (unlikely(!c->loaded))
        return c->idle;
    if (mode == 2)
        return c->initial - (u32)(elapsed % c->initial);
    if (mode == 3)
        return square_count(c->initial, (u32)(elapsed % c->initial));
    return (c->initial + modulus - (u32)(elapsed % modulus)) % modulus;
}

static u16 to_bcd(u32 n)
{
    return (u16)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12);
}

static u32 from_bcd(u16 n)
{
    return (n & 15u) + 10 * (n >> 4 & 15u) + 100 * (n >> 8 & 15u) + 1000 * (n >> 12 & 15u);
}

/* The count as the data bus shows it. */
static u16 counter_value(const struct pit_counter *c, u64 clock)
{
    u32 count = counter_count(c, clock);

    return unlikely(c->control & CW_BCD) ? to_bcd(count) : (u16)count;
}

/* Level of OUT; counter settled. */
static bool counter_out(const struct pit_counter *c, u64 clock)
{
    u64 elapsed = counter_elapsed(c, clock);
    u32 mode = counter_mode(c);

    if (!c->loaded)
        return mode != 0;
    switch (mode) {
    case 0:
    case 1: return elapsed >= c->initial;
    case 2: return c->frozen || elapsed % c->initial != c->initial - 1;
    case 3: return c->frozen || elapsed % c->initial < high_half(c->initial);
    default: return elapsed != c->initial;
    }
}

/* Stops counting with no count in effect; OUT goes to where the mode has it initially. */
static void counter_stop(struct pit_counter *c, u64 clock)
{
    c->idle = (u16)counter_count(c, clock);
    c->loaded = false;
    c->frozen = false;
    c->load_low = false;
    c->load_at = PIT_NEVER;
}

/*
 * When a count just written will be loaded: at the next CLK; by the next trigger; or, where a
 * periodic mode runs, at the end of its period (mode 2) or half period (mode 3).
 */
static void counter_schedule(struct pit_counter *c, u64 clock)
{
    u32 mode = counter_mode(c), half = high_half(c->initial), phase;

    if (mode_triggered(mode))
        return;
    c->load_at = clock + 1;
    c->load_low = false;
    if (!mode_periodic(mode) || !c->loaded || c->frozen)
        return;
    phase = (u32)((clock - c->start) % c->initial);
    c->load_low = mode == 3 && phase < half;
    c->load_at = clock + (c->load_low ? half : c->initial) - phase;
}

/*
 * Works out whether reads can take the short way, as nearly all do: nothing latched, no load due,
 * counting, and no decimal or odd square wave arithmetic.
 */
static void counter_refresh(struct pit_counter *c)
{
    u32 mode = counter_mode(c);
    bool square = mode == 3;

    c->direct = c->loaded && !c->frozen && c->load_at == PIT_NEVER && !c->count_latched &&
                !c->status_latched && !(c->control & CW_BCD) && !(square && (c->initial & 1));
    c->step = square;
    c->period = mode_periodic(mode) ? c->initial >> square : counter_modulus(c);
}

/* A whole count came. In BCD too, 0 is the largest. */
static void counter_set(struct pit_counter *c, u64 clock, u16 value)
{
    u32 count = (c->control & CW_BCD) ? from_bcd(value) : value;

    c->reg = count ? count : counter_modulus(c);
    c->null = true;
    c->written = true;
    counter_schedule(c, clock);
}

/* One byte of a count. In mode 0 the first byte already stops the counter. */
static void counter_write(struct pit_counter *c, u64 clock, u8 value)
{
    u32 rw = CW_RW(c->control);

    if (counter_mode(c) == 0)
        counter_stop(c, clock);
    if (rw == RW_LOW) {
        counter_set(c, clock, value);
    } else if (rw == RW_HIGH) {
        counter_set(c, clock, (u16)(value << 8));
    } else if (c->write_high) {
        c->write_high = false;
        counter_set(c, clock, (u16)(value << 8 | c->low));
    } else {
        c->write_high = true;
        c->low = value;
    }
}

/* The next byte read is the first one of its kind again. */
static void counter_read_first(struct pit_counter *c)
{
    u32 rw = CW_RW(c->control);

    c->read_shift = rw == RW_HIGH ? 8 : 0;
    c->read_flip = rw > RW_HIGH ? 8 : 0;
}

static void counter_control(struct pit_counter *c, u64 clock, u8 value)
{
    counter_stop(c, clock);
    c->control = value & CW_BITS;
    c->null = true;
    c->written = false;
    c->count_latched = false;
    c->status_latched = false;
    c->write_high = false;
    counter_read_first(c);
}

/* A latched count waits until it is read; latching again meanwhile does nothing. */
static void counter_latch_count(struct pit_counter *c, u64 clock)
{
    if (c->count_latched)
        return;
    c->latch = counter_value(c, clock);
    c->count_latched = true;
    counter_read_first(c);
}

static void counter_latch_status(struct pit_counter *c, u64 clock)
{
    if (c->status_latched)
        return;
    c->status =
        (u8)(c->control | (c->null ? STATUS_NULL : 0) | (counter_out(c, clock) ? STATUS_OUT : 0));
    c->status_latched = true;
}

static u8 counter_read(struct pit_counter *c, u64 clock)
{
    u16 value;
    u8 byte;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    value = c->count_latched ? c->latch : counter_value(c, clock);
    byte = (u8)(value >> c->read_shift);
    c->count_latched = c->count_latched && c->read_shift < c->read_flip;
    c->read_shift ^= c->read_flip;
    return byte;
}

/* Level of GATE. Its rise starts modes 1 and 5 and restarts 2 and 3; low stops all but 1 and 5. */
static void counter_gate(struct pit_counter *c, u64 clock, bool level)
{
    u32 mode = counter_mode(c);

    if (c->gate == level)
        return;
    c->gate = level;
    if (!level && !mode_triggered(mode) && c->loaded && !c->frozen) {
        c->held = clock - c->start;
        c->frozen = true;
    }
    if (!level && mode_periodic(mode) && c->loaded)
        c->load_at = PIT_NEVER;
    if (level && (mode_triggered(mode) || mode_periodic(mode)) && c->written) {
        c->load_at = clock + 1;
        c->load_low = false;
    } else if (level && c->frozen) {
        c->start = clock - c->held;
        c->frozen = false;
    }
}

/* The CLK of the next rising edge of OUT after clock; counter settled, GATE high. */
static u64 counter_next_edge(const struct pit_counter *c, u64 clock)
{
    bool due = c->load_at != PIT_NEVER;
    u64 start = due ? c->load_at : c->start;
    u32 count = due ? c->reg : c->initial;

    if (!due && !c->loaded)
        return PIT_NEVER;
    switch (counter_mode(c)) {
    case 0: return start + count > clock ? start + count : PIT_NEVER;
    case 4:
        if (!counter_out(c, clock))
            return clock + 1; /* the strobe ends, whatever is loaded then */
        return start + count + 1 > clock ? start + count + 1 : PIT_NEVER;
    case 2:
    case 3:
        if (!due)
            return clock + count - (clock - start) % count;
        if (!c->loaded)
            return start + count;
        return c->load_low ? start + count - high_half(count) : start;
    default: return PIT_NEVER; /* counter 0 has no trigger */
    }
}

static void pit_set_irq(struct pit *pit, bool level)
{
    if (pit->line == level)
        return;
    pit->line = level;
    pit->irq.set(pit->irq.ctx, 0, level);
}

/*
 * A rising edge of OUT 0. The low time before it is not played out on the line: that would take a
 * second timer event per period, and only the rise means anything to the PIC.
 */
static void pit_pulse(struct pit *pit)
{
    pit_set_irq(pit, false);
    pit_set_irq(pit, true);
}

/* Delivers the edge that is due. */
static void pit_catch_up(struct pit *pit, u64 clock)
{
    if (clock < pit->edge)
        return;
    pit->edge = PIT_NEVER;
    pit_pulse(pit);
}

static void pit_arm(struct pit *pit, u64 clock)
{
    u64 deadline;

    counter_settle(&pit->counter[0], clock);
    pit->edge = counter_next_edge(&pit->counter[0], clock);
    deadline = pit->edge == PIT_NEVER ? 0 : pit_tick(pit, pit->edge);
    if (deadline == pit->deadline)
        return;
    pit->deadline = deadline;
    pit->host->timer(pit->host->ctx, DEV_TIMER_PIT0, deadline);
}

void pit_timer(struct pit *pit)
{
    u64 clock = pit_clock(pit);

    pit->deadline = 0;
    pit_catch_up(pit, clock);
    pit_arm(pit, clock);
}

/* One counter's part of a control word, latch command or read-back command. */
static void counter_command(struct pit_counter *c, u64 clock, u8 value)
{
    bool read_back = CW_SC(value) == CW_READ_BACK;

    if (!read_back && CW_RW(value) != RW_LATCH) {
        counter_control(c, clock, value);
        return;
    }
    if (!read_back || !(value & READ_BACK_NO_COUNT))
        counter_latch_count(c, clock);
    if (read_back && !(value & READ_BACK_NO_STATUS))
        counter_latch_status(c, clock);
}

static void pit_write_control(struct pit *pit, u64 clock, u8 value)
{
    u32 selected = CW_SC(value) == CW_READ_BACK ? value >> 1 : BIT(CW_SC(value));

    for (u32 i = 0; i < 3; i++) {
        if (!(selected & BIT(i)))
            continue;
        counter_settle(&pit->counter[i], clock);
        counter_command(&pit->counter[i], clock, value);
        counter_refresh(&pit->counter[i]);
    }
}

static void pit_write_counter(struct pit_counter *c, u64 clock, u8 value)
{
    counter_settle(c, clock);
    counter_write(c, clock, value);
    counter_refresh(c);
}

/*
 * A write to one of the counters, or a control word (c == NULL). It may itself move OUT 0, whose
 * line, outside mode 0, stays high; see pit_pulse().
 */
static void pit_write(struct pit *pit, struct pit_counter *c, u8 value)
{
    struct pit_counter *c0 = &pit->counter[0];
    u64 clock = pit_clock(pit);
    bool before, after;

    pit_catch_up(pit, clock);
    counter_settle(c0, clock);
    before = counter_out(c0, clock);
    if (c)
        pit_write_counter(c, clock, value);
    else
        pit_write_control(pit, clock, value);
    after = counter_out(c0, clock);
    if (after && !before)
        pit_pulse(pit);
    else if (!after && counter_mode(c0) == 0)
        pit_set_irq(pit, false);
    pit_arm(pit, clock);
}

static void control_port_write(void *dev, u16 port, u8 value)
{
    (void)port;
    pit_write(dev, NULL, value);
}

/* Nobody drives the data bus. */
static u32 control_port_read(void *dev, u16 port)
{
    (void)dev;
    (void)port;
    return 0xff;
}

static void counter_port_write(void *dev, u16 port, u8 value)
{
    struct pit_counter *c = dev;

    (void)port;
    pit_write(c->pit, c, value);
}

static u8 counter_read_slow(struct pit_counter *c, u64 clock)
{
    u8 value;

    counter_settle(c, clock);
    value = counter_read(c, clock);
    counter_refresh(c);
    return value;
}

/* The port read whose cost people measure: each counter is a device of its own for its sake. */
static u32 counter_port_read(void *dev, u16 port)
{
    struct pit_counter *c = dev;
    u64 clock = pit_clock(c->pit);
    u32 value;

    (void)port;
    if (unlikely(!c->direct))
        return counter_read_slow(c, clock);
    value = c->initial - ((u32)((clock - c->start) % c->period) << c->step);
    value = (u8)(value >> c->read_shift);
    c->read_shift ^= c->read_flip;
    return value;
}

static u32 port61_read(void *dev, u16 port)
{
    struct pit *pit = dev;
    u64 clock = pit_clock(pit);

    (void)port;
    counter_settle(&pit->counter[2], clock);
    return pit->port61 | ((clock / REFRESH_CLOCKS & 1) ? P61_REFRESH : 0) |
           (counter_out(&pit->counter[2], clock) ? P61_OUT2 : 0);
}

static void port61_write(void *dev, u16 port, u8 value)
{
    struct pit *pit = dev;
    u64 clock = pit_clock(pit);

    (void)port;
    pit->port61 = value & P61_WRITABLE;
    counter_settle(&pit->counter[2], clock);
    counter_gate(&pit->counter[2], clock, value & P61_GATE2);
    counter_refresh(&pit->counter[2]);
}

void pit_init(struct pit *pit, struct dev_host *host, struct dev_irq irq)
{
    memset(pit, 0, sizeof(*pit));
    pit->host = host;
    pit->irq = irq;
    pit->base = host->now(host->ctx);
    pit->edge = PIT_NEVER;
    pit->line = true; /* high from the start: no edge */
    ratio_init(&pit->to_clocks, PIT_HZ, host->hz);
    ratio_init(&pit->to_ticks, host->hz, PIT_HZ);
    for (u32 i = 0; i < 3; i++) {
        struct pit_counter *c = &pit->counter[i];

        c->pit = pit;
        c->control = 3 << 4 | 3 << 1; /* both bytes, mode 3: OUT is high */
        counter_read_first(c);
        c->load_at = PIT_NEVER;
        c->null = true;
        c->gate = i != 2;
        c->initial = c->reg = 65536;
    }
}

int pit_claim(struct pit *pit, struct pio_bus *bus)
{
    static const struct pio_ops counter_ops = {counter_port_read, counter_port_write, NULL};
    static const struct pio_ops control_ops = {control_port_read, control_port_write, NULL};
    static const struct pio_ops port61_ops = {port61_read, port61_write, NULL};
    int err = pio_claim(bus, PIT_CONTROL, PIT_CONTROL, &control_ops, pit);

    for (u16 i = 0; i < 3 && !err; i++)
        err = pio_claim(bus, PIT_PORT + i, PIT_PORT + i, &counter_ops, &pit->counter[i]);
    return err ? err : pio_claim(bus, CONTROL_PORT, CONTROL_PORT, &port61_ops, pit);
}
