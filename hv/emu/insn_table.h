/* SPDX-License-Identifier: MIT */
/*
 * What follows each opcode of the one-byte and 0F maps, a byte each. Private to insn.c. Source:
 * AMD64 APM volume 3, "Opcode and Operand Encodings"; Intel SDM volume 2, "Opcode Map".
 */
#ifndef HV_EMU_INSN_TABLE_H
#define HV_EMU_INSN_TABLE_H

#include "hv/lib/types.h"

enum insn_form {
    FORM_IMM = 0x0f, /* mask of the kind of immediate: */
    FORM_NONE = 0,
    FORM_IB,   /* 1 byte */
    FORM_IW,   /* 2 bytes */
    FORM_IWB,  /* 3: ENTER */
    FORM_IZ,   /* 2 or 4, by operand size */
    FORM_IV,   /* 2, 4 or 8, by operand size */
    FORM_IFAR, /* IZ and a selector */
    FORM_OFFS, /* moffs: 2, 4 or 8, by address size */
    FORM_ID,   /* 4 bytes */

    FORM_MODRM = 0x10,
    FORM_NO64 = 0x20,  /* undefined in 64-bit mode */
    FORM_UNDEF = 0x40, /* undefined in every mode; or a prefix or escape, which the code handles */
};

#define N  FORM_NONE
#define B  FORM_IB
#define W  FORM_IW
#define E  FORM_IWB
#define Z  FORM_IZ
#define V  FORM_IV
#define O  FORM_OFFS
#define M  FORM_MODRM
#define MB (FORM_MODRM | FORM_IB)
#define MZ (FORM_MODRM | FORM_IZ)
#define X  FORM_NO64
#define XB (FORM_NO64 | FORM_IB)
#define XF (FORM_NO64 | FORM_IFAR)
#define XM (FORM_NO64 | FORM_MODRM)
#define XN (FORM_NO64 | FORM_MODRM | FORM_IB)
#define U  FORM_UNDEF

/* clang-format off */
static const u8 insn_map_1byte[256] = {
/*       0   1   2   3   4   5   6   7   8   9   a   b   c   d   e   f */
/* 00 */ M,  M,  M,  M,  B,  Z,  X,  X,  M,  M,  M,  M,  B,  Z,  X,  U,
/* 10 */ M,  M,  M,  M,  B,  Z,  X,  X,  M,  M,  M,  M,  B,  Z,  X,  X,
/* 20 */ M,  M,  M,  M,  B,  Z,  U,  X,  M,  M,  M,  M,  B,  Z,  U,  X,
/* 30 */ M,  M,  M,  M,  B,  Z,  U,  X,  M,  M,  M,  M,  B,  Z,  U,  X,
/* 40 */ N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,
/* 50 */ N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,
/* 60 */ X,  X,  XM, M,  U,  U,  U,  U,  Z,  MZ, B,  MB, N,  N,  N,  N,
/* 70 */ B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
/* 80 */ MB, MZ, XN, MB, M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* 90 */ N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  XF, N,  N,  N,  N,  N,
/* a0 */ O,  O,  O,  O,  N,  N,  N,  N,  B,  Z,  N,  N,  N,  N,  N,  N,
/* b0 */ B,  B,  B,  B,  B,  B,  B,  B,  V,  V,  V,  V,  V,  V,  V,  V,
/* c0 */ MB, MB, W,  N,  XM, XM, MB, MZ, E,  N,  W,  N,  N,  B,  X,  N,
/* d0 */ M,  M,  M,  M,  XB, XB, X,  N,  M,  M,  M,  M,  M,  M,  M,  M,
/* e0 */ B,  B,  B,  B,  B,  B,  B,  B,  Z,  Z,  XF, B,  N,  N,  N,  N,
/* f0 */ U,  N,  U,  U,  N,  N,  M,  M,  N,  N,  N,  N,  N,  N,  M,  M,
};

static const u8 insn_map_0f[256] = {
/*       0   1   2   3   4   5   6   7   8   9   a   b   c   d   e   f */
/* 00 */ M,  M,  M,  M,  U,  N,  N,  N,  N,  N,  U,  N,  U,  M,  N,  MB,
/* 10 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* 20 */ M,  M,  M,  M,  U,  U,  U,  U,  M,  M,  M,  M,  M,  M,  M,  M,
/* 30 */ N,  N,  N,  N,  N,  N,  U,  N,  U,  U,  U,  U,  U,  U,  U,  U,
/* 40 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* 50 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* 60 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* 70 */ MB, MB, MB, MB, M,  M,  M,  N,  M,  M,  U,  U,  M,  M,  M,  M,
/* 80 */ Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,
/* 90 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* a0 */ N,  N,  N,  M,  MB, M,  M,  M,  N,  N,  N,  M,  MB, M,  M,  M,
/* b0 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  MB, M,  M,  M,  M,  M,
/* c0 */ M,  M,  MB, M,  MB, MB, MB, M,  N,  N,  N,  N,  N,  N,  N,  N,
/* d0 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* e0 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
/* f0 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
};
/* clang-format on */

#undef N
#undef B
#undef W
#undef E
#undef Z
#undef V
#undef O
#undef M
#undef MB
#undef MZ
#undef X
#undef XB
#undef XF
#undef XM
#undef XN
#undef U

#endif
