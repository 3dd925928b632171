/* SPDX-License-Identifier: MIT */
/*
 * The 8254 and port 0x61: every mode's waveform, the data sheet's read and write protocols, and
 * exactness of the derived clock over days.
 */
#include "hv/dev/pit.c"
#include "hv/dev/pio.c"

#include "tests/unit/fake_dev_host.h"

static struct fake fake;
static struct pio_bus bus;
static struct pit pit;

static void set_up_hz(u64 hz)
{
    fake_init(&fake, hz);
    pio_init(&bus);
    pit_init(&pit, &fake.host, fake_irq(&fake));
    assert_int_equal(pit_claim(&pit, &bus), 0);
}

/* One tick is one CLK. */
static int set_up(void **state)
{
    (void)state;
    set_up_hz(PIT_HZ);
    return 0;
}

static void out(u16 port, u8 value)
{
    pio_write(&bus, port, 1, value);
}

static u8 in(u16 port)
{
    return (u8)pio_read(&bus, port, 1);
}

/* Two bytes from one port, low first. */
static u16 in16(u16 port)
{
    u8 low = in(port);

    return (u16)(low | in(port) << 8);
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

static u16 read_latched(u32 n)
{
    out(0x43, (u8)(n << 6));
    return in16((u16)(0x40 + n));
}

static u8 read_status(u32 n)
{
    out(0x43, (u8)(0xe0 | BIT(n + 1)));
    return in((u16)(0x40 + n));
}

/* Programs counter n with a count of two bytes; it is loaded one CLK later. */
static void program(u32 n, u32 mode, u16 count)
{
    out(0x43, (u8)(n << 6 | 0x30 | mode << 1));
    out((u16)(0x40 + n), (u8)count);
    out((u16)(0x40 + n), (u8)(count >> 8));
}

static void gate2(bool level)
{
    out(0x61, level);
}

static bool out2(void)
{
    return in(0x61) >> 5 & 1;
}

/* Checks OUT 2 over the coming CLKs against a string of levels. */
static void expect_out2(const char *levels)
{
    for (; *levels; levels++, fake.now++)
        assert_int_equal(out2(), *levels == '1');
}

static void test_ratio_exact(void **state)
{
    static const u64 hz[] = {1,          2,          1000,       PIT_HZ - 1,
                             PIT_HZ,     PIT_HZ + 1, 1000000,    100000000,
                             999999937,  1000000000, 2399999999, 3500000000,
                             5000000000, 1ull << 32, 1ull << 40, (1ull << 40) - 87};
    u64 seed = 3;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(hz); i++) {
        struct ratio down, up;

        ratio_init(&down, PIT_HZ, hz[i]);
        ratio_init(&up, hz[i], PIT_HZ);
        for (u32 k = 0; k < 20000; k++) {
            u64 x = ((u64)fake_random(&seed) << 33 ^ fake_random(&seed)) >> fake_random(&seed) % 64;
            unsigned __int128 exact = (unsigned __int128)x * PIT_HZ / hz[i];
            unsigned __int128 back = (unsigned __int128)x * hz[i] / PIT_HZ;

            if (!(exact >> 64))
                assert_true(ratio_floor(&down, x) == (u64)exact);
            if (!(back >> 64))
                assert_true(ratio_floor(&up, x) == (u64)back);
        }
        /* Around exact multiples, where an estimate errs first. */
        for (u64 m = 1; m < 2000; m++)
            for (u64 x = m * hz[i] - 1; x <= m * hz[i] + 1; x++)
                assert_true(ratio_floor(&down, x) == (u64)((unsigned __int128)x * PIT_HZ / hz[i]));
    }
}

static void test_power_on(void **state)
{
    (void)state;
    assert_int_equal(fake.timer_calls, 0);
    pass(1000000);
    assert_int_equal(fake.rises[0], 0);
    assert_int_equal(read_status(0) & 0xc0, 0xc0);
    assert_int_equal(in(0x43), 0xff);
    assert_int_equal(in(0x61) & 0x0f, 0);
    assert_true(out2());
    assert_int_equal(fake.rises[0], 0);
}

static void test_mode0(void **state)
{
    (void)state;
    gate2(true);
    out(0x43, 0x90);
    assert_false(out2());
    fake.now += 100;
    out(0x42, 4);
    expect_out2("0000011111");        /* high N + 1 CLKs after the write */
    assert_int_equal(in(0x42), 0xfb); /* 10 CLKs: 9 after the load, wrapped */
    out(0x42, 2);
    expect_out2("0001");
    out(0x42, 3);
    fake.now += 2;
    assert_int_equal(in(0x42), 2);
    gate2(false);
    fake.now += 50;
    assert_int_equal(in(0x42), 2);
    gate2(true);
    expect_out2("001");
}

static void test_mode0_first_byte_stops(void **state)
{
    (void)state;
    program(0, 0, 1000);
    pass(11);
    assert_int_equal(read_latched(0), 990);
    out(0x40, 0x34);
    pass(5000);
    assert_int_equal(fake.rises[0], 0);
    out(0x43, 0x00);
    assert_int_equal(in(0x40), 990 & 0xff);
    assert_int_equal(in(0x40), 990 >> 8);
    out(0x40, 0x12);
    pass(0x1234);
    assert_int_equal(fake.rises[0], 0);
    pass(1);
    assert_int_equal(fake.rises[0], 1);
    assert_true(fake.line[0]);
    pass(200000); /* one shot */
    assert_int_equal(fake.rises[0], 1);
    out(0x43, 0x30);
    assert_false(fake.line[0]);
    assert_int_equal(fake.deadline[DEV_TIMER_PIT0], 0);
}

static void test_mode1(void **state)
{
    (void)state;
    out(0x43, 0x92);
    out(0x42, 3);
    expect_out2("1111"); /* waits for the trigger */
    gate2(true);
    expect_out2("10001111");
    gate2(false);
    expect_out2("11");
    gate2(true);
    expect_out2("100");
    gate2(false);
    gate2(true); /* retriggered: three more */
    expect_out2("000011");
    out(0x42, 5); /* takes effect with the next trigger */
    expect_out2("11");
    assert_int_equal(read_status(2) & 0x40, 0x40);
    gate2(false);
    gate2(true);
    expect_out2("1000001");
}

static void test_mode2(void **state)
{
    (void)state;
    gate2(true);
    out(0x43, 0x94);
    out(0x42, 3);
    expect_out2("1110110110");
    gate2(false);
    expect_out2("1111"); /* gate low: high at once */
    gate2(true);
    expect_out2("111011011");
    out(0x42, 5); /* after the running period */
    expect_out2("01111011110");
}

static void test_mode3(void **state)
{
    (void)state;
    gate2(true);
    out(0x43, 0x96);
    out(0x42, 4);
    expect_out2("1110011001");
    out(0x43, 0x96);
    out(0x42, 5);
    expect_out2("11110011100111");
    out(0x43, 0x96);
    out(0x42, 6);
    expect_out2("11");
    out(0x42, 4); /* at the end of the half period */
    expect_out2("1100110011");
}

static void test_mode3_counts_by_two(void **state)
{
    static const u8 even[] = {6, 4, 2, 6, 4, 2, 6};
    static const u8 odd[] = {4, 2, 0, 4, 2, 4, 2, 0, 4, 2};

    (void)state;
    out(0x43, 0x16);
    out(0x40, 6);
    fake.now++;
    for (size_t i = 0; i < ARRAY_SIZE(even); i++, fake.now++)
        assert_int_equal(in(0x40), even[i]);
    out(0x43, 0x16);
    out(0x40, 5);
    fake.now++;
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++, fake.now++)
        assert_int_equal(in(0x40), odd[i]);
}

static void test_mode4(void **state)
{
    (void)state;
    gate2(true);
    out(0x43, 0x98);
    out(0x42, 3);
    expect_out2("1111011111");
    out(0x42, 2);
    expect_out2("1");
    gate2(false);
    expect_out2("1111");
    gate2(true);
    expect_out2("11011");
}

static void test_mode5(void **state)
{
    (void)state;
    out(0x43, 0x9a);
    out(0x42, 3);
    expect_out2("11111");
    gate2(true);
    expect_out2("1111011");
    gate2(false);
    gate2(true);
    expect_out2("111");
    gate2(false);
    gate2(true);
    expect_out2("11110111");
}

static void test_modes_6_and_7(void **state)
{
    (void)state;
    gate2(true);
    out(0x43, 0x9c);
    assert_int_equal(read_status(2) & 0x3f, 0x1c); /* as written */
    out(0x42, 3);
    expect_out2("11101101");
    out(0x43, 0x9e);
    out(0x42, 4);
    expect_out2("11100110");
}

static void test_bcd(void **state)
{
    (void)state;
    out(0x43, 0x35);
    out(0x40, 0x00);
    out(0x40, 0x20);
    fake.now += 2;
    assert_int_equal(read_latched(0), 0x1999);
    fake.now += 1998;
    assert_int_equal(read_latched(0), 0x0001);
    fake.now += 1;
    assert_int_equal(read_latched(0), 0x2000);
    out(0x43, 0x31); /* mode 0 wraps to 9999; 0 is 10000 */
    out(0x40, 0);
    out(0x40, 0);
    fake.now += 1;
    assert_int_equal(read_latched(0), 0x0000);
    fake.now += 1;
    assert_int_equal(read_latched(0), 0x9999);
    fake.now += 9999;
    assert_int_equal(read_latched(0), 0x0000);
    assert_int_equal(read_status(0) & 0x80, 0x80);
    fake.now += 1;
    assert_int_equal(read_latched(0), 0x9999);
    out(0x43, 0x35); /* digits that are none do no harm */
    out(0x40, 0xff);
    out(0x40, 0xff);
    fake.now += 12345;
    read_latched(0);
}

static void test_byte_modes(void **state)
{
    (void)state;
    out(0x43, 0x14); /* low byte only: 0 is 65536 */
    out(0x40, 0);
    fake.now += 1 + 0x1234;
    assert_int_equal(in(0x40), (0x10000 - 0x1234) & 0xff);
    out(0x43, 0x24); /* high byte only */
    out(0x40, 0x12);
    fake.now += 1 + 0x134;
    assert_int_equal(in(0x40), 0x10);
    assert_int_equal(in(0x40), 0x10);
    out(0x43, 0x34); /* both: live low, then live high */
    out(0x40, 0x00);
    out(0x40, 0x02);
    fake.now += 2;
    assert_int_equal(in(0x40), 0xff);
    fake.now += 0x100;
    assert_int_equal(in(0x40), 0x00);
    assert_int_equal(in(0x40), 0xff);
}

static void test_latch(void **state)
{
    (void)state;
    program(0, 2, 1000);
    fake.now += 11;
    out(0x43, 0x00);
    fake.now += 100;
    out(0x43, 0x00); /* ignored: the first is not read yet */
    assert_int_equal(in16(0x40), 990);
    assert_int_equal(in16(0x40), 890);
    out(0x43, 0x00);
    program(0, 2, 500); /* a control word frees the latch */
    fake.now += 1;
    assert_int_equal(in16(0x40), 500);
    in(0x40);
    out(0x43, 0x00); /* between the bytes: the latched count starts with its low byte */
    assert_int_equal(in16(0x40), 500);
}

static void test_read_back(void **state)
{
    (void)state;
    program(0, 2, 1000);
    program(2, 3, 3000);
    gate2(true);
    fake.now += 11;
    out(0x43, 0xca); /* counts and status of counters 0 and 2 */
    fake.now += 100;
    out(0x43, 0xca);
    assert_int_equal(in(0x40), 0xb4);
    assert_int_equal(in16(0x40), 990);
    assert_int_equal(in16(0x40), 890);
    assert_int_equal(in(0x42), 0xb6);
    assert_int_equal(in16(0x42), 2980);
    out(0x43, 0xd4); /* count of counter 1 only */
    assert_int_equal(in16(0x40), 890);
    out(0x43, 0xf2); /* nothing at all */
    assert_int_equal(in16(0x40), 890);
    out(0x43, 0x34);
    assert_int_equal(read_status(0), 0xf4); /* null count, OUT high */
    out(0x40, 1);
    assert_int_equal(read_status(0), 0xf4);
    out(0x40, 1);
    assert_int_equal(read_status(0), 0xf4);
    fake.now++;
    assert_int_equal(read_status(0), 0xb4);
}

static void test_port61(void **state)
{
    u32 toggles = 0;

    (void)state;
    out(0x61, 0xff);
    assert_int_equal(in(0x61) & 0xcf, 0x0f);
    out(0x61, 0x02);
    assert_int_equal(in(0x61) & 0xcf, 0x02);
    for (u32 i = 0, last = in(0x61); i < 18 * 100; i++) {
        u8 now;

        fake.now++;
        now = in(0x61);
        toggles += (now ^ last) >> 4 & 1;
        last = now;
    }
    assert_int_equal(toggles, 100);
}

/* Edges of a periodic mode after T seconds: floor(T * f / divisor), whatever the host's clock. */
static void check_edges(u64 hz, u32 mode, u16 divisor, u64 seconds)
{
    u64 start, clocks, count = divisor ? divisor : 65536;

    set_up_hz(hz);
    program(0, mode, divisor);
    start = pit_tick(&pit, 1); /* the CLK that loads the count */
    pass(start - fake.now);
    clocks = seconds * PIT_HZ;
    pass(pit_tick(&pit, 1 + clocks) - fake.now);
    assert_int_equal(fake.rises[0], clocks / count);
}

static void test_periodic_edges_exact(void **state)
{
    (void)state;
    check_edges(PIT_HZ, 2, 1193, 100);
    check_edges(1000000000, 2, 11932, 1000);
    check_edges(1000000000, 3, 11932, 1000);
    check_edges(2399999999, 3, 11931, 1000);
    check_edges(100000000, 2, 0, 20000);
    check_edges(3500000003, 3, 0, 20000);
    check_edges(1000000, 2, 100, 10); /* the host's clock slower than CLK */
}

/* The edge is due at the first tick of its CLK, neither before nor after. */
static void test_deadline_is_the_first_tick(void **state)
{
    u64 clock;

    (void)state;
    set_up_hz(2399999999);
    program(0, 2, 777);
    for (u32 i = 1; i < 5000; i++) {
        fake.now = fake.deadline[DEV_TIMER_PIT0];
        clock = pit_clock(&pit);
        assert_int_equal(clock, 1 + 777ull * i);
        fake.now--;
        assert_int_equal(pit_clock(&pit), clock - 1);
        pit_timer(&pit); /* early: only armed again */
        assert_int_equal(fake.rises[0], i - 1);
        assert_int_equal(fake.deadline[DEV_TIMER_PIT0], fake.now + 1);
        fake.now++;
        pit_timer(&pit);
        assert_int_equal(fake.rises[0], i);
    }
}

static void test_missed_edges(void **state)
{
    (void)state;
    program(0, 2, 100);
    fake.now += 1 + 1050; /* ten periods and a half without service */
    pit_timer(&pit);
    assert_int_equal(fake.rises[0], 1);
    assert_int_equal(fake.deadline[DEV_TIMER_PIT0], fake.now + 50); /* in phase */
    fake.now += 60;
    out(0x43, 0x80); /* a write finds the edge undelivered */
    assert_int_equal(fake.rises[0], 2);
    assert_int_equal(fake.deadline[DEV_TIMER_PIT0], fake.now + 90);
    pit_timer(&pit);
    assert_int_equal(fake.rises[0], 2);
}

/* Counting down within a period over ten days at a frequency that divides nothing. */
static void test_count_over_days(void **state)
{
    u64 seed = 5, base;

    (void)state;
    set_up_hz(2899999993);
    program(0, 2, 0);
    base = pit.base;
    for (u32 i = 0; i < 20000; i++) {
        u64 clocks;

        fake.now += (u64)fake_random(&seed) * 60; /* up to 44 s */
        clocks = (u64)((unsigned __int128)(fake.now - base) * PIT_HZ / 2899999993ull) - 1;
        assert_int_equal(read_latched(0), (u16)(65536 - clocks % 65536));
    }
    assert_true(fake.now / 2899999993ull > 86400);
}

static void test_count_monotone(void **state)
{
    u32 last = 65536;

    (void)state;
    set_up_hz(1000000007);
    program(0, 0, 0);
    fake.now += 1700;
    while (fake.now < 56000000) {
        u32 now = read_latched(0);

        now = now ? now : 65536;
        assert_true(now <= last);
        last = now;
        fake.now += 130;
        if (last < 10)
            break;
    }
    assert_true(last < 10);
}

/* Anything goes; a count of 1, illegal in modes 2 and 3, included. */
static void test_random_ports(void **state)
{
    static const u16 ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};
    u64 seed = 13;

    (void)state;
    set_up_hz(1000000000);
    for (u32 i = 0; i < 500000; i++) {
        u32 r = fake_random(&seed);

        if (r & 0x100)
            out(ports[r % 5], (u8)(r & 0x200 ? r >> 16 : r >> 16 & 3));
        else
            in(ports[r % 5]);
        fake.now += (u64)(r >> 12) >> (r >> 3) % 24;
        if (fake.deadline[DEV_TIMER_PIT0] && fake.deadline[DEV_TIMER_PIT0] <= fake.now) {
            fake.deadline[DEV_TIMER_PIT0] = 0;
            pit_timer(&pit);
            assert_true(!fake.deadline[DEV_TIMER_PIT0] || fake.deadline[DEV_TIMER_PIT0] > fake.now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ratio_exact),
        cmocka_unit_test_setup(test_power_on, set_up),
        cmocka_unit_test_setup(test_mode0, set_up),
        cmocka_unit_test_setup(test_mode0_first_byte_stops, set_up),
        cmocka_unit_test_setup(test_mode1, set_up),
        cmocka_unit_test_setup(test_mode2, set_up),
        cmocka_unit_test_setup(test_mode3, set_up),
        cmocka_unit_test_setup(test_mode3_counts_by_two, set_up),
        cmocka_unit_test_setup(test_mode4, set_up),
        cmocka_unit_test_setup(test_mode5, set_up),
        cmocka_unit_test_setup(test_modes_6_and_7, set_up),
        cmocka_unit_test_setup(test_bcd, set_up),
        cmocka_unit_test_setup(test_byte_modes, set_up),
        cmocka_unit_test_setup(test_latch, set_up),
        cmocka_unit_test_setup(test_read_back, set_up),
        cmocka_unit_test_setup(test_port61, set_up),
        cmocka_unit_test(test_periodic_edges_exact),
        cmocka_unit_test(test_deadline_is_the_first_tick),
        cmocka_unit_test_setup(test_missed_edges, set_up),
        cmocka_unit_test(test_count_over_days),
        cmocka_unit_test(test_count_monotone),
        cmocka_unit_test(test_random_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
