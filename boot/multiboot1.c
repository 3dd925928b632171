/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 1 information. Source: Multiboot Specification 0.6.96, "Boot information format".
 */
#include "boot/multiboot.h"
#include "hv/lib/string.h"

#define MB1_MEMORY      BIT(0)
#define MB1_CMDLINE     BIT(2)
#define MB1_MODULES     BIT(3)
#define MB1_MMAP        BIT(6)
#define MB1_LOADER      BIT(9)
#define MB1_FRAMEBUFFER BIT(12)

#define MB1_MAX_MMAP 65536u /* bytes */

struct mb1_info {
    u32 flags;
    u32 mem_lower; /* KiB */
    u32 mem_upper;
    u32 boot_device;
    u32 cmdline;
    u32 mods_count;
    u32 mods_addr;
    u32 syms[4];
    u32 mmap_length;
    u32 mmap_addr;
    u32 drives_length;
    u32 drives_addr;
    u32 config_table;
    u32 boot_loader_name;
};

#define MB1_FRAMEBUFFER_OFFSET 88

struct mb1_framebuffer {
    u64 addr;
    u32 pitch;
    u32 width;
    u32 height;
    u8 bpp;
    u8 type;
    u16 reserved_16;
};

struct mb1_module {
    u32 start;
    u32 end;
    u32 string;
    u32 reserved_0c;
};

struct mb1_range {
    u32 size; /* of what follows */
    u64 base;
    u64 length;
    u32 type;
} __attribute__((packed));

static_assert(offsetof(struct mb1_info, mmap_length) == 44, "mmap_length");
static_assert(offsetof(struct mb1_info, boot_loader_name) == 64, "boot_loader_name");

/*
 * QEMU puts the image's file name before the arguments, and so did GRUB 1; GRUB 2 does not. A
 * first word that is a path or begins with "tollgate", and is no option, is taken for it.
 */
static void strip_image_name(char *cmdline)
{
    static const char image[] = "tollgate";
    char *end = strchr(cmdline, ' ');
    size_t n = end ? (size_t)(end - cmdline) : strlen(cmdline);
    bool path = false, option = false;
    size_t i;

    for (i = 0; i < n; i++) {
        path |= cmdline[i] == '/';
        option |= cmdline[i] == '=';
    }
    if (option || (!path && strncmp(cmdline, image, sizeof(image) - 1) != 0))
        return;
    n += end ? 1 : 0;
    memmove(cmdline, cmdline + n, strlen(cmdline + n) + 1);
}

static const char *parse_modules(const struct mb1_info *mbi, struct boot_info *bi)
{
    struct mb1_module m;
    const char *why;
    u32 i;

    if (mbi->mods_count > BOOT_MAX_MODULES)
        return "too many modules";
    for (i = 0; i < mbi->mods_count; i++) {
        if (!multiboot_read(&m, mbi->mods_addr + (u64)i * sizeof(m), sizeof(m)))
            return "the module list lies outside memory";
        why = multiboot_add_module(bi, m.start, m.end, m.string, UINT64_MAX);
        if (why)
            return why;
    }
    return NULL;
}

static const char *parse_mmap(const struct mb1_info *mbi, struct memory_map *map)
{
    u64 at = mbi->mmap_addr, end = at + mbi->mmap_length;
    struct mb1_range r;
    const char *why;

    if (mbi->mmap_length > MB1_MAX_MMAP)
        return "the memory map is too long";
    for (; at < end; at += r.size + (u64)sizeof(r.size)) {
        if (end - at < sizeof(r) || !multiboot_read(&r, at, sizeof(r)))
            return "the memory map is cut off";
        if (r.size < sizeof(r) - sizeof(r.size))
            return "a memory map entry is too small";
        why = memory_map_add(map, r.base, r.length, r.type);
        if (why)
            return why;
    }
    return NULL;
}

static const char *parse_framebuffer(u64 addr, struct boot_info *bi)
{
    struct mb1_framebuffer fb;

    if (!multiboot_read(&fb, addr, sizeof(fb)))
        return "the information lies outside memory";
    bi->fb = (struct boot_framebuffer){
        fb.addr, fb.pitch, fb.width, fb.height, fb.bpp, fb.type == MULTIBOOT_FB_TEXT,
    };
    return NULL;
}

static const char *parse_cmdline(const struct mb1_info *mbi, struct boot_info *bi)
{
    const char *why = multiboot_read_text(bi->cmdline, BOOT_TEXT, mbi->cmdline, UINT64_MAX);

    if (!why)
        strip_image_name(bi->cmdline);
    return why;
}

static const char *parse_memory(const struct mb1_info *mbi, struct memory_map *map)
{
    if (mbi->flags & MB1_MMAP)
        return parse_mmap(mbi, map);
    if (mbi->flags & MB1_MEMORY)
        return memory_map_add_sizes(map, mbi->mem_lower, mbi->mem_upper);
    return NULL;
}

const char *multiboot1_parse(u32 info, struct boot_info *bi, struct memory_map *map)
{
    struct mb1_info mbi;
    const char *why;

    bi->protocol = BOOT_MULTIBOOT1;
    if (info % 4 || !multiboot_read(&mbi, info, sizeof(mbi)))
        return "the information lies outside memory";
    if (mbi.flags & MB1_LOADER) /* cut off when it is long */
        multiboot_read_text(bi->loader, sizeof(bi->loader), mbi.boot_loader_name, UINT64_MAX);
    why = mbi.flags & MB1_CMDLINE ? parse_cmdline(&mbi, bi) : NULL;
    if (!why && (mbi.flags & MB1_MODULES))
        why = parse_modules(&mbi, bi);
    if (!why && (mbi.flags & MB1_FRAMEBUFFER))
        why = parse_framebuffer((u64)info + MB1_FRAMEBUFFER_OFFSET, bi);
    return why ? why : parse_memory(&mbi, map);
}
