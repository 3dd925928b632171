/* SPDX-License-Identifier: MIT */
/*
 * The ways to end a machine, tried from the most to the least orderly.
 */
#include "guest/crt/exit.h"

#include "guest/crt/insn.h"
#include "guest/crt/hypercall.h"
#include "guest/crt/platform.h"
#include "hv/abi/ports.h"

void exit_now(int status)
{
    insn_cli();
    if (!status && platform_get() == PLATFORM_TOLLGATE)
        hypercall(HYPERCALL_POWEROFF, 0, 0, 0);
    insn_out8(PORT_EXIT, (uint8_t)status);
    for (const char *c = "Shutdown"; *c; c++)
        insn_out8(PORT_BOCHS_SHUTDOWN, (uint8_t)*c);
    for (;;)
        insn_hlt();
}
