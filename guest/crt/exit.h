/* SPDX-License-Identifier: MIT */
/*
 * How a payload ends. exit(status) of the C library flushes standard output and comes here.
 */
#ifndef GUEST_CRT_EXIT_H
#define GUEST_CRT_EXIT_H

/*
 * Ends the machine without flushing: an orderly power-off for status 0 under Tollgate, else status
 * (low 8 bits) on the exit port, else the Bochs shutdown port, else halts for good.
 */
__attribute__((noreturn)) void exit_now(int status);

#endif
