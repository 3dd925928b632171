/* SPDX-License-Identifier: MIT */
/*
 * What the exit handlers in several files share; for hv/vm/exit*.c only.
 */
#ifndef HV_VM_EXIT_PARTS_H
#define HV_VM_EXIT_PARTS_H

#include "hv/emu/insn.h"
#include "hv/vm/exits.h"

/* The instruction is complete: steps over it. */
enum exit_result exit_done(struct vcpu *v, struct exit *e);

/* The instruction faults instead. */
enum exit_result exit_inject_gp(struct vcpu *v);
enum exit_result exit_inject_ud(struct vcpu *v);

/* INS and OUTS, with REP in pieces. */
enum exit_result exit_pio_string(struct vcpu *v, struct exit *e);

/* An access to guest-physical addresses without memory. */
enum exit_result exit_mmio(struct vcpu *v, struct exit *e);

/* Control-register accesses: only where the manifest adds the intercept, or safety needs it. */
enum exit_result exit_cr(struct vcpu *v, struct exit *e);

/* Decodes the instruction at RIP. False: it cannot be read or is undefined. */
bool exit_decode(struct vcpu *v, struct insn *i);

/* Linear address of offset in the segment that an override (or dflt) names, cut to addrsize. */
gva_t exit_linear(struct vcpu *v, u8 override, enum vseg dflt, u64 offset, u32 addrsize);

/*
 * The byte at gva for reading or writing, NULL with #PF queued. The rights are checked, since many
 * instructions exit before the processor looks at memory; SMAP is not.
 */
u8 *exit_reach(struct vcpu *v, gva_t gva, bool write);

#endif
