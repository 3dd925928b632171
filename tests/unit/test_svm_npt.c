/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: every order, mixed, with and without 1 GiB pages; memory that runs out at
 * each level; nothing is lost when they are torn down.
 */
#include "tests/unit/fake_guest.h"

#include "svm/npt.c"

#define TABLES 64

static u8 *tables[TABLES];
static u32 table_count, table_limit, freed, pool;
static bool pool_dirty;

struct svm_caps svm_caps;

static hpa_t table_new(void)
{
    if (table_count == table_limit)
        return 0;
    tables[table_count] = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(tables[table_count], pool_dirty ? 0xff : 0, PAGE_SIZE);
    return (hpa_t)tables[table_count++];
}

hpa_t page_pool_take_zeroed(void)
{
    if (!pool)
        return 0;
    pool--;
    pool_dirty = false;
    return table_new();
}

hpa_t page_pool_take(void)
{
    pool_dirty = true;
    return table_new();
}

hpa_t mem_alloc(u32 order, u32 node)
{
    (void)node;
    assert_int_equal(order, MEM_ORDER_4K);
    pool_dirty = true;
    return table_new();
}

void mem_free(hpa_t pa, u32 order)
{
    assert_int_equal(order, MEM_ORDER_4K);
    for (u32 i = 0; i < table_count; i++)
        if (tables[i] == (u8 *)pa) {
            free(tables[i]);
            tables[i] = NULL;
            freed++;
            return;
        }
    fail_msg("freed what was never given: %#llx", (unsigned long long)pa);
}

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    memset(&svm_caps, 0, sizeof(svm_caps));
    table_count = freed = pool = 0;
    table_limit = TABLES;
    svm_caps.pages_1g = true;
    return npt_create(&fake_vm);
}

static int teardown(void **state)
{
    (void)state;
    npt_destroy(&fake_vm);
    npt_destroy(&fake_vm); /* again does nothing */
    return freed == table_count ? 0 : 1;
}

/* The walk as the processor does it: 0 when not present. */
static hpa_t lookup(gpa_t gpa, u32 *order)
{
    hpa_t table = fake_vm.nested_root;

    for (u32 level = 4; level; level--) {
        u64 entry = ((u64 *)table)[gpa >> (12 + 9 * (level - 1)) & 511];
        u64 mask = BIT64(12 + 9 * (level - 1)) - 1;

        if (!(entry & PTE_P))
            return 0;
        /* The processor walks as a user who writes. */
        assert_int_equal(entry & (PTE_RW | PTE_US | PTE_A), PTE_RW | PTE_US | PTE_A);
        assert_int_equal(entry & PTE_NX, 0);
        if (level == 1 || entry & PTE_PS) {
            assert_true(entry & PTE_D);
            assert_int_equal(entry & PTE_ADDR & mask, 0);
            *order = (level - 1) * 9;
            return (entry & PTE_ADDR) | (gpa & mask);
        }
        table = entry & PTE_ADDR;
    }
    return 0;
}

static void expect(gpa_t gpa, hpa_t hpa, u32 order)
{
    u32 got = ~0u;

    assert_int_equal(lookup(gpa, &got), hpa);
    if (hpa)
        assert_int_equal(got, order);
}

static void small_pages(void **state)
{
    (void)state;
    assert_int_equal(npt_map(&fake_vm, 0, 0x1000, MEM_ORDER_4K), 0);
    assert_int_equal(npt_map(&fake_vm, 0x1ff000, 0x7000, MEM_ORDER_4K), 0);
    assert_int_equal(npt_map(&fake_vm, 0x200000, 0x9000, MEM_ORDER_4K), 0);
    expect(0xabc, 0x1abc, 0);
    expect(0x1fffff, 0x7fff, 0);
    expect(0x200000, 0x9000, 0);
    expect(0x1000, 0, 0);
    expect(0x201000, 0, 0);
    assert_int_equal(table_count, 5); /* root, two levels, two tables */
}

static void large_pages(void **state)
{
    (void)state;
    assert_int_equal(npt_map(&fake_vm, 6 * MIB, 8 * MIB, MEM_ORDER_2M), 0);
    assert_int_equal(npt_map(&fake_vm, 5 * GIB, 2 * GIB, MEM_ORDER_1G), 0);
    assert_int_equal(npt_map(&fake_vm, 4 * MIB, 0x3000, MEM_ORDER_4K), 0);
    expect(6 * MIB + 0x123456, 8 * MIB + 0x123456, 9);
    expect(5 * GIB + 0x2345678, 2 * GIB + 0x2345678, 18);
    expect(4 * MIB, 0x3000, 0);
    expect(8 * MIB, 0, 0);
    expect(6 * GIB, 0, 0);
}

static void a_processor_without_1_gib_pages(void **state)
{
    (void)state;
    svm_caps.pages_1g = false;
    assert_int_equal(npt_map(&fake_vm, 4 * GIB, GIB, MEM_ORDER_1G), 0);
    for (u64 at = 0; at < GIB; at += 2 * MIB)
        expect(4 * GIB + at + 0x1234, GIB + at + 0x1234, 9);
    expect(5 * GIB, 0, 0);
    assert_int_equal(table_count, 3);
}

static void far_addresses(void **state)
{
    gpa_t top = BIT64(48) - PAGE_SIZE;

    (void)state;
    assert_int_equal(npt_map(&fake_vm, top, 0xffffffffff000ull, MEM_ORDER_4K), 0);
    expect(top + 0xfff, 0xfffffffffffffull, 0);
}

/* Tables that come unzeroed, when the pool is empty, hold nothing either. */
static void tables_are_empty(void **state)
{
    (void)state;
    pool = 2;
    assert_int_equal(npt_map(&fake_vm, GIB, 0x1000, MEM_ORDER_4K), 0);
    for (u64 at = PAGE_SIZE; at < 2 * MIB; at += PAGE_SIZE)
        expect(GIB + at, 0, 0);
    for (u64 at = 0; at < GIB; at += 2 * MIB)
        expect(at, 0, 0);
}

static void memory_runs_out_at_each_level(void **state)
{
    (void)state;
    for (u32 left = 0; left < 3; left++) {
        table_limit = table_count + left;
        assert_int_equal(npt_map(&fake_vm, 7 * BIT64(39) + left * GIB * 600, 0x1000, MEM_ORDER_4K),
                         -HV_ENOMEM);
        expect(7 * BIT64(39) + left * GIB * 600, 0, 0);
    }
    table_limit = TABLES;
    assert_int_equal(npt_map(&fake_vm, 7 * BIT64(39), 0x1000, MEM_ORDER_4K), 0);
    expect(7 * BIT64(39), 0x1000, 0);
}

static void split_gigabyte_fails_whole(void **state)
{
    u32 order;

    (void)state;
    svm_caps.pages_1g = false;
    table_limit = table_count + 1;
    assert_int_equal(npt_map(&fake_vm, GIB, GIB, MEM_ORDER_1G), -HV_ENOMEM);
    for (u64 at = 0; at < GIB; at += 2 * MIB)
        assert_int_equal(lookup(GIB + at, &order), 0);
}

static void no_memory_for_the_root(void **state)
{
    struct vm vm = {0};

    (void)state;
    table_limit = table_count;
    assert_int_equal(npt_create(&vm), -HV_ENOMEM);
    npt_destroy(&vm);
}

static void random_maps(void **state)
{
    static hpa_t model[4096]; /* of the first 8 MiB of two gigabytes, by page */
    (void)state;
    memset(model, 0, sizeof(model));
    for (u32 i = 0; i < 3000; i++) {
        u32 page = (u32)random_below(ARRAY_SIZE(model));
        gpa_t gpa = (page / 2048) * GIB + (page % 2048) * PAGE_SIZE;

        if (!model[page]) {
            model[page] = (1 + random_below(1u << 20)) << PAGE_SHIFT;
            assert_int_equal(npt_map(&fake_vm, gpa, model[page], MEM_ORDER_4K), 0);
        }
        page = (u32)random_below(ARRAY_SIZE(model));
        expect((page / 2048) * GIB + (page % 2048) * PAGE_SIZE, model[page], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(large_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_processor_without_1_gib_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(far_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_are_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_runs_out_at_each_level, setup, teardown),
        cmocka_unit_test_setup_teardown(split_gigabyte_fails_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_for_the_root, setup, teardown),
        cmocka_unit_test_setup_teardown(random_maps, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
