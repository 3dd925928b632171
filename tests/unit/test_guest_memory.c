/* SPDX-License-Identifier: MIT */
/*
 * The payloads' memory: what the loader left is cut out, the heap and the page takers never meet.
 */
#include "guest/crt/memory.c"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define START 0x200000ul
#define END   0x4000000ul

const char image_end[1];
const struct multiboot_info *multiboot_info;

const char *multiboot_cmdline(void)
{
    return "";
}

const struct multiboot_module *multiboot_module_get(uint32_t i)
{
    (void)i;
    return NULL;
}

static int setup(void **state)
{
    (void)state;
    heap_end = heap_peak = START;
    taken_start = END;
    return 0;
}

static void check_range(uintptr_t start, uintptr_t end)
{
    assert_int_equal(heap_end, start);
    assert_int_equal(taken_start, end);
}

static void cut_keeps_larger_rest(void **state)
{
    (void)state;
    memory_cut(START - 0x1000, 0x1000);
    memory_cut(END, 0x1000);
    check_range(START, END);
    memory_cut(START - 0x1000, 0x1001);
    check_range(START + 1, END);
    memory_cut(0x300000, 0x1000);
    check_range(0x301000, END);
    memory_cut(END - 0x1000, 0x2000);
    check_range(0x301000, END - 0x1000);
    memory_cut(END - 0x100000, 1);
    check_range(0x301000, END - 0x100000);
    memory_cut(0, END);
    assert_true(heap_end >= taken_start);
}

static void heap_and_pages_never_meet(void **state)
{
    size_t pages = memory_pages_left();
    uintptr_t start, end;

    (void)state;
    assert_int_equal(pages, (END - START - HEAP_RESERVE) / MEMORY_PAGE);
    assert_null(memory_take_pages(pages + 1));
    assert_ptr_equal(memory_take_pages(pages), (void *)(START + HEAP_RESERVE));
    assert_int_equal(memory_pages_left(), 0);
    assert_null(memory_heap_grow(HEAP_RESERVE + 1));
    assert_ptr_equal(memory_heap_grow(HEAP_RESERVE), (void *)START);
    assert_null(memory_heap_grow(1));
    assert_ptr_equal(memory_heap_grow(0), (void *)(START + HEAP_RESERVE));
    memory_untouched(&start, &end);
    assert_int_equal(start, end);
}

/* Memory that the heap gave back was touched all the same. */
static void shrunk_heap_stays_touched(void **state)
{
    uintptr_t start, end;

    (void)state;
    assert_non_null(memory_heap_grow(0x5001));
    assert_non_null(memory_heap_grow(-0x5001));
    memory_untouched(&start, &end);
    assert_int_equal(start, START + 0x6000);
    assert_int_equal(end, END);
    assert_int_equal(heap_end, START);
}

static void map_lookup(void **state)
{
    static const struct multiboot_mmap entries[] = {
        {20, 0, 0x9f000, 1},
        {20, 0x9f000, 0x61000, 2},
        {20, 0x100000, 0x1f00000, 1},
    };
    /* The loader's addresses have 32 bits. */
    void *low = mmap(NULL, sizeof(entries), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    struct multiboot_info info = {.flags = MULTIBOOT_INFO_MMAP, .mmap_length = sizeof(entries)};

    (void)state;
    assert_ptr_not_equal(low, MAP_FAILED);
    memcpy(low, entries, sizeof(entries));
    info.mmap_addr = (uint32_t)(uintptr_t)low;
    assert_int_equal(region_end(&info, 0x100000), 0x2000000);
    assert_int_equal(region_end(&info, 0x1ffffff), 0x2000000);
    assert_int_equal(region_end(&info, 0x2000000), 0);
    assert_int_equal(region_end(&info, 0xa0000), 0);
    info.flags = 0;
    assert_int_equal(region_end(&info, 0x100000), 0);
    munmap(low, sizeof(entries));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cut_keeps_larger_rest, setup),
        cmocka_unit_test_setup(heap_and_pages_never_meet, setup),
        cmocka_unit_test_setup(shrunk_heap_stays_touched, setup),
        cmocka_unit_test(map_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
