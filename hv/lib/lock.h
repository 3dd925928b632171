/* SPDX-License-Identifier: MIT */
/*
 * A spin lock. Spinning executes PAUSE: under an emulator that runs CPUs in turns, a loop without
 * it starves the owner. Not recursive; an interrupt handler may take only locks that are taken
 * with interrupts off everywhere.
 */
#ifndef HV_LIB_LOCK_H
#define HV_LIB_LOCK_H

#include "hv/lib/types.h"

struct lock {
    u32 held;
};

static inline bool lock_try(struct lock *l)
{
    return __atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void lock_take(struct lock *l)
{
    while (!lock_try(l))
        while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
            __builtin_ia32_pause();
}

static inline void lock_release(struct lock *l)
{
    __atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

#endif
