/* SPDX-License-Identifier: MIT */
/*
 * Multiboot-1: finds the header, takes the kernel apart, places it, its modules page-aligned above
 * it, and the information structure. Field names are those of the specification.
 */
#include "hv/load/multiboot.h"

#include "hv/lib/string.h"
#include "hv/load/kernel.h"

#define MULTIBOOT_SEARCH             8192 /* the header lies wholly in the first bytes */
#define MULTIBOOT_HEADER_MAGIC       0x1badb002u
#define MULTIBOOT_BOOTLOADER_MAGIC   0x2badb002u
#define MULTIBOOT_KNOWN_REQUIREMENTS 0x7u    /* page-aligned modules, memory map, video mode */
#define MULTIBOOT_REQUIREMENTS       0xffffu /* a loader must know each such bit or refuse */
#define MULTIBOOT_AOUT_KLUDGE        BIT(16)

#define MULTIBOOT_INFO_MEMORY           BIT(0)
#define MULTIBOOT_INFO_CMDLINE          BIT(2)
#define MULTIBOOT_INFO_MODS             BIT(3)
#define MULTIBOOT_INFO_MEM_MAP          BIT(6)
#define MULTIBOOT_INFO_BOOT_LOADER_NAME BIT(9)

#define MMAP_AVAILABLE 1
#define MMAP_RESERVED  2
#define LOW_TOP        0x9fc00u /* end of memory below BIOS data, as on every PC */

struct multiboot_header {
    u32 magic, flags, checksum;
    u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

#define HEADER_SHORT offsetof(struct multiboot_header, header_addr)

struct multiboot_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    u32 syms[4];
    u32 mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};

static_assert(offsetof(struct multiboot_info, mods_addr) == 24, "");
static_assert(offsetof(struct multiboot_info, mmap_length) == 44, "");
static_assert(offsetof(struct multiboot_info, boot_loader_name) == 64, "");

struct multiboot_mmap {
    u32 size; /* of what follows */
    u64 addr;
    u64 len;
    u32 type;
} __attribute__((packed));

static_assert(sizeof(struct multiboot_mmap) == 24, "");

struct multiboot_module {
    u32 mod_start, mod_end, string, reserved;
};

static_assert(sizeof(struct multiboot_module) == 16, "");

/* Where the parts of the information area lie. Strings follow from strings on. */
struct info_area {
    struct multiboot_info info;
    struct multiboot_module mods[VM_MAX_MODULES];
    struct multiboot_mmap mmap[4];
};

static_assert(sizeof(struct info_area) + 2 * VM_TEXT + VM_MAX_MODULES * VM_TEXT + VM_NAME + 64 <=
                  MULTIBOOT_INFO_SIZE,
              "everything fits");

/* Finds the header. Returns its offset, or -1. Fields past the file's end read as 0. */
static s64 find_header(const u8 *file, u64 size, struct multiboot_header *h)
{
    u64 end = MIN(size, (u64)MULTIBOOT_SEARCH);

    for (u64 at = 0; at + HEADER_SHORT <= end; at += 4) {
        memset(h, 0, sizeof(*h));
        memcpy(h, file + at, MIN(sizeof(*h), end - at));
        if (h->magic == MULTIBOOT_HEADER_MAGIC && h->magic + h->flags + h->checksum == 0)
            return (s64)at;
    }
    return -1;
}

bool multiboot_is(const struct vm_config *c)
{
    struct multiboot_header h;
    const void *file = (const void *)(uintptr_t)c->image_start;

    return c->image_end > c->image_start &&
           find_header(file, c->image_end - c->image_start, &h) >= 0;
}

/* The address fields, as "The address fields of Multiboot header" tells; they win over ELF. */
static int read_address_fields(struct kernel *k, const struct multiboot_header *h, u64 at)
{
    u64 load_end = h->load_end_addr, bss_end = h->bss_end_addr;
    struct segment s = {.paddr = h->load_addr, .vaddr = h->load_addr};

    if (at + sizeof(*h) > MIN(k->size, (u64)MULTIBOOT_SEARCH))
        return load_refuse(k->config, k->target, "truncated multiboot header");
    if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > at)
        return load_refuse(k->config, k->target,
                           "multiboot header: load_addr 0x%x does not fit header_addr 0x%x",
                           h->load_addr, h->header_addr);
    s.offset = at - (h->header_addr - h->load_addr);
    if (load_end == 0)
        load_end = s.paddr + (k->size - s.offset);
    if (bss_end == 0)
        bss_end = load_end;
    if (load_end <= h->header_addr || bss_end < load_end)
        return load_refuse(k->config, k->target,
                           "multiboot header: load_end_addr 0x%lx, bss_end_addr 0x%lx out of order",
                           load_end, bss_end);
    s.filesz = load_end - s.paddr;
    s.memsz = bss_end - s.paddr;
    k->entry = h->entry_addr;
    if (k->entry < s.paddr || k->entry >= load_end)
        return load_refuse(k->config, k->target, "entry 0x%lx is outside the image", k->entry);
    return kernel_add(k, &s);
}

static int read_kernel(struct kernel *k)
{
    struct multiboot_header h;
    s64 at = find_header(k->file, k->size, &h);
    u32 unknown;

    if (at < 0)
        return load_refuse(k->config, k->target, "no multiboot header");
    unknown = h.flags & MULTIBOOT_REQUIREMENTS & ~MULTIBOOT_KNOWN_REQUIREMENTS;
    if (unknown)
        return load_refuse(k->config, k->target, "multiboot header requires unknown features 0x%x",
                           unknown);
    if (h.flags & MULTIBOOT_AOUT_KLUDGE)
        return read_address_fields(k, &h, (u64)at);
    return elf_read(k);
}

/* Gives every module its place: page-aligned, above the kernel and above 1 MiB, in low memory. */
static int plan_modules(const struct kernel *k, struct info_area *area)
{
    u64 top = MIN(k->target->memory, (u64)VM_LOW_TOP);
    gpa_t at = MAX(kernel_end(k), (gpa_t)MIB);

    for (u32 i = 0; i < k->config->nr_modules; i++) {
        const struct vm_module *m = &k->config->modules[i];
        u64 size = m->end - m->start;

        at = ALIGN_UP(at, PAGE_SIZE);
        if (at > top || size > top - at)
            return load_refuse(k->config, k->target,
                               "module \"%.64s\" of %lu bytes does not fit above 0x%lx in guest "
                               "memory, which ends at 0x%lx",
                               m->cmdline, size, at, top);
        area->mods[i].mod_start = (u32)at;
        area->mods[i].mod_end = (u32)(at + size);
        at += size;
    }
    return 0;
}

static int place_modules(const struct kernel *k, const struct info_area *area)
{
    for (u32 i = 0; i < k->config->nr_modules; i++) {
        const struct vm_module *m = &k->config->modules[i];
        const void *from = (const void *)(uintptr_t)m->start;
        int error = 0;

        if (m->end > m->start)
            error =
                k->target->write(k->target->ctx, area->mods[i].mod_start, from, m->end - m->start);
        if (error)
            return error;
    }
    return 0;
}

static void add_range(struct info_area *area, u64 base, u64 end, u32 type)
{
    u32 n = area->info.mmap_length / sizeof(area->mmap[0]);

    if (base >= end)
        return;
    area->mmap[n] =
        (struct multiboot_mmap){sizeof(area->mmap[0]) - sizeof(u32), base, end - base, type};
    area->info.mmap_length += sizeof(area->mmap[0]);
}

static void fill_memory(struct info_area *area, u64 memory)
{
    struct vm_range range[VM_MAX_RANGES];
    u32 n = vm_layout(memory, range);
    u64 low_end = n ? range[0].size : 0;

    area->info.mem_lower = (u32)(MIN(low_end, (u64)LOW_TOP) / KIB);
    area->info.mem_upper = low_end > MIB ? (u32)((low_end - MIB) / KIB) : 0;
    add_range(area, 0, MIN(low_end, (u64)LOW_TOP), MMAP_AVAILABLE);
    add_range(area, LOW_TOP, MIB, MMAP_RESERVED);
    add_range(area, MIB, low_end, MMAP_AVAILABLE);
    if (n > 1)
        add_range(area, range[1].base, range[1].base + range[1].size, MMAP_AVAILABLE);
}

/* Writes text without its NUL at *at, which moves on. */
static int info_add_text(const struct load_target *t, gpa_t *at, const char *text)
{
    u64 n = strlen(text);
    gpa_t to = *at;

    *at += n;
    return n ? t->write(t->ctx, to, text, n) : 0;
}

static int info_end_string(const struct load_target *t, gpa_t *at)
{
    return t->write(t->ctx, (*at)++, "", 1);
}

/* Writes the strings behind the area, and their addresses into it. */
static int place_strings(const struct kernel *k, struct info_area *area)
{
    const struct load_target *t = k->target;
    const struct vm_config *c = k->config;
    gpa_t at = MULTIBOOT_INFO_BASE + sizeof(*area);
    int error;

    area->info.boot_loader_name = (u32)at;
    error = info_add_text(t, &at, "Tollgate");
    if (!error)
        error = info_end_string(t, &at);
    area->info.cmdline = (u32)at;
    if (!error)
        error = info_add_text(t, &at, c->image_name);
    if (!error && c->cmdline[0])
        error = info_add_text(t, &at, " ");
    if (!error)
        error = info_add_text(t, &at, c->cmdline);
    if (!error)
        error = info_end_string(t, &at);
    for (u32 i = 0; i < c->nr_modules && !error; i++) {
        area->mods[i].string = (u32)at;
        error = info_add_text(t, &at, c->modules[i].cmdline);
        if (!error)
            error = info_end_string(t, &at);
    }
    return error;
}

static int place_info(const struct kernel *k, struct info_area *area)
{
    struct multiboot_info *info = &area->info;
    int error = place_strings(k, area);

    if (error)
        return error;
    fill_memory(area, k->target->memory);
    info->flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MODS |
                  MULTIBOOT_INFO_MEM_MAP | MULTIBOOT_INFO_BOOT_LOADER_NAME;
    info->mods_count = k->config->nr_modules;
    info->mods_addr = (u32)(MULTIBOOT_INFO_BASE + offsetof(struct info_area, mods));
    info->mmap_addr = (u32)(MULTIBOOT_INFO_BASE + offsetof(struct info_area, mmap));
    return k->target->write(k->target->ctx, MULTIBOOT_INFO_BASE, area, sizeof(*area));
}

int multiboot_load(const struct vm_config *c, const struct load_target *t, struct load_result *r)
{
    struct kernel k = {.config = c,
                       .target = t,
                       .file = (const u8 *)(uintptr_t)c->image_start,
                       .size = c->image_end - c->image_start};
    struct info_area area = {0};
    int error = read_kernel(&k);

    if (error)
        return error;
    if (!vm_layout_holds(t->memory, MULTIBOOT_INFO_BASE, MULTIBOOT_INFO_SIZE))
        return load_refuse(c, t, "guest memory too small for the multiboot information");
    if (kernel_overlaps(&k, MULTIBOOT_INFO_BASE, MULTIBOOT_INFO_SIZE))
        return load_refuse(c, t, "kernel overlaps the multiboot information at 0x%llx + 0x%llx",
                           MULTIBOOT_INFO_BASE, MULTIBOOT_INFO_SIZE);
    error = plan_modules(&k, &area);
    if (!error)
        error = kernel_place(&k);
    if (!error)
        error = place_modules(&k, &area);
    if (!error)
        error = place_info(&k, &area);
    if (error)
        return error;
    r->start = VM_START_PROTECTED;
    r->rip = k.entry;
    r->rax = MULTIBOOT_BOOTLOADER_MAGIC;
    r->rbx = MULTIBOOT_INFO_BASE;
    return 0;
}
