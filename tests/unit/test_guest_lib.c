/* SPDX-License-Identifier: MIT */
/*
 * The payloads' library: command-line words and patterns, and the frame of result records.
 */
#include "guest/lib/args.c"
#include "guest/lib/record.c"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static char out[RECORD_MAX];
static size_t out_used;

void console_write(const char *text, size_t n)
{
    assert_true(out_used + n <= sizeof(out));
    memcpy(out + out_used, text, n);
    out_used += n;
}

enum platform platform_get(void)
{
    return PLATFORM_NATIVE;
}

bool platform_uses_vmcall(void)
{
    return false;
}

static int setup(void **state)
{
    (void)state;
    out_used = 0;
    return 0;
}

static void patterns(void **state)
{
    (void)state;
    assert_true(args_match("exit.cpuid", "exit.cpuid"));
    assert_false(args_match("exit.cpuid", "exit.cpuid_66_66"));
    assert_false(args_match("exit.cpuid_66_66", "exit.cpuid"));
    assert_true(args_match("exit.*", "exit.cpuid"));
    assert_true(args_match("*cpuid*", "exit.cpuid"));
    assert_true(args_match("*.c*d", "exit.cpuid"));
    assert_false(args_match("*.c*x", "exit.cpuid"));
    assert_true(args_match("a,b,exit.*", "exit.cpuid"));
    assert_true(args_match("exit.c*,b", "exit.cpuid"));
    assert_false(args_match("a,b", "ab"));
    assert_false(args_match("a*,b", "b,"));
    assert_true(args_match("*", ""));
    assert_true(args_match("", ""));
    assert_false(args_match("", "a"));
}

static void words(void **state)
{
    char *argv[] = {"n=1", "nn=2", "n=0x10", "n=3", "e=", NULL};

    (void)state;
    assert_string_equal(args_value(argv, "n"), "0x10");
    assert_int_equal(args_number(argv, "n", 7), 16);
    assert_int_equal(args_number(argv, "nn", 7), 2);
    assert_int_equal(args_number(argv, "m", 7), 7);
    assert_string_equal(args_value(argv, "e"), "");
    assert_null(args_value(argv, "nnn"));
}

static void crc_known_value(void **state)
{
    (void)state;
    assert_int_equal(record_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(record_crc32(record_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(record_crc32(0, "", 0), 0);
}

static uint64_t step(size_t i, void *context)
{
    return i / *(size_t *)context;
}

static void frame(void **state)
{
    static const char json[] = "{\"t\":\"x\",\"s\":\"a\\\"b\\\\c d\",\"n\":18446744073709551615,"
                               "\"b\":true,\"r\":[[0,3],[1,3],[2,1]],\"e\":[]}";
    char head[16];
    size_t width = 3;

    (void)state;
    record_begin("x");
    record_text("s", "a\"b\\c\x01"
                     "d");
    record_number("n", UINT64_MAX);
    record_bool("b", true);
    record_runs("r", 7, step, &width);
    record_runs("e", 0, step, &width);
    assert_true(record_end());
    assert_int_equal(out_used, FRAME_HEAD + strlen(json) + 1);
    snprintf(head, sizeof(head), "\x1e%08x ", record_crc32(0, json, strlen(json)));
    assert_memory_equal(out, head, FRAME_HEAD);
    assert_memory_equal(out + FRAME_HEAD, json, strlen(json));
    assert_int_equal(out[out_used - 1], '\n');
}

/* What is too long is not sent at all, and the next record is whole again. */
static void overlong(void **state)
{
    size_t width = 1;

    (void)state;
    record_begin("x");
    record_runs("r", RECORD_MAX, step, &width);
    record_text("s", "still");
    assert_false(record_end());
    assert_int_equal(out_used, 0);
    record_begin("x");
    assert_true(record_end());
    assert_int_equal(out_used, FRAME_HEAD + strlen("{\"t\":\"x\"}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(words),
        cmocka_unit_test(crc_known_value),
        cmocka_unit_test_setup(frame, setup),
        cmocka_unit_test_setup(overlong, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
