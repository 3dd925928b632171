/* SPDX-License-Identifier: MIT */
/* LIBS: -lZydis */
/*
 * The instruction decoder against Zydis over millions of generated instructions, and against
 * truncation. Every byte string ends at an inaccessible page, so a read past its end faults.
 * TEST_SEED in the environment chooses another sequence.
 */
#include "hv/emu/insn.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>

#define RANDOM_ROUNDS 4000000
#define MODES         3

static const ZydisMachineMode machine_mode[MODES] = {
    ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_MACHINE_MODE_LONG_64};
static const ZydisStackWidth stack_width[MODES] = {ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32,
                                                   ZYDIS_STACK_WIDTH_64};
static const char *const mode_name[MODES] = {"16", "32", "64"};

static ZydisDecoder decoder[MODES];
static u8 *bytes_end; /* the first byte of the inaccessible page */
static u64 random_state;

struct counts {
    u64 equal, memory, both_refuse, only_zydis_refuses, refused;
};

static struct counts counts[MODES];

static int set_up(void **state)
{
    const char *seed = getenv("TEST_SEED");
    u8 *map = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (map == MAP_FAILED || mprotect(map + PAGE_SIZE, PAGE_SIZE, PROT_NONE))
        return -1;
    bytes_end = map + PAGE_SIZE;
    random_state = seed ? strtoull(seed, NULL, 0) : 0x746f6c6c67617465;
    random_state += !random_state; /* 0 is a fixed point */
    print_message("TEST_SEED=0x%llx\n", (unsigned long long)random_state);
    for (u32 m = 0; m < MODES; m++) {
        if (ZYAN_FAILED(ZydisDecoderInit(&decoder[m], machine_mode[m], stack_width[m])) ||
            ZYAN_FAILED(
                ZydisDecoderEnableMode(&decoder[m], ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE)))
            return -1;
        /* Without MPX its opcodes are the NOPs that processors of today take them for. */
        if (ZYAN_FAILED(ZydisDecoderEnableMode(&decoder[m], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE)))
            return -1;
    }
    return 0;
}

static u64 next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static u32 below(u32 limit)
{
    return (next_random() >> 32) % limit;
}

/* Decodes a copy of bytes[n] that ends at the inaccessible page. */
static u32 decode(struct insn *i, const u8 *bytes, size_t n, enum insn_mode mode)
{
    memcpy(bytes_end - n, bytes, n);
    return insn_decode(i, bytes_end - n, n, mode);
}

static void fail_at(const char *what, const u8 *bytes, enum insn_mode mode, s64 ours, s64 zydis)
{
    char text[3 * INSN_MAX_LENGTH + 1];

    for (u32 k = 0; k < INSN_MAX_LENGTH; k++)
        snprintf(text + 3 * k, 4, "%02x ", bytes[k]);
    fail_msg("%s-bit %s: %s %lld, Zydis %lld", mode_name[mode], text, what, (long long)ours,
             (long long)zydis);
}

static u32 register_number(ZydisRegister reg)
{
    ZydisRegisterClass class = ZydisRegisterGetClass(reg);

    if (class != ZYDIS_REGCLASS_GPR16 && class != ZYDIS_REGCLASS_GPR32 &&
        class != ZYDIS_REGCLASS_GPR64)
        return INSN_NO_REG;
    return (u8)ZydisRegisterGetId(reg);
}

/* The segment in use: the override, else by the base register. */
static u32 segment_number(const struct insn *i)
{
    static const u8 prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    for (u32 k = 0; k < ARRAY_SIZE(prefix); k++)
        if (i->segment == prefix[k])
            return k;
    return i->base == GPR_RSP || i->base == GPR_RBP ? 2 : 3;
}

#define COMPARE(what, ours, zydis)                                                                 \
    do {                                                                                           \
        if ((s64)(ours) != (s64)(zydis))                                                           \
            fail_at(what, bytes, i->mode, (s64)(ours), (s64)(zydis));                              \
    } while (0)

/*
 * Zydis 4.0 takes mod 0, SIB base 5 for R13D with REX.B when a 0x67 prefix makes addresses 32 bits
 * wide, though it counts the displacement that stands in its place; the processor does not.
 */
static bool zydis_invents_base(const struct insn *i, const ZydisDecodedInstruction *z)
{
    return i->addrsize == 4 && i->has_sib && i->mod == 0 && z->raw.sib.base == 5 &&
           i->base == INSN_NO_REG && i->mode == INSN_MODE_64;
}

static void compare_memory(const struct insn *i, const u8 *bytes, const ZydisDecodedInstruction *z,
                           const ZydisDecodedOperandMem *mem)
{
    bool rip = mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP;
    bool scaled = z->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && z->raw.disp.size == 8;

    COMPARE("rip_relative", i->rip_relative, rip);
    if (!zydis_invents_base(i, z)) {
        COMPARE("base", i->base, register_number(mem->base));
        COMPARE("displacement", i->disp, scaled ? z->raw.disp.value : mem->disp.value);
    }
    if (mem->type != ZYDIS_MEMOP_TYPE_VSIB) { /* else the index is a vector register */
        COMPARE("index", i->index, register_number(mem->index));
        if (i->index != INSN_NO_REG)
            COMPARE("scale", i->scale, mem->scale);
    }
    /* LEA has no segment; 3E before a near branch is NOTRACK to Zydis, and DS to us as well. */
    if (mem->type != ZYDIS_MEMOP_TYPE_AGEN && !(z->attributes & ZYDIS_ATTRIB_HAS_NOTRACK))
        COMPARE("segment", segment_number(i), (u8)ZydisRegisterGetId(mem->segment));
    counts[i->mode].memory++;
}

static u64 raw_immediate(const ZydisDecodedInstruction *z, u32 k)
{
    u64 value = z->raw.imm[k].value.u;

    return z->raw.imm[k].size < 64 ? value & ((1ull << z->raw.imm[k].size) - 1) : value;
}

/* MOV of control and debug registers: we report the register form that the processor takes. */
static bool ignores_mod(const struct insn *i)
{
    return i->map == INSN_MAP_0F && !i->vex && i->opcode >= 0x20 && i->opcode <= 0x23;
}

static void compare_prefixes(const struct insn *i, const u8 *bytes,
                             const ZydisDecodedInstruction *z)
{
    u32 lock = false, rep = 0;

    for (u32 k = 0; k < z->raw.prefix_count; k++) {
        u32 value = z->raw.prefixes[k].value;

        lock |= value == 0xf0;
        if (value == 0xf2 || value == 0xf3)
            rep = value;
    }
    COMPARE("lock", i->lock, lock);
    COMPARE("rep", i->rep, rep);
    COMPARE("REX", i->rex != 0, !!(z->attributes & ZYDIS_ATTRIB_HAS_REX));
    if (i->rex) {
        u32 rex = 0x40 | z->raw.rex.W << 3 | z->raw.rex.R << 2 | z->raw.rex.X << 1 | z->raw.rex.B;

        COMPARE("REX bits", i->rex, rex);
    }
}

/* The operand size, of those opcodes where Zydis means the same by it: arithmetic and MOV. */
static void compare_opsize(const struct insn *i, const u8 *bytes, const ZydisDecodedInstruction *z)
{
    u32 op = i->opcode;
    bool plain =
        i->map == INSN_MAP_1BYTE &&
        ((op < 0x40 && ((op & 7) == 1 || (op & 7) == 3 || (op & 7) == 5)) || (op | 2) == 0x8b ||
         op == 0x81 || op == 0x83 || (op & 0xf8) == 0xb8 || op == 0xc7 || (op | 2) == 0xa3);

    if (plain && (op & 1))
        COMPARE("operand size", i->opsize, z->operand_width / 8);
}

static void compare_modrm(const struct insn *i, const u8 *bytes, const ZydisDecodedInstruction *z)
{
    COMPARE("ModRM", i->has_modrm, !!(z->attributes & ZYDIS_ATTRIB_HAS_MODRM));
    COMPARE("SIB", i->has_sib, !!(z->attributes & ZYDIS_ATTRIB_HAS_SIB));
    if (!i->has_modrm)
        return;
    if (!ignores_mod(i))
        COMPARE("mod", i->mod, z->raw.modrm.mod);
    COMPARE("reg", i->reg & 7, z->raw.modrm.reg);
    COMPARE("rm", i->rm & 7, z->raw.modrm.rm);
    if (!i->vex) {
        COMPARE("REX.R", i->reg >> 3, i->rex >> 2 & 1);
        COMPARE("REX.B", i->rm >> 3, i->rex & 1);
    }
}

static void compare_fields(const struct insn *i, const u8 *bytes, const ZydisDecodedInstruction *z,
                           const ZydisDecodedOperand *operands)
{
    u64 imm = raw_immediate(z, 0);

    if (z->raw.imm[1].size)
        imm |= raw_immediate(z, 1) << z->raw.imm[0].size;
    COMPARE("opcode", i->opcode, z->opcode);
    COMPARE("vex", i->vex,
            z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
                z->encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW);
    if (z->opcode_map <= ZYDIS_OPCODE_MAP_0F3A)
        COMPARE("map", i->map, z->opcode_map - ZYDIS_OPCODE_MAP_DEFAULT);
    else
        COMPARE("map", i->map, INSN_MAP_OTHER);
    if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW) { /* whose suffix is our immediate too */
        COMPARE("immediate size", i->immsize, (z->raw.imm[0].size + z->raw.imm[1].size) / 8);
        COMPARE("immediate", i->imm, imm);
    }
    compare_prefixes(i, bytes, z);
    compare_opsize(i, bytes, z);
    compare_modrm(i, bytes, z);
    for (u32 k = 0; k < z->operand_count_visible; k++)
        if (operands[k].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operands[k].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
            compare_memory(i, bytes, z, &operands[k].mem);
    if (i->base != INSN_NO_REG || i->index != INSN_NO_REG) /* others imply it, as ENCLU does */
        COMPARE("address size", i->addrsize, z->address_width / 8);
}

/* Instructions of Knights Corner alone, a coprocessor without AMD-V or VT-x: we refuse them. */
static bool is_knights_corner(const ZydisDecodedInstruction *z)
{
    return z->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX || z->mnemonic == ZYDIS_MNEMONIC_JKZD ||
           z->mnemonic == ZYDIS_MNEMONIC_JKNZD;
}

enum verdict { ZYDIS_TAKES = 1, WE_TAKE = 2 };

/* Returns the verdicts of both. */
static u32 compare(const u8 bytes[INSN_MAX_LENGTH], enum insn_mode mode)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction z;
    struct insn storage, *i = &storage;
    u32 length = decode(i, bytes, INSN_MAX_LENGTH, mode);
    bool valid =
        ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder[mode], bytes, INSN_MAX_LENGTH, &z, operands));

    if (length > INSN_MAX_LENGTH || (length && i->length != length))
        fail_at("length", bytes, mode, length, z.length);
    if (!valid) {
        counts[mode].only_zydis_refuses += length != 0;
        counts[mode].both_refuse += length == 0;
    } else if (length == 0 && is_knights_corner(&z)) {
        counts[mode].refused++;
    } else if (length != z.length) {
        fail_at("length", bytes, mode, length, z.length);
    } else {
        compare_fields(i, bytes, &z, operands);
        counts[mode].equal++;
    }
    return (valid ? ZYDIS_TAKES : 0) | (length ? WE_TAKE : 0);
}

static void fill_random(u8 *bytes, u32 from)
{
    for (u32 k = from; k < INSN_MAX_LENGTH; k++)
        bytes[k] = next_random() >> 40;
}

static u32 add_prefixes(u8 *bytes, enum insn_mode mode, u32 count)
{
    static const u8 prefix[] = {0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf0,
                                0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    for (u32 k = 0; k < count; k++) {
        if (mode == INSN_MODE_64 && below(3) == 0)
            bytes[k] = 0x40 | below(16);
        else
            bytes[k] = prefix[below(ARRAY_SIZE(prefix))];
    }
    return count;
}

/* An escape of a legacy map, or a VEX, EVEX or XOP prefix that is more often right than not. */
static u32 add_escape(u8 *bytes, u32 at, enum insn_map map)
{
    static const u8 escape[] = {0x38, 0x3a};

    switch (map) {
    case INSN_MAP_1BYTE: return at;
    case INSN_MAP_0F: bytes[at] = 0x0f; return at + 1;
    case INSN_MAP_0F38:
    case INSN_MAP_0F3A:
        bytes[at] = 0x0f;
        bytes[at + 1] = escape[map - INSN_MAP_0F38];
        return at + 2;
    default: break;
    }
    switch (below(4)) {
    case 0: /* VEX of two bytes */
        bytes[at] = 0xc5;
        bytes[at + 1] = 0xc0 | next_random();
        bytes[at + 1] |= below(2) ? 0x78 : 0;
        return at + 2;
    case 1:
        bytes[at] = 0xc4;
        bytes[at + 1] = below(8) << 5 | below(4);
        break;
    case 2:
        bytes[at] = 0x8f;
        bytes[at + 1] = below(8) << 5 | (7 + below(5));
        break;
    default:
        bytes[at] = 0x62;
        bytes[at + 1] = below(16) << 4 | below(8);
        bytes[at + 2] = next_random() >> 20 | 4 | (below(2) ? 0x78 : 0);
        bytes[at + 3] = next_random() >> 20 & (below(2) ? 0x68 : 0xff);
        bytes[at + 3] |= 8; /* V' */
        return at + 4;
    }
    bytes[at + 2] = next_random() >> 20 | (below(2) ? 0x78 : 0);
    return at + 3;
}

static void generate(u8 bytes[INSN_MAX_LENGTH], enum insn_mode mode)
{
    u32 shape = below(8), at = 0;

    fill_random(bytes, 0);
    if (shape == 0)
        return;
    if (shape > 2)
        at = add_prefixes(bytes, mode, below(5));
    if (shape == 7)
        at = add_prefixes(bytes, mode, below(13));
    at = add_escape(bytes, at > 10 ? 10 : at, below(INSN_MAP_OTHER + 1));
    if (below(4) == 0 && at + 2 < INSN_MAX_LENGTH)
        bytes[at + 1] = (bytes[at + 1] & 0xf8) | 4 | below(2); /* SIB and displacement forms */
}

static void print_counts(const char *what)
{
    for (u32 m = 0; m < MODES; m++) {
        struct counts *c = &counts[m];

        print_message("%s, %s-bit: %llu equal (%llu memory operands), %llu refused by both, "
                      "%llu by Zydis only, %llu by us only\n",
                      what, mode_name[m], (unsigned long long)c->equal,
                      (unsigned long long)c->memory, (unsigned long long)c->both_refuse,
                      (unsigned long long)c->only_zydis_refuses, (unsigned long long)c->refused);
        *c = (struct counts){0};
    }
}

static void test_random(void **state)
{
    u8 bytes[INSN_MAX_LENGTH];
    u64 equal = 0;

    (void)state;
    for (u32 k = 0; k < RANDOM_ROUNDS; k++) {
        generate(bytes, k % MODES);
        compare(bytes, k % MODES);
    }
    for (u32 m = 0; m < MODES; m++)
        equal += counts[m].equal;
    print_counts("random");
    assert_true(equal >= 1000000);
}

/* One opcode of a legacy map with every ModRM byte, under one prefix or, for 0, none. */
static u32 compare_opcode(enum insn_mode mode, u8 prefix, enum insn_map map, u32 opcode)
{
    u8 bytes[INSN_MAX_LENGTH] = {prefix};
    u32 at = add_escape(bytes, prefix != 0, map), verdicts = 0;

    fill_random(bytes, at);
    bytes[at] = opcode;
    for (u32 modrm = 0; modrm < 256; modrm++) {
        bytes[at + 1] = modrm;
        verdicts |= compare(bytes, mode);
    }
    return verdicts;
}

/*
 * Every opcode of the legacy maps, under the prefixes that change sizes or choose an instruction.
 * In the first two maps an opcode that Zydis takes in no form must be undefined to us, too; the
 * others are sparse and we take them whole.
 */
static void test_every_opcode(void **state)
{
    static const u8 prefixes[] = {0, 0x66, 0x67, 0xf2, 0xf3, 0x48};

    (void)state;
    for (u32 mode = 0; mode < MODES; mode++) {
        for (u32 op = 0; op < 4 * 256; op++) {
            u32 map = op / 256, verdicts = 0;

            for (u32 p = 0; p < ARRAY_SIZE(prefixes); p++)
                if (!prefixes[p] || mode == INSN_MODE_64 || prefixes[p] != 0x48)
                    verdicts |= compare_opcode(mode, prefixes[p], map, op);
            if (op == 0x62 || op == 0xc4 || op == 0xc5 || op == 256 + 0x0f)
                continue; /* EVEX, VEX and 3DNow! depend on later bytes */
            if (map <= INSN_MAP_0F && verdicts == WE_TAKE)
                fail_msg("%s-bit map %u opcode %02x: undefined", mode_name[mode], map, op & 0xff);
        }
    }
    print_counts("every opcode");
}

/* What is whole with n bytes is refused with fewer, and the bytes after it do not matter. */
static void test_truncated(void **state)
{
    u8 bytes[INSN_MAX_LENGTH];
    struct insn whole, again, cut;

    (void)state;
    for (u32 k = 0; k < 100000; k++) {
        u32 mode = k % MODES, length;

        generate(bytes, mode);
        length = decode(&whole, bytes, INSN_MAX_LENGTH, mode);
        if (!length)
            continue;
        assert_int_equal(decode(&again, bytes, length, mode), length);
        assert_memory_equal(&whole, &again, sizeof(whole));
        for (u32 n = 0; n < length; n++)
            if (decode(&cut, bytes, n, mode))
                fail_at("length though cut", bytes, mode, n, length);
    }
}

/* Intel and AMD differ here; Zydis in either manner is the witness that we follow AMD knowingly. */
static void test_near_branch_66(void **state)
{
    static const u8 call[INSN_MAX_LENGTH] = {0x66, 0xe8};
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction amd, intel;
    ZydisDecoder d = decoder[INSN_MODE_64];
    struct insn i;

    (void)state;
    assert_true(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, call, sizeof(call), &amd, operands)));
    ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_FALSE);
    assert_true(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, call, sizeof(call), &intel, operands)));
    assert_int_equal(decode(&i, call, sizeof(call), INSN_MODE_64), amd.length);
    assert_int_equal(amd.length + 2, intel.length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_branch_66),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_every_opcode),
        cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests_name("insn", tests, set_up, NULL);
}
