/* SPDX-License-Identifier: MIT */
/*
 * Formatted output into a buffer: the subset of C's vsnprintf that the hypervisor uses.
 * Conversions: %% %c %s %d %i %u %x %X %p with flags '-', '0', '#', width (also '*'), precision for
 * %s (also
 * '*') and the lengths hh, h, l, ll, z, j.
 */
#ifndef HV_LIB_FORMAT_H
#define HV_LIB_FORMAT_H

#include "hv/lib/types.h"

/*
 * Both return the length the whole text would have had, like snprintf, and always terminate
 * buf[size] when size > 0.
 */
int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap);
int fmt_print(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
