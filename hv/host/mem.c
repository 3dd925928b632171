/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator behind mem.h. Usable memory is cut into zones (one node, no hole inside);
 * blocks merge only within their zone. One state byte per page lies outside the pages it tells
 * about, in the first gap that holds them all; the free-list links lie in the free pages.
 */
#include "hv/host/mem.h"

#include "hv/host/acpi.h"
#include "hv/host/image.h"
#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/panic.h"
#include "hv/lib/err.h"
#include "hv/lib/lock.h"
#include "hv/lib/string.h"

#define ZONES_MAX    (BOOT_MAX_MEM + 2 * ACPI_MAX_NODE_RANGES)
#define RESERVED_MAX (BOOT_MAX_MODULES + 3) /* image, boot_info, page states */
#define LOW_START    0x1000ull
#define LOW_END      0xa0000ull
#define ORDERS       (MEM_MAX_ORDER + 1)

/* State byte of a block's first page; 0 for every other page and for pages never handed out. */
#define STATE_USED 0x40u
#define STATE_FREE 0x80u

struct span {
    u64 first; /* page frame number */
    u64 end;
};

struct zone {
    struct span pages;
    u32 node;
    u8 *state; /* one per page */
};

/* Lies at the start of a free block. */
struct free_block {
    struct free_block *next;
    struct free_block *prev;
};

struct node {
    struct free_block lists[ORDERS]; /* circular, the head's own address marks the end */
    u64 free_pages;
};

static struct lock mem_lock; /* guards nodes[], the states and the links; interrupts off */
static struct node nodes[MEM_MAX_NODES];

/* Constant after mem_init. */
static struct zone zones[ZONES_MAX];
static u32 nr_zones;
static u32 nr_nodes;
static u64 total_pages;
static hpa_t low_page;

static struct span reserved[RESERVED_MAX]; /* sorted; used by mem_init only */
static u32 nr_reserved;

static u64 lock_enter(void)
{
    u64 flags = irq_save();

    lock_take(&mem_lock);
    return flags;
}

static void lock_leave(u64 flags)
{
    lock_release(&mem_lock);
    irq_restore(flags);
}

static struct free_block *block_at(u64 pfn)
{
    return (struct free_block *)(pfn << PAGE_SHIFT);
}

static struct zone *zone_find(u64 pfn)
{
    for (u32 i = 0; i < nr_zones; i++)
        if (pfn >= zones[i].pages.first && pfn < zones[i].pages.end)
            return &zones[i];
    return NULL;
}

static u8 *state_at(const struct zone *z, u64 pfn)
{
    return &z->state[pfn - z->pages.first];
}

static void block_insert(struct zone *z, u64 pfn, u32 order)
{
    struct free_block *head = &nodes[z->node].lists[order];
    struct free_block *b = block_at(pfn);

    *state_at(z, pfn) = (u8)(STATE_FREE | order);
    b->next = head->next;
    b->prev = head;
    head->next->prev = b;
    head->next = b;
}

static void block_remove(struct zone *z, u64 pfn)
{
    struct free_block *b = block_at(pfn);

    *state_at(z, pfn) = 0;
    b->prev->next = b->next;
    b->next->prev = b->prev;
}

/* Gives a block that is on no list to its node, merged with free buddies as far as they go. */
static void block_release(struct zone *z, u64 pfn, u32 order)
{
    *state_at(z, pfn) = 0;
    nodes[z->node].free_pages += 1ull << order;
    while (order < MEM_MAX_ORDER) {
        u64 buddy = pfn ^ (1ull << order);

        if (buddy < z->pages.first || buddy >= z->pages.end ||
            *state_at(z, buddy) != (STATE_FREE | order))
            break;
        block_remove(z, buddy);
        pfn &= ~(1ull << order);
        order++;
    }
    block_insert(z, pfn, order);
}

static hpa_t node_alloc(struct node *n, u32 order)
{
    for (u32 have = order; have < ORDERS; have++) {
        struct free_block *b = n->lists[have].next;
        u64 pfn = (hpa_t)b >> PAGE_SHIFT;
        struct zone *z;

        if (b == &n->lists[have])
            continue;
        z = zone_find(pfn);
        block_remove(z, pfn);
        while (have > order) {
            have--;
            block_insert(z, pfn + (1ull << have), have);
        }
        *state_at(z, pfn) = (u8)(STATE_USED | order);
        n->free_pages -= 1ull << order;
        return pfn << PAGE_SHIFT;
    }
    return 0;
}

hpa_t mem_alloc(u32 order, u32 node)
{
    u32 n = node < nr_nodes ? node : 0;
    hpa_t pa = 0;
    u64 flags;

    if (order > MEM_MAX_ORDER)
        return 0;
    flags = lock_enter();
    for (u32 tries = 0; tries < nr_nodes && !pa; tries++) {
        pa = node_alloc(&nodes[n], order);
        n = n + 1 < nr_nodes ? n + 1 : 0;
    }
    lock_leave(flags);
    return pa;
}

void mem_free(hpa_t pa, u32 order)
{
    u64 pfn = pa >> PAGE_SHIFT;
    struct zone *z = zone_find(pfn);
    u64 flags;
    u8 state;

    BUG_ON(!z || pa % PAGE_SIZE || order > MEM_MAX_ORDER);
    flags = lock_enter();
    state = *state_at(z, pfn);
    if (state == (STATE_USED | order))
        block_release(z, pfn, order);
    lock_leave(flags);
    if (state != (STATE_USED | order))
        panic("mem_free: %#llx order %u is not allocated so (state %#x)", (unsigned long long)pa,
              order, state);
}

void mem_split(hpa_t pa, u32 order)
{
    u64 pfn = pa >> PAGE_SHIFT;
    struct zone *z = zone_find(pfn);

    BUG_ON(!z || *state_at(z, pfn) != (STATE_USED | order));
    memset(state_at(z, pfn), STATE_USED | MEM_ORDER_4K, 1ull << order);
}

static u32 order_for(size_t bytes)
{
    u32 order = 0;

    while (order <= MEM_MAX_ORDER && (PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

void *mem_zalloc(size_t bytes, u32 node)
{
    hpa_t pa = mem_alloc(order_for(bytes), node);

    return pa ? memset((void *)pa, 0, ALIGN_UP(MAX(bytes, 1), PAGE_SIZE)) : NULL;
}

void mem_zfree(void *p, size_t bytes)
{
    if (p)
        mem_free((hpa_t)p, order_for(bytes));
}

u64 mem_free_bytes(u32 node)
{
    u64 pages = 0;
    u64 flags = lock_enter();

    for (u32 i = 0; i < nr_nodes; i++)
        if (node == MEM_ANY_NODE || node == i)
            pages += nodes[i].free_pages;
    lock_leave(flags);
    return pages << PAGE_SHIFT;
}

u64 mem_total_bytes(void)
{
    return total_pages << PAGE_SHIFT;
}

hpa_t mem_low_page(void)
{
    return low_page;
}

/* Keeps every page that [start, end) touches, in order of address. */
static void reserve(hpa_t start, hpa_t end)
{
    struct span s = {start >> PAGE_SHIFT, (end + PAGE_SIZE - 1) >> PAGE_SHIFT};
    u32 i = nr_reserved;

    if (end <= start || nr_reserved == RESERVED_MAX)
        return;
    for (; i > 0 && reserved[i - 1].first > s.first; i--)
        reserved[i] = reserved[i - 1];
    reserved[i] = s;
    nr_reserved++;
}

/* Finds the first unreserved span at or after page from, within z. False: no more. */
static bool gap_next(const struct zone *z, u64 from, struct span *gap)
{
    u64 end = z->pages.end;

    for (u32 i = 0; i < nr_reserved; i++) {
        if (reserved[i].first > from) {
            end = MIN(end, reserved[i].first);
            break;
        }
        from = MAX(from, reserved[i].end);
    }
    *gap = (struct span){from, end};
    return from < end;
}

/* The node of the page; *end is lowered to the page where that answer may change. */
static u32 node_at(u64 pfn, u64 *end)
{
    u32 node = 0;

    for (u32 i = 0; i < acpi_info.nr_ranges; i++) {
        const struct acpi_node_range *r = &acpi_info.ranges[i];
        u64 first = r->base >> PAGE_SHIFT;
        u64 last = (r->base + r->length) >> PAGE_SHIFT;

        if (pfn < first) {
            *end = MIN(*end, first);
        } else if (pfn < last) {
            *end = MIN(*end, last);
            node = r->node;
        }
    }
    return node < nr_nodes ? node : 0;
}

/* Cuts one usable range of the boot map into zones. */
static void zones_add(hpa_t base, u64 length)
{
    u64 pfn = (MAX(base, MIB) + PAGE_SIZE - 1) >> PAGE_SHIFT;
    u64 last = length <= ~0ull - base ? (base + length) >> PAGE_SHIFT : 0;

    while (pfn < last) {
        struct zone *z = &zones[nr_zones];

        if (nr_zones == ZONES_MAX) {
            log_warn("memory: more than %u ranges, rest unused", ZONES_MAX);
            return;
        }
        z->pages = (struct span){pfn, last};
        z->node = node_at(pfn, &z->pages.end);
        pfn = z->pages.end;
        total_pages += pfn - z->pages.first;
        nr_zones++;
    }
}

/* Finds a place for the state bytes, reserves it and clears them. */
static int states_place(void)
{
    u64 pages = (total_pages + PAGE_SIZE - 1) >> PAGE_SHIFT;

    for (u32 i = 0; i < nr_zones; i++) {
        struct span gap = {0, zones[i].pages.first};

        while (gap_next(&zones[i], gap.end, &gap)) {
            u8 *state = (u8 *)(gap.first << PAGE_SHIFT);

            if (gap.end - gap.first < pages)
                continue;
            reserve((hpa_t)state, (hpa_t)state + (pages << PAGE_SHIFT));
            memset(state, 0, pages << PAGE_SHIFT);
            for (u32 j = 0; j < nr_zones; j++) {
                zones[j].state = state;
                state += zones[j].pages.end - zones[j].pages.first;
            }
            return 0;
        }
    }
    return -HV_ENOMEM;
}

static void span_release(struct zone *z, struct span s)
{
    while (s.first < s.end) {
        u32 order = (u32)__builtin_ctzll(s.first | 1ull << MEM_MAX_ORDER);

        while (s.first + (1ull << order) > s.end)
            order--;
        block_release(z, s.first, order);
        s.first += 1ull << order;
    }
}

static void low_page_find(const struct boot_info *bi)
{
    for (u32 i = 0; i < bi->nr_mem && !low_page; i++) {
        const struct boot_mem *m = &bi->mem[i];
        struct zone low = {.pages = {(MAX(m->base, LOW_START) + PAGE_SIZE - 1) >> PAGE_SHIFT,
                                     MIN(m->base + m->length, LOW_END) >> PAGE_SHIFT}};
        struct span gap;

        if (m->type == BOOT_MEM_USABLE && gap_next(&low, low.pages.first, &gap))
            low_page = gap.first << PAGE_SHIFT;
    }
}

static void reserve_boot(const struct boot_info *bi)
{
    nr_reserved = 0;
    reserve((hpa_t)image_start, (hpa_t)image_end);
    reserve((hpa_t)bi, (hpa_t)(bi + 1));
    for (u32 i = 0; i < bi->nr_modules; i++)
        reserve(bi->modules[i].start, bi->modules[i].end);
}

static void nodes_clear(void)
{
    nr_nodes = MIN(MAX(acpi_info.nr_nodes, 1u), (u32)MEM_MAX_NODES);
    for (u32 n = 0; n < MEM_MAX_NODES; n++) {
        nodes[n].free_pages = 0;
        for (u32 i = 0; i < ORDERS; i++)
            nodes[n].lists[i].next = nodes[n].lists[i].prev = &nodes[n].lists[i];
    }
}

int mem_init(const struct boot_info *bi)
{
    int err;

    nodes_clear();
    nr_zones = 0;
    total_pages = 0;
    low_page = 0;
    reserve_boot(bi);
    low_page_find(bi);
    for (u32 i = 0; i < bi->nr_mem; i++)
        if (bi->mem[i].type == BOOT_MEM_USABLE)
            zones_add(bi->mem[i].base, bi->mem[i].length);
    err = states_place();
    for (u32 i = 0; i < nr_zones && !err; i++) {
        struct span gap = {0, zones[i].pages.first};

        while (gap_next(&zones[i], gap.end, &gap))
            span_release(&zones[i], gap);
    }
    if (err || mem_free_bytes(MEM_ANY_NODE) < MEM_MIN_BYTES) {
        log_error("memory: %llu KiB found, %llu KiB free, at least %llu KiB needed",
                  mem_total_bytes() / KIB, mem_free_bytes(MEM_ANY_NODE) / KIB, MEM_MIN_BYTES / KIB);
        return -HV_ENOMEM;
    }
    log_info("memory: %llu MiB, %llu MiB free, %u node(s)", mem_total_bytes() / MIB,
             mem_free_bytes(MEM_ANY_NODE) / MIB, nr_nodes);
    return 0;
}
