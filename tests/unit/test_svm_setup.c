/* SPDX-License-Identifier: MIT */
/*
 * A fresh VMCB and the permission maps: which MSRs a guest reaches, that no port is open, what is
 * always intercepted, what each knob adds, the state after RESET.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/msr.c"
#include "svm/setup.c"

struct svm_caps svm_caps;

static u8 iopm[SVM_IOPM_SIZE + 1], msrpm[SVM_MSRPM_SIZE + 1];
static struct svm_vm maps = {iopm, msrpm};
static struct svm_vcpu vcpu;

void length_forget(struct length_cache *c)
{
    (void)c;
}

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    memset(&svm_caps, 0, sizeof(svm_caps));
    memset(iopm, 0, sizeof(iopm));
    memset(msrpm, 0, sizeof(msrpm));
    memset(&vcpu, 0, sizeof(vcpu));
    vcpu.base.vm = &fake_vm;
    fake_vm.nested_root = 0x123000;
    return 0;
}

/* Bits of an MSR: 1 read intercepted, 2 write intercepted; all not covered are intercepted. */
static u32 msr_bits(u32 index)
{
    u32 offset;

    if (index < 0x2000)
        offset = 0;
    else if (index >= 0xc0000000u && index < 0xc0002000u)
        offset = 0x800;
    else if (index >= 0xc0010000u && index < 0xc0012000u)
        offset = 0x1000;
    else
        return 3;
    return msrpm[offset + (index & 0x1fff) / 4] >> (index & 3) * 2 & 3;
}

static bool is_passed(u32 index)
{
    u32 i, passed;

    for (i = 0; (passed = msr_passthrough(i)); i++)
        if (passed == index)
            return true;
    return false;
}

static void msr_map(void **state)
{
    static const u32 bases[] = {0, 0xc0000000u, 0xc0010000u};
    u32 open = 0;

    (void)state;
    svm_setup_maps(&maps, &fake_vm.config);
    for (size_t b = 0; b < ARRAY_SIZE(bases); b++)
        for (u32 n = 0; n < 0x2000; n++) {
            u32 bits = msr_bits(bases[b] + n);

            assert_int_equal(bits, is_passed(bases[b] + n) ? 0 : 3);
            open += !bits;
        }
    assert_int_equal(open, 10);
    /* The rest of the two pages is reserved; all ones. */
    for (u32 i = 0x1800; i < SVM_MSRPM_SIZE; i++)
        assert_int_equal(msrpm[i], 0xff);
    assert_int_equal(msrpm[SVM_MSRPM_SIZE], 0);
    assert_int_equal(msr_bits(MSR_EFER), 3);
    assert_int_equal(msr_bits(MSR_VM_HSAVE_PA), 3);
    assert_int_equal(msr_bits(MSR_TSC), 3);
    assert_int_equal(msr_bits(MSR_PAT), 3);
    assert_int_equal(msr_bits(MSR_TSC_AUX), 3);
}

static void every_msr_intercepted(void **state)
{
    (void)state;
    fake_vm.config.intercept = VM_INTERCEPT_MSR;
    svm_setup_maps(&maps, &fake_vm.config);
    for (u32 i = 0; i < SVM_MSRPM_SIZE; i++)
        assert_int_equal(msrpm[i], 0xff);
}

static void every_port_intercepted(void **state)
{
    (void)state;
    svm_setup_maps(&maps, &fake_vm.config);
    for (u32 i = 0; i < SVM_IOPM_SIZE; i++)
        assert_int_equal(iopm[i], 0xff);
    assert_int_equal(iopm[SVM_IOPM_SIZE], 0);
}

static void always_intercepted(void **state)
{
    const struct vmcb *b = &vcpu.vmcb;

    (void)state;
    svm_setup(&vcpu, &maps);
    /* Without VMRUN the processor refuses the entry; the others would hand over the host. */
    assert_true(b->intercept_misc2 & INTERCEPT_VMRUN);
    assert_true(b->intercept_misc2 & INTERCEPT_VMLOAD && b->intercept_misc2 & INTERCEPT_VMSAVE);
    assert_true(b->intercept_misc2 & INTERCEPT_STGI && b->intercept_misc2 & INTERCEPT_CLGI);
    assert_true(b->intercept_misc2 & INTERCEPT_SKINIT && b->intercept_misc2 & INTERCEPT_XSETBV);
    assert_true(b->intercept_misc1 & INTERCEPT_INTR && b->intercept_misc1 & INTERCEPT_NMI);
    assert_true(b->intercept_misc1 & INTERCEPT_IOIO && b->intercept_misc1 & INTERCEPT_MSR);
    assert_true(b->intercept_misc1 & INTERCEPT_INVLPGA && b->intercept_misc1 & INTERCEPT_SHUTDOWN);
    assert_true(b->intercept_misc1 & INTERCEPT_INIT && b->intercept_misc1 & INTERCEPT_HLT);
    assert_true(b->intercept_exceptions & BIT(VECTOR_MC));
    assert_true(b->intercept_exceptions & BIT(VECTOR_DB) &&
                b->intercept_exceptions & BIT(VECTOR_AC));
    /* What nested paging makes harmless is the guest's own. */
    assert_int_equal(b->intercept_cr, 0);
    assert_int_equal(b->intercept_misc1 & (INTERCEPT_INVLPG | INTERCEPT_RDTSC | INTERCEPT_PAUSE),
                     0);
    assert_int_equal(b->vint_ctl, VINT_INTR_MASKING);
    assert_int_equal(b->np_control, NP_ENABLE);
    assert_int_equal(b->n_cr3, 0x123000);
    assert_int_equal(b->iopm_base, (hpa_t)iopm);
    assert_int_equal(b->msrpm_base, (hpa_t)msrpm);
    assert_int_equal(b->tsc_offset, 0);
    assert_int_equal(b->clean, 0);
}

static void knobs_add_intercepts(void **state)
{
    static const struct {
        u32 knob, cr, misc1;
    } knobs[] = {
        {VM_INTERCEPT_CR0, BIT(0) | BIT(16), 0}, {VM_INTERCEPT_CR3, BIT(3) | BIT(19), 0},
        {VM_INTERCEPT_CR4, BIT(4) | BIT(20), 0}, {VM_INTERCEPT_CR8, BIT(8) | BIT(24), 0},
        {VM_INTERCEPT_INVLPG, 0, BIT(25)},       {VM_INTERCEPT_RDTSC, 0, BIT(14)},
        {VM_INTERCEPT_PAUSE, 0, BIT(23)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
        memset(&vcpu.vmcb, 0, sizeof(vcpu.vmcb));
        fake_vm.config.intercept = knobs[i].knob;
        svm_setup(&vcpu, &maps);
        assert_int_equal(vcpu.vmcb.intercept_cr, knobs[i].cr);
        assert_int_equal(vcpu.vmcb.intercept_misc1 & knobs[i].misc1, knobs[i].misc1);
        assert_int_equal(vcpu.vmcb.intercept_misc1 & ~knobs[i].misc1, MISC1_ALWAYS);
    }
    fake_vm.config.intercept = VM_INTERCEPT_EXCEPTIONS;
    svm_setup(&vcpu, &maps);
    assert_true(vcpu.vmcb.intercept_exceptions & BIT(VECTOR_PF));
    assert_false(vcpu.vmcb.intercept_exceptions & (BIT(VECTOR_BP) | BIT(VECTOR_OF)));
}

/* Where the processor has 5-level paging, a guest must not switch it on unseen. */
static void la57_is_watched(void **state)
{
    (void)state;
    svm_caps.la57 = true;
    svm_setup(&vcpu, &maps);
    assert_int_equal(vcpu.vmcb.intercept_cr, INTERCEPT_CR_WRITE(4));
}

static void next_rip_needs_both(void **state)
{
    (void)state;
    for (u32 i = 0; i < 4; i++) {
        svm_caps.nrip = i & 1;
        fake_vm.config.nrip = i & 2;
        svm_setup(&vcpu, &maps);
        assert_int_equal(vcpu.use_nrip, i == 3);
    }
}

static void state_after_reset(void **state)
{
    const struct vmcb *b = &vcpu.vmcb;

    (void)state;
    svm_setup(&vcpu, &maps);
    assert_int_equal(b->cs.base + b->rip, 0xfffffff0);
    assert_int_equal(b->cs.selector, 0xf000);
    assert_int_equal(b->cr0, CR0_ET);
    assert_int_equal(b->cr4 | b->cr3, 0);
    assert_int_equal(b->efer, EFER_SVME); /* or the entry is refused */
    assert_int_equal(b->rflags, RFLAGS_ONE);
    assert_int_equal(b->dr6, 0xffff0ff0);
    assert_int_equal(b->dr7, 0x400);
    assert_int_equal(b->g_pat, 0x0007040600070406ull);
    assert_int_equal(b->cpl, 0);
    assert_int_equal(b->ds.limit, 0xffff);
    assert_int_equal(b->tr.attr & 0xf, 0xb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(msr_map, setup),
        cmocka_unit_test_setup(every_msr_intercepted, setup),
        cmocka_unit_test_setup(every_port_intercepted, setup),
        cmocka_unit_test_setup(always_intercepted, setup),
        cmocka_unit_test_setup(knobs_add_intercepts, setup),
        cmocka_unit_test_setup(la57_is_watched, setup),
        cmocka_unit_test_setup(next_rip_needs_both, setup),
        cmocka_unit_test_setup(state_after_reset, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
