/* SPDX-License-Identifier: MIT */
/*
 * A guest for units of hv/vm and svm: a VM with one vCPU, a little memory of which a test may
 * declare pages untouched, and a backend that keeps registers in arrays and notes what it is asked
 * for.
 */
#ifndef TESTS_UNIT_FAKE_GUEST_H
#define TESTS_UNIT_FAKE_GUEST_H

#include "tests/unit/fake_insn.h"

/* cpu_this() of the unit takes the stack pointer; here there is one CPU. */
#define cpu_this unused_cpu_this
#include "hv/host/cpu.h"
#undef cpu_this
static struct cpu fake_cpu;
#define cpu_this() (&fake_cpu)

#include "hv/vm/backend.h"

#include "tests/unit/cmocka_all.h"

#define FAKE_PAGES 64
#define FAKE_RAM   (FAKE_PAGES * PAGE_SIZE)

static u8 fake_ram[FAKE_RAM] __attribute__((aligned(4096)));
static bool fake_untouched[FAKE_PAGES]; /* memory that has no host page yet */
static bool fake_exhausted;             /* the host has none to give */
static struct vm fake_vm;
static struct vcpu fake_vcpu;
static struct vcpu_stats fake_stats;
static struct vm_cpuid fake_vm_cpuid;
static u64 fake_regs[VREG_COUNT];
static struct segment fake_segments[VSEG_COUNT];
static u8 fake_cpl;
static u32 fake_flushes, fake_advanced, fake_advances, fake_length, fake_faults, fake_stops;
static enum vm_end fake_end;

static inline void *vm_memory_peek_host(gpa_t gpa)
{
    return gpa < FAKE_RAM && !fake_untouched[gpa / PAGE_SIZE] ? fake_ram + gpa : NULL;
}

void *vm_memory_peek(struct vm *vm, gpa_t gpa)
{
    assert_ptr_equal(vm, &fake_vm);
    return vm_memory_peek_host(gpa);
}

void *vm_memory_at(struct vm *vm, gpa_t gpa)
{
    if (gpa < FAKE_RAM && !fake_exhausted)
        fake_untouched[gpa / PAGE_SIZE] = false;
    return vm_memory_peek(vm, gpa);
}

static inline u64 fake_get(struct vcpu *v, enum vreg r)
{
    assert_ptr_equal(v, &fake_vcpu);
    return fake_regs[r];
}

static inline void fake_set(struct vcpu *v, enum vreg r, u64 value)
{
    assert_ptr_equal(v, &fake_vcpu);
    fake_regs[r] = value;
}

static inline void fake_get_segment(struct vcpu *v, enum vseg s, struct segment *out)
{
    (void)v;
    *out = fake_segments[s];
}

static inline u8 fake_get_cpl(struct vcpu *v)
{
    (void)v;
    return fake_cpl;
}

static inline void fake_advance(struct vcpu *v, u32 length)
{
    (void)v;
    fake_advanced = length;
    fake_advances++;
    fake_regs[VREG_RIP] += length;
}

static inline u32 fake_get_length(struct vcpu *v)
{
    (void)v;
    return fake_length;
}

static inline void fake_flush(struct vcpu *v)
{
    (void)v;
    fake_flushes++;
}

static inline void fake_window(struct vcpu *v, bool open)
{
    (void)v;
    (void)open;
}

static const struct backend fake_backend = {
    .name = "fake",
    .get = fake_get,
    .set = fake_set,
    .get_segment = fake_get_segment,
    .cpl = fake_get_cpl,
    .advance = fake_advance,
    .length = fake_get_length,
    .flush = fake_flush,
    .window = fake_window,
};

const struct backend *backend = &fake_backend;

/* 64-bit mode at CPL 0, paging on, all memory touched. */
static inline void fake_guest_reset(void)
{
    fake_insn_reset();
    memset(fake_ram, 0, sizeof(fake_ram));
    memset(fake_untouched, 0, sizeof(fake_untouched));
    memset(&fake_vm, 0, sizeof(fake_vm));
    memset(&fake_vcpu, 0, sizeof(fake_vcpu));
    memset(&fake_stats, 0, sizeof(fake_stats));
    memset(&fake_vm_cpuid, 0, sizeof(fake_vm_cpuid));
    memset(fake_regs, 0, sizeof(fake_regs));
    memset(fake_segments, 0, sizeof(fake_segments));
    fake_exhausted = false;
    fake_cpl = 0;
    fake_flushes = fake_advanced = fake_advances = fake_length = fake_faults = fake_stops = 0;
    fake_end = VM_END_NONE;
    fake_vm.vcpus[0] = &fake_vcpu;
    fake_vm.nr_vcpus = 1;
    fake_vcpu.vm = &fake_vm;
    fake_vcpu.stats = &fake_stats;
    fake_vcpu.cpuid = &fake_vm_cpuid;
    fake_vcpu.home = &fake_cpu;
    fake_vcpu.state = VCPU_RUNNING;
    fake_regs[VREG_CR0] = CR0_PE | CR0_PG | CR0_ET;
    fake_regs[VREG_CR4] = CR4_PAE;
    fake_regs[VREG_EFER] = EFER_LME | EFER_LMA;
    fake_regs[VREG_RFLAGS] = RFLAGS_ONE;
    fake_segments[VSEG_CS].attr = SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_L | 0xb;
}

static inline u64 *fake_table(gpa_t gpa)
{
    return (u64 *)(fake_ram + gpa);
}

/* 4-level tables at 0x1000, 0x2000, 0x3000, 0x4000: the first 2 MiB one to one in small pages. */
static inline void fake_map_low(void)
{
    fake_regs[VREG_CR3] = 0x1000;
    fake_table(0x1000)[0] = 0x2000 | PTE_P | PTE_RW | PTE_US;
    fake_table(0x2000)[0] = 0x3000 | PTE_P | PTE_RW | PTE_US;
    fake_table(0x3000)[0] = 0x4000 | PTE_P | PTE_RW | PTE_US;
    for (u32 i = 0; i < 512; i++)
        fake_table(0x4000)[i] = (u64)i << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US;
}

#endif
