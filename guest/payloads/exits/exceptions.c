/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that the guest raises and handles itself, there and back by IRETQ. A hypervisor has no
 * business in them.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/interrupt.h"
#include "guest/crt/paging.h"

void skip_two(void);
void skip_two_error(void);

BENCH_OP(op_ud, "ud2")
BENCH_OP(op_pf, "movb (%%rdi), %%al")
BENCH_OP(op_bp, "int3")

static const char *setup_ud(struct bench *b, struct bench_count *count)
{
    (void)b;
    (void)count;
    interrupt_set_raw(VECTOR_UD, skip_two);
    return NULL;
}

static void teardown_ud(struct bench *b)
{
    (void)b;
    interrupt_set_handler(VECTOR_UD, NULL);
}

static const char *setup_pf(struct bench *b, struct bench_count *count)
{
    (void)count;
    interrupt_set_raw(VECTOR_PF, skip_two_error);
    b->regs.rdi = PAGING_WINDOW;
    return NULL;
}

static void teardown_pf(struct bench *b)
{
    (void)b;
    interrupt_set_handler(VECTOR_PF, NULL);
}

static const char *setup_bp(struct bench *b, struct bench_count *count)
{
    (void)b;
    (void)count;
    interrupt_set_raw(VECTOR_BP, bench_return);
    return NULL;
}

static void teardown_bp(struct bench *b)
{
    (void)b;
    interrupt_set_handler(VECTOR_BP, NULL);
}

static struct bench table[] = {
    {.name = "exception.ud", .op = op_ud, .setup = setup_ud, .teardown = teardown_ud},
    {.name = "exception.pf", .op = op_pf, .setup = setup_pf, .teardown = teardown_pf},
    {.name = "exception.bp", .op = op_bp, .setup = setup_bp, .teardown = teardown_bp},
};
BENCH_GROUP(exception_benches, table);
