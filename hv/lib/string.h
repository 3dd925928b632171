/* SPDX-License-Identifier: MIT */
/*
 * The C library's memory and string functions that a freestanding image must bring itself. The
 * prototypes are those of ISO C; host-run tests use the C library's own.
 */
#ifndef HV_LIB_STRING_H
#define HV_LIB_STRING_H

#include "hv/lib/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/*
 * Copies src into dst[size], always terminated. Returns true when all of it fitted.
 */
bool str_copy(char *dst, size_t size, const char *src);

#endif
