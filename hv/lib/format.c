/* SPDX-License-Identifier: MIT */
/*
 * Formatted output; hv/lib/format.h lists what is understood. A conversion that is not is printed
 * as it stands.
 */
#include "hv/lib/format.h"
#include "hv/lib/string.h"

struct fmt_out {
    char *buf;
    size_t size;
    size_t len; /* of the whole text, fitting or not */
};

struct fmt_spec {
    bool left, zero, alt, upper;
    int width;
    int precision; /* -1: none */
    size_t bytes;  /* of the integer argument */
};

static void put(struct fmt_out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_text(struct fmt_out *o, const char *s, size_t n)
{
    while (n--)
        put(o, *s++);
}

static void pad(struct fmt_out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_field(struct fmt_out *o, const struct fmt_spec *s, const char *text, size_t n)
{
    int fill = s->width - (int)n;

    if (!s->left)
        pad(o, ' ', fill);
    put_text(o, text, n);
    if (s->left)
        pad(o, ' ', fill);
}

/* prefix: sign or "0x"; zero padding goes between it and the digits. */
static void put_number(struct fmt_out *o, const struct fmt_spec *s, const char *prefix, u64 v,
                       unsigned base)
{
    const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20];
    int n = 0, prefix_len = (int)strlen(prefix), fill;

    do
        text[n++] = digits[v % base];
    while (v /= base);
    fill = s->width - prefix_len - n;
    if (!s->left && !s->zero)
        pad(o, ' ', fill);
    put_text(o, prefix, (size_t)prefix_len);
    if (!s->left && s->zero)
        pad(o, '0', fill);
    while (n)
        put(o, text[--n]);
    if (s->left)
        pad(o, ' ', fill);
}

static u64 unsigned_arg(const struct fmt_spec *s, va_list *ap)
{
    u64 v = s->bytes == 8 ? va_arg(*ap, u64) : va_arg(*ap, u32);

    return s->bytes == 8 ? v : v & ((1ull << 8 * s->bytes) - 1);
}

static s64 signed_arg(const struct fmt_spec *s, va_list *ap)
{
    u64 sign = 1ull << (8 * s->bytes - 1);
    u64 v = unsigned_arg(s, ap);

    return (s64)((v ^ sign) - sign);
}

static const char *parse_number(const char *f, int *value, va_list *ap)
{
    *value = 0;
    if (*f == '*') {
        *value = va_arg(*ap, int);
        return f + 1;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        if (*value < 100000)
            *value = *value * 10 + (*f - '0');
    return f;
}

static const char *parse_length(const char *f, struct fmt_spec *s)
{
    s->bytes = 4;
    if (*f == 'l' || *f == 'z' || *f == 'j') {
        s->bytes = 8;
        return f[0] == 'l' && f[1] == 'l' ? f + 2 : f + 1;
    }
    if (*f != 'h')
        return f;
    s->bytes = f[1] == 'h' ? 1 : 2;
    return f[1] == 'h' ? f + 2 : f + 1;
}

/* Reads what stands between '%' and the conversion; returns the conversion's place. */
static const char *parse_spec(const char *f, struct fmt_spec *s, va_list *ap)
{
    *s = (struct fmt_spec){.precision = -1};
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '#')
            s->alt = true;
        else
            break;
    }
    f = parse_number(f, &s->width, ap);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    if (*f == '.')
        f = parse_number(f + 1, &s->precision, ap);
    return parse_length(f, s);
}

static void put_string(struct fmt_out *o, const struct fmt_spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    put_field(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static void put_signed(struct fmt_out *o, const struct fmt_spec *s, s64 v)
{
    put_number(o, s, v < 0 ? "-" : "", v < 0 ? -(u64)v : (u64)v, 10);
}

static void put_hex(struct fmt_out *o, const struct fmt_spec *s, u64 v)
{
    put_number(o, s, s->alt && v ? (s->upper ? "0X" : "0x") : "", v, 16);
}

/* Returns false when c is no conversion. */
static bool convert(struct fmt_out *o, struct fmt_spec *s, char c, va_list *ap)
{
    char character;

    switch (c) {
    case '%': put(o, '%'); return true;
    case 'c':
        character = (char)va_arg(*ap, int);
        put_field(o, s, &character, 1);
        return true;
    case 's': put_string(o, s, va_arg(*ap, const char *)); return true;
    case 'd':
    case 'i': put_signed(o, s, signed_arg(s, ap)); return true;
    case 'u': put_number(o, s, "", unsigned_arg(s, ap), 10); return true;
    case 'X':
        s->upper = true;
        put_hex(o, s, unsigned_arg(s, ap));
        return true;
    case 'x': put_hex(o, s, unsigned_arg(s, ap)); return true;
    case 'p': put_number(o, s, "0x", (uintptr_t)va_arg(*ap, void *), 16); return true;
    default: return false;
    }
}

int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct fmt_out o = {buf, size, 0};
    struct fmt_spec spec;
    const char *start;
    va_list args;

    va_copy(args, ap);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        start = fmt;
        fmt = parse_spec(fmt + 1, &spec, &args);
        if (!convert(&o, &spec, *fmt, &args)) {
            put_text(&o, start, (size_t)(fmt - start));
            fmt--;
        }
    }
    va_end(args);
    if (size)
        buf[MIN(o.len, size - 1)] = 0;
    return (int)o.len;
}

int fmt_print(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
