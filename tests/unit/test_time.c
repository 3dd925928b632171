/* SPDX-License-Identifier: MIT */
/*
 * hv/host/time.c on a simulated machine: TSC, PM timer, HPET, PIT and APIC timer all derive from
 * one clock that every simulated instruction moves on.
 */
#define HV_X86_INSN_H

#include "hv/lib/types.h"

struct cpuid_regs {
    u32 eax;
    u32 ebx;
    u32 ecx;
    u32 edx;
};

static struct cpuid_regs insn_cpuid(u32 leaf, u32 subleaf);
static u64 insn_rdtsc(void);
static void insn_wrmsr(u32 msr, u64 value);
static u8 insn_in8(u16 port);
static u32 insn_in32(u16 port);
static void insn_out8(u16 port, u8 v);
static void insn_pause(void);

/* Used by inline functions of hv/host/irq.h only. */
static inline u64 insn_read_rflags(void)
{
    return 0;
}

static inline void insn_cli(void)
{
}

static inline void insn_sti(void)
{
}

#define cpu_this unused_cpu_this
#include "hv/host/cpu.h"
#undef cpu_this
#define cpu_this() (&cpus[0])

#include "hv/host/time.c"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct cpu cpus[CPU_MAX];
struct acpi_info acpi_info;

/* The simulated machine. Speeds in Hz; 0: the device stands still. */
static struct {
    u64 tsc_hz, pm_hz, hpet_hz, pit_hz, apic_hz;
    u32 pm_mask;
    u32 step_ps; /* what one access takes */
    bool deadline, invariant;
} m;

static u64 now_ps;
static u32 hpet_page[256];
static u32 apic_count, apic_vector;
static bool apic_deadline;
static u64 apic_start_ps;
static u64 deadline_msr;
static u16 pit_latch;
static bool pit_high;
static irq_handler handler;
static u32 warnings;

static u64 count_at(u64 ps, u64 hz)
{
    return (u64)((unsigned __int128)ps * hz / 1000000000000ull);
}

static void step(void)
{
    now_ps += m.step_ps;
    hpet_page[HPET_COUNTER / 4] = (u32)count_at(now_ps, m.hpet_hz);
}

static struct cpuid_regs insn_cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid_regs r = {0x80000008, 0, 0, 0};

    (void)subleaf;
    if (leaf == 1)
        r.ecx = m.deadline ? BIT(24) : 0;
    if (leaf == 0x80000007)
        r.edx = m.invariant ? BIT(8) : 0;
    return r;
}

static u64 insn_rdtsc(void)
{
    step();
    return count_at(now_ps, m.tsc_hz);
}

static void insn_wrmsr(u32 msr, u64 value)
{
    assert_int_equal(msr, MSR_TSC_DEADLINE);
    deadline_msr = value;
}

static u8 insn_in8(u16 port)
{
    step();
    if (port != PIT_CHANNEL2)
        return 0;
    pit_high = !pit_high;
    return (u8)(pit_high ? pit_latch : pit_latch >> 8);
}

static u32 insn_in32(u16 port)
{
    assert_int_equal(port, 0x608);
    step();
    return (u32)count_at(now_ps, m.pm_hz) & m.pm_mask;
}

static void insn_out8(u16 port, u8 v)
{
    step();
    if (port == PIT_COMMAND && v == 0x80) {
        pit_latch = (u16)-count_at(now_ps, m.pit_hz);
        pit_high = false;
    }
}

static void insn_pause(void)
{
    step();
}

void apic_timer_setup(u8 vector, bool deadline)
{
    apic_vector = vector;
    apic_deadline = deadline;
}

void apic_timer_start(u32 count)
{
    apic_count = count;
    apic_start_ps = now_ps;
}

u32 apic_timer_left(void)
{
    return apic_count - (u32)count_at(now_ps - apic_start_ps, m.apic_hz);
}

void irq_register(u8 vector, irq_handler h)
{
    assert_int_equal(vector, VECTOR_TIMER);
    handler = h;
}

int mem_map_mmio(hpa_t pa, u64 size)
{
    (void)pa;
    (void)size;
    return 0;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    warnings += level <= LOG_WARN;
}

static int machine(void **state)
{
    (void)state;
    memset(&m, 0, sizeof(m));
    m.tsc_hz = m.apic_hz = NS_PER_S;
    m.pm_hz = PM_TIMER_HZ;
    m.hpet_hz = 100000000;
    m.pit_hz = PIT_HZ;
    m.pm_mask = 0xffffff;
    m.step_ps = 1000;
    memset(&time_info, 0, sizeof(time_info));
    memset(&cpus[0], 0, sizeof(cpus[0]));
    hpet_page[HPET_PERIOD / 4] = 10000000;
    memset(&acpi_info, 0, sizeof(acpi_info));
    acpi_info.pm_timer_port = 0x608;
    acpi_info.hpet_base = (hpa_t)hpet_page;
    now_ps = 5000000000000;
    warnings = 0;
    return 0;
}

static void assert_near(u64 a, u64 b, u64 parts)
{
    assert_in_range(a, b - b / parts, b + b / parts);
}

static void test_round_frequency_is_exact(void **state)
{
    static const u64 speeds[] = {NS_PER_S, 100000000, 3500000000, 2000000000};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(speeds); i++) {
        machine(NULL);
        m.tsc_hz = speeds[i];
        assert_int_equal(time_init(), 0);
        assert_int_equal(time_info.tsc_hz, speeds[i]);
        assert_string_equal(time_info.reference, "pm-timer");
        assert_int_equal(warnings, 0);
    }
    assert_near(time_info.apic_hz, NS_PER_S, 100000);
}

static void test_odd_frequencies(void **state)
{
    static const u64 speeds[] = {2794748123, 1795384001, 999870000, 4700123456, 133333333};
    static const u32 steps[] = {300, 2500, 30000, 200000};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(speeds) * ARRAY_SIZE(steps); i++) {
        machine(NULL);
        m.tsc_hz = speeds[i / ARRAY_SIZE(steps)];
        m.step_ps = steps[i % ARRAY_SIZE(steps)];
        m.apic_hz = 24000000;
        assert_int_equal(time_init(), 0);
        assert_near(time_info.tsc_hz, m.tsc_hz, 2500); /* 0.04 % */
        assert_near(time_info.apic_hz, m.apic_hz, 1000);
    }
}

static void test_window_is_short(void **state)
{
    u64 begin = now_ps;

    (void)state;
    m.pm_mask = ~0u;
    acpi_info.pm_timer_32bit = true;
    begin = now_ps;
    assert_int_equal(time_init(), 0);
    assert_true(now_ps - begin < 10500000000); /* 10.5 ms */
}

static void test_counter_wraps_in_window(void **state)
{
    (void)state;
    now_ps = (u64)(((unsigned __int128)1 << 24) * 1000000000000ull / PM_TIMER_HZ) - 5000000000;
    assert_int_equal(time_init(), 0);
    assert_int_equal(time_info.tsc_hz, NS_PER_S);
}

static void test_references_in_order(void **state)
{
    (void)state;
    m.pm_hz = 0; /* listed, but dead */
    assert_int_equal(time_init(), 0);
    assert_string_equal(time_info.reference, "hpet");
    assert_int_equal(time_info.tsc_hz, NS_PER_S);
    assert_true(hpet_page[HPET_CONFIG / 4] & HPET_ENABLE);
    hpet_page[HPET_PERIOD / 4] = 0; /* no such clock */
    assert_int_equal(time_init(), 0);
    assert_string_equal(time_info.reference, "pit");
    assert_near(time_info.tsc_hz, NS_PER_S, 2500);
    hpet_page[HPET_PERIOD / 4] = HPET_MAX_PERIOD + 1;
    m.pit_hz = 0;
    assert_int_equal(time_init(), -HV_EIO);
    assert_int_equal(warnings, 1);
}

static void test_disagreement_is_told(void **state)
{
    (void)state;
    m.pit_hz = PIT_HZ + PIT_HZ / 50;
    assert_int_equal(time_init(), 0);
    assert_int_equal(warnings, 1);
    assert_int_equal(time_info.tsc_hz, NS_PER_S);
}

static void test_round_within(void **state)
{
    (void)state;
    assert_int_equal(round_within(999999871, 200), 1000000000);
    assert_int_equal(round_within(999999871, 100), 999999900);
    assert_int_equal(round_within(2794748123, 0), 2794748123);
    assert_int_equal(round_within(2794748123, 3), 2794748120);
    assert_int_equal(round_within(400, 1000), 400); /* never to zero */
    assert_int_equal(round_within(600, 1000), 1000);
    assert_int_equal(round_within(7, 0), 7);
}

/* Against division in 128 bits: whole results exact, others to one. */
static void test_conversion(void **state)
{
    static const u64 speeds[] = {NS_PER_S,   100000000,  2500000000, 2794748123,
                                 3333333333, 5123456789, 999999999,  1};
    u64 seed = 42;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(speeds); i++) {
        u64 hz = speeds[i];

        ticks_per_ns = scale_make(hz, NS_PER_S);
        ns_per_tick = scale_make(NS_PER_S, hz);
        for (u32 k = 0; k < 20000; k++) {
            unsigned __int128 ticks, ns;
            u64 in;

            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            in = (seed ^ seed >> 29) >> (k % 64);
            ticks = (unsigned __int128)in * hz;
            if (ticks / NS_PER_S < BIT64(63)) {
                u64 got = time_ticks_from_ns(in);

                assert_true(got - (u64)(ticks / NS_PER_S) <= (ticks % NS_PER_S != 0));
            }
            ns = (unsigned __int128)in * NS_PER_S;
            if (ns / hz < BIT64(63)) {
                u64 got = time_ns_from_ticks(in);

                assert_true(got - (u64)(ns / hz) <= (ns % hz != 0));
            }
        }
    }
}

static void test_conversion_edges(void **state)
{
    (void)state;
    ticks_per_ns = scale_make(2500000000, NS_PER_S);
    ns_per_tick = scale_make(NS_PER_S, 2500000000);
    assert_int_equal(time_ticks_from_ns(0), 0);
    assert_int_equal(time_ticks_from_ns(1), 2);
    assert_int_equal(time_ticks_from_ns(2), 5);
    assert_int_equal(time_ns_from_ticks(5), 2);
    assert_int_equal(time_ns_from_ticks(4), 1);
    assert_int_equal(time_ns_from_ticks(2500000000), NS_PER_S);
    assert_int_equal(time_ticks_from_ns(~0ull), ~0ull); /* does not fit */
    ticks_per_ns = scale_make(NS_PER_S, NS_PER_S);
    assert_int_equal(time_ticks_from_ns(~0ull), ~0ull);
    assert_int_equal(time_ticks_from_ns(BIT64(63) + 1), BIT64(63) + 1);
    ticks_per_ns = scale_make(0, NS_PER_S);
    assert_int_equal(time_ticks_from_ns(~0ull), 0);
}

static void test_delay(void **state)
{
    u64 begin;

    (void)state;
    m.tsc_hz = 2794748123;
    assert_int_equal(time_init(), 0);
    begin = now_ps;
    time_delay_ns(100000);
    assert_in_range(now_ps - begin, 100000000, 100100000);
}

static void test_arm_by_count(void **state)
{
    u64 now;

    (void)state;
    m.apic_hz = 62500000; /* a sixteenth of the TSC */
    assert_int_equal(time_init(), 0);
    assert_int_equal(apic_vector, VECTOR_TIMER);
    assert_false(apic_deadline);
    now = time_now();
    time_arm(now + 16000000);
    assert_in_range(apic_count, 1000000 - 10, 1000010);
    assert_int_equal(cpus[0].timer_armed, now + 16000000);
    time_arm(now - 1); /* past */
    assert_int_equal(apic_count, 1);
    time_arm(0);
    assert_int_equal(apic_count, 1);
    time_arm(~0ull);
    assert_int_equal(apic_count, 0xffffffff);
    time_disarm();
    assert_int_equal(apic_count, 0);
    assert_int_equal(cpus[0].timer_armed, 0);
}

static void test_never_fires_early(void **state)
{
    (void)state;
    m.apic_hz = 7000001;
    assert_int_equal(time_init(), 0);
    for (u32 i = 1; i < 5000; i += 7) {
        u64 deadline = time_now() + i;

        time_arm(deadline);
        now_ps = apic_start_ps + (u64)apic_count * 1000000000000 / time_info.apic_hz;
        assert_true(count_at(now_ps, m.tsc_hz) + 1 >= deadline);
    }
}

static void test_far_deadline_in_steps(void **state)
{
    u64 deadline;

    (void)state;
    assert_int_equal(time_init(), 0);
    deadline = time_now() + 6 * NS_PER_S; /* 1.4 times the counter's range */
    time_arm(deadline);
    assert_int_equal(apic_count, 0xffffffff);
    now_ps += 4294967295000;
    handler(NULL);
    assert_false(cpus[0].timer);
    assert_int_equal(cpus[0].timer_armed, deadline);
    assert_near(apic_count, 6 * NS_PER_S - 4294967295, 1000);
    now_ps += 1800000000000;
    handler(NULL);
    assert_true(cpus[0].timer);
    assert_int_equal(cpus[0].timer_armed, 0);
}

static void test_arm_by_deadline(void **state)
{
    (void)state;
    m.deadline = m.invariant = true;
    assert_int_equal(time_init(), 0);
    assert_true(apic_deadline && time_info.deadline && time_info.invariant);
    time_arm(123456);
    assert_int_equal(deadline_msr, 123456);
    time_arm(0); /* 0 would disarm */
    assert_int_equal(deadline_msr, 1);
    time_disarm();
    assert_int_equal(deadline_msr, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_frequency_is_exact, machine),
        cmocka_unit_test_setup(test_odd_frequencies, machine),
        cmocka_unit_test_setup(test_window_is_short, machine),
        cmocka_unit_test_setup(test_counter_wraps_in_window, machine),
        cmocka_unit_test_setup(test_references_in_order, machine),
        cmocka_unit_test_setup(test_disagreement_is_told, machine),
        cmocka_unit_test(test_round_within),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_conversion_edges),
        cmocka_unit_test_setup(test_delay, machine),
        cmocka_unit_test_setup(test_arm_by_count, machine),
        cmocka_unit_test_setup(test_never_fires_early, machine),
        cmocka_unit_test_setup(test_far_deadline_in_steps, machine),
        cmocka_unit_test_setup(test_arm_by_deadline, machine),
    };

    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
