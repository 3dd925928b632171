/* SPDX-License-Identifier: MIT */
/*
 * The page a willing guest places in its memory with HYPERCALL_STATS: what the hypervisor did for
 * this vCPU. Counters only grow; a guest reads differences. The page is the
 * guest's own memory, so a guest that writes there spoils its own figures (and its "vcpu" record),
 * no other's. Ticks are of the host TSC.
 */
#ifndef HV_ABI_STATS_H
#define HV_ABI_STATS_H

#include <stdint.h>

#include "hv/abi/exits.h"

struct vcpu_stats {
    uint64_t exits;             /* all exits; both loops */
    uint64_t interrupts;        /* events injected; both loops */
    uint64_t guest_ticks;       /* measuring loop only, else 0, as the following */
    uint64_t handler_ticks;     /* exit handlers */
    uint64_t descheduled_ticks; /* runnable, another vCPU ran */
    uint64_t halted_ticks;      /* waiting in HLT */
    uint64_t exits_by_kind[EXIT_KIND_COUNT];
};

#endif
