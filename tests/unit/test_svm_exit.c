/* SPDX-License-Identifier: MIT */
/*
 * From exit codes to exits: each code's kind, ports and faults taken apart, events whose delivery
 * was interrupted.
 */
#include "tests/unit/fake_guest.h"

#include "svm/exit.c"

static struct svm_vcpu vcpu;
static struct exit e;

u32 length_decode(struct svm_vcpu *s)
{
    (void)s;
    return 1;
}

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    memset(&vcpu, 0, sizeof(vcpu));
    vcpu.base.vm = &fake_vm;
    vcpu.vmcb.rip = 0x1000;
    return 0;
}

static u8 kind_of(u32 code)
{
    memset(&e, 0xee, sizeof(e));
    vcpu.vmcb.exitcode = code;
    svm_exit_decode(&vcpu, &e);
    assert_int_equal(e.code, code);
    return e.kind;
}

static void kinds_by_code(void **state)
{
    static const struct {
        u16 code;
        u8 kind;
    } known[] = {
        {VMEXIT_CPUID, EXIT_CPUID},
        {VMEXIT_VMMCALL, EXIT_HYPERCALL},
        {VMEXIT_HLT, EXIT_HLT},
        {VMEXIT_INTR, EXIT_INTERRUPT},
        {VMEXIT_NMI, EXIT_NMI},
        {VMEXIT_VINTR, EXIT_WINDOW},
        {VMEXIT_NPF, EXIT_MMIO},
        {VMEXIT_SHUTDOWN, EXIT_SHUTDOWN},
        {VMEXIT_XSETBV, EXIT_XSETBV},
        {VMEXIT_VMRUN, EXIT_VIRT_INSN},
        {VMEXIT_SKINIT, EXIT_VIRT_INSN},
        {VMEXIT_INVD, EXIT_WBINVD},
        {0x90, EXIT_UNKNOWN},
        {0x3ff, EXIT_UNKNOWN},
        {0x401, EXIT_UNKNOWN},
        {0x402, EXIT_UNKNOWN},
        {0xffff, EXIT_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        assert_int_equal(kind_of(known[i].code), known[i].kind);
    for (u32 n = 0; n < 16; n++) {
        assert_int_equal(kind_of(VMEXIT_CR0_READ + n), EXIT_CR_READ);
        assert_int_equal(e.cr.number, n);
        assert_int_equal(kind_of(VMEXIT_CR0_WRITE + n), EXIT_CR_WRITE);
        assert_int_equal(e.cr.number, n);
    }
    assert_int_equal(kind_of(VMEXIT_INVALID), EXIT_ENTRY_FAIL);
    vcpu.vmcb.exitcode_high = ~0u; /* as the manual has it; emulators leave it 0 */
    assert_int_equal(kind_of(VMEXIT_INVALID), EXIT_ENTRY_FAIL);
}

static void every_code_has_a_kind(void **state)
{
    (void)state;
    for (u32 code = 0; code < 0x1000; code++)
        assert_true(kind_of(code) < EXIT_KIND_COUNT);
}

static void exceptions(void **state)
{
    (void)state;
    vcpu.vmcb.exitinfo1 = 0x77;
    for (u32 v = 0; v < 32; v++) {
        assert_int_equal(kind_of(VMEXIT_EXCP0 + v), EXIT_EXCEPTION);
        assert_int_equal(e.exception.vector, v);
        assert_int_equal(e.exception.error, 0x77);
        assert_int_equal(e.exception.has_error,
                         v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21);
    }
}

/* INT1: a #DB whose return address lies behind it. */
static void int1(void **state)
{
    (void)state;
    assert_int_equal(kind_of(VMEXIT_ICEBP), EXIT_EXCEPTION);
    assert_int_equal(e.exception.vector, VECTOR_DB);
    assert_false(e.exception.has_error);
    assert_int_equal(vcpu.vmcb.rip, 0x1001);
}

static void msr_direction(void **state)
{
    (void)state;
    assert_int_equal(kind_of(VMEXIT_MSR), EXIT_RDMSR);
    vcpu.vmcb.exitinfo1 = 1;
    assert_int_equal(kind_of(VMEXIT_MSR), EXIT_WRMSR);
}

static void ports(void **state)
{
    static const u8 sizes[] = {1, 2, 4};

    (void)state;
    for (u32 i = 0; i < 3; i++) {
        vcpu.vmcb.exitinfo1 = 0xffff0000u | BIT(4 + i);
        vcpu.vmcb.exitinfo2 = 0x1002;
        assert_int_equal(kind_of(VMEXIT_IOIO), EXIT_PIO_OUT);
        assert_int_equal(e.pio.port, 0xffff);
        assert_int_equal(e.pio.size, sizes[i]);
        assert_false(e.pio.in);
        assert_int_equal(e.length, 2);
        vcpu.vmcb.exitinfo1 |= IOIO_IN;
        assert_int_equal(kind_of(VMEXIT_IOIO), EXIT_PIO_IN);
        vcpu.vmcb.exitinfo1 |= IOIO_STR | IOIO_REP;
        assert_int_equal(kind_of(VMEXIT_IOIO), EXIT_PIO_STRING);
        assert_true(e.pio.in && e.pio.string);
        assert_int_equal(e.length, 0);
    }
}

static void nested_faults(void **state)
{
    (void)state;
    vcpu.vmcb.exitinfo1 = NPF_WRITE | 4 | BIT64(32);
    vcpu.vmcb.exitinfo2 = 0xfee00020;
    kind_of(VMEXIT_NPF);
    assert_int_equal(e.fault.gpa, 0xfee00020);
    assert_true(e.fault.write);
    assert_false(e.fault.fetch || e.fault.present || e.fault.table);
    vcpu.vmcb.exitinfo1 = NPF_FETCH | NPF_PRESENT | NPF_TABLE;
    kind_of(VMEXIT_NPF);
    assert_true(e.fault.fetch && e.fault.present && e.fault.table);
    assert_false(e.fault.write);
}

static void next_rip(void **state)
{
    (void)state;
    vcpu.vmcb.nrip = 0x1003;
    kind_of(VMEXIT_CPUID);
    assert_int_equal(e.length, 0);
    vcpu.use_nrip = true;
    kind_of(VMEXIT_CPUID);
    assert_int_equal(e.length, 3);
    vcpu.vmcb.nrip = 0x1000; /* not told for this exit */
    kind_of(VMEXIT_CPUID);
    assert_int_equal(e.length, 0);
    vcpu.vmcb.nrip = 0x1010; /* longer than any instruction */
    kind_of(VMEXIT_CPUID);
    assert_int_equal(e.length, 0);
    vcpu.vmcb.nrip = 0;
    kind_of(VMEXIT_CPUID);
    assert_int_equal(e.length, 0);
}

static u8 repeated(u64 info)
{
    memset(&vcpu.base.event, 0, sizeof(vcpu.base.event));
    vcpu.base.request = 0;
    vcpu.vmcb.exitintinfo = info;
    kind_of(VMEXIT_NPF);
    assert_int_equal(vcpu.base.request, vcpu.base.event.type ? REQUEST_EVENT : 0);
    return vcpu.base.event.type;
}

static void interrupted_events(void **state)
{
    const struct event *event = &vcpu.base.event;

    (void)state;
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_INTR | 0x40), EVENT_INTERRUPT);
    assert_int_equal(event->vector, 0x40);
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_NMI | 2), EVENT_NMI);
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_EXCEPT | EVENT_EV | 14 | 6ull << 32),
                     EVENT_EXCEPTION);
    assert_true(event->has_error);
    assert_int_equal(event->vector, VECTOR_PF);
    assert_int_equal(event->error, 6);
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_EXCEPT | 6), EVENT_EXCEPTION);
    assert_false(event->has_error);
    /* The field may hold anything while V is clear. */
    assert_int_equal(repeated(EVENT_TYPE_EXCEPT | EVENT_EV | 14), EVENT_NONE);
}

/* RIP is still at INT n, INT3 or INTO: the guest executes it again. */
static void software_interrupts_run_again(void **state)
{
    (void)state;
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_SOFT | 0x80), EVENT_NONE);
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_EXCEPT | VECTOR_BP), EVENT_NONE);
    assert_int_equal(repeated(EVENT_V | EVENT_TYPE_EXCEPT | VECTOR_OF), EVENT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kinds_by_code, setup),
        cmocka_unit_test_setup(every_code_has_a_kind, setup),
        cmocka_unit_test_setup(exceptions, setup),
        cmocka_unit_test_setup(int1, setup),
        cmocka_unit_test_setup(msr_direction, setup),
        cmocka_unit_test_setup(ports, setup),
        cmocka_unit_test_setup(nested_faults, setup),
        cmocka_unit_test_setup(next_rip, setup),
        cmocka_unit_test_setup(interrupted_events, setup),
        cmocka_unit_test_setup(software_interrupts_run_again, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
