/* SPDX-License-Identifier: MIT */
/*
 * hv/host/acpi.c on crafted tables in a fake physical memory. What the unit maps is handed out as a
 * copy of exactly the asked-for size, so that ASan sees any read beyond it.
 */
#define HV_HOST_ACPI_MAP_H

#include "hv/lib/types.h"

static const u8 *acpi_map(hpa_t pa, u64 length);

#include "hv/host/acpi.c"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define MEMORY_SIZE (2 * MIB)
#define RSDP_AT     0xf5a40
#define RSDT_AT     0x110004 /* tables need no alignment */
#define XSDT_AT     0x111003
#define MADT_AT     0x112001
#define SRAT_AT     0x113002
#define FADT_AT     0x114007
#define HPET_AT     0x115001
#define COPIES_MAX  4096

static u8 memory[MEMORY_SIZE];
static void *copies[COPIES_MAX];
static u32 nr_copies;
static u32 warnings;
static struct boot_info bi;

static const u8 *acpi_map(hpa_t pa, u64 length)
{
    u8 *copy;

    if (pa < PAGE_SIZE || pa >= MEMORY_SIZE || length > MEMORY_SIZE - pa)
        return NULL;
    if (nr_copies == COPIES_MAX) { /* the search for the RSDP maps thousands of places */
        while (nr_copies > COPIES_MAX / 2)
            free(copies[--nr_copies]);
    }
    copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, memory + pa, length);
    copies[nr_copies++] = copy;
    return copy;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    warnings += level <= LOG_WARN;
}

static void run(void)
{
    warnings = 0;
    acpi_init(&bi);
    while (nr_copies)
        free(copies[--nr_copies]);
}

static void put(hpa_t pa, u32 offset, u64 value, u32 bytes)
{
    memcpy(memory + pa + offset, &value, bytes);
}

/* Makes the bytes [pa, pa + length) sum to zero by the byte at offset. */
static void seal(hpa_t pa, u32 length, u32 offset)
{
    u8 sum = 0;

    memory[pa + offset] = 0;
    for (u32 i = 0; i < length; i++)
        sum = (u8)(sum + memory[pa + i]);
    memory[pa + offset] = (u8)-sum;
}

static void table_begin(hpa_t pa, const char *signature, u32 length, u8 revision)
{
    memset(memory + pa, 0, length);
    memcpy(memory + pa, signature, 4);
    put(pa, TABLE_LENGTH, length, 4);
    put(pa, TABLE_REVISION, revision, 1);
}

static void table_append(hpa_t pa, const void *bytes, u32 n)
{
    u32 length = get32(memory + pa, TABLE_LENGTH);

    memcpy(memory + pa + length, bytes, n);
    put(pa, TABLE_LENGTH, length + n, 4);
}

static void table_seal(hpa_t pa)
{
    seal(pa, get32(memory + pa, TABLE_LENGTH), 9);
}

static void rsdp_put(hpa_t pa, u8 revision)
{
    memset(memory + pa, 0, RSDP_V2_SIZE);
    memcpy(memory + pa, "RSD PTR ", 8);
    put(pa, RSDP_REVISION, revision, 1);
    put(pa, RSDP_RSDT, RSDT_AT, 4);
    seal(pa, RSDP_V1_SIZE, 8);
    if (revision < 2)
        return;
    put(pa, RSDP_LENGTH, RSDP_V2_SIZE, 4);
    put(pa, RSDP_XSDT, XSDT_AT, 8);
    seal(pa, RSDP_V2_SIZE, 32);
}

static void madt_cpu(u8 id, u32 flags)
{
    u8 e[8] = {0, 8, id, id, (u8)flags};

    table_append(MADT_AT, e, sizeof(e));
}

static void madt_x2apic(u32 id, u32 flags)
{
    u8 e[16] = {9, 16};

    memcpy(e + 4, &id, 4);
    memcpy(e + 8, &flags, 4);
    table_append(MADT_AT, e, sizeof(e));
}

static void srat_cpu(u8 id, u32 domain, u32 flags)
{
    u8 e[16] = {0, 16, (u8)domain, id, (u8)flags};

    e[9] = (u8)(domain >> 8);
    e[10] = (u8)(domain >> 16);
    e[11] = (u8)(domain >> 24);
    table_append(SRAT_AT, e, sizeof(e));
}

static void srat_x2apic(u32 id, u32 domain)
{
    u8 e[24] = {2, 24};

    memcpy(e + 4, &domain, 4);
    memcpy(e + 8, &id, 4);
    e[12] = 1;
    table_append(SRAT_AT, e, sizeof(e));
}

static void srat_memory(u64 base, u64 length, u32 domain, u8 flags)
{
    u8 e[40] = {1, 40};

    memcpy(e + 2, &domain, 4);
    memcpy(e + 8, &base, 8);
    memcpy(e + 16, &length, 8);
    e[28] = flags;
    table_append(SRAT_AT, e, sizeof(e));
}

static void fadt_put(u32 length)
{
    table_begin(FADT_AT, "FACP", length, 3);
    put(FADT_AT, FADT_PM_TMR_BLK, 0x608, 4);
    put(FADT_AT, FADT_PM_TMR_LEN, 4, 1);
    put(FADT_AT, FADT_FLAGS, FADT_TMR_VAL_EXT, 4);
    table_seal(FADT_AT);
}

/* A machine with four CPUs on two nodes, every table right. */
static int machine(void **state)
{
    static const hpa_t tables[] = {FADT_AT, SRAT_AT, HPET_AT, MADT_AT};

    (void)state;
    memset(memory, 0, sizeof(memory));
    memset(&bi, 0, sizeof(bi));
    bi.ebda = 0x9fc00;
    rsdp_put(RSDP_AT, 2);
    table_begin(RSDT_AT, "RSDT", TABLE_HEADER, 1);
    table_begin(XSDT_AT, "XSDT", TABLE_HEADER, 1);
    for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
        table_append(RSDT_AT, &tables[i], 4);
        table_append(XSDT_AT, &tables[i], 8);
    }
    table_seal(RSDT_AT);
    table_seal(XSDT_AT);
    table_begin(MADT_AT, "APIC", MADT_ENTRIES, 3);
    put(MADT_AT, MADT_LAPIC_ADDRESS, 0xfee00000, 4);
    for (u8 id = 0; id < 8; id += 2)
        madt_cpu(id, 1);
    table_append(MADT_AT, "\1\14\0\0\0\0\300\376\0\0\0\0", 12); /* an I/O APIC: skipped */
    madt_cpu(9, 0);
    madt_cpu(10, 2); /* online capable, not there */
    table_seal(MADT_AT);
    table_begin(SRAT_AT, "SRAT", SRAT_ENTRIES, 3);
    srat_cpu(0, 17, 1);
    srat_cpu(2, 17, 1);
    srat_cpu(4, 0x1000011, 1);
    srat_cpu(6, 0x1000011, 1);
    srat_memory(0, 0xa0000, 17, 1);
    srat_memory(MIB, 255 * MIB, 17, 1);
    srat_memory(256 * MIB, 256 * MIB, 0x1000011, 1);
    srat_memory(GIB, GIB, 5, 0); /* not enabled */
    table_seal(SRAT_AT);
    fadt_put(244);
    table_begin(HPET_AT, "HPET", HPET_SIZE, 1);
    put(HPET_AT, HPET_ADDRESS + GAS_ADDRESS, 0xfed00000, 8);
    table_seal(HPET_AT);
    return 0;
}

static void assert_machine(void)
{
    static const u32 ids[] = {0, 2, 4, 6}, nodes[] = {0, 0, 1, 1};

    assert_true(acpi_info.present);
    assert_int_equal(acpi_info.nr_cpus, 4);
    assert_memory_equal(acpi_info.apic_ids, ids, sizeof(ids));
    assert_memory_equal(acpi_info.nodes, nodes, sizeof(nodes));
    assert_int_equal(acpi_info.lapic_base, 0xfee00000);
    assert_int_equal(acpi_info.nr_nodes, 2);
    assert_int_equal(acpi_info.nr_ranges, 3);
    assert_int_equal(acpi_info.ranges[2].base, 256 * MIB);
    assert_int_equal(acpi_info.ranges[2].length, 256 * MIB);
    assert_int_equal(acpi_info.ranges[2].node, 1);
    assert_int_equal(acpi_info.hpet_base, 0xfed00000);
    assert_int_equal(acpi_info.pm_timer_port, 0x608);
    assert_true(acpi_info.pm_timer_32bit);
}

static void assert_no_machine(void)
{
    assert_false(acpi_info.present);
    assert_int_equal(acpi_info.nr_cpus, 0);
    assert_int_equal(acpi_info.nr_nodes, 1);
    assert_int_equal(acpi_info.lapic_base, 0xfee00000);
}

static void test_whole_machine(void **state)
{
    (void)state;
    run();
    assert_machine();
    assert_int_equal(warnings, 0);
}

static void test_rsdp_places(void **state)
{
    (void)state;
    memset(memory + RSDP_AT, 0, RSDP_V2_SIZE);
    run();
    assert_no_machine();
    rsdp_put(0x9fff0 - 0x10, 0); /* last bytes of the EBDA, old revision */
    memcpy(memory + 0x9fc40, "RSD PTR oops", 12);
    run();
    assert_machine();
    bi.uefi = true; /* there is no BIOS area to search */
    run();
    assert_no_machine();
    bi.rsdp = 0x1f0001; /* the loader's copy lies anywhere */
    rsdp_put(bi.rsdp, 2);
    run();
    assert_machine();
    bi.rsdp = ~0ull; /* nonsense: search as if none was given */
    bi.uefi = false;
    run();
    assert_machine();
    memset(memory + 0x9fc00, 0, 0x400);
    rsdp_put(0xfffe0 - 0x10, 2);
    bi.rsdp = 0;
    run();
    assert_machine();
}

static void test_rsdt_when_xsdt_is_bad(void **state)
{
    (void)state;
    memory[XSDT_AT + 40] ^= 1;
    run();
    assert_machine();
    assert_int_not_equal(warnings, 0);
    machine(NULL);
    memory[RSDP_AT + 25] ^= 1; /* breaks the extended checksum only */
    run();
    assert_machine();
    memory[RSDT_AT + 3] ^= 1;
    run();
    assert_no_machine();
}

static void test_bad_tables_are_ignored_one_by_one(void **state)
{
    (void)state;
    memory[MADT_AT + 50] ^= 0x10;
    run();
    assert_int_equal(acpi_info.nr_cpus, 0);
    assert_int_equal(acpi_info.pm_timer_port, 0x608);
    machine(NULL);
    put(SRAT_AT, TABLE_LENGTH, 0xffffffff, 4);
    run();
    assert_int_equal(acpi_info.nr_nodes, 1);
    assert_int_equal(acpi_info.nr_cpus, 4);
    machine(NULL);
    put(HPET_AT, TABLE_LENGTH, 35, 4);
    run();
    assert_int_equal(acpi_info.hpet_base, 0);
    machine(NULL);
    table_begin(MADT_AT, "APIC", TABLE_HEADER + 4, 3); /* no room for its own flags */
    table_seal(MADT_AT);
    run();
    assert_int_equal(acpi_info.nr_cpus, 0);
}

static void test_broken_entries(void **state)
{
    static const char *const broken[] = {"\0\0", "\0\1", "\0\377", "\0"};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(broken); i++) {
        machine(NULL);
        table_append(MADT_AT, broken[i], i == 3 ? 1 : 2);
        table_seal(MADT_AT);
        table_append(SRAT_AT, broken[i], i == 3 ? 1 : 2);
        table_seal(SRAT_AT);
        run();
        assert_machine(); /* what stood before counts */
        assert_int_equal(warnings, 2);
    }
    machine(NULL);
    table_append(MADT_AT, "\0\7\24\24\1\0\0", 7); /* one byte short: not believed */
    table_append(MADT_AT, "\11\10\0\0\50\0\0\0", 8);
    table_append(MADT_AT, "\177\2", 2); /* unknown type */
    table_seal(MADT_AT);
    run();
    assert_machine();
    assert_int_equal(warnings, 0);
}

static void test_x2apic_and_override(void **state)
{
    (void)state;
    madt_x2apic(300, 1);
    madt_x2apic(6, 1); /* listed already */
    madt_x2apic(301, 0);
    table_append(MADT_AT, "\5\14\0\0\0\0\340\376\1\0\0\0", 12);
    table_seal(MADT_AT);
    srat_x2apic(300, 99);
    srat_x2apic(301, 98); /* a CPU that is not there makes no node */
    table_seal(SRAT_AT);
    run();
    assert_int_equal(acpi_info.nr_cpus, 5);
    assert_int_equal(acpi_info.apic_ids[4], 300);
    assert_int_equal(acpi_info.nodes[4], 2);
    assert_int_equal(acpi_info.nr_nodes, 3);
    assert_int_equal(acpi_info.lapic_base, 0x1fee00000);
}

static void test_limits(void **state)
{
    (void)state;
    for (u32 i = 0; i < CPU_MAX + 10; i++)
        madt_x2apic(1000 + i, 1);
    table_seal(MADT_AT);
    for (u32 i = 0; i < ACPI_MAX_NODE_RANGES + 5; i++)
        srat_memory(GIB * (i + 2), GIB, 1000 + i, 1);
    srat_memory(~0ull, 2, 1, 1); /* wraps around: ignored */
    srat_memory(5, 0, 1, 1);
    table_seal(SRAT_AT);
    run();
    assert_int_equal(acpi_info.nr_cpus, CPU_MAX);
    assert_int_equal(acpi_info.nr_ranges, ACPI_MAX_NODE_RANGES);
    assert_int_equal(acpi_info.nr_nodes, MEM_MAX_NODES);
    for (u32 i = 0; i < acpi_info.nr_ranges; i++)
        assert_true(acpi_info.ranges[i].node < MEM_MAX_NODES);
}

static void test_first_srat_revision_has_byte_domains(void **state)
{
    (void)state;
    put(SRAT_AT, TABLE_REVISION, 1, 1);
    table_seal(SRAT_AT);
    run();
    assert_int_equal(acpi_info.nr_nodes, 1); /* 17 and 0x1000011 are one then */
}

static void test_pm_timer(void **state)
{
    (void)state;
    fadt_put(FADT_MIN_SIZE); /* ACPI 1.0 */
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0x608);
    fadt_put(244);
    put(FADT_AT, FADT_X_PM_TMR_BLK, GAS_IO, 1);
    put(FADT_AT, FADT_X_PM_TMR_BLK + GAS_ADDRESS, 0xb008, 8);
    put(FADT_AT, FADT_FLAGS, 0, 4);
    table_seal(FADT_AT);
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0xb008);
    assert_false(acpi_info.pm_timer_32bit);
    put(FADT_AT, FADT_X_PM_TMR_BLK, GAS_MEMORY, 1); /* not by port: the old field serves */
    table_seal(FADT_AT);
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0x608);
    put(FADT_AT, FADT_PM_TMR_LEN, 0, 1);
    table_seal(FADT_AT);
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0);
    fadt_put(244);
    put(FADT_AT, FADT_FLAGS, FADT_HW_REDUCED, 4);
    table_seal(FADT_AT);
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0);
    fadt_put(FADT_MIN_SIZE - 1);
    run();
    assert_int_equal(acpi_info.pm_timer_port, 0);
}

/* Whatever bytes the tables hold, nothing is read out of bounds and the limits hold. */
static void test_mutations(void **state)
{
    static const struct {
        hpa_t at;
        u32 size;
    } tables[] = {{MADT_AT, 104}, {SRAT_AT, 272}, {FADT_AT, 244},
                  {HPET_AT, 56},  {XSDT_AT, 68},  {RSDP_AT, 36}};
    u32 seed = 7;

    (void)state;
    for (u32 i = 0; i < 1500; i++) {
        hpa_t at = tables[i % 6].at;

        machine(NULL);
        for (u32 flips = 1 + i / 6 % 4; flips; flips--) {
            seed = seed * 1664525 + 1013904223;
            memory[at + (seed >> 8) % tables[i % 6].size] = (u8)(seed >> 24);
        }
        if (at == RSDP_AT) {
            seal(at, RSDP_V1_SIZE, 8);
            seal(at, RSDP_V2_SIZE, 32);
        } else if (get32(memory + at, TABLE_LENGTH) < 64 * KIB) {
            table_seal(at);
        }
        run();
        assert_true(acpi_info.nr_cpus <= CPU_MAX);
        assert_in_range(acpi_info.nr_nodes, 1, MEM_MAX_NODES);
        assert_true(acpi_info.nr_ranges <= ACPI_MAX_NODE_RANGES);
        for (u32 c = 0; c < acpi_info.nr_cpus; c++)
            assert_true(acpi_info.nodes[c] < acpi_info.nr_nodes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole_machine, machine),
        cmocka_unit_test_setup(test_rsdp_places, machine),
        cmocka_unit_test_setup(test_rsdt_when_xsdt_is_bad, machine),
        cmocka_unit_test_setup(test_bad_tables_are_ignored_one_by_one, machine),
        cmocka_unit_test_setup(test_broken_entries, machine),
        cmocka_unit_test_setup(test_x2apic_and_override, machine),
        cmocka_unit_test_setup(test_limits, machine),
        cmocka_unit_test_setup(test_first_srat_revision_has_byte_domains, machine),
        cmocka_unit_test_setup(test_pm_timer, machine),
        cmocka_unit_test_setup(test_mutations, machine),
    };

    return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
