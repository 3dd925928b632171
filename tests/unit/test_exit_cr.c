/* SPDX-License-Identifier: MIT */
/*
 * Control registers through an intercept: what MOV, CLTS, LMSW and SMSW may write, what raises #GP,
 * how long mode is entered and left.
 */
#include "tests/unit/fake_exit.h"

#include "hv/emu/insn.c"
#include "hv/emu/mmio.c"
#include "hv/vm/exit_cr.c"
#include "hv/vm/exit_decode.c"
#include "hv/vm/walk.c"

static int setup(void **state)
{
    (void)state;
    fake_exit_reset();
    fake_vm_cpuid.basic[1] = (struct cpuid_regs){0, 0, ~0u, ~0u};
    fake_vm_cpuid.basic[7] = (struct cpuid_regs){0, ~0u, ~0u, ~0u};
    return 0;
}

/* MOV to CRn from RAX. True: done; false: #GP. */
static bool mov_to(u8 number, u64 value)
{
    struct exit e = {.kind = EXIT_CR_WRITE, .cr = {number, true}};
    u32 faults = fake_injected;

    if (number == 8)
        FAKE_CODE("\x44\x0f\x22\xc0");
    else
        fake_code((const char[]){0x0f, 0x22, (char)(0xc0 | number << 3)}, 3);
    fake_regs[VREG_RIP] = 0x10000;
    fake_vcpu.regs[GPR_RAX] = value;
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    if (fake_injected == faults) {
        assert_int_equal(fake_regs[VREG_RIP], 0x10000 + (number == 8 ? 4 : 3));
        return true;
    }
    assert_int_equal(fake_vector, VECTOR_GP);
    assert_int_equal(fake_error, 0);
    assert_int_equal(fake_regs[VREG_RIP], 0x10000);
    return false;
}

static u64 mov_from(const char *code, size_t n, u8 number, enum gpr r)
{
    struct exit e = {.kind = EXIT_CR_READ, .cr = {number, false}};

    fake_code(code, n);
    fake_regs[VREG_RIP] = 0x10000;
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_injected, 0);
    return fake_vcpu.regs[r];
}

#define LONG_CR0 ((u64)(CR0_PE | CR0_PG | CR0_ET))

static void cr0_plain_bits(void **state)
{
    (void)state;
    assert_true(mov_to(0, LONG_CR0 | CR0_MP | CR0_TS | CR0_NE | CR0_AM));
    assert_int_equal(fake_regs[VREG_CR0], LONG_CR0 | CR0_MP | CR0_TS | CR0_NE | CR0_AM);
    assert_int_equal(fake_flushes, 0);
    assert_true(mov_to(0, LONG_CR0 | CR0_WP)); /* permissions change */
    assert_int_equal(fake_flushes, 1);
    assert_true(mov_to(0, LONG_CR0 | CR0_CD | CR0_NW));
    /* ET stays set, bits of no meaning read as zeros. */
    assert_true(mov_to(0, CR0_PE | CR0_PG | BIT(6) | BIT(28)));
    assert_int_equal(fake_regs[VREG_CR0], LONG_CR0);
}

static void cr0_refusals(void **state)
{
    static const u64 bad[] = {
        LONG_CR0 | BIT64(32), LONG_CR0 | BIT64(63), CR0_PG | CR0_ET, /* PG without PE */
        LONG_CR0 | (u64)CR0_NW,                                      /* NW without CD */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(mov_to(0, bad[i]));
        assert_int_equal(fake_regs[VREG_CR0], LONG_CR0);
    }
    assert_int_equal(fake_flushes, 0);
}

static void leaving_long_mode(void **state)
{
    (void)state;
    assert_false(mov_to(0, CR0_PE)); /* from 64-bit code */
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME | EFER_LMA);
    fake_segments[VSEG_CS].attr = SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_DB | 0xb;
    assert_true(mov_to(0, CR0_PE));
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME);
    assert_int_equal(fake_regs[VREG_CR0], CR0_PE | CR0_ET);
    assert_int_equal(fake_flushes, 1);
}

static void entering_long_mode(void **state)
{
    (void)state;
    fake_legacy(true, true);
    fake_regs[VREG_EFER] = EFER_LME;
    assert_false(mov_to(0, LONG_CR0)); /* without PAE */
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME);
    fake_regs[VREG_CR4] = CR4_PAE;
    fake_segments[VSEG_CS].attr |= SEG_ATTR_L;
    assert_false(mov_to(0, LONG_CR0)); /* CS.L set before */
    fake_segments[VSEG_CS].attr &= ~SEG_ATTR_L;
    assert_true(mov_to(0, LONG_CR0));
    assert_int_equal(fake_regs[VREG_EFER], EFER_LME | EFER_LMA);
    assert_int_equal(fake_flushes, 1);
}

static void paging_without_long_mode(void **state)
{
    (void)state;
    fake_legacy(true, true);
    assert_true(mov_to(0, LONG_CR0));
    assert_int_equal(fake_regs[VREG_EFER], 0);
}

/* In 32-bit code the upper half of the register is not part of the operand. */
static void legacy_code_writes_32_bits(void **state)
{
    (void)state;
    fake_legacy(true, true);
    assert_true(mov_to(0, 0xdeadbeef00000000ull | CR0_PE | CR0_TS));
    assert_int_equal(fake_regs[VREG_CR0], CR0_PE | CR0_TS | CR0_ET);
    assert_true(mov_to(3, 0xdeadbeef00005000ull));
    assert_int_equal(fake_regs[VREG_CR3], 0x5000);
    assert_true(mov_to(4, 0xdeadbeef00000000ull | CR4_PSE));
    assert_int_equal(fake_regs[VREG_CR4], CR4_PSE);
}

static void cr3(void **state)
{
    (void)state;
    assert_true(mov_to(3, 0x1018));
    assert_int_equal(fake_regs[VREG_CR3], 0x1018);
    assert_int_equal(fake_flushes, 1);
    fake_regs[VREG_CR4] |= CR4_PCIDE;
    assert_true(mov_to(3, BIT64(63) | 0x1000 | 5));
    assert_int_equal(fake_regs[VREG_CR3], 0x1005);
    fake_regs[VREG_CR4] &= ~(u64)CR4_PCIDE;
    assert_false(mov_to(3, BIT64(63) | 0x1000));
    assert_false(mov_to(3, BIT64(52) | 0x1000));
    assert_int_equal(fake_regs[VREG_CR3], 0x1005);
}

static void cr4_offered_bits(void **state)
{
    static const u32 refused[] = {CR4_LA57, CR4_VMXE, CR4_SMXE, CR4_PKE, BIT(15), BIT(19), BIT(31)};

    (void)state;
    for (u32 bit = 0; bit < 23; bit++) {
        u64 value = CR4_PAE | BIT64(bit);
        bool offered = CR4_OFFERED >> bit & 1;

        fake_regs[VREG_CR3] = 0x1000;
        fake_regs[VREG_CR4] = CR4_PAE;
        assert_int_equal(mov_to(4, value), offered);
        assert_int_equal(fake_regs[VREG_CR4], offered ? value : CR4_PAE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        assert_false(mov_to(4, CR4_PAE | refused[i]));
    assert_false(mov_to(4, CR4_PAE | BIT64(32)));
    assert_false(mov_to(4, 0)); /* PAE cannot go in long mode */
}

static void cr4_needs_its_features(void **state)
{
    static const struct {
        u64 bit;
        u32 *word;
        u32 feature;
    } needs[] = {
        {CR4_FSGSBASE, &fake_vm_cpuid.basic[7].ebx, BIT(0)},
        {CR4_SMEP, &fake_vm_cpuid.basic[7].ebx, BIT(7)},
        {CR4_SMAP, &fake_vm_cpuid.basic[7].ebx, BIT(20)},
        {CR4_UMIP, &fake_vm_cpuid.basic[7].ecx, BIT(2)},
        {CR4_PCIDE, &fake_vm_cpuid.basic[1].ecx, BIT(17)},
        {CR4_OSXSAVE, &fake_vm_cpuid.basic[1].ecx, BIT(26)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        fake_regs[VREG_CR3] = 0x1000;
        fake_regs[VREG_CR4] = CR4_PAE;
        *needs[i].word &= ~needs[i].feature;
        assert_false(mov_to(4, CR4_PAE | needs[i].bit));
        *needs[i].word |= needs[i].feature;
        assert_true(mov_to(4, CR4_PAE | needs[i].bit));
    }
}

/* AMD64 APM volume 2, "Process Context Identifiers". */
static void pcide_rules(void **state)
{
    (void)state;
    fake_regs[VREG_CR3] = 0x1001;
    assert_false(mov_to(4, CR4_PAE | CR4_PCIDE));
    fake_regs[VREG_CR3] = 0x1000;
    assert_true(mov_to(4, CR4_PAE | CR4_PCIDE));
    fake_regs[VREG_CR3] = 0x1001; /* a PCID in use does not matter once it is set */
    assert_true(mov_to(4, CR4_PAE | CR4_PCIDE | CR4_PGE));
    fake_segments[VSEG_CS].attr = SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_DB | 0xb;
    assert_false(mov_to(0, CR0_PE)); /* paging cannot go while PCIDE is set */
    fake_legacy(true, true);
    assert_false(mov_to(4, CR4_PAE | CR4_PCIDE));
}

static void cr4_flushes(void **state)
{
    (void)state;
    assert_true(mov_to(4, CR4_PAE | CR4_TSD));
    assert_int_equal(fake_flushes, 0);
    assert_true(mov_to(4, CR4_PAE | CR4_PGE));
    assert_int_equal(fake_flushes, 1);
    assert_true(mov_to(4, CR4_PAE));
    assert_int_equal(fake_flushes, 2);
}

static void cr8(void **state)
{
    (void)state;
    for (u64 v = 0; v < 16; v++) {
        assert_true(mov_to(8, v));
        assert_int_equal(fake_regs[VREG_CR8], v);
    }
    assert_false(mov_to(8, 16));
    assert_false(mov_to(8, BIT64(40)));
    assert_int_equal(fake_regs[VREG_CR8], 15);
}

static void reads(void **state)
{
    (void)state;
    fake_regs[VREG_CR3] = 0x1000;
    fake_regs[VREG_CR8] = 7;
    assert_int_equal(mov_from("\x0f\x20\xd9", 3, 3, GPR_RCX), 0x1000);
    assert_int_equal(mov_from("\x41\x0f\x20\xc7", 4, 0, GPR_R15), LONG_CR0);
    assert_int_equal(mov_from("\x44\x0f\x20\xc4", 4, 8, GPR_RSP), 7);
    assert_int_equal(mov_from("\x0f\x20\xe0", 3, 4, GPR_RAX), CR4_PAE);
}

static void clts(void **state)
{
    struct exit e = {.kind = EXIT_CR_WRITE, .cr = {0, true}};

    (void)state;
    fake_regs[VREG_CR0] |= CR0_TS | CR0_MP;
    FAKE_CODE("\x0f\x06");
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_regs[VREG_CR0], LONG_CR0 | CR0_MP);
    assert_int_equal(fake_advanced, 2);
}

static void lmsw(void **state)
{
    struct exit e = {.kind = EXIT_CR_WRITE, .cr = {0, true}};

    (void)state;
    fake_legacy(false, false);
    FAKE_CODE("\x0f\x01\xf0"); /* lmsw ax */
    fake_segments[VSEG_CS].base = 0x10000;
    fake_regs[VREG_RIP] = 0;
    fake_vcpu.regs[GPR_RAX] = 0xfffffff0 | CR0_PE | CR0_EM;
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_regs[VREG_CR0], CR0_PE | CR0_EM | CR0_ET);
    fake_regs[VREG_RIP] = 0;
    fake_vcpu.regs[GPR_RAX] = CR0_TS; /* PE cannot be cleared so, EM can */
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_regs[VREG_CR0], CR0_PE | CR0_TS | CR0_ET);
    FAKE_CODE("\x0f\x01\x36\x00\x20"); /* lmsw [0x2000] */
    memcpy(fake_ram + 0x2000, "\x03\x00", 2);
    fake_regs[VREG_RIP] = 0;
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_regs[VREG_CR0], CR0_PE | CR0_MP | CR0_ET);
    assert_int_equal(fake_regs[VREG_RIP], 5);
}

static void smsw(void **state)
{
    struct exit e = {.kind = EXIT_CR_READ, .cr = {0, false}};

    (void)state;
    fake_vcpu.regs[GPR_RAX] = ~0ull;
    FAKE_CODE("\x66\x0f\x01\xe0"); /* smsw ax */
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(fake_vcpu.regs[GPR_RAX], 0xffffffffffff0000ull | (LONG_CR0 & 0xffff));
    FAKE_CODE("\x0f\x01\x27"); /* smsw [rdi] */
    fake_regs[VREG_RIP] = 0x10000;
    fake_vcpu.regs[GPR_RDI] = 0x8001;
    memset(fake_ram + 0x8000, 0xaa, 4);
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_RESUME);
    assert_memory_equal(fake_ram + 0x8000, "\xaa\x11\x00\xaa", 4);
    assert_int_equal(fake_faults, 0);
}

static void unreadable_code_stops_the_vm(void **state)
{
    struct exit e = {.kind = EXIT_CR_WRITE, .cr = {0, true}};

    (void)state;
    fake_regs[VREG_RIP] = 0x40000000;
    assert_int_equal(exit_cr(&fake_vcpu, &e), EXIT_STOP_VCPU);
    assert_int_equal(fake_faults, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cr0_plain_bits, setup),
        cmocka_unit_test_setup(cr0_refusals, setup),
        cmocka_unit_test_setup(leaving_long_mode, setup),
        cmocka_unit_test_setup(entering_long_mode, setup),
        cmocka_unit_test_setup(paging_without_long_mode, setup),
        cmocka_unit_test_setup(legacy_code_writes_32_bits, setup),
        cmocka_unit_test_setup(cr3, setup),
        cmocka_unit_test_setup(cr4_offered_bits, setup),
        cmocka_unit_test_setup(cr4_needs_its_features, setup),
        cmocka_unit_test_setup(pcide_rules, setup),
        cmocka_unit_test_setup(cr4_flushes, setup),
        cmocka_unit_test_setup(cr8, setup),
        cmocka_unit_test_setup(reads, setup),
        cmocka_unit_test_setup(clts, setup),
        cmocka_unit_test_setup(lmsw, setup),
        cmocka_unit_test_setup(smsw, setup),
        cmocka_unit_test_setup(unreadable_code_stops_the_vm, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
