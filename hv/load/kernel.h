/* SPDX-License-Identifier: MIT */
/*
 * A kernel image taken apart: which bytes of the file go where in guest memory. Filled in by the
 * ELF reader or from the multiboot header's address fields. Private to hv/load.
 */
#ifndef HV_LOAD_KERNEL_H
#define HV_LOAD_KERNEL_H

#include "hv/load/load.h"

#define KERNEL_MAX_SEGMENTS 32

struct segment {
    u64 offset; /* in the file */
    u64 filesz; /* bytes that come from the file; the rest up to memsz is zeroed */
    u64 memsz;
    gpa_t paddr;
    gva_t vaddr;
};

struct kernel {
    const struct vm_config *config;
    const struct load_target *target;
    const u8 *file;
    u64 size;
    u64 entry; /* physical */
    u32 nr_segments;
    struct segment segments[KERNEL_MAX_SEGMENTS];
};

/*
 * Appends a segment after checking it against the file, the low guest memory and the segments
 * before it. Returns 0 or -HV_EINVAL, reported. A segment without memory is left out.
 */
int kernel_add(struct kernel *k, const struct segment *s);

/* Copies and zeroes all segments into guest memory. Returns 0 or what the target returned. */
int kernel_place(const struct kernel *k);

/* First byte after the highest segment. */
gpa_t kernel_end(const struct kernel *k);

/* True when some segment overlaps [base, base + size). */
bool kernel_overlaps(const struct kernel *k, gpa_t base, u64 size);

/*
 * Reads the program headers of an ELF32 (i386) or ELF64 (x86-64) executable. Returns 0 or
 * -HV_EINVAL, reported. Source: System V ABI, "Program Header".
 */
int elf_read(struct kernel *k);

#endif
