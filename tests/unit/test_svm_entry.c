/* SPDX-License-Identifier: MIT */
/*
 * Around an entry: ASIDs and when the TLB is flushed, clean bits, what one entry uses up, exits
 * that were served already. The guest is a script of what each entry ends with.
 */
#include "tests/unit/fake_guest.h"

#define SVM_INSN_H
static u32 vmloads, vmsaves;
static bool gif = true;

static inline void svm_vmload(hpa_t vmcb)
{
    (void)vmcb;
    vmloads++;
}

static inline void svm_vmsave(hpa_t vmcb)
{
    (void)vmcb;
    vmsaves++;
}

static inline void svm_clgi(void)
{
    gif = false;
}

static inline void svm_stgi(void)
{
    gif = true;
}

static inline u64 insn_rdmsr(u32 msr)
{
    (void)msr;
    return 0;
}

#include "svm/svm.c"

struct svm_caps svm_caps;

static struct svm_vcpu vcpu, second;
static struct svm_vcpu *const s = &vcpu;
static struct svm_cpu svm_cpu;
static struct vmcb host_vmcb;

/* What the guest does at an entry: an exit served on the fast path, or one for the core. */
struct turn {
    bool served;
    u32 request; /* set meanwhile */
    u32 dirty;   /* fields written by the fast path */
};

static struct turn script[8];
static struct vmcb seen[8]; /* at each entry */
static u32 entries;

void svm_enter(struct svm_vcpu *v)
{
    const struct turn *t = &script[entries];

    assert_false(gif);
    assert_true(v->live);
    assert_true(entries < ARRAY_SIZE(seen));
    seen[entries++] = v->vmcb;
    v->served = t->served;
    v->base.request |= t->request;
    svm_dirty(v, t->dirty);
}

void svm_enter_measured(struct svm_vcpu *v)
{
    svm_enter(v);
}

void svm_exit_decode(struct svm_vcpu *v, struct exit *e)
{
    (void)v;
    e->kind = EXIT_HLT;
}

void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
    (void)v;
    (void)has_error;
    (void)error;
    fake_stops += vector == VECTOR_DB;
}

/* The rest of the backend is not called here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define UNUSED(type, name, ...)                                                                    \
    type name(__VA_ARGS__)                                                                         \
    {                                                                                              \
        abort();                                                                                   \
    }
UNUSED(void *, mem_zalloc, size_t bytes, u32 node)
UNUSED(void, mem_zfree, void *p, size_t bytes)
UNUSED(void, log_write, enum log_level level, const char *fmt, ...)
UNUSED(int, npt_create, struct vm *vm)
UNUSED(void, npt_destroy, struct vm *vm)
UNUSED(int, npt_map, struct vm *vm, gpa_t gpa, hpa_t hpa, u32 order)
UNUSED(void, svm_setup, struct svm_vcpu *v, const struct svm_vm *maps)
UNUSED(void, svm_setup_maps, struct svm_vm *maps, const struct vm_config *c)
UNUSED(const char *, svm_caps_probe, void)

void svm_event_clean_up(struct svm_vcpu *s)
{
    s->vmcb.eventinj = 0;
}

UNUSED(const char *, svm_caps_feature, u32 i)
UNUSED(u32, length_decode, struct svm_vcpu *v)
UNUSED(u64, svm_get, struct vcpu *v, enum vreg r)
UNUSED(void, svm_set, struct vcpu *v, enum vreg r, u64 value)
UNUSED(void, svm_get_segment, struct vcpu *v, enum vseg n, struct segment *out)
UNUSED(void, svm_set_segment, struct vcpu *v, enum vseg n, const struct segment *in)
UNUSED(u8, svm_cpl, struct vcpu *v)
UNUSED(void, svm_dump, struct vcpu *v)
UNUSED(bool, svm_interruptible, struct vcpu *v)
UNUSED(void, svm_inject, struct vcpu *v, const struct event *e)
UNUSED(void, svm_window, struct vcpu *v, bool open)
#pragma GCC diagnostic pop

static int setup(void **state)
{
    (void)state;
    fake_guest_reset();
    memset(&svm_caps, 0, sizeof(svm_caps));
    memset(s, 0, sizeof(*s));
    memset(&second, 0, sizeof(second));
    memset(script, 0, sizeof(script));
    entries = vmloads = vmsaves = 0;
    gif = true;
    svm_cpu = (struct svm_cpu){.host = &host_vmcb, .asid_next = 1, .asid_generation = 1};
    fake_cpu.backend_data = &svm_cpu;
    s->base.vm = second.base.vm = &fake_vm;
    fake_vm.config.asid = fake_vm.config.clean_bits = true;
    svm_caps.asids = 4;
    svm_caps.clean_bits = true;
    return 0;
}

static u8 run_once(void)
{
    struct exit e = {.kind = EXIT_UNKNOWN};

    run(&s->base, &e);
    return e.kind;
}

static void an_exit_for_the_core(void **state)
{
    (void)state;
    s->base.regs[GPR_RAX] = 0x1234;
    assert_int_equal(run_once(), EXIT_HLT);
    assert_int_equal(entries, 1);
    assert_int_equal(seen[0].rax, 0x1234);
    assert_int_equal(vmloads, 1);
    assert_int_equal(run_once(), EXIT_HLT);
    assert_int_equal(vmloads, 1); /* it is still on the CPU */
    leave(&s->base);
    assert_true(gif);
    assert_int_equal(vmsaves, 1);
    assert_int_equal(vmloads, 2); /* the host's */
    leave(&s->base);
    assert_int_equal(vmsaves, 1);
}

static void clean_bits_are_promised_after_one_entry(void **state)
{
    (void)state;
    run_once();
    run_once();
    run_once();
    assert_int_equal(seen[0].clean, 0);
    assert_int_equal(seen[1].clean, CLEAN_ALL);
    svm_dirty(s, CLEAN_CR);
    run_once();
    run_once();
    assert_int_equal(seen[3].clean, CLEAN_ALL & ~CLEAN_CR);
    assert_int_equal(seen[4].clean, CLEAN_ALL);
}

/* An entry with dirty fields asks to come back: on the fast path the VMCB would stay dirty. */
static void dirty_entries_are_cleaned_up(void **state)
{
    (void)state;
    script[0].served = true;
    run_once();
    assert_int_equal(entries, 2); /* entered again at once, with the request answered */
    assert_int_equal(seen[1].clean, CLEAN_ALL);
    assert_int_equal(s->base.request, 0);
}

static void what_the_fast_path_wrote_stays_dirty(void **state)
{
    (void)state;
    run_once();
    script[1] = (struct turn){.served = true, .dirty = CLEAN_DR};
    run_once();
    assert_int_equal(entries, 3);
    assert_int_equal(seen[1].clean, CLEAN_ALL);
    assert_int_equal(seen[2].clean, CLEAN_ALL & ~CLEAN_DR);
    run_once();
    assert_int_equal(seen[3].clean, CLEAN_ALL);
}

static void without_clean_bits(void **state)
{
    (void)state;
    svm_caps.clean_bits = false;
    run_once();
    assert_int_equal(s->base.request, 0);
    run_once();
    assert_int_equal(seen[0].clean | seen[1].clean, 0);
    setup(state);
    fake_vm.config.clean_bits = false; /* the knob */
    run_once();
    run_once();
    assert_int_equal(seen[1].clean, 0);
}

static void requests_end_the_loop(void **state)
{
    (void)state;
    run_once();
    script[1] = (struct turn){.served = true, .request = REQUEST_INTR};
    assert_int_equal(run_once(), EXIT_KIND_COUNT);
    assert_int_equal(entries, 2);
    assert_false(s->served);
    assert_int_equal(s->base.request, REQUEST_INTR);
}

static void events_are_for_one_entry(void **state)
{
    (void)state;
    s->vmcb.eventinj = EVENT_V | 0x40;
    script[0].served = true;
    run_once();
    assert_int_equal(seen[0].eventinj, EVENT_V | 0x40);
    assert_int_equal(seen[1].eventinj, 0);
}

static void a_flush_is_for_one_entry(void **state)
{
    (void)state;
    run_once();
    flush(&s->base);
    run_once();
    run_once();
    assert_int_equal(seen[1].tlb_control, TLB_CONTROL_FLUSH_ALL);
    assert_int_equal(seen[2].tlb_control, TLB_CONTROL_NONE);
    svm_caps.flush_by_asid = true;
    flush(&s->base);
    run_once();
    assert_int_equal(seen[3].tlb_control, TLB_CONTROL_FLUSH_ASID);
}

static void without_asids_every_entry_flushes(void **state)
{
    (void)state;
    fake_vm.config.asid = false;
    run_once();
    run_once();
    assert_int_equal(seen[0].tlb_control, TLB_CONTROL_FLUSH_ALL);
    assert_int_equal(seen[1].tlb_control, TLB_CONTROL_FLUSH_ALL);
}

static void asids_are_kept_and_recycled(void **state)
{
    struct svm_vcpu *all[] = {s, &second};

    (void)state;
    take_asid(s, &fake_cpu);
    assert_int_equal(s->vmcb.asid, 1);
    take_asid(&second, &fake_cpu);
    assert_int_equal(second.vmcb.asid, 2);
    take_asid(s, &fake_cpu);
    assert_int_equal(s->vmcb.asid, 1);
    /* Force new ones until they run out: never 0, never beyond, flushed once they were used. */
    for (u32 i = 0; i < 20; i++) {
        struct svm_vcpu *v = all[i % 2];

        v->asid_cpu = NULL;
        take_asid(v, &fake_cpu);
        assert_in_range(v->vmcb.asid, 1, 3);
        assert_int_equal(v->vmcb.tlb_control, i ? TLB_CONTROL_FLUSH_ALL : TLB_CONTROL_NONE);
        assert_false(v->clean & CLEAN_ASID);
    }
}

/* After a new generation nobody may go on with an old ASID. */
static void old_generations_get_new_asids(void **state)
{
    (void)state;
    take_asid(s, &fake_cpu);
    svm_cpu.asid_next = 4;
    take_asid(&second, &fake_cpu);
    assert_int_equal(second.vmcb.asid, 1);
    take_asid(s, &fake_cpu);
    assert_int_equal(s->vmcb.asid, 2);
    /* The other one may have left without an entry, so its flush is not enough. */
    assert_int_equal(s->vmcb.tlb_control, TLB_CONTROL_FLUSH_ALL);
}

static void another_cpu_knows_nothing(void **state)
{
    static struct svm_cpu other_svm = {.asid_next = 3, .asid_generation = 1};
    static struct cpu other = {.backend_data = &other_svm};

    (void)state;
    take_asid(s, &fake_cpu);
    s->clean = CLEAN_ALL;
    take_asid(s, &other);
    assert_int_equal(s->vmcb.asid, 3);
    assert_int_equal(s->clean, 0);
}

static void stepping_over(void **state)
{
    struct vmcb *b = &s->vmcb;

    (void)state;
    b->cs.attr = SEG_ATTR_L;
    b->efer = EFER_LMA;
    b->rflags = RFLAGS_RF;
    b->rip = 0xffffffff;
    b->int_shadow = INT_SHADOW;
    advance(&s->base, 2);
    assert_int_equal(b->rip, 0x100000001ull);
    assert_int_equal(b->rflags, 0);
    assert_int_equal(b->int_shadow, 0);
    b->cs.attr = 0;
    b->rip = 0xffffffff;
    advance(&s->base, 2);
    assert_int_equal(b->rip, 1);
    assert_int_equal(fake_stops, 0);
    b->rflags = RFLAGS_TF;
    s->clean = CLEAN_ALL;
    advance(&s->base, 1);
    assert_int_equal(fake_stops, 1);
    assert_true(b->dr6 & DR6_BS);
    assert_false(s->clean & CLEAN_DR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_exit_for_the_core, setup),
        cmocka_unit_test_setup(clean_bits_are_promised_after_one_entry, setup),
        cmocka_unit_test_setup(dirty_entries_are_cleaned_up, setup),
        cmocka_unit_test_setup(what_the_fast_path_wrote_stays_dirty, setup),
        cmocka_unit_test_setup(without_clean_bits, setup),
        cmocka_unit_test_setup(requests_end_the_loop, setup),
        cmocka_unit_test_setup(events_are_for_one_entry, setup),
        cmocka_unit_test_setup(a_flush_is_for_one_entry, setup),
        cmocka_unit_test_setup(without_asids_every_entry_flushes, setup),
        cmocka_unit_test_setup(asids_are_kept_and_recycled, setup),
        cmocka_unit_test_setup(old_generations_get_new_asids, setup),
        cmocka_unit_test_setup(another_cpu_knows_nothing, setup),
        cmocka_unit_test_setup(stepping_over, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
