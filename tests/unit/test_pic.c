/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair: initialization, priorities, every mode of the data sheet.
 */
#include "hv/dev/pic.c"
#include "hv/dev/pio.c"

#include "tests/unit/fake_dev_host.h"

static struct fake fake;
static struct pio_bus bus;
static struct pic pic;

static void out(u16 port, u8 value)
{
    pio_write(&bus, port, 1, value);
}

static u8 in(u16 port)
{
    return (u8)pio_read(&bus, port, 1);
}

static void line(u32 n, bool level)
{
    pic_line(&pic, n, level);
    assert_int_equal(fake.intr, pic_pending(&pic));
}

static void pulse(u32 n)
{
    line(n, false);
    line(n, true);
}

/* As PC systems do it; icw4 beyond 8086 mode for master and slave; all unmasked. */
static void program(u8 icw4_master, u8 icw4_slave)
{
    out(0x20, 0x11);
    out(0x21, 0x30);
    out(0x21, 0x04);
    out(0x21, 0x01 | icw4_master);
    out(0xa0, 0x11);
    out(0xa1, 0x38);
    out(0xa1, 0x02);
    out(0xa1, 0x01 | icw4_slave);
    out(0x21, 0);
    out(0xa1, 0);
}

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake, 1000000);
    pio_init(&bus);
    pic_init(&pic, &fake.host);
    assert_int_equal(pic_claim(&pic, &bus), 0);
    program(0, 0);
    return 0;
}

static u8 read_isr(u16 port)
{
    out(port, 0x0b);
    return in(port);
}

static u8 read_irr(u16 port)
{
    out(port, 0x0a);
    return in(port);
}

static void test_power_on(void **state)
{
    (void)state;
    pic_init(&pic, &fake.host);
    assert_int_equal(in(0x21), 0xff);
    assert_int_equal(in(0xa1), 0xff);
    line(0, true);
    line(8, true);
    assert_false(fake.intr);
    out(0x21, 0xfb);
    out(0xa1, 0xfe);
    assert_int_equal(pic_acknowledge(&pic), 0x70);
    out(0x21, 0xfe);
    assert_int_equal(pic_acknowledge(&pic), 0x08);
}

static void test_vectors(void **state)
{
    (void)state;
    for (u32 n = 0; n < 16; n++) {
        if (n == 2)
            continue;
        pulse(n);
        assert_true(fake.intr);
        assert_int_equal(pic_acknowledge(&pic), 0x30 + n);
        assert_false(fake.intr);
        assert_int_equal(read_isr(n < 8 ? 0x20 : 0xa0), 1 << (n & 7));
        assert_int_equal(read_isr(0x20), n < 8 ? 1 << n : 4);
        if (n >= 8)
            out(0xa0, 0x20);
        out(0x20, 0x20);
        assert_int_equal(read_isr(0x20) | read_isr(0xa0), 0);
        line(n, false);
    }
}

static void test_vector_base_low_bits(void **state)
{
    (void)state;
    out(0x20, 0x11);
    out(0x21, 0x57);
    out(0x21, 0x04);
    out(0x21, 0x01);
    pulse(3);
    assert_int_equal(pic_acknowledge(&pic), 0x53);
}

static void test_nothing_pending(void **state)
{
    (void)state;
    assert_int_equal(pic_acknowledge(&pic), -1);
    line(2, true);
    line(16, true);
    line(0xffffffff, true);
    assert_false(fake.intr);
    assert_int_equal(fake.intr_changes, 0);
}

static void test_intr_on_changes_only(void **state)
{
    (void)state;
    line(3, true);
    line(3, true);
    line(5, true);
    line(1, true);
    assert_int_equal(fake.intr_changes, 1);
    line(1, false);
    assert_int_equal(fake.intr_changes, 1);
    assert_int_equal(pic_acknowledge(&pic), 0x33);
    assert_int_equal(fake.intr_changes, 2);
    out(0x20, 0x20);
    assert_int_equal(fake.intr_changes, 3);
    assert_int_equal(pic_acknowledge(&pic), 0x35);
}

static void test_fully_nested(void **state)
{
    (void)state;
    pulse(4);
    assert_int_equal(pic_acknowledge(&pic), 0x34);
    pulse(4);
    pulse(6);
    assert_false(fake.intr);
    pulse(9);
    assert_int_equal(pic_acknowledge(&pic), 0x39);
    pulse(8);
    assert_false(fake.intr); /* the slave's level holds back the slave */
    pulse(1);
    assert_int_equal(pic_acknowledge(&pic), 0x31);
    assert_int_equal(read_isr(0x20), 0x16);
    out(0x20, 0x20);
    assert_int_equal(read_isr(0x20), 0x14);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x38);
}

static void test_special_fully_nested(void **state)
{
    (void)state;
    program(0x10, 0);
    pulse(12);
    assert_int_equal(pic_acknowledge(&pic), 0x3c);
    pulse(13);
    assert_false(fake.intr);
    pulse(9);
    assert_int_equal(pic_acknowledge(&pic), 0x39);
    pulse(5);
    assert_false(fake.intr); /* IR2 in service still holds back what is below it */
    assert_int_equal(read_isr(0xa0), 0x12);
    out(0xa0, 0x20);
    assert_int_equal(read_isr(0xa0), 0x10);
}

static void test_edge_needs_an_edge(void **state)
{
    (void)state;
    line(5, true);
    assert_int_equal(pic_acknowledge(&pic), 0x35);
    out(0x20, 0x20);
    assert_false(fake.intr);
    line(5, true);
    assert_false(fake.intr);
    pulse(5);
    assert_true(fake.intr);
    line(5, false);
    assert_false(fake.intr); /* the request is gone with the line */
}

static void test_level_asks_again(void **state)
{
    (void)state;
    out(0x4d0, 0xff);
    out(0x4d1, 0xff);
    assert_int_equal(in(0x4d0), 0xf8);
    assert_int_equal(in(0x4d1), 0xde);
    line(5, true);
    assert_int_equal(pic_acknowledge(&pic), 0x35);
    assert_int_equal(read_irr(0x20), 0x20);
    assert_false(fake.intr);
    out(0x20, 0x20);
    assert_true(fake.intr);
    assert_int_equal(pic_acknowledge(&pic), 0x35);
    line(5, false);
    out(0x20, 0x20);
    assert_false(fake.intr);
    line(11, true);
    assert_int_equal(pic_acknowledge(&pic), 0x3b);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x3b);
    /* Line 0 stays edge-triggered. */
    line(11, false);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    line(0, true);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
    out(0x20, 0x20);
    assert_false(fake.intr);
}

static void test_ltim(void **state)
{
    (void)state;
    out(0x20, 0x19);
    out(0x21, 0x30);
    out(0x21, 0x04);
    out(0x21, 0x01);
    line(0, true);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
}

static void test_masked_edge_is_kept(void **state)
{
    (void)state;
    out(0x21, 0x08);
    pulse(3);
    assert_false(fake.intr);
    assert_int_equal(read_irr(0x20), 0x08);
    out(0x21, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x33);
    assert_int_equal(read_irr(0x20), 0);
}

static void test_spurious_master(void **state)
{
    (void)state;
    pulse(4);
    line(4, false);
    assert_false(fake.intr);
    assert_int_equal(pic_acknowledge(&pic), 0x37);
    assert_int_equal(read_isr(0x20), 0);
    assert_int_equal(pic_acknowledge(&pic), -1);
    /* Masked at the last moment. */
    pulse(4);
    out(0x21, 0x10);
    assert_int_equal(pic_acknowledge(&pic), 0x37);
    out(0x21, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x34);
    assert_int_equal(pic_acknowledge(&pic), -1);
    /* A real IR7 shows in ISR. */
    out(0x20, 0x20);
    pulse(7);
    assert_int_equal(pic_acknowledge(&pic), 0x37);
    assert_int_equal(read_isr(0x20), 0x80);
}

static void test_spurious_slave(void **state)
{
    (void)state;
    pulse(10);
    line(10, false);
    assert_int_equal(pic_acknowledge(&pic), 0x3f);
    assert_int_equal(read_isr(0xa0), 0);
    assert_int_equal(read_isr(0x20), 4); /* the master saw nothing odd and wants its EOI */
    out(0x20, 0x20);
    /* The master alone lost it: IRQ 7, and the slave still asks. */
    pulse(10);
    out(0x21, 0x04);
    assert_int_equal(pic_acknowledge(&pic), 0x37);
    assert_int_equal(read_isr(0x20) | read_isr(0xa0), 0);
    out(0x21, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x3a);
}

static void test_withdrawn_then_another(void **state)
{
    (void)state;
    pulse(4);
    line(4, false);
    pulse(1);
    assert_int_equal(pic_acknowledge(&pic), 0x31);
    assert_int_equal(pic_acknowledge(&pic), -1);
    out(0x20, 0x20);
    pulse(4);
    line(4, false);
    program(0, 0);
    assert_int_equal(pic_acknowledge(&pic), -1);
}

static void test_specific_eoi(void **state)
{
    (void)state;
    pulse(5);
    pic_acknowledge(&pic);
    pulse(3);
    pic_acknowledge(&pic);
    out(0x20, 0x65);
    assert_int_equal(read_isr(0x20), 0x08);
    out(0x20, 0x60);
    assert_int_equal(read_isr(0x20), 0x08);
    out(0x20, 0x63);
    assert_int_equal(read_isr(0x20), 0);
    out(0x20, 0x20); /* nothing in service: no effect */
    assert_int_equal(read_isr(0x20), 0);
}

static void test_automatic_rotation(void **state)
{
    (void)state;
    for (u32 n = 3; n < 8; n++)
        pulse(n);
    for (u32 n = 3; n < 8; n++) {
        assert_int_equal(pic_acknowledge(&pic), 0x30 + n);
        out(0x20, 0xa0); /* rotate on non-specific EOI: n becomes lowest */
        pulse(n);
    }
    assert_int_equal(pic_acknowledge(&pic), 0x33);
}

static void test_specific_rotation(void **state)
{
    (void)state;
    out(0x20, 0xc5); /* set priority: IR5 lowest, IR6 highest */
    pulse(5);
    pulse(0);
    pulse(6);
    assert_int_equal(pic_acknowledge(&pic), 0x36);
    out(0x20, 0xe6); /* specific EOI, IR6 lowest, IR7 highest */
    pulse(6);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
    out(0x20, 0x40); /* no operation */
    assert_int_equal(read_isr(0x20), 1);
    pulse(7);
    assert_int_equal(pic_acknowledge(&pic), 0x37);
    out(0x20, 0x20); /* the most urgent in service is IR7 now */
    assert_int_equal(read_isr(0x20), 1);
}

static void test_automatic_eoi(void **state)
{
    (void)state;
    program(2, 2);
    pulse(3);
    pulse(9);
    pulse(10);
    assert_int_equal(pic_acknowledge(&pic), 0x39);
    assert_int_equal(read_isr(0x20) | read_isr(0xa0), 0);
    assert_true(fake.intr);
    assert_int_equal(pic_acknowledge(&pic), 0x3a);
    assert_int_equal(pic_acknowledge(&pic), 0x33);
    assert_int_equal(pic_acknowledge(&pic), -1);
}

static void test_rotation_in_automatic_eoi(void **state)
{
    (void)state;
    program(2, 0);
    out(0x20, 0x80);
    pulse(0);
    pulse(1);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
    pulse(0);
    assert_int_equal(pic_acknowledge(&pic), 0x31);
    assert_int_equal(pic_acknowledge(&pic), 0x30);
    out(0x20, 0x00);
    pulse(1);
    assert_int_equal(pic_acknowledge(&pic), 0x31);
    pulse(0);
    pulse(1);
    assert_int_equal(pic_acknowledge(&pic), 0x31); /* IR0 was made lowest before */
}

static void test_special_mask(void **state)
{
    (void)state;
    pulse(3);
    pic_acknowledge(&pic);
    pulse(6);
    assert_false(fake.intr);
    out(0x21, 0x08);
    assert_false(fake.intr);
    out(0x20, 0x68); /* set special mask mode */
    assert_int_equal(pic_acknowledge(&pic), 0x36);
    assert_int_equal(read_isr(0x20), 0x48);
    out(0x20, 0x20); /* skips the masked level */
    assert_int_equal(read_isr(0x20), 0x08);
    out(0x20, 0x20);
    assert_int_equal(read_isr(0x20), 0x08);
    pulse(6);
    assert_true(fake.intr);
    out(0x20, 0x28); /* ESMM clear: no change */
    assert_true(fake.intr);
    out(0x20, 0x48); /* reset special mask mode */
    assert_false(fake.intr);
}

static void test_poll(void **state)
{
    (void)state;
    out(0x20, 0x0c);
    assert_int_equal(in(0x20) & 0x80, 0);
    pulse(5);
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0x85);
    assert_false(fake.intr);
    assert_int_equal(read_isr(0x20), 0x20);
    assert_int_equal(pic_acknowledge(&pic), -1); /* answered, so not spurious */
    out(0x20, 0x20);
    pulse(14);
    out(0xa0, 0x0e); /* poll wins over a register choice in the same word */
    assert_int_equal(in(0xa1), 0x86);
    assert_int_equal(in(0xa1), 0);
    assert_false(fake.intr);
    assert_int_equal(read_isr(0xa0), 0x40);
    assert_int_equal(read_isr(0x20), 0);
    assert_int_equal(pic_acknowledge(&pic), -1);
}

static void test_icw1_resets(void **state)
{
    (void)state;
    line(3, true);
    out(0x21, 0xaa);
    out(0x20, 0xc3);
    out(0x20, 0x0b);
    out(0x20, 0x11);
    assert_false(fake.intr);
    out(0x21, 0x40);
    out(0x21, 0x04);
    line(1, true);
    assert_false(fake.intr); /* one word still to come */
    out(0x21, 0x01);
    assert_true(fake.intr);
    assert_int_equal(in(0x21), 0);
    assert_int_equal(in(0x20), 0x02); /* IRR chosen; line 3, high all the time, made no new edge */
    assert_int_equal(pic_acknowledge(&pic), 0x41);
}

static void test_icw_lengths(void **state)
{
    (void)state;
    out(0x20, 0x12); /* single, no ICW4 */
    out(0x21, 0x60);
    out(0x21, 0x55); /* OCW1 already */
    assert_int_equal(in(0x21), 0x55);
    assert_int_equal(fake.notes, 1);
    out(0x20, 0x13);
    out(0x21, 0x60);
    out(0x21, 0x01);
    out(0x21, 0x77);
    assert_int_equal(in(0x21), 0x77);
    out(0x20, 0x10); /* cascade, no ICW4 */
    out(0x21, 0x60);
    out(0x21, 0x04);
    out(0x21, 0x66);
    assert_int_equal(in(0x21), 0x66);
    assert_int_equal(fake.notes, 1);
}

static void test_cascade_misprogrammed(void **state)
{
    (void)state;
    out(0x20, 0x13); /* master alone: the slave's request is a plain IR2 */
    out(0x21, 0x30);
    out(0x21, 0x01);
    pulse(9);
    assert_int_equal(pic_acknowledge(&pic), 0x32);
    set_up(state);
    out(0xa0, 0x11); /* a slave that listens to another number never drives the bus */
    out(0xa1, 0x38);
    out(0xa1, 0x05);
    out(0xa1, 0x01);
    pulse(9);
    assert_int_equal(pic_acknowledge(&pic), 0xff);
    assert_int_equal(read_isr(0x20), 4);
}

static void test_slave_two_requests(void **state)
{
    (void)state;
    pulse(9);
    pulse(12);
    assert_int_equal(pic_acknowledge(&pic), 0x39);
    out(0xa0, 0x20);
    assert_false(fake.intr);
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x3c);
}

/* Only the master's levels can stand for a slave. */
static void test_special_fully_nested_slave(void **state)
{
    (void)state;
    program(0x10, 0x10);
    for (u32 n = 8; n < 16; n++) {
        pulse(n);
        assert_int_equal(pic_acknowledge(&pic), 0x30 + n);
        pulse(n);
        assert_false(fake.intr);
        line(n, false);
        out(0xa0, 0x20);
        out(0x20, 0x20);
    }
}

/* Anything goes: no crash, and the host is told exactly what pic_pending says. */
static void test_random_ports(void **state)
{
    static const u16 ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
    u64 seed = 2;

    (void)state;
    for (u32 i = 0; i < 300000; i++) {
        u32 r = fake_random(&seed);
        u16 port = ports[r % 6];
        int vector;

        switch (r >> 8 & 3) {
        case 0: out(port, (u8)(r >> 16)); break;
        case 1: in(port); break;
        case 2: line(r >> 16 & 15, r >> 20 & 1); break;
        default: vector = pic_acknowledge(&pic); assert_in_range(vector + 1, 0, 256);
        }
        assert_int_equal(fake.intr, pic_pending(&pic));
        assert_in_range(pic.chip[0].lowest | pic.chip[1].lowest, 0, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_power_on, set_up),
        cmocka_unit_test_setup(test_vectors, set_up),
        cmocka_unit_test_setup(test_vector_base_low_bits, set_up),
        cmocka_unit_test_setup(test_nothing_pending, set_up),
        cmocka_unit_test_setup(test_intr_on_changes_only, set_up),
        cmocka_unit_test_setup(test_fully_nested, set_up),
        cmocka_unit_test_setup(test_special_fully_nested, set_up),
        cmocka_unit_test_setup(test_edge_needs_an_edge, set_up),
        cmocka_unit_test_setup(test_level_asks_again, set_up),
        cmocka_unit_test_setup(test_ltim, set_up),
        cmocka_unit_test_setup(test_masked_edge_is_kept, set_up),
        cmocka_unit_test_setup(test_spurious_master, set_up),
        cmocka_unit_test_setup(test_spurious_slave, set_up),
        cmocka_unit_test_setup(test_withdrawn_then_another, set_up),
        cmocka_unit_test_setup(test_specific_eoi, set_up),
        cmocka_unit_test_setup(test_automatic_rotation, set_up),
        cmocka_unit_test_setup(test_specific_rotation, set_up),
        cmocka_unit_test_setup(test_automatic_eoi, set_up),
        cmocka_unit_test_setup(test_rotation_in_automatic_eoi, set_up),
        cmocka_unit_test_setup(test_special_mask, set_up),
        cmocka_unit_test_setup(test_poll, set_up),
        cmocka_unit_test_setup(test_icw1_resets, set_up),
        cmocka_unit_test_setup(test_icw_lengths, set_up),
        cmocka_unit_test_setup(test_cascade_misprogrammed, set_up),
        cmocka_unit_test_setup(test_slave_two_requests, set_up),
        cmocka_unit_test_setup(test_special_fully_nested_slave, set_up),
        cmocka_unit_test_setup(test_random_ports, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
