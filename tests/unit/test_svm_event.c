/* SPDX-License-Identifier: MIT */
/*
 * Events into a VMCB, interrupt windows, registers and segments by name with their clean bits.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/walk.c"
#include "svm/event.c"
#include "svm/state.c"

static struct svm_vcpu vcpu;
static struct svm_vcpu *const s = &vcpu;
static struct vmcb *const b = &vcpu.vmcb;
static struct vcpu *const v = &vcpu.base;
static u32 forgotten, host_states;
struct svm_caps svm_caps;

gva_t length_linear_rip(const struct vmcb *vmcb)
{
    return vmcb->rip;
}

void length_forget(struct length_cache *c)
{
    (void)c;
    forgotten++;
}

void svm_host_state(struct svm_vcpu *who)
{
    who->live = false;
    host_states++;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    memset(s, 0, sizeof(*s));
    v->vm = &fake_vm;
    s->clean = CLEAN_ALL;
    b->vint_ctl = VINT_INTR_MASKING;
    forgotten = host_states = 0;
    return 0;
}

static u64 injected(u8 type, u8 vector, bool has_error, u32 error)
{
    struct event e = {.type = type, .vector = vector, .has_error = has_error, .error = error};

    b->eventinj = 0;
    v->request = 0;
    svm_inject(v, &e);
    /* The field is used up by one entry, which must be followed by a clean-up. */
    assert_int_equal(v->request, REQUEST_BACKEND);
    return b->eventinj;
}

static void injection(void **state)
{
    (void)state;
    assert_int_equal(injected(EVENT_INTERRUPT, 0xff, false, 0), 0x800000ff);
    assert_int_equal(injected(EVENT_NMI, 2, false, 0), 0x80000202);
    assert_int_equal(injected(EVENT_EXCEPTION, 6, false, 0), 0x80000306);
    assert_int_equal(injected(EVENT_EXCEPTION, 14, true, 0xfffffff7), 0xfffffff780000b0eull);
    assert_int_equal(injected(EVENT_EXCEPTION, 13, true, 0), 0x80000b0d);
    assert_int_equal(injected(EVENT_SOFT_INTERRUPT, 0x80, false, 0), 0x80000480);
}

static void when_interrupts_can_go_in(void **state)
{
    (void)state;
    assert_false(svm_interruptible(v));
    b->rflags = RFLAGS_IF;
    assert_true(svm_interruptible(v));
    b->int_shadow = INT_SHADOW;
    assert_false(svm_interruptible(v));
    b->int_shadow = 2; /* GUEST_INTERRUPT_MASK: no shadow */
    assert_true(svm_interruptible(v));
    b->eventinj = EVENT_V;
    assert_false(svm_interruptible(v));
}

static void windows(void **state)
{
    (void)state;
    svm_window(v, true);
    assert_int_equal(b->vint_ctl, VINT_INTR_MASKING | VINT_IRQ | VINT_PRIO_MAX | VINT_IGN_TPR);
    assert_true(b->intercept_misc1 & INTERCEPT_VINTR);
    assert_true(b->intercept_cr & INTERCEPT_CR_WRITE(8)); /* an emulator dies of CR8 writes then */
    assert_int_equal(s->clean, CLEAN_ALL & ~(CLEAN_I | CLEAN_TPR));
    s->clean = CLEAN_ALL;
    svm_window(v, true);
    assert_int_equal(s->clean, CLEAN_ALL);
    svm_window(v, false);
    assert_int_equal(b->vint_ctl, VINT_INTR_MASKING);
    assert_int_equal(b->intercept_misc1, 0);
    assert_int_equal(b->intercept_cr, 0);
    assert_int_equal(s->clean, CLEAN_ALL & ~(CLEAN_I | CLEAN_TPR));
}

static void a_window_keeps_the_knob(void **state)
{
    (void)state;
    fake_vm.config.intercept = VM_INTERCEPT_CR8;
    b->intercept_cr = INTERCEPT_CR_READ(8) | INTERCEPT_CR_WRITE(8);
    svm_window(v, true);
    svm_window(v, false);
    assert_int_equal(b->intercept_cr, INTERCEPT_CR_READ(8) | INTERCEPT_CR_WRITE(8));
}

static void every_register_is_its_own(void **state)
{
    for (enum vreg r = 0; r < VREG_COUNT; r++) {
        setup(state);
        svm_set(v, r, r == VREG_CR8 ? 9 : 0x123456000 + r);
        for (enum vreg other = 0; other < VREG_COUNT; other++) {
            u64 want = other != r ? 0 : r == VREG_CR8 ? 9 : 0x123456000 + r;

            if (r == VREG_EFER && other == r)
                want &= ~(u64)EFER_SVME;
            assert_int_equal(svm_get(v, other), want);
        }
    }
}

static void written_registers_are_dirty(void **state)
{
    static const struct {
        enum vreg reg;
        u32 bit;
    } covered[] = {
        {VREG_CR0, CLEAN_CR},  {VREG_CR3, CLEAN_CR}, {VREG_CR4, CLEAN_CR}, {VREG_EFER, CLEAN_CR},
        {VREG_CR2, CLEAN_CR2}, {VREG_DR6, CLEAN_DR}, {VREG_DR7, CLEAN_DR}, {VREG_PAT, CLEAN_NP},
        {VREG_CR8, CLEAN_TPR}, {VREG_RIP, 0},        {VREG_RFLAGS, 0},     {VREG_STAR, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(covered); i++) {
        setup(state);
        b->clean = CLEAN_ALL;
        svm_set(v, covered[i].reg, 1);
        assert_int_equal(s->clean, CLEAN_ALL & ~covered[i].bit);
        assert_int_equal(b->clean, CLEAN_ALL & ~covered[i].bit);
    }
}

static void efer_keeps_the_hosts_bit(void **state)
{
    (void)state;
    svm_set(v, VREG_EFER, EFER_LME);
    assert_int_equal(b->efer, EFER_LME | EFER_SVME);
    assert_int_equal(svm_get(v, VREG_EFER), EFER_LME);
    assert_int_equal(forgotten, 1); /* the length cache rests on EFER */
}

static void cr8_keeps_the_rest(void **state)
{
    (void)state;
    b->vint_ctl |= VINT_IRQ;
    svm_set(v, VREG_CR8, 15);
    assert_int_equal(b->vint_ctl, VINT_INTR_MASKING | VINT_IRQ | 15);
    svm_set(v, VREG_CR8, 0);
    assert_int_equal(b->vint_ctl, VINT_INTR_MASKING | VINT_IRQ);
}

/* State that VMLOAD moves must be fetched from the CPU first, and only that. */
static void live_state_is_fetched(void **state)
{
    static const enum vreg live[] = {VREG_FS_BASE, VREG_GS_BASE,    VREG_KERNEL_GS_BASE,
                                     VREG_STAR,    VREG_LSTAR,      VREG_CSTAR,
                                     VREG_SFMASK,  VREG_SYSENTER_CS};
    struct segment seg;

    (void)state;
    svm_get(v, VREG_CR3);
    svm_get(v, VREG_RIP);
    svm_get_segment(v, VSEG_CS, &seg);
    assert_int_equal(host_states, 0);
    for (size_t i = 0; i < ARRAY_SIZE(live); i++)
        svm_get(v, live[i]);
    svm_get_segment(v, VSEG_FS, &seg);
    svm_get_segment(v, VSEG_TR, &seg);
    svm_set_segment(v, VSEG_LDTR, &seg);
    assert_int_equal(host_states, ARRAY_SIZE(live) + 3);
}

static void segments(void **state)
{
    for (enum vseg n = 0; n < VSEG_COUNT; n++) {
        struct segment in = {(u16)(8 * n), (u16)(0xc93 + n), 0xfffff000u + n, 0x1000000ull * n},
                       out;

        setup(state);
        svm_set_segment(v, n, &in);
        for (enum vseg other = 0; other < VSEG_COUNT; other++) {
            svm_get_segment(v, other, &out);
            assert_int_equal(out.base, other == n ? in.base : 0);
            assert_int_equal(out.limit, other == n ? in.limit : 0);
            assert_int_equal(out.attr, other == n ? in.attr : 0);
            assert_int_equal(out.selector, other == n ? in.selector : 0);
        }
        assert_int_equal(s->clean & (CLEAN_SEG | CLEAN_DT), 0);
    }
}

static void ss_holds_the_cpl(void **state)
{
    struct segment ss = {.attr = SEG_ATTR_P | SEG_ATTR_S | 3 << 5 | 3};

    (void)state;
    svm_set_segment(v, VSEG_SS, &ss);
    assert_int_equal(svm_cpl(v), 3);
    svm_set_segment(v, VSEG_DS, &(struct segment){0});
    assert_int_equal(svm_cpl(v), 3);
    ss.attr = SEG_ATTR_P | SEG_ATTR_S | 3;
    svm_set_segment(v, VSEG_SS, &ss);
    assert_int_equal(svm_cpl(v), 0);
}

/* Where EVENTINJ would deliver an interrupt twice, it goes in as a virtual one. */
static void virtual_interrupt_where_eventinj_repeats(void **state)
{
    struct event e = {.type = EVENT_INTERRUPT, .vector = 0x40};

    (void)state;
    svm_caps.repeats_interrupts = true;
    svm_inject(v, &e);
    assert_int_equal(b->eventinj, 0);
    assert_true(b->vint_ctl & VINT_IRQ);
    assert_int_equal(b->vint_vector, 0x40);
    assert_false(b->intercept_misc1 & INTERCEPT_VINTR);
    svm_window(v, true); /* another one waits: its turn is after the handler */
    assert_true(b->intercept_misc1 & INTERCEPT_IRET);
    assert_true(b->vint_ctl & VINT_IRQ);
    b->vint_ctl &= ~VINT_IRQ; /* taken */
    svm_event_clean_up(s);
    assert_int_equal(v->event.type, EVENT_NONE);
    svm_inject(v, &e);
    svm_event_clean_up(s); /* not taken: it goes back */
    assert_int_equal(v->event.type, EVENT_INTERRUPT);
    assert_int_equal(v->event.vector, 0x40);
    assert_true(v->request & REQUEST_EVENT);
    assert_false(b->vint_ctl & VINT_IRQ);
    svm_caps.repeats_interrupts = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(virtual_interrupt_where_eventinj_repeats, setup),
        cmocka_unit_test_setup(injection, setup),
        cmocka_unit_test_setup(when_interrupts_can_go_in, setup),
        cmocka_unit_test_setup(windows, setup),
        cmocka_unit_test_setup(a_window_keeps_the_knob, setup),
        cmocka_unit_test_setup(every_register_is_its_own, setup),
        cmocka_unit_test_setup(written_registers_are_dirty, setup),
        cmocka_unit_test_setup(efer_keeps_the_hosts_bit, setup),
        cmocka_unit_test_setup(cr8_keeps_the_rest, setup),
        cmocka_unit_test_setup(live_state_is_fetched, setup),
        cmocka_unit_test_setup(segments, setup),
        cmocka_unit_test_setup(ss_holds_the_cpl, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
