/* SPDX-License-Identifier: MIT */
/*
 * Multiboot information, right and broken. It is laid out in an arena at a fixed low address, as on
 * the machine; what the loader did not write there is poisoned, so that a byte read too many is
 * seen.
 */
#define HV_HOST_IMAGE_H /* instead of the linker's symbols: */
#define IMAGE           0x20100000ul
#define image_start     IMAGE
#define image_end       (IMAGE + 0x40000)

#include "boot/multiboot.c"
#include "boot/memory_map.c"
#include "boot/multiboot1.c"
#include "boot/multiboot2.c"
#include "hv/host/boot_info.c"

#include <setjmp.h>
#include <cmocka.h>

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA      0x20000000ul
#define ARENA_SIZE 0x400000ul
#define INFO       (ARENA + 0x1000)
#define LISTS      (ARENA + 0x2000)
#define TEXTS      (ARENA + 0x3000)
#define MODULES    (ARENA + 0x200000)

static struct boot_info bi;
static u64 text_end_at;

/* Stands in for hv/lib/string.c, whose other functions the C library has. */
bool str_copy(char *dst, size_t size, const char *src)
{
    size_t n = strnlen(src, size);

    if (!size)
        return false;
    memcpy(dst, src, MIN(n, size - 1));
    dst[MIN(n, size - 1)] = 0;
    return n < size;
}

static void *put(u64 addr, const void *data, size_t size)
{
    __asan_unpoison_memory_region((void *)addr, size);
    if (data)
        memcpy((void *)addr, data, size);
    else
        memset((void *)addr, 0, size);
    return (void *)addr;
}

static u32 put_text(const char *text)
{
    u64 at = text_end_at;

    put(at, text, strlen(text) + 1);
    text_end_at = ALIGN_UP(at + strlen(text) + 1, 8);
    return (u32)at;
}

static int setup(void **state)
{
    (void)state;
    if (!text_end_at &&
        mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
        return -1;
    __asan_unpoison_memory_region((void *)ARENA, ARENA_SIZE);
    memset((void *)ARENA, 0xaa, ARENA_SIZE);
    __asan_poison_memory_region((void *)ARENA, ARENA_SIZE);
    text_end_at = TEXTS;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    __asan_unpoison_memory_region((void *)ARENA, ARENA_SIZE);
    return 0;
}

static void accepted(u32 magic)
{
    const char *why = multiboot_parse(magic, INFO, &bi);

    if (why)
        fail_msg("refused: %s", why);
}

static void refused(u32 magic, const char *why)
{
    const char *got = multiboot_parse(magic, INFO, &bi);

    assert_non_null(got);
    assert_string_equal(got, why);
}

/* Whatever was accepted keeps what boot_info.h promises. */
static void check_promises(void)
{
    u32 i;

    for (i = 0; i < bi.nr_mem; i++) {
        assert_true(bi.mem[i].length > 0);
        assert_in_range(bi.mem[i].type, BOOT_MEM_USABLE, BOOT_MEM_BAD);
        if (i)
            assert_true(bi.mem[i].base >= bi.mem[i - 1].base + bi.mem[i - 1].length);
    }
    for (i = 0; i < bi.nr_modules; i++) {
        assert_true(bi.modules[i].start <= bi.modules[i].end);
        assert_non_null(memchr(bi.modules[i].cmdline, 0, BOOT_TEXT));
    }
    assert_non_null(memchr(bi.cmdline, 0, BOOT_TEXT));
}

static void assert_mem(u32 i, u64 base, u64 end, u32 type)
{
    assert_true(i < bi.nr_mem);
    assert_int_equal(bi.mem[i].base, base);
    assert_int_equal(bi.mem[i].base + bi.mem[i].length, end);
    assert_int_equal(bi.mem[i].type, type);
}

/* Multiboot 1 */

static struct mb1_info *mb1(u32 flags)
{
    struct mb1_info *m = put(INFO, NULL, sizeof(*m));

    m->flags = flags | MB1_MEMORY;
    m->mem_lower = 639;
    m->mem_upper = 64 * 1024;
    return m;
}

static void mb1_cmdline(const char *text)
{
    mb1(MB1_CMDLINE)->cmdline = put_text(text);
    accepted(MULTIBOOT1_MAGIC);
}

static void mb1_modules(struct mb1_info *m, const struct mb1_module *list, u32 n)
{
    m->mods_count = n;
    m->mods_addr = LISTS;
    put(LISTS, list, n * sizeof(*list));
}

static void mb1_mmap(struct mb1_info *m, const struct mb1_range *list, u32 n)
{
    m->mmap_length = n * (u32)sizeof(*list);
    m->mmap_addr = LISTS;
    put(LISTS, list, n * sizeof(*list));
}

static void test_mb1_sizes_only(void **state)
{
    (void)state;
    mb1(0);
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(bi.protocol, BOOT_MULTIBOOT1);
    assert_int_equal(bi.nr_mem, 2);
    assert_mem(0, 0, 639 * KIB, BOOT_MEM_USABLE);
    assert_mem(1, MIB, 65 * MIB, BOOT_MEM_USABLE);
    assert_string_equal(bi.cmdline, "");
    mb1(0)->mem_lower = 100000; /* never reaches the video memory */
    accepted(MULTIBOOT1_MAGIC);
    assert_mem(0, 0, 640 * KIB, BOOT_MEM_USABLE);
}

static void test_mb1_cmdline(void **state)
{
    (void)state;
    mb1_cmdline("build/tollgate.elf console=vga x");
    assert_string_equal(bi.cmdline, "console=vga x");
    mb1_cmdline("tollgate.elf");
    assert_string_equal(bi.cmdline, "");
    mb1_cmdline("tollgate.elf ");
    assert_string_equal(bi.cmdline, "");
    mb1_cmdline("console=e9 x/y");
    assert_string_equal(bi.cmdline, "console=e9 x/y");
    mb1_cmdline("path=/a/b c");
    assert_string_equal(bi.cmdline, "path=/a/b c");
    mb1_cmdline("debug");
    assert_string_equal(bi.cmdline, "debug");
    mb1_cmdline("");
    assert_string_equal(bi.cmdline, "");
}

static void test_mb1_long_text(void **state)
{
    char text[BOOT_TEXT + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[BOOT_TEXT - 1] = 0;
    mb1_cmdline(text);
    assert_int_equal(strlen(bi.cmdline), BOOT_TEXT - 1);
    text[BOOT_TEXT - 1] = 'x';
    text[BOOT_TEXT] = 0;
    mb1(MB1_CMDLINE)->cmdline = put_text(text);
    refused(MULTIBOOT1_MAGIC, "a command line is too long");
    mb1(MB1_LOADER)->boot_loader_name = put_text(text);
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(strlen(bi.loader), sizeof(bi.loader) - 1);
}

static void test_mb1_modules(void **state)
{
    struct mb1_module list[] = {
        {MODULES, MODULES + 0x100, put_text("first a b"), 0},
        {MODULES + 0x100, MODULES + 0x100, 0, 0},
    };

    (void)state;
    mb1_modules(mb1(MB1_MODULES), list, 2);
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(bi.nr_modules, 2);
    assert_int_equal(bi.modules[0].end, MODULES + 0x100);
    assert_string_equal(bi.modules[0].cmdline, "first a b");
    assert_string_equal(bi.modules[1].cmdline, "");
}

static void mb1_refuses_module(u32 start, u32 end, const char *why)
{
    struct mb1_module list[] = {{MODULES, MODULES + 0x100, 0, 0}, {start, end, 0, 0}};

    mb1_modules(mb1(MB1_MODULES), list, 2);
    refused(MULTIBOOT1_MAGIC, why);
}

static void test_mb1_bad_modules(void **state)
{
    struct mb1_module many[BOOT_MAX_MODULES + 1] = {0};
    struct mb1_info *m;

    (void)state;
    mb1_refuses_module(MODULES + 0x300, MODULES + 0x200, "a module has a bad address");
    mb1_refuses_module(0, 0x100, "a module has a bad address");
    mb1_refuses_module(MODULES + 0xff, MODULES + 0x200, "two modules overlap");
    mb1_refuses_module(IMAGE - 0x1000, IMAGE + 1, "a module overlaps the image");
    mb1_refuses_module(0x1000, 0xfffff000, "a module overlaps the image");
    m = mb1(MB1_MODULES);
    mb1_modules(m, many, ARRAY_SIZE(many));
    refused(MULTIBOOT1_MAGIC, "too many modules");
    m->mods_count = 0xffffffff;
    refused(MULTIBOOT1_MAGIC, "too many modules");
    m->mods_count = 1;
    m->mods_addr = 0;
    refused(MULTIBOOT1_MAGIC, "the module list lies outside memory");
    m->mods_addr = 0xfffffff8;
    refused(MULTIBOOT1_MAGIC, "the module list lies outside memory");
}

static void test_mb1_map(void **state)
{
    const struct mb1_range list[] = {
        {20, 0x100000, 0x7f00000, 1}, {20, 0, 0x9fc00, 1}, {20, 0x9fc00, 0x400, 2},
        {20, 0x8000000, 0x1000, 77},  {20, 5 * GIB, 0, 1}, {20, 4 * GIB, 4 * GIB, 1},
        {20, 0x7ff0000, 0x10000, 3},
    };

    (void)state;
    mb1_mmap(mb1(MB1_MMAP), list, ARRAY_SIZE(list));
    accepted(MULTIBOOT1_MAGIC);
    check_promises();
    assert_int_equal(bi.nr_mem, 6);
    assert_mem(0, 0, 0x9fc00, BOOT_MEM_USABLE);
    assert_mem(1, 0x9fc00, 0xa0000, BOOT_MEM_RESERVED);
    assert_mem(2, 0x100000, 0x7ff0000, BOOT_MEM_USABLE);
    assert_mem(3, 0x7ff0000, 0x8000000, BOOT_MEM_ACPI_RECLAIM);
    assert_mem(4, 0x8000000, 0x8001000, BOOT_MEM_RESERVED);
    assert_mem(5, 4 * GIB, 8 * GIB, BOOT_MEM_USABLE);
}

static void test_mb1_bad_map(void **state)
{
    struct mb1_range list[] = {{20, 0, 0x1000, 1}, {20, 0x2000, 0x1000, 1}};
    struct mb1_info *m = mb1(MB1_MMAP);

    (void)state;
    mb1_mmap(m, list, 2);
    m->mmap_length -= 1;
    refused(MULTIBOOT1_MAGIC, "the memory map is cut off");
    m->mmap_length = 0;
    refused(MULTIBOOT1_MAGIC, "no memory map");
    m->mmap_length = 0xffffffff;
    refused(MULTIBOOT1_MAGIC, "the memory map is too long");
    list[0].size = 0;
    mb1_mmap(m, list, 2);
    refused(MULTIBOOT1_MAGIC, "a memory map entry is too small");
    list[0].size = 0xffffffff; /* the next entry lies beyond the end: the map ends here */
    mb1_mmap(m, list, 2);
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(bi.nr_mem, 1);
    list[0] = (struct mb1_range){20, UINT64_MAX - 10, 100, 1};
    mb1_mmap(m, list, 2);
    refused(MULTIBOOT1_MAGIC, "a memory range wraps around");
    m->mmap_addr = 16;
    refused(MULTIBOOT1_MAGIC, "the memory map is cut off");
}

static void mb1_many_ranges(u32 n)
{
    struct mb1_range *list = calloc(n, sizeof(*list));
    u32 i;

    for (i = 0; i < n; i++)
        list[i] = (struct mb1_range){20, i * 0x2000ull, 0x1000, 1};
    mb1_mmap(mb1(MB1_MMAP), list, n);
    free(list);
}

static void test_mb1_many_ranges(void **state)
{
    (void)state;
    mb1_many_ranges(BOOT_MAX_MEM);
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(bi.nr_mem, BOOT_MAX_MEM);
    mb1_many_ranges(BOOT_MAX_MEM + 1);
    refused(MULTIBOOT1_MAGIC, "too many memory ranges");
    mb1_many_ranges(MULTIBOOT_MAX_RANGES + 1);
    refused(MULTIBOOT1_MAGIC, "too many memory ranges");
}

static void test_mb1_framebuffer(void **state)
{
    struct mb1_framebuffer fb = {.addr = 0xfd000000, .pitch = 3200, .width = 800, .bpp = 32};

    (void)state;
    mb1(MB1_FRAMEBUFFER);
    put(INFO + MB1_FRAMEBUFFER_OFFSET, &fb, sizeof(fb));
    accepted(MULTIBOOT1_MAGIC);
    assert_int_equal(bi.fb.addr, 0xfd000000);
    assert_int_equal(bi.fb.width, 800);
    assert_false(bi.fb.text);
    fb.type = 2;
    put(INFO + MB1_FRAMEBUFFER_OFFSET, &fb, sizeof(fb));
    accepted(MULTIBOOT1_MAGIC);
    assert_true(bi.fb.text);
}

static void test_bad_start(void **state)
{
    static const char outside[] = "the information lies outside memory";

    (void)state;
    assert_string_equal(multiboot_parse(0, INFO, &bi), "not started by a multiboot loader");
    assert_string_equal(multiboot_parse(MULTIBOOT1_MAGIC, 0, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT1_MAGIC, 0xffc, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT1_MAGIC, 0xfffffffc, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT1_MAGIC, INFO + 2, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT1_MAGIC, IMAGE - 4, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT2_MAGIC, 0, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT2_MAGIC, INFO + 4, &bi), outside);
    assert_string_equal(multiboot_parse(MULTIBOOT2_MAGIC, 0xfffffffc, &bi), outside);
    put(INFO, NULL, sizeof(struct mb1_info));
    refused(MULTIBOOT1_MAGIC, "no memory map");
    refused(MULTIBOOT2_MAGIC, "the tags have no end");
}

/* Multiboot 2 */

static u64 mb2_at;

static void mb2_begin(void)
{
    put(INFO, NULL, 8);
    mb2_at = INFO + 8;
}

/* Appends a tag; size is that of the payload. */
static u32 *mb2_tag(u32 type, const void *payload, size_t size)
{
    u32 *tag = put(mb2_at, NULL, 8);

    tag[0] = type;
    tag[1] = (u32)size + 8;
    put(mb2_at + 8, payload, size);
    mb2_at = ALIGN_UP(mb2_at + 8 + size, 8);
    *(u32 *)INFO = (u32)(mb2_at - INFO);
    return tag;
}

static void mb2_end(void)
{
    mb2_tag(MB2_TAG_END, "", 0);
}

static void mb2_memory(void)
{
    static const u32 sizes[] = {640, 1024};

    mb2_tag(MB2_TAG_MEMORY, sizes, sizeof(sizes));
}

static void mb2_module(u32 start, u32 end, const char *text, size_t size)
{
    char payload[64];
    u32 addresses[] = {start, end};

    memcpy(payload, addresses, 8);
    memcpy(payload + 8, text, size);
    mb2_tag(MB2_TAG_MODULE, payload, 8 + size);
}

static void mb2_full(void)
{
    const struct {
        u32 entry_size, version;
        struct mb2_range list[2];
    } map = {24, 0, {{MIB, 63 * MIB, 1, 0}, {0, 0x9f000, 1, 0}}};
    const struct {
        u64 addr;
        u32 pitch, width, height;
        u8 bpp, type, rest[10];
    } fb = {0xc0000000, 4096, 1024, 768, 32, 1, {0}};

    mb2_begin();
    mb2_tag(MB2_TAG_CMDLINE, "a b=c", 6);
    mb2_tag(MB2_TAG_LOADER, "GRUB", 5);
    mb2_tag(MB2_TAG_ACPI_NEW, "RSD PTR new new new new new new new", 36);
    mb2_tag(MB2_TAG_ACPI_OLD, "RSD PTR old old old", 20);
    mb2_memory();
    mb2_tag(MB2_TAG_MMAP, &map, sizeof(map));
    mb2_tag(MB2_TAG_FRAMEBUFFER, &fb, 24);
    mb2_tag(MB2_TAG_EFI64, "12345678", 8);
    mb2_module(MODULES, MODULES + 5, "mod x", 6);
    mb2_tag(99, "unknown", 7);
    mb2_end();
}

static void test_mb2_full(void **state)
{
    (void)state;
    mb2_full();
    accepted(MULTIBOOT2_MAGIC);
    check_promises();
    assert_int_equal(bi.protocol, BOOT_MULTIBOOT2);
    assert_string_equal(bi.cmdline, "a b=c");
    assert_string_equal(bi.loader, "GRUB");
    assert_int_equal(bi.nr_mem, 2);
    assert_mem(1, MIB, 64 * MIB, BOOT_MEM_USABLE);
    assert_int_equal(bi.nr_modules, 1);
    assert_string_equal(bi.modules[0].cmdline, "mod x");
    assert_true(bi.uefi);
    assert_int_equal(bi.fb.addr, 0xc0000000);
    assert_int_equal(bi.fb.height, 768);
    assert_memory_equal((void *)bi.rsdp, "RSD PTR new", 11);
    put(INFO, NULL, mb2_at - INFO); /* all of it has been copied */
    assert_memory_equal((void *)bi.rsdp, "RSD PTR new", 11);
}

static void test_mb2_sizes_only(void **state)
{
    (void)state;
    mb2_begin();
    mb2_memory();
    mb2_tag(MB2_TAG_ACPI_OLD, "RSD PTR old old old", 20);
    mb2_end();
    accepted(MULTIBOOT2_MAGIC);
    assert_mem(1, MIB, 2 * MIB, BOOT_MEM_USABLE);
    assert_memory_equal((void *)bi.rsdp, "RSD PTR old", 11);
    assert_false(bi.uefi);
}

static void mb2_refuses_tag(u32 type, const void *payload, size_t size, const char *why)
{
    mb2_begin();
    mb2_memory();
    mb2_tag(type, payload, size);
    mb2_end();
    refused(MULTIBOOT2_MAGIC, why);
}

static void test_mb2_bad_tags(void **state)
{
    const u32 small_entries[6] = {16, 0}, cut[7] = {24, 0}, zero[6] = {0, 0};
    const u32 module[2] = {MODULES, MODULES};

    (void)state;
    mb2_refuses_tag(MB2_TAG_CMDLINE, "abcd", 4, "a command line has no end");
    mb2_refuses_tag(MB2_TAG_CMDLINE, "", 0, "a command line has no end");
    mb2_refuses_tag(MB2_TAG_MODULE, "1234", 4, too_small);
    mb2_refuses_tag(MB2_TAG_MODULE, "\0\0\0\0\0\0\0", 8, "a module has a bad address");
    mb2_refuses_tag(MB2_TAG_MODULE, module, 8, "a command line has no end");
    mb2_refuses_tag(MB2_TAG_MEMORY, "1234", 4, too_small);
    mb2_refuses_tag(MB2_TAG_MMAP, "1234", 4, too_small);
    mb2_refuses_tag(MB2_TAG_MMAP, small_entries, 24, "a memory map entry is too small");
    mb2_refuses_tag(MB2_TAG_MMAP, zero, 24, "a memory map entry is too small");
    mb2_refuses_tag(MB2_TAG_MMAP, cut, 28, "the memory map is cut off");
    mb2_refuses_tag(MB2_TAG_FRAMEBUFFER, "1234", 4, too_small);
    mb2_refuses_tag(MB2_TAG_ACPI_OLD, "RSD PTR", 8, too_small);
    mb2_refuses_tag(MB2_TAG_ACPI_NEW, "RSD PTR old old old", 20, too_small);
    mb2_refuses_tag(MB2_TAG_EFI_SERVICES, "", 0, "EFI boot services still run");
}

static void test_mb2_bad_sizes(void **state)
{
    u32 *tag;

    (void)state;
    mb2_begin();
    mb2_memory();
    tag = mb2_tag(99, "1234", 4);
    mb2_end();
    tag[1] = 0;
    refused(MULTIBOOT2_MAGIC, "a tag has a bad size");
    tag[1] = 7;
    refused(MULTIBOOT2_MAGIC, "a tag has a bad size");
    tag[1] = 0xffffffff;
    refused(MULTIBOOT2_MAGIC, "a tag has a bad size");
    tag[1] = 12;
    accepted(MULTIBOOT2_MAGIC);
    *(u32 *)INFO -= 8; /* without the end tag */
    refused(MULTIBOOT2_MAGIC, "the tags have no end");
    *(u32 *)INFO = 0xffffffff;
    refused(MULTIBOOT2_MAGIC, "the information is too long");
    *(u32 *)INFO = 4;
    refused(MULTIBOOT2_MAGIC, "the tags have no end");
}

static void test_mb2_too_many_modules(void **state)
{
    u32 i;

    (void)state;
    mb2_begin();
    mb2_memory();
    for (i = 0; i <= BOOT_MAX_MODULES; i++)
        mb2_module(MODULES + i * 16, MODULES + i * 16 + 16, "m", 2);
    mb2_end();
    refused(MULTIBOOT2_MAGIC, "too many modules");
}

/* Damaged in a few random bytes, it is refused or keeps the promises; it never reads beyond. */
static void test_mb2_damaged(void **state)
{
    u32 round, hits, ok = 0;

    (void)state;
    srand(1);
    for (round = 0; round < 20000; round++) {
        mb2_full();
        __asan_unpoison_memory_region((void *)INFO, mb2_at - INFO);
        for (hits = 1 + rand() % 4; hits; hits--)
            ((u8 *)INFO)[8 + rand() % (mb2_at - INFO - 8)] ^= 1 << rand() % 8;
        if (multiboot_parse(MULTIBOOT2_MAGIC, INFO, &bi) == NULL) {
            ok++;
            check_promises();
        }
    }
    assert_in_range(ok, 1000, 19000); /* both happen */
}

static void test_map_damaged(void **state)
{
    struct mb1_range list[20];
    u32 round, i;

    (void)state;
    srand(2);
    for (round = 0; round < 5000; round++) {
        for (i = 0; i < ARRAY_SIZE(list); i++)
            list[i] = (struct mb1_range){20, (u64)(rand() % 64) << 12, (u64)(rand() % 16) << 12,
                                         (u32)rand() % 7};
        mb1_mmap(mb1(MB1_MMAP), list, ARRAY_SIZE(list));
        accepted(MULTIBOOT1_MAGIC);
        check_promises();
    }
}

static const char *option(const char *cmdline, const char *key)
{
    static char buf[8];

    strcpy(bi.cmdline, cmdline);
    memset(buf, '#', sizeof(buf));
    return boot_option(&bi, key, buf, sizeof(buf));
}

static void test_options(void **state)
{
    (void)state;
    assert_string_equal(option("a=1 b=2", "a"), "1");
    assert_string_equal(option("a=1 b=2", "b"), "2");
    assert_string_equal(option("  x\tb= y", "b"), "");
    assert_string_equal(option("x", "x"), "");
    assert_string_equal(option("a=1=2", "a"), "1=2");
    assert_string_equal(option("a=12345678", "a"), "1234567");
    assert_string_equal(option("ab=1 a=2", "a"), "2");
    assert_string_equal(option("a=first a=second", "a"), "first");
    assert_null(option("ab=1 ba", "a"));
    assert_null(option("b=a", "a"));
    assert_null(option("", "a"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mb1_sizes_only), TEST(test_mb1_cmdline),     TEST(test_mb1_long_text),
        TEST(test_mb1_modules),    TEST(test_mb1_bad_modules), TEST(test_mb1_map),
        TEST(test_mb1_bad_map),    TEST(test_mb1_many_ranges), TEST(test_mb1_framebuffer),
        TEST(test_bad_start),      TEST(test_mb2_full),        TEST(test_mb2_sizes_only),
        TEST(test_mb2_bad_tags),   TEST(test_mb2_bad_sizes),   TEST(test_mb2_too_many_modules),
        TEST(test_mb2_damaged),    TEST(test_map_damaged),     TEST(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
