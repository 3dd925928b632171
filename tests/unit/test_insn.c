/* SPDX-License-Identifier: MIT */
/* LIBS: -lZydis */
/*
 * The instruction decoder against Zydis over millions of generated instructions, against cases
 * written by hand, and against truncation. Every byte string ends at an inaccessible page, so a
 * read past its end faults. TEST_SEED in the environment chooses another sequence.
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

static void compare(const u8 bytes[INSN_MAX_LENGTH], enum insn_mode mode)
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

/* Every opcode of the legacy maps with every ModRM byte, under the prefixes that change sizes. */
static void test_every_opcode(void **state)
{
    static const u8 prefixes[] = {0, 0x66, 0x67, 0xf2, 0xf3, 0x48};
    u8 bytes[INSN_MAX_LENGTH];

    (void)state;
    for (u32 mode = 0; mode < MODES; mode++) {
        for (u32 p = 0; p < ARRAY_SIZE(prefixes); p++) {
            for (u32 op = 0; op < 4 * 256 * 256; op++) {
                u32 at = prefixes[p] != 0;

                if (op % 256 == 0)
                    fill_random(bytes, 0);
                bytes[0] = prefixes[p];
                at = add_escape(bytes, at, op >> 16);
                bytes[at] = op >> 8;
                bytes[at + 1] = op;
                compare(bytes, mode);
            }
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

static void test_match(void **state)
{
    static const u32 opcodes[] = {INSN_HLT,    INSN_INVD,   INSN_WBINVD,  INSN_WRMSR,
                                  INSN_RDTSC,  INSN_RDMSR,  INSN_RDPMC,   INSN_CPUID,
                                  INSN_VMCALL, INSN_XSETBV, INSN_VMMCALL, INSN_RDTSCP};
    u8 bytes[INSN_MAX_LENGTH];
    struct insn i;

    (void)state;
    for (u32 k = 0; k < 300000; k++) {
        u32 mode = k % MODES, opcode = opcodes[below(ARRAY_SIZE(opcodes))];
        u32 other = opcodes[below(ARRAY_SIZE(opcodes))];
        u32 at = add_prefixes(bytes, mode, below(13)), length = at;

        for (u32 rest = opcode; rest; rest >>= 8)
            bytes[length++] = rest;
        memcpy(bytes_end - length, bytes, length);
        assert_int_equal(insn_match(bytes_end - length, length, mode, opcode), length);
        assert_int_equal(decode(&i, bytes, length, mode), length);
        assert_int_equal(insn_match(bytes, length, mode, other), other == opcode ? length : 0);
        memcpy(bytes_end - at - 1, bytes, at + 1);
        if (opcode > 0xff)
            assert_int_equal(insn_match(bytes_end - at - 1, at + 1, mode, opcode), 0);
    }
    memset(bytes_end - 20, 0x66, 20);
    bytes_end[-1] = 0xf4;
    assert_int_equal(insn_match(bytes_end - 15, 15, INSN_MODE_64, INSN_HLT), 15);
    assert_int_equal(insn_match(bytes_end - 16, 16, INSN_MODE_64, INSN_HLT), 0);
    assert_int_equal(insn_match(bytes_end, 0, INSN_MODE_64, INSN_HLT), 0);
    assert_int_equal(insn_match((const u8 *)"\x48\x0f\xa2", 3, INSN_MODE_32, INSN_CPUID), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_prefixes),     cmocka_unit_test(test_near_branch_66),
        cmocka_unit_test(test_match),        cmocka_unit_test(test_random),
        cmocka_unit_test(test_every_opcode), cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests_name("insn", tests, set_up, NULL);
}
