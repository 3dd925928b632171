/* SPDX-License-Identifier: MIT */
/*
 * Finds the free range in the loader's memory map and hands it out from both ends.
 */
#include "guest/crt/memory.h"

#include <string.h>

#include "guest/crt/multiboot.h"

#define MEMORY_TOP   0xc0000000ul /* above it the identity map is uncached */
#define HEAP_RESERVE (4ul << 20)

extern const char image_end[];

static uintptr_t heap_end;    /* first byte after the heap */
static uintptr_t heap_peak;   /* the highest that heap_end ever was */
static uintptr_t taken_start; /* first taken page */

/* Cuts [start, start + size) out of the free range, of which the larger rest remains. */
static void memory_cut(uintptr_t start, size_t size)
{
    uintptr_t end = start + size;

    if (end <= heap_end || start >= taken_start)
        return;
    start = start < heap_end ? heap_end : start;
    end = end > taken_start ? taken_start : end;
    if (start - heap_end > taken_start - end)
        taken_start = start;
    else
        heap_end = end;
}

/* End of the available region of the loader's map that holds address, or 0. */
static uint64_t region_end(const struct multiboot_info *info, uint64_t address)
{
    const char *p = (const char *)(uintptr_t)info->mmap_addr;
    const char *end = p + info->mmap_length;
    const struct multiboot_mmap *m;

    if (!(info->flags & MULTIBOOT_INFO_MMAP))
        return 0;
    for (; p < end; p += m->size + sizeof(m->size)) {
        m = (const struct multiboot_mmap *)p;
        if (m->type == MULTIBOOT_MEMORY_AVAILABLE && m->base <= address &&
            address - m->base < m->length)
            return m->base + m->length;
    }
    return 0;
}

bool memory_available(uint64_t address)
{
    return multiboot_info && region_end(multiboot_info, address);
}

static void memory_cut_loader(const struct multiboot_info *info)
{
    const struct multiboot_module *m;

    memory_cut((uintptr_t)info, sizeof(*info));
    memory_cut((uintptr_t)multiboot_cmdline(), strlen(multiboot_cmdline()) + 1);
    if (info->flags & MULTIBOOT_INFO_MMAP)
        memory_cut(info->mmap_addr, info->mmap_length);
    if (info->flags & MULTIBOOT_INFO_MODS)
        memory_cut(info->mods_addr, info->mods_count * sizeof(*m));
    for (uint32_t i = 0; (m = multiboot_module_get(i)); i++) {
        memory_cut(m->start, m->end - m->start);
        if (m->cmdline)
            memory_cut(m->cmdline, strlen((const char *)(uintptr_t)m->cmdline) + 1);
    }
}

void memory_init(void)
{
    heap_end = (uintptr_t)image_end;
    taken_start = heap_end;
    if (multiboot_info) {
        if (region_end(multiboot_info, heap_end))
            taken_start = region_end(multiboot_info, heap_end);
        else if (multiboot_info->flags & MULTIBOOT_INFO_MEMORY)
            taken_start = 0x100000ul + multiboot_info->mem_upper * 1024ul;
        if (taken_start > MEMORY_TOP)
            taken_start = MEMORY_TOP;
        memory_cut_loader(multiboot_info);
    }
    heap_end = (heap_end + MEMORY_PAGE - 1) & -MEMORY_PAGE;
    taken_start &= -MEMORY_PAGE;
    heap_peak = heap_end;
}

void *memory_heap_grow(ptrdiff_t bytes)
{
    uintptr_t old = heap_end;

    if (bytes > 0 && (heap_end > taken_start || (size_t)bytes > taken_start - heap_end))
        return NULL;
    heap_end += (uintptr_t)bytes;
    if (heap_end > heap_peak)
        heap_peak = heap_end;
    return (void *)old;
}

void memory_untouched(uintptr_t *start, uintptr_t *end)
{
    *start = (heap_peak + MEMORY_PAGE - 1) & -MEMORY_PAGE;
    *end = taken_start > *start ? taken_start : *start;
}

size_t memory_pages_left(void)
{
    uintptr_t start, end;

    memory_untouched(&start, &end);
    return end - start > HEAP_RESERVE ? (end - start - HEAP_RESERVE) / MEMORY_PAGE : 0;
}

void *memory_take_pages(size_t pages)
{
    if (pages > memory_pages_left())
        return NULL;
    taken_start -= pages * MEMORY_PAGE;
    return (void *)taken_start;
}
