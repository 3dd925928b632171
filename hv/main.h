/* SPDX-License-Identifier: MIT */
/*
 * Where boot/ hands over.
 */
#ifndef HV_MAIN_H
#define HV_MAIN_H

#include "hv/host/boot_info.h"

/* Called on the boot CPU's stack in 64-bit mode, interrupts off, early console on. */
void hv_main(struct boot_info *bi);

#endif
