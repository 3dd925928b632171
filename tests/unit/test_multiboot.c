/* SPDX-License-Identifier: MIT */
/*
 * Multiboot kernels: where segments, modules and the information structure lie, and every refusal.
 */
#include "tests/unit/multiboot_fixture.h"

static void loads(struct load_result *r)
{
    if (load(r))
        fail_msg("refused: %s", said);
    assert_string_equal(said, "");
    assert_int_equal(r->start, VM_START_PROTECTED);
    assert_int_equal(r->rax, 0x2badb002);
}

static void refuses(const char *text)
{
    struct load_result r;

    assert_int_equal(load(&r), -HV_EINVAL);
    assert_string_equal(said, text);
    assert_int_equal(calls, 0); /* nothing was written before it was refused */
}

static void check_placed(gpa_t end)
{
    assert_memory_equal(guest + MIB, image + CODE_AT, CODE_BYTES);
    for (gpa_t a = MIB + CODE_BYTES; a < end; a++)
        assert_int_equal(guest[a], 0);
    assert_int_equal(guest[end], 0xcc);
    assert_int_equal(guest[MIB - 1], 0xcc);
}

static void elf32_is_placed(void **state)
{
    struct load_result r;

    (void)state;
    make_elf32();
    loads(&r);
    assert_int_equal(r.rip, MIB + 0x10);
    check_placed(MIB + 0x1800);
}

static void elf64_is_placed_by_physical_address(void **state)
{
    struct load_result r;

    (void)state;
    make_elf64();
    loads(&r);
    assert_int_equal(r.rip, MIB + 0x10);
    check_placed(MIB + 0x1800);
    header64()->entry = MIB + 0x20; /* a physical entry is taken, too */
    loads(&r);
    assert_int_equal(r.rip, MIB + 0x20);
}

static void address_fields_are_obeyed(void **state)
{
    struct load_result r;

    (void)state;
    make_fields();
    loads(&r);
    assert_int_equal(r.rip, MIB + CODE_AT);
    assert_memory_equal(guest + MIB, image, image_size);
    for (gpa_t a = MIB + image_size; a < MIB + 0x4000; a++)
        assert_int_equal(guest[a], 0);
    assert_int_equal(guest[MIB + 0x4000], 0xcc);
    make_fields();
    put32(HEADER_AT + 16, MIB + 0x100); /* the file before load_addr is not loaded */
    put32(HEADER_AT + 20, MIB + 0x1010);
    put32(HEADER_AT + 24, 0);
    loads(&r);
    assert_memory_equal(guest + MIB + 0x100, image + 0x100, 0xf10);
    assert_int_equal(guest[MIB + 0xff], 0xcc);
    assert_int_equal(guest[MIB + 0x1010], 0xcc);
}

static void address_fields_win_over_elf(void **state)
{
    struct load_result r;

    (void)state;
    make_elf32();
    put_header(HEADER_AT, MULTIBOOT_AOUT_KLUDGE);
    put32(HEADER_AT + 12, 2 * MIB + HEADER_AT);
    put32(HEADER_AT + 16, 2 * MIB);
    put32(HEADER_AT + 28, 2 * MIB);
    loads(&r);
    assert_int_equal(r.rip, 2 * MIB);
    assert_memory_equal(guest + 2 * MIB, image, image_size);
    assert_int_equal(guest[MIB], 0xcc);
}

static void header_is_searched_in_8_kib(void **state)
{
    struct load_result r;

    (void)state;
    make_elf32();
    memset(image + HEADER_AT, 0, 12);
    refuses("image \"k.elf\": no multiboot header; for a raw image set format = raw, load, start");
    config.format = VM_FORMAT_MULTIBOOT;
    refuses("image \"k.elf\": no multiboot header");
    image_size = IMAGE_MAX;
    put_header(8192 - 12, 0);
    loads(&r);
    memset(image + 8192 - 12, 0, 12);
    put_header(8192 - 8, 0);
    refuses("image \"k.elf\": no multiboot header");
    memset(image + 8192 - 8, 0, 12);
    put_header(HEADER_AT + 2, 0); /* not aligned */
    refuses("image \"k.elf\": no multiboot header");
    memset(image + HEADER_AT, 0, 16);
    put_header(HEADER_AT, 0);
    image[HEADER_AT + 8] ^= 1;
    refuses("image \"k.elf\": no multiboot header");
    put_header(HEADER_AT + 0x40, 0); /* the search goes on behind a bad one */
    loads(&r);
}

static const struct multiboot_info *info_of(const struct load_result *r)
{
    assert_int_equal(r->rbx, MULTIBOOT_INFO_BASE);
    return (const struct multiboot_info *)(guest + r->rbx);
}

static void information_is_complete(void **state)
{
    const struct multiboot_info *i;
    const struct multiboot_mmap *m;
    struct load_result r;

    (void)state;
    make_elf32();
    strcpy(config.cmdline, "quick n=3");
    loads(&r);
    i = info_of(&r);
    assert_int_equal(i->flags, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    assert_int_equal(i->mem_lower, 639);
    assert_int_equal(i->mem_upper, 3 * 1024);
    assert_string_equal((char *)guest + i->cmdline, "k.elf quick n=3");
    assert_string_equal((char *)guest + i->boot_loader_name, "Tollgate");
    assert_int_equal(i->mods_count, 0);
    assert_int_equal(i->mmap_length, 3 * 24);
    m = (const void *)(guest + i->mmap_addr);
    assert_true(m[0].size == 20 && m[0].addr == 0 && m[0].len == 0x9fc00 && m[0].type == 1);
    assert_true(m[1].addr == 0x9fc00 && m[1].len == 0x60400 && m[1].type == 2);
    assert_true(m[2].addr == MIB && m[2].len == 3 * MIB && m[2].type == 1);
    config.cmdline[0] = '\0';
    loads(&r);
    assert_string_equal((char *)guest + info_of(&r)->cmdline, "k.elf");
}

static void memory_map_leaves_the_hole(void **state)
{
    const struct multiboot_mmap *m;
    struct load_result r;

    (void)state;
    make_elf32();
    config.memory = 5 * GIB;
    loads(&r);
    assert_int_equal(info_of(&r)->mem_upper, (3 * GIB - MIB) / KIB);
    assert_int_equal(info_of(&r)->mmap_length, 4 * 24);
    m = (const void *)(guest + info_of(&r)->mmap_addr);
    assert_true(m[2].addr == MIB && m[2].len == 3 * GIB - MIB && m[2].type == 1);
    assert_true(m[3].addr == 4 * GIB && m[3].len == 2 * GIB && m[3].type == 1);
}

static void modules_lie_page_aligned_above(void **state)
{
    static u8 data[5000];
    const struct multiboot_module *m;
    struct load_result r;

    (void)state;
    make_elf32();
    memset(data, 0x5a, sizeof(data));
    add_module("initrd one", data, sizeof(data));
    add_module("nothing", data, 0);
    add_module("", data, 100);
    loads(&r);
    assert_int_equal(info_of(&r)->mods_count, 3);
    m = (const void *)(guest + info_of(&r)->mods_addr);
    assert_int_equal(m[0].mod_start, MIB + 0x2000);
    assert_int_equal(m[0].mod_end, MIB + 0x2000 + 5000);
    assert_memory_equal(guest + m[0].mod_start, data, sizeof(data));
    assert_string_equal((char *)guest + m[0].string, "initrd one");
    assert_int_equal(m[1].mod_start, MIB + 0x4000);
    assert_int_equal(m[1].mod_end, m[1].mod_start);
    assert_int_equal(m[2].mod_start, MIB + 0x4000);
    assert_memory_equal(guest + m[2].mod_start, data, 100);
    assert_string_equal((char *)guest + m[2].string, "");
}

static void longest_texts_fit(void **state)
{
    struct load_result r;
    char text[VM_TEXT];

    (void)state;
    make_elf32();
    memset(text, 'x', sizeof(text) - 1);
    text[VM_TEXT - 1] = '\0';
    strcpy(config.cmdline, text);
    memset(config.image_name, 'y', VM_NAME - 1);
    for (u32 i = 0; i < VM_MAX_MODULES; i++)
        add_module(text, image, 1);
    loads(&r);
    assert_int_equal(guest[MULTIBOOT_INFO_BASE + MULTIBOOT_INFO_SIZE], 0xcc);
    assert_int_equal(strlen((char *)guest + info_of(&r)->cmdline), VM_NAME - 1 + 1 + VM_TEXT - 1);
}

static void modules_that_do_not_fit_are_refused(void **state)
{
    static u8 data[GUEST_BYTES];
    struct load_result r;

    (void)state;
    make_elf32();
    add_module("big one", data, 3 * MIB - 0x2000);
    loads(&r);
    config.modules[0].end++;
    refuses("image \"k.elf\": module \"big one\" of 3137537 bytes does not fit above 0x102000 in "
            "guest memory, which ends at 0x400000");
}

static void video_request_is_ignored(void **state)
{
    struct load_result r;

    (void)state;
    make_elf32();
    put_header(HEADER_AT, 7);
    loads(&r);
    put_header(HEADER_AT, 0xfffe0000u); /* optional ones */
    loads(&r);
    for (u32 bit = 3; bit < 16; bit++) {
        char text[128];

        put_header(HEADER_AT, 1u << bit | 3);
        snprintf(text, sizeof(text),
                 "image \"k.elf\": multiboot header requires unknown features 0x%x", 1u << bit);
        refuses(text);
    }
}

static void foreign_elf_is_refused(void **state)
{
    (void)state;
    make_elf32();
    image[1] = 'e';
    refuses("image \"k.elf\": neither ELF nor a multiboot header with address fields");
    make_elf32();
    header32()->ident.class = 3;
    refuses("image \"k.elf\": malformed ELF identification");
    make_elf32();
    header32()->ident.data = 2;
    refuses("image \"k.elf\": malformed ELF identification");
    make_elf32();
    header32()->ident.machine = 40;
    refuses("image \"k.elf\": ELF for another processor; accepted: ELF32 i386, ELF64 x86-64");
    make_elf64();
    header64()->ident.machine = ELF_EM_386;
    refuses("image \"k.elf\": ELF for another processor; accepted: ELF32 i386, ELF64 x86-64");
    make_elf32();
    header32()->ident.type = 3;
    refuses("image \"k.elf\": ELF is not a static executable (ET_EXEC)");
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    make_elf32();
    header32()->phentsize = 31;
    refuses("image \"k.elf\": malformed ELF: program headers too small");
    make_elf32();
    header32()->phnum = 0;
    refuses("image \"k.elf\": no segment to load");
    make_elf32();
    header32()->phnum = 0xffff;
    refuses("image \"k.elf\": truncated: ELF program headers outside the file");
    make_elf64();
    header64()->phoff = UINT64_MAX - 10;
    refuses("image \"k.elf\": truncated: ELF program headers outside the file");
    make_elf32(); /* header in the first bytes, file ends inside the ELF header */
    put_header(32, 0);
    image_size = 44;
    refuses("image \"k.elf\": truncated ELF header");
}

static void bad_segments_are_refused(void **state)
{
    (void)state;
    make_elf32();
    image_size--;
    refuses("image \"k.elf\": truncated: segment at 0x100000 needs bytes 0x1000 + 0x300, file has "
            "0x12ff");
    make_elf32();
    phdr32(1)->offset = ~0u;
    refuses("image \"k.elf\": truncated: segment at 0x100000 needs bytes 0xffffffff + 0x300, file "
            "has 0x1300");
    make_elf32();
    phdr32(1)->memsz = 0x2ff;
    refuses("image \"k.elf\": segment at 0x100000 is larger in file than in memory");
    make_elf32();
    phdr32(1)->paddr = 0xfffffff0u;
    refuses("image \"k.elf\": segment 0xfffffff0 + 0x1800 is outside guest memory, which ends at "
            "0x400000");
    make_elf32();
    phdr32(1)->memsz = 3 * MIB + 1;
    refuses("image \"k.elf\": segment 0x100000 + 0x300001 is outside guest memory, which ends at "
            "0x400000");
    make_elf64();
    phdr64(0)->memsz = UINT64_MAX;
    refuses("image \"k.elf\": segment 0x100000 + 0xffffffffffffffff is outside guest memory, which "
            "ends at 0x400000");
    make_elf64();
    config.memory = 8 * GIB;
    phdr64(0)->paddr = 4 * GIB;
    refuses("image \"k.elf\": segment 0x100000000 + 0x1800 is outside guest memory, which ends at "
            "0xc0000000");
    make_elf32();
    *phdr32(0) = *phdr32(1);
    phdr32(0)->paddr += 0x17ff;
    refuses("image \"k.elf\": segment 0x100000 + 0x1800 overlaps another");
}

static void too_many_segments_are_refused(void **state)
{
    (void)state;
    make_elf32();
    header32()->phoff = 0x400;
    header32()->phnum = KERNEL_MAX_SEGMENTS + 1;
    for (u32 i = 0; i <= KERNEL_MAX_SEGMENTS; i++) {
        struct elf32_phdr p = {.type = ELF_PT_LOAD,
                               .offset = CODE_AT,
                               .paddr = (u32)MIB + i * 16,
                               .filesz = 1,
                               .memsz = 16};

        memcpy(image + 0x400 + i * sizeof(p), &p, sizeof(p));
    }
    refuses("image \"k.elf\": more than 32 segments");
}

static void bad_entries_are_refused(void **state)
{
    (void)state;
    make_elf32();
    header32()->entry = MIB + 0x1800;
    refuses("image \"k.elf\": entry 0x101800 is outside all segments");
    make_elf64();
    header64()->entry = UINT64_MAX;
    refuses("image \"k.elf\": entry 0xffffffffffffffff is outside all segments");
    make_fields();
    put32(HEADER_AT + 28, MIB - 1);
    refuses("image \"k.elf\": entry 0xfffff is outside the image");
    make_fields();
    put32(HEADER_AT + 28, MIB + CODE_AT + CODE_BYTES);
    refuses("image \"k.elf\": entry 0x101300 is outside the image");
}

static void bad_address_fields_are_refused(void **state)
{
    (void)state;
    make_fields();
    put32(HEADER_AT + 16, MIB + HEADER_AT + 4);
    refuses("image \"k.elf\": multiboot header: load_addr 0x100204 does not fit header_addr "
            "0x100200");
    make_fields();
    put32(HEADER_AT + 16, MIB - 4);
    refuses("image \"k.elf\": multiboot header: load_addr 0xffffc does not fit header_addr "
            "0x100200");
    make_fields();
    put32(HEADER_AT + 20, MIB);
    refuses("image \"k.elf\": multiboot header: load_end_addr 0x100000, bss_end_addr 0x104000 out "
            "of order");
    make_fields();
    put32(HEADER_AT + 24, MIB + 0x1000);
    refuses("image \"k.elf\": multiboot header: load_end_addr 0x101300, bss_end_addr 0x101000 out "
            "of order");
    make_fields();
    put32(HEADER_AT + 20, MIB + 0x1301);
    refuses("image \"k.elf\": truncated: segment at 0x100000 needs bytes 0x0 + 0x1301, file has "
            "0x1300");
    make_fields();
    image_size = HEADER_AT + 31;
    refuses("image \"k.elf\": truncated multiboot header");
}

static void information_area_is_kept_free(void **state)
{
    struct load_result r;

    (void)state;
    make_elf32();
    *phdr32(0) = *phdr32(1);
    phdr32(0)->paddr = MULTIBOOT_INFO_BASE - 0x1800;
    loads(&r);
    phdr32(0)->paddr++;
    refuses("image \"k.elf\": kernel overlaps the multiboot information at 0x90000 + 0xfc00");
    make_elf32();
    phdr32(1)->paddr = phdr32(1)->vaddr = 0x10000;
    header32()->entry = 0x10000;
    config.memory = 0x90000;
    refuses("image \"k.elf\": guest memory too small for the multiboot information");
}

static void failing_target_ends_loading(void **state)
{
    struct load_result r;
    u64 all;

    (void)state;
    make_elf32();
    strcpy(config.cmdline, "a");
    add_module("m", image, 10);
    loads(&r);
    all = calls;
    assert_true(all > 5);
    for (fail_at = 1; fail_at <= all; fail_at++) {
        assert_int_equal(load(&r), -HV_ENOMEM);
        assert_int_equal(calls, fail_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elf32_is_placed),
        cmocka_unit_test(elf64_is_placed_by_physical_address),
        cmocka_unit_test(address_fields_are_obeyed),
        cmocka_unit_test(address_fields_win_over_elf),
        cmocka_unit_test(header_is_searched_in_8_kib),
        cmocka_unit_test(information_is_complete),
        cmocka_unit_test(memory_map_leaves_the_hole),
        cmocka_unit_test(modules_lie_page_aligned_above),
        cmocka_unit_test(longest_texts_fit),
        cmocka_unit_test(modules_that_do_not_fit_are_refused),
        cmocka_unit_test(video_request_is_ignored),
        cmocka_unit_test(foreign_elf_is_refused),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(bad_segments_are_refused),
        cmocka_unit_test(too_many_segments_are_refused),
        cmocka_unit_test(bad_entries_are_refused),
        cmocka_unit_test(bad_address_fields_are_refused),
        cmocka_unit_test(information_area_is_kept_free),
        cmocka_unit_test(failing_target_ends_loading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
