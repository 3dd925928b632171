/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 2 information: a list of tags. Source: Multiboot2 Specification 2.0, "Boot information
 * format".
 */
#include "boot/multiboot.h"

#define MB2_MAX_SIZE MIB

enum mb2_tag_type {
    MB2_TAG_END = 0,
    MB2_TAG_CMDLINE = 1,
    MB2_TAG_LOADER = 2,
    MB2_TAG_MODULE = 3,
    MB2_TAG_MEMORY = 4,
    MB2_TAG_MMAP = 6,
    MB2_TAG_FRAMEBUFFER = 8,
    MB2_TAG_EFI32 = 11,
    MB2_TAG_EFI64 = 12,
    MB2_TAG_ACPI_OLD = 14,
    MB2_TAG_ACPI_NEW = 15,
    MB2_TAG_EFI_SERVICES = 18, /* boot services still run */
};

struct mb2_tag {
    u32 type;
    u32 size; /* with this head, without the padding to 8 */
};

struct mb2_module {
    struct mb2_tag tag;
    u32 start;
    u32 end; /* the name follows */
};

struct mb2_memory {
    struct mb2_tag tag;
    u32 lower; /* KiB */
    u32 upper;
};

struct mb2_mmap {
    struct mb2_tag tag;
    u32 entry_size;
    u32 entry_version;
};

struct mb2_range {
    u64 base;
    u64 length;
    u32 type;
    u32 reserved_14;
};

struct mb2_framebuffer {
    struct mb2_tag tag;
    u64 addr;
    u32 pitch;
    u32 width;
    u32 height;
    u8 bpp;
    u8 type;
    u16 reserved_1e;
};

/* The RSDP of ACPI 1.0 has 20 bytes, later ones 36. */
#define RSDP_OLD_SIZE 20
#define RSDP_NEW_SIZE 36

struct mb2_state {
    struct boot_info *bi;
    struct memory_map *map;
    struct mb2_memory memory; /* counts when there is no map */
    u64 at;                   /* address of the tag being read */
    struct mb2_tag tag;
};

/* Where bi->rsdp points: the loader's copy lies in memory that gets used again. */
static u8 rsdp_copy[RSDP_NEW_SIZE] __attribute__((aligned(8)));

static const char too_small[] = "a tag is too small";

/* Reads the fixed part of the current tag. */
static bool read_tag(const struct mb2_state *s, void *dst, size_t size)
{
    return s->tag.size >= size && multiboot_read(dst, s->at, size);
}

static const char *tag_module(const struct mb2_state *s)
{
    struct mb2_module m;

    if (!read_tag(s, &m, sizeof(m)))
        return too_small;
    return multiboot_add_module(s->bi, m.start, m.end, s->at + sizeof(m), s->tag.size - sizeof(m));
}

static const char *tag_mmap(const struct mb2_state *s)
{
    u64 at = s->at + sizeof(struct mb2_mmap), end = s->at + s->tag.size;
    struct mb2_mmap m;
    struct mb2_range r;
    const char *why;

    if (!read_tag(s, &m, sizeof(m)))
        return too_small;
    if (m.entry_size < sizeof(r))
        return "a memory map entry is too small";
    for (; at < end; at += m.entry_size) {
        if (end - at < sizeof(r) || !multiboot_read(&r, at, sizeof(r)))
            return "the memory map is cut off";
        why = memory_map_add(s->map, r.base, r.length, r.type);
        if (why)
            return why;
    }
    return NULL;
}

static const char *tag_framebuffer(const struct mb2_state *s)
{
    struct mb2_framebuffer fb;

    if (!read_tag(s, &fb, sizeof(fb)))
        return too_small;
    s->bi->fb = (struct boot_framebuffer){
        fb.addr, fb.pitch, fb.width, fb.height, fb.bpp, fb.type == MULTIBOOT_FB_TEXT,
    };
    return NULL;
}

/* The new RSDP is preferred, whatever the order. */
static const char *tag_rsdp(const struct mb2_state *s, u32 size)
{
    if (size == RSDP_OLD_SIZE && s->bi->rsdp)
        return NULL;
    if (s->tag.size < sizeof(s->tag) + size ||
        !multiboot_read(rsdp_copy, s->at + sizeof(s->tag), size))
        return too_small;
    s->bi->rsdp = (hpa_t)rsdp_copy;
    return NULL;
}

static const char *parse_tag(struct mb2_state *s)
{
    struct boot_info *bi = s->bi;
    u64 text = s->at + sizeof(s->tag), max = s->tag.size - sizeof(s->tag);

    switch (s->tag.type) {
    case MB2_TAG_CMDLINE: return multiboot_read_text(bi->cmdline, BOOT_TEXT, text, max);
    case MB2_TAG_LOADER: /* cut off when it is long */
        multiboot_read_text(bi->loader, sizeof(bi->loader), text, max);
        return NULL;
    case MB2_TAG_MODULE: return tag_module(s);
    case MB2_TAG_MEMORY: return read_tag(s, &s->memory, sizeof(s->memory)) ? NULL : too_small;
    case MB2_TAG_MMAP: return tag_mmap(s);
    case MB2_TAG_FRAMEBUFFER: return tag_framebuffer(s);
    case MB2_TAG_EFI32:
    case MB2_TAG_EFI64: bi->uefi = true; return NULL;
    case MB2_TAG_ACPI_OLD: return tag_rsdp(s, RSDP_OLD_SIZE);
    case MB2_TAG_ACPI_NEW: return tag_rsdp(s, RSDP_NEW_SIZE);
    case MB2_TAG_EFI_SERVICES: return "EFI boot services still run";
    default: return NULL;
    }
}

static const char *parse_tags(struct mb2_state *s, u64 end)
{
    const char *why;

    for (;; s->at = ALIGN_UP(s->at + s->tag.size, 8)) {
        if (s->at + sizeof(s->tag) > end || !multiboot_read(&s->tag, s->at, sizeof(s->tag)))
            return "the tags have no end";
        if (s->tag.size < sizeof(s->tag) || s->tag.size > end - s->at)
            return "a tag has a bad size";
        if (s->tag.type == MB2_TAG_END)
            return NULL;
        why = parse_tag(s);
        if (why)
            return why;
    }
}

const char *multiboot2_parse(u32 info, struct boot_info *bi, struct memory_map *map)
{
    struct mb2_state s = {.bi = bi, .map = map, .at = info + 8ull};
    u32 head[2]; /* total size, reserved */
    const char *why;

    bi->protocol = BOOT_MULTIBOOT2;
    if (info % 8 || !multiboot_read(head, info, sizeof(head)))
        return "the information lies outside memory";
    if (head[0] > MB2_MAX_SIZE)
        return "the information is too long";
    why = parse_tags(&s, (u64)info + head[0]);
    if (!why && !map->nr)
        why = memory_map_add_sizes(map, s.memory.lower, s.memory.upper);
    return why;
}
