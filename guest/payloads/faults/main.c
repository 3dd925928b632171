/* SPDX-License-Identifier: MIT */
/*
 * Why: guests do terrible and awkward things; the first end in a clear reason for this guest alone,
 * the second work exactly as on the machine itself. The words of the command line choose.
 */
#include "guest/payloads/faults/faults.h"

int main(int argc, char **argv)
{
    static const struct check table[] = {
        {"triple_fault", fault_triple_fault},
        {"hlt_forever", fault_hlt_forever},
        {"scribble_page_tables", fault_scribble_page_tables},
        {"hammer_ports", fault_hammer_ports},
        {"unknown", fault_unknown},
        {"mmio_plain", fault_mmio_plain},
        {"mmio_weird", fault_mmio_weird},
        {"tf_cpuid", fault_tf_cpuid},
        {"sti_cpuid", fault_sti_cpuid},
        {"cross_page_cpuid", fault_cross_page_cpuid},
        {"smc_cpuid", fault_smc_cpuid},
        {"recycled", fault_recycled},
        {0},
    };

    (void)argc;
    return check_main(table, argv, 0);
}
