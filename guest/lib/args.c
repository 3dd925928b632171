/* SPDX-License-Identifier: MIT */
/*
 * Command-line words and patterns.
 */
#include "guest/lib/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *args_value(char **argv, const char *key)
{
    size_t n = strlen(key);

    for (char **word = argv; *word; word++) {
        if (word != argv && !strncmp(*word, key, n) && (*word)[n] == '=')
            return *word + n + 1;
    }
    return NULL;
}

uint64_t args_number(char **argv, const char *key, uint64_t fallback)
{
    const char *value = args_value(argv, key);
    uint64_t number;
    char *end;

    if (!value)
        return fallback;
    number = strtoull(value, &end, 0);
    if (end == value || *end || *value == '-') {
        printf("%s=%s: not a number\n", key, value);
        exit(2);
    }
    return number;
}

/* Matches name against one pattern that ends at a comma or at the end. */
static bool match_one(const char *pattern, const char *name)
{
    for (; *pattern && *pattern != ','; pattern++, name++) {
        if (*pattern == '*') {
            do {
                if (match_one(pattern + 1, name))
                    return true;
            } while (*name++);
            return false;
        }
        if (*pattern != *name)
            return false;
    }
    return !*name;
}

bool args_match(const char *patterns, const char *name)
{
    for (const char *p = patterns; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (match_one(p, name))
            return true;
    }
    return false;
}
