/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions. Blocks go by REP MOVSQ/STOSQ: fast enough on every processor since
 * the K8, and eight bytes a tick in an emulator that counts iterations.
 */
#include "hv/lib/string.h"

/* Or the compiler would find memcpy's loop in memcpy and call itself. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    size_t words = n / 8, bytes = n % 8;

    __asm__ volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(bytes)::"memory");
    return dst;
}

/* Copies from the last byte down; interrupt entries clear DF for themselves. */
static void copy_down(char *dst, const char *src, size_t n)
{
    dst += n - 1;
    src += n - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
}

void *memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    copy_down(dst, src, n);
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;
    u64 pattern = (u8)c * 0x0101010101010101ull;
    size_t words = n / 8, bytes = n % 8;

    __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(pattern) : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (u8)*a - (u8)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

bool str_copy(char *dst, size_t size, const char *src)
{
    size_t n = strnlen(src, size);

    if (!size)
        return false;
    if (n < size) {
        memcpy(dst, src, n + 1);
        return true;
    }
    memcpy(dst, src, size - 1);
    dst[size - 1] = 0;
    return false;
}
