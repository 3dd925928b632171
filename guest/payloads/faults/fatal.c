/* SPDX-License-Identifier: MIT */
/*
 * What no machine survives. Natively the machine resets, which ends QEMU with -no-reboot, or hangs.
 */
#include "guest/payloads/faults/faults.h"

#include <stdint.h>
#include <string.h>

#include "guest/crt/insn.h"
#include "guest/crt/paging.h"

const char *fault_triple_fault(void)
{
    const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none = {0, 0};

    __asm__ volatile("lidt %0\n\tud2" ::"m"(none));
    return "went on without an IDT";
}

/* Only an NMI or a reset would wake it. */
const char *fault_hlt_forever(void)
{
    insn_cli();
    insn_hlt();
    return "woke with interrupts off";
}

/* Every table that CR3 leads to then points into physical addresses that are no memory. */
const char *fault_scribble_page_tables(void)
{
    volatile uint64_t *tables = page_pml4;

    for (uint64_t i = 0; i < 6 * 512; i++)
        tables[i] = 0x000000fedcba9000ul + (i << 12) + (PTE_P | PTE_RW);
    insn_write_cr3(insn_read_cr3());
    return "went on without page tables";
}
