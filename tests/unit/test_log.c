/* SPDX-License-Identifier: MIT */
/*
 * Log levels, prefixes and the ring.
 */
#define HV_X86_INSN_H /* instead of the instructions: the fakes below */
#define HV_HOST_CPU_H
#include "hv/lib/types.h"

static u64 fake_tsc;

static inline u64 insn_rdtsc(void)
{
    return ++fake_tsc;
}

struct cpu {
    u32 id;
};

static struct cpu fake_cpu;

static inline struct cpu *cpu_this(void)
{
    return &fake_cpu;
}

#include "hv/host/log.c"
#include "hv/host/boot_info.c"
#include "hv/lib/format.c"

#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static char console[100000];
static size_t console_n;

void console_write(u32 channel, const char *text, size_t n)
{
    assert_int_equal(channel, CONSOLE_HV);
    memcpy(console + console_n, text, n);
    console_n += n;
    console[console_n] = 0;
}

bool str_copy(char *dst, size_t size, const char *src)
{
    return snprintf(dst, size, "%s", src) < (int)size;
}

static int setup(void **state)
{
    (void)state;
    console_n = 0;
    log_next = 0;
    fake_tsc = 0;
    log_console_level = LOG_INFO;
    return 0;
}

static void set_level(const char *cmdline)
{
    struct boot_info bi = {0};

    str_copy(bi.cmdline, sizeof(bi.cmdline), cmdline);
    log_init(&bi);
}

static void test_levels(void **state)
{
    (void)state;
    log_error("e %d", 1);
    log_warn("w");
    log_info("i");
    log_debug("d");
    assert_string_equal(console, "tollgate: error: e 1\ntollgate: warning: w\ntollgate: i\n");
    console_n = 0;
    log_dump_tail(10);
    assert_string_equal(console, "             1 cpu0 error: e 1\n"
                                 "             2 cpu0 warning: w\n"
                                 "             3 cpu0 i\n"
                                 "             4 cpu0 debug: d\n");
}

static void test_option(void **state)
{
    (void)state;
    set_level("x loglevel=debug");
    assert_int_equal(log_console_level, LOG_DEBUG);
    set_level("loglevel=error");
    assert_int_equal(log_console_level, LOG_ERROR);
    set_level("");
    assert_int_equal(log_console_level, LOG_ERROR);
    set_level("loglevel=loud");
    assert_int_equal(log_console_level, LOG_ERROR);
    assert_string_equal(console,
                        "tollgate: error: loglevel=loud: not one of error, warn, info, debug\n");
}

static void test_ring_wraps(void **state)
{
    u32 i;

    (void)state;
    for (i = 0; i < LOG_SLOTS + 5; i++)
        log_debug("m%u", i);
    assert_int_equal(console_n, 0);
    log_dump_tail(2);
    assert_string_equal(console, "           132 cpu0 debug: m131\n"
                                 "           133 cpu0 debug: m132\n");
    console_n = 0;
    log_dump_tail(~0u);
    assert_non_null(strstr(console, " m5\n"));
    assert_null(strstr(console, " m4\n"));
    assert_int_equal(strncmp(console, "             6 ", 15), 0);
}

static void test_long_message(void **state)
{
    static char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    log_info("%s", text);
    assert_int_equal(console_n, strlen("tollgate: \n") + LOG_LINE - 1);
    assert_int_equal(console[console_n - 1], '\n');
    console_n = 0;
    log_dump_tail(1);
    assert_int_equal(console_n, strlen("             1 cpu0 \n") + LOG_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_levels, setup),
        cmocka_unit_test_setup(test_option, setup),
        cmocka_unit_test_setup(test_ring_wraps, setup),
        cmocka_unit_test_setup(test_long_message, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
