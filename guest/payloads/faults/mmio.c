/* SPDX-License-Identifier: MIT */
/*
 * Accesses to a physical address without memory, by plain moves and by instructions that nobody
 * uses for that. Reads give all ones, or all zeroes as QEMU's own machines do; writes vanish.
 */
#include "guest/payloads/faults/faults.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HOLE  0xd0000000ul
#define BYTES 64

static int all_or_nothing(uint64_t value, unsigned bytes)
{
    uint64_t ones = bytes == 8 ? ~0ul : (1ul << bytes * 8) - 1;

    return value == 0 || value == ones;
}

const char *fault_mmio_plain(void)
{
    uint64_t v8 = 1, v16 = 1, v32 = 1, v64 = 1;
    int64_t sign = 1;

    __asm__ volatile("movzbq (%5), %0\n\t"
                     "movzwq 2(%5), %1\n\t"
                     "movl 4(%5), %k2\n\t"
                     "movq 8(%5), %3\n\t"
                     "movsbq 1(%5), %4\n\t"
                     "movb %b0, (%5)\n\t"
                     "movw %w0, (%5)\n\t"
                     "movl $0x12345678, (%5)\n\t"
                     "movq %3, (%5)"
                     : "=&r"(v8), "=&r"(v16), "=&r"(v32), "=&r"(v64), "=&r"(sign)
                     : "r"(HOLE)
                     : "memory");
    if (!all_or_nothing(v8, 1) || !all_or_nothing(v16, 2) || !all_or_nothing(v32, 4) ||
        !all_or_nothing(v64, 8) || !all_or_nothing((uint64_t)sign, 8))
        return check_why("read %#lx %#lx %#lx %#lx %#lx", v8, v16, v32, v64, (uint64_t)sign);
    return NULL;
}

static const char *string_moves(void)
{
    uint8_t bytes[BYTES];
    const void *source = (void *)HOLE;
    void *target = bytes;
    uint64_t count = BYTES;

    memset(bytes, 0x5a, sizeof(bytes));
    __asm__ volatile("rep movsb" : "+S"(source), "+D"(target), "+c"(count)::"memory");
    if (count || source != (void *)(HOLE + BYTES) || target != bytes + BYTES)
        return check_why("REP MOVSB left RCX %lu RSI %p", count, source);
    for (int i = 0; i < BYTES; i++) {
        if (bytes[i] != bytes[0] || !all_or_nothing(bytes[i], 1))
            return check_why("REP MOVSB read %#x at %d", bytes[i], i);
    }
    target = (void *)HOLE;
    count = BYTES / 4;
    __asm__ volatile("rep stosl" : "+D"(target), "+c"(count) : "a"(0x5a5a5a5a) : "memory");
    if (count || target != (void *)(HOLE + BYTES))
        return check_why("REP STOSL left RCX %lu RDI %p", count, target);
    return NULL;
}

static const char *read_modify_write(void)
{
    uint32_t old = 1;
    uint64_t stack_before, stack_after, pushed;

    __asm__ volatile("lock addl $5, (%0)" ::"r"(HOLE) : "memory", "cc");
    __asm__ volatile("xchgl %0, (%1)" : "+r"(old) : "r"(HOLE) : "memory");
    if (!all_or_nothing(old, 4))
        return check_why("XCHG read %#x", old);
    __asm__ volatile("movq %%rsp, %0\n\t"
                     "pushq (%3)\n\t"
                     "popq %2\n\t"
                     "movq %%rsp, %1"
                     : "=&r"(stack_before), "=&r"(stack_after), "=&r"(pushed)
                     : "r"(HOLE)
                     : "memory");
    if (stack_before != stack_after || !all_or_nothing(pushed, 8))
        return check_why("PUSH read %#lx", pushed);
    return NULL;
}

const char *fault_mmio_weird(void)
{
    const char *why = string_moves();

    return why ? why : read_modify_write();
}
