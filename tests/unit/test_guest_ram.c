/* SPDX-License-Identifier: MIT */
/*
 * Guest-physical memory: first touches from the pool and zeroed in line, larger pages, host memory
 * that runs out, copies over page ends and holes, and that all of it is given back.
 */
#include "tests/unit/fake_insn.h"

#include "hv/vm/config.c"
#include "hv/vm/memory.c"

#include "tests/unit/cmocka_all.h"

static struct vm vm;
static u32 pages_out, pool, maps;
static bool map_fails;
static u64 host_bytes_left;
static u8 *arena; /* 64 MiB, aligned to 2 MiB */

#define ARENA (64 * MIB)

static u64 arena_used;

static hpa_t arena_take(u64 bytes)
{
    u64 at = ALIGN_UP(arena_used, bytes);

    if (bytes > host_bytes_left || at + bytes > ARENA)
        return 0;
    arena_used = at + bytes;
    host_bytes_left -= bytes;
    pages_out += (u32)(bytes >> PAGE_SHIFT);
    memset(arena + at, 0xff, bytes);
    return (hpa_t)(arena + at);
}

hpa_t page_pool_take_zeroed(void)
{
    hpa_t page = pool ? arena_take(PAGE_SIZE) : 0;

    if (page) {
        pool--;
        memset((void *)page, 0, PAGE_SIZE);
    }
    return page;
}

hpa_t page_pool_take(void)
{
    return arena_take(PAGE_SIZE);
}

hpa_t mem_alloc(u32 order, u32 node)
{
    (void)node;
    return arena_take(PAGE_SIZE << order);
}

void mem_split(hpa_t pa, u32 order)
{
    (void)pa;
    assert_int_equal(order, MEM_ORDER_2M);
}

void mem_free(hpa_t pa, u32 order)
{
    assert_true(pa >= (hpa_t)arena && pa < (hpa_t)arena + ARENA);
    pages_out -= 1u << order;
}

void *mem_zalloc(size_t bytes, u32 node)
{
    (void)node;
    return host_bytes_left < bytes ? NULL : calloc(1, bytes);
}

void mem_zfree(void *p, size_t bytes)
{
    (void)bytes;
    free(p);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static int map(struct vm *v, gpa_t gpa, hpa_t hpa, u32 order)
{
    (void)v;
    (void)gpa;
    assert_int_equal((hpa - (hpa_t)arena) & ((PAGE_SIZE << order) - 1), 0);
    /* Nothing of the host's may show through. */
    for (u64 i = 0; i < PAGE_SIZE << order; i += 64)
        assert_int_equal(*(u64 *)(hpa + i), 0);
    if (map_fails)
        return -HV_ENOMEM;
    maps++;
    return 0;
}

static const struct backend fake = {.map = map};
const struct backend *backend = &fake;

static int make(u64 memory)
{
    memset(&vm, 0, sizeof(vm));
    vm_config_default(&vm.config);
    vm.config.memory = memory;
    vm.nr_vcpus = 1;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    if (!arena)
        arena = aligned_alloc(2 * MIB, ARENA);
    arena_used = pages_out = maps = 0;
    pool = 1000;
    map_fails = false;
    host_bytes_left = ARENA;
    make(16 * MIB);
    return vm_memory_init(&vm);
}

static int teardown(void **state)
{
    (void)state;
    vm_memory_destroy(&vm);
    return pages_out ? 1 : 0;
}

static void touches(void **state)
{
    bool zeroed = true;

    (void)state;
    assert_null(vm_memory_peek(&vm, 0x5123));
    assert_int_equal(vm_memory_fill(&vm, 0x5123, &zeroed), 0);
    assert_false(zeroed);
    assert_non_null(vm_memory_peek(&vm, 0x5fff));
    assert_null(vm_memory_peek(&vm, 0x6000));
    assert_int_equal(vm_memory_fill(&vm, 0x5000, &zeroed), 0); /* again: nothing to do */
    assert_int_equal(maps, 1);
    assert_int_equal(vm.memory.pages, 1);
    assert_int_equal(vm.memory.fills, 1);
    pool = 0;
    assert_int_equal(vm_memory_fill(&vm, 0x6000, &zeroed), 0);
    assert_true(zeroed);
    assert_int_equal(vm.memory.fills, 1);
    pool = 1;
    vm.memory.zero_inline = true;
    assert_int_equal(vm_memory_fill(&vm, 0x7000, &zeroed), 0);
    assert_true(zeroed);
    assert_int_equal(pool, 1);
}

static void holes(void **state)
{
    bool zeroed;

    (void)state;
    assert_int_equal(vm_memory_fill(&vm, 16 * MIB, &zeroed), -HV_EFAULT);
    assert_int_equal(vm_memory_fill(&vm, ~0ull, &zeroed), -HV_EFAULT);
    assert_int_equal(vm_memory_fill(&vm, VM_HIGH_BASE, &zeroed), -HV_EFAULT);
    assert_null(vm_memory_at(&vm, 16 * MIB));
    assert_non_null(vm_memory_at(&vm, 16 * MIB - 1));
    assert_int_equal(maps, 1);
}

static void two_ranges(void **state)
{
    bool zeroed;

    (void)state;
    vm_memory_destroy(&vm);
    make(VM_LOW_TOP + 2 * MIB);
    assert_int_equal(vm_memory_init(&vm), 0);
    assert_int_equal(vm_memory_fill(&vm, VM_LOW_TOP - 1, &zeroed), 0);
    assert_int_equal(vm_memory_fill(&vm, VM_LOW_TOP, &zeroed), -HV_EFAULT);
    assert_int_equal(vm_memory_fill(&vm, VM_HIGH_BASE - 1, &zeroed), -HV_EFAULT);
    assert_int_equal(vm_memory_fill(&vm, VM_HIGH_BASE + 2 * MIB - 1, &zeroed), 0);
    assert_int_equal(vm_memory_fill(&vm, VM_HIGH_BASE + 2 * MIB, &zeroed), -HV_EFAULT);
}

static void large_pages(void **state)
{
    bool zeroed;

    (void)state;
    vm.config.page = VM_PAGE_2M;
    assert_int_equal(vm_memory_fill(&vm, 2 * MIB + 0x1234, &zeroed), 0);
    assert_int_equal(vm.memory.pages, 512);
    assert_int_equal(maps, 1);
    assert_ptr_equal(vm_memory_peek(&vm, 4 * MIB - 1),
                     (u8 *)vm_memory_peek(&vm, 2 * MIB) + 2 * MIB - 1);
    assert_null(vm_memory_peek(&vm, 4 * MIB));
    assert_int_equal(vm_memory_fill(&vm, 3 * MIB, &zeroed), 0);
    assert_int_equal(maps, 1);
    /* A block with one page in it already goes on in small pages. */
    vm.config.page = VM_PAGE_4K;
    assert_int_equal(vm_memory_fill(&vm, 6 * MIB, &zeroed), 0);
    vm.config.page = VM_PAGE_1G; /* more than the VM has: the next smaller */
    assert_int_equal(vm_memory_fill(&vm, 6 * MIB + PAGE_SIZE, &zeroed), 0);
    assert_int_equal(vm.memory.pages, 514);
    assert_int_equal(vm_memory_fill(&vm, 8 * MIB, &zeroed), 0);
    assert_int_equal(vm.memory.pages, 514 + 512);
}

static void large_pages_that_do_not_fit(void **state)
{
    bool zeroed;

    (void)state;
    vm_memory_destroy(&vm);
    make(3 * MIB);
    vm.config.page = VM_PAGE_2M;
    assert_int_equal(vm_memory_init(&vm), 0);
    assert_int_equal(vm_memory_fill(&vm, 2 * MIB, &zeroed), 0); /* the block passes the end */
    assert_int_equal(vm.memory.pages, 1);
}

static void no_large_block_left(void **state)
{
    bool zeroed;

    (void)state;
    vm.config.page = VM_PAGE_2M;
    host_bytes_left = 2 * MIB - PAGE_SIZE;
    assert_int_equal(vm_memory_fill(&vm, 0, &zeroed), 0);
    assert_int_equal(vm.memory.pages, 1);
}

static void the_host_runs_out(void **state)
{
    bool zeroed;

    (void)state;
    host_bytes_left = 2 * PAGE_SIZE;
    assert_int_equal(vm_memory_fill(&vm, 0, &zeroed), 0);
    assert_int_equal(vm_memory_fill(&vm, 0x1000, &zeroed), 0);
    assert_int_equal(vm_memory_fill(&vm, 0x2000, &zeroed), -HV_ENOMEM);
    assert_null(vm_memory_at(&vm, 0x2000));
    assert_int_equal(vm.memory.pages, 2);
    assert_int_equal(vm_memory_zero(&vm, 0x1800, 0x1000), -HV_ENOMEM);
    assert_int_equal(vm_memory_fill(&vm, 0, &zeroed), 0);
}

/* No nested table could be had: the page goes back. */
static void mapping_fails(void **state)
{
    bool zeroed;

    (void)state;
    map_fails = true;
    assert_int_equal(vm_memory_fill(&vm, 0, &zeroed), -HV_ENOMEM);
    assert_int_equal(pages_out, 0);
    vm.config.page = VM_PAGE_2M;
    assert_int_equal(vm_memory_fill(&vm, 0, &zeroed), -HV_ENOMEM);
    assert_int_equal(pages_out, 0);
    assert_null(vm_memory_peek(&vm, 0));
    assert_int_equal(vm.memory.pages, 0);
}

static void filled_at_start(void **state)
{
    (void)state;
    vm_memory_destroy(&vm);
    make(6 * MIB);
    vm.config.fill = VM_FILL_BOOT;
    vm.config.page = VM_PAGE_2M;
    assert_int_equal(vm_memory_init(&vm), 0);
    assert_int_equal(maps, 3);
    assert_int_equal(vm.memory.pages, 6 * MIB / PAGE_SIZE);
    vm_memory_destroy(&vm);
    make(6 * MIB);
    vm.config.fill = VM_FILL_BOOT;
    host_bytes_left = 5 * MIB;
    assert_int_equal(vm_memory_init(&vm), -HV_ENOMEM);
}

static void copies_cross_pages(void **state)
{
    static u8 in[3 * PAGE_SIZE], out[3 * PAGE_SIZE];

    (void)state;
    for (u32 i = 0; i < sizeof(in); i++)
        in[i] = (u8)(i * 7 + i / 256);
    assert_int_equal(vm_memory_write(&vm, 0x4ff1, in, sizeof(in)), 0);
    assert_int_equal(vm.memory.pages, 4);
    assert_int_equal(vm_memory_read(&vm, 0x4ff1, out, sizeof(out)), 0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(vm_memory_zero(&vm, 0x5ff0, 0x20), 0);
    assert_int_equal(vm_memory_read(&vm, 0x5fef, out, 0x22), 0);
    assert_int_equal(out[0], in[0x5fef - 0x4ff1]);
    for (u32 i = 1; i <= 0x20; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(out[0x21], in[0x6010 - 0x4ff1]);
    assert_int_equal(vm_memory_write(&vm, 16 * MIB - 2, in, 3), -HV_EFAULT);
    assert_int_equal(vm_memory_write(&vm, 0, in, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(touches, setup, teardown),
        cmocka_unit_test_setup_teardown(holes, setup, teardown),
        cmocka_unit_test_setup_teardown(two_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(large_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(large_pages_that_do_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(no_large_block_left, setup, teardown),
        cmocka_unit_test_setup_teardown(the_host_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(mapping_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(filled_at_start, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_cross_pages, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(arena);
    return failed;
}
