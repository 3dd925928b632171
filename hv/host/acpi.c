/* SPDX-License-Identifier: MIT */
/*
 * Reads the ACPI tables once, into acpi_info. Fields are fetched by byte offset, since the tables
 * are packed and unaligned; nothing is read beyond a length that was checked before.
 * Source: ACPI specification, "ACPI Software Programming Model"; IA-PC HPET specification.
 */
#include "hv/host/acpi.h"

#include "hv/host/acpi_map.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/string.h"

#define TABLE_MAX     MIB /* longer than any table read here */
#define LAPIC_DEFAULT 0xfee00000ull

/* Root System Description Pointer */
enum {
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_V1_SIZE = 20,
    RSDP_LENGTH = 20,
    RSDP_XSDT = 24,
    RSDP_V2_SIZE = 36,
};

/* System Description Table Header */
enum { TABLE_LENGTH = 4, TABLE_REVISION = 8, TABLE_HEADER = 36 };

/* Multiple APIC Description Table */
enum {
    MADT_LAPIC_ADDRESS = 36,
    MADT_ENTRIES = 44,
    MADT_LAPIC = 0,
    MADT_LAPIC_ID = 3,
    MADT_LAPIC_FLAGS = 4,
    MADT_LAPIC_SIZE = 8,
    MADT_OVERRIDE = 5,
    MADT_OVERRIDE_ADDRESS = 4,
    MADT_OVERRIDE_SIZE = 12,
    MADT_X2APIC = 9,
    MADT_X2APIC_ID = 4,
    MADT_X2APIC_FLAGS = 8,
    MADT_X2APIC_SIZE = 16,
    MADT_ENABLED = 1, /* flag; "online capable" alone means not there yet */
};

/* System Resource Affinity Table */
enum {
    SRAT_ENTRIES = 48,
    SRAT_CPU = 0,
    SRAT_CPU_DOMAIN = 2,
    SRAT_CPU_APIC_ID = 3,
    SRAT_CPU_FLAGS = 4,
    SRAT_CPU_DOMAIN_HIGH = 9,
    SRAT_CPU_SIZE = 16,
    SRAT_MEMORY = 1,
    SRAT_MEMORY_DOMAIN = 2,
    SRAT_MEMORY_BASE = 8,
    SRAT_MEMORY_LENGTH = 16,
    SRAT_MEMORY_FLAGS = 28,
    SRAT_MEMORY_SIZE = 40,
    SRAT_X2APIC = 2,
    SRAT_X2APIC_DOMAIN = 4,
    SRAT_X2APIC_ID = 8,
    SRAT_X2APIC_FLAGS = 12,
    SRAT_X2APIC_SIZE = 24,
    SRAT_ENABLED = 1, /* flag */
};

/* Fixed ACPI Description Table and Generic Address Structure */
enum {
    FADT_PM_TMR_BLK = 76,
    FADT_PM_TMR_LEN = 91,
    FADT_FLAGS = 112,
    FADT_MIN_SIZE = 116,
    FADT_X_PM_TMR_BLK = 208,
    FADT_TMR_VAL_EXT = 1 << 8,
    FADT_HW_REDUCED = 1 << 20,
    GAS_ADDRESS = 4,
    GAS_SIZE = 12,
    GAS_MEMORY = 0,
    GAS_IO = 1,
};

enum { HPET_ADDRESS = 40, HPET_SIZE = 56 };

struct table {
    const u8 *data;
    u32 length;
};

struct acpi_info acpi_info;

/* Which proximity domain each dense node stands for. */
static u32 domains[MEM_MAX_NODES];
static u32 nr_domains;

static u64 get(const u8 *p, u32 offset, u32 bytes)
{
    u64 v = 0;

    memcpy(&v, p + offset, bytes);
    return v;
}

static u32 get32(const u8 *p, u32 offset)
{
    return (u32)get(p, offset, 4);
}

static bool checksum_ok(const u8 *p, u32 length)
{
    u8 sum = 0;

    for (u32 i = 0; i < length; i++)
        sum = (u8)(sum + p[i]);
    return sum == 0;
}

static bool signature_is(const u8 *p, const char *signature)
{
    return memcmp(p, signature, strlen(signature)) == 0;
}

static bool table_map(hpa_t pa, struct table *t)
{
    const u8 *p = acpi_map(pa, TABLE_HEADER);
    u32 length = p ? get32(p, TABLE_LENGTH) : 0;

    if (length >= TABLE_HEADER && length <= TABLE_MAX)
        p = acpi_map(pa, length);
    else
        p = NULL;
    if (!p || !checksum_ok(p, length)) {
        log_warn("ACPI: bad table at %#llx ignored", (unsigned long long)pa);
        return false;
    }
    *t = (struct table){p, length};
    return true;
}

/*
 * Steps through a table's list of typed entries, each with its length in the second byte. Returns
 * the next entry that has at least as many bytes as its type needs (sizes[type]), or NULL.
 */
static const u8 *entry_next(const struct table *t, u32 *offset, const u8 *sizes, u32 nr_sizes)
{
    while (*offset < t->length) {
        const u8 *e = t->data + *offset;
        u32 left = t->length - *offset;

        if (left < 2 || e[1] < 2 || e[1] > left) {
            log_warn("ACPI: %.4s broken at byte %u, rest ignored", (const char *)t->data, *offset);
            break;
        }
        *offset += e[1];
        if (e[0] < nr_sizes && sizes[e[0]] && e[1] >= sizes[e[0]])
            return e;
    }
    *offset = t->length;
    return NULL;
}

static void cpu_add(u32 apic_id, u32 flags)
{
    struct acpi_info *a = &acpi_info;

    if (!(flags & MADT_ENABLED))
        return;
    for (u32 i = 0; i < a->nr_cpus; i++)
        if (a->apic_ids[i] == apic_id)
            return; /* some firmware lists a CPU in both forms */
    if (a->nr_cpus == CPU_MAX) {
        log_warn("ACPI: CPU with APIC ID %u is beyond %u CPUs, unused", apic_id, CPU_MAX);
        return;
    }
    a->apic_ids[a->nr_cpus++] = apic_id;
}

static void madt_read(const struct table *t)
{
    static const u8 sizes[] = {[MADT_LAPIC] = MADT_LAPIC_SIZE,
                               [MADT_OVERRIDE] = MADT_OVERRIDE_SIZE,
                               [MADT_X2APIC] = MADT_X2APIC_SIZE};
    u32 offset = MADT_ENTRIES;
    const u8 *e;

    if (t->length < MADT_ENTRIES || acpi_info.nr_cpus)
        return;
    acpi_info.lapic_base = get32(t->data, MADT_LAPIC_ADDRESS);
    while ((e = entry_next(t, &offset, sizes, ARRAY_SIZE(sizes)))) {
        if (e[0] == MADT_LAPIC)
            cpu_add(e[MADT_LAPIC_ID], get32(e, MADT_LAPIC_FLAGS));
        else if (e[0] == MADT_X2APIC)
            cpu_add(get32(e, MADT_X2APIC_ID), get32(e, MADT_X2APIC_FLAGS));
        else
            acpi_info.lapic_base = get(e, MADT_OVERRIDE_ADDRESS, 8);
    }
}

static u32 node_of_domain(u32 domain)
{
    for (u32 i = 0; i < nr_domains; i++)
        if (domains[i] == domain)
            return i;
    if (nr_domains == MEM_MAX_NODES) {
        log_warn("ACPI: proximity domain %u is beyond %u nodes, taken as node 0", domain,
                 MEM_MAX_NODES);
        return 0;
    }
    domains[nr_domains] = domain;
    return nr_domains++;
}

static void cpu_place(u32 apic_id, u32 domain)
{
    for (u32 i = 0; i < acpi_info.nr_cpus; i++)
        if (acpi_info.apic_ids[i] == apic_id)
            acpi_info.nodes[i] = node_of_domain(domain);
}

static void range_add(hpa_t base, u64 length, u32 domain)
{
    struct acpi_info *a = &acpi_info;

    if (!length || length > ~0ull - base)
        return;
    if (a->nr_ranges == ACPI_MAX_NODE_RANGES) {
        log_warn("ACPI: memory affinity of %#llx is beyond %u ranges, ignored",
                 (unsigned long long)base, ACPI_MAX_NODE_RANGES);
        return;
    }
    a->ranges[a->nr_ranges++] = (struct acpi_node_range){base, length, node_of_domain(domain)};
}

static void srat_entry(const u8 *e, u32 domain_mask)
{
    u32 domain;

    switch (e[0]) {
    case SRAT_CPU:
        domain = e[SRAT_CPU_DOMAIN] | (u32)get(e, SRAT_CPU_DOMAIN_HIGH, 3) << 8;
        if (get32(e, SRAT_CPU_FLAGS) & SRAT_ENABLED)
            cpu_place(e[SRAT_CPU_APIC_ID], domain & domain_mask);
        break;
    case SRAT_MEMORY:
        domain = get32(e, SRAT_MEMORY_DOMAIN);
        if (get32(e, SRAT_MEMORY_FLAGS) & SRAT_ENABLED)
            range_add(get(e, SRAT_MEMORY_BASE, 8), get(e, SRAT_MEMORY_LENGTH, 8),
                      domain & domain_mask);
        break;
    default:
        domain = get32(e, SRAT_X2APIC_DOMAIN);
        if (get32(e, SRAT_X2APIC_FLAGS) & SRAT_ENABLED)
            cpu_place(get32(e, SRAT_X2APIC_ID), domain & domain_mask);
    }
}

/* After the MADT, which says which CPUs there are. */
static void srat_read(const struct table *t)
{
    static const u8 sizes[] = {[SRAT_CPU] = SRAT_CPU_SIZE,
                               [SRAT_MEMORY] = SRAT_MEMORY_SIZE,
                               [SRAT_X2APIC] = SRAT_X2APIC_SIZE};
    u32 domain_mask = t->data[TABLE_REVISION] < 2 ? 0xff : ~0u; /* the first revision had a byte */
    u32 offset = SRAT_ENTRIES;
    const u8 *e;

    if (t->length < SRAT_ENTRIES || nr_domains)
        return;
    while ((e = entry_next(t, &offset, sizes, ARRAY_SIZE(sizes))))
        srat_entry(e, domain_mask);
}

static void fadt_read(const struct table *t)
{
    u64 port;
    u32 flags;

    if (t->length < FADT_MIN_SIZE)
        return;
    flags = get32(t->data, FADT_FLAGS);
    if (flags & FADT_HW_REDUCED)
        return;
    port = t->data[FADT_PM_TMR_LEN] == 4 ? get32(t->data, FADT_PM_TMR_BLK) : 0;
    if (t->length >= FADT_X_PM_TMR_BLK + GAS_SIZE && t->data[FADT_X_PM_TMR_BLK] == GAS_IO &&
        get(t->data, FADT_X_PM_TMR_BLK + GAS_ADDRESS, 8))
        port = get(t->data, FADT_X_PM_TMR_BLK + GAS_ADDRESS, 8);
    if (port > 0xffff)
        return;
    acpi_info.pm_timer_port = (u16)port;
    acpi_info.pm_timer_32bit = flags & FADT_TMR_VAL_EXT;
}

static void hpet_read(const struct table *t)
{
    if (t->length >= HPET_SIZE && t->data[HPET_ADDRESS] == GAS_MEMORY && !acpi_info.hpet_base)
        acpi_info.hpet_base = get(t->data, HPET_ADDRESS + GAS_ADDRESS, 8);
}

static bool rsdp_at(hpa_t pa, u8 rsdp[static RSDP_V2_SIZE])
{
    const u8 *p = acpi_map(pa, RSDP_V1_SIZE);

    if (!p || !signature_is(p, "RSD PTR ") || !checksum_ok(p, RSDP_V1_SIZE))
        return false;
    memset(rsdp, 0, RSDP_V2_SIZE);
    memcpy(rsdp, p, RSDP_V1_SIZE);
    if (p[RSDP_REVISION] < 2)
        return true;
    p = acpi_map(pa, RSDP_V2_SIZE);
    if (p && get32(p, RSDP_LENGTH) == RSDP_V2_SIZE && checksum_ok(p, RSDP_V2_SIZE))
        memcpy(rsdp, p, RSDP_V2_SIZE);
    else
        log_warn("ACPI: RSDP at %#llx: extended part bad, RSDT used", (unsigned long long)pa);
    return true;
}

static bool rsdp_search(hpa_t start, hpa_t end, u8 rsdp[static RSDP_V2_SIZE])
{
    for (hpa_t pa = ALIGN_UP(start, 16); pa + RSDP_V1_SIZE <= end; pa += 16)
        if (rsdp_at(pa, rsdp))
            return true;
    return false;
}

static bool rsdp_find(const struct boot_info *bi, u8 rsdp[static RSDP_V2_SIZE])
{
    if (bi->rsdp && rsdp_at(bi->rsdp, rsdp))
        return true;
    if (bi->uefi)
        return false;
    if (bi->ebda && rsdp_search(bi->ebda, MIN(bi->ebda + KIB, 0xa0000ull), rsdp))
        return true;
    return rsdp_search(0xe0000, 0x100000, rsdp);
}

static bool root_map(const u8 rsdp[static RSDP_V2_SIZE], struct table *root, u32 *entry_size)
{
    hpa_t xsdt = get(rsdp, RSDP_XSDT, 8);

    *entry_size = 8;
    if (xsdt && table_map(xsdt, root) && signature_is(root->data, "XSDT"))
        return true;
    *entry_size = 4;
    return table_map(get32(rsdp, RSDP_RSDT), root) && signature_is(root->data, "RSDT");
}

static void tables_read(const struct table *root, u32 entry_size, const char *signature,
                        void (*read)(const struct table *t))
{
    for (u32 i = TABLE_HEADER; i + entry_size <= root->length; i += entry_size) {
        hpa_t pa = get(root->data, i, entry_size);
        const u8 *p = acpi_map(pa, TABLE_HEADER);
        struct table t;

        if (p && signature_is(p, signature) && table_map(pa, &t))
            read(&t);
    }
}

void acpi_init(const struct boot_info *bi)
{
    u8 rsdp[RSDP_V2_SIZE];
    struct table root;
    u32 entry_size;

    acpi_info = (struct acpi_info){.lapic_base = LAPIC_DEFAULT, .nr_nodes = 1};
    nr_domains = 0;
    if (!rsdp_find(bi, rsdp) || !root_map(rsdp, &root, &entry_size)) {
        log_warn("ACPI: no tables; one CPU, one node");
        return;
    }
    acpi_info.present = true;
    tables_read(&root, entry_size, "APIC", madt_read);
    tables_read(&root, entry_size, "SRAT", srat_read);
    tables_read(&root, entry_size, "FACP", fadt_read);
    tables_read(&root, entry_size, "HPET", hpet_read);
    acpi_info.nr_nodes = MAX(nr_domains, 1u);
    log_info("ACPI: %u CPU(s), %u node(s), PM timer %#x, HPET %#llx", acpi_info.nr_cpus,
             acpi_info.nr_nodes, acpi_info.pm_timer_port, (unsigned long long)acpi_info.hpet_base);
}
