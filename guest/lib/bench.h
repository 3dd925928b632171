/* SPDX-License-Identifier: MIT */
/*
 * The benchmark harness. A benchmark is one operation between two plain RDTSC, repeated; nothing
 * else lies between them but the one XCHG that saves the first stamp and loads RAX, so an empty
 * pair is 2 ticks where a tick is an instruction. Every figure is raw: nothing is subtracted.
 */
#ifndef GUEST_LIB_BENCH_H
#define GUEST_LIB_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_WARMUP     200
#define BENCH_ITERATIONS 10000

/* What an operation finds in registers. */
struct bench_regs {
    uint32_t rax; /* zero-extended */
    uint64_t rcx;
    uint64_t rsi;
    uint64_t rdi;
};

/* The low halves of both stamps. */
struct bench_pair {
    uint32_t start;
    uint32_t end;
};

/* How often a benchmark runs. */
struct bench_count {
    uint32_t warmup; /* before the iterations, not recorded */
    uint32_t n;
};

typedef struct bench_pair (*bench_op)(const struct bench_regs *r);

struct bench {
    const char *name;
    bench_op op;
    /*
     * Before the run, may be NULL: sets b->regs, and may lower *count. Returns NULL, or why the
     * operation does not exist here.
     */
    const char *(*setup)(struct bench *b, struct bench_count *count);
    void (*prepare)(struct bench *b);  /* before each iteration, outside the pair; may be NULL */
    void (*teardown)(struct bench *b); /* after the run; may be NULL */
    bool halts;                        /* the processor halts inside the pair */
    bool to_handler; /* an interrupt handler takes the second stamp (BENCH_OP_TO_HANDLER) */
    struct bench_regs regs;
};

/*
 * Defines an operation as a function. body: the timed instructions. before and after: untimed
 * ones. Registers: RAX, RCX, RSI, RDI from struct bench_regs; RDX is undefined (RDTSC); free to
 * change are those and RBX, R9 (0 at the start), R10, R11. R8 holds the first stamp.
 */
#define BENCH_OP_WITH(name, before, body, after)                                                   \
    static struct bench_pair name(const struct bench_regs *r)                                      \
    {                                                                                              \
        register uint64_t r8 __asm__("r8") = r->rax;                                               \
        register uint64_t r9 __asm__("r9") = 0;                                                    \
        uint64_t rcx = r->rcx, rsi = r->rsi, rdi = r->rdi;                                         \
        uint32_t end;                                                                              \
                                                                                                   \
        __asm__ volatile(before "rdtsc\n\t"                                                        \
                                "xchg %%eax, %%r8d\n\t" body "\n\t"                                \
                                "rdtsc\n\t" after                                                  \
                         : "=&a"(end), "+r"(r8), "+r"(r9), "+c"(rcx), "+S"(rsi), "+D"(rdi)         \
                         :                                                                         \
                         : "rbx", "rdx", "r10", "r11", "memory", "cc");                            \
        return (struct bench_pair){(uint32_t)r8, end};                                             \
    }

#define BENCH_OP(name, body) BENCH_OP_WITH(name, "", body, "")

/*
 * For operations that end in an interrupt handler (bench_stamp, set with interrupt_set_raw) rather
 * than after themselves: interrupts are on inside, and the handler's stamp is the second one.
 * Gives up after a million turns; the second stamp is then 0.
 */
#define BENCH_OP_TO_HANDLER(name, body)                                                            \
    BENCH_OP_WITH(name, "sti\n\tnop\n\t", body,                                                    \
                  "movl $1000000, %%ecx\n\t"                                                       \
                  "1: testl %%r9d, %%r9d\n\t"                                                      \
                  "jnz 2f\n\t"                                                                     \
                  "pause\n\t"                                                                      \
                  "loop 1b\n\t"                                                                    \
                  "2: cli\n\t"                                                                     \
                  "movl %%r9d, %%eax\n\t")

/* Interrupt entries for timed code only. bench_stamp: RDTSC, to R9D. bench_return: IRETQ alone. */
void bench_stamp(void);
void bench_return(void);

/* The benchmarks of one concern, kept in one file. */
struct bench_group {
    struct bench *benches;
    size_t count;
};

/*
 * Runs the groups' benchmarks in order and sends their records, between a "payload" and a "done"
 * record. Words of the command line: iterations=N, warmup=N, only=PATTERN[,PATTERN…]. Returns the
 * payload's exit status: 0, or 1 when a benchmark could not end.
 */
int bench_main(const char *payload, const struct bench_group *const *groups, size_t count,
               char **argv);

#endif
