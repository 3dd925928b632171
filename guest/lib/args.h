/* SPDX-License-Identifier: MIT */
/*
 * Reading "key=value" words of a payload's command line.
 */
#ifndef GUEST_LIB_ARGS_H
#define GUEST_LIB_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/* The value of the first word "key=value" after argv[0], or NULL. */
const char *args_value(char **argv, const char *key);

/*
 * The same as a number (decimal or 0x), or fallback without the word. A value that is no number
 * ends the payload with a message and status 2.
 */
uint64_t args_number(char **argv, const char *key, uint64_t fallback);

/* name matches one of the comma-separated patterns; '*' stands for any characters. */
bool args_match(const char *patterns, const char *name);

#endif
