/* SPDX-License-Identifier: MIT */
/*
 * One inline function per privileged or special instruction. The host side of the hypervisor
 * executes none of them outside these wrappers and the assembly files, so that the operation
 * vector of an exit can be read off its path.
 */
#ifndef HV_X86_INSN_H
#define HV_X86_INSN_H

#include "hv/lib/types.h"

struct cpuid_regs {
    u32 eax;
    u32 ebx;
    u32 ecx;
    u32 edx;
};

static inline struct cpuid_regs insn_cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* The host's time stamp; ticks. */
static inline u64 insn_rdtsc(void)
{
    u32 lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (u64)hi << 32 | lo;
}

static inline u64 insn_rdmsr(u32 msr)
{
    u32 lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (u64)hi << 32 | lo;
}

static inline void insn_wrmsr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" ::"a"((u32)value), "d"((u32)(value >> 32)), "c"(msr) : "memory");
}

static inline u8 insn_in8(u16 port)
{
    u8 v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline u16 insn_in16(u16 port)
{
    u16 v;

    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline u32 insn_in32(u16 port)
{
    u32 v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void insn_out8(u16 port, u8 v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void insn_out16(u16 port, u16 v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void insn_out32(u16 port, u32 v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

/* Writes n bytes to one port with REP OUTSB. */
static inline void insn_outs8(u16 port, const void *buf, size_t n)
{
    __asm__ volatile("rep outsb" : "+S"(buf), "+c"(n) : "d"(port) : "memory");
}

static inline u64 insn_read_cr0(void)
{
    u64 v;

    __asm__ volatile("mov %%cr0, %0" : "=r"(v)::"memory");
    return v;
}

static inline void insn_write_cr0(u64 v)
{
    __asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}

static inline u64 insn_read_cr2(void)
{
    u64 v;

    __asm__ volatile("mov %%cr2, %0" : "=r"(v)::"memory");
    return v;
}

static inline u64 insn_read_cr3(void)
{
    u64 v;

    __asm__ volatile("mov %%cr3, %0" : "=r"(v)::"memory");
    return v;
}

static inline void insn_write_cr3(u64 v)
{
    __asm__ volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}

static inline u64 insn_read_cr4(void)
{
    u64 v;

    __asm__ volatile("mov %%cr4, %0" : "=r"(v)::"memory");
    return v;
}

static inline void insn_write_cr4(u64 v)
{
    __asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}

static inline u64 insn_read_rflags(void)
{
    u64 v;

    __asm__ volatile("pushfq; popq %0" : "=r"(v)::"memory");
    return v;
}

static inline void insn_invlpg(const void *p)
{
    __asm__ volatile("invlpg (%0)" ::"r"(p) : "memory");
}

static inline void insn_cli(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void insn_sti(void)
{
    __asm__ volatile("sti" ::: "memory");
}

/* Opens the interrupt window and halts with nothing between; returns after an interrupt. */
static inline void insn_sti_hlt(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

/*
 * Takes what interrupts are pending: they come after the NOP, where the shadow of STI ends. The
 * PAUSE gives other CPUs their turn on an emulator that runs one at a time; in the shadow it would
 * keep the interrupts out there.
 */
static inline void insn_sti_window(void)
{
    __asm__ volatile("sti; nop; pause; cli" ::: "memory");
}

static inline void insn_hlt(void)
{
    __asm__ volatile("hlt" ::: "memory");
}

static inline void insn_pause(void)
{
    __builtin_ia32_pause();
}

static inline u64 insn_xgetbv(u32 index)
{
    u32 lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
    return (u64)hi << 32 | lo;
}

static inline void insn_xsetbv(u32 index, u64 value)
{
    __asm__ volatile("xsetbv" ::"a"((u32)value), "d"((u32)(value >> 32)), "c"(index) : "memory");
}

/* Processor extended state in area (64-byte aligned); mask: components, as in XCR0. */
static inline void insn_xsave64(void *area, u64 mask)
{
    __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory");
}

static inline void insn_xrstor64(const void *area, u64 mask)
{
    __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
                     : "memory");
}

static inline void insn_fxsave64(void *area)
{
    __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void insn_fxrstor64(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/*
 * Puts values of no interest into the x87 instruction, data and opcode pointers: AMD processors
 * restore them only with an exception pending, so the last owner's would stay.
 */
static inline void insn_x87_clear_pointers(void)
{
    static const u32 zero;

    __asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero) : "memory");
}

static inline void insn_read_dr0_3(u64 dr[4])
{
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
                     : "=r"(dr[0]), "=r"(dr[1]), "=r"(dr[2]), "=r"(dr[3]));
}

static inline void insn_write_dr0_3(const u64 dr[4])
{
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3" ::"r"(dr[0]),
                     "r"(dr[1]), "r"(dr[2]), "r"(dr[3]));
}

/*
 * Zeroes the 4 KiB page at p with 16-byte stores, 266 instructions; the guest's XMM0 is kept. Needs
 * CR4.OSFXSR.
 */
static inline void insn_zero_page(void *p)
{
    u64 xmm0[2], end = (u64)p + 4096;

    __asm__ volatile("movups %%xmm0, %[keep]\n\t"
                     "pxor %%xmm0, %%xmm0\n"
                     "1:\n\t"
                     ".set offset, 0\n\t"
                     ".rept 128\n\t"
                     "movaps %%xmm0, offset(%[at])\n\t"
                     ".set offset, offset + 16\n\t"
                     ".endr\n\t"
                     "add $2048, %[at]\n\t"
                     "cmp %[end], %[at]\n\t"
                     "jne 1b\n\t"
                     "movups %[keep], %%xmm0"
                     : [keep] "=m"(xmm0), [at] "+r"(p)
                     : [end] "r"(end)
                     : "memory", "cc");
}

#endif
