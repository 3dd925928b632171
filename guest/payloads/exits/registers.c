/* SPDX-License-Identifier: MIT */
/*
 * Moves to and from control registers, and the instructions that flush TLBs and caches. What is
 * written is what the register holds, but for CR0, where AM (without effect at CPL 0) flips.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/insn.h"

#define CR0_AM (1u << 18)

BENCH_OP(op_cr0_write, "movq %%rsi, %%cr0")
BENCH_OP(op_cr3_write, "movq %%rsi, %%cr3")
BENCH_OP(op_cr4_write, "movq %%rsi, %%cr4")
BENCH_OP(op_cr8_write, "movq %%rsi, %%cr8")
BENCH_OP(op_cr0_read, "movq %%cr0, %%rax")
BENCH_OP(op_invlpg, "invlpg (%%rdi)")
BENCH_OP(op_wbinvd, "wbinvd")

static const char *setup_cr0(struct bench *b, struct bench_count *count)
{
    (void)count;
    b->regs.rsi = insn_read_cr0();
    return NULL;
}

static void prepare_cr0(struct bench *b)
{
    b->regs.rsi ^= CR0_AM;
}

static const char *setup_cr3(struct bench *b, struct bench_count *count)
{
    (void)count;
    b->regs.rsi = insn_read_cr3();
    return NULL;
}

static const char *setup_cr4(struct bench *b, struct bench_count *count)
{
    (void)count;
    b->regs.rsi = insn_read_cr4();
    return NULL;
}

static const char *setup_invlpg(struct bench *b, struct bench_count *count)
{
    (void)count;
    b->regs.rdi = (uintptr_t)b;
    return NULL;
}

static struct bench table[] = {
    {.name = "exit.cr0_write", .op = op_cr0_write, .setup = setup_cr0, .prepare = prepare_cr0},
    {.name = "exit.cr3_write", .op = op_cr3_write, .setup = setup_cr3},
    {.name = "exit.cr4_write", .op = op_cr4_write, .setup = setup_cr4},
    {.name = "exit.cr8_write", .op = op_cr8_write},
    {.name = "exit.cr0_read", .op = op_cr0_read},
    {.name = "exit.invlpg", .op = op_invlpg, .setup = setup_invlpg},
    {.name = "exit.wbinvd", .op = op_wbinvd},
};
BENCH_GROUP(register_benches, table);
