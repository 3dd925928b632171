/* SPDX-License-Identifier: MIT */
/*
 * JSON text in a fixed buffer, and its frame.
 */
#include "guest/lib/record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "guest/crt/console.h"
#include "guest/crt/hypercall.h"
#include "hv/abi/record.h"

#define FRAME_HEAD 10 /* RS, eight digits, blank */

static char line[RECORD_MAX];
static size_t used; /* may exceed RECORD_MAX: then the record does not fit */

__attribute__((format(printf, 1, 2))) static void append(const char *format, ...)
{
    size_t left = used < sizeof(line) ? sizeof(line) - used : 0;
    va_list args;

    va_start(args, format);
    used += (size_t)vsnprintf(left ? line + used : NULL, left, format, args);
    va_end(args);
}

/* Four bits at a time: small, and fast enough outside the runs. */
uint32_t record_crc32(uint32_t crc, const void *data, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *p = data;

    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* A JSON string; control characters become blanks. */
static void append_string(const char *s)
{
    append("\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            append("\\%c", *s);
        else
            append("%c", (unsigned char)*s < ' ' ? ' ' : *s);
    }
    append("\"");
}

void record_begin(const char *type)
{
    used = FRAME_HEAD;
    append("{\"t\":\"%s\"", type);
}

void record_text(const char *key, const char *value)
{
    append(",\"%s\":", key);
    append_string(value);
}

void record_number(const char *key, uint64_t value)
{
    append(",\"%s\":%" PRIu64, key, value);
}

void record_bool(const char *key, bool value)
{
    append(",\"%s\":%s", key, value ? "true" : "false");
}

void record_runs(const char *key, size_t n, uint64_t (*value)(size_t i, void *context),
                 void *context)
{
    size_t i = 0, run;

    append(",\"%s\":[", key);
    while (i < n) {
        uint64_t v = value(i, context);

        for (run = 1; i + run < n && value(i + run, context) == v; run++)
            ;
        append("%s[%" PRIu64 ",%zu]", i ? "," : "", v, run);
        i += run;
    }
    append("]");
}

bool record_end(void)
{
    char head[FRAME_HEAD + 1];

    append("}\n");
    if (used >= sizeof(line)) /* vsnprintf wants room for its NUL */
        return false;
    snprintf(head, sizeof(head), "%c%08" PRIx32 " ", RECORD_RS,
             record_crc32(0, line + FRAME_HEAD, used - FRAME_HEAD - 1));
    for (size_t i = 0; i < FRAME_HEAD; i++)
        line[i] = head[i];
    fflush(stdout);
    console_write(line, used);
    return true;
}

void record_drain(void)
{
    fflush(stdout);
    if (platform_get() == PLATFORM_TOLLGATE)
        hypercall(HYPERCALL_DRAIN, 0, 0, 0);
}
