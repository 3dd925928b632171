/* SPDX-License-Identifier: MIT */
/*
 * The exit table: which exits advance RIP, which raise what, when a guest may wait; XSETBV's rules.
 */
#include "tests/unit/fake_guest.h"

#include "hv/vm/exits.c"

static u32 injected;
static u8 vector;
static u32 fill_result;
static bool fill_zeroed;
static bool interrupt_waits;

void vcpu_inject_exception(struct vcpu *v, u8 n, bool has_error, u32 error)
{
    (void)has_error;
    (void)error;
    v->request |= REQUEST_EVENT;
    injected++;
    vector = n;
}

void vcpu_request(struct vcpu *v, u32 bits)
{
    v->request |= bits;
}

bool vcpu_interrupt_pending(const struct vcpu *v)
{
    (void)v;
    return interrupt_waits;
}

void vm_stop(struct vm *vm, enum vm_end why, u32 value, const char *detail, ...)
{
    (void)vm;
    (void)value;
    (void)detail;
    fake_end = why;
    fake_stops++;
}

static u64 mcg_status;

int msr_read_safe(u32 index, u64 *value)
{
    assert_int_equal(index, MSR_MCG_STATUS);
    *value = mcg_status;
    return 0;
}

static jmp_buf panicked;

void panic(const char *fmt, ...)
{
    (void)fmt;
    longjmp(panicked, 1);
}

void dump_vcpu(struct vcpu *v)
{
    (void)v;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

int vm_memory_fill(struct vm *vm, gpa_t gpa, bool *zeroed)
{
    (void)vm;
    (void)gpa;
    *zeroed = fill_zeroed;
    return -(int)fill_result;
}

enum exit_result exit_mmio(struct vcpu *v, struct exit *e)
{
    (void)e;
    v->exit_kind = EXIT_MMIO;
    return EXIT_RESUME;
}

enum exit_result exit_pio_string(struct vcpu *v, struct exit *e)
{
    (void)v;
    (void)e;
    return EXIT_RESUME;
}

enum exit_result exit_cr(struct vcpu *v, struct exit *e)
{
    (void)v;
    (void)e;
    return EXIT_RESUME;
}

s64 hypercall_call(struct vcpu *v, u64 number, const u64 args[3])
{
    (void)v;
    return (s64)(number * 1000 + args[0] * 100 + args[1] * 10 + args[2]);
}

bool msr_read(struct vcpu *v, u32 index, u64 *value)
{
    (void)v;
    *value = 0x1122334455667788ull;
    return index == 0x10;
}

bool msr_write(struct vcpu *v, u32 index, u64 value)
{
    (void)v;
    return index == 0x10 && value == 0xaabbccdd11223344ull;
}

struct cpuid_regs cpuid_read(struct vcpu *v, u32 leaf, u32 subleaf)
{
    (void)v;
    return (struct cpuid_regs){leaf + 1, leaf + 2, subleaf + 3, subleaf + 4};
}

static u32 bus_read(void *dev, u16 port)
{
    (void)dev;
    return port & 0xff;
}

static void bus_write(void *dev, u16 port, u8 value)
{
    u8 *last = dev;

    (void)port;
    *last = value;
}

u32 pio_read_wide(struct pio_bus *bus, u16 port, u32 size)
{
    (void)bus;
    (void)port;
    return size == 2 ? 0xffff5678u : 0x12345678u;
}

void pio_write_wide(struct pio_bus *bus, u16 port, u32 size, u32 value)
{
    (void)bus;
    (void)port;
    (void)size;
    (void)value;
}

static u8 bus_last;

static int setup(void **state)
{
    struct pio_bus *bus = &fake_vm.platform.bus;

    (void)state;
    fake_guest_reset();
    injected = fill_result = 0;
    vector = 0;
    fill_zeroed = interrupt_waits = false;
    fake_vm.config.hypercalls = true;
    for (u32 i = 0; i < 2; i++)
        bus->slot[i] = (struct pio_slot){.ops = {bus_read, bus_write, NULL}, .dev = &bus_last};
    bus->index[0x40] = 1;
    return 0;
}

static enum exit_result handle(u8 kind, u8 length)
{
    struct exit e = {.kind = kind, .length = length};

    return exit_handle(&fake_vcpu, &e);
}

/* Neither the hardware nor memory tells the length: the VM stops, nothing else does. */
static void without_a_length(void **state)
{
    (void)state;
    fake_length = 3;
    assert_int_equal(handle(EXIT_WBINVD, 0), EXIT_RESUME);
    assert_int_equal(fake_advanced, 3);
    assert_int_equal(handle(EXIT_WBINVD, 2), EXIT_RESUME);
    assert_int_equal(fake_advanced, 2); /* the hardware's word first */
    fake_length = 0;
    assert_int_equal(handle(EXIT_WBINVD, 0), EXIT_STOP_VCPU);
    assert_int_equal(fake_end, VM_END_FAULT);
}

static void cpuid(void **state)
{
    (void)state;
    fake_vcpu.regs[GPR_RAX] = 0xffffffff00000010ull;
    fake_vcpu.regs[GPR_RCX] = 0xffffffff00000020ull;
    fake_vcpu.regs[GPR_RDX] = ~0ull;
    assert_int_equal(handle(EXIT_CPUID, 2), EXIT_RESUME);
    assert_int_equal(fake_vcpu.regs[GPR_RAX], 0x11);
    assert_int_equal(fake_vcpu.regs[GPR_RBX], 0x12);
    assert_int_equal(fake_vcpu.regs[GPR_RCX], 0x23);
    assert_int_equal(fake_vcpu.regs[GPR_RDX], 0x24);
}

static void hypercalls(void **state)
{
    (void)state;
    fake_vcpu.regs[GPR_RAX] = 5;
    fake_vcpu.regs[GPR_RDI] = 1;
    fake_vcpu.regs[GPR_RSI] = 2;
    fake_vcpu.regs[GPR_RDX] = 3;
    assert_int_equal(handle(EXIT_HYPERCALL, 3), EXIT_RESUME);
    assert_int_equal(fake_vcpu.regs[GPR_RAX], 5123);
    assert_int_equal(fake_advances, 1);
    fake_cpl = 3;
    assert_int_equal(handle(EXIT_HYPERCALL, 3), EXIT_RESUME);
    assert_int_equal(vector, VECTOR_UD);
    fake_cpl = 0;
    fake_vm.config.hypercalls = false;
    assert_int_equal(handle(EXIT_HYPERCALL, 3), EXIT_RESUME);
    assert_int_equal(injected, 2);
    assert_int_equal(fake_advances, 1);
}

static void msrs(void **state)
{
    (void)state;
    fake_vcpu.regs[GPR_RCX] = 0xffffffff00000010ull;
    assert_int_equal(handle(EXIT_RDMSR, 2), EXIT_RESUME);
    assert_int_equal(fake_vcpu.regs[GPR_RAX], 0x55667788);
    assert_int_equal(fake_vcpu.regs[GPR_RDX], 0x11223344);
    fake_vcpu.regs[GPR_RAX] = 0xdead000011223344ull;
    fake_vcpu.regs[GPR_RDX] = 0xdead0000aabbccddull;
    assert_int_equal(handle(EXIT_WRMSR, 2), EXIT_RESUME);
    assert_int_equal(injected, 0);
    assert_int_equal(fake_advances, 2);
    fake_vcpu.regs[GPR_RCX] = 0x11;
    handle(EXIT_RDMSR, 2);
    handle(EXIT_WRMSR, 2);
    assert_int_equal(injected, 2);
    assert_int_equal(vector, VECTOR_GP);
    assert_int_equal(fake_advances, 2);
    assert_int_equal(fake_vcpu.regs[GPR_RAX], 0xdead000011223344ull); /* as it was */
}

static u64 port_in(u8 size)
{
    struct exit e = {.kind = EXIT_PIO_IN, .length = 1, .pio = {0x40, size, true, false}};

    fake_vcpu.regs[GPR_RAX] = 0xaaaaaaaabbbbbbbbull;
    assert_int_equal(exit_handle(&fake_vcpu, &e), EXIT_RESUME);
    return fake_vcpu.regs[GPR_RAX];
}

static void port_reads_keep_the_rest(void **state)
{
    struct exit out = {.kind = EXIT_PIO_OUT, .length = 1, .pio = {0x40, 1, false, false}};

    (void)state;
    assert_int_equal(port_in(1), 0xaaaaaaaabbbbbb40ull);
    assert_int_equal(port_in(2), 0xaaaaaaaabbbb5678ull);
    assert_int_equal(port_in(4), 0x12345678);
    fake_vcpu.regs[GPR_RAX] = 0x1234;
    assert_int_equal(exit_handle(&fake_vcpu, &out), EXIT_RESUME);
    assert_int_equal(bus_last, 0x34);
    assert_int_equal(exit_pio_kind(&fake_vm, 0x40, true), EXIT_PIO_IN);
    assert_int_equal(exit_pio_kind(&fake_vm, 0x40, false), EXIT_PIO_OUT);
    assert_int_equal(exit_pio_kind(&fake_vm, 0x41, false), EXIT_PIO_ABSENT);
    assert_int_equal(exit_pio_kind(&fake_vm, 0xffff, true), EXIT_PIO_ABSENT);
}

static void memory_faults(void **state)
{
    (void)state;
    assert_int_equal(handle(EXIT_MMIO, 0), EXIT_RESUME);
    assert_int_equal(fake_vcpu.exit_kind, EXIT_FILL);
    fill_zeroed = true;
    handle(EXIT_MMIO, 0);
    assert_int_equal(fake_vcpu.exit_kind, EXIT_FILL_ZERO);
    fill_result = HV_EFAULT;
    handle(EXIT_MMIO, 0);
    assert_int_equal(fake_vcpu.exit_kind, EXIT_MMIO);
    fill_result = HV_ENOMEM;
    assert_int_equal(handle(EXIT_MMIO, 0), EXIT_STOP_VCPU);
    assert_int_equal(fake_end, VM_END_FAULT);
}

static void halting(void **state)
{
    (void)state;
    fake_regs[VREG_RFLAGS] |= RFLAGS_IF;
    assert_int_equal(handle(EXIT_HLT, 1), EXIT_BLOCK);
    assert_int_equal(fake_advances, 1);
    interrupt_waits = true;
    assert_int_equal(handle(EXIT_HLT, 1), EXIT_RESUME);
    fake_vcpu.request = REQUEST_EVENT; /* as a single step leaves it */
    interrupt_waits = false;
    assert_int_equal(handle(EXIT_HLT, 1), EXIT_RESUME);
    assert_int_equal(fake_stops, 0);
}

static void halting_for_good(void **state)
{
    static struct vcpu second;

    (void)state;
    second.halted_for_good = false;
    second.state = VCPU_HALTED;
    fake_vm.vcpus[1] = &second;
    fake_vm.nr_vcpus = 2;
    assert_int_equal(handle(EXIT_HLT, 1), EXIT_BLOCK);
    assert_int_equal(fake_stops, 0); /* the other one may still do something */
    second.state = VCPU_WAIT_START;  /* only the first could start it */
    assert_int_equal(handle(EXIT_HLT, 1), EXIT_BLOCK);
    assert_int_equal(fake_end, VM_END_HALTED);
    fake_stops = 0;
    second.state = VCPU_HALTED;
    second.halted_for_good = true;
    handle(EXIT_HLT, 1);
    assert_int_equal(fake_stops, 1);
}

static bool xsetbv(u32 index, u64 value)
{
    u32 before = injected, writes = fake_xsetbvs;

    fake_vcpu.regs[GPR_RCX] = 0xdeadbeef00000000ull | index;
    fake_vcpu.regs[GPR_RAX] = 0xdeadbeef00000000ull | (u32)value;
    fake_vcpu.regs[GPR_RDX] = 0xdeadbeef00000000ull | value >> 32;
    fake_vcpu.request = 0;
    assert_int_equal(handle(EXIT_XSETBV, 3), EXIT_RESUME);
    if (injected == before) {
        assert_int_equal(fake_xcr0, value);
        assert_int_equal(fake_xsetbvs, writes + 1);
        return true;
    }
    assert_int_equal(vector, VECTOR_GP);
    assert_int_equal(fake_xsetbvs, writes);
    return false;
}

/* Every value of the low ten bits against the rules of the manual. */
static void xsetbv_rules(void **state)
{
    static const u32 processors[] = {3, 7, 0xe7};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(processors); i++) {
        fake_vm_cpuid.xsave[0].eax = processors[i];
        for (u64 x = 0; x < 1024; x++) {
            bool sse = x & 2, avx = x & 4, valid = (x & 1) && !(x & ~(u64)processors[i]);

            if (avx && !sse)
                valid = false;
            if ((x & 0xe0) && ((x & 0xe0) != 0xe0 || !avx))
                valid = false;
            assert_int_equal(xsetbv(0, x), valid);
        }
    }
    assert_false(xsetbv(0, BIT64(32) | 1));
    assert_false(xsetbv(0, BIT64(63) | 1));
    assert_false(xsetbv(1, 1));
    assert_false(xsetbv(0x80000000u, 1));
    fake_cpl = 1;
    assert_false(xsetbv(0, 1));
}

static void what_guests_may_not_execute(void **state)
{
    (void)state;
    assert_int_equal(handle(EXIT_VIRT_INSN, 3), EXIT_RESUME);
    assert_int_equal(vector, VECTOR_UD);
    assert_int_equal(handle(EXIT_RDPMC, 2), EXIT_RESUME);
    assert_int_equal(vector, VECTOR_GP);
    assert_int_equal(fake_advances, 0);
}

static void exceptions_come_back(void **state)
{
    struct exit e = {
        .kind = EXIT_EXCEPTION,
        .exception = {.vector = VECTOR_PF, .has_error = true, .error = 6, .address = 0xcafe000}};

    (void)state;
    assert_int_equal(exit_handle(&fake_vcpu, &e), EXIT_RESUME);
    assert_int_equal(vector, VECTOR_PF);
    assert_int_equal(fake_regs[VREG_CR2], 0xcafe000);
    e.exception.vector = VECTOR_DB;
    e.exception.address = 1;
    exit_handle(&fake_vcpu, &e);
    assert_int_equal(fake_regs[VREG_CR2], 0xcafe000);
}

/* The machine's failures are the host's, not the guest's. */
static void machine_checks_stop_the_host(void **state)
{
    struct exit e = {.kind = EXIT_EXCEPTION, .exception = {.vector = VECTOR_MC}};

    (void)state;
    if (!setjmp(panicked)) {
        exit_handle(&fake_vcpu, &e);
        fail();
    }
    assert_int_equal(injected, 0);
    mcg_status = 4; /* a check in progress: the shutdown was the machine's, too */
    if (!setjmp(panicked)) {
        handle(EXIT_SHUTDOWN, 0);
        fail();
    }
    mcg_status = 0;
    assert_int_equal(fake_stops, 0);
}

static void pausing_yields(void **state)
{
    (void)state;
    assert_int_equal(handle(EXIT_PAUSE, 2), EXIT_YIELD);
    assert_int_equal(handle(EXIT_PAUSE, 0), EXIT_STOP_VCPU);
}

/* Every kind has an answer; those that stop the VM say why. */
static void every_kind(void **state)
{
    for (u8 kind = 0; kind < EXIT_KIND_COUNT; kind++) {
        enum exit_result r;

        setup(state);
        fake_length = 1;
        r = handle(kind, 1);
        if (r == EXIT_STOP_VCPU)
            assert_int_equal(fake_stops, 1);
    }
    setup(state);
    assert_int_equal(handle(EXIT_SHUTDOWN, 0), EXIT_STOP_VCPU);
    assert_int_equal(fake_end, VM_END_TRIPLE_FAULT);
    assert_int_equal(handle(EXIT_UNKNOWN, 0), EXIT_STOP_VCPU);
    assert_int_equal(fake_end, VM_END_FAULT);
    assert_int_equal(handle(EXIT_ENTRY_FAIL, 0), EXIT_STOP_VCPU);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_length, setup),
        cmocka_unit_test_setup(cpuid, setup),
        cmocka_unit_test_setup(hypercalls, setup),
        cmocka_unit_test_setup(msrs, setup),
        cmocka_unit_test_setup(port_reads_keep_the_rest, setup),
        cmocka_unit_test_setup(memory_faults, setup),
        cmocka_unit_test_setup(halting, setup),
        cmocka_unit_test_setup(halting_for_good, setup),
        cmocka_unit_test_setup(xsetbv_rules, setup),
        cmocka_unit_test_setup(what_guests_may_not_execute, setup),
        cmocka_unit_test_setup(exceptions_come_back, setup),
        cmocka_unit_test_setup(machine_checks_stop_the_host, setup),
        cmocka_unit_test_setup(pausing_yields, setup),
        cmocka_unit_test_setup(every_kind, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
