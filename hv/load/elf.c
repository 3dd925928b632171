/* SPDX-License-Identifier: MIT */
/*
 * Reads ELF executables of both classes. The file is not trusted: every offset is checked, and
 * structures are copied out of it, since nothing aligns them.
 */
#include "hv/load/kernel.h"

#include "hv/lib/string.h"

#define ELF_CLASS32   1
#define ELF_CLASS64   2
#define ELF_DATA_LSB  1
#define ELF_ET_EXEC   2
#define ELF_EM_386    3
#define ELF_EM_X86_64 62
#define ELF_PT_LOAD   1

struct elf_ident {
    u8 magic[4];
    u8 class;
    u8 data;
    u8 version;
    u8 pad[9];
    u16 type;
    u16 machine;
    u32 e_version;
};

struct elf32_header {
    struct elf_ident ident;
    u32 entry, phoff, shoff, flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_header {
    struct elf_ident ident;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf32_phdr {
    u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_phdr {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};

static_assert(sizeof(struct elf_ident) == 24, "ELF identification and first fields");
static_assert(sizeof(struct elf32_header) == 52 && offsetof(struct elf32_header, phnum) == 44, "");
static_assert(sizeof(struct elf64_header) == 64 && offsetof(struct elf64_header, phnum) == 56, "");
static_assert(sizeof(struct elf32_phdr) == 32 && offsetof(struct elf32_phdr, memsz) == 20, "");
static_assert(sizeof(struct elf64_phdr) == 56 && offsetof(struct elf64_phdr, memsz) == 40, "");

/* What both classes tell, in one form. */
struct elf_view {
    bool is64;
    u64 entry;
    u64 phoff;
    u64 phentsize;
    u64 phnum;
};

static bool copy_out(const struct kernel *k, u64 offset, void *to, u64 n)
{
    if (offset > k->size || n > k->size - offset)
        return false;
    memcpy(to, k->file + offset, n);
    return true;
}

static bool read_header(const struct kernel *k, struct elf_view *v)
{
    struct elf32_header h32;
    struct elf64_header h64;

    if (v->is64) {
        if (!copy_out(k, 0, &h64, sizeof(h64)))
            return false;
        v->entry = h64.entry;
        v->phoff = h64.phoff;
        v->phentsize = h64.phentsize;
        v->phnum = h64.phnum;
        return true;
    }
    if (!copy_out(k, 0, &h32, sizeof(h32)))
        return false;
    v->entry = h32.entry;
    v->phoff = h32.phoff;
    v->phentsize = h32.phentsize;
    v->phnum = h32.phnum;
    return true;
}

/* Reads program header i; *type is its p_type. */
static bool read_phdr(const struct kernel *k, const struct elf_view *v, u64 i, u32 *type,
                      struct segment *s)
{
    u64 offset = v->phoff + i * v->phentsize;
    struct elf32_phdr p32;
    struct elf64_phdr p64;

    if (v->is64) {
        if (!copy_out(k, offset, &p64, sizeof(p64)))
            return false;
        *type = p64.type;
        *s = (struct segment){p64.offset, p64.filesz, p64.memsz, p64.paddr, p64.vaddr};
        return true;
    }
    if (!copy_out(k, offset, &p32, sizeof(p32)))
        return false;
    *type = p32.type;
    *s = (struct segment){p32.offset, p32.filesz, p32.memsz, p32.paddr, p32.vaddr};
    return true;
}

/* Checks what says "an executable for this processor". Returns NULL or what is wrong. */
static const char *check_ident(const struct kernel *k, struct elf_view *v)
{
    struct elf_ident id;

    if (!copy_out(k, 0, &id, sizeof(id)) || memcmp(id.magic,
                                                   "\x7f"
                                                   "ELF",
                                                   4) != 0)
        return "neither ELF nor a multiboot header with address fields";
    v->is64 = id.class == ELF_CLASS64;
    if ((id.class != ELF_CLASS32 && !v->is64) || id.data != ELF_DATA_LSB || id.version != 1)
        return "malformed ELF identification";
    if (id.machine != (v->is64 ? ELF_EM_X86_64 : ELF_EM_386))
        return "ELF for another processor; accepted: ELF32 i386, ELF64 x86-64";
    if (id.type != ELF_ET_EXEC)
        return "ELF is not a static executable (ET_EXEC)";
    if (!read_header(k, v))
        return "truncated ELF header";
    if (v->phentsize < (v->is64 ? sizeof(struct elf64_phdr) : sizeof(struct elf32_phdr)))
        return "malformed ELF: program headers too small";
    if (v->phoff > k->size || v->phnum * v->phentsize > k->size - v->phoff)
        return "truncated: ELF program headers outside the file";
    return NULL;
}

/* e_entry is virtual where a segment holds it so, as GRUB takes it, else physical. */
static bool find_entry(struct kernel *k, u64 entry)
{
    for (u32 i = 0; i < k->nr_segments; i++) {
        const struct segment *s = &k->segments[i];

        if (entry >= s->vaddr && entry - s->vaddr < s->memsz) {
            k->entry = s->paddr + (entry - s->vaddr);
            return true;
        }
    }
    k->entry = entry;
    return kernel_overlaps(k, entry, 1);
}

int elf_read(struct kernel *k)
{
    struct elf_view v = {0};
    const char *reason = check_ident(k, &v);

    if (reason)
        return load_refuse(k->config, k->target, "%s", reason);
    for (u64 i = 0; i < v.phnum; i++) {
        struct segment s;
        u32 type;
        int error;

        if (!read_phdr(k, &v, i, &type, &s))
            return load_refuse(k->config, k->target, "truncated ELF program header %lu", i);
        if (type != ELF_PT_LOAD)
            continue;
        error = kernel_add(k, &s);
        if (error)
            return error;
    }
    if (k->nr_segments == 0)
        return load_refuse(k->config, k->target, "no segment to load");
    if (!find_entry(k, v.entry))
        return load_refuse(k->config, k->target, "entry 0x%lx is outside all segments", v.entry);
    return 0;
}
