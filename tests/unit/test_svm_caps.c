/* SPDX-License-Identifier: MIT */
/*
 * Detecting AMD-V against a fake processor: absent, switched off by firmware, without what we need.
 */
#include "tests/unit/fake_insn.h"

#include "svm/caps.c"

#include "tests/unit/cmocka_all.h"

static u64 vm_cr;
static bool vm_cr_faults;

int msr_read_safe(u32 index, u64 *value)
{
    assert_int_equal(index, MSR_VM_CR);
    if (vm_cr_faults)
        return -14;
    *value = vm_cr;
    return 0;
}

/* An EPYC with everything. */
static int setup(void **state)
{
    (void)state;
    fake_insn_reset();
    memset(&svm_caps, 0, sizeof(svm_caps));
    vm_cr = 0;
    vm_cr_faults = false;
    fake_cpuid(0, 0)->eax = 0x10;
    fake_cpuid(7, 0)->ecx = EXTENDED7_ECX_LA57 | EXTENDED7_ECX_PKU;
    fake_cpuid(0x80000000u, 0)->eax = 0x80000021u;
    *fake_cpuid(0x80000001u, 0) = (struct cpuid_regs){0, 0, ~0u, ~0u};
    *fake_cpuid(LEAF_SVM, 0) = (struct cpuid_regs){0x101, 0x8000, 0, ~0u & ~SVM_EDX_SVML};
    return 0;
}

static void everything(void **state)
{
    const struct svm_caps *c = &svm_caps;
    u32 i;

    (void)state;
    assert_null(svm_caps_probe());
    assert_int_equal(c->revision, 1);
    assert_int_equal(c->asids, 0x8000);
    assert_true(c->npt && c->nrip && c->clean_bits && c->flush_by_asid && c->decode_assists);
    assert_true(c->pause_filter && c->pages_1g && c->la57 && c->pku);
    for (i = 0; svm_caps_feature(i); i++)
        ;
    assert_int_equal(i, 7);
    assert_string_equal(svm_caps_feature(0), "npt");
}

/* QEMU's: nested paging and nothing else. */
static void the_least_that_works(void **state)
{
    (void)state;
    fake_cpuid(LEAF_SVM, 0)->edx = SVM_EDX_NPT;
    fake_cpuid(LEAF_SVM, 0)->ebx = 2;
    fake_cpuid(0x80000001u, 0)->edx = 0;
    fake_cpuid(1, 0)->ecx = 0;
    fake_cpuid(0, 0)->eax = 1;
    assert_null(svm_caps_probe());
    assert_false(svm_caps.nrip || svm_caps.clean_bits || svm_caps.flush_by_asid);
    assert_false(svm_caps.pages_1g || svm_caps.pku || svm_caps.la57);
    assert_string_equal(svm_caps_feature(0), "npt");
    assert_null(svm_caps_feature(1));
}

static void refused_because_of(const char *word)
{
    const char *why = svm_caps_probe();

    assert_non_null(why);
    assert_non_null(strstr(why, word));
}

static void no_amd_v(void **state)
{
    (void)state;
    fake_cpuid(0x80000001u, 0)->ecx &= ~EXTENDED1_ECX_SVM;
    refused_because_of("no AMD-V");
    setup(state);
    fake_cpuid(0x80000000u, 0)->eax = 0x80000009u;
    refused_because_of("no AMD-V");
    setup(state);
    fake_cpuid(0x80000000u, 0)->eax = 0; /* no extended leaves at all */
    refused_because_of("no AMD-V");
}

static void disabled_by_firmware(void **state)
{
    (void)state;
    vm_cr = VM_CR_SVMDIS;
    refused_because_of("disabled by firmware (VM_CR.SVMDIS)");
}

static void disabled_and_locked(void **state)
{
    (void)state;
    vm_cr = VM_CR_SVMDIS | VM_CR_LOCK;
    fake_cpuid(LEAF_SVM, 0)->edx |= SVM_EDX_SVML;
    refused_because_of("locked");
}

/* LOCK alone says that SVMDIS cannot be changed, and it is clear. */
static void locked_but_enabled(void **state)
{
    (void)state;
    vm_cr = VM_CR_LOCK | 7;
    assert_null(svm_caps_probe());
}

/* The first processors with AMD-V have no VM_CR; emulators read zeros. */
static void without_vm_cr(void **state)
{
    (void)state;
    vm_cr_faults = true;
    vm_cr = ~0ull;
    assert_null(svm_caps_probe());
}

static void no_nested_paging(void **state)
{
    (void)state;
    fake_cpuid(LEAF_SVM, 0)->edx &= ~SVM_EDX_NPT;
    refused_because_of("no nested paging");
}

static void no_asids(void **state)
{
    (void)state;
    fake_cpuid(LEAF_SVM, 0)->ebx = 1;
    refused_because_of("ASID");
    fake_cpuid(LEAF_SVM, 0)->ebx = 0;
    refused_because_of("ASID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything, setup),
        cmocka_unit_test_setup(the_least_that_works, setup),
        cmocka_unit_test_setup(no_amd_v, setup),
        cmocka_unit_test_setup(disabled_by_firmware, setup),
        cmocka_unit_test_setup(disabled_and_locked, setup),
        cmocka_unit_test_setup(locked_but_enabled, setup),
        cmocka_unit_test_setup(without_vm_cr, setup),
        cmocka_unit_test_setup(no_nested_paging, setup),
        cmocka_unit_test_setup(no_asids, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
