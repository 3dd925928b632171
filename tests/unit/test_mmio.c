/* SPDX-License-Identifier: MIT */
/*
 * Moves to and from device memory. The oracle is the processor under the test: every 64-bit form
 * is also executed, on ordinary memory, and must leave what mmio_merge() and mmio_value() say.
 */
#include "hv/emu/mmio.c"

#include "hv/emu/insn.c"

#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hv/lib/err.h"

#define OLD_REGISTER 0x1122334455667788

static u8 *code_page;
static u8 *operand_end; /* the first byte of an inaccessible page: too long an access faults */

static int set_up(void **state)
{
    u8 *map = mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (map == MAP_FAILED || mprotect(map + 2 * PAGE_SIZE, PAGE_SIZE, PROT_NONE))
        return -1;
    code_page = map;
    operand_end = map + 2 * PAGE_SIZE;
    return 0;
}

static void emit(u8 **at, const char *bytes, size_t n)
{
    memcpy(*at, bytes, n);
    *at += n;
}

#define EMIT(at, bytes) emit(at, bytes, sizeof(bytes) - 1)

/*
 * Runs the instruction on the operand, which is [rdi] in its bytes, with register reg holding old
 * before, and returns reg after it.
 */
static u64 run_native(const u8 *insn, u32 length, u8 reg, void *operand, u64 old)
{
    u64 (*native)(void *operand, u64 old);
    u8 *at = code_page;

    assert_int_equal(mprotect(code_page, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    EMIT(&at, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57"); /* push rbx, rbp, r12 to r15 */
    *at++ = 0x48 | reg >> 3;                               /* mov reg, rsi */
    *at++ = 0x89;
    *at++ = 0xf0 | (reg & 7);
    emit(&at, (const char *)insn, length);
    *at++ = 0x48 | (reg >> 3) << 2; /* mov rax, reg */
    *at++ = 0x89;
    *at++ = 0xc0 | (reg & 7) << 3;
    EMIT(&at, "\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3"); /* pop them, ret */
    assert_int_equal(mprotect(code_page, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
    memcpy(&native, &code_page, sizeof(native));
    return native(operand, old);
}

/* Compares what mmio.c says of the instruction with what the processor does. */
static void check_native(const u8 *bytes, u32 length)
{
    static const u8 old_memory[] = {0x80, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99};
    u64 value = 0, reg;
    struct mmio_access a;
    struct insn i;

    assert_int_equal(insn_decode(&i, bytes, length, INSN_MODE_64), length);
    if (i.opcode == 0x63 && i.opsize == 2)
        return; /* refused, see test_refused() */
    assert_int_equal(mmio_decode(&i, &a), 0);
    if (a.reg == GPR_RSP || a.reg == GPR_RDI)
        return; /* in use by the test itself */
    memcpy(operand_end - a.size, old_memory, a.size);
    reg = run_native(bytes, length, a.reg == INSN_NO_REG ? GPR_RAX : a.reg, operand_end - a.size,
                     OLD_REGISTER);
    memcpy(&value, operand_end - a.size, a.size);
    if (a.write) {
        assert_true(value == mmio_value(&a, OLD_REGISTER));
        assert_true(reg == OLD_REGISTER);
    } else {
        assert_memory_equal(&value, old_memory, a.size);
        assert_true(reg == mmio_merge(&a, OLD_REGISTER, value));
    }
}

/* One opcode with [rdi] and every register; rex 0: none. */
static void check_registers(u32 opcode, bool opsize_prefix, u8 rex)
{
    for (u32 reg = 0; reg < 8; reg++) {
        u8 bytes[INSN_MAX_LENGTH], *at = bytes;

        if (opsize_prefix)
            *at++ = 0x66;
        if (rex)
            *at++ = rex;
        if (opcode > 0xff)
            *at++ = opcode >> 8;
        *at++ = opcode;
        *at++ = reg << 3 | 7;
        check_native(bytes, at - bytes);
    }
}

static void test_native(void **state)
{
    static const u16 opcodes[] = {0x88, 0x89, 0x8a, 0x8b, 0x63, 0x0fb6, 0x0fb7, 0x0fbe, 0x0fbf};

    (void)state;
    for (u32 k = 0; k < 2 * ARRAY_SIZE(opcodes); k++) {
        check_registers(opcodes[k / 2], k & 1, 0);
        for (u32 rex = 0x40; rex < 0x50; rex += 2) /* REX.B would make the base R15 */
            check_registers(opcodes[k / 2], k & 1, rex);
    }
}

static void test_native_immediate(void **state)
{
    (void)state;
    check_native((const u8 *)"\xc6\x07\x85", 3);
    check_native((const u8 *)"\xc7\x07\x04\x03\x02\x81", 6);
    check_native((const u8 *)"\x66\xc7\x07\x02\x81", 5);
    check_native((const u8 *)"\x48\xc7\x07\x04\x03\x02\x81", 7);
    check_native((const u8 *)"\x48\xc7\x07\x04\x03\x02\x71", 7);
    check_native((const u8 *)"\x44\xc6\x07\x85", 4); /* REX.R does not extend an opcode */
}

struct access_case {
    enum insn_mode mode;
    const char *bytes;
    u32 length;
    struct mmio_access access;
};

#define NONE INSN_NO_REG

static const struct access_case access_cases[] = {
    {INSN_MODE_64, "\xa0\1\2\3\4\5\6\7\1", 9, {false, 1, GPR_RAX, false, 0, 1, false}},
    {INSN_MODE_64, "\xa1\1\2\3\4\5\6\7\1", 9, {false, 4, GPR_RAX, false, 0, 4, false}},
    {INSN_MODE_64, "\x48\xa3\1\2\3\4\5\6\7\1", 10, {true, 8, GPR_RAX, false, 0, 8, false}},
    {INSN_MODE_64, "\x67\xa2\1\2\3\4", 6, {true, 1, GPR_RAX, false, 0, 1, false}},
    {INSN_MODE_32, "\xa3\1\2\3\4", 5, {true, 4, GPR_RAX, false, 0, 4, false}},
    {INSN_MODE_32, "\x66\xa1\1\2\3\4", 6, {false, 2, GPR_RAX, false, 0, 2, false}},
    {INSN_MODE_16, "\xa1\1\2", 3, {false, 2, GPR_RAX, false, 0, 2, false}},
    {INSN_MODE_16, "\x66\xa3\1\2", 4, {true, 4, GPR_RAX, false, 0, 4, false}},
    {INSN_MODE_32, "\x8a\x27", 2, {false, 1, GPR_RAX, true, 0, 1, false}},      /* AH */
    {INSN_MODE_32, "\x88\x3f", 2, {true, 1, GPR_RBX, true, 0, 1, false}},       /* BH */
    {INSN_MODE_64, "\x40\x8a\x27", 3, {false, 1, GPR_RSP, false, 0, 1, false}}, /* SPL */
    {INSN_MODE_64, "\x44\x88\x3f", 3, {true, 1, GPR_R15, false, 0, 1, false}},
    {INSN_MODE_16, "\x89\x3f", 2, {true, 2, GPR_RDI, false, 0, 2, false}},
    {INSN_MODE_16, "\x66\x89\x3f", 3, {true, 4, GPR_RDI, false, 0, 4, false}},
    {INSN_MODE_16, "\xc7\x07\2\x81", 4, {true, 2, NONE, false, 0x8102, 2, false}},
    {INSN_MODE_64,
     "\x48\xc7\x07\4\3\2\x81",
     7,
     {true, 8, NONE, false, 0xffffffff81020304, 8, false}},
    {INSN_MODE_64, "\x8b\x04\x25\0\0\xe0\xfe", 7, {false, 4, GPR_RAX, false, 0, 4, false}},
    {INSN_MODE_64, "\xf3\x89\x07", 3, {true, 4, GPR_RAX, false, 0, 4, false}}, /* XRELEASE */
    {INSN_MODE_32, "\x0f\xb6\x27", 3, {false, 1, GPR_RSP, false, 0, 4, false}},
    {INSN_MODE_32, "\x66\x0f\xbe\x27", 4, {false, 1, GPR_RSP, false, 0, 2, true}},
    {INSN_MODE_64, "\x48\x0f\xb7\x07", 4, {false, 2, GPR_RAX, false, 0, 8, false}},
    {INSN_MODE_64, "\x4c\x63\x07", 3, {false, 4, GPR_R8, false, 0, 8, true}},
    {INSN_MODE_64, "\x63\x07", 2, {false, 4, GPR_RAX, false, 0, 4, true}},
};

static void test_decode(void **state)
{
    (void)state;
    for (u32 k = 0; k < ARRAY_SIZE(access_cases); k++) {
        const struct access_case *c = &access_cases[k];
        struct mmio_access a;
        struct insn i;

        assert_int_equal(insn_decode(&i, (const u8 *)c->bytes, c->length, c->mode), c->length);
        assert_int_equal(mmio_decode(&i, &a), 0);
        assert_int_equal(a.write, c->access.write);
        assert_int_equal(a.size, c->access.size);
        assert_int_equal(a.reg, c->access.reg);
        assert_int_equal(a.high_byte, c->access.high_byte);
        assert_true(a.imm == c->access.imm);
        assert_int_equal(a.dest_size, c->access.dest_size);
        assert_int_equal(a.sign_extend, c->access.sign_extend);
    }
}

static void test_refused(void **state)
{
    static const struct {
        enum insn_mode mode;
        const char *bytes;
        u32 length;
    } cases[] = {
        {INSN_MODE_64, "\x89\xc0", 2},             /* MOV of registers */
        {INSN_MODE_64, "\xc7\xc0\0\0\0\0", 6},     /* MOV of a register */
        {INSN_MODE_64, "\xc7\xf8\0\0\0\0", 6},     /* XBEGIN */
        {INSN_MODE_64, "\xc6\x0f\0", 3},           /* undefined */
        {INSN_MODE_64, "\xf0\x89\x07", 3},         /* LOCK MOV is undefined */
        {INSN_MODE_32, "\x63\x07", 2},             /* ARPL */
        {INSN_MODE_64, "\x66\x63\x07", 3},         /* MOVSXD of another size by vendor */
        {INSN_MODE_64, "\xa4", 1},                 /* MOVS */
        {INSN_MODE_64, "\xf3\xaa", 2},             /* REP STOS */
        {INSN_MODE_64, "\xac", 1},                 /* LODS */
        {INSN_MODE_64, "\x87\x07", 2},             /* XCHG */
        {INSN_MODE_64, "\x8c\x07", 2},             /* MOV of a segment register */
        {INSN_MODE_64, "\x8d\x07", 2},             /* LEA */
        {INSN_MODE_64, "\x01\x07", 2},             /* ADD */
        {INSN_MODE_64, "\xf3\x0f\xb8\x07", 4},     /* POPCNT */
        {INSN_MODE_64, "\x0f\x38\xf0\x07", 4},     /* MOVBE */
        {INSN_MODE_64, "\x66\x0f\x38\x8a\x07", 5}, /* opcodes of MOV in another map */
        {INSN_MODE_64, "\x0f\x89\0\0\0\0", 6},
        {INSN_MODE_64, "\x0f\x0f\x07\x8a", 4},
        {INSN_MODE_64, "\x0f\xb6\xc0", 3},       /* MOVZX of registers */
        {INSN_MODE_64, "\xc5\xf8\xc6\x07\0", 5}, /* VSHUFPS, C6 in another map */
        {INSN_MODE_64, "\xc5\xf8\xb6\x07", 4},
        {INSN_MODE_64, "\x0f\xa2", 2},
    };
    struct mmio_access a;
    struct insn i;

    (void)state;
    for (u32 k = 0; k < ARRAY_SIZE(cases); k++) {
        assert_int_equal(
            insn_decode(&i, (const u8 *)cases[k].bytes, cases[k].length, cases[k].mode),
            cases[k].length);
        assert_int_equal(mmio_decode(&i, &a), -HV_ENOTSUP);
    }
}

static void test_merge(void **state)
{
    struct mmio_access a = {.size = 1, .dest_size = 1};

    (void)state;
    assert_true(mmio_merge(&a, OLD_REGISTER, 0xff99) == 0x1122334455667799);
    a.high_byte = true;
    assert_true(mmio_merge(&a, OLD_REGISTER, 0xff99) == 0x1122334455669988);
    assert_true(mmio_value(&a, OLD_REGISTER) == 0x77);
    a = (struct mmio_access){.size = 1, .dest_size = 2, .sign_extend = true};
    assert_true(mmio_merge(&a, OLD_REGISTER, 0x80) == 0x112233445566ff80);
    a.dest_size = 4;
    assert_true(mmio_merge(&a, OLD_REGISTER, 0x80) == 0xffffff80);
    a.dest_size = 8;
    assert_true(mmio_merge(&a, OLD_REGISTER, 0x80) == 0xffffffffffffff80);
    a = (struct mmio_access){.size = 8, .dest_size = 8};
    assert_true(mmio_merge(&a, OLD_REGISTER, ~0ull) == ~0ull);
    assert_true(mmio_value(&a, OLD_REGISTER) == OLD_REGISTER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native), cmocka_unit_test(test_native_immediate),
        cmocka_unit_test(test_decode), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_merge),
    };

    return cmocka_run_group_tests_name("mmio", tests, set_up, NULL);
}
