/* SPDX-License-Identifier: MIT */
/*
 * The instruction decoder against cases written by hand from the manuals, and insn_match().
 */
#include "hv/emu/insn.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const mode_name[] = {"16", "32", "64"};

/* Decodes a copy of bytes[n] at the end of its own allocation, where a read past it is seen. */
static u32 decode(struct insn *i, const u8 *bytes, size_t n, enum insn_mode mode)
{
    u8 *copy = malloc(n + !n);
    u32 length;

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    length = insn_decode(i, copy + !n, n, mode);
    free(copy);
    return length;
}

/* In mode, the bytes (hexadecimal) are length long; 0: refused. */
struct length_case {
    enum insn_mode mode;
    const char *hex;
    u32 length;
};

static const struct length_case length_cases[] = {
    /* what exits name, plainly and under prefixes */
    {INSN_MODE_64, "0fa2", 2},
    {INSN_MODE_64, "66660fa2", 4},
    {INSN_MODE_64, "f3660fa2", 4},
    {INSN_MODE_64, "66480fa2", 4},
    {INSN_MODE_64, "48660fa2", 4},
    {INSN_MODE_64, "48484d0fa2", 5},
    {INSN_MODE_64, "0f01d9", 3},   /* VMMCALL */
    {INSN_MODE_64, "0f01c1", 3},   /* VMCALL */
    {INSN_MODE_16, "660f01d8", 4}, /* VMRUN */
    {INSN_MODE_64, "0f01f9", 3},   /* RDTSCP */
    {INSN_MODE_64, "0f01df", 3},   /* INVLPGA */
    {INSN_MODE_64, "0f0138", 3},   /* INVLPG */
    {INSN_MODE_64, "0f013d00000000", 7},
    {INSN_MODE_16, "0f013e0000", 5},
    {INSN_MODE_64, "410f01bc2400100000", 9},
    {INSN_MODE_64, "f3a4", 2},
    {INSN_MODE_64, "f3f2a4", 3},
    {INSN_MODE_64, "e4ff", 2},
    {INSN_MODE_64, "66ed", 2},
    {INSN_MODE_64, "f36c", 2},
    {INSN_MODE_64, "f4", 1},
    {INSN_MODE_64, "f390", 2},
    {INSN_MODE_64, "48cf", 2},
    {INSN_MODE_64, "cd80", 2},
    {INSN_MODE_64, "0f0115f8ffffff", 7}, /* LGDT */
    /* moves of control registers have no memory form */
    {INSN_MODE_64, "0f20c0", 3},
    {INSN_MODE_64, "440f22c0", 4},
    {INSN_MODE_64, "0f2005", 3},
    {INSN_MODE_32, "0f2344", 3},
    {INSN_MODE_64, "f00f20c0", 4},
    /* displacements */
    {INSN_MODE_64, "678b042500000000", 8},
    {INSN_MODE_64, "8b0500000000", 6},
    {INSN_MODE_64, "418b4500", 4},
    {INSN_MODE_64, "418b042400", 4},
    {INSN_MODE_32, "678b060000", 5},
    {INSN_MODE_16, "8b060000", 4},
    {INSN_MODE_16, "8b4600", 3},
    {INSN_MODE_16, "678b0500000000", 7},
    /* immediates and moffs by operand and address size */
    {INSN_MODE_64, "b800000000", 5},
    {INSN_MODE_64, "66b80000", 4},
    {INSN_MODE_64, "48b80000000000000000", 10},
    {INSN_MODE_64, "6648b80000000000000000", 11},
    {INSN_MODE_64, "4866b80000", 5},
    {INSN_MODE_16, "66b800000000", 6},
    {INSN_MODE_64, "48c7c000000000", 7},
    {INSN_MODE_64, "66c7000000", 5},
    {INSN_MODE_64, "f6c001", 3},
    {INSN_MODE_64, "f6d0", 2},
    {INSN_MODE_64, "f70c2400000000", 7},
    {INSN_MODE_64, "66f7c00000", 5},
    {INSN_MODE_64, "48f7d8", 3},
    {INSN_MODE_64, "a00000000000000000", 9},
    {INSN_MODE_64, "67a000000000", 6},
    {INSN_MODE_32, "67a10000", 4},
    {INSN_MODE_16, "a10000", 3},
    {INSN_MODE_16, "67a100000000", 6},
    {INSN_MODE_64, "c8000000", 4},
    {INSN_MODE_64, "c20000", 3},
    {INSN_MODE_16, "ea00000000", 5},
    {INSN_MODE_16, "66ea000000000000", 8},
    {INSN_MODE_32, "9a000000000000", 7},
    {INSN_MODE_64, "ea000000000000", 0},
    {INSN_MODE_64, "660f78c00102", 6}, /* EXTRQ */
    {INSN_MODE_64, "f20f78c10102", 6}, /* INSERTQ */
    {INSN_MODE_64, "0f78c1", 3},       /* VMREAD */
    /* near branches as AMD has them */
    {INSN_MODE_64, "e800000000", 5},
    {INSN_MODE_64, "66e80000", 4},
    {INSN_MODE_64, "6648e800000000", 7},
    {INSN_MODE_64, "660f840000", 5},
    {INSN_MODE_32, "66e90000", 4},
    {INSN_MODE_16, "e90000", 3},
    /* x87, SSE, 3DNow! */
    {INSN_MODE_64, "d9c0", 2},
    {INSN_MODE_64, "dd842400000000", 7},
    {INSN_MODE_64, "9b", 1},
    {INSN_MODE_64, "660f6f442410", 6},
    {INSN_MODE_64, "0f0fc19e", 4},
    {INSN_MODE_64, "0f0f0425000000009e", 9},
    {INSN_MODE_64, "0f38f00424", 5},
    {INSN_MODE_64, "660f3a0fc104", 6},
    /* VEX, EVEX and XOP, and what their first bytes are otherwise */
    {INSN_MODE_64, "c5f877", 3},
    {INSN_MODE_32, "c5f877", 3},
    {INSN_MODE_32, "c50424", 3},
    {INSN_MODE_64, "c50424", 0},
    {INSN_MODE_64, "c5f96f0424", 5},
    {INSN_MODE_64, "c4e37d19c001", 6},
    {INSN_MODE_64, "62f17c48104001", 7},
    {INSN_MODE_64, "62f37d48250424ff", 8},
    {INSN_MODE_64, "62f17848104001", 0}, /* MVEX */
    {INSN_MODE_32, "620424", 3},
    {INSN_MODE_64, "8fe878c0c101", 6},
    {INSN_MODE_64, "8fea7810c000000000", 9},
    {INSN_MODE_64, "8fc0", 2},
    {INSN_MODE_64, "66c5f877", 0},
    {INSN_MODE_64, "48c5f877", 0},
    {INSN_MODE_64, "4864c5f877", 5},
    /* by mode */
    {INSN_MODE_32, "40", 1},
    {INSN_MODE_64, "40", 0},
    {INSN_MODE_32, "06", 1},
    {INSN_MODE_64, "06", 0},
    {INSN_MODE_32, "82c001", 3},
    {INSN_MODE_64, "82c001", 0},
    {INSN_MODE_64, "0f0b", 2},
    {INSN_MODE_64, "0f04", 0},
    /* the limit */
    {INSN_MODE_64, "666666666666666666666666660fa2", 15},
    {INSN_MODE_64, "66666666666666666666666666660fa2", 0},
    {INSN_MODE_64, "66666666662e48b80000000000000000", 0},
    {INSN_MODE_64, "666666666648b80000000000000000", 15},
    {INSN_MODE_64, "66666666666666666666666666666666", 0},
    {INSN_MODE_64, "", 0},
};

static size_t from_hex(u8 *bytes, const char *hex)
{
    size_t n = strlen(hex) / 2;

    for (size_t k = 0; k < n; k++)
        assert_int_equal(sscanf(hex + 2 * k, "%2hhx", &bytes[k]), 1);
    return n;
}

static void test_lengths(void **state)
{
    u8 bytes[INSN_MAX_LENGTH + 1];
    struct insn i;

    (void)state;
    for (u32 k = 0; k < ARRAY_SIZE(length_cases); k++) {
        const struct length_case *c = &length_cases[k];
        size_t n = from_hex(bytes, c->hex);
        u32 length = decode(&i, bytes, n, c->mode);

        if (length != c->length)
            fail_msg("%s-bit %s: %u, expected %u", mode_name[c->mode], c->hex, length, c->length);
        for (n = 0; n < length; n++)
            assert_int_equal(decode(&i, bytes, n, c->mode), 0);
    }
}

static struct insn decode_hex(const char *hex, enum insn_mode mode)
{
    u8 bytes[INSN_MAX_LENGTH];
    size_t n = from_hex(bytes, hex);
    struct insn i;

    assert_int_equal(decode(&i, bytes, n, mode), n);
    return i;
}

static void test_fields(void **state)
{
    struct insn i;

    (void)state;
    i = decode_hex("678b0425f0ffffff", INSN_MODE_64);
    assert_int_equal(i.addrsize, 4);
    assert_int_equal(i.base, INSN_NO_REG);
    assert_int_equal(i.index, INSN_NO_REG);
    assert_false(i.rip_relative);
    assert_true(i.disp == -16);

    i = decode_hex("4f8b44ec80", INSN_MODE_64); /* MOV r8, [r12 + r13*8 - 0x80] */
    assert_int_equal(i.reg, GPR_R8);
    assert_int_equal(i.base, GPR_R12);
    assert_int_equal(i.index, GPR_R13);
    assert_int_equal(i.scale, 8);
    assert_true(i.disp == -128);
    assert_int_equal(i.opsize, 8);

    i = decode_hex("8b4321", INSN_MODE_16); /* MOV ax, [bp + di + 0x21] */
    assert_int_equal(i.base, GPR_RBP);
    assert_int_equal(i.index, GPR_RDI);
    assert_int_equal(i.opsize, 2);

    i = decode_hex("66ea785634120800", INSN_MODE_16); /* JMP 8:0x12345678 */
    assert_true(i.imm == 0x000812345678);
    assert_int_equal(i.immsize, 6);

    i = decode_hex("c8341205", INSN_MODE_64); /* ENTER 0x1234, 5 */
    assert_true(i.imm == 0x051234);

    i = decode_hex("48a3f0debc9a78563412", INSN_MODE_64); /* MOV [moffs], rax */
    assert_true(i.disp == 0x123456789abcdef0);
    assert_int_equal(i.immsize, 0);
}

/* Only FS and GS count in 64-bit mode, the last of all elsewhere; the last REP; REX at its place.
 */
static void test_prefixes(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("642e8b00", INSN_MODE_64).segment, 0x64);
    assert_int_equal(decode_hex("2e8b00", INSN_MODE_64).segment, 0);
    assert_int_equal(decode_hex("64658b00", INSN_MODE_64).segment, 0x65);
    assert_int_equal(decode_hex("642e8b00", INSN_MODE_32).segment, 0x2e);
    assert_int_equal(decode_hex("f3f2a4", INSN_MODE_64).rep, 0xf2);
    assert_int_equal(decode_hex("f2f3a4", INSN_MODE_64).rep, 0xf3);
    assert_true(decode_hex("f00fb10f", INSN_MODE_64).lock);
    assert_int_equal(decode_hex("4866b80000", INSN_MODE_64).rex, 0);
    assert_int_equal(decode_hex("4866b80000", INSN_MODE_64).opsize, 2);
    assert_int_equal(decode_hex("484089c0", INSN_MODE_64).rex, 0x40);
    assert_int_equal(decode_hex("484089c0", INSN_MODE_64).opsize, 4);
}

static const u32 opcodes[] = {INSN_HLT,    INSN_INVD,   INSN_WBINVD,  INSN_WRMSR,
                              INSN_RDTSC,  INSN_RDMSR,  INSN_RDPMC,   INSN_CPUID,
                              INSN_VMCALL, INSN_XSETBV, INSN_VMMCALL, INSN_RDTSCP};

/* insn_match() of bytes[n], a copy at the end of its own allocation. */
static u32 match(const u8 *bytes, size_t n, enum insn_mode mode, u32 opcode)
{
    u8 *copy = malloc(n + !n);
    u32 length;

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    length = insn_match(copy + !n, n, mode, opcode);
    free(copy);
    return length;
}

/* A first byte, twice another, then the opcode: taken as insn_decode() takes it, or not at all. */
static void check_match(u8 first, u8 second, u32 opcode, enum insn_mode mode)
{
    bool prefixes = insn_is_prefix(first, mode) && insn_is_prefix(second, mode);
    u8 bytes[INSN_MAX_LENGTH] = {first, second, second};
    u32 length = 3;
    struct insn i;

    for (u32 rest = opcode; rest; rest >>= 8)
        bytes[length++] = rest;
    assert_int_equal(match(bytes, length, mode, opcode), prefixes ? length : 0);
    if (!prefixes)
        return;
    assert_int_equal(decode(&i, bytes, length, mode), length);
    for (u32 n = 0; n < length; n++)
        assert_int_equal(match(bytes, n, mode, opcode), 0);
    for (u32 k = 0; k < ARRAY_SIZE(opcodes); k++)
        assert_int_equal(match(bytes, length, mode, opcodes[k]), opcodes[k] == opcode ? length : 0);
}

static void test_match(void **state)
{
    static const u8 seconds[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x48, 0x2e, 0x36, 0x90};

    (void)state;
    for (u32 mode = 0; mode < 3; mode++) {
        for (u32 k = 0; k < ARRAY_SIZE(opcodes); k++) {
            assert_int_equal(match((u8 *)&opcodes[k], 4, mode, opcodes[k]),
                             1 + (opcodes[k] > 0xff) + (opcodes[k] > 0xffff));
            for (u32 first = 0; first < 256; first++)
                if (first != 0x0f && first != 0xf4)
                    check_match(first, seconds[first % ARRAY_SIZE(seconds)], opcodes[k], mode);
        }
    }
}

static void test_match_limit(void **state)
{
    u8 bytes[16];

    (void)state;
    memset(bytes, 0x66, sizeof(bytes));
    bytes[14] = INSN_HLT;
    assert_int_equal(match(bytes, 15, INSN_MODE_64, INSN_HLT), 15);
    bytes[14] = 0x66;
    bytes[15] = INSN_HLT;
    assert_int_equal(match(bytes, 16, INSN_MODE_64, INSN_HLT), 0);
    assert_int_equal(match(bytes, 0, INSN_MODE_64, INSN_HLT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_fields),
        cmocka_unit_test(test_prefixes),    cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_limit),
    };

    return cmocka_run_group_tests_name("insn_cases", tests, NULL, NULL);
}
