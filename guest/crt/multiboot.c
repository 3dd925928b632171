/* SPDX-License-Identifier: MIT */
/*
 * Access to the loader's information.
 */
#include "guest/crt/multiboot.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CMDLINE_MAX 1024

const struct multiboot_info *multiboot_info;

void multiboot_init(uint32_t magic, const struct multiboot_info *info)
{
    if (magic == MULTIBOOT_LOADER_MAGIC)
        multiboot_info = info;
}

const char *multiboot_cmdline(void)
{
    if (!multiboot_info || !(multiboot_info->flags & MULTIBOOT_INFO_CMDLINE))
        return "";
    return (const char *)(uintptr_t)multiboot_info->cmdline;
}

/* QEMU puts the image's name first, GRUB does not. */
static bool is_image_name(const char *word)
{
    size_t n = strlen(word);

    return n >= 4 && !strcmp(word + n - 4, ".elf");
}

int multiboot_args(char **argv)
{
    static char words[CMDLINE_MAX];
    static char unnamed[] = "payload.elf";
    char *next = words;
    char *word;
    int argc = 0;

    snprintf(words, sizeof(words), "%s", multiboot_cmdline());
    while (argc < MULTIBOOT_MAX_ARGS && (word = strtok_r(next, " \t", &next))) {
        if (!argc && !is_image_name(word))
            argv[argc++] = unnamed;
        argv[argc++] = word;
    }
    if (!argc)
        argv[argc++] = unnamed;
    argv[argc] = NULL;
    return argc;
}

const struct multiboot_module *multiboot_module_get(uint32_t i)
{
    if (!multiboot_info || !(multiboot_info->flags & MULTIBOOT_INFO_MODS) ||
        i >= multiboot_info->mods_count)
        return NULL;
    return (const struct multiboot_module *)(uintptr_t)multiboot_info->mods_addr + i;
}
