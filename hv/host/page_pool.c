/* SPDX-License-Identifier: MIT */
/*
 * The page stacks behind page_pool.h. A stack's lowest entry is 0, so that one load tells both
 * "empty" and the answer: taking a page costs a dozen instructions.
 */
#include "hv/host/page_pool.h"

#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/x86/insn.h"

#define BATCH_ORDER 5 /* pages taken from the allocator at once, as log2 */

struct page_pool {
    hpa_t *top;    /* the newest zeroed page, or the 0 at bottom */
    hpa_t *bottom; /* bottom[0] is 0, pages follow */
    hpa_t *limit;  /* the last entry */
    u32 others;    /* pages in other */
    hpa_t other[1 << BATCH_ORDER];
};

static hpa_t no_pages[1]; /* the empty pool of a CPU without one */
static struct page_pool pools[CPU_MAX] = {
    [0 ... CPU_MAX - 1] = {.top = no_pages, .bottom = no_pages, .limit = no_pages},
};

static struct page_pool *own_pool(void)
{
    return &pools[cpu_this()->id];
}

int page_pool_init(u32 pages)
{
    for (u32 i = 0; i < cpu_count; i++) {
        hpa_t *stack = mem_zalloc((pages + 1ull) * sizeof(*stack), cpus[i].node);

        if (!stack) {
            log_error("page pool: no memory for %u entries of CPU %u", pages, i);
            return -HV_ENOMEM;
        }
        pools[i].top = pools[i].bottom = stack;
        pools[i].limit = stack + pages;
    }
    return 0;
}

hpa_t page_pool_take_zeroed(void)
{
    struct page_pool *pool = own_pool();
    hpa_t pa = *pool->top;

    if (likely(pa))
        pool->top--;
    return pa;
}

static __attribute__((noinline)) hpa_t take_after_batch(struct page_pool *pool)
{
    u32 node = cpu_this()->node;
    hpa_t pa = mem_alloc(BATCH_ORDER, node);

    if (!pa) {
        pa = mem_alloc(MEM_ORDER_4K, node);
        /* The last resort: what is zeroed is as good as any. */
        return pa ? pa : page_pool_take_zeroed();
    }
    mem_split(pa, BATCH_ORDER);
    while (pool->others < (1 << BATCH_ORDER) - 1) {
        pool->other[pool->others++] = pa;
        pa += PAGE_SIZE;
    }
    return pa;
}

hpa_t page_pool_take(void)
{
    struct page_pool *pool = own_pool();

    return likely(pool->others) ? pool->other[--pool->others] : take_after_batch(pool);
}

bool page_pool_refill(u32 max)
{
    u32 node = cpu_this()->node;
    struct page_pool *pool = own_pool();

    for (; max && pool->top < pool->limit; max--) {
        hpa_t pa = mem_alloc(MEM_ORDER_4K, node);

        if (!pa)
            return false;
        insn_zero_page((void *)pa);
        *++pool->top = pa;
    }
    return pool->top < pool->limit;
}

u32 page_pool_count(const struct cpu *cpu)
{
    return (u32)(pools[cpu->id].top - pools[cpu->id].bottom);
}
