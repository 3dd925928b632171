/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader told us, in one loader-neutral form. boot/ fills it in from multiboot 1 or
 * 2; everything later reads only this.
 */
#ifndef HV_HOST_BOOT_INFO_H
#define HV_HOST_BOOT_INFO_H

#include "hv/lib/types.h"

#define BOOT_MAX_MEM     128
#define BOOT_MAX_MODULES 32
#define BOOT_TEXT        1024

enum boot_protocol { BOOT_MULTIBOOT1 = 1, BOOT_MULTIBOOT2 = 2 };

/* Values of the E820 types, which both multiboot versions use. */
enum boot_mem_type {
    BOOT_MEM_USABLE = 1,
    BOOT_MEM_RESERVED = 2,
    BOOT_MEM_ACPI_RECLAIM = 3,
    BOOT_MEM_ACPI_NVS = 4,
    BOOT_MEM_BAD = 5,
};

struct boot_mem {
    hpa_t base;
    u64 length;
    u32 type; /* enum boot_mem_type */
};

struct boot_module {
    hpa_t start;
    hpa_t end;               /* first byte after the module */
    char cmdline[BOOT_TEXT]; /* as the loader gave it; the first word is the module's name */
};

struct boot_framebuffer {
    hpa_t addr; /* 0: none reported */
    u32 pitch;  /* bytes per line */
    u32 width;
    u32 height;
    u8 bpp;
    bool text; /* EGA text: width and height in characters */
};

struct boot_info {
    u64 entry_tsc; /* TSC when the first C code ran */
    enum boot_protocol protocol;
    char loader[64];
    char cmdline[BOOT_TEXT]; /* without the image's own name */
    u32 nr_mem;
    u32 nr_modules;
    struct boot_mem mem[BOOT_MAX_MEM]; /* sorted by base, not overlapping */
    struct boot_module modules[BOOT_MAX_MODULES];
    hpa_t rsdp; /* of the loader's copy of the ACPI RSDP; 0: search for it */
    hpa_t ebda; /* extended BIOS data area, noted since page 0 is never mapped; 0: none */
    struct boot_framebuffer fb;
    bool uefi; /* the loader handed over EFI tables: no VGA text, no BIOS areas */
};

/*
 * Finds word key on the hypervisor's command line ("key" or "key=value", separated by blanks).
 * Returns the value ("" for a bare key), copied into buf[size], or NULL when absent.
 */
const char *boot_option(const struct boot_info *bi, const char *key, char *buf, size_t size);

#endif
