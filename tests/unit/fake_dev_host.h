/* SPDX-License-Identifier: MIT */
/*
 * A dev_host for device tests: a clock that is set by hand, and a record of all that came out.
 */
#ifndef TESTS_UNIT_FAKE_DEV_HOST_H
#define TESTS_UNIT_FAKE_DEV_HOST_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/dev/dev.h"

#define FAKE_TEXT 4096

struct fake {
    struct dev_host host;
    u64 now;
    u64 deadline[DEV_TIMER_COUNT];
    u32 timer_calls;
    bool line[16];
    u32 rises[16];
    bool intr;
    u32 intr_changes;
    char text[FAKE_TEXT]; /* console output */
    u32 text_len;
    u32 exits;
    u32 exit_value;
    u32 notes;
};

static u64 fake_now(void *ctx)
{
    return ((struct fake *)ctx)->now;
}

static void fake_timer(void *ctx, enum dev_timer which, u64 deadline)
{
    struct fake *f = ctx;

    assert_in_range(which, 0, DEV_TIMER_COUNT - 1);
    f->deadline[which] = deadline;
    f->timer_calls++;
}

static void fake_intr(void *ctx, bool pending)
{
    struct fake *f = ctx;

    f->intr_changes++;
    f->intr = pending;
}

static void fake_console_out(void *ctx, u8 c)
{
    struct fake *f = ctx;

    f->text[f->text_len++ % FAKE_TEXT] = (char)c;
}

static void fake_exit_port(void *ctx, u32 value)
{
    struct fake *f = ctx;

    f->exits++;
    f->exit_value = value;
}

static void fake_note(void *ctx, const char *text)
{
    assert_non_null(text);
    ((struct fake *)ctx)->notes++;
}

static void fake_line(void *ctx, u32 line, bool level)
{
    struct fake *f = ctx;

    assert_in_range(line, 0, 15);
    f->rises[line] += level && !f->line[line];
    f->line[line] = level;
}

/* Interrupt lines that end in the fake. */
static inline struct dev_irq fake_irq(struct fake *f)
{
    return (struct dev_irq){fake_line, f};
}

static inline void fake_init(struct fake *f, u64 hz)
{
    memset(f, 0, sizeof(*f));
    f->now = 1000;
    f->host = (struct dev_host){
        f, hz, fake_now, fake_timer, fake_intr, fake_console_out, fake_exit_port, fake_note};
}

/* A small generator of its own, so that a failing seed can be repeated anywhere. */
static inline u32 fake_random(u64 *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(*state >> 33);
}

#endif
