/* SPDX-License-Identifier: MIT */
/*
 * Places a VM's image into its memory and tells how its first vCPU starts. Guest memory is reached
 * only through the caller's functions, and nothing is written before everything was found valid.
 */
#ifndef HV_LOAD_LOAD_H
#define HV_LOAD_LOAD_H

#include "hv/vm/config.h"

/* The guest to load into. write and zero return 0 or a negative error, which ends loading. */
struct load_target {
    void *ctx;
    u64 memory; /* bytes, at the addresses that vm_layout(memory) tells */
    int (*write)(void *ctx, gpa_t gpa, const void *src, u64 n);
    int (*zero)(void *ctx, gpa_t gpa, u64 n);
    void (*error)(void *ctx, const char *text); /* why loading failed; no newline */
};

/*
 * How the first vCPU starts. Segments are flat (base 0, limit 4 GiB) in protected and long mode;
 * in real mode CS is cs with base cs << 4, the others are 0. Interrupts are off. Registers not
 * here are 0; there is no stack unless rsp says so.
 */
struct load_result {
    enum vm_start start;
    u16 cs; /* real mode only */
    u64 rip;
    u64 rsp;
    u64 rax;
    u64 rbx;
    u64 cr3; /* long mode only: page tables in guest memory, identity-mapped */
};

/*
 * Loads c's image, which must be readable at c->image_start. Returns 0 and fills *r, or
 * -HV_EINVAL after t->error got the reason, or what t->write or t->zero returned.
 */
int load_image(const struct vm_config *c, const struct load_target *t, struct load_result *r);

/* Reports "image "NAME": REASON" and returns -HV_EINVAL; for the formats. */
int load_refuse(const struct vm_config *c, const struct load_target *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
