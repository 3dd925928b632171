/* SPDX-License-Identifier: MIT */
/*
 * Calling made-up code.
 */
#include "guest/payloads/faults/faults.h"

#include "guest/crt/interrupt.h"
#include "guest/lib/trap.h"

void code_init(void)
{
    trap_catch(VECTOR_UD);
    trap_catch(VECTOR_GP);
    trap_catch(VECTOR_PF);
}

struct code_result code_call(const void *address)
{
    struct code_result r = {0};

    TRAP_TRY("call *%[code]", TRAP_OPS("=a"(r.eax), "=&b"(r.ebx)),
             TRAP_OPS("a"(0), "c"(0), [code] "D"(address)), "rdx");
    r.trapped = trap_last.hit;
    return r;
}
