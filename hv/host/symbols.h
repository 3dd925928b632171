/* SPDX-License-Identifier: MIT */
/*
 * Names of the image's functions, for backtraces. boot/symtab.py makes the table.
 */
#ifndef HV_HOST_SYMBOLS_H
#define HV_HOST_SYMBOLS_H

#include "hv/lib/types.h"

/* Name of the function that holds addr, its distance in *offset; NULL when addr is not in text. */
const char *symbols_find(u64 addr, u64 *offset);

#endif
