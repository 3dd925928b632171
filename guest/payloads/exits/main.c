/* SPDX-License-Identifier: MIT */
/*
 * Why: what each operation that may leave the guest costs, seen from inside, by the guest's own
 * time stamps; run natively, what the same code takes without a hypervisor.
 */
#include "guest/payloads/exits/benches.h"

int main(int argc, char **argv)
{
    static const struct bench_group *const groups[] = {
        &instruction_benches, &port_benches,  &mmio_benches,      &register_benches,
        &halt_benches,        &touch_benches, &exception_benches, &interrupt_benches,
    };

    (void)argc;
    return bench_main("exits", groups, sizeof(groups) / sizeof(groups[0]), argv);
}
