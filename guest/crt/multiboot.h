/* SPDX-License-Identifier: MIT */
/*
 * What the multiboot loader tells a payload. Source: Multiboot Specification 0.6.96, "Boot
 * information format".
 */
#ifndef GUEST_CRT_MULTIBOOT_H
#define GUEST_CRT_MULTIBOOT_H

#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT_LOADER_MAGIC 0x2badb002u

#define MULTIBOOT_INFO_MEMORY  (1u << 0)
#define MULTIBOOT_INFO_CMDLINE (1u << 2)
#define MULTIBOOT_INFO_MODS    (1u << 3)
#define MULTIBOOT_INFO_MMAP    (1u << 6)

#define MULTIBOOT_MEMORY_AVAILABLE 1

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower; /* KiB from 0 */
    uint32_t mem_upper; /* KiB from 1 MiB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap_addr;
};

struct multiboot_module {
    uint32_t start;
    uint32_t end; /* first byte after it */
    uint32_t cmdline;
    uint32_t reserved_0c;
};

struct __attribute__((packed)) multiboot_mmap {
    uint32_t size; /* of the rest of this entry */
    uint64_t base;
    uint64_t length;
    uint32_t type;
};

#define MULTIBOOT_MAX_ARGS 64

/* Kept where the loader put it, memory.c leaves it alone. NULL: not loaded by multiboot. */
extern const struct multiboot_info *multiboot_info;

void multiboot_init(uint32_t magic, const struct multiboot_info *info);

/* The whole command line; "" without one. */
const char *multiboot_cmdline(void);

/*
 * Splits the command line at blanks into argv[0 .. argc-1], argv[argc] = NULL. argv[0] is the
 * image's name: the first word when that ends in ".elf", else a stand-in before the first word,
 * since some loaders leave the name out. argv has room for MULTIBOOT_MAX_ARGS + 2 pointers; words
 * beyond that are dropped.
 */
int multiboot_args(char **argv);

/* Module i: its bytes and command line. NULL when there are not so many. */
const struct multiboot_module *multiboot_module_get(uint32_t i);

#endif
