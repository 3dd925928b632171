/* SPDX-License-Identifier: MIT */
/*
 * Histograms: bucket edges, the promised resolution, quantiles against sorted samples.
 */
#include "hv/measure/histogram.c"

#include "tests/unit/cmocka_all.h"

#define SAMPLES 5000

static void small_values_are_exact(void **state)
{
    (void)state;
    for (u64 v = 0; v < HISTOGRAM_EXACT; v++) {
        assert_int_equal(histogram_bucket(v), v);
        assert_int_equal(histogram_lower((u32)v), v);
    }
    assert_int_equal(histogram_bucket(64), 64);
    assert_int_equal(histogram_lower(64), 64);
}

static void buckets_tile_the_numbers(void **state)
{
    (void)state;
    for (u32 b = 0; b < HISTOGRAM_BUCKETS; b++) {
        u64 low = histogram_lower(b), next = histogram_lower(b + 1);

        assert_true(next > low);
        assert_int_equal(histogram_bucket(low), b);
        assert_int_equal(histogram_bucket(next - 1), b);
        if (b >= HISTOGRAM_EXACT)
            assert_true((next - low) * 32 <= low);
    }
    assert_int_equal(histogram_lower(HISTOGRAM_BUCKETS), BIT64(HISTOGRAM_LAST_LOG2));
}

static void every_octave_has_32_buckets(void **state)
{
    (void)state;
    for (u32 log2 = HISTOGRAM_FIRST_LOG2; log2 < HISTOGRAM_LAST_LOG2; log2++)
        assert_int_equal(histogram_bucket(BIT64(log2 + 1) - 1) - histogram_bucket(BIT64(log2)), 31);
}

static void huge_values_land_in_the_last(void **state)
{
    static const u64 huge[] = {BIT64(40), BIT64(40) + 1, BIT64(63), ~0ull};
    struct histogram h = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
        assert_int_equal(histogram_bucket(huge[i]), HISTOGRAM_BUCKETS - 1);
        histogram_add(&h, huge[i]);
    }
    assert_int_equal(h.min, BIT64(40));
    assert_int_equal(h.max, ~0ull);
    assert_int_equal(h.buckets[HISTOGRAM_BUCKETS - 1], 4);
}

static void empty_and_single(void **state)
{
    struct histogram h = {0};

    (void)state;
    assert_int_equal(histogram_quantile(&h, 50, 100), 0);
    histogram_add(&h, 1234567);
    for (u64 q = 0; q <= 100; q++)
        assert_int_equal(histogram_quantile(&h, q, 100), 1234567);
    assert_int_equal(h.min, 1234567);
    assert_int_equal(h.max, 1234567);
    assert_int_equal(h.sum, 1234567);
}

static void zero_is_a_minimum(void **state)
{
    struct histogram h = {0};

    (void)state;
    histogram_add(&h, 7);
    histogram_add(&h, 0);
    assert_int_equal(h.min, 0);
    assert_int_equal(histogram_quantile(&h, 1, 2), 0);
    assert_int_equal(histogram_quantile(&h, 100, 100), 7);
}

static void a_full_bucket_saturates(void **state)
{
    struct histogram h = {0};

    (void)state;
    histogram_add(&h, 5);
    h.buckets[5] = UINT32_MAX;
    histogram_add(&h, 5);
    assert_int_equal(h.buckets[5], UINT32_MAX);
    assert_int_equal(h.count, 2);
}

static int compare(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;

    return x < y ? -1 : x > y;
}

/* Values of all magnitudes up to 2^bits. */
static void quantiles_of(u32 bits)
{
    static const u64 percents[] = {0, 1, 50, 90, 99, 100};
    static u64 samples[SAMPLES];
    struct histogram h = {0};
    u64 sum = 0;

    for (u32 i = 0; i < SAMPLES; i++) {
        samples[i] = random_u64() >> (64 - bits + random_below(bits));
        sum += samples[i];
        histogram_add(&h, samples[i]);
    }
    qsort(samples, SAMPLES, sizeof(*samples), compare);
    assert_int_equal(h.count, SAMPLES);
    assert_int_equal(h.sum, sum);
    assert_int_equal(h.min, samples[0]);
    assert_int_equal(h.max, samples[SAMPLES - 1]);
    for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
        u64 rank = (SAMPLES * percents[i] + 99) / 100;
        u64 exact = samples[rank ? rank - 1 : 0];
        u64 got = histogram_quantile(&h, percents[i], 100);

        assert_true(got <= exact);
        assert_true(exact - got <= exact / 32);
        if (exact < HISTOGRAM_EXACT)
            assert_int_equal(got, exact);
    }
}

static void quantiles_match_sorted_samples(void **state)
{
    (void)state;
    for (u32 bits = 1; bits <= 40; bits++)
        quantiles_of(bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(buckets_tile_the_numbers),
        cmocka_unit_test(every_octave_has_32_buckets),
        cmocka_unit_test(huge_values_land_in_the_last),
        cmocka_unit_test(empty_and_single),
        cmocka_unit_test(zero_is_a_minimum),
        cmocka_unit_test(a_full_bucket_saturates),
        cmocka_unit_test(quantiles_match_sorted_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
