/* SPDX-License-Identifier: MIT */
/*
 * Formatted output, against the C library's snprintf wherever both know the conversion.
 */
#include "hv/lib/format.c"

#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char got_[128], want_[128];                                                                \
        int want_n_ = snprintf(want_, sizeof(want_), __VA_ARGS__);                                 \
        assert_int_equal(fmt_print(got_, sizeof(got_), __VA_ARGS__), want_n_);                     \
        assert_string_equal(got_, want_);                                                          \
    } while (0)

static void test_integers(void **state)
{
    static const char *const flags[] = {"", "-", "0", "#", "#0", "-#", "12", "-12", "012", "#012"};
    static const long long values[] = {0,       1,       -1,       9,         10,       255,
                                       INT_MAX, INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN};
    char fmt[32];
    size_t f, v;

    (void)state;
    for (f = 0; f < ARRAY_SIZE(flags); f++) {
        for (v = 0; v < ARRAY_SIZE(values); v++) {
#define BOTH(length, type, c)                                                                      \
    do {                                                                                           \
        snprintf(fmt, sizeof(fmt), "<%%%s" length c ">", flags[f]);                                \
        SAME(fmt, (type)values[v]);                                                                \
    } while (0)
#define LENGTHS(c)                                                                                 \
    do {                                                                                           \
        BOTH("hh", int, c);                                                                        \
        BOTH("h", int, c);                                                                         \
        BOTH("", int, c);                                                                          \
        BOTH("l", long, c);                                                                        \
        BOTH("ll", long long, c);                                                                  \
        BOTH("z", size_t, c);                                                                      \
        BOTH("j", intmax_t, c);                                                                    \
    } while (0)
            LENGTHS("x");
            LENGTHS("X");
            LENGTHS("d");
            LENGTHS("i");
            LENGTHS("u");
        }
    }
}

static void test_text(void **state)
{
    (void)state;
    SAME("plain");
    SAME("%s", "");
    SAME("%s|%10s|%-10s|%2s", "abc", "abc", "abc", "abc");
    SAME("%.2s|%.0s|%.9s|%5.1s|", "abc", "abc", "abc", "abc");
    SAME("%.*s|%*s|%-*s|", 2, "abc", 6, "abc", 6, "abc");
    SAME("%*d|%*d", 6, 42, -6, 42);
    SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
    SAME("100%%");
    SAME("%p", (void *)0x1234);
    SAME("%d %s %x %llu", 1, "two", 3, 4ull);
}

/* Sizes around the text's length: always terminated, always the full length returned. */
static void test_truncation(void **state)
{
    size_t size;
    char *buf;

    (void)state;
    for (size = 1; size < 10; size++) {
        char want[10];

        buf = malloc(size);
        snprintf(want, size, "ab%dcd", 1234);
        assert_int_equal(fmt_print(buf, size, "ab%dcd", 1234), 8);
        assert_string_equal(buf, want);
        free(buf);
    }
    assert_int_equal(fmt_print(NULL, 0, "%s", "abc"), 3);
}

static void test_bounded_string(void **state)
{
    char *open_end = malloc(3), buf[8];

    (void)state;
    memcpy(open_end, "xyz", 3);
    assert_int_equal(fmt_print(buf, sizeof(buf), "%.3s", open_end), 3);
    assert_string_equal(buf, "xyz");
    free(open_end);
}

static void test_unknown(void **state)
{
    char *none = NULL, buf[32];

    (void)state;
    fmt_print(buf, sizeof(buf), "%k|%5q|%s", "end");
    assert_string_equal(buf, "%k|%5q|end");
    fmt_print(buf, sizeof(buf), "%");
    assert_string_equal(buf, "%");
    fmt_print(buf, sizeof(buf), "a%-08");
    assert_string_equal(buf, "a%-08");
    fmt_print(buf, sizeof(buf), "%s", none);
    assert_string_equal(buf, "(null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_bounded_string),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
