/* SPDX-License-Identifier: MIT */
/*
 * Exact multiplication by a constant fraction without a division: a 64-bit reciprocal gives a
 * quotient that is right or one too small, and its remainder tells which.
 */
#ifndef HV_DEV_RATIO_H
#define HV_DEV_RATIO_H

#include "hv/lib/types.h"

struct ratio {
    u64 whole; /* num / den */
    u64 rem;   /* num % den */
    u64 frac;  /* floor(2^64 * rem / den) */
    u64 den;
};

/* Prepares num / den, 0 < den < 2^63. Long division bit by bit: there is no 128-bit one here. */
static inline void ratio_init(struct ratio *r, u64 num, u64 den)
{
    r->whole = num / den;
    r->rem = num % den;
    r->den = den;
    r->frac = 0;
    for (u64 i = 0, rest = r->rem; i < 64; i++) {
        rest *= 2;
        r->frac = r->frac * 2 + (rest >= den);
        rest -= rest >= den ? den : 0;
    }
}

/*
 * floor(x * num / den) for every x whose result fits into 64 bits. Since frac falls short of the
 * true fraction by less than 2^-64, the estimate falls short by less than one, and the remainder
 * is below 2 * den: computing it modulo 2^64 loses nothing.
 */
static inline u64 ratio_floor(const struct ratio *r, u64 x)
{
    u64 q = (u64)(((unsigned __int128)x * r->frac) >> 64);

    q += x * r->rem - q * r->den >= r->den;
    return x * r->whole + q;
}

#endif
