/* SPDX-License-Identifier: MIT */
/*
 * The 8254: latched counts, read-back status, modes 0, 2 and 3, and the rate of IRQ 0 against the
 * TSC. Source: 8254 data sheet.
 */
#include "guest/payloads/devices/devices.h"

#include <stddef.h>
#include <stdint.h>

#include "guest/crt/clock.h"
#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/pic.h"
#include "guest/crt/pit.h"

#define READ_BACK_STATUS_0 0xe2 /* latch the status of channel 0, not its count */
#define STATUS_OUTPUT      0x80
#define STATUS_NULL_COUNT  0x40
#define STATUS_RW_MODE     0x3f
#define RW_LOW_HIGH        0x30

#define RATE_COUNT      1193 /* one millisecond */
#define RATE_INTERRUPTS 20
#define RATE_TOLERANCE  50 /* one in that many */

static void delay_us(uint64_t us)
{
    uint64_t end = insn_rdtsc() + clock_tsc_hz() * us / 1000000;

    while (insn_rdtsc() < end)
        insn_pause();
}

static uint8_t read_status(void)
{
    insn_out8(PIT_COMMAND, READ_BACK_STATUS_0);
    return insn_in8(PIT_CHANNEL);
}

/* The latched count stays while the counter goes on. */
const char *pit_latching(void)
{
    uint16_t first, held, later;

    if (!clock_tsc_hz())
        return "the PIT does not count";
    pit_start(0, PIT_RATE, 0);
    delay_us(100);
    first = pit_latch(0);
    insn_out8(PIT_COMMAND, 0); /* latch channel 0 */
    delay_us(1000);
    held = insn_in8(PIT_CHANNEL);
    held |= (uint16_t)(insn_in8(PIT_CHANNEL) << 8);
    later = pit_latch(0);
    if ((uint16_t)(first - held) > 500 || (uint16_t)(held - later) < 1000)
        return check_why("counts %u, latched %u, later %u", first, held, later);
    return NULL;
}

const char *pit_mode_0(void)
{
    uint8_t before, after;

    pit_start(0, PIT_ONE_SHOT, 1193);
    delay_us(20);
    before = read_status();
    delay_us(1500);
    after = read_status();
    if ((before & STATUS_RW_MODE) != RW_LOW_HIGH || (before & STATUS_NULL_COUNT))
        return check_why("status reads %#x", before);
    if ((before & STATUS_OUTPUT) || !(after & STATUS_OUTPUT))
        return check_why("output: status %#x before, %#x after", before, after);
    return NULL;
}

/* A periodic mode: its status, and counts that stay within (0, reload]. */
static const char *periodic(enum pit_mode mode, uint16_t reload)
{
    uint8_t status;
    uint16_t least = 0xffff, most = 0;

    pit_start(0, mode, reload);
    delay_us(20);
    status = read_status();
    if ((status & STATUS_RW_MODE) != (RW_LOW_HIGH | mode << 1))
        return check_why("status reads %#x in mode %d", status, mode);
    for (int i = 0; i < 100; i++) {
        uint16_t count;

        delay_us(37);
        count = pit_latch(0);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    if (most > reload || most < reload / 2 || least > reload / 2)
        return check_why("counts from %u to %u, reload %u", least, most, reload);
    return NULL;
}

const char *pit_mode_2(void)
{
    return periodic(PIT_RATE, 1000);
}

/* Counts down by two, once for each half of the square wave. */
const char *pit_mode_3(void)
{
    return periodic(PIT_SQUARE, 1000);
}

static volatile unsigned ticks;
static volatile uint64_t first_tick, last_tick;

static void tick_handler(struct interrupt_frame *f)
{
    (void)f;
    last_tick = insn_rdtsc();
    if (!ticks++)
        first_tick = last_tick;
    pic_eoi(PIT_LINE);
}

const char *pit_interrupt_rate(void)
{
    uint64_t expected = clock_tsc_hz() * RATE_COUNT / PIT_HZ * RATE_INTERRUPTS;
    uint64_t took, tolerance = expected / RATE_TOLERANCE;

    ticks = 0;
    interrupt_set_handler(PIC_VECTOR + PIT_LINE, tick_handler);
    pit_start(0, PIT_RATE, RATE_COUNT);
    pic_mask((uint16_t) ~(1u << PIT_LINE));
    while (ticks <= RATE_INTERRUPTS)
        insn_sti_hlt_cli();
    pic_init();
    took = last_tick - first_tick;
    if (took < expected - tolerance || took > expected + tolerance)
        return check_why("%u interrupts in %lu ticks, not %lu", RATE_INTERRUPTS, took, expected);
    return NULL;
}
