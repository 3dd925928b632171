/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the manifest share: four modules, a parser run whose messages are kept, and
 * checks for "accepted" and "refused with exactly this message".
 */
#ifndef TESTS_UNIT_MANIFEST_FIXTURE_H
#define TESTS_UNIT_MANIFEST_FIXTURE_H

#include "hv/load/manifest.c"

#include "hv/lib/format.c"
#include "hv/load/elf.c"
#include "hv/load/kernel.c"
#include "hv/load/keys.c"
#include "hv/load/load.c"
#include "hv/load/multiboot.c"
#include "hv/load/raw.c"
#include "hv/vm/config.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_LINES 64

static u8 data[4][1024]; /* the modules' bytes */
static struct boot_module modules[BOOT_MAX_MODULES];
static struct manifest_env env;
static struct machine_config machine;
static char lines[MAX_LINES][1100];
static u32 nr_lines;

static inline void take_error(void *ctx, const char *line)
{
    assert_ptr_equal(ctx, &env);
    assert_true(nr_lines < MAX_LINES);
    snprintf(lines[nr_lines++], sizeof(lines[0]), "%s", line);
}

static inline void set_module(u32 i, const char *cmdline, const void *from, u64 size)
{
    modules[i].start = (uintptr_t)from;
    modules[i].end = modules[i].start + size;
    strcpy(modules[i].cmdline, cmdline);
}

static inline int setup(void **state)
{
    (void)state;
    memset(modules, 0, sizeof(modules));
    memset(data, 0, sizeof(data));
    nr_lines = 0;
    set_module(0, "/boot/demo.toll", data[0], 100);
    set_module(1, "/boot/k.elf quick", data[1], 512);
    set_module(2, "disk.img", data[2], 1024);
    set_module(3, "a/nothing", data[3], 0);
    env = (struct manifest_env){.file = "demo.toll",
                                .modules = modules,
                                .nr_modules = 4,
                                .free_bytes = GIB,
                                .cpus = 4,
                                .error = take_error,
                                .ctx = &env};
    return 0;
}

/* Parses text[size] from memory that ends where it ends. */
static inline int parse_bytes(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    int error;

    memcpy(copy + 1, text, size);
    nr_lines = 0;
    error = manifest_parse(&machine, copy + 1, size, &env);
    free(copy);
    return error;
}

static inline int parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static inline void accepts(const char *text)
{
    int error = parse(text);

    if (nr_lines || error)
        fail_msg("refused: %s", lines[0]);
}

/* The text must be refused with exactly this one message. */
static inline void refuses(const char *text, const char *message)
{
    assert_int_equal(parse(text), -HV_EINVAL);
    assert_int_equal(machine.nr_vms, 0);
    assert_string_equal(lines[0], message);
    if (nr_lines != 1)
        fail_msg("also: %s", lines[1]);
}

#define BASE "[vm a]\nimage = k.elf\nmemory = 16M\n" /* the next line is 4 */

/* A fourth line of a good VM must be refused with "demo.toll:4: " and this. */
static inline void refuses_key(const char *line, const char *message)
{
    char text[4096], want[2048];

    snprintf(text, sizeof(text), BASE "%s\n", line);
    snprintf(want, sizeof(want), "demo.toll:4: %s", message);
    refuses(text, want);
}

#define RAW "[vm r]\nimage = disk.img\nmemory = 16M\nformat = raw\n" /* the next line is 5 */

#define PRESENT "; present: /boot/k.elf, disk.img, a/nothing"

#endif
