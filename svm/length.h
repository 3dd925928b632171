/* SPDX-License-Identifier: MIT */
/*
 * The length of the instruction that exited, for processors that do not give the next RIP. A
 * length once decoded is cached by RIP, and each use compares everything it depended on: CR3, CS,
 * each page-table entry walked, and the instruction's bytes.
 */
#ifndef SVM_LENGTH_H
#define SVM_LENGTH_H

#include "svm/vmcb.h"

#define LENGTH_ENTRIES 16
#define LENGTH_LEVELS  4

struct vcpu;
struct svm_vcpu;

struct length_entry {
    u64 rip; /* LENGTH_NONE: empty */
    u64 cr3;
    u32 cs;     /* selector and attributes, as the VMCB holds them side by side */
    u32 length; /* bytes, 1 to 8 */
    u64 *pte[LENGTH_LEVELS];
    u64 pte_value[LENGTH_LEVELS];
    u64 *code; /* the instruction, at least 8 bytes before its page's end */
    u64 mask;  /* of the length low bytes */
    u64 bytes;
    u64 none; /* a page-table entry that never changes, for walks of fewer levels */
};

struct length_cache {
    struct length_entry entries[LENGTH_ENTRIES];
};

#define LENGTH_NONE 0x8000000000000000ull /* not canonical: no guest executes there */

static inline struct length_entry *length_slot(struct length_cache *c, u64 rip)
{
    return &c->entries[(rip >> 1) % LENGTH_ENTRIES];
}

/* Empties the cache: guest memory moved, or EFER changed. */
void length_forget(struct length_cache *c);

/* CS selector and attributes as one number. */
static inline u32 length_cs(const struct vmcb *b)
{
    return b->cs.selector | (u32)b->cs.attr << 16;
}

/* The slow way: walk, read, decode; and remember when it can be verified cheaply. 0: unreadable. */
u32 length_decode(struct svm_vcpu *s);

#endif
