/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: the format of ordinary 4-level tables, with US set since the walk is done as
 * a user access. Source: AMD64 APM volume 2, "Nested Paging".
 */
#ifndef SVM_NPT_H
#define SVM_NPT_H

#include "hv/vm/vm.h"

/* Makes vm->nested_root. 0 or -HV_ENOMEM. */
int npt_create(struct vm *vm);
void npt_destroy(struct vm *vm);

/* Maps 2^order pages (4 KiB, 2 MiB, 1 GiB; the latter in 2 MiB pages where the CPU lacks it). */
int npt_map(struct vm *vm, gpa_t gpa, hpa_t hpa, u32 order);

#endif
