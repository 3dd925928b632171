/* SPDX-License-Identifier: MIT */
/*
 * Why: proves a hypervisor's guest account. Executes a number of instructions that is known
 * exactly, with a number of CPUID among them, between two RDTSC; where a tick is an instruction and
 * nothing intervenes, ticks equal instructions. Words: n=INSTRUCTIONS (about) and k=CPUIDS.
 */
#include <stdint.h>
#include <stdio.h>

#include "guest/lib/args.h"
#include "guest/lib/record.h"

#define DEFAULT_INSTRUCTIONS 1000000
#define DEFAULT_CPUIDS       100
#define TURN_FIXED           5 /* instructions of one turn besides its inner loop */
#define ONCE                 3 /* two moves after the first RDTSC, and the second RDTSC */

/*
 * turns times: an inner loop of 2 * inner instructions, then a CPUID when cpuid is 1, else a NOP.
 * Returns the ticks from the first RDTSC to the second.
 */
#define COUNT_LOOP(name, insn)                                                                     \
    __attribute__((noinline)) static uint64_t name(uint64_t turns, uint64_t inner)                 \
    {                                                                                              \
        uint32_t lo, hi;                                                                           \
        uint64_t low, high;                                                                        \
                                                                                                   \
        __asm__ volatile("rdtsc\n\t"                                                               \
                         "movl %%eax, %%r8d\n\t"                                                   \
                         "movl %%edx, %%r9d\n"                                                     \
                         "1: movq %[inner], %%r11\n"                                               \
                         "2: decq %%r11\n\t"                                                       \
                         "jnz 2b\n\t"                                                              \
                         "xorl %%eax, %%eax\n\t" insn "\n\t"                                       \
                         "decq %[turns]\n\t"                                                       \
                         "jnz 1b\n\t"                                                              \
                         "rdtsc\n\t"                                                               \
                         "movq %%r8, %[low]\n\t"                                                   \
                         "movq %%r9, %[high]"                                                      \
                         : "=&a"(lo),                                                              \
                           "=&d"(hi), [turns] "+S"(turns), [low] "=&r"(low), [high] "=&r"(high)    \
                         : [inner] "D"(inner)                                                      \
                         : "rbx", "rcx", "r8", "r9", "r11", "cc");                                 \
        return ((uint64_t)hi << 32 | lo) - (high << 32 | low);                                     \
    }

COUNT_LOOP(count_cpuids, "cpuid")
COUNT_LOOP(count_nops, "nop")

int main(int argc, char **argv)
{
    uint64_t n = args_number(argv, "n", DEFAULT_INSTRUCTIONS);
    uint64_t cpuids = args_number(argv, "k", DEFAULT_CPUIDS);
    uint64_t turns = cpuids ? cpuids : 1;
    uint64_t inner = n / turns > TURN_FIXED + 2 ? (n / turns - TURN_FIXED) / 2 : 1;
    uint64_t (*loop)(uint64_t, uint64_t) = cpuids ? count_cpuids : count_nops;
    uint64_t ticks;

    (void)argc;
    loop(1, 1); /* touches the code before it counts */
    ticks = loop(turns, inner);
    record_begin("count");
    record_number("instructions", turns * (2 * inner + TURN_FIXED) + ONCE);
    record_number("cpuids", cpuids);
    record_number("ticks", ticks);
    record_end();
    return 0;
}
