/* SPDX-License-Identifier: MIT */
/*
 * Writing one JSON object into a buffer. A text that does not fit is noticed: json_end() then
 * returns NULL and the caller reports the loss instead of a broken record.
 */
#ifndef HV_LIB_JSON_H
#define HV_LIB_JSON_H

#include "hv/lib/types.h"

struct json {
    char *buf;
    size_t size;
    size_t used;
    bool comma; /* a value stands before the next one */
    bool overflow;
};

/* Begins "{" in buf[size]. key may be NULL inside arrays. Strings are escaped. */
void json_begin(struct json *j, char *buf, size_t size);
void json_string(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, u64 value);
void json_s64(struct json *j, const char *key, s64 value);
void json_bool(struct json *j, const char *key, bool value);
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);                 /* '}' or ']' */

/* Closes the object; the text, or NULL when it did not fit. */
const char *json_end(struct json *j);

#endif
