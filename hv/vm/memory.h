/* SPDX-License-Identifier: MIT */
/*
 * Guest-physical memory of a VM: at most two ranges (hv/vm/config.h, vm_layout), each with a table
 * that tells for every guest page its host page, or 0 while untouched.
 */
#ifndef HV_VM_MEMORY_H
#define HV_VM_MEMORY_H

#include "hv/lib/lock.h"
#include "hv/vm/config.h"

struct vm;
struct vcpu;

struct vm_slot {
    gpa_t base;
    u64 size;
    hpa_t *frames; /* size / 4 KiB entries; 0: no page yet */
};

struct vm_memory {
    struct lock lock; /* guards frames and counts */
    u32 nr_slots;
    struct vm_slot slots[2];
    bool zero_inline; /* touched pages are zeroed at once, not taken from the pool */
    u64 pages;        /* host pages given to this VM, 4 KiB each */
    u64 fills;        /* of them, taken from the pool */
};

/* Makes the slots; with fill=boot gives all pages. 0 or -HV_ENOMEM (logged). */
int vm_memory_init(struct vm *vm);
void vm_memory_destroy(struct vm *vm);

/* The slot that holds gpa, or NULL. */
static inline struct vm_slot *vm_slot_find(struct vm_memory *m, gpa_t gpa)
{
    u32 i;

    for (i = 0; i < m->nr_slots; i++)
        if (gpa - m->slots[i].base < m->slots[i].size)
            return &m->slots[i];
    return NULL;
}

/*
 * Where the hypervisor reads and writes guest memory at gpa, up to the page's end; gives the page
 * if it was untouched. NULL: no memory there, or none left.
 */
void *vm_memory_at(struct vm *vm, gpa_t gpa);

/* The same without giving pages: NULL when untouched. */
void *vm_memory_peek(struct vm *vm, gpa_t gpa);

/* Copy and clear across pages. 0, -HV_EFAULT outside memory, -HV_ENOMEM. */
int vm_memory_write(struct vm *vm, gpa_t gpa, const void *src, u64 n);
int vm_memory_read(struct vm *vm, gpa_t gpa, void *dst, u64 n);
int vm_memory_zero(struct vm *vm, gpa_t gpa, u64 n);

/*
 * Resolves a nested fault at gpa. 0: mapped, *zeroed tells whether zeroing was done in line;
 * -HV_EFAULT: no memory there (a hole); -HV_ENOMEM.
 */
int vm_memory_fill(struct vm *vm, gpa_t gpa, bool *zeroed);

#endif
