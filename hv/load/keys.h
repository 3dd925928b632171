/* SPDX-License-Identifier: MIT */
/*
 * The manifest's keys: one table per section drives parsing, messages and the reference. Private to
 * hv/load/manifest.c, which finds the lines and sections.
 */
#ifndef HV_LOAD_KEYS_H
#define HV_LOAD_KEYS_H

#include "hv/load/manifest.h"

#define KEYS_MAX 32 /* in one section */

/* A piece of text that no NUL ends. */
struct slice {
    const char *at;
    size_t n;
};

/* A message under construction; what does not fit is cut off. */
struct text {
    size_t n;
    char buf[1024];
};

enum key_flags {
    KEY_REQUIRED = 1 << 0,
    KEY_REPEAT = 1 << 1,  /* may stand several times in a section */
    KEY_REST = 1 << 2,    /* the value is the rest of the line, '#' included */
    KEY_RAW = 1 << 3,     /* only with format = raw, */
    KEY_KERNEL = 1 << 4,  /* only without it */
    KEY_MEASURE = 1 << 5, /* only with loop = measure */
    KEY_NAMES_MODULE = 1 << 6,
    KEY_POWER_OF_2 = 1 << 7, /* or 0 */
};

struct parser;

struct key {
    const char *name;
    const char *help;
    const char *words;    /* the accepted words, "a, b, c": their order is that of the values */
    const char *accepted; /* text after the words; without both: "min to max" */
    bool (*parse)(struct parser *p, void *field); /* false: refused, and reported */
    size_t offset; /* of the field in struct vm_config or machine_config */
    size_t size;
    u64 min, max;
    u32 flags; /* enum key_flags */
};

struct section {
    const char *name;
    const struct key *keys;
    u32 nr_keys;
};

extern const struct section section_machine, section_vm;

/* Where the parser stands. Line numbers count from 1. */
struct parser {
    const struct manifest_env *env;
    struct machine_config *out;
    struct vm_config *vm;          /* NULL outside a [vm] section */
    const struct section *section; /* NULL: before the first, or in one that was refused */
    u32 line;
    u32 section_line;
    u32 machine_line; /* of the [machine] section; 0: none yet */
    u32 errors;
    u64 used;               /* bytes of memory the VMs before this one take */
    bool skip;              /* the section was refused: so its keys are not looked at */
    u32 key_line[KEYS_MAX]; /* where each key of this section was last given; 0: not yet */
    bool key_good[KEYS_MAX];
    const struct key *key; /* the one in work, and its value */
    struct slice value;
};

struct slice slice_trim(struct slice s);
bool slice_is(struct slice s, const char *text);

/* Cuts the part before the first separator off *s and returns it trimmed; *s keeps what follows. */
struct slice slice_cut(struct slice *s, char separator);

/* The first blank-separated word of a module's command line, and its part after the last '/'. */
struct slice module_name(const struct boot_module *m);
struct slice slice_base(struct slice path);

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends what values the key accepts; env, which may be NULL, gives the modules' names. */
void key_add_accepted(struct text *t, const struct key *k, const struct manifest_env *env);

/* Appends the names of all keys of a section. */
void section_add_keys(struct text *t, const struct section *s);

const struct key *key_find(const struct section *s, struct slice name);

/* Reports a mistake: FILE:LINE: and the formatted reason. */
void parser_error(struct parser *p, u32 line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
