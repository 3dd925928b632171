/* SPDX-License-Identifier: MIT */
/*
 * The length of the instruction that exited, for processors that do not give the next RIP. A
 * length once decoded is cached by RIP, and each use compares everything it depended on: CR3, CS,
 * each page-table entry walked, and the instruction's bytes.
 */
#ifndef SVM_LENGTH_H
#define SVM_LENGTH_H

#include "hv/x86/regs.h"
#include "svm/vmcb.h"

#define LENGTH_ENTRIES 16
#define LENGTH_LEVELS  4

struct vcpu;
struct svm_vcpu;

struct length_entry {
    u64 rip; /* LENGTH_NONE: empty */
    u64 cr3;
    u64 *pte[LENGTH_LEVELS]; /* from the top; a shorter walk repeats its last one */
    u64 pte_value[LENGTH_LEVELS];
    u8 *code; /* the instruction, at least 8 bytes before its page's end */
    u64 mask; /* of the length low bytes */
    u64 bytes;
    u32 cs;     /* selector and attributes, as the VMCB holds them side by side */
    u32 length; /* bytes, 1 to 8 */
    u64 reserved[2];
};

/* A power of two: finding a slot is a shift and a mask. */
_Static_assert(sizeof(struct length_entry) == 128, "a slot is two cache lines");

struct length_cache {
    struct length_entry entries[LENGTH_ENTRIES] __attribute__((aligned(64)));
};

#define LENGTH_NONE 0x8000000000000000ull /* not canonical: no guest executes there */

static inline struct length_entry *length_slot(struct length_cache *c, u64 rip)
{
    struct length_entry *e = (void *)((u8 *)c + (rip << 6 & (LENGTH_ENTRIES - 1) << 7));

    /* Keeps the address in one register: the compiler would work it out at every use. */
    __asm__("" : "+r"(e));
    return e;
}

/* Empties the cache: guest memory moved, or EFER changed. */
void length_forget(struct length_cache *c);

/* CS selector and attributes as one number. */
static inline u32 length_cs(const struct vmcb *b)
{
    return b->cs.selector | (u32)b->cs.attr << 16;
}

/*
 * True when e is about the VMCB's RIP and everything e->length rests on is as it was. RIP, CR3, CS,
 * CR0.PG and EFER (a write to it empties the cache) fix mode and address; equal entries and bytes
 * fix the instruction.
 */
static inline bool length_verify(const struct length_entry *e, const struct vmcb *b)
{
    u64 bytes;

    if (unlikely(e->rip != b->rip || e->cr3 != b->cr3 || e->cs != length_cs(b) ||
                 !(b->cr0 & CR0_PG)))
        return false;
    if (unlikely(*e->pte[0] != e->pte_value[0] || *e->pte[1] != e->pte_value[1] ||
                 *e->pte[2] != e->pte_value[2]))
        return false;
    if (e->pte[3] != e->pte[2] && unlikely(*e->pte[3] != e->pte_value[3]))
        return false;
    __builtin_memcpy(&bytes, e->code, sizeof(bytes));
    return likely((bytes & e->mask) == e->bytes);
}

/* Code segment and RIP as the processor combines them. */
gva_t length_linear_rip(const struct vmcb *b);

/* The slow way: walk, read, decode; and remember when it can be verified cheaply. 0: unreadable. */
u32 length_decode(struct svm_vcpu *s);

#endif
