/* SPDX-License-Identifier: MIT */
/*
 * Moves to and from device memory, from decoded instruction to register value.
 */
#include "hv/emu/mmio.h"

#include "hv/lib/err.h"
#include "hv/x86/regs.h"

static u64 cut(u64 value, u32 size)
{
    return size < 8 ? value & (BIT64(8 * size) - 1) : value;
}

static u64 extend(u64 value, u32 size)
{
    u32 shift = 64 - 8 * size;

    return (u64)((s64)(value << shift) >> shift);
}

/* A register operand as wide as the memory operand. */
static void set_register(struct mmio_access *a, const struct insn *i, u8 reg, u32 size)
{
    *a = (struct mmio_access){.size = size, .dest_size = size, .reg = reg};
    if (size == 1 && !i->rex && reg >= GPR_RSP) { /* without REX, 4 to 7 name AH to BH */
        a->reg = reg - 4;
        a->high_byte = true;
    }
}

static void set_extending(struct mmio_access *a, const struct insn *i, u32 size, bool sign)
{
    *a = (struct mmio_access){
        .size = size, .dest_size = i->opsize, .reg = i->reg, .sign_extend = sign};
}

static int set_immediate(struct mmio_access *a, const struct insn *i, u32 size)
{
    if ((i->reg & 7) != 0)
        return -HV_ENOTSUP;
    *a = (struct mmio_access){.write = true, .size = size, .dest_size = size, .reg = INSN_NO_REG};
    a->imm = cut(extend(i->imm, i->immsize), size);
    return 0;
}

static int decode_1byte(const struct insn *i, struct mmio_access *a)
{
    u32 size = i->opcode & 1 ? i->opsize : 1; /* bit 0 of all but 63 */

    switch (i->opcode) {
    case 0x63: /* MOVSXD; ARPL outside 64-bit mode; with 0x66 AMD reads 4 bytes, Intel 2 */
        if (i->mode != INSN_MODE_64 || i->opsize == 2)
            return -HV_ENOTSUP;
        set_extending(a, i, 4, true);
        return 0;
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
        set_register(a, i, i->reg, size);
        a->write = i->opcode < 0x8a;
        return 0;
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa3:
        set_register(a, i, GPR_RAX, size);
        a->write = i->opcode >= 0xa2;
        return 0;
    case 0xc6:
    case 0xc7: return set_immediate(a, i, size);
    default: return -HV_ENOTSUP;
    }
}

static int decode_0f(const struct insn *i, struct mmio_access *a)
{
    switch (i->opcode) {
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf: set_extending(a, i, i->opcode & 1 ? 2 : 1, i->opcode >= 0xbe); return 0;
    default: return -HV_ENOTSUP;
    }
}

int mmio_decode(const struct insn *i, struct mmio_access *a)
{
    if (i->vex || i->lock || (i->has_modrm && i->mod == 3))
        return -HV_ENOTSUP;
    switch (i->map) {
    case INSN_MAP_1BYTE: return decode_1byte(i, a);
    case INSN_MAP_0F: return decode_0f(i, a);
    default: return -HV_ENOTSUP;
    }
}

u64 mmio_value(const struct mmio_access *a, u64 reg)
{
    if (a->reg == INSN_NO_REG)
        return a->imm;
    return cut(a->high_byte ? reg >> 8 : reg, a->size);
}

u64 mmio_merge(const struct mmio_access *a, u64 old, u64 value)
{
    u32 shift = a->high_byte ? 8 : 0;
    u64 mask = cut(~0ull, a->dest_size) << shift;

    value = a->sign_extend ? extend(value, a->size) : cut(value, a->size);
    if (a->dest_size >= 4)
        return value & mask;
    return (old & ~mask) | (value << shift & mask);
}
