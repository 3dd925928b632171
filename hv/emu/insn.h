/* SPDX-License-Identifier: MIT */
/*
 * Instruction decoding: the length of any instruction, and the operands of those that the
 * hypervisor may have to execute on a guest's behalf. Works on bytes alone, knows no CPU state
 * but the mode. Source: AMD64 APM volume 3, "Instruction Encoding"; Intel SDM volume 2,
 * "Instruction Format".
 */
#ifndef HV_EMU_INSN_H
#define HV_EMU_INSN_H

#include "hv/lib/types.h"

#define INSN_MAX_LENGTH 15

enum insn_mode {
    INSN_MODE_16,
    INSN_MODE_32,
    INSN_MODE_64
}; /* default operand/address size of CS */

enum insn_map { INSN_MAP_1BYTE, INSN_MAP_0F, INSN_MAP_0F38, INSN_MAP_0F3A, INSN_MAP_OTHER };

#define INSN_NO_REG 0xff

/* Opcodes for insn_match(): the bytes after the prefixes, first byte lowest. */
enum insn_opcode {
    INSN_HLT = 0xf4,
    INSN_INVD = 0x080f,
    INSN_WBINVD = 0x090f,
    INSN_WRMSR = 0x300f,
    INSN_RDTSC = 0x310f,
    INSN_RDMSR = 0x320f,
    INSN_RDPMC = 0x330f,
    INSN_CPUID = 0xa20f,
    INSN_VMCALL = 0xc1010f,
    INSN_XSETBV = 0xd1010f,
    INSN_VMMCALL = 0xd9010f,
    INSN_RDTSCP = 0xf9010f,
};

struct insn {
    u8 length;   /* bytes, 1 to 15 */
    u8 mode;     /* enum insn_mode it was decoded in */
    u8 map;      /* enum insn_map; INSN_MAP_OTHER: 3DNow!, XOP, EVEX maps 5 and 6: length only */
    u8 opcode;   /* last opcode byte; of 3DNow! the suffix */
    u8 opsize;   /* operand size in bytes by prefixes and mode alone: 2, 4 or 8 */
    u8 addrsize; /* address size in bytes: 2, 4 or 8 */
    u8 rex;      /* the REX byte, 0 when none or cancelled by a later prefix */
    u8 rep;      /* 0, 0xf2 or 0xf3: the last of them */
    u8 segment;  /* override in force: 0x26 0x2e 0x36 0x3e 0x64 0x65 (64-bit: last two), or 0 */
    bool lock;
    bool vex; /* VEX, EVEX or XOP encoded */
    bool has_modrm;
    u8 mod, reg, rm; /* reg and rm with their REX extension; rm is meaningless with has_sib */
    bool has_sib;
    u8 base, index; /* enum gpr numbering, or INSN_NO_REG; set for every memory operand */
    u8 scale;       /* 1, 2, 4, 8; of the index */
    bool rip_relative;
    s64 disp; /* sign-extended; also a moffs. EVEX disp8 is not scaled */
    u64 imm;  /* zero-extended, immsize bytes; two immediates follow one another */
    u8 immsize;
};

/*
 * Decodes one instruction out of bytes[n]. Returns its length, or 0 when n bytes do not hold a
 * whole instruction, when it would be longer than 15 bytes, or when the opcode is undefined in that
 * mode; *i then holds nothing of use. A length does not promise that the processor takes the
 * instruction: what depends on the ModRM byte, LOCK or CPUID is not checked. Opcodes that default
 * to 64-bit operands in 64-bit mode are not told apart in opsize. A near branch with a 0x66 prefix
 * in 64-bit mode has a 16-bit displacement, as on AMD: Intel processors ignore the prefix there,
 * but they report instruction lengths. (APM volume 1, "Near Branches in 64-Bit
 * Mode".)
 */
u32 insn_decode(struct insn *i, const u8 *bytes, size_t n, enum insn_mode mode);

/* A legacy prefix, or in 64-bit mode a REX prefix. */
static inline bool insn_is_prefix(u8 byte, enum insn_mode mode)
{
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3: return true;
    default: return mode == INSN_MODE_64 && (byte & 0xf0) == 0x40;
    }
}

/*
 * The short way for an exit that names its instruction: the length of bytes[n] when they start with
 * any prefixes and then this opcode (no operand bytes are added), else 0. Inline, so that a
 * constant opcode costs about fifteen instructions and each prefix as many more.
 */
static inline u32 insn_match(const u8 *bytes, size_t n, enum insn_mode mode,
                             enum insn_opcode opcode)
{
    u32 size = opcode > 0xffff ? 3 : opcode > 0xff ? 2 : 1;
    u32 end = MIN(n, INSN_MAX_LENGTH);

    for (u32 at = 0; at + size <= end; at++) {
        if (bytes[at] == (opcode & 0xff))
            return (size < 2 || bytes[at + 1] == (opcode >> 8 & 0xff)) &&
                           (size < 3 || bytes[at + 2] == opcode >> 16)
                       ? at + size
                       : 0;
        if (!insn_is_prefix(bytes[at], mode))
            return 0;
    }
    return 0;
}

#endif
