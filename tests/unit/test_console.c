/* SPDX-License-Identifier: MIT */
/*
 * The console on faked ports: what leaves, in which order, how lines of several speakers are kept
 * apart; the UART's protocol; the two screens on faked memory.
 */
#define HV_X86_INSN_H /* instead of the instructions: the fakes below */
#include "hv/lib/types.h"

static u8 insn_in8(u16 port);
static void insn_out8(u16 port, u8 v);
static void insn_outs8(u16 port, const void *buf, size_t n);
static u64 fake_flags;

static inline u64 insn_read_rflags(void)
{
    return fake_flags;
}

static inline void insn_cli(void)
{
    fake_flags &= ~0x200ull;
}

static inline void insn_sti(void)
{
    fake_flags |= 0x200;
}

static inline void insn_pause(void)
{
}

#include "hv/host/console.c"
#undef CHUNK
#include "hv/host/console_serial.c"
#include "hv/host/console_vga.c"
/* The two screens have functions of the same names. */
#define line       fb_line
#define column     fb_column
#define lines      fb_lines
#define columns    fb_columns
#define clear_line fb_clear_line
#define new_line   fb_new_line
#define put_char   fb_put_char
#include "hv/host/console_fb.c"
#undef line
#undef column
#undef lines
#undef columns
#include "hv/host/console_font.c"
#include "hv/host/boot_info.c"
#include "hv/lib/crc32.c"
#include "hv/lib/format.c"

#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool e9, uart;        /* present */
    u8 scratch, lcr;      /* UART registers */
    u32 busy;             /* polls until the transmitter is ready; ~0: never */
    u32 fifo, worst_fifo; /* bytes written since it was last seen empty */
    u32 cursor_index, cursor;
    bool no_memory;
    char e9_text[300000], uart_text[300000];
    size_t e9_n, uart_n;
} fake;

static u8 insn_in8(u16 port)
{
    if (port == PORT_DEBUGCON)
        return fake.e9 ? 0xe9 : 0xff;
    if (!fake.uart)
        return 0xff;
    if (port == PORT_COM1 + UART_SCR)
        return fake.scratch;
    assert_int_equal(port, PORT_COM1 + UART_LSR);
    if (fake.busy) {
        fake.busy -= fake.busy != ~0u;
        return 0;
    }
    fake.fifo = 0;
    return LSR_THRE;
}

static void uart_write(u16 reg, u8 v)
{
    if (reg == UART_LCR)
        fake.lcr = v;
    if (reg == UART_SCR)
        fake.scratch = v;
    if (reg != UART_DATA || (fake.lcr & LCR_DLAB))
        return;
    fake.uart_text[fake.uart_n++] = (char)v;
    fake.fifo++;
    fake.worst_fifo = MAX(fake.worst_fifo, fake.fifo);
}

static void insn_out8(u16 port, u8 v)
{
    if (port == CRTC_INDEX)
        fake.cursor_index = v;
    else if (port == CRTC_DATA)
        fake.cursor = fake.cursor_index == CURSOR_HI ? (u32)v << 8 : fake.cursor | v;
    else if (fake.uart)
        uart_write(port - PORT_COM1, v);
}

static void insn_outs8(u16 port, const void *buf, size_t n)
{
    assert_int_equal(port, PORT_DEBUGCON);
    memcpy(fake.e9_text + fake.e9_n, buf, n);
    fake.e9_n += n;
}

void *mem_zalloc(size_t bytes, u32 node)
{
    (void)node;
    return fake.no_memory ? NULL : calloc(1, bytes);
}

int mem_map_mmio(hpa_t pa, u64 size)
{
    (void)pa;
    (void)size;
    return fake.no_memory ? -HV_ENOMEM : 0;
}

bool str_copy(char *dst, size_t size, const char *src)
{
    return snprintf(dst, size, "%s", src) < (int)size;
}

static struct boot_info bi;
static u16 vga_cells[LINES * COLUMNS];

static void start(const char *cmdline)
{
    u32 i;

    for (i = 0; i < CONSOLE_CHANNELS; i++)
        free(channels[i].ring);
    memset(channels, 0, sizeof(channels));
    memset(&output, 0, sizeof(output));
    output.speaker = NOBODY;
    memset(&bi, 0, sizeof(bi));
    str_copy(bi.cmdline, sizeof(bi.cmdline), cmdline);
    cells = vga_cells;
    fake_flags = 0x200;
    console_init_early(&bi);
}

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    fake.e9 = true;
    start("");
    assert_int_equal(console_init(&bi), 0);
    console_name(1, "one");
    console_name(2, "two");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    start("");
    return 0;
}

static void say(u32 channel, const char *text)
{
    console_write(channel, text, strlen(text));
}

/* Drains, compares with what has left since the last time. */
static void expect(const char *want)
{
    console_drain();
    assert_false(console_pending());
    fake.e9_text[fake.e9_n] = 0;
    assert_string_equal(fake.e9_text, want);
    fake.e9_n = 0;
    assert_int_equal(fake_flags, 0x200); /* interrupts are on again */
}

static void test_buffered(void **state)
{
    (void)state;
    say(CONSOLE_HV, "hello\n");
    assert_int_equal(fake.e9_n, 0);
    assert_true(console_pending());
    expect("hello\n");
    say(1, "a\nb\n");
    say(CONSOLE_HV, "h\n");
    expect("h\n[one] a\n[one] b\n");
    console_write(CONSOLE_CHANNELS, "x", 1); /* no such channel */
    expect("");
}

static void test_soft_breaks(void **state)
{
    (void)state;
    say(1, "par");
    expect("[one] par");
    say(1, "tial");
    expect("tial");
    say(2, "x");
    expect("\x1d\n[two] x");
    say(1, " end\n");
    expect("\x1d\n[one]  end\n");
    say(CONSOLE_HV, "hv\n");
    say(2, "y\n");
    expect("hv\n[two] y\n");
    say(2, "\n\n");
    expect("[two] \n[two] \n");
}

static void test_record(void **state)
{
    (void)state;
    say(1, "open");
    console_drain();
    console_record("{\"n\":1}");
    expect("[one] open\x1d\n\x1e"
           "d44b3b7e {\"n\":1}\n");
}

/* A record as long as the whole buffer leaves at once, unbroken, behind what was buffered. */
static void test_long_record(void **state)
{
    static char json[RECORD_MAX + 1], want[RECORD_MAX + 100];

    (void)state;
    memset(json, 'j', RECORD_MAX);
    say(CONSOLE_HV, "before\n");
    say(1, "guest\n");
    console_record(json);
    snprintf(want, sizeof(want), "before\n\x1e%08x %s\n[one] guest\n",
             crc32_update(0, json, RECORD_MAX), json);
    expect(want);
}

static void test_full_buffer_loses_nothing(void **state)
{
    static char want[400000];
    size_t n = 0;
    char text[64];
    u32 i;

    (void)state;
    for (i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "line %u of many that fill the ring\n", i);
        n += (size_t)sprintf(want + n, "[one] %s", text);
        say(1, text);
    }
    assert_true(fake.e9_n > 0);
    expect(want);
}

static void test_wrapped_line_stays_whole(void **state)
{
    static char big[RING_SIZE - 10];
    char line_text[40] = "a line across the end of the ring\n";

    (void)state;
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\n';
    console_write(CONSOLE_HV, big, sizeof(big));
    console_drain();
    fake.e9_n = 0;
    say(CONSOLE_HV, line_text);
    assert_true(drain_chunk(CONSOLE_HV));
    assert_int_equal(fake.e9_n, strlen(line_text));
    expect(line_text);
}

static void test_early_and_without_memory(void **state)
{
    (void)state;
    start("");
    say(CONSOLE_HV, "early\n");
    expect("early\n");
    fake.no_memory = true;
    assert_int_equal(console_init(&bi), -HV_ENOMEM);
    console_name(1, "poor");
    say(1, "through\n");
    assert_true(fake.e9_n > 0);
    expect("[poor] through\n");
}

static void test_panic(void **state)
{
    (void)state;
    say(CONSOLE_HV, "buffered\n");
    lock_take(&output.lock); /* by a CPU that is no more */
    lock_take(&channels[CONSOLE_HV].lock);
    console_panic();
    say(CONSOLE_HV, "panic\n");
    expect("buffered\npanic\n");
}

static void test_name_is_cut(void **state)
{
    (void)state;
    console_name(3, "a name that is longer than thirty-one characters");
    console_name(CONSOLE_CHANNELS, "nobody");
    say(3, "x\n");
    expect("[a name that is longer than thir] x\n");
}

static u32 sinks_for(const char *cmdline, bool e9, bool uart)
{
    fake.e9 = e9;
    fake.uart = uart;
    start(cmdline);
    console_init(&bi);
    return output.sinks;
}

static void test_choice(void **state)
{
    (void)state;
    assert_int_equal(sinks_for("", true, true), SINK_E9 | SINK_VGA);
    assert_int_equal(sinks_for("", false, true), SINK_SERIAL | SINK_VGA);
    assert_int_equal(sinks_for("", false, false), SINK_VGA);
    assert_int_equal(sinks_for("console=serial", true, true), SINK_SERIAL);
    assert_int_equal(sinks_for("console=e9,serial", true, true), SINK_E9 | SINK_SERIAL);
    assert_int_equal(sinks_for("console=serial,vga", true, false), SINK_VGA);
    assert_int_equal(sinks_for("console=e9x", true, true), 0);
    bi.uefi = true;
    assert_int_equal(console_init(&bi), 0);
}

static void test_uefi_has_no_text_screen(void **state)
{
    (void)state;
    start("");
    bi.uefi = true;
    console_init(&bi);
    assert_int_equal(output.sinks, SINK_E9);
}

static void test_serial(void **state)
{
    (void)state;
    sinks_for("console=serial", false, true);
    fake.busy = 5;
    say(CONSOLE_HV, "0123456789abcde\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    console_drain();
    fake.uart_text[fake.uart_n] = 0;
    assert_string_equal(fake.uart_text, "0123456789abcde\r\n0\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n"
                                        "7\r\n8\r\n9\r\n");
    assert_in_range(fake.worst_fifo, 1, FIFO_SIZE);
    assert_int_equal(fake.lcr, LCR_8N1);
}

static void test_stuck_uart_is_given_up(void **state)
{
    (void)state;
    sinks_for("console=serial", false, true);
    fake.busy = ~0u;
    say(CONSOLE_HV, "lost\n");
    console_drain();
    assert_int_equal(fake.uart_n, 0);
    assert_true(serial_dead);
}

static char cell(u32 l, u32 c)
{
    return (char)vga_cells[l * COLUMNS + c];
}

static void test_vga(void **state)
{
    u32 i;

    (void)state;
    vga_init();
    vga_write("ab\n\tc\bd\re", 9);
    assert_int_equal(cell(0, 0), 'a');
    assert_int_equal(cell(1, 0), 'e');
    assert_int_equal(cell(1, 8), 'd');
    assert_int_equal(fake.cursor, COLUMNS + 1);
    for (i = 0; i < LINES - 2; i++)
        vga_write("\n", 1);
    assert_int_equal(cell(0, 0), 'a');
    vga_write("\n", 1);
    assert_int_equal(cell(0, 0), 'e');
    for (i = 0; i < COLUMNS + 1; i++)
        vga_write("w", 1);
    assert_int_equal(cell(LINES - 2, COLUMNS - 1), 'w');
    assert_int_equal(cell(LINES - 1, 0), 'w');
    assert_int_equal(cell(LINES - 1, 1), ' ');
}

static void test_screen_hides_records(void **state)
{
    (void)state;
    console_record("{}");
    say(CONSOLE_HV, "text\n");
    console_drain();
    assert_int_equal(cell(0, 0), 't');
}

static u32 count_dots(const u8 *p, size_t n)
{
    u32 dots = 0;

    while (n--)
        dots += *p++ != 0;
    return dots;
}

/* A block of exactly the framebuffer's size: drawing past it is seen. */
static void test_framebuffer(void **state)
{
    struct boot_framebuffer f = {.pitch = 100, .width = 33, .height = 25, .bpp = 24};
    u8 *p = calloc(100, 25);
    char c;

    (void)state;
    f.addr = (hpa_t)p;
    assert_true(fb_init(&f));
    assert_int_equal(fb_columns, 4);
    assert_int_equal(fb_lines, 2);
    fb_write("!", 1);
    assert_int_equal(count_dots(p, 100 * 12), 6 * 3);
    for (c = 1; c < 127; c++)
        fb_write(&c, 1);
    fb_write("\xff\x80", 2);
    f.bpp = 8;
    assert_false(fb_init(&f));
    f.bpp = 32; /* the pitch is too short for that */
    assert_false(fb_init(&f));
    f.bpp = 24;
    f.height = 3;
    assert_false(fb_init(&f));
    f.height = 25;
    fake.no_memory = true;
    assert_false(fb_init(&f));
    free(p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_buffered),
        TEST(test_soft_breaks),
        TEST(test_record),
        TEST(test_long_record),
        TEST(test_full_buffer_loses_nothing),
        TEST(test_wrapped_line_stays_whole),
        TEST(test_early_and_without_memory),
        TEST(test_panic),
        TEST(test_name_is_cut),
        TEST(test_choice),
        TEST(test_uefi_has_no_text_screen),
        TEST(test_serial),
        TEST(test_stuck_uart_is_given_up),
        TEST(test_vga),
        TEST(test_screen_hides_records),
        TEST(test_framebuffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
