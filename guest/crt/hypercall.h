/* SPDX-License-Identifier: MIT */
/*
 * Calling the hypervisor, see hv/abi/hypercall.h.
 */
#ifndef GUEST_CRT_HYPERCALL_H
#define GUEST_CRT_HYPERCALL_H

#include <stdint.h>

#include "guest/crt/platform.h"
#include "hv/abi/hypercall.h"

/* Only where platform_get() says PLATFORM_TOLLGATE; elsewhere it may raise #UD. */
static inline int64_t hypercall(enum hypercall number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result = number;

    if (platform_uses_vmcall())
        __asm__ volatile("vmcall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "memory");
    else
        __asm__ volatile("vmmcall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "memory");
    return result;
}

#endif
