/* SPDX-License-Identifier: MIT */
/*
 * The port bus: claims, splitting of wide accesses, absent ports, the ends of the port space.
 */
#include "hv/dev/pio.c"

#include "tests/unit/fake_dev_host.h"

/* A device of 8 registers that keeps what it is given and records wide writes. */
struct regs {
    u8 reg[8];
    u32 reads, writes, wides;
    u16 wide_port;
    u32 wide_size, wide_value;
};

static u32 regs_read(void *dev, u16 port)
{
    struct regs *r = dev;

    r->reads++;
    return r->reg[port & 7];
}

static void regs_write(void *dev, u16 port, u8 value)
{
    struct regs *r = dev;

    r->writes++;
    r->reg[port & 7] = value;
}

static void regs_write_wide(void *dev, u16 port, u32 size, u32 value)
{
    struct regs *r = dev;

    r->wides++;
    r->wide_port = port;
    r->wide_size = size;
    r->wide_value = value;
}

static const struct pio_ops narrow = {regs_read, regs_write, NULL};
static const struct pio_ops wide = {regs_read, regs_write, regs_write_wide};

static void test_absent_reads_ones(void **state)
{
    static const u16 ports[] = {0, 1, 0x80, PIO_PORTS - 1, PIO_PORTS, 0x8000, 0xfffd, 0xffff};
    struct pio_bus bus;

    (void)state;
    pio_init(&bus);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        assert_int_equal(pio_read(&bus, ports[i], 1), 0xff);
        assert_int_equal(pio_read(&bus, ports[i], 2), 0xffff);
        assert_int_equal(pio_read(&bus, ports[i], 4), 0xffffffff);
        pio_write(&bus, ports[i], 1, 0);
        pio_write(&bus, ports[i], 2, 0);
        pio_write(&bus, ports[i], 4, 0);
        assert_false(pio_present(&bus, ports[i]));
    }
}

static void test_split(void **state)
{
    struct pio_bus bus;
    struct regs r = {0};

    (void)state;
    pio_init(&bus);
    assert_int_equal(pio_claim(&bus, 0x108, 0x10f, &narrow, &r), 0);
    pio_write(&bus, 0x108, 4, 0x44332211);
    assert_memory_equal(r.reg, "\x11\x22\x33\x44\0\0\0\0", 8);
    pio_write(&bus, 0x10c, 2, 0xdead6655);
    assert_memory_equal(r.reg + 4, "\x55\x66\0\0", 4);
    assert_int_equal(r.writes, 6);
    assert_int_equal(pio_read(&bus, 0x10a, 4), 0x66554433);
    assert_int_equal(pio_read(&bus, 0x109, 2), 0x3322);
    assert_int_equal(pio_read(&bus, 0x109, 1), 0x22);
    assert_int_equal(r.reads, 7);
}

static void test_straddles_end_of_claim(void **state)
{
    struct pio_bus bus;
    struct regs r = {.reg = {1, 2, 3, 4, 5, 6, 7, 8}};

    (void)state;
    pio_init(&bus);
    assert_int_equal(pio_claim(&bus, 0x108, 0x10f, &narrow, &r), 0);
    assert_int_equal(pio_read(&bus, 0x10e, 4), 0xffff0807);
    assert_int_equal(pio_read(&bus, 0x106, 4), 0x0201ffff);
    pio_write(&bus, 0x106, 4, 0xaabbccdd);
    assert_int_equal(r.reg[0], 0xbb);
    assert_int_equal(r.reg[1], 0xaa);
    assert_int_equal(r.writes, 2);
}

static void test_wide_write_is_one_event(void **state)
{
    struct pio_bus bus;
    struct regs r = {0}, other = {0};

    (void)state;
    pio_init(&bus);
    assert_int_equal(pio_claim(&bus, 0xf4, 0xf7, &wide, &r), 0);
    assert_int_equal(pio_claim(&bus, 0xf8, 0xf8, &wide, &other), 0);
    pio_write(&bus, 0xf4, 4, 0x12345678);
    assert_int_equal(r.wides, 1);
    assert_int_equal(r.wide_port, 0xf4);
    assert_int_equal(r.wide_size, 4);
    assert_int_equal(r.wide_value, 0x12345678);
    pio_write(&bus, 0xf6, 2, 0xabcd);
    assert_int_equal(r.wides, 2);
    assert_int_equal(r.writes, 0);
    /* Not wholly inside the claim: bytes, each to its owner. */
    pio_write(&bus, 0xf6, 4, 0x04030201);
    assert_int_equal(r.wides, 2);
    assert_int_equal(r.writes, 2);
    assert_int_equal(other.writes, 1);
    assert_int_equal(other.reg[0], 3);
    pio_write(&bus, 0xf4, 1, 0x99);
    assert_int_equal(r.writes, 3);
}

static void test_ends_of_port_space(void **state)
{
    struct pio_bus bus;
    struct regs low = {.reg = {0x10, 0x11, 0x12, 0x13}}, high = {.reg = {0, 0, 0, 0, 0, 0, 0, 7}};

    (void)state;
    pio_init(&bus);
    assert_int_equal(pio_claim(&bus, 0, 3, &wide, &low), 0);
    assert_int_equal(pio_claim(&bus, PIO_PORTS - 1, PIO_PORTS - 1, &narrow, &high), 0);
    assert_int_equal(pio_read(&bus, 0xfffe, 4), 0x1110ffff);
    assert_int_equal(pio_read(&bus, 0xffff, 2), 0x10ff);
    pio_write(&bus, 0xffff, 4, 0x04030201);
    assert_memory_equal(low.reg, "\x02\x03\x04\x13", 4);
    assert_int_equal(low.wides, 0);
    assert_int_equal(pio_read(&bus, PIO_PORTS - 1, 2), 0xff07);
}

static void test_bad_claims(void **state)
{
    static const struct pio_ops no_read = {NULL, regs_write, NULL};
    static const struct pio_ops no_write = {regs_read, NULL, NULL};
    struct pio_bus bus;
    struct regs r = {0};

    (void)state;
    pio_init(&bus);
    assert_int_equal(pio_claim(&bus, 2, 1, &narrow, &r), -HV_EINVAL);
    assert_int_equal(pio_claim(&bus, 0x4ff, PIO_PORTS, &narrow, &r), -HV_EINVAL);
    assert_int_equal(pio_claim(&bus, 0, 0xffff, &narrow, &r), -HV_EINVAL);
    assert_int_equal(pio_claim(&bus, 0, 1, &no_read, &r), -HV_EINVAL);
    assert_int_equal(pio_claim(&bus, 0, 1, &no_write, &r), -HV_EINVAL);
    assert_int_equal(pio_claim(&bus, 0x20, 0x21, &narrow, &r), 0);
    assert_int_equal(pio_claim(&bus, 0x1f, 0x20, &narrow, &r), -HV_EEXIST);
    assert_int_equal(pio_claim(&bus, 0x21, 0x30, &narrow, &r), -HV_EEXIST);
    assert_false(pio_present(&bus, 0x1f));
    assert_false(pio_present(&bus, 0x22));
    assert_true(pio_present(&bus, 0x20));
    assert_true(pio_present(&bus, 0x21));
}

static void test_slots_run_out(void **state)
{
    struct pio_bus bus;
    struct regs r[PIO_DEVICES] = {0};

    (void)state;
    pio_init(&bus);
    for (u16 i = 1; i < PIO_DEVICES; i++)
        assert_int_equal(pio_claim(&bus, i, i, &narrow, &r[i]), 0);
    assert_int_equal(pio_claim(&bus, 0x100, 0x100, &narrow, &r[0]), -HV_ENOSPC);
    assert_false(pio_present(&bus, 0x100));
    for (u16 i = 1; i < PIO_DEVICES; i++)
        pio_write(&bus, i, 1, i);
    for (u16 i = 1; i < PIO_DEVICES; i++)
        assert_int_equal(r[i].reg[i & 7], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_reads_ones),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_straddles_end_of_claim),
        cmocka_unit_test(test_wide_write_is_one_event),
        cmocka_unit_test(test_ends_of_port_space),
        cmocka_unit_test(test_bad_claims),
        cmocka_unit_test(test_slots_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
