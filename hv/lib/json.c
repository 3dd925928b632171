/* SPDX-License-Identifier: MIT */
/*
 * A JSON writer without allocation.
 */
#include "hv/lib/json.h"

#include "hv/lib/format.h"
#include "hv/lib/string.h"

static void put(struct json *j, char c)
{
    if (j->used + 1 < j->size)
        j->buf[j->used++] = c;
    else
        j->overflow = true;
}

static void put_text(struct json *j, const char *s)
{
    while (*s)
        put(j, *s++);
}

static void put_quoted(struct json *j, const char *s)
{
    char hex[8];

    put(j, '"');
    for (; *s; s++) {
        u8 c = (u8)*s;

        if (c == '"' || c == '\\') {
            put(j, '\\');
            put(j, *s);
        } else if (c < 0x20 || c >= 0x7f) {
            fmt_print(hex, sizeof(hex), "\\u%04x", c);
            put_text(j, hex);
        } else {
            put(j, *s);
        }
    }
    put(j, '"');
}

static void put_key(struct json *j, const char *key)
{
    if (j->comma)
        put(j, ',');
    j->comma = true;
    if (key) {
        put_quoted(j, key);
        put(j, ':');
    }
}

void json_begin(struct json *j, char *buf, size_t size)
{
    j->buf = buf;
    j->size = size;
    j->used = 0;
    j->comma = false;
    j->overflow = false;
    put(j, '{');
}

void json_string(struct json *j, const char *key, const char *value)
{
    put_key(j, key);
    put_quoted(j, value);
}

void json_u64(struct json *j, const char *key, u64 value)
{
    char text[24];

    put_key(j, key);
    fmt_print(text, sizeof(text), "%llu", (unsigned long long)value);
    put_text(j, text);
}

void json_s64(struct json *j, const char *key, s64 value)
{
    char text[24];

    put_key(j, key);
    fmt_print(text, sizeof(text), "%lld", (long long)value);
    put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    put_key(j, key);
    put_text(j, value ? "true" : "false");
}

void json_open(struct json *j, const char *key, char bracket)
{
    put_key(j, key);
    put(j, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    put(j, bracket);
    j->comma = true;
}

const char *json_end(struct json *j)
{
    put(j, '}');
    j->buf[j->used] = '\0';
    return j->overflow ? NULL : j->buf;
}
