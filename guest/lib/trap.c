/* SPDX-License-Identifier: MIT */
/*
 * The handler behind TRAP_TRY.
 */
#include "guest/lib/trap.h"

#include <stdio.h>

#include "guest/crt/exit.h"
#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"

volatile struct trap trap_last;
uint64_t trap_resume, trap_stack;

static void trap_handle(struct interrupt_frame *f)
{
    if (!trap_resume) {
        printf("vector %lu at rip %#lx outside a trial\n", f->vector, f->rip);
        fflush(stdout);
        exit_now(EXIT_UNHANDLED);
    }
    trap_last.hit = true;
    trap_last.vector = f->vector;
    trap_last.error = f->error;
    trap_last.rip = f->rip;
    trap_last.cr2 = insn_read_cr2();
    f->rip = trap_resume;
    f->rsp = trap_stack;
}

void trap_catch(uint8_t vector)
{
    interrupt_set_handler(vector, trap_handle);
}
