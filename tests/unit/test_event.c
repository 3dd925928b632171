/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that meet: the double-fault table for every pair of vectors, triple faults; and which
 * interrupt is next.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/event.c"

static u32 kicks;
static int pic_vector;

void smp_kick(struct cpu *cpu)
{
    (void)cpu;
    kicks++;
}

void vm_stop(struct vm *vm, enum vm_end why, u32 value, const char *detail, ...)
{
    (void)value;
    (void)detail;
    assert_ptr_equal(vm, &fake_vm);
    fake_end = why;
    fake_stops++;
}

int pic_acknowledge(struct pic *pic)
{
    (void)pic;
    return pic_vector;
}

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    kicks = 0;
    pic_vector = -1;
    return 0;
}

static void one_exception(void **state)
{
    struct event *e = &fake_vcpu.event;

    (void)state;
    vcpu_inject_exception(&fake_vcpu, VECTOR_GP, true, 0x1234);
    assert_int_equal(e->type, EVENT_EXCEPTION);
    assert_int_equal(e->vector, VECTOR_GP);
    assert_true(e->has_error);
    assert_int_equal(e->error, 0x1234);
    assert_int_equal(fake_vcpu.request, REQUEST_EVENT);
    assert_int_equal(fake_stats.interrupts, 1);
    assert_int_equal(kicks, 0);
}

enum outcome { SERIAL, DOUBLE, TRIPLE };

/* AMD64 APM volume 2, "#DF (Double-Fault Exception)": which pairs make one. */
static enum outcome by_the_manual(u8 first, u8 second)
{
    const u32 contributory = BIT(0) | BIT(10) | BIT(11) | BIT(12) | BIT(13);
    bool f = contributory >> first & 1, s = contributory >> second & 1;

    if (first == VECTOR_DF)
        return s || second == VECTOR_PF ? TRIPLE : SERIAL;
    if (first == VECTOR_PF)
        return s || second == VECTOR_PF ? DOUBLE : SERIAL;
    return f && s ? DOUBLE : SERIAL;
}

static void all_pairs(void **state)
{
    for (u8 first = 0; first < 32; first++)
        for (u8 second = 0; second < 32; second++) {
            setup(state);
            vcpu_inject_exception(&fake_vcpu, first, false, 0);
            vcpu_inject_exception(&fake_vcpu, second, true, 77);
            switch (by_the_manual(first, second)) {
            case TRIPLE:
                assert_int_equal(fake_end, VM_END_TRIPLE_FAULT);
                assert_int_equal(fake_stops, 1);
                break;
            case DOUBLE:
                assert_int_equal(fake_vcpu.event.vector, VECTOR_DF);
                assert_true(fake_vcpu.event.has_error);
                assert_int_equal(fake_vcpu.event.error, 0);
                assert_int_equal(fake_stops, 0);
                break;
            case SERIAL:
                assert_int_equal(fake_vcpu.event.vector, second);
                assert_int_equal(fake_vcpu.event.error, 77);
                assert_int_equal(fake_stops, 0);
                break;
            }
        }
}

static void three_in_a_row(void **state)
{
    (void)state;
    vcpu_inject_exception(&fake_vcpu, VECTOR_GP, true, 1);
    vcpu_inject_exception(&fake_vcpu, VECTOR_NP, true, 2);
    assert_int_equal(fake_vcpu.event.vector, VECTOR_DF);
    vcpu_inject_exception(&fake_vcpu, VECTOR_PF, true, 3);
    assert_int_equal(fake_end, VM_END_TRIPLE_FAULT);
}

/* An interrupt whose delivery raised an exception: never a #DF. */
static void an_interrupt_is_no_exception(void **state)
{
    (void)state;
    fake_vcpu.event = (struct event){.type = EVENT_INTERRUPT, .vector = VECTOR_DF};
    vcpu_inject_exception(&fake_vcpu, VECTOR_PF, true, 2);
    assert_int_equal(fake_vcpu.event.vector, VECTOR_PF);
    assert_int_equal(fake_stops, 0);
    /* It was acknowledged and must not be lost. */
    assert_true(vcpu_interrupt_pending(&fake_vcpu));
    assert_int_equal(vcpu_interrupt_acknowledge(&fake_vcpu), VECTOR_DF);
}

static void other_cpus_are_kicked(void **state)
{
    static struct cpu other;

    (void)state;
    fake_vcpu.home = &other;
    vcpu_request(&fake_vcpu, REQUEST_INTR);
    assert_int_equal(kicks, 1);
    fake_vcpu.state = VCPU_HALTED;
    vcpu_request(&fake_vcpu, REQUEST_RESCHED);
    assert_int_equal(kicks, 1);
    assert_int_equal(fake_vcpu.request, REQUEST_INTR | REQUEST_RESCHED);
}

static void interrupts_by_priority(void **state)
{
    static const u8 vectors[] = {32, 255, 63, 64, 127, 128, 200, 33};
    int last = 256;

    (void)state;
    assert_false(vcpu_interrupt_pending(&fake_vcpu));
    assert_int_equal(vcpu_interrupt_acknowledge(&fake_vcpu), -1);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
        fake_vcpu.hypercall_irqs[vectors[i] / 64] |= BIT64(vectors[i] % 64);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        int vector;

        assert_true(vcpu_interrupt_pending(&fake_vcpu));
        vector = vcpu_interrupt_acknowledge(&fake_vcpu);
        assert_true(vector >= 32 && vector < last);
        last = vector;
    }
    assert_int_equal(last, 32);
    assert_false(vcpu_interrupt_pending(&fake_vcpu));
}

static void the_pic_serves_the_first_vcpu(void **state)
{
    (void)state;
    pic_vector = 0x30;
    fake_vm.intr_pending = true;
    assert_true(vcpu_interrupt_pending(&fake_vcpu));
    assert_int_equal(vcpu_interrupt_acknowledge(&fake_vcpu), 0x30);
    fake_vcpu.id = 1;
    assert_false(vcpu_interrupt_pending(&fake_vcpu));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_exception, setup),
        cmocka_unit_test_setup(all_pairs, setup),
        cmocka_unit_test_setup(three_in_a_row, setup),
        cmocka_unit_test_setup(an_interrupt_is_no_exception, setup),
        cmocka_unit_test_setup(other_cpus_are_kicked, setup),
        cmocka_unit_test_setup(interrupts_by_priority, setup),
        cmocka_unit_test_setup(the_pic_serves_the_first_vcpu, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
