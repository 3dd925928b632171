/* SPDX-License-Identifier: MIT */
/*
 * Port reads and writes: the PIT, which every platform has, and a port that none claims. 0xE5 is
 * free on PCs and on the emulators' machines; an immediate port keeps DX out of the pair.
 */
#include "guest/crt/pit.h"
#include "guest/payloads/exits/benches.h"

/* Latches the count of channel 2, which nobody reads: changes nothing that anybody sees. */
#define PIT_LATCH_CHANNEL_2 0x80

BENCH_OP(op_in_pit, "inb $0x40, %%al")
BENCH_OP(op_out_pit, "outb %%al, $0x43")
BENCH_OP(op_in_absent, "inb $0xe5, %%al")
BENCH_OP(op_out_absent, "outb %%al, $0xe5")

/* Firmware leaves the channel counting, a bare virtual machine does not: the same work on both. */
static const char *setup_pit(struct bench *b, struct bench_count *count)
{
    (void)b;
    (void)count;
    pit_start(0, PIT_ONE_SHOT, 0);
    return NULL;
}

static struct bench table[] = {
    {.name = "exit.pio_in", .op = op_in_pit, .setup = setup_pit},
    {.name = "exit.pio_out", .op = op_out_pit, .regs.rax = PIT_LATCH_CHANNEL_2},
    {.name = "exit.pio_in_absent", .op = op_in_absent},
    {.name = "exit.pio_out_absent", .op = op_out_absent},
};
BENCH_GROUP(port_benches, table);
