/* SPDX-License-Identifier: MIT */
/*
 * A million random port and MSR accesses. Left out are the ports that end the machine or speak on
 * the console, natively also those that reset or power off a PC, and MSRs that this code itself
 * stands on.
 */
#include "guest/payloads/faults/faults.h"

#include <stdbool.h>
#include <stdint.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/platform.h"
#include "guest/lib/trap.h"
#include "hv/abi/ports.h"

#define OPERATIONS 1000000

#define MSR_EFER    0xc0000080u
#define MSR_GS_BASE 0xc0000101u

static uint64_t random_next(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15ul; /* xorshift64: the same every time */

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* size is 1, 2 or 4 bytes: the access may reach the ports behind it. */
static bool reaches(uint16_t port, unsigned size, unsigned first, unsigned last)
{
    return port <= last && port + size > first;
}

static bool port_allowed(uint16_t port, unsigned size)
{
    if (reaches(port, size, PORT_EXIT, PORT_EXIT + 3) ||
        reaches(port, size, PORT_DEBUGCON, PORT_DEBUGCON) ||
        reaches(port, size, PORT_COM1, PORT_COM1 + 7) ||
        reaches(port, size, PORT_BOCHS_SHUTDOWN, PORT_BOCHS_SHUTDOWN))
        return false;
    if (platform_get() != PLATFORM_NATIVE)
        return true;
    return port < 0x400 && !reaches(port, size, 0x60, 0x64) && !reaches(port, size, 0x92, 0x92) &&
           !reaches(port, size, 0xb2, 0xb3);
}

static void hammer_port(uint64_t r)
{
    uint16_t port = (uint16_t)(r & 1 ? r >> 16 : r >> 16 & 0x3ff); /* half of them below 0x400 */
    unsigned size = 1u << (r >> 8 & 3) % 3;
    uint32_t value = (uint32_t)(r >> 32);

    if (!port_allowed(port, size))
        return;
    switch (size << 1 | (r >> 4 & 1)) {
    case 2: insn_in8(port); break;
    case 3: insn_out8(port, (uint8_t)value); break;
    case 4: insn_in16(port); break;
    case 5: insn_out16(port, (uint16_t)value); break;
    case 8: insn_in32(port); break;
    case 9: insn_out32(port, value); break;
    }
}

/* Writes back what was read, one bit changed. */
static void hammer_msr(uint64_t r)
{
    static const uint32_t bases[] = {0,          0x200,      0x800,      0xc0000080, 0xc0000100,
                                     0xc0010000, 0xc0010100, 0xc0010200, 0x40000000};
    uint32_t msr = bases[(r >> 8 & 15) % 9] + (uint32_t)(r >> 16 & 0xff);
    uint32_t lo = 0, hi = 0;

    if (r & 2)
        msr = (uint32_t)(r >> 32);
    TRAP_TRY("rdmsr", TRAP_OPS("+a"(lo), "+d"(hi)), TRAP_OPS("c"(msr)));
    if (trap_last.hit || msr == MSR_EFER || msr == MSR_GS_BASE)
        return;
    lo ^= 1u << (r >> 40 & 31);
    if (platform_get() == PLATFORM_NATIVE && msr == 0x1b)
        return; /* a moved local APIC could land on our memory */
    TRAP_TRY("wrmsr", TRAP_OPS(), TRAP_OPS("a"(lo), "d"(hi), "c"(msr)));
}

const char *fault_hammer_ports(void)
{
    volatile uint32_t canary = 0x5afe5afe;

    insn_cli();
    trap_catch(VECTOR_GP);
    for (int i = 0; i < OPERATIONS; i++) {
        uint64_t r = random_next();

        if (r & 12)
            hammer_port(r);
        else
            hammer_msr(r);
    }
    return canary == 0x5afe5afe ? 0 : "the stack changed";
}
