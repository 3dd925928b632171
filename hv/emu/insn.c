/* SPDX-License-Identifier: MIT */
/*
 * The instruction decoder. Bytes are taken in order through take(), which hands out zeros past the
 * end and remembers that: no step needs to check, and one test at the end refuses what was cut
 * short. The forms of opcodes are in insn_table.h.
 */
#include "hv/emu/insn.h"

#include "hv/emu/insn_table.h"
#include "hv/x86/regs.h"

enum rex_bit { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

struct scan {
    const u8 *bytes;
    u32 at, end;
    bool overrun; /* more was taken than there is */
    bool opsize_prefix, addrsize_prefix;
    u8 rex; /* enum rex_bit, of a REX, VEX, EVEX or XOP prefix */
};

static u64 take(struct scan *s, u32 size)
{
    u64 value = 0;

    if (size > s->end - s->at) {
        s->overrun = true;
        s->at = s->end;
        return 0;
    }
    for (u32 k = 0; k < size; k++)
        value |= (u64)s->bytes[s->at++] << (8 * k);
    return value;
}

static u32 peek(const struct scan *s)
{
    return s->at < s->end ? s->bytes[s->at] : 0;
}

static s64 sign_extend(u64 value, u32 size)
{
    u32 shift = 64 - 8 * size;

    return size ? (s64)(value << shift) >> shift : 0;
}

static void note_prefix(struct scan *s, struct insn *i, u8 byte)
{
    switch (byte) {
    case 0x66: s->opsize_prefix = true; break;
    case 0x67: s->addrsize_prefix = true; break;
    case 0xf0: i->lock = true; break;
    case 0xf2:
    case 0xf3: i->rep = byte; break;
    case 0x64:
    case 0x65: i->segment = byte; break;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        if (i->mode != INSN_MODE_64) /* which ignores these, even after FS or GS */
            i->segment = byte;
        break;
    default: i->rex = byte;
    }
}

/*
 * Takes all prefixes and the first opcode byte, which it returns. A REX byte counts only directly
 * before the opcode.
 */
static u8 take_prefixes(struct scan *s, struct insn *i)
{
    u8 byte;

    while (insn_is_prefix(byte = take(s, 1), i->mode)) {
        i->rex = 0;
        note_prefix(s, i, byte);
    }
    s->rex = i->rex & 0x0f;
    return byte;
}

static bool is_vector_prefix(const struct scan *s, const struct insn *i, u8 byte)
{
    if (byte == 0x8f) /* else POP, whose ModRM.reg is 0 */
        return (peek(s) & 0x1f) >= 8;
    if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) /* else LES, LDS, BOUND of memory */
        return i->mode == INSN_MODE_64 || peek(s) >= 0xc0;
    return false;
}

/* What follows an opcode of a VEX or EVEX map: as in the legacy one, where that has a ModRM. */
static u32 vex_form(const struct insn *i, u32 map, bool evex)
{
    u32 legacy = insn_map_0f[i->opcode];

    switch (map) {
    case INSN_MAP_0F:
        if (i->opcode == 0x77 && !evex) /* VZEROUPPER, VZEROALL */
            return FORM_NONE;
        if ((i->opcode & 0xfe) == 0x7a && evex) /* conversions */
            return FORM_MODRM;
        return legacy & FORM_MODRM ? legacy : FORM_UNDEF;
    case INSN_MAP_0F38: return FORM_MODRM;
    case INSN_MAP_0F3A: return FORM_MODRM | FORM_IB;
    case 5: /* AVX512-FP16 */
    case 6: return evex ? FORM_MODRM : FORM_UNDEF;
    default: return FORM_UNDEF;
    }
}

static u32 xop_form(u32 map)
{
    switch (map) {
    case 8: return FORM_MODRM | FORM_IB;
    case 9: return FORM_MODRM;
    case 10: return FORM_MODRM | FORM_ID;
    default: return FORM_UNDEF;
    }
}

/* Takes the rest of a VEX, EVEX or XOP prefix and the opcode. */
static u32 take_vector_opcode(struct scan *s, struct insn *i, u8 prefix)
{
    bool undefined = s->opsize_prefix || i->rep || i->lock || i->rex;
    u32 first = take(s, 1);
    u32 second = prefix == 0xc5 ? first & 0x7f : take(s, 1); /* C5 has no W */
    u32 map = first & 0x1f;

    if (prefix == 0xc5) {
        map = INSN_MAP_0F;
        first |= (REX_X | REX_B) << 5;
    } else if (prefix == 0x62) {
        map = first & 0x0f;
        undefined |= !(second & 0x04); /* MVEX, of Knights Corner */
        take(s, 1);
    }
    if (i->mode == INSN_MODE_64)
        s->rex = (~first >> 5 & (REX_R | REX_X | REX_B)) | (second >> 7 ? REX_W : 0);
    i->vex = true;
    i->opcode = take(s, 1);
    i->map = prefix == 0x8f || map > INSN_MAP_0F3A ? INSN_MAP_OTHER : map;
    if (undefined)
        return FORM_UNDEF;
    return prefix == 0x8f ? xop_form(map) : vex_form(i, map, prefix == 0x62);
}

/*
 * Takes the opcode after its first byte and returns what follows it, of enum insn_form.
 */
static u32 take_opcode(struct scan *s, struct insn *i, u8 byte)
{
    if (is_vector_prefix(s, i, byte))
        return take_vector_opcode(s, i, byte);
    i->opcode = byte;
    if (byte != 0x0f)
        return insn_map_1byte[byte];
    i->map = INSN_MAP_0F;
    i->opcode = take(s, 1);
    if (i->opcode == 0x38 || i->opcode == 0x3a) {
        i->map = i->opcode == 0x38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
        i->opcode = take(s, 1);
        return i->map == INSN_MAP_0F38 ? FORM_MODRM : FORM_MODRM | FORM_IB;
    }
    /* EXTRQ and INSERTQ of SSE4a have two immediates, VMREAD none. */
    if (i->opcode == 0x78 && (i->rep == 0xf2 || s->opsize_prefix))
        return FORM_MODRM | FORM_IW;
    return insn_map_0f[i->opcode];
}

static void set_sizes(struct scan *s, struct insn *i)
{
    static const u8 plain[] = {2, 4, 4}, toggled[] = {4, 2, 2};

    i->opsize = s->rex & REX_W ? 8 : s->opsize_prefix ? toggled[i->mode] : plain[i->mode];
    if (i->mode == INSN_MODE_64)
        i->addrsize = s->addrsize_prefix ? 4 : 8;
    else
        i->addrsize = s->addrsize_prefix ? toggled[i->mode] : plain[i->mode];
}

static void take_memory16(struct scan *s, struct insn *i)
{
    static const u8 base[] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
                              GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};
    u32 size = i->mod; /* 0, 1 or 2 bytes of displacement */

    if (i->mod == 0 && i->rm == 6) {
        size = 2;
    } else {
        i->base = base[i->rm];
        if (i->rm < 4)
            i->index = i->rm & 1 ? GPR_RDI : GPR_RSI;
    }
    i->disp = sign_extend(take(s, size), size);
}

static void take_sib(struct scan *s, struct insn *i)
{
    u32 sib = take(s, 1);
    u32 index = (sib >> 3 & 7) | (s->rex & REX_X ? 8 : 0);

    i->has_sib = true;
    i->base = (sib & 7) | (s->rex & REX_B ? 8 : 0);
    if (index != GPR_RSP) {
        i->index = index;
        i->scale = 1 << (sib >> 6);
    }
}

static void take_memory32(struct scan *s, struct insn *i)
{
    u32 size = i->mod == 1 ? 1 : i->mod == 2 ? 4 : 0;

    i->base = i->rm;
    if ((i->rm & 7) == GPR_RSP)
        take_sib(s, i);
    if (i->mod == 0 && (i->base & 7) == GPR_RBP) {
        i->base = INSN_NO_REG;
        i->rip_relative = i->mode == INSN_MODE_64 && !i->has_sib;
        size = 4;
    }
    i->disp = sign_extend(take(s, size), size);
}

static void take_modrm(struct scan *s, struct insn *i)
{
    u32 modrm = take(s, 1);

    i->has_modrm = true;
    i->mod = modrm >> 6;
    i->reg = (modrm >> 3 & 7) | (s->rex & REX_R ? 8 : 0);
    i->rm = (modrm & 7) | (s->rex & REX_B ? 8 : 0);
    if (i->map == INSN_MAP_0F && !i->vex && (i->opcode & 0xfc) == 0x20)
        i->mod = 3; /* MOV of control and debug registers ignores the field */
    if (i->mod == 3)
        return;
    if (i->addrsize == 2)
        take_memory16(s, i);
    else
        take_memory32(s, i);
}

static u32 immediate_size(const struct insn *i, u32 form)
{
    u32 z = i->opsize == 2 ? 2 : 4;

    if (i->map == INSN_MAP_1BYTE && (i->opcode & 0xfe) == 0xf6 && (i->reg & 7) < 2)
        return i->opcode == 0xf6 ? 1 : z; /* TEST, of a group without immediates */
    switch (form & FORM_IMM) {
    case FORM_IB: return 1;
    case FORM_IW: return 2;
    case FORM_IWB: return 3;
    case FORM_IZ: return z;
    case FORM_IV: return i->opsize;
    case FORM_IFAR: return z + 2;
    case FORM_ID: return 4;
    default: return 0;
    }
}

u32 insn_decode(struct insn *i, const u8 *bytes, size_t n, enum insn_mode mode)
{
    struct scan s = {.bytes = bytes, .end = MIN(n, INSN_MAX_LENGTH)};
    u32 form;

    *i = (struct insn){.mode = mode, .base = INSN_NO_REG, .index = INSN_NO_REG, .scale = 1};
    form = take_opcode(&s, i, take_prefixes(&s, i));
    if ((form & FORM_UNDEF) || ((form & FORM_NO64) && mode == INSN_MODE_64))
        return 0;
    set_sizes(&s, i);
    if (form & FORM_MODRM)
        take_modrm(&s, i);
    if ((form & FORM_IMM) == FORM_OFFS)
        i->disp = sign_extend(take(&s, i->addrsize), i->addrsize);
    i->immsize = immediate_size(i, form);
    i->imm = take(&s, i->immsize);
    if (i->map == INSN_MAP_0F && i->opcode == 0x0f && !i->vex) { /* 3DNow! */
        i->map = INSN_MAP_OTHER;
        i->opcode = i->imm;
    }
    if (s.overrun)
        return 0;
    i->length = s.at;
    return s.at;
}
