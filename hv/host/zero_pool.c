/* SPDX-License-Identifier: MIT */
/*
 * The pre-zeroed pages behind zero_pool.h. A stack's lowest entry is 0, so that one load tells both
 * "empty" and the answer: taking a page costs a dozen instructions.
 */
#include "hv/host/zero_pool.h"

#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/lib/string.h"

struct zero_pool {
    hpa_t *top;    /* the newest page, or the 0 at bottom */
    hpa_t *bottom; /* bottom[0] is 0, pages follow */
    hpa_t *limit;  /* the last entry */
};

static hpa_t no_pages[1]; /* the empty pool of a CPU without one */
static struct zero_pool pools[CPU_MAX] = {
    [0 ... CPU_MAX - 1] = {no_pages, no_pages, no_pages},
};

int zero_pool_init(u32 pages)
{
    for (u32 i = 0; i < cpu_count; i++) {
        hpa_t *stack = mem_zalloc((pages + 1ull) * sizeof(*stack), cpus[i].node);

        if (!stack) {
            log_error("zero pool: no memory for %u entries of CPU %u", pages, i);
            return -HV_ENOMEM;
        }
        pools[i] = (struct zero_pool){stack, stack, stack + pages};
    }
    return 0;
}

hpa_t zero_pool_take(void)
{
    struct zero_pool *pool = &pools[cpu_this()->id];
    hpa_t pa = *pool->top;

    if (likely(pa))
        pool->top--;
    return pa;
}

bool zero_pool_refill(u32 max)
{
    const struct cpu *cpu = cpu_this();
    struct zero_pool *pool = &pools[cpu->id];

    for (; max && pool->top < pool->limit; max--) {
        hpa_t pa = mem_alloc(MEM_ORDER_4K, cpu->node);

        if (!pa)
            return false;
        pool->top[1] = (hpa_t)memset((void *)pa, 0, PAGE_SIZE);
        pool->top++;
    }
    return pool->top < pool->limit;
}

u32 zero_pool_count(const struct cpu *cpu)
{
    return (u32)(pools[cpu->id].top - pools[cpu->id].bottom);
}
