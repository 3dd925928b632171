/* SPDX-License-Identifier: MIT */
/*
 * Instructions of virtualization and the like that this guest has not enabled raise #UD, at the
 * instruction itself.
 */
#include "guest/payloads/faults/faults.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/lib/trap.h"

#define CPUID_1_ECX_MONITOR (1u << 3)
#define RET                 0xc3

static const struct {
    const char *name;
    uint8_t length;
    uint8_t bytes[4];
} refused[] = {
    {"VMRUN", 3, {0x0f, 0x01, 0xd8}},
    {"VMLOAD", 3, {0x0f, 0x01, 0xda}},
    {"VMSAVE", 3, {0x0f, 0x01, 0xdb}},
    {"STGI", 3, {0x0f, 0x01, 0xdc}},
    {"CLGI", 3, {0x0f, 0x01, 0xdd}},
    {"SKINIT", 3, {0x0f, 0x01, 0xde}},
    {"INVLPGA", 3, {0x0f, 0x01, 0xdf}},
    {"VMLAUNCH", 3, {0x0f, 0x01, 0xc2}},
    {"VMRESUME", 3, {0x0f, 0x01, 0xc3}},
    {"VMXOFF", 3, {0x0f, 0x01, 0xc4}},
    {"RSM", 2, {0x0f, 0xaa}},
    {"GETSEC", 2, {0x0f, 0x37}},
    {"XGETBV", 3, {0x0f, 0x01, 0xd0}},
    {"XSETBV", 3, {0x0f, 0x01, 0xd1}},
    {"UD2", 2, {0x0f, 0x0b}},
    {"MONITOR", 3, {0x0f, 0x01, 0xc8}},
    {"MWAIT", 3, {0x0f, 0x01, 0xc9}},
};

#define MONITOR_ENTRIES 2 /* at the end: refused only where CPUID does not show them */

const char *fault_unknown(void)
{
    static uint8_t code[16];
    size_t n = sizeof(refused) / sizeof(refused[0]);

    code_init();
    if (insn_cpuid(1, 0).ecx & CPUID_1_ECX_MONITOR)
        n -= MONITOR_ENTRIES;
    for (size_t i = 0; i < n; i++) {
        memcpy(code, refused[i].bytes, refused[i].length);
        code[refused[i].length] = RET;
        if (!code_call(code).trapped)
            return check_why("%s ran", refused[i].name);
        if (trap_last.vector != VECTOR_UD || trap_last.rip != (uintptr_t)code)
            return check_why("%s: vector %lu at %#lx, not #UD at %p", refused[i].name,
                             trap_last.vector, trap_last.rip, (void *)code);
    }
    return NULL;
}
