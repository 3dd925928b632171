/* SPDX-License-Identifier: MIT */
/*
 * What a guest's CPUID shows on a processor that has everything: no feature that the hypervisor
 * does not provide, and agreement between leaves.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/cpuid.c"

static struct vm_config config;

/* A processor with every bit set in the leaves that tell features. */
static int setup(void **state)
{
    static const struct cpuid_regs ones = {~0u, ~0u, ~0u, ~0u};

    (void)state;
    fake_guest_reset();
    memset(&config, 0, sizeof(config));
    config.vcpus = 3;
    config.hypercalls = true;
    *fake_cpuid(0, 0) = (struct cpuid_regs){0x20, 0x68747541, 0x444d4163, 0x69746e65};
    *fake_cpuid(0x80000000u, 0) = (struct cpuid_regs){0x80000021u, 1, 2, 3};
    for (u32 leaf = 1; leaf < 0x20; leaf++)
        *fake_cpuid(leaf, 0) = ones;
    for (u32 i = 1; i < 16; i++)
        *fake_cpuid(0x80000000u + i, 0) = ones;
    *fake_cpuid(0xd, 0) = (struct cpuid_regs){~0u, 0, 0x1000, ~0u};
    *fake_cpuid(0xd, 1) = ones;
    *fake_cpuid(0xd, 2) = (struct cpuid_regs){0x100, 0x240, 0, 0};
    for (u32 i = 3; i < 10; i++)
        *fake_cpuid(0xd, i) = (struct cpuid_regs){0x40, 0x340 + 0x40 * i, 0, 0};
    cpuid_init(&fake_vm_cpuid, &config, 2, 0x5);
    return 0;
}

static struct cpuid_regs read_leaf(u32 leaf, u32 subleaf)
{
    const struct cpuid_regs *fast = cpuid_fast(&fake_vm_cpuid, leaf);
    struct cpuid_regs r = cpuid_read(&fake_vcpu, leaf, subleaf);

    if (fast)
        assert_memory_equal(fast, &r, sizeof(r));
    return r;
}

static void identity(void **state)
{
    struct cpuid_regs r = read_leaf(0, 0);

    (void)state;
    assert_int_equal(r.eax, 0xd);
    assert_int_equal(r.ebx, 0x68747541);
    r = read_leaf(1, 0);
    assert_int_equal(r.ebx >> 24, 2);        /* APIC ID */
    assert_int_equal(r.ebx >> 16 & 0xff, 3); /* logical processors */
    r = read_leaf(0x80000000u, 0);
    assert_int_equal(r.eax, 0x80000008u);
    assert_int_equal(read_leaf(0x80000008u, 0).ecx & 0xff, 2); /* cores - 1 */
}

static void nothing_that_is_not_there(void **state)
{
    static const struct {
        u8 bit;
        const char *name;
    } ecx[] = {{2, "DTES64"}, {3, "MONITOR"}, {5, "VMX"},           {6, "SMX"},     {15, "PDCM"},
               {18, "DCA"},   {21, "x2APIC"}, {24, "TSC deadline"}, {27, "OSXSAVE"}},
      edx[] = {{7, "MCE"}, {9, "APIC"},  {12, "MTRR"}, {14, "MCA"}, {18, "PSN"},
               {21, "DS"}, {22, "ACPI"}, {28, "HTT"},  {29, "TM"},  {31, "PBE"}};
    struct cpuid_regs r = read_leaf(1, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ecx); i++)
        if (r.ecx >> ecx[i].bit & 1)
            fail_msg("%s is offered", ecx[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(edx); i++)
        if (r.edx >> edx[i].bit & 1)
            fail_msg("%s is offered", edx[i].name);
    r = read_leaf(0x80000001u, 0);
    assert_false(r.ecx & BIT(2));  /* SVM */
    assert_false(r.ecx & BIT(3));  /* extended APIC space */
    assert_false(r.ecx & BIT(10)); /* IBS */
    assert_false(r.ecx & BIT(12)); /* SKINIT */
    assert_false(r.ecx & BIT(15)); /* LWP */
    assert_false(r.ecx & BIT(22)); /* topology extensions */
    assert_false(r.ecx & BIT(23)); /* six performance counters */
    assert_false(r.ecx & BIT(29)); /* MONITORX */
    assert_int_equal(r.edx & (BIT(7) | BIT(9) | BIT(12) | BIT(14)), 0);
    r = read_leaf(7, 0);
    assert_int_equal(r.eax, 0);
    assert_false(r.ecx & BIT(16));            /* 5-level paging */
    assert_false(r.ebx & (BIT(2) | BIT(14))); /* SGX, MPX */
    assert_false(r.ecx & (BIT(3) | BIT(7)));  /* PKU, shadow stacks */
    assert_int_equal(r.edx, 0);
    assert_int_equal(read_leaf(0x80000008u, 0).ebx | read_leaf(0x80000008u, 0).edx, 0);
    assert_int_equal(read_leaf(0x80000007u, 0).edx, BIT(8)); /* invariant TSC alone */
}

static void what_every_kernel_wants(void **state)
{
    /* FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT PSE-36 CLFSH MMX FXSR SSE SSE2 */
    static const u8 edx[] = {0, 1, 2, 3, 4, 5, 6, 8, 11, 13, 15, 16, 17, 19, 23, 24, 25, 26};
    struct cpuid_regs r = read_leaf(1, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(edx); i++)
        if (!(r.edx >> edx[i] & 1))
            fail_msg("EDX bit %u is missing", edx[i]);
    r = read_leaf(0x80000001u, 0);
    /* The copies of leaf 1 agree with it; SYSCALL, NX, 1 GiB pages, RDTSCP, long mode. */
    assert_int_equal(r.edx & 0x0183ffff & ~BIT(11), read_leaf(1, 0).edx & 0x0183ffff & ~BIT(11));
    assert_int_equal(r.edx & (BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29)),
                     BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29));
}

static void leaves_that_are_not_offered(void **state)
{
    static const u32 none[] = {3,           4,           5,           6,  0xa,  0xb,
                               0xe,         0x15,        31,          32, 1000, 0x40000002u,
                               0x80000009u, 0x8000000au, 0x8000001fu, ~0u};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct cpuid_regs r = read_leaf(none[i], 0);

        assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
    }
    assert_int_equal(read_leaf(7, 1).eax | read_leaf(7, 1).ebx, 0);
}

static void hypervisor_leaves(void **state)
{
    struct cpuid_regs r = read_leaf(HYPERCALL_CPUID_LEAF, 0);

    (void)state;
    assert_int_equal(r.eax, HYPERCALL_CPUID_LEAF + 1);
    assert_memory_equal(&r.ebx, HYPERCALL_SIGNATURE, 12);
    assert_int_equal(read_leaf(HYPERCALL_CPUID_LEAF + 1, 0).ebx, 5);
    assert_true(read_leaf(1, 0).ecx & BIT(31));
    memset(&fake_vm_cpuid, 0, sizeof(fake_vm_cpuid));
    config.hypercalls = false;
    cpuid_init(&fake_vm_cpuid, &config, 0, 0);
    assert_int_equal(read_leaf(HYPERCALL_CPUID_LEAF, 0).eax, 0);
    assert_false(read_leaf(1, 0).ecx & BIT(31));
}

static void osxsave_follows_cr4(void **state)
{
    (void)state;
    assert_null(cpuid_fast(&fake_vm_cpuid, 1));
    assert_false(read_leaf(1, 0).ecx & ECX_OSXSAVE);
    fake_regs[VREG_CR4] |= CR4_OSXSAVE;
    assert_true(read_leaf(1, 0).ecx & ECX_OSXSAVE);
}

static void xsave_leaf(void **state)
{
    struct cpuid_regs r;

    (void)state;
    fake_regs[VREG_CR4] |= CR4_OSXSAVE;
    fake_xcr0 = 3;
    r = read_leaf(0xd, 0);
    assert_int_equal(r.eax, XCR0_OFFERED);
    assert_int_equal(r.edx, 0);
    assert_int_equal(r.ebx, 576);
    assert_int_equal(r.ecx, 0x340);
    fake_xcr0 = 7;
    assert_int_equal(read_leaf(0xd, 0).ebx, 0x340);
    fake_regs[VREG_CR4] &= ~(u64)CR4_OSXSAVE; /* XCR0 is 1 then, whatever it was */
    assert_int_equal(read_leaf(0xd, 0).ebx, 576);
    assert_int_equal(read_leaf(0xd, 1).eax, BIT(0) | BIT(2)); /* no compacted form */
    assert_int_equal(read_leaf(0xd, 5).eax, 0);               /* nor AVX-512 */
    assert_int_equal(read_leaf(0xd, 1).ebx | read_leaf(0xd, 1).ecx | read_leaf(0xd, 1).edx, 0);
    assert_int_equal(read_leaf(0xd, 2).eax, 0x100);
    assert_int_equal(read_leaf(0xd, 3).eax, 0); /* MPX is not offered */
    assert_int_equal(read_leaf(0xd, 9).eax, 0); /* PKRU neither */
    assert_int_equal(read_leaf(0xd, 10).eax, 0);
    assert_int_equal(read_leaf(0xd, ~0u).eax, 0);
}

static void a_processor_without_xsave(void **state)
{
    (void)state;
    memset(&fake_vm_cpuid, 0, sizeof(fake_vm_cpuid));
    fake_cpuid(1, 0)->ecx &= ~ECX_XSAVE;
    cpuid_init(&fake_vm_cpuid, &config, 0, 0);
    assert_int_equal(read_leaf(0xd, 0).eax, 0);
    assert_int_equal(fake_vm_cpuid.xsave[0].eax, 0); /* XSETBV refuses everything */
}

static void an_old_processor(void **state)
{
    (void)state;
    fake_insn_reset();
    memset(&fake_vm_cpuid, 0, sizeof(fake_vm_cpuid));
    *fake_cpuid(0, 0) = (struct cpuid_regs){1, 0, 0, 0};
    *fake_cpuid(0x80000000u, 0) = (struct cpuid_regs){0x80000008u, 0, 0, 0};
    cpuid_init(&fake_vm_cpuid, &config, 0, 0);
    assert_int_equal(read_leaf(0, 0).eax, 1);
    assert_int_equal(read_leaf(7, 0).ebx, 0);
    assert_int_equal(read_leaf(0xd, 0).eax, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(identity, setup),
        cmocka_unit_test_setup(nothing_that_is_not_there, setup),
        cmocka_unit_test_setup(what_every_kernel_wants, setup),
        cmocka_unit_test_setup(leaves_that_are_not_offered, setup),
        cmocka_unit_test_setup(hypervisor_leaves, setup),
        cmocka_unit_test_setup(osxsave_follows_cr4, setup),
        cmocka_unit_test_setup(xsave_leaf, setup),
        cmocka_unit_test_setup(a_processor_without_xsave, setup),
        cmocka_unit_test_setup(an_old_processor, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
