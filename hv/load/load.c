/* SPDX-License-Identifier: MIT */
/*
 * Chooses the format of an image.
 */
#include "hv/load/load.h"

#include "hv/lib/err.h"
#include "hv/lib/format.h"
#include "hv/lib/string.h"
#include "hv/load/multiboot.h"
#include "hv/load/raw.h"

int load_refuse(const struct vm_config *c, const struct load_target *t, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    int n = fmt_print(text, sizeof(text), "image \"%s\": ", c->image_name);

    va_start(ap, fmt);
    fmt_vprint(text + n, sizeof(text) - (size_t)n, fmt, ap);
    va_end(ap);
    t->error(t->ctx, text);
    return -HV_EINVAL;
}

int load_image(const struct vm_config *c, const struct load_target *t, struct load_result *r)
{
    memset(r, 0, sizeof(*r));
    if (c->image_end <= c->image_start)
        return load_refuse(c, t, "empty");
    if (c->format == VM_FORMAT_RAW)
        return raw_load(c, t, r);
    if (c->format == VM_FORMAT_AUTO && !multiboot_is(c))
        return load_refuse(c, t,
                           "no multiboot header; for a raw image set format = raw, load, start");
    return multiboot_load(c, t, r);
}
