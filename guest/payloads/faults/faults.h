/* SPDX-License-Identifier: MIT */
/*
 * The checks of this payload; each returns NULL or why it failed, as struct check wants.
 */
#ifndef GUEST_PAYLOADS_FAULTS_FAULTS_H
#define GUEST_PAYLOADS_FAULTS_FAULTS_H

#include "guest/lib/check.h"

/* fatal.c: these end the machine, or hang it, when all is well. */
const char *fault_triple_fault(void);
const char *fault_hlt_forever(void);
const char *fault_scribble_page_tables(void);

/* hammer.c, unknown.c, recycled.c */
const char *fault_hammer_ports(void);
const char *fault_unknown(void);
const char *fault_recycled(void);

/* mmio.c */
const char *fault_mmio_plain(void);
const char *fault_mmio_weird(void);

/* step.c: where traps and interrupts come around an intercepted instruction. */
const char *fault_tf_cpuid(void);
const char *fault_sti_cpuid(void);

/* place.c: CPUID in awkward places. */
const char *fault_cross_page_cpuid(void);
const char *fault_smc_cpuid(void);

/* code.c: calls code of at most 32 bytes' length at address, catching #UD, #GP and #PF. */
struct code_result {
    int trapped; /* see trap_last */
    unsigned eax, ebx;
};

void code_init(void);
/* EAX = ECX = 0 on entry; the code ends with RET. */
struct code_result code_call(const void *address);

#endif
