/* SPDX-License-Identifier: MIT */
/*
 * hv/host/mem.c and page_pool.c on a piece of this process's memory that plays the machine's.
 */
#define HV_X86_INSN_H   /* interrupt flag: a variable */
#define HV_HOST_IMAGE_H /* the image: wherever a test puts it */

#include "hv/lib/types.h"

static u64 fake_rflags = 0x202;
static u8 *image_start, *image_end;

static inline u64 insn_read_rflags(void)
{
    return fake_rflags;
}

static inline void insn_cli(void)
{
    fake_rflags &= ~0x200ull;
}

static inline void insn_sti(void)
{
    fake_rflags |= 0x200;
}

static inline void insn_zero_page(void *p)
{
    __builtin_memset(p, 0, 4096);
}

/* cpu_this() of the unit takes the stack pointer; here there is one CPU. */
#define cpu_this unused_cpu_this
#include "hv/host/cpu.h"
#undef cpu_this
#define cpu_this() (&cpus[0])

#include "hv/host/mem.c"
#include "hv/host/page_pool.c"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define RAM_SIZE (4 * GIB) /* address space; only what is touched costs memory */

struct cpu cpus[CPU_MAX];
u32 cpu_count = 1;
struct acpi_info acpi_info;
static jmp_buf panicked;
static u32 errors_logged;
static hpa_t ram; /* 1 GiB aligned */
static struct boot_info *bi;

void panic(const char *fmt, ...)
{
    (void)fmt;
    longjmp(panicked, 1);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    errors_logged += level == LOG_ERROR;
}

#define assert_panics(statement)                                                                   \
    do {                                                                                           \
        if (!setjmp(panicked)) {                                                                   \
            statement;                                                                             \
            fail_msg("no panic: %s", #statement);                                                  \
        }                                                                                          \
    } while (0)

static int setup(void **state)
{
    u8 *p = mmap(NULL, RAM_SIZE + GIB, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)state;
    if (p == MAP_FAILED)
        return -1;
    ram = ALIGN_UP((hpa_t)p, GIB);
    bi = calloc(1, sizeof(*bi));
    return bi ? 0 : -1;
}

static int fresh(void **state)
{
    (void)state;
    memset(bi, 0, sizeof(*bi));
    memset(&acpi_info, 0, sizeof(acpi_info));
    acpi_info.nr_nodes = 1;
    image_start = image_end = NULL;
    errors_logged = 0;
    madvise((void *)ram, RAM_SIZE, MADV_DONTNEED);
    return 0;
}

static void ram_add(u64 offset, u64 length)
{
    bi->mem[bi->nr_mem++] = (struct boot_mem){ram + offset, length, BOOT_MEM_USABLE};
}

static u32 drain(hpa_t *pages, u32 max, u32 order)
{
    u32 n = 0;

    while (n < max && (pages[n] = mem_alloc(order, MEM_ANY_NODE)))
        n++;
    return n;
}

static void test_alignment_and_contents(void **state)
{
    (void)state;
    ram_add(0, 3 * GIB);
    assert_int_equal(mem_init(bi), 0);
    for (u32 order = 0; order <= MEM_MAX_ORDER; order++) {
        hpa_t pa = mem_alloc(order, MEM_ANY_NODE);

        assert_true(pa >= ram && pa + (PAGE_SIZE << order) <= ram + 3 * GIB);
        assert_int_equal(pa % (PAGE_SIZE << order), 0);
        mem_free(pa, order);
    }
    assert_int_equal(mem_alloc(MEM_MAX_ORDER + 1, 0), 0);
    assert_int_equal(mem_total_bytes(), 3 * GIB);
}

static void test_exhaustion_and_coalescing(void **state)
{
    static hpa_t pages[16384];
    u64 before;
    u32 n;

    (void)state;
    ram_add(0, 64 * MIB);
    assert_int_equal(mem_init(bi), 0);
    before = mem_free_bytes(MEM_ANY_NODE);
    for (u32 round = 0; round < 3; round++) {
        n = drain(pages, ARRAY_SIZE(pages), 0);
        assert_int_equal(n, before / PAGE_SIZE);
        assert_int_equal(mem_alloc(0, 0), 0);
        assert_int_equal(mem_free_bytes(0), 0);
        for (u32 i = 0; i < n; i++) /* an order that neither ascends nor descends */
            mem_free(pages[(u64)i * 7919 % n], 0);
        assert_int_equal(mem_free_bytes(MEM_ANY_NODE), before);
        for (u32 i = 0; i < 31; i++)
            assert_int_not_equal(pages[i] = mem_alloc(MEM_ORDER_2M, MEM_ANY_NODE), 0);
        for (u32 i = 0; i < 31; i++)
            mem_free(pages[i], MEM_ORDER_2M);
    }
    assert_int_equal(errors_logged, 0);
    assert_int_equal(fake_rflags, 0x202);
}

static void test_interrupt_flag_kept(void **state)
{
    (void)state;
    ram_add(0, 16 * MIB);
    assert_int_equal(mem_init(bi), 0);
    fake_rflags = 2;
    mem_free(mem_alloc(3, 0), 3);
    assert_int_equal(fake_rflags, 2);
    fake_rflags = 0x202;
}

static bool overlaps(hpa_t pa, hpa_t start, hpa_t end)
{
    return pa < end && pa + PAGE_SIZE > start;
}

static void test_reservations(void **state)
{
    static hpa_t pages[8192];
    u32 n;

    (void)state;
    bi->mem[bi->nr_mem++] = (struct boot_mem){0, 0x9fc00, BOOT_MEM_USABLE};
    ram_add(0, 4 * MIB);
    ram_add(4 * MIB, 12 * MIB + 123); /* touches the first; ends inside a page */
    bi->mem[bi->nr_mem++] = (struct boot_mem){ram + 20 * MIB, 4 * MIB, BOOT_MEM_ACPI_RECLAIM};
    ram_add(24 * MIB + 1, MIB); /* begins inside a page */
    image_start = (u8 *)ram + 64 * KIB;
    image_end = (u8 *)ram + 200 * KIB;
    bi->nr_modules = 3;
    bi->modules[0].start = ram + 6 * MIB + 5; /* unaligned */
    bi->modules[0].end = ram + 6 * MIB + 6;
    bi->modules[1].start = ram + 100 * KIB; /* overlaps the image */
    bi->modules[1].end = ram + 300 * KIB;
    bi->modules[2].start = ram; /* the first page; only that */
    bi->modules[2].end = ram + PAGE_SIZE;
    assert_int_equal(mem_init(bi), 0);
    n = drain(pages, ARRAY_SIZE(pages), 0);
    /* 16 MiB + 255 whole pages, less 1 + 59 + 1 reserved and 2 of state bytes */
    assert_int_equal(n, 4096 + 255 - 61 - 2);
    for (u32 i = 0; i < n; i++) {
        assert_true(pages[i] >= ram && pages[i] + PAGE_SIZE <= ram + 25 * MIB + 1);
        assert_false(overlaps(pages[i], ram + 64 * KIB, ram + 300 * KIB));
        assert_false(overlaps(pages[i], ram + 6 * MIB, ram + 6 * MIB + 10));
        assert_false(overlaps(pages[i], ram, ram + 1));
        assert_false(overlaps(pages[i], ram + 16 * MIB, ram + 24 * MIB + 1));
        memset((void *)pages[i], 0xff, PAGE_SIZE); /* must not damage the allocator */
    }
    for (u32 i = 0; i < n; i++)
        mem_free(pages[i], 0);
    assert_int_equal(drain(pages, ARRAY_SIZE(pages), 0), n);
}

static void test_low_page(void **state)
{
    (void)state;
    bi->mem[bi->nr_mem++] = (struct boot_mem){0, 0x9fc00, BOOT_MEM_USABLE};
    ram_add(0, 16 * MIB);
    assert_int_equal(mem_init(bi), 0);
    assert_int_equal(mem_low_page(), 0x1000);
    bi->nr_modules = 1;
    bi->modules[0].start = 0x800;
    bi->modules[0].end = 0x4001;
    assert_int_equal(mem_init(bi), 0);
    assert_int_equal(mem_low_page(), 0x5000);
    bi->modules[0].end = 0x9f001;
    assert_int_equal(mem_init(bi), 0);
    assert_int_equal(mem_low_page(), 0);
}

static void test_too_little(void **state)
{
    (void)state;
    assert_int_equal(mem_init(bi), -HV_ENOMEM); /* no map at all */
    assert_int_equal(mem_alloc(0, 0), 0);
    ram_add(0, MEM_MIN_BYTES); /* its own state bytes are missing */
    assert_int_equal(mem_init(bi), -HV_ENOMEM);
    assert_int_equal(errors_logged, 2);
    bi->mem[0].length += PAGE_SIZE;
    assert_int_equal(mem_init(bi), 0);
    bi->mem[0].length = ~0ull; /* nonsense must not wrap around */
    assert_int_equal(mem_init(bi), -HV_ENOMEM);
}

static void test_nodes(void **state)
{
    static hpa_t pages[8192];
    u32 n = 0;
    hpa_t pa;

    (void)state;
    ram_add(0, 32 * MIB);
    acpi_info.nr_nodes = 2;
    acpi_info.nr_ranges = 2;
    acpi_info.ranges[0] = (struct acpi_node_range){ram + 16 * MIB + PAGE_SIZE, GIB, 1};
    acpi_info.ranges[1] = (struct acpi_node_range){ram, 16 * MIB + PAGE_SIZE, 0};
    assert_int_equal(mem_init(bi), 0);
    assert_int_equal(mem_free_bytes(1), 16 * MIB - PAGE_SIZE);
    assert_true(mem_alloc(4, 1) >= ram + 16 * MIB + PAGE_SIZE);
    assert_true(mem_alloc(4, 0) < ram + 16 * MIB);
    while (mem_free_bytes(1)) {
        pages[n] = mem_alloc(0, 1);
        assert_true(pages[n] >= ram + 16 * MIB + PAGE_SIZE);
        n++;
    }
    pa = mem_alloc(0, 1); /* falls back to the other node */
    assert_true(pa && pa < ram + 16 * MIB + PAGE_SIZE);
    mem_free(pa, 0);
    while (n)
        mem_free(pages[--n], 0);
    assert_true(mem_alloc(0, 7) != 0); /* an unknown node is any node */
}

static void test_bad_frees(void **state)
{
    hpa_t pa, pb;

    (void)state;
    ram_add(0, 16 * MIB);
    assert_int_equal(mem_init(bi), 0);
    pa = mem_alloc(0, 0);
    pb = mem_alloc(4, 0);
    assert_panics(mem_free(pa, 1));
    assert_panics(mem_free(pa + 1, 0));
    assert_panics(mem_free(pb + PAGE_SIZE, 0));
    assert_panics(mem_free(pb, 3));
    assert_panics(mem_free(0, 0));
    assert_panics(mem_free(ram + GIB, 0));
    assert_panics(mem_free(pb, MEM_MAX_ORDER + 1));
    mem_free(pa, 0);
    assert_panics(mem_free(pa, 0));
    mem_free(pb, 4);
    assert_panics(mem_free(pb, 4));
    assert_int_equal(mem_free_bytes(0), 16 * MIB - PAGE_SIZE);
}

static void test_zalloc(void **state)
{
    static const size_t sizes[] = {0, 1, 4096, 4097, 12288, 2 * MIB, 3 * MIB};
    u64 before;

    (void)state;
    ram_add(0, 64 * MIB);
    assert_int_equal(mem_init(bi), 0);
    before = mem_free_bytes(0);
    memset((void *)ram, 0xa5, 64 * MIB);
    assert_int_equal(mem_init(bi), 0);
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        u8 *p = mem_zalloc(sizes[i], MEM_ANY_NODE);

        assert_non_null(p);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xff, sizes[i]);
        mem_zfree(p, sizes[i]);
    }
    mem_zfree(NULL, 1);
    assert_int_equal(mem_free_bytes(0), before);
    assert_null(mem_zalloc(65 * MIB, 0));
    assert_null(mem_zalloc(~(size_t)0, 0));
}

/* Random requests against a shadow map of which pages are taken. */
static void test_random(void **state)
{
    static struct {
        hpa_t pa;
        u32 order;
    } held[512];
    static bool taken[16384];
    u32 seed = 1;

    (void)state;
    ram_add(0, 40 * MIB);
    ram_add(41 * MIB, 20 * MIB + PAGE_SIZE);
    assert_int_equal(mem_init(bi), 0);
    for (u32 step = 0; step < 200000; step++) {
        u32 slot, order;

        seed = seed * 1664525 + 1013904223;
        slot = seed >> 8 & 511;
        order = (seed >> 17 & 3) ? seed >> 20 & 3 : seed >> 20 & 11;
        if (held[slot].pa) {
            for (u32 i = 0; i < 1u << held[slot].order; i++)
                taken[(held[slot].pa - ram) / PAGE_SIZE + i] = false;
            mem_free(held[slot].pa, held[slot].order);
            held[slot].pa = 0;
        } else if ((held[slot].pa = mem_alloc(order, MEM_ANY_NODE))) {
            held[slot].order = order;
            for (u32 i = 0; i < 1u << order; i++) {
                bool *t = &taken[(held[slot].pa - ram) / PAGE_SIZE + i];

                assert_false(*t);
                *t = true;
            }
        }
    }
    for (u32 i = 0; i < ARRAY_SIZE(held); i++)
        if (held[i].pa)
            mem_free(held[i].pa, held[i].order);
    assert_int_equal(mem_free_bytes(0), mem_total_bytes() - 4 * PAGE_SIZE);
}

static void test_page_pool(void **state)
{
    u64 before;

    (void)state;
    assert_int_equal(page_pool_take_zeroed(), 0); /* before init: empty, not a crash */
    assert_false(page_pool_refill(1));
    ram_add(0, 16 * MIB);
    memset((void *)ram, 0x5a, 16 * MIB);
    assert_int_equal(mem_init(bi), 0);
    before = mem_free_bytes(0);
    assert_int_equal(page_pool_init(8), 0);
    assert_int_equal(page_pool_take_zeroed(), 0);
    assert_true(page_pool_refill(3));
    assert_int_equal(page_pool_count(&cpus[0]), 3);
    assert_false(page_pool_refill(100));
    assert_int_equal(page_pool_count(&cpus[0]), 8);
    assert_int_equal(mem_free_bytes(0), before - 9 * PAGE_SIZE);
    for (u32 i = 0; i < 8; i++) {
        hpa_t pa = page_pool_take_zeroed();

        assert_int_not_equal(pa, 0);
        for (u32 j = 0; j < PAGE_SIZE; j++)
            assert_int_equal(((u8 *)pa)[j], 0);
        memset((void *)pa, 0x77, PAGE_SIZE);
        mem_free(pa, 0);
    }
    assert_int_equal(page_pool_take_zeroed(), 0);
    assert_int_equal(page_pool_take_zeroed(), 0);
    assert_true(page_pool_refill(2)); /* recycled pages come back as zeros */
    assert_int_equal(*(u64 *)(page_pool_take_zeroed() + 2048), 0);
    while (mem_alloc(0, 0))
        ;
    assert_false(page_pool_refill(8));
    assert_int_equal(page_pool_init(8), -HV_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_page_pool, fresh),
        cmocka_unit_test_setup(test_alignment_and_contents, fresh),
        cmocka_unit_test_setup(test_exhaustion_and_coalescing, fresh),
        cmocka_unit_test_setup(test_interrupt_flag_kept, fresh),
        cmocka_unit_test_setup(test_reservations, fresh),
        cmocka_unit_test_setup(test_low_page, fresh),
        cmocka_unit_test_setup(test_too_little, fresh),
        cmocka_unit_test_setup(test_nodes, fresh),
        cmocka_unit_test_setup(test_bad_frees, fresh),
        cmocka_unit_test_setup(test_zalloc, fresh),
        cmocka_unit_test_setup(test_random, fresh),
    };

    return cmocka_run_group_tests_name("mem", tests, setup, NULL);
}
