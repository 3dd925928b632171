/* SPDX-License-Identifier: MIT */
/*
 * Guest page walks in every paging mode; entries not present, tables outside memory or untouched,
 * reads over page ends.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/walk.c"

#define P (PTE_P | PTE_RW)

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    return 0;
}

static void expect(gva_t gva, gpa_t gpa, u32 levels)
{
    struct walk w;

    assert_int_equal(walk_gva(&fake_vcpu, gva, &w), 0);
    assert_int_equal(w.gpa, gpa);
    assert_int_equal(w.levels, levels);
    for (u32 i = 0; i < levels; i++)
        assert_int_equal(*w.entry[i], w.value[i]);
}

static void expect_fault(gva_t gva)
{
    struct walk w;

    assert_int_equal(walk_gva(&fake_vcpu, gva, &w), -HV_EFAULT);
}

static void unpaged(void **state)
{
    (void)state;
    fake_regs[VREG_CR0] = CR0_PE;
    fake_regs[VREG_EFER] = 0;
    expect(0x1234, 0x1234, 0);
    expect(0xfffffff0, 0xfffffff0, 0);
    expect(0x123456789abcull, 0x56789abc, 0);
}

static void four_levels(void **state)
{
    gva_t gva = 1ull << 39 | 2ull << 30 | 3ull << 21 | 4ull << 12 | 0x567;

    (void)state;
    fake_regs[VREG_CR3] = 0x1000 | 0xfff; /* PCID, PWT, PCD do not count */
    fake_table(0x1000)[1] = 0x2000 | P;
    fake_table(0x2000)[2] = 0x3000 | P;
    fake_table(0x3000)[3] = 0x4000 | P;
    fake_table(0x4000)[4] = 0x000abcdef0123000ull | P | PTE_NX | PTE_G | PTE_PS;
    expect(gva, 0x000abcdef0123567ull, 4);
    expect_fault(gva + PAGE_SIZE);
    expect_fault(gva + (1ull << 21));
    expect_fault(gva + (1ull << 30));
    expect_fault(gva + (1ull << 39));
}

static void the_upper_half(void **state)
{
    (void)state;
    fake_regs[VREG_CR3] = 0x1000;
    fake_table(0x1000)[511] = 0x2000 | P;
    fake_table(0x2000)[510] = 0x40000000 | P | PTE_PS;
    expect(0xffffffff80123456ull, 0x40123456, 2);
}

static void large_pages(void **state)
{
    (void)state;
    fake_map_low();
    /* Bit 12 of a large entry is PAT, the other low address bits are reserved: none is address. */
    fake_table(0x2000)[1] = 0x80000000ull | P | PTE_PS | BIT64(12);
    fake_table(0x3000)[7] = 0x12345600000ull | P | PTE_PS | BIT64(12);
    expect(0x40000000ull + 0x3fffffff, 0xbfffffff, 2);
    expect(7ull << 21 | 0x1fffff, 0x123457fffffull, 3);
}

/* PS in a PML4 entry is reserved, not a size. */
static void no_512_gib_pages(void **state)
{
    (void)state;
    fake_map_low();
    fake_table(0x1000)[0] |= PTE_PS;
    expect(0x5123, 0x5123, 4);
}

static void five_levels(void **state)
{
    gva_t gva = 5ull << 48 | 1ull << 39 | 2ull << 30 | 3ull << 21 | 4ull << 12 | 9;

    (void)state;
    fake_regs[VREG_CR3] = 0x5000;
    fake_regs[VREG_CR4] = CR4_PAE | CR4_LA57;
    fake_table(0x5000)[5] = 0x1000 | P;
    fake_table(0x1000)[1] = 0x2000 | P;
    fake_table(0x2000)[2] = 0x3000 | P;
    fake_table(0x3000)[3] = 0x4000 | P;
    fake_table(0x4000)[4] = 0x7000 | P;
    expect(gva, 0x7009, 5);
    expect_fault(gva + (1ull << 48));
    fake_regs[VREG_CR4] = CR4_PAE;
    expect_fault(gva);
}

static void pae(void **state)
{
    (void)state;
    fake_regs[VREG_EFER] = EFER_NXE;
    fake_regs[VREG_CR3] = 0x1020 | 0x1f; /* 32-byte aligned */
    fake_table(0x1020)[2] = 0x2000 | PTE_P;
    fake_table(0x2000)[5] = 0x3000 | P;
    fake_table(0x3000)[6] = 0xf00007000ull | P | PTE_NX;
    fake_table(0x2000)[8] = 0xe00200000ull | P | PTE_PS;
    expect(2ull << 30 | 5ull << 21 | 6ull << 12 | 0xabc, 0xf00007abcull, 3);
    expect(2ull << 30 | 8ull << 21 | 0x1abcde, 0xe003abcdeull, 2);
    expect(0xffffffff00000000ull | 2ull << 30 | 5ull << 21 | 6ull << 12, 0xf00007000ull, 3);
    expect_fault(1ull << 30);
    expect_fault(2ull << 30 | 5ull << 21 | 7ull << 12);
}

static void legacy_32_bit(void **state)
{
    u32 *pd = (u32 *)(fake_ram + 0x1000), *pt = (u32 *)(fake_ram + 0x2000);

    (void)state;
    fake_regs[VREG_EFER] = 0;
    fake_regs[VREG_CR4] = 0;
    fake_regs[VREG_CR3] = 0x1fff; /* low bits do not count */
    pd[1023] = 0x2000 | 3;
    pt[1022] = 0xfedcb000 | 3;
    pd[4] = 0x2000 | 3 | (u32)PTE_PS; /* without CR4.PSE an ordinary entry */
    expect(1023u << 22 | 1022u << 12 | 0x321, 0xfedcb321, 0);
    expect(4u << 22 | 1022u << 12, 0xfedcb000, 0);
    expect(0xabcd00000000ull | 4u << 22 | 1022u << 12, 0xfedcb000, 0);
    expect_fault(1023u << 22 | 1021u << 12);
    expect_fault(5u << 22);
}

static void pse_36(void **state)
{
    u32 *pd = (u32 *)(fake_ram + 0x1000);

    (void)state;
    fake_regs[VREG_EFER] = 0;
    fake_regs[VREG_CR4] = CR4_PSE;
    fake_regs[VREG_CR3] = 0x1000;
    pd[3] = 0x0fc00000u | 0xffu << 13 | 0x1000 | (u32)(PTE_P | PTE_PS);
    expect(3u << 22 | 0x3fffff, 0xff0fffffffull, 0);
    pd[3] = 0x40000000u | (u32)(PTE_P | PTE_PS);
    expect(3u << 22 | 0x12345, 0x40012345, 0);
}

/* A table outside memory, and one in memory that was never touched (so it holds zeros). */
static void tables_out_of_reach(void **state)
{
    (void)state;
    fake_map_low();
    expect(0x5000, 0x5000, 4);
    fake_untouched[4] = true;
    expect_fault(0x5000);
    fake_untouched[4] = false;
    fake_table(0x3000)[0] = FAKE_RAM | P;
    expect_fault(0x5000);
    fake_table(0x3000)[0] = PTE_ADDR | P;
    expect_fault(0x5000);
    fake_regs[VREG_CR3] = 1ull << 51;
    expect_fault(0x5000);
    fake_regs[VREG_EFER] = 0;
    expect_fault(0x5000);
    fake_regs[VREG_CR4] = 0;
    fake_regs[VREG_CR3] = 0xfffff000;
    expect_fault(0x5000);
}

/* Every table is its own page directory: the walk ends all the same. */
static void recursive_tables(void **state)
{
    (void)state;
    fake_regs[VREG_CR3] = 0x1000;
    fake_table(0x1000)[511] = 0x1000 | P;
    expect(~0ull, 0x1fff, 4);
    expect(0xfffffffffffff000ull, 0x1000, 4);
}

static void reads_cross_pages(void **state)
{
    u8 got[15];

    (void)state;
    fake_map_low();
    fake_table(0x4000)[0x10] = 0x20000 | P;
    fake_table(0x4000)[0x11] = 0x15000 | P;
    for (u32 i = 0; i < 15; i++) {
        fake_ram[0x20ff8 + (i < 8 ? i : 0)] = (u8)i;
        if (i >= 8)
            fake_ram[0x15000 + i - 8] = (u8)i;
    }
    fake_ram[0x20ff8] = 0;
    assert_int_equal(walk_read(&fake_vcpu, 0x10ff8, got, 15), 15);
    for (u32 i = 0; i < 15; i++)
        assert_int_equal(got[i], i);
    fake_table(0x4000)[0x11] = 0;
    assert_int_equal(walk_read(&fake_vcpu, 0x10ff8, got, 15), 8);
    assert_int_equal(walk_read(&fake_vcpu, 0x10fff, got, 15), 1);
    assert_int_equal(walk_read(&fake_vcpu, 0x11000, got, 15), 0);
    fake_table(0x4000)[0x11] = FAKE_RAM | P; /* mapped, but no memory */
    assert_int_equal(walk_read(&fake_vcpu, 0x10ff8, got, 15), 8);
    assert_int_equal(walk_read(&fake_vcpu, 0x10ff8, got, 0), 0);
}

/* Outside long mode the next page after 4 GiB is page 0. */
static void reads_wrap_at_4_gib(void **state)
{
    u32 *pd = (u32 *)(fake_ram + 0x1000), *pt = (u32 *)(fake_ram + 0x2000);
    u8 got[4];

    (void)state;
    fake_regs[VREG_EFER] = 0;
    fake_regs[VREG_CR4] = 0;
    fake_regs[VREG_CR3] = 0x1000;
    pd[1023] = pd[0] = 0x2003;
    pt[1023] = 0x5003;
    pt[0] = 0x6003;
    memcpy(fake_ram + 0x5ffe, "\x11\x22", 2);
    memcpy(fake_ram + 0x6000, "\x33\x44", 2);
    assert_int_equal(walk_read(&fake_vcpu, 0xfffffffe, got, 4), 4);
    assert_memory_equal(got, "\x11\x22\x33\x44", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unpaged, setup),
        cmocka_unit_test_setup(four_levels, setup),
        cmocka_unit_test_setup(the_upper_half, setup),
        cmocka_unit_test_setup(large_pages, setup),
        cmocka_unit_test_setup(no_512_gib_pages, setup),
        cmocka_unit_test_setup(five_levels, setup),
        cmocka_unit_test_setup(pae, setup),
        cmocka_unit_test_setup(legacy_32_bit, setup),
        cmocka_unit_test_setup(pse_36, setup),
        cmocka_unit_test_setup(tables_out_of_reach, setup),
        cmocka_unit_test_setup(recursive_tables, setup),
        cmocka_unit_test_setup(reads_cross_pages, setup),
        cmocka_unit_test_setup(reads_wrap_at_4_gib, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
