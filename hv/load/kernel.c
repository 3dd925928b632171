/* SPDX-License-Identifier: MIT */
/*
 * Segments of a kernel: checking and placing them.
 */
#include "hv/load/kernel.h"

int kernel_add(struct kernel *k, const struct segment *s)
{
    u64 top = MIN(k->target->memory, (u64)VM_LOW_TOP);

    if (s->memsz == 0 && s->filesz == 0)
        return 0;
    if (s->filesz > s->memsz)
        return load_refuse(k->config, k->target,
                           "segment at 0x%lx is larger in file than in memory", s->paddr);
    if (s->offset > k->size || s->filesz > k->size - s->offset)
        return load_refuse(k->config, k->target,
                           "truncated: segment at 0x%lx needs bytes 0x%lx + 0x%lx, file has 0x%lx",
                           s->paddr, s->offset, s->filesz, k->size);
    if (s->paddr > top || s->memsz > top - s->paddr)
        return load_refuse(k->config, k->target,
                           "segment 0x%lx + 0x%lx is outside guest memory, which ends at 0x%lx",
                           s->paddr, s->memsz, top);
    if (kernel_overlaps(k, s->paddr, s->memsz))
        return load_refuse(k->config, k->target, "segment 0x%lx + 0x%lx overlaps another", s->paddr,
                           s->memsz);
    if (k->nr_segments == KERNEL_MAX_SEGMENTS)
        return load_refuse(k->config, k->target, "more than %u segments", KERNEL_MAX_SEGMENTS);
    k->segments[k->nr_segments++] = *s;
    return 0;
}

int kernel_place(const struct kernel *k)
{
    const struct load_target *t = k->target;

    for (u32 i = 0; i < k->nr_segments; i++) {
        const struct segment *s = &k->segments[i];
        int error = 0;

        if (s->filesz)
            error = t->write(t->ctx, s->paddr, k->file + s->offset, s->filesz);
        if (!error && s->memsz > s->filesz)
            error = t->zero(t->ctx, s->paddr + s->filesz, s->memsz - s->filesz);
        if (error)
            return error;
    }
    return 0;
}

gpa_t kernel_end(const struct kernel *k)
{
    gpa_t end = 0;

    for (u32 i = 0; i < k->nr_segments; i++)
        end = MAX(end, k->segments[i].paddr + k->segments[i].memsz);
    return end;
}

bool kernel_overlaps(const struct kernel *k, gpa_t base, u64 size)
{
    for (u32 i = 0; i < k->nr_segments; i++) {
        const struct segment *s = &k->segments[i];

        if (base < s->paddr + s->memsz && s->paddr < base + size)
            return true;
    }
    return false;
}
