/* SPDX-License-Identifier: MIT */
/*
 * INS and OUTS. The instruction is decoded from memory, since not every processor tells segment
 * and address size. A long REP is served in pieces; the guest's registers are right after each.
 */
#include "hv/lib/err.h"
#include "hv/vm/exit_parts.h"
#include "hv/vm/walk.h"

#define PIECE 512 /* elements served in one exit */

/* Adds delta to an index or count register at the given address size. */
static void step_register(struct vcpu *v, enum gpr r, s64 delta, u32 addrsize)
{
    u64 old = v->regs[r], sum = old + (u64)delta;

    if (addrsize == 2)
        v->regs[r] = (old & ~0xffffull) | (sum & 0xffff);
    else
        v->regs[r] = addrsize == 4 ? (u32)sum : sum;
}

/* Moves one element between port and memory. False: the memory side faulted, #PF is queued. */
static bool move_element(struct vcpu *v, const struct insn *i, u16 port, u32 size, bool in)
{
    enum gpr r = in ? GPR_RDI : GPR_RSI;
    gva_t gva =
        exit_linear(v, in ? 0 : i->segment, in ? VSEG_ES : VSEG_DS, v->regs[r], i->addrsize);
    u32 value = 0, k;
    u8 *byte[4];

    for (k = 0; k < size; k++) {
        byte[k] = exit_reach(v, gva + k, in);
        if (!byte[k])
            return false;
    }
    if (in)
        value = exit_pio_in(v->vm, port, size);
    for (k = 0; k < size; k++) {
        if (in)
            *byte[k] = (u8)(value >> (8 * k));
        else
            value |= (u32)*byte[k] << (8 * k);
    }
    if (!in)
        exit_pio_out(v->vm, port, size, value);
    return true;
}

enum exit_result exit_pio_string(struct vcpu *v, struct exit *e)
{
    struct insn i;
    u64 mask, count = 1;
    s64 step;
    u32 done;

    if (!exit_decode(v, &i) || i.opcode < 0x6c || i.opcode > 0x6f) {
        exit_fault(v, e, "string port instruction cannot be read back");
        return EXIT_STOP_VCPU;
    }
    mask = i.addrsize == 8 ? ~0ull : BIT64(i.addrsize * 8) - 1;
    if (i.rep)
        count = v->regs[GPR_RCX] & mask;
    step = backend->get(v, VREG_RFLAGS) & RFLAGS_DF ? -(s64)e->pio.size : e->pio.size;
    for (done = 0; done < count && done < PIECE; done++) {
        if (!move_element(v, &i, e->pio.port, e->pio.size, e->pio.in))
            return EXIT_RESUME;
        step_register(v, e->pio.in ? GPR_RDI : GPR_RSI, step, i.addrsize);
        if (i.rep)
            step_register(v, GPR_RCX, -1, i.addrsize);
    }
    if (done < count)
        return EXIT_RESUME;
    e->length = i.length;
    return exit_done(v, e);
}
