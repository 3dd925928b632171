/* SPDX-License-Identifier: MIT */
/*
 * The 16550A: registers, FIFOs and trigger levels, the four interrupt sources and their order,
 * character timeout, overrun, loopback, and the way common drivers probe it.
 */
#include "hv/dev/uart.c"
#include "hv/dev/pio.c"

#include "tests/unit/fake_dev_host.h"

#define BASE 0x3f8
#define HZ   1152000000u /* 10000 ticks a bit at 115200 baud */

static struct fake fake;
static struct pio_bus bus;
static struct uart uart;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake, HZ);
    pio_init(&bus);
    uart_init(&uart, &fake.host, fake_irq(&fake));
    return uart_claim(&uart, &bus);
}

static void out(u32 reg, u8 value)
{
    pio_write(&bus, (u16)(BASE + reg), 1, value);
}

static u8 in(u32 reg)
{
    return (u8)pio_read(&bus, (u16)(BASE + reg), 1);
}

static bool irq(void)
{
    return fake.line[UART_LINE];
}

static void receive(u32 n)
{
    while (n--)
        assert_true(uart_receive(&uart, (u8)n));
}

/* Interrupts connected, FIFOs on with a trigger level 0-3. */
static void enable(u8 ier, u8 trigger)
{
    out(IIR_FCR, (u8)(trigger << 6 | 7));
    out(MCR, MCR_OUT2);
    out(IER_DLM, ier);
}

static void test_reset_state(void **state)
{
    (void)state;
    assert_int_equal(in(IER_DLM), 0);
    assert_int_equal(in(IIR_FCR), 0x01);
    assert_int_equal(in(LCR), 0);
    assert_int_equal(in(MCR), 0);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(MSR), 0xb0);
    assert_int_equal(in(RBR_THR_DLL), 0);
    assert_false(irq());
}

static void test_registers_keep_their_bits(void **state)
{
    (void)state;
    out(SCR, 0xa5);
    out(LCR, 0x7f);
    out(MCR, 0xef);
    out(IER_DLM, 0xfd);
    out(LSR, 0xff);
    out(MSR, 0xff);
    assert_int_equal(in(SCR), 0xa5);
    assert_int_equal(in(LCR), 0x7f);
    assert_int_equal(in(MCR), 0x0f);
    assert_int_equal(in(IER_DLM), 0x0d);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(MSR)&0xf0, 0xb0);
}

static void test_divisor_latch(void **state)
{
    (void)state;
    out(IER_DLM, 0x05);
    out(LCR, 0x83);
    out(RBR_THR_DLL, 0x34);
    out(IER_DLM, 0x12);
    assert_int_equal(in(RBR_THR_DLL), 0x34);
    assert_int_equal(in(IER_DLM), 0x12);
    assert_int_equal(uart.divisor, 0x1234);
    out(LCR, 0x03);
    assert_int_equal(in(IER_DLM), 0x05);
    assert_int_equal(fake.text_len, 0);
}

static void test_transmit(void **state)
{
    static const char text[] = "hello, world";

    (void)state;
    for (const char *c = text; *c; c++) {
        assert_int_equal(in(LSR)&0x60, 0x60);
        out(RBR_THR_DLL, (u8)*c);
    }
    assert_int_equal(fake.text_len, strlen(text));
    assert_memory_equal(fake.text, text, strlen(text));
}

static void test_receive_without_fifo(void **state)
{
    (void)state;
    out(MCR, MCR_OUT2);
    out(IER_DLM, IER_ERBFI);
    assert_int_equal(uart_room(&uart), 1);
    receive(1);
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0x04);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(uart_room(&uart), 0);
    assert_false(uart_receive(&uart, 'n')); /* overruns: the new byte stays */
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(RBR_THR_DLL), 'n');
    assert_int_equal(in(LSR), 0x60);
    assert_false(irq());
    assert_int_equal(fake.deadline[DEV_TIMER_UART], 0); /* no timeout without FIFOs */
}

static void test_fifo_overrun(void **state)
{
    (void)state;
    enable(IER_ELSI, 0);
    assert_int_equal(in(IIR_FCR), 0xc1);
    receive(16);
    assert_false(irq());
    assert_int_equal(uart_room(&uart), 0);
    assert_false(uart_receive(&uart, 0x99)); /* overruns: the FIFO stays */
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0xc6);
    assert_int_equal(in(LSR), 0x63);
    assert_false(irq());
    for (int i = 15; i >= 0; i--)
        assert_int_equal(in(RBR_THR_DLL), i);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(RBR_THR_DLL), 0);
}

static void test_trigger_levels(void **state)
{
    static const u8 level[4] = {1, 4, 8, 14};

    for (u8 t = 0; t < 4; t++) {
        set_up(state);
        enable(IER_ERBFI, t);
        for (u32 n = 1; n <= 16; n++) {
            receive(1);
            assert_int_equal(irq(), n >= level[t]);
            assert_int_equal(in(IIR_FCR), n >= level[t] ? 0xc4 : 0xc1);
        }
        for (u32 n = 16; n; n--) {
            assert_int_equal(irq(), n >= level[t]);
            in(RBR_THR_DLL);
        }
        assert_false(irq());
    }
}

static void test_character_timeout(void **state)
{
    (void)state;
    out(LCR, 0x03); /* 8N1: ten bits a character */
    enable(IER_ERBFI, 1);
    receive(1);
    assert_int_equal(fake.deadline[DEV_TIMER_UART], fake.now + 4 * 10 * 10000);
    fake.now += 1000;
    receive(1); /* starts over */
    assert_int_equal(fake.deadline[DEV_TIMER_UART], fake.now + 4 * 10 * 10000);
    assert_false(irq());
    uart_timer(&uart);
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0xcc);
    assert_int_equal(in(IIR_FCR), 0xcc);
    in(RBR_THR_DLL); /* answers it, and starts over for the one left */
    assert_false(irq());
    assert_int_equal(fake.deadline[DEV_TIMER_UART], fake.now + 4 * 10 * 10000);
    uart_timer(&uart);
    assert_true(irq());
    in(RBR_THR_DLL);
    assert_false(irq());
    assert_int_equal(fake.deadline[DEV_TIMER_UART], 0);
    uart_timer(&uart); /* late call: nothing waits */
    assert_false(irq());
}

static void test_timeout_length(void **state)
{
    (void)state;
    enable(IER_ERBFI, 3);
    out(LCR, 0x80);
    out(RBR_THR_DLL, 12);
    out(LCR, 0x0f); /* 8 data, parity, 2 stop: twelve bits */
    receive(1);
    assert_int_equal(fake.deadline[DEV_TIMER_UART], fake.now + 4ull * 12 * 12 * 10000);
    out(LCR, 0x80);
    out(RBR_THR_DLL, 0); /* divisor 0 does no harm */
    out(LCR, 0x00);      /* 5 data, 1 stop: seven bits */
    receive(1);
    assert_int_equal(fake.deadline[DEV_TIMER_UART], fake.now + 4 * 7 * 10000);
}

static void test_fifo_resets(void **state)
{
    (void)state;
    enable(IER_ERBFI, 0);
    receive(5);
    out(IIR_FCR, 0x41); /* trigger changes, contents stay */
    assert_int_equal(in(LSR)&1, 1);
    out(IIR_FCR, 0x43);
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(fake.deadline[DEV_TIMER_UART], 0);
    assert_false(irq());
    receive(5);
    out(IIR_FCR, 0x00);
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in(IIR_FCR), 0x01);
    receive(1);
    out(IIR_FCR, 0xc6); /* ignored while bit 0 is clear */
    assert_int_equal(in(LSR)&1, 1);
    assert_int_equal(in(IIR_FCR), 0x04);
    out(IIR_FCR, 0x01);
    assert_int_equal(in(LSR)&1, 0);
}

static void test_fifo_wraps(void **state)
{
    u8 next_in = 0, next_out = 0;
    u64 seed = 4;

    (void)state;
    enable(0, 0);
    for (u32 i = 0; i < 10000; i++) {
        if (fake_random(&seed) & 1) {
            u32 room = uart_room(&uart);

            assert_int_equal(uart_receive(&uart, next_in), room > 0);
            next_in = (u8)(next_in + (room > 0));
        } else if (in(LSR)&1) {
            assert_int_equal(in(RBR_THR_DLL), next_out++);
        }
        assert_int_equal(uart_room(&uart), 16 - (u8)(next_in - next_out));
    }
}

static void test_thre(void **state)
{
    (void)state;
    enable(0, 0);
    out(IER_DLM, IER_ETBEI);
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0xc2);
    assert_false(irq()); /* reading IIR answers */
    assert_int_equal(in(IIR_FCR), 0xc1);
    out(RBR_THR_DLL, 'a'); /* left at once: asks again */
    assert_true(irq());
    out(IER_DLM, 0);
    assert_false(irq());
    out(IER_DLM, IER_ETBEI);
    assert_int_equal(in(IIR_FCR), 0xc2);
    out(IER_DLM, IER_ETBEI); /* was enabled already */
    assert_false(irq());
    out(IER_DLM, 0); /* drivers probe so for a broken transmitter interrupt */
    out(IER_DLM, IER_ETBEI);
    assert_int_equal(in(IIR_FCR), 0xc2);
}

/* An edge-triggered PIC must see each byte's end, though the line never was answered. */
static void test_thre_edges(void **state)
{
    u32 before;

    (void)state;
    enable(IER_ETBEI, 0);
    before = fake.rises[UART_LINE];
    out(RBR_THR_DLL, 'a');
    out(RBR_THR_DLL, 'b');
    assert_int_equal(fake.rises[UART_LINE], before + 2);
    assert_true(irq());
}

static void test_thre_stays_behind_others(void **state)
{
    (void)state;
    enable(IER_ETBEI | IER_ERBFI, 0);
    receive(1);
    assert_int_equal(in(IIR_FCR), 0xc4); /* does not answer THRE, which it did not report */
    in(RBR_THR_DLL);
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0xc2);
    assert_false(irq());
}

static void test_priorities(void **state)
{
    (void)state;
    enable(0x0f, 0);
    out(MCR, MCR_OUT2 | MCR_LOOP); /* changes the modem inputs */
    out(MCR, MCR_OUT2);
    receive(16);
    uart_receive(&uart, 0);
    assert_int_equal(in(IIR_FCR), 0xc6);
    in(LSR);
    assert_int_equal(in(IIR_FCR), 0xc4);
    for (int i = 0; i < 16; i++)
        in(RBR_THR_DLL);
    assert_int_equal(in(IIR_FCR), 0xc2);
    assert_int_equal(in(IIR_FCR), 0xc0);
    assert_true(irq());
    assert_int_equal(in(MSR)&0x0f, 0x03); /* DCD followed OUT2 */
    assert_int_equal(in(IIR_FCR), 0xc1);
    assert_false(irq());
}

static void test_out2_gates(void **state)
{
    (void)state;
    out(IER_DLM, IER_ERBFI);
    receive(1);
    assert_false(irq());
    assert_int_equal(in(IIR_FCR), 0x04);
    out(MCR, MCR_OUT2);
    assert_true(irq());
    out(MCR, MCR_DTR | MCR_RTS | MCR_OUT1);
    assert_false(irq());
}

static void test_loopback_data(void **state)
{
    (void)state;
    enable(IER_ERBFI, 0);
    out(MCR, MCR_OUT2 | MCR_LOOP);
    out(RBR_THR_DLL, 0x5a);
    assert_int_equal(fake.text_len, 0);
    assert_true(irq());
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(RBR_THR_DLL), 0x5a);
    assert_false(uart_receive(&uart, 'x')); /* the line is disconnected */
    assert_int_equal(uart_room(&uart), 0);
    assert_int_equal(in(LSR), 0x60);
    for (u8 i = 0; i < 17; i++)
        out(RBR_THR_DLL, i);
    assert_int_equal(in(LSR), 0x63);
    out(MCR, MCR_OUT2);
    out(RBR_THR_DLL, '!');
    assert_int_equal(fake.text_len, 1);
}

static void test_loopback_modem(void **state)
{
    static const u8 wire[][2] = {
        {MCR_DTR, MSR_DSR}, {MCR_RTS, MSR_CTS}, {MCR_OUT1, MSR_RI}, {MCR_OUT2, MSR_DCD}};

    (void)state;
    out(MCR, MCR_LOOP);
    assert_int_equal(in(MSR), 0x0b);
    assert_int_equal(in(MSR), 0x00);
    for (size_t i = 0; i < ARRAY_SIZE(wire); i++) {
        u8 bit = wire[i][1], delta = bit >> 4;

        out(MCR, MCR_LOOP | wire[i][0]);
        assert_int_equal(in(MSR), bit | (bit == MSR_RI ? 0 : delta));
        assert_int_equal(in(MSR), bit);
        out(MCR, MCR_LOOP);
        assert_int_equal(in(MSR), delta); /* RI: its trailing edge */
        assert_int_equal(in(MSR), 0);
    }
    out(MCR, 0);
    assert_int_equal(in(MSR), 0xbb);
}

static void test_modem_interrupt(void **state)
{
    (void)state;
    out(IER_DLM, IER_EDSSI);
    out(MCR, MCR_LOOP | MCR_OUT2);
    assert_true(irq());
    assert_int_equal(in(IIR_FCR), 0x00);
    in(MSR);
    assert_false(irq());
}

static void test_random_ports(void **state)
{
    u64 seed = 6;

    (void)state;
    for (u32 i = 0; i < 500000; i++) {
        u32 r = fake_random(&seed);

        switch (r & 3) {
        case 0: out(r >> 8 & 7, (u8)(r >> 16)); break;
        case 1: in(r >> 8 & 7); break;
        case 2: uart_receive(&uart, (u8)r); break;
        default: uart_timer(&uart);
        }
        assert_in_range(uart.count, 0, uart_capacity(&uart));
        assert_int_equal(irq(), (uart.mcr & MCR_OUT2) && uart_source(&uart) != IIR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reset_state, set_up),
        cmocka_unit_test_setup(test_registers_keep_their_bits, set_up),
        cmocka_unit_test_setup(test_divisor_latch, set_up),
        cmocka_unit_test_setup(test_transmit, set_up),
        cmocka_unit_test_setup(test_receive_without_fifo, set_up),
        cmocka_unit_test_setup(test_fifo_overrun, set_up),
        cmocka_unit_test_setup(test_trigger_levels, set_up),
        cmocka_unit_test_setup(test_character_timeout, set_up),
        cmocka_unit_test_setup(test_timeout_length, set_up),
        cmocka_unit_test_setup(test_fifo_resets, set_up),
        cmocka_unit_test_setup(test_fifo_wraps, set_up),
        cmocka_unit_test_setup(test_thre, set_up),
        cmocka_unit_test_setup(test_thre_edges, set_up),
        cmocka_unit_test_setup(test_thre_stays_behind_others, set_up),
        cmocka_unit_test_setup(test_priorities, set_up),
        cmocka_unit_test_setup(test_out2_gates, set_up),
        cmocka_unit_test_setup(test_loopback_data, set_up),
        cmocka_unit_test_setup(test_loopback_modem, set_up),
        cmocka_unit_test_setup(test_modem_interrupt, set_up),
        cmocka_unit_test_setup(test_random_ports, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
