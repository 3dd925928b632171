/* SPDX-License-Identifier: MIT */
/*
 * The 8254 against a model that is clocked CLK by CLK: counts, OUT, null count and interrupt edges
 * over random control words, counts and gates.
 */
#include "hv/dev/pit.c"
#include "hv/dev/pio.c"

#include "tests/unit/fake_dev_host.h"

static struct fake fake;
static struct pio_bus bus;
static struct pit pit;

/* One tick is one CLK. */
static int set_up(void **state)
{
    (void)state;
    fake_init(&fake, PIT_HZ);
    pio_init(&bus);
    pit_init(&pit, &fake.host, fake_irq(&fake));
    return pit_claim(&pit, &bus);
}

static void out(u16 port, u8 value)
{
    pio_write(&bus, port, 1, value);
}

/* Lets ticks pass, serving the timer exactly when it is due. */
static void pass(u64 ticks)
{
    u64 end = fake.now + ticks, due;

    while ((due = fake.deadline[DEV_TIMER_PIT0]) && due <= end) {
        assert_true(due >= fake.now);
        fake.now = due;
        fake.deadline[DEV_TIMER_PIT0] = 0;
        pit_timer(&pit);
    }
    fake.now = end;
}

static void gate2(bool level)
{
    out(0x61, level);
}

/* The model: one counter, clocked. */
struct naive {
    u32 mode, modulus, reg, count;
    bool out, gate, null, loaded, written, load_next, odd, fired;
};

static bool naive_periodic(const struct naive *n)
{
    return n->mode == 2 || n->mode == 3;
}

static bool naive_triggered(const struct naive *n)
{
    return n->mode == 1 || n->mode == 5;
}

static void naive_load(struct naive *n)
{
    n->count = n->mode == 3 ? n->reg & ~1u : n->reg;
    n->odd = n->reg & 1;
    n->null = false;
    n->fired = false;
    n->loaded = true;
    n->load_next = false;
}

static void naive_square(struct naive *n)
{
    if (n->count != (n->out && n->odd ? 0 : 2)) {
        n->count -= 2;
        return;
    }
    n->out = !n->out;
    naive_load(n);
}

static void naive_count(struct naive *n)
{
    if (n->mode == 3) {
        naive_square(n);
        return;
    }
    if (n->mode == 2) {
        if (n->count == 1)
            naive_load(n);
        else
            n->count--;
        n->out = n->count != 1;
        return;
    }
    n->count = (n->count + n->modulus - 1) % n->modulus;
    if (n->mode <= 1) {
        n->out |= n->count == 0;
    } else {
        n->out = n->count != 0 || n->fired;
        n->fired |= n->count == 0;
    }
}

static void naive_clock(struct naive *n)
{
    if (n->load_next) {
        naive_load(n);
        n->out = n->mode > 1;
    } else if (n->loaded && (n->gate || naive_triggered(n))) {
        naive_count(n);
    }
}

static void naive_control(struct naive *n, u8 control)
{
    n->mode = control >> 1 & 7;
    n->mode -= n->mode > 5 ? 4 : 0;
    n->modulus = control & 1 ? 10000 : 65536;
    n->out = n->mode != 0;
    n->null = true;
    n->loaded = n->written = n->load_next = false;
}

static void naive_write(struct naive *n, u32 count)
{
    n->reg = count ? count : n->modulus;
    n->null = n->written = true;
    if (n->mode == 0) {
        n->out = false;
        n->loaded = false;
    }
    if (!naive_triggered(n) && !(naive_periodic(n) && n->loaded && n->gate && !n->load_next))
        n->load_next = true;
}

static void naive_gate(struct naive *n, bool level)
{
    if (level && !n->gate && n->written && (naive_triggered(n) || naive_periodic(n)))
        n->load_next = true;
    if (!level && n->gate && naive_periodic(n) && n->loaded) {
        n->out = true;
        n->load_next = false;
    }
    n->gate = level;
}

/* A count that is legal in its mode, mostly small; BCD digits when asked. */
static u16 random_count(u64 *seed, bool bcd)
{
    u32 r = fake_random(seed), n = r & 0x300 ? 2 + r % 24 : (r >> 10) % 10000;

    n = n == 1 ? 0 : n;
    return bcd ? to_bcd(n) : (u16)n;
}

static void write_both(struct naive *n, u16 port, u64 *seed)
{
    u16 value = random_count(seed, n->modulus == 10000);

    out(port, (u8)value);
    if (n->mode == 0) /* the first byte stops it; the second comes at the same CLK */
        n->loaded = false;
    out(port, (u8)(value >> 8));
    naive_write(n, n->modulus == 10000 ? from_bcd(value) : value);
}

static void check_counter(const struct naive *n, u32 which)
{
    struct pit_counter *c = &pit.counter[which];
    u64 clock = pit_clock(&pit);

    if (c->direct && !c->read_shift)
        assert_int_equal((u8)counter_value(c, clock), counter_port_read(c, 0));
    c->read_shift = 0;
    counter_settle(c, clock);
    assert_int_equal(counter_out(c, clock), n->out);
    assert_int_equal(c->null, n->null);
    if (n->loaded)
        assert_int_equal(counter_count(c, clock) % n->modulus, n->count % n->modulus);
}

/* Random control words, counts and gates; both advance CLK by CLK. */
static void test_against_clocked_model(void **state)
{
    struct naive n = {.out = true, .null = true, .modulus = 65536, .mode = 3};
    u64 seed = 11;

    (void)state;
    for (u32 i = 0; i < 400000; i++) {
        u32 r = fake_random(&seed);
        u8 control = (u8)(0xb0 | (r >> 8 & 0xf));

        if (r % 101 == 0) {
            out(0x43, control);
            naive_control(&n, control);
            if (r & 0x10000)
                write_both(&n, 0x42, &seed);
        } else if (r % 37 == 0) {
            write_both(&n, 0x42, &seed);
        } else if (r % 29 == 0) {
            gate2(r & 0x4000);
            naive_gate(&n, r & 0x4000);
        }
        check_counter(&n, 2);
        fake.now++;
        naive_clock(&n);
        check_counter(&n, 2);
    }
}

/* Every rise of the model's OUT 0 is one edge on line 0, at its CLK. */
static void test_edges_against_clocked_model(void **state)
{
    struct naive n = {.out = true, .null = true, .modulus = 65536, .mode = 3, .gate = true};
    u64 seed = 12;
    u32 rises = 0;

    (void)state;
    for (u32 i = 0; i < 400000; i++) {
        u32 r = fake_random(&seed);
        bool before = n.out;

        if (r % 211 == 0) {
            out(0x43, (u8)(0x30 | (r >> 8 & 0xf)));
            naive_control(&n, (u8)(r >> 8 & 0xf));
            rises += n.out && !before;
            write_both(&n, 0x40, &seed);
        } else if (r % 97 == 0) {
            write_both(&n, 0x40, &seed);
        } else if (r % 13 == 0) {
            out(0x42, (u8)r); /* another counter's writes move nothing */
        }
        assert_int_equal(fake.rises[0], rises);
        before = n.out;
        pass(1);
        naive_clock(&n);
        rises += n.out && !before;
        check_counter(&n, 0);
        assert_int_equal(fake.rises[0], rises);
    }
    assert_true(rises > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_against_clocked_model, set_up),
        cmocka_unit_test_setup(test_edges_against_clocked_model, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
