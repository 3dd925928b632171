/* SPDX-License-Identifier: MIT */
/*
 * cmocka with what it needs before it, and a generator whose numbers repeat from run to run.
 */
#ifndef TESTS_UNIT_CMOCKA_ALL_H
#define TESTS_UNIT_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static inline uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* 0 to n - 1. */
static inline uint64_t random_below(uint64_t n)
{
    return random_u64() % n;
}

#endif
