/* SPDX-License-Identifier: MIT */
/*
 * Memory that a guest gets holds nothing of the guest that had it before.
 */
#include "guest/payloads/faults/faults.h"

#include <stddef.h>
#include <stdint.h>

#include "guest/crt/memory.h"
#include "guest/crt/platform.h"

const char *fault_recycled(void)
{
    uintptr_t start, end;

    if (platform_get() == PLATFORM_NATIVE)
        return CHECK_SKIP "firmware leaves its own traces in memory";
    memory_untouched(&start, &end);
    if (start == end)
        return "no untouched memory to look at";
    for (const volatile uint64_t *p = (uint64_t *)start; p < (uint64_t *)end; p++) {
        if (*p)
            return check_why("%#lx at %p", *p, (void *)p);
    }
    /* And leave something for the next one to find. */
    for (volatile uint64_t *p = (uint64_t *)start; p < (uint64_t *)end; p += 64)
        *p = 0x5ec4e75ec4e7ul;
    return NULL;
}
