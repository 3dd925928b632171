/* SPDX-License-Identifier: MIT */
/*
 * CPUID with prefixes across a page end, and CPUID at one address whose bytes, then whose mapping,
 * change. A wrong length resumes in the middle of something: CPUID again with another leaf, or
 * UD2, which fills the pages.
 */
#include "guest/payloads/faults/faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/memory.h"
#include "guest/crt/paging.h"
#include "guest/lib/trap.h"

#define WINDOW      (PAGING_WINDOW + 0x10000)
#define SMC_ROUNDS  3000
#define REMAP_TURNS 4000
#define RET         0xc3

struct prefixes {
    uint8_t count;
    uint8_t bytes[14];
};

static const struct prefixes variants[] = {
    {0, {0}},
    {1, {0x66}},
    {1, {0xf3}},
    {1, {0xf2}},
    {1, {0x67}},
    {1, {0x48}},
    {2, {0x66, 0x66}},
    {2, {0x66, 0x4f}},
    {2, {0x48, 0x66}}, /* a REX that does not come last counts as nothing */
    {3, {0x2e, 0x36, 0x65}},
    {4, {0xf3, 0x66, 0x67, 0x41}},
    {13, {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66}},
    {13, {0x3e, 0x26, 0x64, 0xf2, 0xf3, 0x66, 0x67, 0x3e, 0x26, 0x64, 0xf2, 0xf3, 0x49}},
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct cpuid_regs expected;

static void fill_ud2(void *page)
{
    for (size_t i = 0; i < MEMORY_PAGE; i += 2)
        memcpy((char *)page + i, "\x0f\x0b", 2);
}

/* Writes variant v and a RET to code; returns CPUID's length. */
static size_t put_variant(uint8_t *code, size_t v)
{
    size_t n = variants[v].count;

    memcpy(code, variants[v].bytes, n);
    code[n++] = 0x0f;
    code[n++] = 0xa2;
    code[n] = RET;
    return n;
}

static bool runs_right(const void *address)
{
    struct code_result r = code_call(address);

    return !r.trapped && r.eax == expected.eax && r.ebx == expected.ebx;
}

static const char *wrong(const char *where, size_t v, size_t detail)
{
    return check_why("%s: variant %zu, %zu: %s vector %lu rip %#lx", where, v, detail,
                     trap_last.hit ? "trapped," : "wrong registers, last", trap_last.vector,
                     trap_last.rip);
}

/* Two pages whose physical neighbours are others; NULL and a reason without memory. */
static uint8_t *take_two_pages(void)
{
    uint8_t *pages = memory_take_pages(3);

    code_init();
    expected = insn_cpuid(0, 0);
    if (!pages || paging_map(WINDOW, (uintptr_t)(pages + 2 * MEMORY_PAGE) | PTE_P | PTE_RW) ||
        paging_map(WINDOW + MEMORY_PAGE, (uintptr_t)pages | PTE_P | PTE_RW))
        return NULL;
    fill_ud2(pages);
    fill_ud2(pages + MEMORY_PAGE);
    fill_ud2(pages + 2 * MEMORY_PAGE);
    return pages;
}

/* One more prefix than the processor takes: #GP at the instruction, on either side. */
static const char *too_long(void)
{
    uint8_t *code = (uint8_t *)WINDOW + MEMORY_PAGE - 8;

    memset(code, 0x66, 14);
    memcpy(code + 14, "\x0f\xa2\xc3", 3);
    if (!code_call(code).trapped || trap_last.vector != VECTOR_GP ||
        trap_last.rip != (uintptr_t)code)
        return wrong("sixteen bytes", 0, 0);
    return NULL;
}

const char *fault_cross_page_cpuid(void)
{
    uint8_t *end = (uint8_t *)WINDOW + MEMORY_PAGE;

    if (!take_two_pages())
        return "too little memory";
    for (size_t v = 0; v < VARIANTS; v++) {
        size_t length = variants[v].count + 2u;

        for (size_t before = 1; before <= length; before++) {
            fill_ud2((void *)WINDOW);
            fill_ud2(end);
            put_variant(end - before, v);
            if (!runs_right(end - before))
                return wrong("bytes before the page end", v, before);
        }
    }
    return too_long();
}

static const char *changing_bytes(void)
{
    uint8_t *code = (uint8_t *)WINDOW;

    for (size_t i = 0; i < SMC_ROUNDS; i++) {
        put_variant(code, i % VARIANTS);
        if (!runs_right(code))
            return wrong("changed bytes", i % VARIANTS, i);
    }
    return NULL;
}

/* The same address shows one page, then another; by INVLPG and by CR3 in turn. */
static const char *changing_mapping(uint8_t *pages)
{
    put_variant(pages, 0);
    put_variant(pages + MEMORY_PAGE, 6);
    for (size_t i = 0; i < REMAP_TURNS; i++) {
        uintptr_t page = (uintptr_t)pages + i % 2 * MEMORY_PAGE;

        if (paging_map(WINDOW, page | PTE_P | PTE_RW))
            return "too little memory";
        if (i & 2)
            insn_write_cr3(insn_read_cr3());
        if (!runs_right((void *)WINDOW))
            return wrong("changed mapping", i % 2 * 6, i);
    }
    return NULL;
}

const char *fault_smc_cpuid(void)
{
    uint8_t *pages = take_two_pages();
    const char *why;

    if (!pages)
        return "too little memory";
    why = changing_bytes();
    return why ? why : changing_mapping(pages);
}
