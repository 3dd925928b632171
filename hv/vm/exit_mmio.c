/* SPDX-License-Identifier: MIT */
/*
 * Guest-physical addresses without memory behind them: reads give all ones, writes go nowhere, as
 * on a PC's bus.
 */
#include "hv/emu/mmio.h"
#include "hv/vm/exit_parts.h"

enum exit_result exit_mmio(struct vcpu *v, struct exit *e)
{
    struct mmio_access a;
    struct insn i;

    v->exit_kind = EXIT_MMIO;
    if (e->fault.table || e->fault.fetch) {
        exit_fault(v, e,
                   e->fault.table ? "guest page tables outside guest memory"
                                  : "instruction fetch outside guest memory");
        return EXIT_STOP_VCPU;
    }
    if (!exit_decode(v, &i) || mmio_decode(&i, &a)) {
        exit_fault(v, e, "instruction on device memory that is not emulated");
        return EXIT_STOP_VCPU;
    }
    if (!a.write)
        v->regs[a.reg] = mmio_merge(&a, v->regs[a.reg], ~0ull);
    e->length = i.length;
    return exit_done(v, e);
}
