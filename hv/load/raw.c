/* SPDX-License-Identifier: MIT */
/*
 * Raw images, with the page tables that a start in long mode needs.
 */
#include "hv/load/raw.h"

#include "hv/lib/format.h"
#include "hv/x86/regs.h"

#define RAW_MAX_GIB 128 /* one page directory each; all tables must fit below RAW_TABLE_TOP */
#define CHUNK       64  /* entries written at once */
#define ENTRIES     512

/* GiB that the long-mode page tables map. */
static u64 table_gib(u64 memory)
{
    struct vm_range range[VM_MAX_RANGES];
    u32 n = vm_layout(memory, range);
    u64 top = range[n - 1].base + range[n - 1].size;

    return MAX(4, ALIGN_UP(top, GIB) / GIB);
}

/* The PML4 table, the page-directory-pointer table, and the page directories, in this order. */
static gpa_t table_base(u64 memory)
{
    return RAW_TABLE_TOP - (2 + table_gib(memory)) * PAGE_SIZE;
}

bool raw_refuse_load(const struct vm_config *c, char *reason, size_t size)
{
    u64 bytes = c->image_end - c->image_start;

    if (!vm_layout_holds(c->memory, c->load, bytes)) {
        fmt_print(reason, size,
                  "image of %lu bytes does not fit there; accepted: inside guest memory, which is "
                  "0 to 0x%llx%s",
                  bytes, MIN(c->memory, VM_LOW_TOP),
                  c->memory > VM_LOW_TOP ? " and from 0x100000000 on" : "");
        return true;
    }
    if (c->start != VM_START_LONG)
        return false;
    if (table_gib(c->memory) > RAW_MAX_GIB) {
        fmt_print(reason, size, "start = long; accepted: at most %u GiB of memory",
                  RAW_MAX_GIB - 1);
        return true;
    }
    if (c->load >= RAW_TABLE_TOP || c->load + bytes <= table_base(c->memory))
        return false;
    fmt_print(reason, size,
              "image overlaps the page tables of start = long; accepted: outside "
              "0x%lx to 0x%llx",
              table_base(c->memory), RAW_TABLE_TOP);
    return true;
}

bool raw_refuse_entry(const struct vm_config *c, char *reason, size_t size)
{
    static const u64 limits[] = {
        [VM_START_REAL] = MIB, [VM_START_PROTECTED] = 4 * GIB, [VM_START_LONG] = UINT64_MAX};
    u64 end = c->load + (c->image_end - c->image_start);

    if (c->entry < c->load || c->entry >= end) {
        fmt_print(reason, size, "outside the image; accepted: 0x%lx to 0x%lx", c->load, end - 1);
        return true;
    }
    if (c->entry >= limits[c->start]) {
        fmt_print(reason, size, "out of this mode's reach; accepted: below 0x%lx",
                  limits[c->start]);
        return true;
    }
    return false;
}

/* Writes count entries at gpa: first, first + step, … */
static int write_entries(const struct load_target *t, gpa_t gpa, u64 count, u64 first, u64 step)
{
    u64 entry[CHUNK];

    for (u64 done = 0; done < count; done += CHUNK) {
        u64 n = MIN(count - done, CHUNK);
        int error;

        for (u64 i = 0; i < n; i++)
            entry[i] = first + (done + i) * step;
        error = t->write(t->ctx, gpa + done * sizeof(u64), entry, n * sizeof(u64));
        if (error)
            return error;
    }
    return 0;
}

/* AMD64 APM volume 2, "Long-Mode Page Translation". */
static int write_tables(const struct load_target *t, u64 memory)
{
    gpa_t pml4 = table_base(memory), pdpt = pml4 + PAGE_SIZE, directory = pdpt + PAGE_SIZE;
    u64 gib = table_gib(memory);
    int error = t->zero(t->ctx, pml4, 2 * PAGE_SIZE);

    if (!error)
        error = write_entries(t, pml4, 1, pdpt | PTE_P | PTE_RW | PTE_US, 0);
    if (!error)
        error = write_entries(t, pdpt, gib, directory | PTE_P | PTE_RW | PTE_US, PAGE_SIZE);
    if (!error)
        error =
            write_entries(t, directory, gib * ENTRIES, PTE_P | PTE_RW | PTE_US | PTE_PS, 2 * MIB);
    return error;
}

int raw_load(const struct vm_config *c, const struct load_target *t, struct load_result *r)
{
    u64 bytes = c->image_end - c->image_start;
    char reason[160];
    int error;

    if (raw_refuse_load(c, reason, sizeof(reason)) || raw_refuse_entry(c, reason, sizeof(reason)))
        return load_refuse(c, t, "%s", reason);
    error = t->write(t->ctx, c->load, (const void *)(uintptr_t)c->image_start, bytes);
    r->start = c->start;
    r->rip = c->entry;
    if (c->start == VM_START_REAL && c->entry >= 64 * KIB) {
        r->cs = (u16)(c->entry >> 4);
        r->rip = c->entry & 15;
    }
    if (c->start != VM_START_LONG || error)
        return error;
    r->cr3 = table_base(c->memory);
    return write_tables(t, c->memory);
}
