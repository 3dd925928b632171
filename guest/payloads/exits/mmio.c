/* SPDX-License-Identifier: MIT */
/*
 * Accesses to physical addresses that are no memory: a hole, and the local APIC.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/lapic.h"
#include "guest/crt/memory.h"
#include "guest/crt/platform.h"

/* Between RAM and the devices below 4 GiB; no memory and no device on the emulators' machines. */
#define HOLE 0xd0000000ul

BENCH_OP(op_read, "movl (%%rdi), %%eax")
BENCH_OP(op_write, "movl %%eax, (%%rdi)")

static const char *setup_hole(struct bench *b, struct bench_count *count)
{
    (void)count;
    b->regs.rdi = HOLE;
    return memory_available(HOLE) ? "memory at 0xd0000000" : NULL;
}

static const char *setup_lapic(struct bench *b, struct bench_count *count)
{
    (void)count;
    if (!platform_has_lapic())
        return "no local APIC";
    if (lapic_is_x2apic())
        return "the local APIC is in x2APIC mode";
    b->regs.rdi = lapic_base() + LAPIC_ID;
    return NULL;
}

static struct bench table[] = {
    {.name = "exit.mmio_read", .op = op_read, .setup = setup_hole},
    {.name = "exit.mmio_write", .op = op_write, .setup = setup_hole},
    {.name = "exit.mmio_lapic_read", .op = op_read, .setup = setup_lapic},
};
BENCH_GROUP(mmio_benches, table);
