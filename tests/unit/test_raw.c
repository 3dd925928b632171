/* SPDX-License-Identifier: MIT */
/*
 * Raw images: placement, the three starts, the long-mode page tables, and every refusal.
 */
#include "hv/load/raw.c"

#include "hv/lib/format.c"
#include "hv/load/elf.c"
#include "hv/load/kernel.c"
#include "hv/load/load.c"
#include "hv/load/multiboot.c"
#include "hv/vm/config.c"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOW_BYTES (2 * MIB) /* of guest memory that really exist here */

static u8 guest[LOW_BYTES];
static char said[256];
static u8 image[512];
static int fail_after; /* writes until one fails; negative: never */

static int guest_write(void *ctx, gpa_t gpa, const void *src, u64 n)
{
    (void)ctx;
    if (fail_after == 0)
        return -HV_ENOMEM;
    fail_after--;
    assert_true(gpa <= LOW_BYTES && n <= LOW_BYTES - gpa);
    memcpy(guest + gpa, src, n);
    return 0;
}

static int guest_zero(void *ctx, gpa_t gpa, u64 n)
{
    (void)ctx;
    assert_true(gpa <= LOW_BYTES && n <= LOW_BYTES - gpa);
    memset(guest + gpa, 0, n);
    return 0;
}

static void guest_error(void *ctx, const char *text)
{
    (void)ctx;
    assert_string_equal(said, "");
    strcpy(said, text);
}

/* Loads image[size] with these settings and checks what it says; "" and 0 when it works. */
static int load(u64 memory, enum vm_start start, gpa_t at, gpa_t entry, u64 size,
                struct load_result *r)
{
    static struct vm_config c;
    struct load_target t = {
        .memory = memory, .write = guest_write, .zero = guest_zero, .error = guest_error};

    vm_config_default(&c);
    strcpy(c.image_name, "disk");
    c.format = VM_FORMAT_RAW;
    c.memory = memory;
    c.start = start;
    c.load = at;
    c.entry = entry;
    c.image_start = (uintptr_t)image;
    c.image_end = c.image_start + size;
    said[0] = '\0';
    memset(guest, 0xcc, sizeof(guest));
    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (u8)(i * 7 + 1);
    return load_image(&c, &t, r);
}

static int setup(void **state)
{
    (void)state;
    fail_after = -1;
    return 0;
}

static void real_starts_at_zero_segment(void **state)
{
    struct load_result r;

    (void)state;
    assert_int_equal(load(MIB, VM_START_REAL, 0x7c00, 0x7c10, 512, &r), 0);
    assert_int_equal(r.start, VM_START_REAL);
    assert_int_equal(r.cs, 0);
    assert_int_equal(r.rip, 0x7c10);
    assert_memory_equal(guest + 0x7c00, image, 512);
    assert_int_equal(guest[0x7bff], 0xcc);
    assert_int_equal(guest[0x7e00], 0xcc);
}

static void real_above_64k_uses_segment(void **state)
{
    struct load_result r;

    (void)state;
    assert_int_equal(load(MIB, VM_START_REAL, 0xffe00, 0xffff5, 512, &r), 0);
    assert_int_equal(r.cs, 0xffff);
    assert_int_equal(r.rip, 5);
    assert_int_equal(load(MIB, VM_START_REAL, 0xff00, 0x10000, 512, &r), 0);
    assert_int_equal(r.cs, 0x1000);
    assert_int_equal(r.rip, 0);
    assert_int_equal(load(MIB, VM_START_REAL, 0xff00, 0xffff, 512, &r), 0);
    assert_int_equal(r.cs, 0);
    assert_int_equal(r.rip, 0xffff);
}

static void protected_starts_at_entry(void **state)
{
    struct load_result r;

    (void)state;
    assert_int_equal(load(2 * MIB, VM_START_PROTECTED, MIB, MIB + 511, 512, &r), 0);
    assert_int_equal(r.start, VM_START_PROTECTED);
    assert_int_equal(r.rip, MIB + 511);
    assert_int_equal(r.cr3, 0);
}

static u64 entry_at(gpa_t table, u64 i)
{
    u64 e;

    memcpy(&e, guest + table + i * 8, 8);
    return e;
}

/* Walks the tables as a processor does and returns the physical address, or -1. */
static u64 walk(gpa_t cr3, u64 va)
{
    u64 e = entry_at(cr3, va >> 39 & 511);

    if (!(e & PTE_P))
        return UINT64_MAX;
    e = entry_at(e & PTE_ADDR, va >> 30 & 511);
    if (!(e & PTE_P))
        return UINT64_MAX;
    e = entry_at(e & PTE_ADDR, va >> 21 & 511);
    if ((e & (PTE_P | PTE_RW | PTE_PS)) != (PTE_P | PTE_RW | PTE_PS))
        return UINT64_MAX;
    return (e & PTE_ADDR & ~(2 * MIB - 1)) | (va & (2 * MIB - 1));
}

static void long_maps_memory_one_to_one(void **state)
{
    static const u64 memories[] = {MIB, 2 * MIB, 3 * GIB, 8 * GIB, 127 * GIB};
    struct load_result r;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(memories); i++) {
        u64 m = memories[i], top = MAX(4 * GIB, m > 3 * GIB ? m + GIB : m);

        assert_int_equal(load(m, VM_START_LONG, 0x8000, 0x8000, 512, &r), 0);
        assert_int_equal(r.start, VM_START_LONG);
        assert_int_equal(r.cr3 % PAGE_SIZE, 0);
        for (u64 va = 0; va < top; va += 2 * MIB)
            assert_int_equal(walk(r.cr3, va + 0x1234), va + 0x1234);
        assert_int_equal(walk(r.cr3, top), UINT64_MAX);
        assert_int_equal(guest[r.cr3 - 1], 0xcc);
        assert_int_equal(guest[RAW_TABLE_TOP], 0xcc);
        assert_memory_equal(guest + 0x8000, image, 512);
    }
}

static void refuses(u64 memory, enum vm_start start, gpa_t at, gpa_t entry, const char *text)
{
    struct load_result r;

    assert_int_equal(load(memory, start, at, entry, 512, &r), -HV_EINVAL);
    assert_string_equal(said, text);
    for (size_t i = 0; i < sizeof(guest); i++)
        if (guest[i] != 0xcc)
            fail_msg("byte 0x%zx was written", i);
}

static void bad_places_are_refused(void **state)
{
    (void)state;
    refuses(MIB, VM_START_REAL, MIB - 511, MIB - 511,
            "image \"disk\": image of 512 bytes does not fit there; accepted: inside guest memory, "
            "which is 0 to 0x100000");
    refuses(MIB, VM_START_REAL, UINT64_MAX - 100, UINT64_MAX - 100,
            "image \"disk\": image of 512 bytes does not fit there; accepted: inside guest memory, "
            "which is 0 to 0x100000");
    refuses(4 * GIB, VM_START_LONG, 3 * GIB - 1, 3 * GIB - 1,
            "image \"disk\": image of 512 bytes does not fit there; accepted: inside guest memory, "
            "which is 0 to 0xc0000000 and from 0x100000000 on");
    refuses(2 * MIB, VM_START_LONG, 0x98e01, 0x98e01,
            "image \"disk\": image overlaps the page tables of start = long; accepted: outside "
            "0x99000 to 0x9f000");
    refuses(128 * GIB, VM_START_LONG, MIB, MIB,
            "image \"disk\": start = long; accepted: at most 127 GiB of memory");
}

static void image_may_touch_the_tables(void **state)
{
    struct load_result r;

    (void)state;
    assert_int_equal(load(2 * MIB, VM_START_LONG, 0x98e00, 0x98e00, 512, &r), 0);
    assert_int_equal(load(2 * MIB, VM_START_LONG, 0x9f000, 0x9f000, 512, &r), 0);
}

static void bad_entries_are_refused(void **state)
{
    (void)state;
    refuses(MIB, VM_START_REAL, 0x7c00, 0x7bff,
            "image \"disk\": outside the image; accepted: 0x7c00 to 0x7dff");
    refuses(MIB, VM_START_REAL, 0x7c00, 0x7e00,
            "image \"disk\": outside the image; accepted: 0x7c00 to 0x7dff");
    refuses(2 * MIB, VM_START_REAL, MIB, MIB,
            "image \"disk\": out of this mode's reach; accepted: below 0x100000");
    refuses(4 * GIB, VM_START_PROTECTED, 4 * GIB, 4 * GIB,
            "image \"disk\": out of this mode's reach; accepted: below 0x100000000");
}

static void empty_image_is_refused(void **state)
{
    struct load_result r;

    (void)state;
    assert_int_equal(load(MIB, VM_START_REAL, 0x7c00, 0x7c00, 0, &r), -HV_EINVAL);
    assert_string_equal(said, "image \"disk\": empty");
}

static void failing_write_ends_loading(void **state)
{
    struct load_result r;

    (void)state;
    for (int i = 0; i < 6; i++) {
        fail_after = i;
        assert_int_equal(load(2 * MIB, VM_START_LONG, 0x8000, 0x8000, 512, &r), -HV_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(real_starts_at_zero_segment, setup),
        cmocka_unit_test_setup(real_above_64k_uses_segment, setup),
        cmocka_unit_test_setup(protected_starts_at_entry, setup),
        cmocka_unit_test_setup(long_maps_memory_one_to_one, setup),
        cmocka_unit_test_setup(bad_places_are_refused, setup),
        cmocka_unit_test_setup(image_may_touch_the_tables, setup),
        cmocka_unit_test_setup(bad_entries_are_refused, setup),
        cmocka_unit_test_setup(empty_image_is_refused, setup),
        cmocka_unit_test_setup(failing_write_ends_loading, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
