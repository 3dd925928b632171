/* SPDX-License-Identifier: MIT */
/*
 * The memory and string functions under other names, so that they do not replace the C library's,
 * against which they are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define memcpy  hv_memcpy
#define memmove hv_memmove
#define memset  hv_memset
#define memcmp  hv_memcmp
#define strlen  hv_strlen
#define strnlen hv_strnlen
#define strcmp  hv_strcmp
#define strncmp hv_strncmp
#define strchr  hv_strchr
#include "hv/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define SPAN 80

static void fill(u8 *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = (u8)(i * 31 + 7);
}

/* Every small offset pair and length, with the bytes around watched. */
static void test_copy(void **state)
{
    u8 src[SPAN], dst[SPAN], want[SPAN];
    size_t from, to, n;

    (void)state;
    fill(src, SPAN);
    for (from = 0; from < 9; from++) {
        for (to = 0; to < 9; to++) {
            for (n = 0; n < SPAN - 9; n++) {
                memset(dst, 0xee, SPAN);
                memset(want, 0xee, SPAN);
                memcpy(want + to, src + from, n);
                assert_ptr_equal(hv_memcpy(dst + to, src + from, n), dst + to);
                assert_memory_equal(dst, want, SPAN);
            }
        }
    }
}

static void test_move_overlapping(void **state)
{
    u8 got[SPAN], want[SPAN];
    size_t from, to, n;

    (void)state;
    for (from = 0; from < 20; from++) {
        for (to = 0; to < 20; to++) {
            for (n = 0; n < SPAN - 20; n++) {
                fill(got, SPAN);
                fill(want, SPAN);
                memmove(want + to, want + from, n);
                assert_ptr_equal(hv_memmove(got + to, got + from, n), got + to);
                assert_memory_equal(got, want, SPAN);
            }
        }
    }
}

static void test_set(void **state)
{
    u8 got[SPAN], want[SPAN];
    size_t n;

    (void)state;
    for (n = 0; n < SPAN - 3; n++) {
        memset(got, 1, SPAN);
        memset(want, 1, SPAN);
        memset(want + 3, 0xa5, n);
        assert_ptr_equal(hv_memset(got + 3, 0x7a5, n), got + 3);
        assert_memory_equal(got, want, SPAN);
    }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void test_compare(void **state)
{
    static const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\x80", "a\xff"};
    size_t i, j, n;

    (void)state;
    for (i = 0; i < ARRAY_SIZE(words); i++) {
        for (j = 0; j < ARRAY_SIZE(words); j++) {
            assert_int_equal(sign(hv_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
            for (n = 0; n < 5; n++)
                assert_int_equal(sign(hv_strncmp(words[i], words[j], n)),
                                 sign(strncmp(words[i], words[j], n)));
        }
    }
    assert_int_equal(hv_memcmp("a\0b", "a\0b", 3), 0);
    assert_true(hv_memcmp("a\0b", "a\0c", 3) < 0);
    assert_true(hv_memcmp("\xff", "\x01", 1) > 0);
    assert_int_equal(hv_memcmp("x", "y", 0), 0);
}

/* The strings lie in heap blocks of their exact size, so that reading on is seen. */
static void test_length_and_search(void **state)
{
    char *s = strdup("tollgate");
    char *open_end = malloc(4);

    (void)state;
    memcpy(open_end, "abcd", 4);
    assert_int_equal(hv_strlen(s), 8);
    assert_int_equal(hv_strlen(""), 0);
    assert_int_equal(hv_strnlen(s, 3), 3);
    assert_int_equal(hv_strnlen(s, 100), 8);
    assert_int_equal(hv_strnlen(open_end, 4), 4);
    assert_int_equal(hv_strncmp(open_end, "abcd", 4), 0);
    assert_ptr_equal(hv_strchr(s, 'l'), s + 2);
    assert_ptr_equal(hv_strchr(s, 0), s + 8);
    assert_null(hv_strchr(s, 'x'));
    free(open_end);
    free(s);
}

static void test_str_copy(void **state)
{
    char buf[4] = "###";

    (void)state;
    assert_true(str_copy(buf, sizeof(buf), "abc"));
    assert_string_equal(buf, "abc");
    assert_false(str_copy(buf, sizeof(buf), "wxyz"));
    assert_string_equal(buf, "wxy");
    assert_true(str_copy(buf, sizeof(buf), ""));
    assert_string_equal(buf, "");
    assert_false(str_copy(buf, 1, "a"));
    assert_string_equal(buf, "");
    buf[0] = '!';
    assert_false(str_copy(buf, 0, "a"));
    assert_int_equal(buf[0], '!');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_move_overlapping),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_length_and_search),
        cmocka_unit_test(test_str_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
