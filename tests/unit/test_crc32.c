/* SPDX-License-Identifier: MIT */
/*
 * CRC-32: the published check value, and that pieces give what the whole gives.
 */
#include "hv/lib/crc32.c"

#include <setjmp.h>
#include <cmocka.h>

static void test_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_update(0, "", 0), 0);
    assert_int_equal(crc32_update(0, "a", 1), 0xe8b7be43);
}

static u32 bitwise(const u8 *p, size_t n)
{
    u32 crc = ~0u;
    int bit;

    for (; n; n--, p++) {
        crc ^= *p;
        for (bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void test_against_definition(void **state)
{
    u8 data[300];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(data); i++)
        data[i] = (u8)(i * 167 + i / 7);
    for (i = 0; i <= sizeof(data); i++) {
        assert_int_equal(crc32_update(0, data, i), bitwise(data, i));
        assert_int_equal(crc32_update(crc32_update(0, data, i), data + i, sizeof(data) - i),
                         bitwise(data, sizeof(data)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_value),
        cmocka_unit_test(test_against_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
