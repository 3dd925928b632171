/* SPDX-License-Identifier: MIT */
/*
 * Guest-physical memory: frame tables, first-touch filling, copying.
 */
#include "hv/vm/memory.h"

#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/page_pool.h"
#include "hv/lib/err.h"
#include "hv/lib/string.h"
#include "hv/vm/backend.h"
#include "hv/x86/insn.h"

static const u32 page_order[] = {
    [VM_PAGE_4K] = MEM_ORDER_4K, [VM_PAGE_2M] = MEM_ORDER_2M, [VM_PAGE_1G] = MEM_ORDER_1G};

static u64 frame_index(const struct vm_slot *s, gpa_t gpa)
{
    return (gpa - s->base) >> PAGE_SHIFT;
}

/* The largest order not above max whose naturally aligned block around gpa is inside the slot and
 * wholly untouched. */
static u32 fitting_order(const struct vm_slot *s, gpa_t gpa, u32 max)
{
    static const u32 orders[] = {MEM_ORDER_1G, MEM_ORDER_2M};
    u32 i;
    u64 j;

    for (i = 0; i < ARRAY_SIZE(orders); i++) {
        u64 bytes = PAGE_SIZE << orders[i];
        gpa_t start = ALIGN_DOWN(gpa, bytes);

        if (orders[i] > max || start < s->base || start + bytes > s->base + s->size)
            continue;
        for (j = 0; j < bytes >> PAGE_SHIFT; j++)
            if (s->frames[frame_index(s, start) + j])
                break;
        if (j == bytes >> PAGE_SHIFT)
            return orders[i];
    }
    return MEM_ORDER_4K;
}

/* Gives a large block around gpa. -HV_ENOMEM: none is whole. */
static int touch_large(struct vm *vm, struct vm_slot *s, gpa_t gpa, u32 order)
{
    hpa_t hpa = mem_alloc(order, vm->node);
    u64 i;

    if (!hpa)
        return -HV_ENOMEM;
    memset((void *)hpa, 0, PAGE_SIZE << order);
    gpa = ALIGN_DOWN(gpa, PAGE_SIZE << order);
    if (backend->map(vm, gpa, hpa, order)) {
        mem_free(hpa, order);
        return -HV_ENOMEM;
    }
    mem_split(hpa, order); /* freed page by page, whatever the order it came in */
    for (i = 0; i < 1ull << order; i++)
        s->frames[frame_index(s, gpa) + i] = hpa + (i << PAGE_SHIFT);
    vm->memory.pages += 1ull << order;
    return 0;
}

static int touch_page(struct vm *vm, struct vm_slot *s, gpa_t gpa, bool *zeroed)
{
    hpa_t hpa = vm->memory.zero_inline ? 0 : page_pool_take_zeroed();

    *zeroed = !hpa;
    if (!hpa) {
        hpa = page_pool_take();
        if (!hpa)
            return -HV_ENOMEM;
        insn_zero_page((void *)hpa);
    }
    if (backend->map(vm, gpa, hpa, MEM_ORDER_4K)) {
        mem_free(hpa, MEM_ORDER_4K);
        return -HV_ENOMEM;
    }
    s->frames[frame_index(s, gpa)] = hpa;
    vm->memory.pages++;
    vm->memory.fills += !*zeroed;
    return 0;
}

/* Gives the untouched page at gpa its memory, as large as the configuration lets it be. */
static int touch(struct vm *vm, struct vm_slot *s, gpa_t gpa, bool *zeroed)
{
    u32 order;

    if (unlikely(vm->config.page != VM_PAGE_4K)) {
        *zeroed = true;
        order = fitting_order(s, gpa, page_order[vm->config.page]);
        if (order != MEM_ORDER_4K && touch_large(vm, s, gpa, order) == 0)
            return 0;
    }
    return touch_page(vm, s, gpa, zeroed);
}

/* A VM with one vCPU touches its memory on one CPU only. */
static void vm_lock_memory(struct vm *vm)
{
    if (unlikely(vm->nr_vcpus > 1))
        lock_take(&vm->memory.lock);
}

static void vm_unlock_memory(struct vm *vm)
{
    if (unlikely(vm->nr_vcpus > 1))
        lock_release(&vm->memory.lock);
}

int vm_memory_fill(struct vm *vm, gpa_t gpa, bool *zeroed)
{
    struct vm_slot *s = vm_slot_find(&vm->memory, gpa);
    int err = 0;

    *zeroed = false;
    if (!s)
        return -HV_EFAULT;
    vm_lock_memory(vm);
    if (likely(s->frames[frame_index(s, gpa)] == 0))
        err = touch(vm, s, gpa, zeroed);
    vm_unlock_memory(vm);
    return err;
}

static int fill_all(struct vm *vm, struct vm_slot *s)
{
    gpa_t gpa = s->base;
    bool zeroed;
    int err;

    while (gpa < s->base + s->size) {
        if (s->frames[frame_index(s, gpa)] == 0) {
            err = touch(vm, s, gpa, &zeroed);
            if (err)
                return err;
        }
        gpa += PAGE_SIZE;
    }
    return 0;
}

int vm_memory_init(struct vm *vm)
{
    struct vm_memory *m = &vm->memory;
    struct vm_range ranges[2];
    u32 i, n = vm_layout(vm->config.memory, ranges);

    m->zero_inline = vm->config.zero == VM_ZERO_INLINE;
    for (i = 0; i < n; i++) {
        struct vm_slot *s = &m->slots[i];

        s->base = ranges[i].base;
        s->size = ranges[i].size;
        s->frames = mem_zalloc((s->size >> PAGE_SHIFT) * sizeof(*s->frames), vm->node);
        if (!s->frames)
            goto none_left;
        m->nr_slots++;
        if (vm->config.fill == VM_FILL_BOOT && fill_all(vm, s))
            goto none_left;
    }
    return 0;
none_left:
    log_error("vm %s: no memory for %llu MiB of guest memory", vm->config.name,
              (unsigned long long)(vm->config.memory / MIB));
    return -HV_ENOMEM;
}

void vm_memory_destroy(struct vm *vm)
{
    struct vm_memory *m = &vm->memory;
    u64 j;
    u32 i;

    /* Blocks were given whole; page by page the buddy allocator puts them together again. */
    for (i = 0; i < m->nr_slots; i++) {
        struct vm_slot *s = &m->slots[i];

        for (j = 0; j < s->size >> PAGE_SHIFT; j++)
            if (s->frames[j])
                mem_free(s->frames[j], MEM_ORDER_4K);
        mem_zfree(s->frames, (s->size >> PAGE_SHIFT) * sizeof(*s->frames));
    }
    m->nr_slots = 0;
}

void *vm_memory_peek(struct vm *vm, gpa_t gpa)
{
    struct vm_slot *s = vm_slot_find(&vm->memory, gpa);
    hpa_t frame;

    if (!s)
        return NULL;
    frame = s->frames[frame_index(s, gpa)];
    return frame ? (void *)(frame + (gpa & (PAGE_SIZE - 1))) : NULL;
}

void *vm_memory_at(struct vm *vm, gpa_t gpa)
{
    void *p = vm_memory_peek(vm, gpa);
    bool zeroed;

    if (!p && vm_memory_fill(vm, gpa, &zeroed) == 0)
        p = vm_memory_peek(vm, gpa);
    return p;
}

/* Calls for each page's part of [gpa, gpa + n): what the three public copies share. */
static int each_page(struct vm *vm, gpa_t gpa, u8 *buf, u64 n, void (*fn)(u8 *page, u8 *buf, u64 n))
{
    while (n) {
        u64 part = MIN(n, PAGE_SIZE - (gpa & (PAGE_SIZE - 1)));
        u8 *p = vm_memory_at(vm, gpa);

        if (!p)
            return vm_slot_find(&vm->memory, gpa) ? -HV_ENOMEM : -HV_EFAULT;
        fn(p, buf, part);
        gpa += part;
        n -= part;
        if (buf)
            buf += part;
    }
    return 0;
}

static void page_write(u8 *page, u8 *buf, u64 n)
{
    memcpy(page, buf, n);
}

static void page_read(u8 *page, u8 *buf, u64 n)
{
    memcpy(buf, page, n);
}

static void page_zero(u8 *page, u8 *buf, u64 n)
{
    (void)buf;
    memset(page, 0, n);
}

int vm_memory_write(struct vm *vm, gpa_t gpa, const void *src, u64 n)
{
    return each_page(vm, gpa, (u8 *)(uintptr_t)src, n, page_write);
}

int vm_memory_read(struct vm *vm, gpa_t gpa, void *dst, u64 n)
{
    return each_page(vm, gpa, dst, n, page_read);
}

int vm_memory_zero(struct vm *vm, gpa_t gpa, u64 n)
{
    return each_page(vm, gpa, NULL, n, page_zero);
}
