/* SPDX-License-Identifier: MIT */
/*
 * The exit table: one small handler per kind. Port strings, device memory and control registers
 * have files of their own.
 */
#include "hv/vm/exits.h"

#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/panic.h"
#include "hv/host/time.h"
#include "hv/lib/err.h"
#include "hv/vm/dump.h"
#include "hv/vm/exit_parts.h"
#include "hv/vm/hypercall.h"
#include "hv/vm/msr.h"

typedef enum exit_result exit_handler(struct vcpu *v, struct exit *e);

void exit_fault(struct vcpu *v, const struct exit *e, const char *why)
{
    log_error("vm %s: vCPU %u: %s (exit code %#llx, %#llx, %#llx)", v->vm->config.name, v->id, why,
              (unsigned long long)e->code, (unsigned long long)e->info1,
              (unsigned long long)e->info2);
    dump_vcpu(v);
    vm_stop(v->vm, VM_END_FAULT, 0, "%s at RIP %#llx", why,
            (unsigned long long)backend->get(v, VREG_RIP));
}

enum exit_result exit_inject_gp(struct vcpu *v)
{
    vcpu_inject_exception(v, VECTOR_GP, true, 0);
    return EXIT_RESUME;
}

enum exit_result exit_inject_ud(struct vcpu *v)
{
    vcpu_inject_exception(v, VECTOR_UD, false, 0);
    return EXIT_RESUME;
}

enum exit_result exit_done(struct vcpu *v, struct exit *e)
{
    u32 length = e->length ? e->length : backend->length(v);

    if (!length) {
        exit_fault(v, e, "instruction cannot be read back");
        return EXIT_STOP_VCPU;
    }
    backend->advance(v, length);
    return EXIT_RESUME;
}

static enum exit_result on_cpuid(struct vcpu *v, struct exit *e)
{
    struct cpuid_regs r = cpuid_read(v, (u32)v->regs[GPR_RAX], (u32)v->regs[GPR_RCX]);

    v->regs[GPR_RAX] = r.eax;
    v->regs[GPR_RBX] = r.ebx;
    v->regs[GPR_RCX] = r.ecx;
    v->regs[GPR_RDX] = r.edx;
    return exit_done(v, e);
}

static enum exit_result on_hypercall(struct vcpu *v, struct exit *e)
{
    u64 args[3] = {v->regs[GPR_RDI], v->regs[GPR_RSI], v->regs[GPR_RDX]};

    if (!v->vm->config.hypercalls || backend->cpl(v))
        return exit_inject_ud(v);
    v->regs[GPR_RAX] = (u64)hypercall_call(v, v->regs[GPR_RAX], args);
    return exit_done(v, e);
}

static enum exit_result on_rdmsr(struct vcpu *v, struct exit *e)
{
    u64 value;

    if (!msr_read(v, (u32)v->regs[GPR_RCX], &value))
        return exit_inject_gp(v);
    v->regs[GPR_RAX] = (u32)value;
    v->regs[GPR_RDX] = value >> 32;
    return exit_done(v, e);
}

static enum exit_result on_wrmsr(struct vcpu *v, struct exit *e)
{
    if (!msr_write(v, (u32)v->regs[GPR_RCX], v->regs[GPR_RDX] << 32 | (u32)v->regs[GPR_RAX]))
        return exit_inject_gp(v);
    return exit_done(v, e);
}

static enum exit_result on_pio(struct vcpu *v, struct exit *e)
{
    static const u64 keep[] = {[1] = ~0xffull, [2] = ~0xffffull, [4] = 0};
    u64 *rax = &v->regs[GPR_RAX];

    v->exit_kind = exit_pio_kind(v->vm, e->pio.port, e->pio.in);
    if (e->pio.in)
        *rax = (*rax & keep[e->pio.size]) |
               (exit_pio_in(v->vm, e->pio.port, e->pio.size) & (u32)~keep[e->pio.size]);
    else
        exit_pio_out(v->vm, e->pio.port, e->pio.size, (u32)*rax);
    return exit_done(v, e);
}

static enum exit_result on_memory_fault(struct vcpu *v, struct exit *e)
{
    bool zeroed;
    int err = vm_memory_fill(v->vm, e->fault.gpa, &zeroed);

    if (likely(err == 0)) {
        v->exit_kind = zeroed ? EXIT_FILL_ZERO : EXIT_FILL;
        return EXIT_RESUME;
    }
    if (err == -HV_EFAULT)
        return exit_mmio(v, e);
    exit_fault(v, e, "host memory exhausted");
    return EXIT_STOP_VCPU;
}

/* True when no vCPU of the VM can ever run again. */
static bool nobody_left(const struct vm *vm)
{
    u32 i;

    for (i = 0; i < vm->nr_vcpus; i++)
        if (vm->vcpus[i]->state != VCPU_WAIT_START && !vm->vcpus[i]->halted_for_good)
            return false;
    return true;
}

static enum exit_result on_hlt(struct vcpu *v, struct exit *e)
{
    enum exit_result r = exit_done(v, e);

    if (r != EXIT_RESUME || v->request & REQUEST_EVENT)
        return r;
    if (!(backend->get(v, VREG_RFLAGS) & RFLAGS_IF)) {
        v->halted_for_good = true;
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* of two that halt at once, one sees both */
        if (nobody_left(v->vm))
            vm_stop(v->vm, VM_END_HALTED, 0, "HLT with interrupts off at RIP %#llx",
                    (unsigned long long)backend->get(v, VREG_RIP));
        return EXIT_BLOCK;
    }
    if (!vcpu_interrupt_pending(v))
        return EXIT_BLOCK;
    vcpu_request(v, REQUEST_INTR);
    return EXIT_RESUME;
}

/*
 * The machine's own failure: guests have no machine-check architecture here, and with it unread the
 * next one shuts the machine down.
 */
static bool machine_check_pending(void)
{
    u64 status;

    return msr_read_safe(MSR_MCG_STATUS, &status) == 0 && status & MCG_STATUS_MCIP;
}

static enum exit_result on_exception(struct vcpu *v, struct exit *e)
{
    if (e->exception.vector == VECTOR_MC)
        panic("machine check while a guest ran");
    if (e->exception.vector == VECTOR_PF)
        backend->set(v, VREG_CR2, e->exception.address);
    vcpu_inject_exception(v, e->exception.vector, e->exception.has_error, e->exception.error);
    return EXIT_RESUME;
}

/* Intel SDM volume 2, "XSETBV": what makes it raise #GP. */
static bool xcr0_is_valid(const struct vcpu *v, u64 value)
{
    u64 avx512 = value & 0xe0;

    if (value & ~(u64)v->cpuid->xsave[0].eax || !(value & 1))
        return false;
    if ((value & 4) && !(value & 2))
        return false;
    return !avx512 || (avx512 == 0xe0 && (value & 4));
}

static enum exit_result on_xsetbv(struct vcpu *v, struct exit *e)
{
    u64 value = v->regs[GPR_RDX] << 32 | (u32)v->regs[GPR_RAX];

    if ((u32)v->regs[GPR_RCX] || backend->cpl(v) || !xcr0_is_valid(v, value))
        return exit_inject_gp(v);
    insn_xsetbv(0, value);
    return exit_done(v, e);
}

static enum exit_result on_rdtsc(struct vcpu *v, struct exit *e)
{
    u64 now = time_now();

    v->regs[GPR_RAX] = (u32)now;
    v->regs[GPR_RDX] = now >> 32;
    return exit_done(v, e);
}

static enum exit_result on_invlpg(struct vcpu *v, struct exit *e)
{
    backend->flush(v);
    return exit_done(v, e);
}

static enum exit_result on_pause(struct vcpu *v, struct exit *e)
{
    enum exit_result r = exit_done(v, e);

    return r == EXIT_RESUME ? EXIT_YIELD : r;
}

static enum exit_result on_gp(struct vcpu *v, struct exit *e)
{
    (void)e;
    return exit_inject_gp(v);
}

static enum exit_result on_ud(struct vcpu *v, struct exit *e)
{
    (void)e;
    return exit_inject_ud(v);
}

/* The window is open: enter_once gives the interrupt. */
static enum exit_result on_window(struct vcpu *v, struct exit *e)
{
    (void)e;
    backend->window(v, false);
    vcpu_request(v, REQUEST_INTR);
    return EXIT_RESUME;
}

static enum exit_result on_shutdown(struct vcpu *v, struct exit *e)
{
    (void)e;
    if (machine_check_pending())
        panic("machine check while a guest ran that had CR4.MCE clear");
    log_warn("vm %s: vCPU %u: triple fault", v->vm->config.name, v->id);
    dump_vcpu(v);
    /* RIP after a shutdown is undefined on AMD-V; the dump shows what there is. */
    vm_stop(v->vm, VM_END_TRIPLE_FAULT, 0, "triple fault");
    return EXIT_STOP_VCPU;
}

static enum exit_result on_entry_fail(struct vcpu *v, struct exit *e)
{
    exit_fault(v, e, "the processor refused the VM entry");
    return EXIT_STOP_VCPU;
}

static enum exit_result on_unknown(struct vcpu *v, struct exit *e)
{
    exit_fault(v, e, "unknown exit");
    return EXIT_STOP_VCPU;
}

/* INTERRUPT and NMI are the scheduler's; kinds without an entry are unknown here. */
static exit_handler *const handlers[EXIT_KIND_COUNT] = {
    [EXIT_CPUID] = on_cpuid,
    [EXIT_HYPERCALL] = on_hypercall,
    [EXIT_RDMSR] = on_rdmsr,
    [EXIT_WRMSR] = on_wrmsr,
    [EXIT_PIO_IN] = on_pio,
    [EXIT_PIO_OUT] = on_pio,
    [EXIT_PIO_STRING] = exit_pio_string,
    [EXIT_MMIO] = on_memory_fault,
    [EXIT_CR_READ] = exit_cr,
    [EXIT_CR_WRITE] = exit_cr,
    [EXIT_INVLPG] = on_invlpg,
    [EXIT_WBINVD] = exit_done, /* no device reads memory behind the caches' back */
    [EXIT_HLT] = on_hlt,
    [EXIT_PAUSE] = on_pause,
    [EXIT_XSETBV] = on_xsetbv,
    [EXIT_RDTSC] = on_rdtsc,
    [EXIT_RDPMC] = on_gp,
    [EXIT_EXCEPTION] = on_exception,
    [EXIT_WINDOW] = on_window,
    [EXIT_VIRT_INSN] = on_ud,
    [EXIT_SHUTDOWN] = on_shutdown,
    [EXIT_ENTRY_FAIL] = on_entry_fail,
};

enum exit_result exit_handle(struct vcpu *v, struct exit *e)
{
    exit_handler *h = handlers[e->kind];

    return h ? h(v, e) : on_unknown(v, e);
}
