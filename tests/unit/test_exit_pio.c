/* SPDX-License-Identifier: MIT */
/*
 * INS and OUTS: every operand and address size, both directions, REP in pieces, page faults in the
 * middle, segment overrides.
 */
#include "tests/unit/fake_exit.h"

#include "hv/dev/pio.c"
#include "hv/emu/insn.c"
#include "hv/vm/exit_decode.c"
#include "hv/vm/exit_pio.c"
#include "hv/vm/walk.c"

#define PORT 0x1f0

static u32 port_reads, port_writes;
static u32 written[2048];
static u32 port_value;

static u32 port_read(void *dev, u16 port)
{
    (void)dev;
    (void)port;
    port_reads++;
    return port_value++ & 0xff;
}

static void port_write(void *dev, u16 port, u8 value)
{
    (void)dev;
    (void)port;
    written[port_writes++ % ARRAY_SIZE(written)] = value;
}

static void port_write_wide(void *dev, u16 port, u32 size, u32 value)
{
    (void)dev;
    (void)size;
    assert_int_equal(port, PORT);
    written[port_writes++ % ARRAY_SIZE(written)] = value;
}

static int setup(void **state)
{
    (void)state;
    fake_exit_reset();
    port_reads = port_writes = 0;
    port_value = 0x11;
    pio_init(&fake_vm.platform.bus);
    return pio_claim(&fake_vm.platform.bus, PORT, PORT + 3,
                     &(struct pio_ops){port_read, port_write, port_write_wide}, NULL);
}

static enum exit_result string(u8 size, bool in)
{
    struct exit e = {.kind = EXIT_PIO_STRING, .pio = {PORT, size, in, true}};

    return exit_pio_string(&fake_vcpu, &e);
}

static void one_of_each_size(void **state)
{
    static const struct {
        const char *code;
        u8 n, size;
    } ins[] = {{"\x6c", 1, 1}, {"\x66\x6d", 2, 2}, {"\x6d", 1, 4}};

    for (size_t i = 0; i < ARRAY_SIZE(ins); i++) {
        setup(state);
        fake_code(ins[i].code, ins[i].n);
        fake_vcpu.regs[GPR_RDI] = 0x8000;
        fake_vcpu.regs[GPR_RCX] = 77;
        memset(fake_ram + 0x8000, 0xee, 8);
        assert_int_equal(string(ins[i].size, true), EXIT_RESUME);
        assert_memory_equal(fake_ram + 0x8000, "\x11\x12\x13\x14", ins[i].size);
        assert_int_equal(fake_ram[0x8000 + ins[i].size], 0xee);
        assert_int_equal(fake_vcpu.regs[GPR_RDI], 0x8000 + ins[i].size);
        assert_int_equal(fake_vcpu.regs[GPR_RCX], 77); /* no REP, no count */
        assert_int_equal(fake_regs[VREG_RIP], 0x10000 + ins[i].n);
    }
}

static void outs_reads_memory(void **state)
{
    (void)state;
    FAKE_CODE("\xf3\x6f");            /* rep outsd */
    fake_vcpu.regs[GPR_RSI] = 0x8ffe; /* the first doubleword lies on two pages */
    fake_vcpu.regs[GPR_RCX] = 2;
    fake_table(0x4000)[9] = 0x20000 | PTE_P;
    memcpy(fake_ram + 0x8ffe, "\x01\x02", 2);
    memcpy(fake_ram + 0x20000, "\x03\x04\x05\x06\x07\x08", 6);
    assert_int_equal(string(4, false), EXIT_RESUME);
    assert_int_equal(port_writes, 2);
    assert_int_equal(written[0], 0x04030201);
    assert_int_equal(written[1], 0x08070605);
    assert_int_equal(fake_vcpu.regs[GPR_RSI], 0x9006);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0);
    assert_int_equal(fake_advanced, 2);
}

static void backwards(void **state)
{
    (void)state;
    FAKE_CODE("\xf3\x66\x6d"); /* rep insw */
    fake_regs[VREG_RFLAGS] |= RFLAGS_DF;
    fake_vcpu.regs[GPR_RDI] = 0x8010;
    fake_vcpu.regs[GPR_RCX] = 3;
    port_value = 0xb0;
    assert_int_equal(string(2, true), EXIT_RESUME);
    assert_memory_equal(fake_ram + 0x800c, "\xb4\xb5\xb2\xb3\xb0\xb1", 6);
    assert_int_equal(fake_vcpu.regs[GPR_RDI], 0x800a);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0);
}

static void rep_of_nothing(void **state)
{
    (void)state;
    FAKE_CODE("\xf3\x6c");
    fake_vcpu.regs[GPR_RDI] = 0x7000000000000000ull; /* not looked at */
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(port_reads, 0);
    assert_int_equal(fake_injected, 0);
    assert_int_equal(fake_advanced, 2);
}

static void long_rep_in_pieces(void **state)
{
    (void)state;
    FAKE_CODE("\xf3\x6c");
    fake_vcpu.regs[GPR_RDI] = 0x8000;
    fake_vcpu.regs[GPR_RCX] = 2 * PIECE + 1;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(fake_advances, 0); /* RIP stays: the guest executes it again */
    assert_int_equal(fake_vcpu.regs[GPR_RCX], PIECE + 1);
    assert_int_equal(fake_vcpu.regs[GPR_RDI], 0x8000 + PIECE);
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(fake_advances, 1);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0);
    assert_int_equal(port_reads, 2 * PIECE + 1);
}

static void a_fault_in_the_middle(void **state)
{
    (void)state;
    FAKE_CODE("\xf3\x6d"); /* rep insd */
    fake_vcpu.regs[GPR_RDI] = 0x8ff6;
    fake_vcpu.regs[GPR_RCX] = 10;
    fake_table(0x4000)[9] = 0;
    assert_int_equal(string(4, true), EXIT_RESUME);
    assert_int_equal(fake_injected, 1);
    assert_int_equal(fake_vector, VECTOR_PF);
    assert_true(fake_has_error);
    assert_int_equal(fake_error, 2); /* a write, supervisor, not present */
    assert_int_equal(fake_regs[VREG_CR2], 0x9000);
    /* Two elements are done; the third took nothing from the port and left memory alone. */
    assert_int_equal(port_reads, 2 * 4);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 8);
    assert_int_equal(fake_vcpu.regs[GPR_RDI], 0x8ffe);
    assert_memory_equal(fake_ram + 0x8ffe, "\0\0", 2);
    assert_int_equal(fake_advances, 0);
    /* The guest maps the page and runs it again. */
    fake_table(0x4000)[9] = 0x9000 | PTE_P | PTE_RW;
    assert_int_equal(string(4, true), EXIT_RESUME);
    assert_int_equal(port_reads, 10 * 4);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0);
    assert_int_equal(fake_advances, 1);
}

static void a_users_read_fault(void **state)
{
    (void)state;
    FAKE_CODE("\x6e"); /* outsb */
    fake_cpl = 3;
    fake_vcpu.regs[GPR_RSI] = 0x40000000;
    assert_int_equal(string(1, false), EXIT_RESUME);
    assert_int_equal(fake_error, 4); /* a read, user */
    assert_int_equal(fake_regs[VREG_CR2], 0x40000000);
    assert_int_equal(port_writes, 0);
}

/* INSB to a page with these rights. Returns the error code of its #PF, -1 when there is none. */
static int insb_to(u64 rights, u8 cpl, u32 wp)
{
    setup(NULL);
    FAKE_CODE("\x6c");
    fake_cpl = cpl;
    fake_regs[VREG_CR0] |= wp;
    fake_vcpu.regs[GPR_RDI] = 0x8000;
    fake_table(0x4000)[8] = 0x8000 | rights;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(port_reads, fake_injected ? 0 : 1);
    return fake_injected ? (int)fake_error : -1;
}

/* The processor exits before it looks at the page's rights. */
static void rights_are_checked(void **state)
{
    (void)state;
    assert_int_equal(insb_to(PTE_P | PTE_US, 3, 0), 7);
    assert_int_equal(insb_to(PTE_P | PTE_RW, 3, 0), 7);
    assert_int_equal(insb_to(PTE_RW | PTE_US, 3, 0), 6);
    assert_int_equal(insb_to(PTE_P | PTE_RW | PTE_US, 3, 0), -1);
    assert_int_equal(insb_to(PTE_P, 0, 0), -1);
    assert_int_equal(insb_to(PTE_P, 0, CR0_WP), 3);
    assert_int_equal(insb_to(PTE_P | PTE_RW, 0, CR0_WP), -1);
}

static void rights_of_upper_levels_count(void **state)
{
    setup(state);
    FAKE_CODE("\x6c");
    fake_cpl = 3;
    fake_vcpu.regs[GPR_RDI] = 0x8000;
    fake_table(0x2000)[0] &= ~PTE_RW;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(fake_error, 7);
}

static void sixteen_bit_addresses_wrap(void **state)
{
    (void)state;
    fake_legacy(false, false);
    fake_segments[VSEG_CS].base = 0x10000;
    fake_segments[VSEG_ES].base = 0x20000;
    fake_regs[VREG_RIP] = 0;
    FAKE_CODE("\xf3\x6c"); /* rep insb */
    fake_vcpu.regs[GPR_RDI] = 0xaaaa0000ffffull;
    fake_vcpu.regs[GPR_RCX] = 0xbbbb00000002ull;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(port_reads, 2);
    assert_int_equal(fake_ram[0x2ffff], 0x11);
    assert_int_equal(fake_ram[0x20000], 0x12);
    assert_int_equal(fake_vcpu.regs[GPR_RDI], 0xaaaa00000001ull);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0xbbbb00000000ull);
    assert_int_equal(fake_regs[VREG_RIP], 2);
}

static void thirty_two_bit_addresses(void **state)
{
    (void)state;
    FAKE_CODE("\x67\xf3\x6c"); /* rep insb with EDI and ECX */
    fake_vcpu.regs[GPR_RDI] = 0xffffffff00008000ull;
    fake_vcpu.regs[GPR_RCX] = 0xffffffff00000001ull;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(port_reads, 1);
    assert_int_equal(fake_ram[0x8000], 0x11);
    assert_int_equal(fake_vcpu.regs[GPR_RDI], 0x8001); /* 32-bit results clear the upper half */
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0);
}

static void overrides_move_outs_only(void **state)
{
    (void)state;
    fake_segments[VSEG_GS].base = 0x8000;
    fake_segments[VSEG_DS].base = 0x123456; /* nothing in 64-bit mode */
    fake_segments[VSEG_ES].base = 0x123456;
    fake_ram[0x8010] = 0x5a;
    FAKE_CODE("\x65\x6e"); /* gs outsb */
    fake_vcpu.regs[GPR_RSI] = 0x10;
    assert_int_equal(string(1, false), EXIT_RESUME);
    assert_int_equal(written[0], 0x5a);
    FAKE_CODE("\x65\x6c"); /* gs insb: the prefix does not matter */
    fake_regs[VREG_RIP] = 0x10000;
    fake_vcpu.regs[GPR_RDI] = 0x9000;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(fake_ram[0x9000], 0x11);
    fake_legacy(true, true);
    fake_segments[VSEG_SS].base = 0xa000;
    fake_ram[0xa010] = 0x3c;
    FAKE_CODE("\x36\x6e"); /* ss outsb */
    fake_regs[VREG_RIP] = 0x10000;
    fake_vcpu.regs[GPR_RSI] = 0x10;
    assert_int_equal(string(1, false), EXIT_RESUME);
    assert_int_equal(written[1], 0x3c);
}

static void untouched_memory_is_given(void **state)
{
    (void)state;
    FAKE_CODE("\x6c");
    fake_vcpu.regs[GPR_RDI] = 0x9000;
    fake_untouched[9] = true;
    assert_int_equal(string(1, true), EXIT_RESUME);
    assert_int_equal(fake_injected, 0);
    assert_int_equal(fake_ram[0x9000], 0x11);
}

static void code_that_changed_stops_the_vm(void **state)
{
    (void)state;
    FAKE_CODE("\x90");
    assert_int_equal(string(1, true), EXIT_STOP_VCPU);
    assert_int_equal(fake_faults, 1);
    assert_int_equal(port_reads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_of_each_size, setup),
        cmocka_unit_test_setup(outs_reads_memory, setup),
        cmocka_unit_test_setup(backwards, setup),
        cmocka_unit_test_setup(rep_of_nothing, setup),
        cmocka_unit_test_setup(long_rep_in_pieces, setup),
        cmocka_unit_test_setup(a_fault_in_the_middle, setup),
        cmocka_unit_test_setup(a_users_read_fault, setup),
        cmocka_unit_test(rights_are_checked),
        cmocka_unit_test(rights_of_upper_levels_count),
        cmocka_unit_test_setup(sixteen_bit_addresses_wrap, setup),
        cmocka_unit_test_setup(thirty_two_bit_addresses, setup),
        cmocka_unit_test_setup(overrides_move_outs_only, setup),
        cmocka_unit_test_setup(untouched_memory_is_given, setup),
        cmocka_unit_test_setup(code_that_changed_stops_the_vm, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
