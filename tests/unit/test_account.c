/* SPDX-License-Identifier: MIT */
/*
 * Accounts: every tick goes to exactly one account whatever the order of the calls, and an exit's
 * ticks exclude what interrupted it. A model keeps its own books from the same calls.
 */
#include "tests/unit/fake_insn.h"

#include "hv/measure/account.c"
#include "hv/measure/histogram.c"

#include "tests/unit/cmocka_all.h"

static struct account a;
static struct measure measure;
static struct vcpu_stats stats;
static struct trace_record ring[8];
static struct account_inject inject;

static int setup(void **state)
{
    (void)state;
    fake_insn_reset();
    memset(&a, 0, sizeof(a));
    memset(&measure, 0, sizeof(measure));
    memset(&stats, 0, sizeof(stats));
    memset(&inject, 0, sizeof(inject));
    memset(ring, 0, sizeof(ring));
    a.measure = &measure;
    a.stats = &stats;
    a.tracing = true;
    a.trace = (struct trace){.mask = ARRAY_SIZE(ring) - 1, .ring = ring};
    return 0;
}

static void names_are_unique(void **state)
{
    (void)state;
    for (u32 i = 0; i < ACCOUNT_TOTAL; i++)
        for (u32 j = 0; j < i; j++)
            assert_string_not_equal(account_name(i), account_name(j));
    assert_string_equal(account_name(EXIT_CPUID), "cpuid");
    assert_string_equal(account_name(ACCOUNT(GUEST)), "guest");
    assert_string_equal(account_name(ACCOUNT_TOTAL - 1), "drain");
    assert_string_equal(account_name(ACCOUNT_TOTAL), "?");
    assert_string_equal(account_name(~0u), "?");
}

static void one_exit(void **state)
{
    (void)state;
    account_start(&a, ACCOUNT(SCHED), 1000);
    account_exit(&a, 1010, 1110); /* sched 10, guest 100 */
    account_exit_is(&a, EXIT_CPUID);
    a.record.rip = 0x1234;
    account_exit(&a, 1140, 1200); /* cpuid 30, guest 60 */
    account_exit_is(&a, EXIT_HLT);
    fake_tsc = 1205;
    account_exit_end(&a, ACCOUNT(IDLE)); /* hlt 5 */
    fake_tsc = 1300;
    assert_int_equal(account_switch(&a, ACCOUNT(SCHED)), ACCOUNT(IDLE));
    assert_int_equal(a.ticks[ACCOUNT(SCHED)], 10);
    assert_int_equal(a.ticks[ACCOUNT(GUEST)], 160);
    assert_int_equal(a.ticks[EXIT_CPUID], 30);
    assert_int_equal(a.ticks[EXIT_HLT], 5);
    assert_int_equal(a.ticks[ACCOUNT(IDLE)], 95);
    assert_int_equal(a.count[ACCOUNT(GUEST)], 2);
    assert_int_equal(a.count[EXIT_CPUID], 1);
    assert_int_equal(a.count[EXIT_HLT], 1);
    assert_int_equal(account_sum(&a), a.last - a.start);
    assert_int_equal(measure.by_kind[EXIT_CPUID].buckets[30], 1);
    assert_int_equal(measure.by_kind[EXIT_HLT].sum, 5);
    assert_int_equal(stats.guest_ticks, 160);
    assert_int_equal(stats.handler_ticks, 35);
    assert_int_equal(stats.exits_by_kind[EXIT_CPUID], 1);
    assert_int_equal(a.trace.head, 2);
    assert_int_equal(trace_newest(&a.trace, 1)->rip, 0x1234);
    assert_int_equal(trace_newest(&a.trace, 1)->tsc, 1110);
    assert_int_equal(trace_newest(&a.trace, 1)->ticks, 30);
    assert_int_equal(trace_newest(&a.trace, 0)->account, EXIT_HLT);
    assert_null(trace_newest(&a.trace, 2));
}

/* An interrupt inside an exit, and one inside that: each its own ticks. */
static void interrupts_do_not_lengthen_the_exit(void **state)
{
    u32 outer, inner;

    (void)state;
    account_start(&a, ACCOUNT(SCHED), 0);
    account_exit(&a, 10, 20);
    account_exit_is(&a, EXIT_MMIO);
    fake_tsc = 27; /* mmio 7 */
    outer = account_switch(&a, ACCOUNT(IRQ));
    fake_tsc = 30; /* irq 3 */
    inner = account_switch(&a, ACCOUNT(IRQ));
    fake_tsc = 35; /* irq 5 */
    assert_int_equal(account_switch(&a, inner), ACCOUNT(IRQ));
    fake_tsc = 36; /* irq 1 */
    account_switch(&a, outer);
    account_exit(&a, 40, 50); /* mmio 4 */
    assert_int_equal(a.ticks[EXIT_MMIO], 11);
    assert_int_equal(a.ticks[ACCOUNT(IRQ)], 9);
    assert_int_equal(measure.by_kind[EXIT_MMIO].sum, 11);
    assert_int_equal(measure.by_kind[EXIT_MMIO].count, 1);
    assert_int_equal(a.count[EXIT_MMIO], 1);
    assert_int_equal(account_sum(&a), a.last - a.start);
}

static void without_a_vcpu(void **state)
{
    (void)state;
    a.measure = NULL;
    a.stats = NULL;
    a.tracing = false;
    account_start(&a, ACCOUNT(IDLE), 5);
    account_exit(&a, 7, 9);
    account_exit_is(&a, EXIT_CPUID);
    account_exit(&a, 12, 20);
    assert_int_equal(a.ticks[EXIT_CPUID], 3);
    assert_int_equal(a.trace.head, 0);
}

static void the_ring_keeps_the_newest(void **state)
{
    (void)state;
    account_start(&a, ACCOUNT(SCHED), 0);
    for (u64 i = 0; i < 21; i++) {
        account_exit(&a, 10 * i, 10 * i + 5);
        account_exit_is(&a, EXIT_CPUID);
    }
    assert_int_equal(a.trace.head, 20);
    for (u32 i = 0; i < ARRAY_SIZE(ring); i++)
        assert_int_equal(trace_newest(&a.trace, i)->tsc, 10 * (19 - i) + 5);
    assert_null(trace_newest(&a.trace, ARRAY_SIZE(ring)));
}

static void injected_delay_grows_one_account(void **state)
{
    (void)state;
    fake_tsc_step = 1;
    a.inject = &inject;
    inject.enabled = true;
    inject.ticks[EXIT_CPUID] = 500;
    account_start(&a, ACCOUNT(SCHED), 0);
    account_exit(&a, 10, 20);
    fake_tsc = 30;
    account_exit_is(&a, EXIT_CPUID);
    assert_true(fake_tsc >= 530 && fake_tsc < 540);
    account_exit(&a, fake_tsc, fake_tsc + 5);
    fake_tsc += 5;
    assert_true(a.ticks[EXIT_CPUID] >= 510 && a.ticks[EXIT_CPUID] < 520);
    assert_int_equal(inject.count[EXIT_CPUID], 1);
    account_exit_is(&a, EXIT_HLT);
    account_exit_end(&a, ACCOUNT(IDLE));
    assert_int_equal(inject.count[EXIT_HLT], 0);
    assert_true(a.ticks[EXIT_HLT] < 10);
}

static void every_account_can_be_injected(void **state)
{
    (void)state;
    fake_tsc_step = 1;
    a.inject = &inject;
    inject.ticks[ACCOUNT(IRQ)] = 100;
    inject.ticks[ACCOUNT(IDLE)] = 200;
    account_start(&a, ACCOUNT(SCHED), 0);
    account_switch(&a, ACCOUNT(IRQ));
    account_switch(&a, ACCOUNT(SCHED));
    assert_int_equal(inject.count[ACCOUNT(IRQ)], 1);
    assert_true(a.ticks[ACCOUNT(IRQ)] >= 100);
    account_exit(&a, fake_tsc, fake_tsc);
    account_exit_is(&a, EXIT_HLT);
    account_exit_end(&a, ACCOUNT(IDLE));
    account_switch(&a, ACCOUNT(SCHED));
    assert_int_equal(inject.count[ACCOUNT(IDLE)], 1);
    assert_true(a.ticks[ACCOUNT(IDLE)] >= 200);
    assert_int_equal(account_sum(&a), a.last - a.start);
}

/* --- random sequences against a model ----------------------------------------------------------
 */

static u64 model_ticks[ACCOUNT_TOTAL], model_exits[EXIT_KIND_COUNT], model_last;
static u32 model_open;

static void model_charge(u64 now)
{
    model_ticks[model_open] += now - model_last;
    model_last = now;
}

static void random_nest(u32 depth)
{
    u32 old;

    fake_tsc += random_below(50);
    model_charge(fake_tsc);
    old = account_switch(&a, ACCOUNT(IRQ));
    assert_int_equal(old, model_open);
    model_open = ACCOUNT(IRQ);
    if (depth && random_below(3) == 0)
        random_nest(depth - 1);
    fake_tsc += random_below(50);
    model_charge(fake_tsc);
    account_switch(&a, old);
    model_open = old;
}

static void random_exit(void)
{
    u64 entered = fake_tsc + random_below(40), left = entered + random_below(1000);
    enum exit_kind kind = (enum exit_kind)random_below(EXIT_KIND_COUNT);

    model_charge(entered);
    model_ticks[ACCOUNT(GUEST)] += left - entered;
    model_last = left;
    fake_tsc = left;
    account_exit(&a, entered, left);
    account_exit_is(&a, kind);
    model_exits[kind]++;
    model_open = kind;
}

static void random_other(void)
{
    static const u32 others[] = {ACCOUNT(SCHED), ACCOUNT(IDLE), ACCOUNT(SWITCH), ACCOUNT(DRAIN),
                                 ACCOUNT(PLAIN)};
    u32 next = others[random_below(ARRAY_SIZE(others))];

    fake_tsc += random_below(100);
    model_charge(fake_tsc);
    if (model_open < EXIT_KIND_COUNT)
        account_exit_end(&a, next);
    else
        account_switch(&a, next);
    model_open = next;
}

static void random_sequences_close(void **state)
{
    u64 handled = 0;

    (void)state;
    model_open = ACCOUNT(SCHED);
    model_last = fake_tsc = 12345;
    memset(model_ticks, 0, sizeof(model_ticks));
    memset(model_exits, 0, sizeof(model_exits));
    account_start(&a, model_open, fake_tsc);
    for (u32 i = 0; i < 20000; i++) {
        switch (random_below(4)) {
        case 0: random_nest(3); break;
        case 1: random_other(); break;
        default: random_exit(); break;
        }
        assert_int_equal(account_sum(&a), a.last - a.start);
        assert_int_equal(a.last, model_last);
    }
    random_other();
    for (u32 i = 0; i < ACCOUNT_TOTAL; i++)
        assert_int_equal(a.ticks[i], model_ticks[i]);
    for (u32 i = 0; i < EXIT_KIND_COUNT; i++) {
        assert_int_equal(a.count[i], model_exits[i]);
        assert_int_equal(measure.by_kind[i].count, model_exits[i]);
        assert_int_equal(measure.by_kind[i].sum, model_ticks[i]);
        assert_int_equal(stats.exits_by_kind[i], model_exits[i]);
        handled += model_ticks[i];
    }
    assert_int_equal(stats.handler_ticks, handled);
    assert_int_equal(stats.guest_ticks, model_ticks[ACCOUNT(GUEST)]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_are_unique, setup),
        cmocka_unit_test_setup(one_exit, setup),
        cmocka_unit_test_setup(interrupts_do_not_lengthen_the_exit, setup),
        cmocka_unit_test_setup(without_a_vcpu, setup),
        cmocka_unit_test_setup(the_ring_keeps_the_newest, setup),
        cmocka_unit_test_setup(injected_delay_grows_one_account, setup),
        cmocka_unit_test_setup(every_account_can_be_injected, setup),
        cmocka_unit_test_setup(random_sequences_close, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
