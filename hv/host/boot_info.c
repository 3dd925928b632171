/* SPDX-License-Identifier: MIT */
/*
 * Words of the hypervisor's command line.
 */
#include "hv/host/boot_info.h"
#include "hv/lib/string.h"

const char *boot_option(const struct boot_info *bi, const char *key, char *buf, size_t size)
{
    const char *word = bi->cmdline, *value;
    size_t key_len = strlen(key), len;

    for (; *word; word += len) {
        if (*word == ' ' || *word == '\t') {
            len = 1;
            continue;
        }
        for (len = 0; word[len] && word[len] != ' ' && word[len] != '\t'; len++)
            ;
        if (len < key_len || strncmp(word, key, key_len) != 0)
            continue;
        if (len > key_len && word[key_len] != '=')
            continue;
        value = word + MIN(len, key_len + 1);
        str_copy(buf, MIN(size, (size_t)(word + len - value) + 1), value);
        return buf;
    }
    return NULL;
}
