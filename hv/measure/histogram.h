/* SPDX-License-Identifier: MIT */
/*
 * Histograms of tick counts: exact below 64 ticks, then 32 sub-buckets an octave, so a bucket is
 * never wider than 1/32 of its lower edge. Adding is a handful of instructions and never fails.
 */
#ifndef HV_MEASURE_HISTOGRAM_H
#define HV_MEASURE_HISTOGRAM_H

#include "hv/lib/types.h"

#define HISTOGRAM_EXACT      64 /* buckets 0 to 63 hold one value each */
#define HISTOGRAM_SUB        32 /* buckets an octave above */
#define HISTOGRAM_FIRST_LOG2 6
#define HISTOGRAM_LAST_LOG2  40 /* larger values land in the last bucket; max stays exact */
#define HISTOGRAM_BUCKETS                                                                          \
    (HISTOGRAM_EXACT + (HISTOGRAM_LAST_LOG2 - HISTOGRAM_FIRST_LOG2) * HISTOGRAM_SUB)

struct histogram {
    u64 count;
    u64 sum;
    u64 min; /* meaningless while count is 0 */
    u64 max;
    u32 buckets[HISTOGRAM_BUCKETS];
};

/* Bucket of value, and the lowest value of a bucket; the next bucket's lowest bounds it above. */
u32 histogram_bucket(u64 value);
u64 histogram_lower(u32 bucket);

void histogram_add(struct histogram *h, u64 value);

/*
 * The lowest value of the bucket that holds quantile num/den (exact below 64), 0 when empty.
 */
u64 histogram_quantile(const struct histogram *h, u64 num, u64 den);

#endif
