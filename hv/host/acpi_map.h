/* SPDX-License-Identifier: MIT */
/*
 * How acpi.c reads physical memory; a host-run test puts a fake memory in its place.
 */
#ifndef HV_HOST_ACPI_MAP_H
#define HV_HOST_ACPI_MAP_H

#include "hv/lib/types.h"

/*
 * Returns where [pa, pa + length) can be read, or NULL. The tables are read before memory above
 * 4 GiB is mapped; page 0 never is.
 */
static inline const u8 *acpi_map(hpa_t pa, u64 length)
{
    if (pa < PAGE_SIZE || pa >= 4 * GIB || length > 4 * GIB - pa)
        return NULL;
    return (const u8 *)pa;
}

#endif
