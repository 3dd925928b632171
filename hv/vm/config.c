/* SPDX-License-Identifier: MIT */
/*
 * Defaults of a VM's knobs, and where its memory lies.
 */
#include "hv/vm/config.h"

#include "hv/lib/string.h"

void vm_config_default(struct vm_config *c)
{
    memset(c, 0, sizeof(*c));
    c->vcpus = 1;
    c->format = VM_FORMAT_AUTO;
    c->start = VM_START_REAL;
    c->loop = VM_LOOP_PLAIN;
    c->fill = VM_FILL_TOUCH;
    c->zero = VM_ZERO_POOL;
    c->page = VM_PAGE_4K; /* larger pages cannot come from the pre-zeroed pool */
    c->quantum_us = 10000;
    c->hypercalls = true;
    c->trace = true;
    c->nrip = true;
    c->asid = true;
    c->clean_bits = true;
}

void machine_config_default(struct machine_config *m)
{
    memset(m, 0, sizeof(*m));
    m->pool_pages = 12288;
    m->trace_records = 4096;
}

u32 vm_layout(u64 memory, struct vm_range out[VM_MAX_RANGES])
{
    u32 n = 0;

    if (memory > 0)
        out[n++] = (struct vm_range){.base = 0, .size = MIN(memory, VM_LOW_TOP)};
    if (memory > VM_LOW_TOP)
        out[n++] = (struct vm_range){.base = VM_HIGH_BASE, .size = memory - VM_LOW_TOP};
    return n;
}

bool vm_layout_holds(u64 memory, gpa_t gpa, u64 size)
{
    struct vm_range range[VM_MAX_RANGES];
    u32 n = vm_layout(memory, range);

    for (u32 i = 0; i < n; i++)
        if (gpa >= range[i].base && size <= range[i].size &&
            gpa - range[i].base <= range[i].size - size)
            return true;
    return false;
}
