/* SPDX-License-Identifier: MIT */
/*
 * The fast path: what it serves and leaves alone, single steps, interrupt shadow, clean bits,
 * requests that wait, and the accounts of the measuring form.
 */
#include "tests/unit/fake_guest.h"

#include "hv/dev/pio.c"
#include "hv/measure/account.c"
#include "hv/measure/histogram.c"
#include "svm/fast.c"

static struct svm_vcpu vcpu;
static struct svm_vcpu *const s = &vcpu;
static struct vmcb *const b = &vcpu.vmcb;
static struct cpuid_regs leaf = {0x11, 0x22, 0x33, 0x44};
static struct account account;
static u32 decoded, injected, msr_writes;
static int fill_error;
static bool fill_zeroed;

u32 length_decode(struct svm_vcpu *v)
{
    assert_ptr_equal(v, s);
    decoded++;
    return fake_length;
}

void length_forget(struct length_cache *c)
{
    for (u32 i = 0; i < LENGTH_ENTRIES; i++)
        c->entries[i].rip = LENGTH_NONE;
}

void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
    (void)has_error;
    (void)error;
    assert_ptr_equal(v, &s->base);
    assert_int_equal(vector, VECTOR_DB);
    injected++;
    v->request |= REQUEST_EVENT;
}

bool msr_write(struct vcpu *v, u32 index, u64 value)
{
    (void)v;
    assert_int_equal(index, MSR_EFER);
    msr_writes++;
    b->efer = value | EFER_SVME;
    svm_dirty(s, CLEAN_CR);
    return true;
}

int vm_memory_fill(struct vm *vm, gpa_t gpa, bool *zeroed)
{
    (void)vm;
    assert_int_equal(gpa, b->exitinfo2);
    *zeroed = fill_zeroed;
    return fill_error;
}

static u32 dev_read(void *dev, u16 port)
{
    (void)dev;
    return port & 0xff;
}

static void dev_write(void *dev, u16 port, u8 value)
{
    u8 *last = dev;

    (void)port;
    *last = value;
}

static u8 dev_last;

static int setup(void **state)
{
    static const struct pio_ops ops = {dev_read, dev_write, NULL};

    (void)state;
    fake_guest_reset();
    memset(s, 0, sizeof(*s));
    memset(&account, 0, sizeof(account));
    decoded = injected = msr_writes = 0;
    fill_error = 0;
    fill_zeroed = false;
    s->base.vm = &fake_vm;
    s->base.stats = &fake_stats;
    s->base.cpuid = &fake_vm_cpuid;
    s->use_nrip = true;
    s->clean = b->clean = CLEAN_ALL;
    fake_vm.config.hypercalls = true;
    fake_vm_cpuid.fast[0] = &leaf;
    length_forget(&s->lengths);
    b->rip = 0x1000;
    b->nrip = 0x1003;
    b->cs.attr = SEG_ATTR_L;
    b->efer = EFER_SVME | EFER_LME | EFER_LMA;
    pio_init(&fake_vm.platform.bus);
    return pio_claim(&fake_vm.platform.bus, 0x40, 0x43, &ops, &dev_last);
}

static struct vmcb *exit_with(u32 code)
{
    b->exitcode = code;
    return svm_fast(b);
}

static void cpuid(void **state)
{
    (void)state;
    b->rax = 0xffffffff00000000ull;
    assert_ptr_equal(exit_with(VMEXIT_CPUID), b);
    assert_int_equal(b->rax, 0x11);
    assert_int_equal(s->base.regs[GPR_RBX], 0x22);
    assert_int_equal(s->base.regs[GPR_RCX], 0x33);
    assert_int_equal(s->base.regs[GPR_RDX], 0x44);
    assert_int_equal(b->rip, 0x1003);
    assert_int_equal(fake_stats.exits, 1);
    b->rax = 1; /* a leaf that changes with state */
    assert_null(exit_with(VMEXIT_CPUID));
    assert_false(s->served);
    assert_int_equal(b->rax, 1);
    b->rax = 0x40000000;
    assert_null(exit_with(VMEXIT_CPUID));
}

static void lengths_are_decoded_without_next_rip(void **state)
{
    (void)state;
    s->use_nrip = false;
    fake_length = 4;
    assert_ptr_equal(exit_with(VMEXIT_CPUID), b);
    assert_int_equal(decoded, 1);
    assert_int_equal(b->rip, 0x1004);
    b->cs.attr = SEG_ATTR_DB;
    b->rip = 0xfffffffe;
    b->rax = 0;
    assert_ptr_equal(exit_with(VMEXIT_CPUID), b);
    assert_int_equal(b->rip, 2); /* EIP wraps */
    fake_length = 0;
    b->rax = 0;
    assert_null(exit_with(VMEXIT_CPUID));
    assert_false(s->served);
}

static void single_steps(void **state)
{
    (void)state;
    b->rflags = RFLAGS_TF;
    b->int_shadow = INT_SHADOW;
    assert_null(exit_with(VMEXIT_CPUID));
    assert_true(s->served);
    assert_int_equal(injected, 1);
    assert_true(b->dr6 & DR6_BS);
    assert_int_equal(b->int_shadow, 0);
    assert_int_equal(b->rip, 0x1003);
    assert_false(b->clean & CLEAN_DR); /* the processor must read DR6 again */
    assert_false(s->clean & CLEAN_DR);
}

static void requests_leave_the_loop(void **state)
{
    (void)state;
    s->base.request = REQUEST_INTR;
    assert_null(exit_with(VMEXIT_CPUID));
    assert_true(s->served);
    assert_int_equal(injected, 0);
    assert_int_equal(b->rip, 0x1003);
}

static void the_shadow_ends(void **state)
{
    (void)state;
    b->int_shadow = INT_SHADOW;
    assert_ptr_equal(exit_with(VMEXIT_CPUID), b);
    assert_int_equal(b->int_shadow, 0);
}

static void hypercall(void **state)
{
    (void)state;
    b->rax = HYPERCALL_NULL;
    assert_ptr_equal(exit_with(VMEXIT_VMMCALL), b);
    assert_int_equal(b->rip, 0x1003);
    b->cpl = 3;
    assert_null(exit_with(VMEXIT_VMMCALL));
    b->cpl = 0;
    b->rax = BIT64(32); /* all 64 bits are the number */
    assert_null(exit_with(VMEXIT_VMMCALL));
    b->rax = 0;
    fake_vm.config.hypercalls = false;
    assert_null(exit_with(VMEXIT_VMMCALL));
}

static void rdmsr(void **state)
{
    (void)state;
    s->base.regs[GPR_RCX] = 0xffffffff00000000ull | MSR_APIC_BASE;
    s->base.regs[GPR_RDX] = ~0ull;
    b->rax = ~0ull;
    assert_ptr_equal(exit_with(VMEXIT_MSR), b);
    assert_int_equal(b->rax, 0xfee00100);
    assert_int_equal(s->base.regs[GPR_RDX], 0);
    s->base.regs[GPR_RCX] = MSR_STAR;
    assert_null(exit_with(VMEXIT_MSR));
    assert_false(s->served);
}

static void wrmsr(void **state)
{
    (void)state;
    b->exitinfo1 = 1;
    s->base.regs[GPR_RCX] = MSR_EFER;
    b->rax = EFER_LME | EFER_LMA | EFER_SCE;
    assert_ptr_equal(exit_with(VMEXIT_MSR), b);
    assert_int_equal(msr_writes, 1);
    /* The entry that follows takes the VMCB's bits: EFER must not be thought unchanged. */
    assert_false(b->clean & CLEAN_CR);
    s->base.regs[GPR_RCX] = MSR_STAR;
    assert_null(exit_with(VMEXIT_MSR));
    assert_int_equal(msr_writes, 1);
}

/* It flushes the TLB, and that is for the slow path to arrange. */
static void wrmsr_of_nxe_is_slow(void **state)
{
    (void)state;
    b->exitinfo1 = 1;
    s->base.regs[GPR_RCX] = MSR_EFER;
    b->rax = EFER_LME | EFER_LMA | EFER_NXE;
    assert_null(exit_with(VMEXIT_MSR));
    assert_false(s->served);
    assert_int_equal(msr_writes, 0);
    assert_int_equal(b->rip, 0x1000);
}

static u64 port(u16 number, u32 info, u64 rax)
{
    b->exitinfo1 = (u32)number << 16 | info;
    b->exitinfo2 = 0x1002;
    b->rip = 0x1000;
    b->rax = rax;
    assert_ptr_equal(exit_with(VMEXIT_IOIO), b);
    assert_int_equal(b->rip, 0x1002);
    return b->rax;
}

static void ports(void **state)
{
    const u64 old = 0xaaaaaaaabbbbbbbbull;

    (void)state;
    assert_int_equal(port(0x40, IOIO_IN | BIT(4), old), 0xaaaaaaaabbbbbb40ull);
    assert_int_equal(port(0x40, IOIO_IN | BIT(5), old), 0xaaaaaaaabbbb4140ull);
    assert_int_equal(port(0x40, IOIO_IN | BIT(6), old), 0x43424140);
    assert_int_equal(port(0xffff, IOIO_IN | BIT(4), old), 0xaaaaaaaabbbbbbffull);
    assert_int_equal(port(0x500, IOIO_IN | BIT(6), old), 0xffffffff);
    assert_int_equal(port(0x40, BIT(4), 0x1234), 0x1234);
    assert_int_equal(dev_last, 0x34);
    assert_int_equal(port(0x40, BIT(6), 0x44332211), 0x44332211);
    assert_int_equal(dev_last, 0x44);
    b->exitinfo1 = IOIO_STR | IOIO_IN | BIT(4);
    b->rip = 0x1000;
    assert_null(exit_with(VMEXIT_IOIO));
    assert_int_equal(b->rip, 0x1000);
}

static void fills(void **state)
{
    (void)state;
    b->exitinfo2 = 0x5000;
    assert_ptr_equal(exit_with(VMEXIT_NPF), b);
    assert_int_equal(s->base.exit_kind, EXIT_FILL);
    fill_zeroed = true;
    assert_ptr_equal(exit_with(VMEXIT_NPF), b);
    assert_int_equal(s->base.exit_kind, EXIT_FILL_ZERO);
    assert_int_equal(b->rip, 0x1000);
    fill_error = -14;
    assert_null(exit_with(VMEXIT_NPF));
    assert_false(s->served);
    fill_error = 0;
    b->exitinfo1 = NPF_PRESENT;
    assert_null(exit_with(VMEXIT_NPF));
    b->exitinfo1 = 0;
    b->exitintinfo = EVENT_V | EVENT_TYPE_INTR | 0x40; /* must be delivered again */
    assert_null(exit_with(VMEXIT_NPF));
    assert_false(s->served);
}

/* The instruction that touched memory is still to be executed: its trap comes after it. */
static void a_fill_is_no_single_step(void **state)
{
    (void)state;
    b->rflags = RFLAGS_TF;
    b->int_shadow = INT_SHADOW;
    assert_ptr_equal(exit_with(VMEXIT_NPF), b);
    assert_int_equal(injected, 0);
    s->base.request = REQUEST_INTR;
    assert_null(exit_with(VMEXIT_NPF));
    assert_true(s->served);
    assert_int_equal(injected, 0);
    assert_int_equal(b->dr6 & DR6_BS, 0);
    assert_int_equal(b->int_shadow, INT_SHADOW);
}

static void all_other_codes_are_slow(void **state)
{
    (void)state;
    for (u32 code = 0; code < 0x500; code++) {
        if (code == VMEXIT_CPUID || code == VMEXIT_IOIO || code == VMEXIT_MSR ||
            code == VMEXIT_VMMCALL || code == VMEXIT_NPF)
            continue;
        assert_null(exit_with(code));
        assert_false(s->served);
    }
    assert_null(exit_with(VMEXIT_INVALID));
    assert_int_equal(b->rip, 0x1000);
}

static struct vmcb *measured(u32 code, u64 entered, u64 left)
{
    s->entered = entered;
    s->left = left;
    b->exitcode = code;
    return svm_fast_measured(b);
}

static void the_measuring_form(void **state)
{
    (void)state;
    s->base.account = &account;
    account_start(&account, ACCOUNT(SCHED), 0);
    b->rax = 0;
    assert_ptr_equal(measured(VMEXIT_CPUID, 10, 110), b);
    b->exitinfo1 = 0x40u << 16 | IOIO_IN | BIT(4);
    assert_ptr_equal(measured(VMEXIT_IOIO, 150, 200), b);
    b->exitinfo1 = 0xe5u << 16 | BIT(4);
    assert_ptr_equal(measured(VMEXIT_IOIO, 220, 300), b);
    b->exitinfo1 = 0;
    assert_ptr_equal(measured(VMEXIT_NPF, 307, 400), b);
    assert_null(measured(VMEXIT_HLT, 450, 500)); /* named by whoever handles it */
    assert_int_equal(account.ticks[EXIT_CPUID], 40);
    assert_int_equal(account.ticks[EXIT_PIO_IN], 20);
    assert_int_equal(account.ticks[EXIT_PIO_ABSENT], 7);
    assert_int_equal(account.ticks[EXIT_FILL], 50);
    assert_int_equal(account.ticks[ACCOUNT(GUEST)], 100 + 50 + 80 + 93 + 50);
    assert_int_equal(account.open, EXIT_UNKNOWN);
    assert_int_equal(account.count[EXIT_UNKNOWN], 0);
    assert_int_equal(account_sum(&account), account.last - account.start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cpuid, setup),
        cmocka_unit_test_setup(lengths_are_decoded_without_next_rip, setup),
        cmocka_unit_test_setup(single_steps, setup),
        cmocka_unit_test_setup(requests_leave_the_loop, setup),
        cmocka_unit_test_setup(the_shadow_ends, setup),
        cmocka_unit_test_setup(hypercall, setup),
        cmocka_unit_test_setup(rdmsr, setup),
        cmocka_unit_test_setup(wrmsr, setup),
        cmocka_unit_test_setup(wrmsr_of_nxe_is_slow, setup),
        cmocka_unit_test_setup(ports, setup),
        cmocka_unit_test_setup(fills, setup),
        cmocka_unit_test_setup(a_fill_is_no_single_step, setup),
        cmocka_unit_test_setup(all_other_codes_are_slow, setup),
        cmocka_unit_test_setup(the_measuring_form, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
