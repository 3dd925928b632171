/* SPDX-License-Identifier: MIT */
/*
 * Ports that nobody claims read as all ones in every width, also by string instructions.
 */
#include "guest/payloads/devices/devices.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "guest/crt/insn.h"

#define BYTES 64

/* Aligned: QEMU's own machine answers 0 to wide reads of absent odd ports. */
static const uint16_t absent[] = {0x00e4, 0x02f0, 0x0240, 0x4320};

const char *ports_absent(void)
{
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        uint16_t port = absent[i];

        insn_out8(port, 0x5a);
        insn_out16(port, 0x5a5a);
        insn_out32(port, 0x5a5a5a5a);
        if (insn_in8(port) != 0xff || insn_in16(port) != 0xffff || insn_in32(port) != 0xffffffff)
            return check_why("port %#x reads %#x %#x %#x", port, insn_in8(port), insn_in16(port),
                             insn_in32(port));
    }
    return NULL;
}

const char *ports_string(void)
{
    uint8_t bytes[BYTES + 1];
    void *target = bytes;
    const void *source = bytes;
    uint64_t count = BYTES / 4;

    memset(bytes, 0x5a, sizeof(bytes));
    __asm__ volatile("rep insl" : "+D"(target), "+c"(count) : "d"(absent[0]) : "memory");
    if (count || target != bytes + BYTES)
        return check_why("REP INSL left RCX %lu, RDI %+ld", count, (uint8_t *)target - bytes);
    for (int i = 0; i < BYTES; i++) {
        if (bytes[i] != 0xff)
            return check_why("REP INSL read %#x at %d", bytes[i], i);
    }
    if (bytes[BYTES] != 0x5a)
        return "REP INSL wrote too much";
    count = BYTES;
    __asm__ volatile("rep outsb" : "+S"(source), "+c"(count) : "d"(absent[0]) : "memory");
    if (count || source != bytes + BYTES)
        return check_why("REP OUTSB left RCX %lu, RSI %+ld", count, (uint8_t *)source - bytes);
    return NULL;
}
