/* SPDX-License-Identifier: MIT */
/*
 * TSC and APIC timer calibration, conversions and the one-shot timer. Conversions are one 64 by 64
 * bit multiplication with a factor of 64 significant bits. Source: ACPI specification, "Power
 * Management Timer"; IA-PC HPET specification; Intel SDM volume 3, "Local APIC Timer".
 */
#include "hv/host/time.h"

#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/x86/msr.h"

#define NS_PER_S        1000000000ull
#define WINDOW_PER_S    100u   /* calibrate for a hundredth of a second */
#define EDGE_POLLS      20000u /* a clock that stands still for so many reads does not run */
#define EDGE_TRIES      8u     /* of which the sharpest counts */
#define DISAGREE_SHARE  1000u  /* two references may differ by a thousandth */
#define PM_TIMER_HZ     3579545u
#define PIT_HZ          1193182u
#define FS_PER_S        1000000000000000ull
#define HPET_MAX_PERIOD 100000000u /* femtoseconds; the specification's limit */

#define CPUID_1_TSC_DEADLINE BIT(24) /* ECX */
#define CPUID_APM_INVARIANT  BIT(8)  /* 8000_0007 EDX */

enum { HPET_PERIOD = 4, HPET_CONFIG = 0x10, HPET_COUNTER = 0xf0, HPET_ENABLE = 1 };
enum { PIT_CHANNEL2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };

/* value = in * mul / 2^shift, with mul >= 2^63 unless shift is 0. */
struct scale {
    u64 mul;
    u32 shift;
};

struct reference {
    const char *name;
    u32 (*read)(void);
    u32 hz; /* 0: absent */
    u32 mask;
};

/* A reference's value right after it changed, and the TSC then, known to within +- blur. */
struct edge {
    u64 tsc;
    u64 blur;
    u32 value;
};

struct time_info time_info;

/* Constant after time_init. */
static struct scale ticks_per_ns;
static struct scale ns_per_tick;
static struct scale counts_per_tick; /* of the APIC timer */
static volatile u8 *hpet;

/*
 * num / den, at most 2^-63 of itself too large; so whole results stay whole when the result is
 * rounded down. 0 < den < 2^63.
 */
static struct scale scale_make(u64 num, u64 den)
{
    struct scale s = {num / den, 0};
    u64 rest = num % den;

    while (num && s.mul < BIT64(63)) {
        rest <<= 1;
        s.mul = s.mul << 1 | (rest >= den);
        rest -= rest >= den ? den : 0;
        s.shift++;
    }
    if (rest && s.mul != ~0ull)
        s.mul++;
    return s;
}

static u64 scale_apply(struct scale s, u64 in)
{
    unsigned __int128 product = (unsigned __int128)in * s.mul;

    product >>= s.shift;
    return product >> 64 ? ~0ull : (u64)product;
}

u64 time_ticks_from_ns(u64 ns)
{
    return scale_apply(ticks_per_ns, ns);
}

u64 time_ns_from_ticks(u64 ticks)
{
    return scale_apply(ns_per_tick, ticks);
}

void time_delay_ns(u64 ns)
{
    u64 start = time_now();
    u64 ticks = time_ticks_from_ns(ns) + 1;

    while (time_now() - start < ticks)
        insn_pause();
}

static u32 pm_timer_read(void)
{
    return insn_in32(acpi_info.pm_timer_port);
}

static u32 hpet_read(void)
{
    return *(volatile u32 *)(hpet + HPET_COUNTER);
}

/* Channel 2 counts down from 65536 and starts over; latched, then read in two halves. */
static u32 pit_read(void)
{
    u32 low;

    insn_out8(PIT_COMMAND, 0x80);
    low = insn_in8(PIT_CHANNEL2);
    return 0u - (low | (u32)insn_in8(PIT_CHANNEL2) << 8);
}

/* Gate on, speaker off; mode 2, binary, full range. */
static void pit_start(void)
{
    insn_out8(PIT_GATE, (insn_in8(PIT_GATE) & ~2u) | 1);
    insn_out8(PIT_COMMAND, 0xb4);
    insn_out8(PIT_CHANNEL2, 0);
    insn_out8(PIT_CHANNEL2, 0);
}

/* Starts the HPET's counter if it stands; its frequency, or 0 when there is none to use. */
static u32 hpet_start(void)
{
    u32 period;

    if (!acpi_info.hpet_base || mem_map_mmio(acpi_info.hpet_base, KIB))
        return 0;
    hpet = (volatile u8 *)acpi_info.hpet_base;
    period = *(volatile u32 *)(hpet + HPET_PERIOD);
    if (!period || period > HPET_MAX_PERIOD)
        return 0;
    *(volatile u32 *)(hpet + HPET_CONFIG) |= HPET_ENABLE;
    return (u32)((FS_PER_S + period / 2) / period);
}

/* Waits for the reference to move, several times; keeps the change seen most sharply. */
static bool edge_find(const struct reference *r, struct edge *best)
{
    u64 before = time_now();
    u32 value = r->read();
    u32 tries = 0;

    *best = (struct edge){before, ~0ull, value};
    for (u32 polls = 0; polls < EDGE_POLLS && tries < EDGE_TRIES; polls++) {
        u32 last = value;
        u64 after;

        value = r->read();
        after = time_now();
        if (value != last) {
            if (after - before < best->blur)
                *best = (struct edge){before + (after - before) / 2, after - before, value};
            tries++;
            polls = 0;
        }
        before = after;
        insn_pause();
    }
    return tries == EDGE_TRIES;
}

static u64 divide_rounded(u64 num, u64 den)
{
    return (num + den / 2) / den;
}

/* The roundest number within value +- slack: what lies inside the error bars may as well be it. */
static u64 round_within(u64 value, u64 slack)
{
    for (u64 step = NS_PER_S; step > 1; step /= 10) {
        u64 rounded = divide_rounded(value, step) * step;

        if (rounded && (rounded > value ? rounded - value : value - rounded) <= slack)
            return rounded;
    }
    return value;
}

static u64 tsc_frequency(const struct reference *r, const struct edge *from, const struct edge *to)
{
    u64 ticks = to->tsc - from->tsc;
    u32 counts = (to->value - from->value) & r->mask;
    u64 hz = divide_rounded(ticks * r->hz, MAX(counts, 1u));

    return round_within(hz, hz / ticks * (from->blur + to->blur + 2)); /* a tick is not split */
}

static void window_wait(const struct reference *r, u32 from)
{
    u32 counts = r->hz / WINDOW_PER_S;

    while (((r->read() - from) & r->mask) < counts)
        insn_pause();
}

static bool agree(u64 a, u64 b)
{
    return (a > b ? a - b : b - a) <= a / DISAGREE_SHARE;
}

/*
 * Measures TSC and APIC timer over one window of the first reference that moves, and the TSC
 * against every other one that does. Returns false when none moves.
 */
static bool calibrate(const struct reference *refs, u32 nr)
{
    struct edge from[3], to;
    const struct reference *main = NULL;
    u64 apic_ticks, tsc;
    u32 counts;
    bool runs[3];

    for (u32 i = 0; i < nr; i++) {
        runs[i] = refs[i].hz && edge_find(&refs[i], &from[i]);
        if (runs[i] && !main)
            main = &refs[i];
    }
    if (!main)
        return false;
    apic_timer_start(~0u);
    tsc = time_now();
    window_wait(main, from[main - refs].value);
    counts = ~0u - apic_timer_left();
    apic_ticks = time_now() - tsc;
    apic_timer_start(0);

    for (u32 i = 0; i < nr; i++) {
        u64 hz;

        if (!runs[i] || !edge_find(&refs[i], &to))
            continue;
        hz = tsc_frequency(&refs[i], &from[i], &to);
        if (&refs[i] == main)
            time_info.tsc_hz = hz;
        else if (!agree(time_info.tsc_hz, hz))
            log_warn("time: TSC runs at %llu Hz by the %s but %llu Hz by the %s",
                     (unsigned long long)time_info.tsc_hz, main->name, (unsigned long long)hz,
                     refs[i].name);
    }
    time_info.reference = main->name;
    time_info.apic_hz = divide_rounded(time_info.tsc_hz / 1000 * counts, apic_ticks) * 1000;
    return true;
}

/* Executes 2 * loops + 3 instructions between its two readings of the TSC; returns the ticks. */
static u32 loop_ticks(u32 loops)
{
    u32 first, second;

    __asm__ volatile("rdtsc\n\t"
                     "mov %%eax, %0\n\t"
                     "mov %2, %%ecx\n"
                     "1:\n\t"
                     "dec %%ecx\n\t"
                     "jnz 1b\n\t"
                     "rdtsc\n\t"
                     : "=&r"(first), "=&a"(second)
                     : "r"(loops)
                     : "rcx", "rdx", "cc");
    return second - first;
}

static bool ticks_are_instructions(void)
{
    static const u16 loops[] = {1, 10, 1000, 7, 7777, 1, 4096};

    for (u32 i = 0; i < ARRAY_SIZE(loops); i++)
        if (loop_ticks(loops[i]) != 2u * loops[i] + 3)
            return false;
    return true;
}

/* The host's own timer interrupt; a deadline beyond the counter's range is approached in steps. */
static void timer_interrupt(struct irq_frame *f)
{
    struct cpu *cpu = cpu_this();
    u64 deadline = cpu->timer_armed;

    (void)f;
    insn_pause();
    if (deadline > time_now()) {
        time_arm(deadline);
        return;
    }
    cpu->timer_armed = 0;
    cpu->timer = true;
}

void time_init_cpu(void)
{
    apic_timer_setup(VECTOR_TIMER, time_info.deadline);
}

int time_init(void)
{
    struct reference refs[] = {
        {"pm-timer", pm_timer_read, acpi_info.pm_timer_port ? PM_TIMER_HZ : 0,
         acpi_info.pm_timer_32bit ? ~0u : 0xffffff},
        {"hpet", hpet_read, hpet_start(), ~0u},
        {"pit", pit_read, PIT_HZ, 0xffff},
    };

    pit_start();
    apic_timer_setup(VECTOR_TIMER, false);
    if (!calibrate(refs, ARRAY_SIZE(refs))) {
        log_error("time: neither PM timer, HPET nor PIT moves");
        return -HV_EIO;
    }
    ticks_per_ns = scale_make(time_info.tsc_hz, NS_PER_S);
    ns_per_tick = scale_make(NS_PER_S, time_info.tsc_hz);
    counts_per_tick = scale_make(time_info.apic_hz, time_info.tsc_hz);
    time_info.invariant = insn_cpuid(0x80000000, 0).eax >= 0x80000007 &&
                          insn_cpuid(0x80000007, 0).edx & CPUID_APM_INVARIANT;
    time_info.deadline = insn_cpuid(1, 0).ecx & CPUID_1_TSC_DEADLINE;
    time_info.ticks_are_instructions = ticks_are_instructions();
    irq_register(VECTOR_TIMER, timer_interrupt);
    time_init_cpu();
    log_info("time: TSC %llu Hz by the %s, %sinvariant, %s; APIC timer %llu Hz%s",
             (unsigned long long)time_info.tsc_hz, time_info.reference,
             time_info.invariant ? "" : "not ",
             time_info.ticks_are_instructions ? "a tick is an instruction" : "ticks are time",
             (unsigned long long)time_info.apic_hz, time_info.deadline ? ", TSC-deadline" : "");
    return 0;
}

void time_arm(u64 deadline)
{
    u64 now, counts;

    cpu_this()->timer_armed = MAX(deadline, 1ull);
    if (time_info.deadline) {
        insn_wrmsr(MSR_TSC_DEADLINE, MAX(deadline, 1ull));
        return;
    }
    now = time_now();
    counts = deadline > now ? scale_apply(counts_per_tick, deadline - now) + 1 : 1;
    apic_timer_start((u32)MIN(counts, (u64)~0u));
}

void time_disarm(void)
{
    cpu_this()->timer_armed = 0;
    if (time_info.deadline)
        insn_wrmsr(MSR_TSC_DEADLINE, 0);
    else
        apic_timer_start(0);
}
