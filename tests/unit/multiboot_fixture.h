/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the multiboot loader share: guest memory that checks every access, and kernels
 * built in memory, as ELF of both classes and with address fields.
 */
#ifndef TESTS_UNIT_MULTIBOOT_FIXTURE_H
#define TESTS_UNIT_MULTIBOOT_FIXTURE_H

#include "hv/load/multiboot.c"

#include "hv/lib/format.c"
#include "hv/load/elf.c"
#include "hv/load/kernel.c"
#include "hv/load/load.c"
#include "hv/load/raw.c"
#include "hv/vm/config.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUEST_BYTES (4 * MIB)
#define IMAGE_MAX   16384
#define HEADER_AT   0x200
#define CODE_AT     0x1000
#define CODE_BYTES  0x300

static u8 guest[GUEST_BYTES];
static u8 image[IMAGE_MAX] __attribute__((aligned(8))); /* the image under construction */
static u64 image_size;
static char said[512];
static u64 calls;   /* of write and zero */
static u64 fail_at; /* the call that fails; 0: none */
static struct vm_config config;

static inline int guest_touch(gpa_t gpa, u64 n)
{
    assert_true(vm_layout_holds(config.memory, gpa, n));
    return ++calls == fail_at ? -HV_ENOMEM : 0;
}

static inline int guest_write(void *ctx, gpa_t gpa, const void *src, u64 n)
{
    int error = guest_touch(gpa, n);

    assert_ptr_equal(ctx, guest);
    assert_true(gpa <= GUEST_BYTES && n <= GUEST_BYTES - gpa);
    memcpy(guest + gpa, src, n);
    return error;
}

static inline int guest_zero(void *ctx, gpa_t gpa, u64 n)
{
    int error = guest_touch(gpa, n);

    assert_ptr_equal(ctx, guest);
    assert_true(gpa <= GUEST_BYTES && n <= GUEST_BYTES - gpa);
    memset(guest + gpa, 0, n);
    return error;
}

static inline void guest_error(void *ctx, const char *text)
{
    assert_ptr_equal(ctx, guest);
    assert_string_equal(said, "");
    strcpy(said, text);
}

/* Loads a copy of the image that ends exactly where its memory ends, so over-reads are seen. */
static inline int load(struct load_result *r)
{
    struct load_target t = {.ctx = guest,
                            .memory = config.memory,
                            .write = guest_write,
                            .zero = guest_zero,
                            .error = guest_error};
    u8 *copy = malloc(image_size + 1); /* + 1: of size 0, too, an address */
    int error;

    memcpy(copy + 1, image, image_size);
    config.image_start = (uintptr_t)copy + 1;
    config.image_end = config.image_start + image_size;
    said[0] = '\0';
    calls = 0;
    error = load_image(&config, &t, r);
    free(copy);
    return error;
}

static inline void put32(u64 at, u32 v)
{
    memcpy(image + at, &v, sizeof(v));
}

static inline void put_header(u64 at, u32 flags)
{
    put32(at, MULTIBOOT_HEADER_MAGIC);
    put32(at + 4, flags);
    put32(at + 8, -(MULTIBOOT_HEADER_MAGIC + flags));
}

static inline void put_ident(u8 class, u16 machine)
{
    struct elf_ident id = {.magic = {0x7f, 'E', 'L', 'F'},
                           .class = class,
                           .data = ELF_DATA_LSB,
                           .version = 1,
                           .type = ELF_ET_EXEC,
                           .machine = machine,
                           .e_version = 1};

    memcpy(image, &id, sizeof(id));
}

static inline struct elf32_header *header32(void)
{
    return (struct elf32_header *)image;
}

static inline struct elf32_phdr *phdr32(u32 i)
{
    return (struct elf32_phdr *)(image + sizeof(struct elf32_header)) + i;
}

static inline struct elf64_header *header64(void)
{
    return (struct elf64_header *)image;
}

static inline struct elf64_phdr *phdr64(u32 i)
{
    return (struct elf64_phdr *)(image + sizeof(struct elf64_header)) + i;
}

static inline void begin_image(void)
{
    vm_config_default(&config);
    strcpy(config.image_name, "k.elf");
    config.memory = GUEST_BYTES;
    fail_at = 0;
    memset(guest, 0xcc, sizeof(guest));
    memset(image, 0, sizeof(image));
    for (u32 i = 0; i < CODE_BYTES; i++)
        image[CODE_AT + i] = (u8)(i * 5 + 3);
    image_size = CODE_AT + CODE_BYTES;
}

/* Code at 1 MiB with BSS behind it, and a note that is not loaded. */
static inline void make_elf32(void)
{
    begin_image();
    put_ident(ELF_CLASS32, ELF_EM_386);
    header32()->entry = MIB + 0x10;
    header32()->phoff = sizeof(struct elf32_header);
    header32()->phentsize = sizeof(struct elf32_phdr);
    header32()->phnum = 2;
    *phdr32(0) = (struct elf32_phdr){.type = 4, .offset = ~0u, .filesz = ~0u};
    *phdr32(1) = (struct elf32_phdr){.type = ELF_PT_LOAD,
                                     .offset = CODE_AT,
                                     .vaddr = MIB,
                                     .paddr = MIB,
                                     .filesz = CODE_BYTES,
                                     .memsz = 0x1800};
    put_header(HEADER_AT, 3);
}

/* The same in 64 bits, linked to the upper half of the address space. */
static inline void make_elf64(void)
{
    const u64 base = 0xffffffff80000000ull;

    begin_image();
    put_ident(ELF_CLASS64, ELF_EM_X86_64);
    header64()->entry = base + MIB + 0x10;
    header64()->phoff = sizeof(struct elf64_header);
    header64()->phentsize = sizeof(struct elf64_phdr);
    header64()->phnum = 1;
    *phdr64(0) = (struct elf64_phdr){.type = ELF_PT_LOAD,
                                     .offset = CODE_AT,
                                     .vaddr = base + MIB,
                                     .paddr = MIB,
                                     .filesz = CODE_BYTES,
                                     .memsz = 0x1800};
    put_header(HEADER_AT, 0);
}

/* No ELF at all: the file from 0 on belongs to 1 MiB, with BSS up to the next 16 KiB. */
static inline void make_fields(void)
{
    begin_image();
    put_header(HEADER_AT, MULTIBOOT_AOUT_KLUDGE | 7);
    put32(HEADER_AT + 12, MIB + HEADER_AT);
    put32(HEADER_AT + 16, MIB);
    put32(HEADER_AT + 20, 0);
    put32(HEADER_AT + 24, MIB + 0x4000);
    put32(HEADER_AT + 28, MIB + CODE_AT);
}

static inline void add_module(const char *cmdline, const void *data, u64 size)
{
    struct vm_module *m = &config.modules[config.nr_modules++];

    m->start = (uintptr_t)data;
    m->end = m->start + size;
    strcpy(m->cmdline, cmdline);
}

#endif
