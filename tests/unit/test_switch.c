/* SPDX-License-Identifier: MIT */
/*
 * The part of the world switch that software does: in which order, with which XCR0, and that
 * nothing of the last owner stays.
 */
#include "tests/unit/fake_insn.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/cmocka_all.h"

static char trace[256];
static u64 fake_cr4, fake_dr[4];
static u32 pages;

static void note(const char *word, unsigned long long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%s:%llx ", word, value);
    strcat(trace, text);
}

static inline u64 insn_read_cr4(void)
{
    return fake_cr4;
}

static inline void insn_write_cr4(u64 value)
{
    fake_cr4 = value;
}

static inline void insn_xsave64(void *area, u64 mask)
{
    (void)area;
    assert_int_equal(mask, ~0ull);
    note("xsave", fake_xcr0);
}

static inline void insn_xrstor64(const void *area, u64 mask)
{
    (void)area;
    assert_int_equal(mask, ~0ull);
    note("xrstor", fake_xcr0);
}

static inline void insn_fxsave64(void *area)
{
    (void)area;
    note("fxsave", 0);
}

static inline void insn_fxrstor64(const void *area)
{
    (void)area;
    note("fxrstor", 0);
}

static inline void insn_x87_clear_pointers(void)
{
    note("clear", 0);
}

static inline void insn_read_dr0_3(u64 dr[4])
{
    memcpy(dr, fake_dr, sizeof(fake_dr));
}

static inline void insn_write_dr0_3(const u64 dr[4])
{
    memcpy(fake_dr, dr, sizeof(fake_dr));
}

#include "hv/vm/switch.c"

static u8 area[2 * PAGE_SIZE] __attribute__((aligned(64)));

void *mem_zalloc(size_t bytes, u32 node)
{
    (void)node;
    pages = (u32)bytes;
    memset(area, 0, sizeof(area));
    return bytes <= sizeof(area) ? area : NULL;
}

void mem_zfree(void *p, size_t bytes)
{
    assert_ptr_equal(p, area);
    assert_int_equal(bytes, pages);
}

/* A machine with XSAVE of all that is offered, AVX-512 and PKRU too. */
static int setup(void **state)
{
    (void)state;
    fake_insn_reset();
    fake_cpuid(1, 0)->ecx = FEATURES_ECX_XSAVE;
    *fake_cpuid(0xd, 0) = (struct cpuid_regs){0x2e7, 0, 2696, 0};
    fake_cpuid(0x80000001u, 0)->edx = EXTENDED1_EDX_RDTSCP;
    fake_cr4 = CR4_PAE;
    switch_init_cpu();
    trace[0] = '\0';
    return 0;
}

static int setup_old(void **state)
{
    (void)state;
    fake_insn_reset();
    fake_cr4 = CR4_PAE;
    switch_init_cpu();
    has.bytes = FXSAVE_SIZE;
    trace[0] = '\0';
    return 0;
}

static void cpu_can_use_it(void **state)
{
    (void)state;
    assert_int_equal(fake_cr4, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE);
}

static void cpu_without_xsave(void **state)
{
    struct vcpu v = {0};

    (void)state;
    assert_int_equal(fake_cr4, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
    assert_int_equal(switch_create(&v, 0), 0);
    assert_int_equal(pages, 512);
    switch_load(&v);
    switch_save(&v);
    assert_string_equal(trace, "clear:0 fxrstor:0 fxsave:0 ");
    assert_int_equal(fake_wrmsrs, 0); /* no TSC_AUX there */
}

static void state_after_reset(void **state)
{
    struct vcpu v = {0};

    (void)state;
    assert_int_equal(switch_create(&v, 0), 0);
    assert_int_equal(pages, 2696);
    assert_int_equal(v.xcr0, 1);
    assert_int_equal(area[0] | area[1] << 8, 0x37f);
    assert_int_equal(area[24] | area[25] << 8, 0x1f80);
    switch_destroy(&v);
}

static void all_components_move_whatever_the_guest_enabled(void **state)
{
    struct vcpu v = {.fpu = area, .xcr0 = 3, .tsc_aux = 5, .dr = {1, 2, 3, 4}};

    (void)state;
    switch_load(&v);
    assert_string_equal(trace, "clear:0 xrstor:e7 ");
    assert_int_equal(fake_xcr0, 3);
    assert_int_equal(fake_wrmsr_index, MSR_TSC_AUX);
    assert_int_equal(fake_wrmsr_value, 5);
    assert_int_equal(fake_dr[3], 4);
    fake_xcr0 = 7; /* an XSETBV that nobody saw */
    fake_dr[0] = 99;
    trace[0] = '\0';
    switch_save(&v);
    assert_string_equal(trace, "xsave:e7 ");
    assert_int_equal(v.xcr0, 7);
    assert_int_equal(v.dr[0], 99);
}

static void no_memory(void **state)
{
    struct vcpu v = {0};

    (void)state;
    has.bytes = sizeof(area) + 1;
    assert_int_equal(switch_create(&v, 0), -HV_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cpu_can_use_it, setup),
        cmocka_unit_test_setup(cpu_without_xsave, setup_old),
        cmocka_unit_test_setup(state_after_reset, setup),
        cmocka_unit_test_setup(all_components_move_whatever_the_guest_enabled, setup),
        cmocka_unit_test_setup(no_memory, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
