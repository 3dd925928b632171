/* SPDX-License-Identifier: MIT */
/*
 * A guest's MSRs: what EFER takes and refuses, addresses that must be canonical, memory types of
 * PAT, MSRs that do not exist.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/msr.c"

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    /* SYSCALL, NX, FFXSR, RDTSCP, long mode. */
    fake_vm_cpuid.extended[1].edx = BIT(11) | BIT(20) | BIT(25) | BIT(27) | BIT(29);
    return 0;
}

static void expect_read(u32 index, u64 want)
{
    u64 got = ~want;

    assert_true(msr_read(&fake_vcpu, index, &got));
    assert_int_equal(got, want);
}

static void expect_kept(u32 index, u64 value)
{
    assert_true(msr_write(&fake_vcpu, index, value));
    expect_read(index, value);
}

static void addresses_must_be_canonical(void **state)
{
    static const u32 addresses[] = {MSR_FS_BASE, MSR_GS_BASE,      MSR_KERNEL_GS_BASE, MSR_LSTAR,
                                    MSR_CSTAR,   MSR_SYSENTER_ESP, MSR_SYSENTER_EIP};
    static const u64 bad[] = {0x0000800000000000ull, 0xffff7fffffffffffull, BIT64(63),
                              0x8000000000000000ull | 0xfffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        expect_kept(addresses[i], 0x00007fffffffffffull);
        expect_kept(addresses[i], 0xffff800000000000ull);
        for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
            assert_false(msr_write(&fake_vcpu, addresses[i], bad[j]));
            expect_read(addresses[i], 0xffff800000000000ull);
        }
    }
    expect_kept(MSR_STAR, 0x0023001000000000ull);
    expect_kept(MSR_SFMASK, 0x47700);
}

static void efer(void **state)
{
    (void)state;
    fake_regs[VREG_EFER] = 0;
    fake_regs[VREG_CR0] = CR0_PE;
    assert_true(msr_write(&fake_vcpu, MSR_EFER, EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR));
    assert_int_equal(fake_regs[VREG_EFER], EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR);
    assert_int_equal(fake_flushes, 1); /* NXE changes what entries mean */
    assert_true(msr_write(&fake_vcpu, MSR_EFER, EFER_LME | EFER_NXE | EFER_LMA));
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME | EFER_NXE); /* LMA is the processor's */
    assert_int_equal(fake_flushes, 1);
    for (u32 bit = 0; bit < 64; bit++) {
        u64 allowed = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR;

        assert_int_equal(msr_write(&fake_vcpu, MSR_EFER, BIT64(bit)), allowed >> bit & 1);
    }
}

/* The guest must never get at the host's own bits. */
static void efer_svme_is_refused(void **state)
{
    (void)state;
    assert_false(msr_write(&fake_vcpu, MSR_EFER, EFER_LME | EFER_SVME));
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME | EFER_LMA);
}

static void efer_lme_under_paging(void **state)
{
    (void)state;
    assert_false(msr_write(&fake_vcpu, MSR_EFER, EFER_SCE)); /* LME cannot go */
    assert_true(msr_write(&fake_vcpu, MSR_EFER, EFER_LME | EFER_SCE));
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME | EFER_LMA | EFER_SCE); /* LMA stays */
    fake_regs[VREG_EFER] = 0;
    assert_false(msr_write(&fake_vcpu, MSR_EFER, EFER_LME)); /* nor come */
    fake_regs[VREG_CR0] &= ~(u64)CR0_PG;
    assert_true(msr_write(&fake_vcpu, MSR_EFER, EFER_LME));
}

static void efer_needs_its_features(void **state)
{
    static const struct {
        u64 bit;
        u32 feature;
    } needs[] = {
        {EFER_SCE, BIT(11)}, {EFER_NXE, BIT(20)}, {EFER_FFXSR, BIT(25)}, {EFER_LME, BIT(29)}};

    (void)state;
    fake_regs[VREG_CR0] = CR0_PE;
    fake_regs[VREG_EFER] = 0;
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        fake_vm_cpuid.extended[1].edx &= ~needs[i].feature;
        assert_false(msr_write(&fake_vcpu, MSR_EFER, needs[i].bit));
        fake_vm_cpuid.extended[1].edx |= needs[i].feature;
        assert_true(msr_write(&fake_vcpu, MSR_EFER, needs[i].bit));
    }
}

static void pat(void **state)
{
    (void)state;
    expect_kept(MSR_PAT, 0x0007040600070406ull);
    expect_kept(MSR_PAT, 0x0001040506070000ull);
    for (u32 field = 0; field < 8; field++)
        for (u64 type = 0; type < 256; type++) {
            bool valid = type < 8 && type != 2 && type != 3;

            assert_int_equal(msr_write(&fake_vcpu, MSR_PAT, type << (8 * field)), valid);
        }
}

static void tsc_aux(void **state)
{
    (void)state;
    expect_kept(MSR_TSC_AUX, 0xabcd);
    assert_int_equal(fake_wrmsrs, 1);
    assert_int_equal(fake_wrmsr_index, MSR_TSC_AUX);
    assert_int_equal(fake_wrmsr_value, 0xabcd);
    assert_false(msr_write(&fake_vcpu, MSR_TSC_AUX, BIT64(32)));
    fake_vm_cpuid.extended[1].edx = 0;
    assert_false(msr_write(&fake_vcpu, MSR_TSC_AUX, 1));
    assert_int_equal(fake_wrmsrs, 1);
}

static void simple_ones(void **state)
{
    u64 value;

    (void)state;
    expect_read(MSR_APIC_BASE, 0xfee00000u | APIC_BASE_BSP);
    fake_vcpu.id = 3;
    expect_read(MSR_APIC_BASE, 0xfee00000u);
    fake_tsc = 0x123456789abcull;
    expect_read(MSR_TSC, 0x123456789abcull);
    expect_read(MSR_BIOS_SIGN_ID, 0);
    assert_true(msr_write(&fake_vcpu, MSR_TSC, 0));
    assert_true(msr_write(&fake_vcpu, MSR_BIOS_SIGN_ID, 0));
    assert_false(msr_write(&fake_vcpu, MSR_APIC_BASE, 0));
    assert_false(msr_read(&fake_vcpu, MSR_VM_HSAVE_PA, &value));
    assert_false(msr_write(&fake_vcpu, MSR_VM_HSAVE_PA, 0x1000));
    assert_int_equal(fake_wrmsrs, 0);
}

/* Only listed MSRs exist; nothing ever reaches the host's. */
static void unknown_ones(void **state)
{
    static const u32 bases[] = {0,           0x400,       0x800,      0xc0000000u,
                                0xc0010000u, 0x40000000u, 0xfffff000u};
    u32 readable = 0;
    u64 value;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
        for (u32 n = 0; n < 0x400; n++) {
            bool known = msr_read(&fake_vcpu, bases[i] + n, &value);

            readable += known;
            if (!known)
                assert_false(msr_write(&fake_vcpu, bases[i] + n, 0));
        }
    assert_int_equal(readable, 17);
    assert_true(fake_wrmsrs <= 0);
}

static void passed_through_ones_are_harmless(void **state)
{
    u32 i, index;

    (void)state;
    for (i = 0; (index = msr_passthrough(i)); i++) {
        assert_int_not_equal(index, MSR_EFER);
        assert_int_not_equal(index, MSR_TSC_AUX);
        assert_int_not_equal(index, MSR_VM_CR);
        assert_int_not_equal(index, MSR_APIC_BASE);
    }
    assert_int_equal(i, 10);
    assert_int_equal(msr_passthrough(1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(addresses_must_be_canonical, setup),
        cmocka_unit_test_setup(efer, setup),
        cmocka_unit_test_setup(efer_svme_is_refused, setup),
        cmocka_unit_test_setup(efer_lme_under_paging, setup),
        cmocka_unit_test_setup(efer_needs_its_features, setup),
        cmocka_unit_test_setup(pat, setup),
        cmocka_unit_test_setup(tsc_aux, setup),
        cmocka_unit_test_setup(simple_ones, setup),
        cmocka_unit_test_setup(unknown_ones, setup),
        cmocka_unit_test_setup(passed_through_ones_are_harmless, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
