/* SPDX-License-Identifier: MIT */
/*
 * What a decoded instruction does to device memory: the moves between a general-purpose register
 * or an immediate and memory. Computes on values alone; the caller knows the address, reads and
 * writes the device and the registers, and advances RIP.
 */
#ifndef HV_EMU_MMIO_H
#define HV_EMU_MMIO_H

#include "hv/emu/insn.h"
#include "hv/lib/types.h"

struct mmio_access {
    bool write;       /* to memory; else from memory into reg */
    u8 size;          /* bytes at memory: 1, 2, 4 or 8 */
    u8 reg;           /* enum gpr, or INSN_NO_REG: imm is what is written */
    bool high_byte;   /* reg is AH, CH, DH or BH: bits 15:8 of RAX to RBX */
    u64 imm;          /* sign-extended to the operand size, then cut to size bytes */
    u8 dest_size;     /* bytes of reg that a read changes: 1, 2, 4 or 8 */
    bool sign_extend; /* the value read, from size to dest_size; else zero-extended */
};

/*
 * Describes the access that i makes to its memory operand: MOV, MOVZX, MOVSX, MOVSXD. Returns 0, or
 * -HV_ENOTSUP for every other instruction and for one without memory operand; *a then holds
 * nothing.
 */
int mmio_decode(const struct insn *i, struct mmio_access *a);

/*
 * The value that a write puts into memory, cut to a->size bytes; reg is the 64-bit register a->reg,
 * of no matter when that is INSN_NO_REG.
 */
u64 mmio_value(const struct mmio_access *a, u64 reg);

/*
 * The 64-bit register after a read of value: 8- and 16-bit results leave the rest of old, 32-bit
 * results clear the upper half. (APM volume 1, "Zero-Extension of 32-Bit Results".)
 */
u64 mmio_merge(const struct mmio_access *a, u64 old, u64 value);

#endif
