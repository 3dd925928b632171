/* SPDX-License-Identifier: MIT */
/*
 * Making and ending virtual machines.
 */
#include "hv/vm/vm.h"

#include "hv/abi/hypercall.h"
#include "hv/host/console.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/smp.h"
#include "hv/host/time.h"
#include "hv/lib/format.h"
#include "hv/lib/string.h"
#include "hv/vm/backend.h"
#include "hv/vm/sched.h"
#include "hv/vm/switch.h"

struct vm *vms[VM_MAX];
u32 vm_count;
const struct backend *backend;

#define DRAIN_AFTER_NS   50000000ull
#define DEV_TIMER_MIN_NS 20000ull

const char *vm_end_name(enum vm_end end)
{
    static const char *const names[] = {
#define VM_END_NAME(name, text) text,
        VM_ENDS(VM_END_NAME)
#undef VM_END_NAME
    };

    return names[end];
}

/* The device side of a VM: hv/dev calls these with the VM's lock held. */

static u64 dev_now(void *ctx)
{
    (void)ctx;
    return time_now();
}

static void dev_timer(void *ctx, enum dev_timer which, u64 deadline)
{
    struct vm *vm = ctx;

    if (deadline && vm->end == VM_END_NONE)
        /* No guest may keep a CPU in its timers: a faster one loses edges, as a slow PC would. */
        vtimer_arm(&vm->dev_timers[which], vm->vcpus[0]->home,
                   MAX(deadline, time_now() + time_ticks_from_ns(DEV_TIMER_MIN_NS)));
    else
        vtimer_cancel(&vm->dev_timers[which]);
}

static void dev_intr(void *ctx, bool pending)
{
    struct vm *vm = ctx;

    vm->intr_pending = pending;
    if (pending) {
        vcpu_request(vm->vcpus[0], REQUEST_INTR);
        sched_wake(vm->vcpus[0]);
    }
}

void vm_drain(void)
{
    struct account *a = cpu_this()->account;
    bool stamp = a && a->open != ACCOUNT(PLAIN);
    u32 i, was = stamp ? account_switch(a, ACCOUNT(DRAIN)) : 0;

    for (i = 0; i < vm_count; i++)
        vtimer_cancel(&vms[i]->drain);
    console_drain();
    if (stamp)
        account_switch_at(a, was, time_now());
}

static void drain_fires(struct vtimer *t)
{
    (void)t;
    vm_drain();
}

/* Output leaves when its CPU idles or the guest asks; at the latest after a while. */
static void dev_console_out(void *ctx, u8 c)
{
    struct vm *vm = ctx;

    console_write(vm->id + 1, (const char *)&c, 1);
    if (!vm->drain.cpu)
        vtimer_arm(&vm->drain, vm->vcpus[0]->home, time_now() + time_ticks_from_ns(DRAIN_AFTER_NS));
}

static void dev_exit_port(void *ctx, u32 value)
{
    vm_stop(ctx, VM_END_EXIT_PORT, value, "guest wrote %u to the exit port", value);
}

static void dev_note(void *ctx, const char *text)
{
    log_warn("vm %s: %s", ((struct vm *)ctx)->config.name, text);
}

static void dev_timer_fires(struct vtimer *t)
{
    struct vm *vm = t->ctx;

    vm_lock_devices(vm);
    platform_timer(&vm->platform, (enum dev_timer)(t - vm->dev_timers));
    vm_unlock_devices(vm);
}

static int devices_init(struct vm *vm)
{
    u32 i;

    for (i = 0; i < DEV_TIMER_COUNT; i++) {
        vm->dev_timers[i].fn = dev_timer_fires;
        vm->dev_timers[i].ctx = vm;
    }
    vm->drain.fn = drain_fires;
    vm->dev_host = (struct dev_host){
        .ctx = vm,
        .hz = time_info.tsc_hz,
        .now = dev_now,
        .timer = dev_timer,
        .intr = dev_intr,
        .console_out = dev_console_out,
        .exit_port = dev_exit_port,
        .note = dev_note,
    };
    return platform_init(&vm->platform, &vm->dev_host);
}

/* The n-th CPU (counting round) of a VM's set that runs guests. */
static struct cpu *choose_home(const struct vm_config *c, u32 n)
{
    struct cpu *fit[CPU_MAX];
    u32 i, count = 0;

    for (i = 0; i < cpu_count; i++)
        if (cpus[i].backend && (!c->cpu_mask || c->cpu_mask >> i & 1))
            fit[count++] = &cpus[i];
    return count ? fit[n % count] : NULL;
}

static u32 hypercall_flags(const struct vm_config *c)
{
    u32 flags = 0;

    if (time_info.ticks_are_instructions)
        flags |= HYPERCALL_FLAG_TICKS_ARE_INSTRUCTIONS;
    if (c->loop == VM_LOOP_MEASURE)
        flags |= HYPERCALL_FLAG_MEASURED;
    return flags;
}

static int vcpu_add(struct vm *vm, u32 id)
{
    struct vcpu *v = backend->vcpu_create(vm, id);

    if (!v)
        return -1;
    vm->vcpus[id] = v;
    vm->nr_vcpus = id + 1;
    if (switch_create(v, vm->node))
        return -1;
    v->vm = vm;
    v->id = id;
    v->state = VCPU_WAIT_START;
    v->home = choose_home(&vm->config, vm->id + id);
    v->cpuid = &vm->cpuid[id];
    cpuid_init(v->cpuid, &vm->config, id, hypercall_flags(&vm->config));
    v->stats_page = mem_zalloc(PAGE_SIZE, vm->node);
    v->stats = v->stats_page;
    if (vm->config.loop == VM_LOOP_MEASURE) {
        v->measure = mem_zalloc(sizeof(*v->measure), vm->node);
        if (!v->measure)
            return -1;
    }
    return v->stats ? 0 : -1;
}

struct vm *vm_create(const struct vm_config *config)
{
    struct vm *vm = mem_zalloc(sizeof(*vm), MEM_ANY_NODE);
    u32 i;

    if (!vm) {
        log_error("vm %s: no memory for the VM itself", config->name);
        return NULL;
    }
    vm->config = *config;
    vm->id = vm_count;
    if (!choose_home(config, vm->id)) {
        log_error("vm %s: no CPU of its set can run guests", config->name);
        goto fail;
    }
    vm->node = choose_home(config, vm->id)->node;
    console_name(vm->id + 1, config->name);
    vm->cpuid = mem_zalloc(config->vcpus * sizeof(*vm->cpuid), vm->node);
    if (!vm->cpuid || backend->vm_create(vm) || vm_memory_init(vm))
        goto fail;
    for (i = 0; i < config->vcpus; i++)
        if (vcpu_add(vm, i)) {
            log_error("vm %s: no memory for vCPU %u", config->name, i);
            goto fail;
        }
    if (devices_init(vm)) {
        log_error("vm %s: devices overlap", config->name);
        goto fail;
    }
    vms[vm_count++] = vm;
    return vm;
fail:
    vm_destroy(vm);
    return NULL;
}

void vm_quiet(struct vm *vm)
{
    u32 i;

    for (i = 0; i < DEV_TIMER_COUNT; i++)
        vtimer_cancel(&vm->dev_timers[i]);
    vtimer_cancel(&vm->drain);
}

void vm_destroy(struct vm *vm)
{
    u32 i;

    vm_quiet(vm);
    for (i = 0; i < vm->nr_vcpus; i++) {
        struct vcpu *v = vm->vcpus[i];

        mem_zfree(v->stats_page, PAGE_SIZE);
        if (v->measure)
            mem_zfree(v->measure, sizeof(*v->measure));
        switch_destroy(v);
        backend->vcpu_destroy(v);
    }
    vm_memory_destroy(vm);
    backend->vm_destroy(vm);
    if (vm->cpuid)
        mem_zfree(vm->cpuid, vm->config.vcpus * sizeof(*vm->cpuid));
    mem_zfree(vm, sizeof(*vm));
}

void vm_stop(struct vm *vm, enum vm_end why, u32 value, const char *detail, ...)
{
    enum vm_end running = VM_END_NONE;
    va_list ap;
    u32 i;

    if (!__atomic_compare_exchange_n(&vm->end, &running, why, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    vm->end_value = value;
    va_start(ap, detail);
    fmt_vprint(vm->end_detail, sizeof(vm->end_detail), detail, ap);
    va_end(ap);
    for (i = 0; i < vm->nr_vcpus; i++) {
        vcpu_request(vm->vcpus[i], REQUEST_STOP);
        sched_wake(vm->vcpus[i]);
    }
}

bool vm_all_ended(void)
{
    u32 i;

    for (i = 0; i < vm_count; i++)
        if (__atomic_load_n(&vms[i]->running_vcpus, __ATOMIC_ACQUIRE))
            return false;
    return true;
}
