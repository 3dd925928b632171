/* SPDX-License-Identifier: MIT */
/*
 * First write to memory that nothing of this payload ever touched, a new page each iteration: under
 * nested paging the hypervisor must find a page for it.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/hypercall.h"
#include "guest/crt/memory.h"

BENCH_OP(op_touch, "movb %%al, (%%rdi)")

/* Half of what is left at most: the second benchmark wants as many. */
static const char *setup_touch(struct bench *b, struct bench_count *count)
{
    size_t left = memory_pages_left() / 2;

    if (left <= count->warmup)
        return "too little memory";
    if (count->n > left - count->warmup)
        count->n = (uint32_t)(left - count->warmup);
    b->regs.rdi = (uintptr_t)memory_take_pages(count->warmup + count->n) - MEMORY_PAGE;
    return NULL;
}

static void prepare_touch(struct bench *b)
{
    b->regs.rdi += MEMORY_PAGE;
}

static const char *setup_zero_inline(struct bench *b, struct bench_count *count)
{
    if (platform_get() != PLATFORM_TOLLGATE)
        return "no hypervisor that takes pages from a pre-zeroed pool";
    if (hypercall(HYPERCALL_ZERO_INLINE, 1, 0, 0) < 0)
        return "the hypervisor refuses to zero in line";
    return setup_touch(b, count);
}

static void teardown_zero_inline(struct bench *b)
{
    (void)b;
    hypercall(HYPERCALL_ZERO_INLINE, 0, 0, 0);
}

static struct bench table[] = {
    {.name = "exit.touch", .op = op_touch, .setup = setup_touch, .prepare = prepare_touch},
    {.name = "exit.touch_zero_inline",
     .op = op_touch,
     .setup = setup_zero_inline,
     .prepare = prepare_touch,
     .teardown = teardown_zero_inline},
};
BENCH_GROUP(touch_benches, table);
