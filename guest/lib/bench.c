/* SPDX-License-Identifier: MIT */
/*
 * The benchmark loop and the records of its raw series.
 */
#include "guest/lib/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/crt/hypercall.h"
#include "guest/crt/insn.h"
#include "guest/crt/multiboot.h"
#include "guest/lib/args.h"
#include "guest/lib/record.h"
#include "hv/abi/stats.h"

#define PART_ITERATIONS 512 /* of one record where a whole series does not fit: always fits */

struct sample {
    uint64_t start; /* absolute tick of the first stamp */
    uint32_t value;
    uint32_t null; /* an empty pair just before */
    uint32_t exits;
    uint32_t interrupts;
};

/* What the series getters of a record look at. */
struct series {
    const struct sample *samples;
    size_t first; /* of this record's part */
};

/* Read in the loop without asking whether a hypervisor fills it in. */
static union {
    struct vcpu_stats stats;
    char page[4096];
} shared __attribute__((aligned(4096)));
static bool have_stats;

BENCH_OP(op_null, "")

/* False when the second stamp was the handler's to take and it never ran. */
static bool take(struct bench *b, struct sample *s)
{
    const volatile struct vcpu_stats *stats = &shared.stats;
    struct bench_pair null, pair;
    uint64_t base, exits, interrupts;

    if (b->prepare)
        b->prepare(b);
    null = op_null(&b->regs);
    base = insn_rdtsc();
    exits = stats->exits;
    interrupts = stats->interrupts;
    pair = b->op(&b->regs);
    s->exits = (uint32_t)(stats->exits - exits);
    s->interrupts = (uint32_t)(stats->interrupts - interrupts);
    s->start = base + (uint32_t)(pair.start - (uint32_t)base);
    s->value = pair.end - pair.start;
    s->null = null.end - null.start;
    return pair.end || !b->to_handler;
}

/* Warm-ups go to a sample of their own. False when a handler never ran. */
static bool run(struct bench *b, struct sample *samples, const struct bench_count *c)
{
    struct sample unused;

    for (uint32_t i = 0; i < c->warmup; i++) {
        if (!take(b, &unused))
            return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        if (!take(b, &samples[i]))
            return false;
    }
    return true;
}

#define SERIES(field)                                                                              \
    static uint64_t series_##field(size_t i, void *context)                                        \
    {                                                                                              \
        const struct series *s = context;                                                          \
                                                                                                   \
        return s->samples[s->first + i].field;                                                     \
    }
SERIES(value)
SERIES(null)
SERIES(exits)
SERIES(interrupts)

/* The first start, then distances; parts of one series continue each other. */
static uint64_t series_start(size_t i, void *context)
{
    const struct series *s = context;
    const struct sample *sample = &s->samples[s->first + i];

    return sample == s->samples ? sample->start : sample->start - sample[-1].start;
}

/* Sends one record of iterations [first, first + length). False when it does not fit. */
static bool send_part(const struct bench *b, const struct sample *samples,
                      const struct bench_count *c, uint32_t first, uint32_t length)
{
    struct series s = {samples, first};

    record_begin("bench");
    record_text("name", b->name);
    record_number("n", c->n);
    record_number("warmup", c->warmup);
    record_bool("halts", b->halts);
    if (length != c->n) {
        record_number("part", first / PART_ITERATIONS);
        record_number("parts", (c->n + PART_ITERATIONS - 1) / PART_ITERATIONS);
    }
    record_runs("values", length, series_value, &s);
    record_runs("null", length, series_null, &s);
    record_runs("starts", length, series_start, &s);
    if (have_stats) {
        record_runs("exits", length, series_exits, &s);
        record_runs("interrupts", length, series_interrupts, &s);
    }
    return record_end();
}

static void send(const struct bench *b, const struct sample *samples, const struct bench_count *c)
{
    uint32_t length;

    if (send_part(b, samples, c, 0, c->n))
        return;
    for (uint32_t first = 0; first < c->n; first += length) {
        length = c->n - first < PART_ITERATIONS ? c->n - first : PART_ITERATIONS;
        send_part(b, samples, c, first, length);
    }
}

static void send_absent(const struct bench *b, const char *why)
{
    record_begin("absent");
    record_text("name", b->name);
    record_text("why", why);
    record_end();
}

/* False when the benchmark began and could not end. count is a copy: setup may lower it. */
static bool run_and_send(struct bench *b, struct sample *samples, struct bench_count count)
{
    const char *why = b->setup ? b->setup(b, &count) : NULL;
    bool done = true;

    if (!why) {
        done = run(b, samples, &count);
        if (b->teardown)
            b->teardown(b);
    }
    if (why)
        send_absent(b, why);
    else if (done)
        send(b, samples, &count);
    else
        send_absent(b, "the interrupt never arrived");
    record_drain();
    return done;
}

static void send_payload(const char *payload)
{
    record_begin("payload");
    record_text("name", payload);
    record_text("platform", platform_name());
    record_text("args", multiboot_cmdline());
    record_end();
}

/* NULL, with a message, without memory. Touched here: first touches belong before the runs. */
static struct sample *samples_new(uint32_t n)
{
    struct sample *samples = n ? malloc(n * sizeof(*samples)) : NULL;

    if (samples)
        memset(samples, 0xff, n * sizeof(*samples));
    else
        printf("iterations=%lu: %s\n", (unsigned long)n, n ? "too little memory" : "must not be 0");
    return samples;
}

static void stats_place(void)
{
    memset(&shared, 0, sizeof(shared));
    if (platform_get() == PLATFORM_TOLLGATE)
        have_stats = !hypercall(HYPERCALL_STATS, (uintptr_t)&shared, 0, 0);
}

static int run_group(const struct bench_group *group, const char *only, struct sample *samples,
                     struct bench_count count)
{
    int status = 0;

    for (size_t i = 0; i < group->count; i++) {
        if (only && !args_match(only, group->benches[i].name))
            continue;
        if (!run_and_send(&group->benches[i], samples, count))
            status = 1;
    }
    return status;
}

int bench_main(const char *payload, const struct bench_group *const *groups, size_t count,
               char **argv)
{
    struct bench_count c = {
        .warmup = (uint32_t)args_number(argv, "warmup", BENCH_WARMUP),
        .n = (uint32_t)args_number(argv, "iterations", BENCH_ITERATIONS),
    };
    struct sample *samples = samples_new(c.n);
    int status = 0;

    if (!samples)
        return 2;
    stats_place();
    send_payload(payload);
    for (size_t i = 0; i < count; i++)
        status |= run_group(groups[i], args_value(argv, "only"), samples, c);
    record_begin("done");
    record_number("status", (uint64_t)status);
    record_end();
    return status;
}
