/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histograms.
 */
#include "hv/measure/histogram.h"

u32 histogram_bucket(u64 value)
{
    u32 log2;

    if (value < HISTOGRAM_EXACT)
        return (u32)value;
    log2 = 63 - (u32)__builtin_clzll(value);
    if (log2 >= HISTOGRAM_LAST_LOG2)
        return HISTOGRAM_BUCKETS - 1;
    /* The five bits below the leading one choose the sub-bucket. */
    return HISTOGRAM_EXACT + (log2 - HISTOGRAM_FIRST_LOG2) * HISTOGRAM_SUB +
           ((u32)(value >> (log2 - 5)) & (HISTOGRAM_SUB - 1));
}

u64 histogram_lower(u32 bucket)
{
    u32 octave, sub;

    if (bucket < HISTOGRAM_EXACT)
        return bucket;
    octave = (bucket - HISTOGRAM_EXACT) / HISTOGRAM_SUB + HISTOGRAM_FIRST_LOG2;
    sub = (bucket - HISTOGRAM_EXACT) % HISTOGRAM_SUB;
    return (u64)(HISTOGRAM_SUB + sub) << (octave - 5);
}

void histogram_add(struct histogram *h, u64 value)
{
    u32 *bucket = &h->buckets[histogram_bucket(value)];

    if (h->count == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->count++;
    h->sum += value;
    if (*bucket != UINT32_MAX)
        ++*bucket;
}

u64 histogram_quantile(const struct histogram *h, u64 num, u64 den)
{
    u64 rank, seen = 0;
    u32 i;

    if (h->count == 0)
        return 0;
    rank = (h->count * num + den - 1) / den;
    for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank && seen > 0)
            return MAX(histogram_lower(i), h->min);
    }
    return h->max;
}
