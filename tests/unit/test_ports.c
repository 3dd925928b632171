/* SPDX-License-Identifier: MIT */
/*
 * Debug console and exit port, and the platform that wires all devices: who answers at which port,
 * timers, interrupts from device to vector.
 */
#include "hv/dev/ports.c"
#include "hv/dev/pic.c"
#include "hv/dev/pio.c"
#include "hv/dev/pit.c"
#include "hv/dev/platform.c"
#include "hv/dev/uart.c"

#include "tests/unit/fake_dev_host.h"

static struct fake fake;
static struct platform p;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake, 1000000000);
    return platform_init(&p, &fake.host);
}

static void out(u16 port, u8 value)
{
    pio_write(&p.bus, port, 1, value);
}

static void test_debug_console(void **state)
{
    (void)state;
    assert_int_equal(pio_read(&p.bus, 0xe9, 1), 0xe9);
    assert_int_equal(pio_read(&p.bus, 0xe9, 2), 0xffe9);
    out(0xe9, 'h');
    out(0xe9, 'i');
    pio_write(&p.bus, 0xe8, 2, '!' << 8);
    assert_int_equal(fake.text_len, 3);
    assert_memory_equal(fake.text, "hi!", 3);
    assert_int_equal(fake.exits, 0);
}

static void exit_write_check(u16 port, u32 size, u32 value, u32 exits, u32 expected)
{
    u32 before = fake.exits;

    pio_write(&p.bus, port, size, value);
    assert_int_equal(fake.exits - before, exits);
    assert_int_equal(fake.exit_value, expected);
}

static void test_exit_port(void **state)
{
    (void)state;
    exit_write_check(0xf4, 1, 0x12, 1, 0x12);
    exit_write_check(0xf4, 1, 0xffffff12, 1, 0x12);
    exit_write_check(0xf4, 2, 0xffff1234, 1, 0x1234);
    exit_write_check(0xf4, 4, 0xdeadbeef, 1, 0xdeadbeef);
    exit_write_check(0xf7, 1, 3, 1, 3);
    exit_write_check(0xf6, 2, 0x456, 1, 0x456);
    exit_write_check(0xf4, 4, 0, 1, 0);
    /* Reaching over the end: bytes, of which two lie inside. */
    exit_write_check(0xf6, 4, 0x04030201, 2, 2);
    assert_int_equal(pio_read(&p.bus, 0xf4, 4), 0);
}

static void test_claims(void **state)
{
    static const u16 ranges[][2] = {{0x20, 0x21}, {0x40, 0x43}, {0x61, 0x61},   {0xa0, 0xa1},
                                    {0xe9, 0xe9}, {0xf4, 0xf7}, {0x3f8, 0x3ff}, {0x4d0, 0x4d1}};
    u32 present = 0, expected = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        for (u16 port = ranges[i][0]; port <= ranges[i][1]; port++, expected++)
            assert_true(pio_present(&p.bus, port));
    for (u32 port = 0; port < 0x10000; port++)
        present += pio_present(&p.bus, (u16)port);
    assert_int_equal(present, expected);
}

static void test_bad_frequency(void **state)
{
    (void)state;
    fake.host.hz = 0;
    assert_int_equal(platform_init(&p, &fake.host), -HV_EINVAL);
    fake.host.hz = MAX_HZ + 1;
    assert_int_equal(platform_init(&p, &fake.host), -HV_EINVAL);
    fake.host.hz = MAX_HZ;
    assert_int_equal(platform_init(&p, &fake.host), 0);
}

static void test_pit_to_vector(void **state)
{
    (void)state;
    out(0x21, 0xfe);
    out(0x43, 0x34);
    out(0x40, 0x00);
    out(0x40, 0x10);
    assert_false(fake.intr);
    assert_int_not_equal(fake.deadline[DEV_TIMER_PIT0], 0);
    fake.now = fake.deadline[DEV_TIMER_PIT0];
    platform_timer(&p, DEV_TIMER_PIT0);
    assert_true(fake.intr);
    assert_int_equal(pic_acknowledge(&p.pic), 0x08);
    assert_false(fake.intr);
    out(0x20, 0x20);
    assert_false(fake.intr);
    fake.now = fake.deadline[DEV_TIMER_PIT0];
    platform_timer(&p, DEV_TIMER_PIT0);
    assert_int_equal(pic_acknowledge(&p.pic), 0x08);
}

static void test_uart_to_vector(void **state)
{
    (void)state;
    out(0x21, 0xef);
    out(0x3fc, 0x08);
    out(0x3f9, 0x01);
    assert_true(uart_receive(&p.uart, 'x'));
    assert_true(fake.intr);
    assert_int_equal(pic_acknowledge(&p.pic), 0x0c);
    assert_int_equal(pio_read(&p.bus, 0x3f8, 1), 'x');
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&p.pic), -1);
}

static void test_init_again_resets(void **state)
{
    (void)state;
    test_pit_to_vector(state);
    out(0x20, 0x20);
    fake.now = fake.deadline[DEV_TIMER_PIT0];
    platform_timer(&p, DEV_TIMER_PIT0);
    assert_true(fake.intr);
    assert_int_equal(platform_init(&p, &fake.host), 0);
    assert_false(fake.intr);
    assert_int_equal(fake.deadline[DEV_TIMER_PIT0], 0);
    assert_int_equal(pio_read(&p.bus, 0x21, 1), 0xff);
}

/* Half of the time a port that somebody claims. */
static u16 random_port(u64 *seed)
{
    static const u16 base[] = {0x20, 0x40, 0x60, 0xa0, 0xe8, 0xf4, 0x3f8, 0x3fc, 0x4d0, 0x4fe};
    u32 r = fake_random(seed);

    return (u16)(r & 1 ? base[r / 2 % ARRAY_SIZE(base)] + r / 64 % 4 : r / 2);
}

static void hammer(u64 *seed)
{
    u32 r = fake_random(seed), size = 1u << (r % 3);
    u16 port = random_port(seed);

    if (r & 0x20000)
        pio_write(&p.bus, port, size, fake_random(seed) << 1);
    else
        assert_true(size == 4 || !(pio_read(&p.bus, port, size) >> (8 * size)));
    if (r & 0x40000)
        assert_in_range(pic_acknowledge(&p.pic) + 1, 0, 256);
    if (r & 0x80000)
        uart_receive(&p.uart, (u8)r);
    fake.now += r & 0x100000 ? fake_random(seed) % 5000 : 1;
}

/* A guest that hammers every port must never break an invariant the sanitizers watch. */
static void test_random_hammering(void **state)
{
    u64 seed = 7;

    (void)state;
    for (u32 i = 0; i < 1000000; i++) {
        hammer(&seed);
        for (u32 t = 0; t < DEV_TIMER_COUNT; t++)
            if (fake.deadline[t] && fake.deadline[t] <= fake.now) {
                fake.deadline[t] = 0;
                platform_timer(&p, (enum dev_timer)t);
            }
        assert_int_equal(fake.intr, pic_pending(&p.pic));
        assert_in_range(p.uart.count, 0, UART_FIFO);
    }
    assert_true(fake.exits && fake.text_len && fake.intr_changes && fake.timer_calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_debug_console, set_up),
        cmocka_unit_test_setup(test_exit_port, set_up),
        cmocka_unit_test_setup(test_claims, set_up),
        cmocka_unit_test_setup(test_bad_frequency, set_up),
        cmocka_unit_test_setup(test_pit_to_vector, set_up),
        cmocka_unit_test_setup(test_uart_to_vector, set_up),
        cmocka_unit_test_setup(test_init_again_resets, set_up),
        cmocka_unit_test_setup(test_random_hammering, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
