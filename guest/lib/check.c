/* SPDX-License-Identifier: MIT */
/*
 * Running and reporting checks.
 */
#include "guest/lib/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *check_why(const char *format, ...)
{
    static char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return text;
}

static int run_one(const struct check *c)
{
    const char *why = c->test();

    if (why && !strncmp(why, CHECK_SKIP, strlen(CHECK_SKIP))) {
        printf("SKIP %s: %s\n", c->name, why + strlen(CHECK_SKIP));
        return 0;
    }
    if (why)
        printf("FAIL %s: %s\n", c->name, why);
    else
        printf("PASS %s\n", c->name);
    return why != NULL;
}

static int usage(const struct check *table)
{
    printf("say which:");
    for (; table->name; table++)
        printf(" %s", table->name);
    printf("\n");
    return 2;
}

static const struct check *find(const struct check *table, const char *name)
{
    while (table->name && strcmp(table->name, name))
        table++;
    return table->name ? table : NULL;
}

int check_main(const struct check *table, char **argv, int all)
{
    const struct check *c;
    int status = 0;

    if (!argv[1] && !all)
        return usage(table);
    for (c = table; !argv[1] && c->name; c++)
        status |= run_one(c);
    for (char **word = argv; *word && *++word;) {
        if (strchr(*word, '='))
            continue;
        c = find(table, *word);
        if (!c)
            return usage(table);
        status |= run_one(c);
    }
    return status;
}
