/* SPDX-License-Identifier: MIT */
/*
 * Instruction lengths: what the cache answers is always what a fresh walk and decode would,
 * whatever the guest changed in between: bytes, page-table entries, CR3, CS, mode, RIP.
 */
#include "tests/unit/fake_guest.h"

#include "hv/emu/insn.c"
#include "hv/vm/walk.c"
#include "svm/length.c"
/* The next unit has names in common with the decoder. */
#define fields state_fields
#define field  state_field
#include "svm/state.c"

static struct svm_vcpu cached, fresh;
static u32 decodes, hits;

static const struct backend svm_like = {.get = svm_get, .set = svm_set};

void svm_host_state(struct svm_vcpu *s)
{
    (void)s;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

#define CODE_PAGES 8
#define CODE       0x10000 /* guest-physical, CODE_PAGES pages */
#define TABLES     0x1000  /* 15 pages of tables */
#define LONG_CS    (SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_L | 0xb)

/* Two sets of 4-level tables that share the lower levels, all code pages mapped from 0x10000. */
static void map_code(void)
{
    for (u32 root = 0x1000; root <= 0x5000; root += 0x4000)
        fake_table(root)[0] = 0x2000 | PTE_P | PTE_RW | PTE_US;
    fake_table(0x2000)[0] = 0x3000 | PTE_P | PTE_RW | PTE_US;
    fake_table(0x3000)[0] = 0x4000 | PTE_P | PTE_RW | PTE_US;
    for (u32 i = 0; i < 512; i++)
        fake_table(0x4000)[i] = (u64)i << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US;
}

static int setup(void **state)
{
    struct vmcb *b = &cached.vmcb;

    (void)state;
    fake_guest_reset();
    backend = &svm_like;
    memset(&cached, 0, sizeof(cached));
    memset(&fresh, 0, sizeof(fresh));
    cached.base.vm = fresh.base.vm = &fake_vm;
    length_forget(&cached.lengths);
    map_code();
    b->cr0 = CR0_PE | CR0_PG;
    b->cr3 = 0x1000;
    b->cr4 = CR4_PAE;
    b->efer = EFER_LME | EFER_LMA | EFER_SVME;
    b->cs = (struct vmcb_segment){.selector = 8, .attr = LONG_CS, .limit = ~0u};
    b->rip = CODE;
    decodes = hits = 0;
    return 0;
}

/* As the exit path asks. */
static u32 ask(void)
{
    const struct length_entry *e = length_slot(&cached.lengths, cached.vmcb.rip);

    if (length_verify(e, &cached.vmcb)) {
        hits++;
        return e->length;
    }
    decodes++;
    return length_decode(&cached);
}

/* The same question to a vCPU that remembers nothing. */
static u32 reference(void)
{
    fresh.vmcb = cached.vmcb;
    length_forget(&fresh.lengths);
    return length_decode(&fresh);
}

static void check(void)
{
    u32 want = reference();

    assert_int_equal(ask(), want);
}

static void put(gpa_t gpa, const char *bytes, size_t n)
{
    memcpy(fake_ram + gpa, bytes, n);
}

static void the_second_time_is_cached(void **state)
{
    (void)state;
    put(CODE, "\x0f\xa2", 2);
    assert_int_equal(ask(), 2);
    assert_int_equal(ask(), 2);
    assert_int_equal(decodes, 1);
    assert_int_equal(hits, 1);
    length_forget(&cached.lengths);
    assert_int_equal(ask(), 2);
    assert_int_equal(decodes, 2);
}

static void changed_bytes(void **state)
{
    (void)state;
    put(CODE, "\x0f\xa2", 2);
    assert_int_equal(ask(), 2);
    put(CODE, "\x66\x0f\xa2", 3);
    assert_int_equal(ask(), 3);
    put(CODE + 3, "\x90", 1); /* behind it: no matter */
    assert_int_equal(ask(), 3);
    assert_int_equal(hits, 1);
}

/* Other bytes come in at each level of the tables. */
static void changed_mapping(void **state)
{
    for (u32 level = 0; level < 5; level++) {
        setup(state);
        memcpy(fake_ram + 0x6000, fake_ram + 0x4000, PAGE_SIZE);
        put(CODE, "\x0f\xa2", 2);
        put(CODE + PAGE_SIZE, "\x66\x0f\xa2", 3);
        fake_table(0x6000)[CODE >> 12] = (CODE + PAGE_SIZE) | PTE_P;
        fake_table(0x7000)[0] = 0x6000 | PTE_P;
        fake_table(0x8000)[0] = 0x7000 | PTE_P;
        fake_table(0x9000)[0] = 0x8000 | PTE_P;
        assert_int_equal(ask(), 2);
        switch (level) {
        case 0: fake_table(0x4000)[CODE >> 12] = (CODE + PAGE_SIZE) | PTE_P; break;
        case 1: fake_table(0x3000)[0] = 0x6000 | PTE_P; break;
        case 2: fake_table(0x2000)[0] = 0x7000 | PTE_P; break;
        case 3: fake_table(0x1000)[0] = 0x8000 | PTE_P; break;
        case 4: cached.vmcb.cr3 = 0x9000; break;
        }
        assert_int_equal(ask(), 3);
    }
}

static void another_mode_at_the_same_place(void **state)
{
    (void)state;
    put(CODE, "\x48\x0f\xa2", 3); /* REX.W CPUID; in 32-bit code DEC EAX */
    assert_int_equal(ask(), 3);
    cached.vmcb.cs.attr = SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_DB | 0xb;
    assert_int_equal(ask(), 1);
    cached.vmcb.cs.attr = LONG_CS;
    assert_int_equal(ask(), 3);
}

static void sixteen_bit_code(void **state)
{
    (void)state;
    cached.vmcb.cr0 = 0;
    cached.vmcb.efer = EFER_SVME;
    cached.vmcb.cs = (struct vmcb_segment){.selector = 0x1000, .attr = 0x9b, .base = CODE};
    cached.vmcb.rip = 0x20;
    put(CODE + 0x20, "\x66\xb8\x01\x02\x03\x04", 6); /* mov eax, imm32 */
    assert_int_equal(ask(), 6);
    put(CODE + 0x20, "\xb8\x01\x02\x03\x04", 5); /* mov ax, imm16 */
    assert_int_equal(ask(), 3);
    cached.vmcb.cr0 = CR0_PE;
    cached.vmcb.cs.attr |= SEG_ATTR_DB;
    assert_int_equal(ask(), 5);
    cached.vmcb.rflags |= RFLAGS_VM;
    assert_int_equal(ask(), 3);
    assert_int_equal(hits, 0); /* such code is not remembered */
}

static void across_a_page_end(void **state)
{
    (void)state;
    cached.vmcb.rip = CODE + 0xfff;
    put(CODE + 0xfff, "\x0f\xa2", 2);
    assert_int_equal(ask(), 2);
    fake_table(0x4000)[(CODE >> 12) + 1] = 0;
    assert_int_equal(ask(), 0); /* the second page is gone */
    fake_table(0x4000)[(CODE >> 12) + 1] = (CODE + 5 * PAGE_SIZE) | PTE_P;
    put(CODE + 5 * PAGE_SIZE, "\x01\xd9", 2); /* VMMCALL */
    assert_int_equal(ask(), 3);
    assert_int_equal(hits, 0);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    cached.vmcb.rip = 0x40000000;
    assert_int_equal(ask(), 0);
    cached.vmcb.rip = CODE;
    put(CODE, "\x06", 1); /* undefined in 64-bit mode */
    assert_int_equal(ask(), 0);
    memset(fake_ram + CODE, 0x66, 16); /* too long */
    assert_int_equal(ask(), 0);
    fake_untouched[CODE >> 12] = true;
    assert_int_equal(ask(), 0);
}

/* Two RIPs that share a slot take turns. */
static void slots_are_shared(void **state)
{
    u64 other = CODE;

    (void)state;
    while (++other < CODE + 0x800)
        if (length_slot(&cached.lengths, other) == length_slot(&cached.lengths, CODE) &&
            other >= CODE + 4)
            break;
    assert_true(other < CODE + 0x800);
    put(CODE, "\x0f\xa2", 2);
    put(other, "\x0f\x01\xd9", 3);
    for (u32 i = 0; i < 3; i++) {
        cached.vmcb.rip = CODE;
        assert_int_equal(ask(), 2);
        cached.vmcb.rip = other;
        assert_int_equal(ask(), 3);
    }
    assert_int_equal(hits, 0);
}

/* --- anything a guest can do, at random --------------------------------------------------------
 */

static const struct {
    u8 n;
    char bytes[12];
} instructions[] = {
    {2, "\x0f\xa2"},
    {3, "\x66\x0f\xa2"},
    {4, "\x66\x66\x0f\xa2"},
    {3, "\x48\x0f\xa2"},
    {3, "\x2e\x0f\xa2"},
    {8, "\xf3\x66\x2e\x66\x66\x66\x0f\xa2"},
    {9, "\xf3\x66\x2e\x66\x66\x66\x66\x0f\xa2"},
    {3, "\x0f\x01\xd9"},
    {2, "\x0f\x32"},
    {1, "\xf4"},
    {1, "\x06"},
    {7, "\x8b\x04\x25\x00\x00\x00\x00"},
    {5, "\xb8\x01\x02\x03\x04"},
};

/* A few places in each page, with instructions that reach the page's end among them. */
static u64 random_place(void)
{
    static const u16 offsets[] = {0, 3, 0x40, 0x7ff, 0xff7, 0xff8, 0xff9, 0xffd, 0xffe, 0xfff};

    return random_below(CODE_PAGES) * PAGE_SIZE + offsets[random_below(ARRAY_SIZE(offsets))];
}

static void random_bytes(void)
{
    u32 i = (u32)random_below(ARRAY_SIZE(instructions));

    put(CODE + random_place(), instructions[i].bytes, instructions[i].n);
}

/* Any entry of the walk to the code, to something plausible. */
static void random_entry(void)
{
    gpa_t table = TABLES + random_below(8) * PAGE_SIZE;
    u32 index = random_below(2) ? 0 : (CODE >> 12) + (u32)random_below(CODE_PAGES);
    u64 value = TABLES + random_below(23) * PAGE_SIZE;

    value |= (random_below(8) ? PTE_P : 0) | (random_below(4) ? 0 : PTE_A) | PTE_RW;
    if (random_below(8) == 0)
        value = random_below(2) ? PTE_P | PTE_PS : PTE_P | PTE_PS | 2 * MIB;
    fake_table(table)[index] = value;
}

/* PG moves LMA with it, without an exit; both need CS.L clear when LME is set. */
static void random_paging(void)
{
    struct vmcb *b = &cached.vmcb;

    if (b->efer & EFER_LME && b->cs.attr & SEG_ATTR_L)
        return;
    b->cr0 ^= CR0_PG;
    b->efer &= ~(u64)EFER_LMA;
    if (b->cr0 & CR0_PG && b->efer & EFER_LME) {
        b->cr4 |= CR4_PAE;
        b->efer |= EFER_LMA;
    }
}

/* EFER is written through its intercept. */
static void random_efer(void)
{
    struct vmcb *b = &cached.vmcb;

    if (!(b->cr0 & CR0_PG))
        svm_set(&cached.base, VREG_EFER, (b->efer ^ EFER_LME) & ~(u64)(EFER_SVME | EFER_LMA));
    else
        svm_set(&cached.base, VREG_EFER, (b->efer ^ EFER_NXE) & ~(u64)EFER_SVME);
}

static void random_cs(void)
{
    static const u16 attrs[] = {LONG_CS, LONG_CS, SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_DB | 0xb,
                                SEG_ATTR_P | SEG_ATTR_S | 0xb};
    struct vmcb *b = &cached.vmcb;

    b->cs.attr = attrs[random_below(ARRAY_SIZE(attrs))];
    b->cs.selector = random_below(2) ? 8 : 16;
    b->cs.base = random_below(4) ? 0 : PAGE_SIZE;
}

static void random_change(void)
{
    struct vmcb *b = &cached.vmcb;

    switch (random_below(16)) {
    case 0:
    case 1:
    case 2: random_bytes(); break;
    case 3:
    case 4: random_entry(); break;
    case 5: b->cr3 = random_below(2) ? 0x1000 : 0x5000; break;
    case 6: random_cs(); break;
    case 7: random_paging(); break;
    case 8: random_efer(); break;
    case 9:
        if (!(b->efer & EFER_LMA))
            b->cr4 ^= random_below(2) ? CR4_PAE : CR4_PSE;
        break;
    case 10: map_code(); break; /* lest everything ends unmapped */
    default: b->rip = CODE + random_place(); break;
    }
    if (random_below(64) == 0) {
        b->cs.attr = LONG_CS;
        b->cs.base = 0;
        b->cr0 |= CR0_PG;
        b->cr4 |= CR4_PAE;
        svm_set(&cached.base, VREG_EFER, EFER_LME | EFER_LMA);
        map_code();
    }
}

static void whatever_changes_the_answer_is_right(void **state)
{
    (void)state;
    for (u32 i = 0; i < 400000; i++) {
        random_change();
        check();
        if (random_below(2)) {
            check();
            assert_int_equal(cached.vmcb.rip, fresh.vmcb.rip);
        }
    }
    /* The test means something only when the cache was asked in earnest. */
    assert_true(hits > 50000);
    assert_true(decodes > 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_second_time_is_cached, setup),
        cmocka_unit_test_setup(changed_bytes, setup),
        cmocka_unit_test_setup(changed_mapping, setup),
        cmocka_unit_test_setup(another_mode_at_the_same_place, setup),
        cmocka_unit_test_setup(sixteen_bit_code, setup),
        cmocka_unit_test_setup(across_a_page_end, setup),
        cmocka_unit_test_setup(what_cannot_be_read, setup),
        cmocka_unit_test_setup(slots_are_shared, setup),
        cmocka_unit_test_setup(whatever_changes_the_answer_is_right, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
