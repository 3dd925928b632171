/* SPDX-License-Identifier: MIT */
/*
 * The JSON writer: punctuation, escapes, numbers at their limits, and no broken text when the
 * buffer is too small.
 */
#include "hv/lib/json.c"

/* Both units have private functions of these names. */
#define put      format_put
#define put_text format_put_text
#include "hv/lib/format.c"
#undef put
#undef put_text

#include "tests/unit/cmocka_all.h"

static void begin(struct json *j, char *buf, size_t size)
{
    memset(buf, '#', size);
    json_begin(j, buf, size);
}

static void empty_object(void **state)
{
    struct json j;
    char buf[3];

    (void)state;
    begin(&j, buf, sizeof(buf));
    assert_string_equal(json_end(&j), "{}");
}

static void values_and_commas(void **state)
{
    struct json j;
    char buf[300];

    (void)state;
    begin(&j, buf, sizeof(buf));
    json_string(&j, "t", "x");
    json_u64(&j, "max", UINT64_MAX);
    json_u64(&j, "zero", 0);
    json_s64(&j, "min", INT64_MIN);
    json_bool(&j, "yes", true);
    json_bool(&j, "no", false);
    json_open(&j, "list", '[');
    json_close(&j, ']');
    json_open(&j, "nested", '[');
    json_open(&j, NULL, '[');
    json_u64(&j, NULL, 1);
    json_u64(&j, NULL, 2);
    json_close(&j, ']');
    json_string(&j, NULL, "s");
    json_open(&j, NULL, '{');
    json_u64(&j, "k", 3);
    json_close(&j, '}');
    json_close(&j, ']');
    json_u64(&j, "last", 4);
    assert_string_equal(json_end(&j), "{\"t\":\"x\",\"max\":18446744073709551615,\"zero\":0,"
                                      "\"min\":-9223372036854775808,\"yes\":true,\"no\":false,"
                                      "\"list\":[],\"nested\":[[1,2],\"s\",{\"k\":3}],\"last\":4}");
}

static void escapes(void **state)
{
    struct json j;
    char buf[200];

    (void)state;
    begin(&j, buf, sizeof(buf));
    json_string(&j, "a\"b", "q\" b\\ n\n t\t e\x1b d\x7f h\xe9 z\xff");
    assert_string_equal(json_end(&j), "{\"a\\\"b\":\"q\\\" b\\\\ n\\u000a t\\u0009 e\\u001b "
                                      "d\\u007f h\\u00e9 z\\u00ff\"}");
}

/* Framing characters of the console must never come through. */
static void nothing_but_printable(void **state)
{
    struct json j;
    char buf[4000], all[256];

    (void)state;
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    begin(&j, buf, sizeof(buf));
    json_string(&j, all, all);
    assert_non_null(json_end(&j));
    for (const char *p = buf; *p; p++)
        assert_true(*p >= 0x20 && *p < 0x7f);
}

static const char *write_some(struct json *j, char *buf, size_t size)
{
    begin(j, buf, size);
    json_string(j, "key", "a\nb");
    json_open(j, "list", '[');
    json_u64(j, NULL, 123);
    json_close(j, ']');
    return json_end(j);
}

/* Exactly the right size fits, every smaller one is reported and stays inside the buffer. */
static void every_buffer_size(void **state)
{
    char whole[100], small[100];
    struct json j;
    size_t needed;

    (void)state;
    assert_non_null(write_some(&j, whole, sizeof(whole)));
    needed = strlen(whole) + 1;
    for (size_t size = 1; size < sizeof(small); size++) {
        const char *text;

        small[size] = '!';
        text = write_some(&j, small, size);
        assert_int_equal(small[size], '!');
        if (size < needed) {
            assert_null(text);
            assert_true(strlen(small) < size);
        } else {
            assert_string_equal(text, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_object),      cmocka_unit_test(values_and_commas),
        cmocka_unit_test(escapes),           cmocka_unit_test(nothing_but_printable),
        cmocka_unit_test(every_buffer_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
