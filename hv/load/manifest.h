/* SPDX-License-Identifier: MIT */
/*
 * The manifest: a text module that describes the VMs. Every mistake in it is reported with file,
 * line, reason and the accepted values; a manifest with a mistake starts nothing.
 */
#ifndef HV_LOAD_MANIFEST_H
#define HV_LOAD_MANIFEST_H

#include "hv/host/boot_info.h"
#include "hv/vm/config.h"

#define MANIFEST_MAX_ERRORS 20 /* reported; later ones are only counted */

/* What a manifest is checked against. */
struct manifest_env {
    const char *file;                  /* the manifest's name, put before each message */
    const struct boot_module *modules; /* everything the boot loader brought */
    u32 nr_modules;
    u64 free_bytes;                             /* memory that all VMs together may take */
    u32 cpus;                                   /* physical CPUs online */
    void (*error)(void *ctx, const char *line); /* gets each message, without newline */
    void *ctx;
};

/*
 * True when m is a manifest: the first word of its command line ends in ".toll", or the second is
 * "manifest", or the file begins with "#tollgate". Reads the module's first bytes.
 */
bool manifest_is(const struct boot_module *m);

/*
 * Reads text[size] into *out. Returns 0, or -HV_EINVAL after reporting every mistake; *out then
 * holds no VM. *out points to the modules' memory, never to the text.
 */
int manifest_parse(struct machine_config *out, const char *text, size_t size,
                   const struct manifest_env *env);

/*
 * One VM from the modules alone: the first one is its kernel, the others its modules. Returns 0,
 * -HV_ENOENT without modules, -HV_E2BIG with too many, -HV_ENOMEM with too little memory; reported.
 */
int manifest_default(struct machine_config *out, const struct manifest_env *env);

/*
 * What hv/main.c wants: parses the one manifest among the modules (env->file is not read), or makes
 * the default VM when there is none. Two manifests are refused with -HV_EEXIST.
 */
int manifest_load(struct machine_config *out, const struct manifest_env *env);

/* Gives every key as a row "| key | accepted | meaning |" of a table, sections as headings. */
void manifest_print_keys(void (*line)(void *ctx, const char *text), void *ctx);

#endif
