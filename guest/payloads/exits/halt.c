/* SPDX-License-Identifier: MIT */
/*
 * HLT until the PIT's one-shot interrupt, from before STI to after HLT. The handler is a bare
 * IRETQ; the EOI is sent outside the pair, so that it costs the figure no exit.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/interrupt.h"
#include "guest/crt/pic.h"
#include "guest/crt/pit.h"

#define HALT_COUNT      119 /* PIT ticks: 100 us */
#define HALT_ITERATIONS 1000

BENCH_OP_WITH(op_hlt, "", "sti\n\thlt", "cli\n\t")

static const char *setup_hlt(struct bench *b, struct bench_count *count)
{
    (void)b;
    if (count->n > HALT_ITERATIONS)
        count->n = HALT_ITERATIONS;
    interrupt_set_raw(PIC_VECTOR + PIT_LINE, bench_return);
    pic_mask((uint16_t) ~(1u << PIT_LINE));
    return NULL;
}

static void prepare_hlt(struct bench *b)
{
    (void)b;
    pic_eoi(PIT_LINE);
    pit_start(0, PIT_ONE_SHOT, HALT_COUNT);
}

static void teardown_hlt(struct bench *b)
{
    (void)b;
    pic_init();
    interrupt_set_handler(PIC_VECTOR + PIT_LINE, NULL);
}

static struct bench table[] = {
    {.name = "exit.hlt_wake",
     .op = op_hlt,
     .setup = setup_hlt,
     .prepare = prepare_hlt,
     .teardown = teardown_hlt,
     .halts = true},
};
BENCH_GROUP(halt_benches, table);
