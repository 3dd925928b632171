/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair against a naive model of the chips, which must agree over random operations.
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

/*
 * The naive model: arrays and loops, priorities by walking. Initialized chips, 8086 mode; modes
 * that random operations change: masks, ELCR, rotation, special mask, SFNM, AEOI.
 */
struct naive {
    bool line[2][8], edge[2][8], isr[2][8], imr[2][8], level[2][8];
    int highest[2];
    bool smm[2], aeoi[2], aeoi_rotate[2], sfnm;
};

static bool naive_request(const struct naive *m, int c, int i)
{
    return (m->level[c][i] ? m->line[c][i] : m->edge[c][i]) && !m->imr[c][i];
}

static int naive_next(const struct naive *m, int c)
{
    for (int k = 0; k < 8; k++) {
        int i = (m->highest[c] + k) % 8;
        bool busy = m->isr[c][i] && !(m->smm[c] && m->imr[c][i]);

        if (naive_request(m, c, i) && (!busy || (c == 0 && i == 2 && m->sfnm)))
            return i;
        if (busy)
            return -1;
    }
    return -1;
}

static void naive_set_line(struct naive *m, int c, int i, bool level)
{
    if (level && !m->line[c][i])
        m->edge[c][i] = true;
    if (!level)
        m->edge[c][i] = false;
    m->line[c][i] = level;
}

static void naive_cascade(struct naive *m)
{
    naive_set_line(m, 0, 2, naive_next(m, 1) >= 0);
}

static void naive_take(struct naive *m, int c, int i)
{
    m->edge[c][i] = false;
    if (!m->aeoi[c])
        m->isr[c][i] = true;
    else if (m->aeoi_rotate[c])
        m->highest[c] = (i + 1) % 8;
}

static int naive_acknowledge(struct naive *m)
{
    int i = naive_next(m, 0), s;

    if (i < 0)
        return -1;
    naive_take(m, 0, i);
    if (i != 2)
        return 0x30 + i;
    s = naive_next(m, 1);
    assert_in_range(s, 0, 7);
    naive_take(m, 1, s);
    naive_set_line(m, 0, 2, false);
    naive_cascade(m);
    return 0x38 + s;
}

static void naive_eoi(struct naive *m, int c, bool rotate)
{
    for (int k = 0; k < 8; k++) {
        int i = (m->highest[c] + k) % 8;

        if (!m->isr[c][i] || (m->smm[c] && m->imr[c][i]))
            continue;
        m->isr[c][i] = false;
        if (rotate)
            m->highest[c] = (i + 1) % 8;
        return;
    }
}

static void naive_ocw2(struct naive *m, int c, u8 value)
{
    int level = value & 7;

    switch (value >> 5) {
    case 0: m->aeoi_rotate[c] = false; break;
    case 1: naive_eoi(m, c, false); break;
    case 3: m->isr[c][level] = false; break;
    case 4: m->aeoi_rotate[c] = true; break;
    case 5: naive_eoi(m, c, true); break;
    case 6: m->highest[c] = (level + 1) % 8; break;
    case 7:
        m->isr[c][level] = false;
        m->highest[c] = (level + 1) % 8;
        break;
    }
}

static u8 pack(const bool *bits)
{
    u8 value = 0;

    for (int i = 0; i < 8; i++)
        value |= (u8)(bits[i] << i);
    return value;
}

static void unpack(bool *bits, u8 value)
{
    for (int i = 0; i < 8; i++)
        bits[i] = value >> i & 1;
}

static void check_model(const struct naive *m)
{
    assert_int_equal(fake.intr, naive_next(m, 0) >= 0);
    for (int c = 0; c < 2; c++) {
        u8 irr = 0;

        for (int i = 0; i < 8; i++)
            irr |= (u8)((m->level[c][i] ? m->line[c][i] : m->edge[c][i]) << i);
        assert_int_equal(pic.chip[c].isr, pack(m->isr[c]));
        assert_int_equal(chip_irr(&pic.chip[c]), irr);
    }
}

/* One random operation on both. */
static void step(struct naive *m, u64 *seed)
{
    u32 r = fake_random(seed), c = r >> 8 & 1;
    u8 value = (u8)(fake_random(seed) >> 3);
    u16 port = c ? 0xa0 : 0x20;

    switch (r % 8) {
    case 0:
    case 1:
    case 2:
        if (c == 0 && (value & 7) == 2)
            break;
        pic_line(&pic, c * 8 + (value & 7), value >> 3 & 1);
        naive_set_line(m, (int)c, value & 7, value >> 3 & 1);
        break;
    case 3:
    case 4:
        if (fake.intr)
            assert_int_equal(pic_acknowledge(&pic), naive_acknowledge(m));
        break;
    case 5:
        out(port, value & 0xe7);
        naive_ocw2(m, (int)c, value);
        break;
    case 6:
        out(port + 1, value & (value >> 4));
        unpack(m->imr[c], value & (value >> 4));
        break;
    default:
        if (value & 1) {
            out(port, value & 2 ? 0x68 : 0x48);
            m->smm[c] = value & 2;
        } else if ((value & 0x30) == 0) {
            out(c ? 0x4d1 : 0x4d0, value);
            unpack(m->level[c], value & (c ? 0xde : 0xf8));
        }
    }
    naive_cascade(m);
    check_model(m);
}

static void test_against_naive_model(void **state)
{
    u64 seed = 1;

    for (u32 mode = 0; mode < 8; mode++) {
        struct naive m = {.aeoi = {mode & 1, mode & 2}, .sfnm = mode & 4};

        set_up(state);
        program((mode & 1 ? 2 : 0) | (mode & 4 ? 0x10 : 0), mode & 2 ? 2 : 0);
        for (u32 i = 0; i < 100000; i++)
            step(&m, &seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_against_naive_model, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
