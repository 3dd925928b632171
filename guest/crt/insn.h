/* SPDX-License-Identifier: MIT */
/*
 * One inline function per special instruction that a payload executes outside a timed pair.
 */
#ifndef GUEST_CRT_INSN_H
#define GUEST_CRT_INSN_H

#include <stddef.h>
#include <stdint.h>

struct cpuid_regs {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

static inline struct cpuid_regs insn_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t insn_rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

static inline uint64_t insn_rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}

static inline void insn_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr)
                     : "memory");
}

static inline uint8_t insn_in8(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint16_t insn_in16(uint16_t port)
{
    uint16_t v;

    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t insn_in32(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline void insn_out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

/* Writes n bytes one after the other: one exit for many of them where the port is virtual. */
static inline void insn_outs8(uint16_t port, const void *bytes, size_t n)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(n) : "d"(port) : "memory");
}

static inline void insn_out16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

static inline void insn_out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

#define INSN_CR(name, reg)                                                                         \
    static inline uint64_t insn_read_##name(void)                                                  \
    {                                                                                              \
        uint64_t v;                                                                                \
                                                                                                   \
        __asm__ volatile("mov %%" reg ", %0" : "=r"(v)::"memory");                                 \
        return v;                                                                                  \
    }                                                                                              \
    static inline void insn_write_##name(uint64_t v)                                               \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" reg ::"r"(v) : "memory");                                    \
    }

INSN_CR(cr0, "cr0")
INSN_CR(cr2, "cr2")
INSN_CR(cr3, "cr3")
INSN_CR(cr4, "cr4")

static inline void insn_cli(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void insn_sti(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void insn_hlt(void)
{
    __asm__ volatile("hlt" ::: "memory");
}

/* Halts with interrupts on, nothing between; interrupts are off again when it returns. */
static inline void insn_sti_hlt_cli(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

static inline void insn_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline void insn_invlpg(const volatile void *p)
{
    __asm__ volatile("invlpg (%0)" ::"r"(p) : "memory");
}

#endif
