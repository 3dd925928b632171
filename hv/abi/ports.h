/* SPDX-License-Identifier: MIT */
/*
 * I/O ports a payload may count on, on every platform that has them.
 */
#ifndef HV_ABI_PORTS_H
#define HV_ABI_PORTS_H

#define PORT_DEBUGCON       0xe9 /* a byte written is console output; reading gives 0xe9 when present */
#define PORT_EXIT           0xf4 /* writing v ends the VM with status (v << 1) | 1, as isa-debug-exit */
#define PORT_COM1           0x3f8
#define PORT_BOCHS_SHUTDOWN 0x8900 /* native Bochs: writing "Shutdown" ends the emulator */

#endif
