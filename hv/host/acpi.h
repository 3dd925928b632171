/* SPDX-License-Identifier: MIT */
/*
 * The few ACPI tables the host needs: RSDP, RSDT/XSDT, MADT, SRAT, FADT, HPET. Every table is
 * checked (length, checksum) and a bad one is ignored with a message. Source: ACPI specification.
 */
#ifndef HV_HOST_ACPI_H
#define HV_HOST_ACPI_H

#include "hv/host/boot_info.h"
#include "hv/host/cpu.h"

#define ACPI_MAX_NODE_RANGES 32

struct acpi_node_range {
    hpa_t base;
    u64 length;
    u32 node; /* dense */
};

struct acpi_info {
    bool present;
    u32 nr_cpus; /* enabled local APICs, the boot CPU's included; 0 without a MADT */
    u32 apic_ids[CPU_MAX];
    u32 nodes[CPU_MAX]; /* NUMA node of each */
    hpa_t lapic_base;
    u32 nr_nodes; /* at least 1 */
    u32 nr_ranges;
    struct acpi_node_range ranges[ACPI_MAX_NODE_RANGES];
    hpa_t hpet_base;   /* 0: none */
    u16 pm_timer_port; /* 0: none */
    bool pm_timer_32bit;
};

extern struct acpi_info acpi_info;

/* Never fails: a machine without ACPI has one CPU and one node. */
void acpi_init(const struct boot_info *bi);

#endif
