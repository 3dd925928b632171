/* SPDX-License-Identifier: MIT */
/*
 * From a booted machine to running VMs, and to the results at the end. The one place that knows
 * which backends there are.
 */
#include "hv/main.h"

#include "hv/host/acpi.h"
#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/irq.h"
#include "hv/host/layout.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/smp.h"
#include "hv/host/time.h"
#include "hv/host/page_pool.h"
#include "hv/load/load.h"
#include "hv/load/manifest.h"
#include "hv/vm/dump.h"
#include "hv/vm/finish.h"
#include "hv/vm/sched.h"
#include "hv/vm/start.h"
#include "hv/vm/switch.h"
#include "svm/svm.h"

static const struct backend *const backends[] = {&svm_backend};

/* Zeroed pages may take this part of memory at most, over all CPUs. */
#define POOL_SHARE(bytes) ((bytes) / 8)

static struct machine_config config;
static struct account_inject inject;

/* What the application processors wait for, and tell. */
enum phase { PHASE_WAIT, PHASE_PREPARE, PHASE_RUN };
static enum phase phase;
static u32 cpus_ready, cpus_done;

static void wait_for(const u32 *counter, u32 value)
{
    while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value)
        insn_pause();
}

/* Makes the calling CPU able to run guests; a CPU that fails only idles. */
static void prepare_cpu(struct cpu *cpu)
{
    const char *why = backend->probe();

    if (why)
        log_error("cpu %u: %s", cpu->id, why);
    if (sched_init_cpu(cpu, config.trace_records))
        panic("cpu %u cannot schedule", cpu->id);
    if (inject.enabled)
        ((struct account *)cpu->account)->inject = &inject;
    switch_init_cpu();
    cpu->backend = !why && backend->cpu_enable(cpu) == 0;
    while (page_pool_refill(~0u))
        ;
}

static void cpu_main(struct cpu *cpu)
{
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) < PHASE_PREPARE)
        insn_pause();
    prepare_cpu(cpu);
    __atomic_add_fetch(&cpus_ready, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) < PHASE_RUN)
        insn_pause();
    sched_loop(cpu);
    __atomic_add_fetch(&cpus_done, 1, __ATOMIC_ACQ_REL);
    for (;;)
        insn_hlt();
}

static void set_phase(enum phase p)
{
    __atomic_store_n(&phase, p, __ATOMIC_RELEASE);
}

__attribute__((noreturn)) static void unfit(const char *why)
{
    log_error("%s", why);
    console_drain();
    host_exit(HOST_EXIT_UNFIT);
}

static void choose_backend(void)
{
    const char *why = "no backend";
    u32 i;

    for (i = 0; i < ARRAY_SIZE(backends); i++) {
        why = backends[i]->probe();
        if (!why) {
            backend = backends[i];
            return;
        }
    }
    unfit(why);
}

static void manifest_error(void *ctx, const char *line)
{
    (void)ctx;
    log_error("%s", line);
}

static void read_manifest(const struct boot_info *bi)
{
    struct manifest_env env = {
        .modules = bi->modules,
        .nr_modules = bi->nr_modules,
        .free_bytes = mem_free_bytes(MEM_ANY_NODE) - POOL_SHARE(mem_free_bytes(MEM_ANY_NODE)),
        .cpus = cpu_count,
        .error = manifest_error,
    };

    if (manifest_load(&config, &env))
        unfit("nothing started: see the messages above");
}

/* Delays of all VMs, by account: accounts belong to CPUs, not to VMs. */
static void collect_injects(void)
{
    u32 i, j;

    for (i = 0; i < config.nr_vms; i++)
        for (j = 0; j < config.vms[i].nr_injects; j++) {
            const struct vm_inject *in = &config.vms[i].injects[j];

            if (inject.ticks[in->account] && inject.ticks[in->account] != in->ticks)
                unfit("two VMs inject different delays into one account");
            inject.ticks[in->account] = in->ticks;
            inject.enabled = true;
        }
}

static int load_write(void *ctx, gpa_t gpa, const void *src, u64 n)
{
    return vm_memory_write(ctx, gpa, src, n);
}

static int load_zero(void *ctx, gpa_t gpa, u64 n)
{
    return vm_memory_zero(ctx, gpa, n);
}

static void load_error(void *ctx, const char *text)
{
    log_error("vm %s: %s", ((struct vm *)ctx)->config.name, text);
}

/* Creates a VM and loads its image. NULL: refused, with a message. */
static struct vm *launch(const struct vm_config *c)
{
    struct vm *vm = vm_create(c);
    struct load_target target = {.ctx = vm,
                                 .memory = c->memory,
                                 .write = load_write,
                                 .zero = load_zero,
                                 .error = load_error};
    struct load_result r;
    struct start_state state;

    if (!vm || load_image(c, &target, &r))
        return NULL;
    state = (struct start_state){.mode = r.start, .rip = r.rip, .cs = r.cs, .cr3 = r.cr3};
    state.regs[GPR_RAX] = r.rax;
    state.regs[GPR_RBX] = r.rbx;
    state.regs[GPR_RSP] = r.rsp;
    start_set(vm->vcpus[0], &state);
    vm->vcpus[0]->state = VCPU_STARTING;
    vm->running_vcpus = 1;
    finish_vm_record(vm);
    return vm;
}

static void on_nmi(struct irq_frame *f)
{
    (void)f;
    cpu_this()
        ->nmis++; /* published with the accounts; what was interrupted may hold the log's lock */
}

/* The order is that of what needs what: hv/host/README.md. */
static void bring_up_host(struct boot_info *bi)
{
    char text[16];
    const char *limit = boot_option(bi, "maxcpus", text, sizeof(text));
    u32 max = 0;

    irq_init_cpu(&cpus[0]);
    acpi_init(bi);
    paging_init(bi);
    if (mem_init(bi) || console_init(bi))
        unfit("too little memory");
    if (apic_init(bi))
        unfit("this processor has no local APIC");
    if (time_init())
        unfit("no reference clock to calibrate the TSC by");
    for (; limit && *limit >= '0' && *limit <= '9'; limit++)
        max = max * 10 + (u32)(*limit - '0');
    smp_start(max ? max : CPU_MAX, cpu_main);
    irq_register(VECTOR_NMI, on_nmi);
    panic_hook = dump_panic;
}

static void prepare_all(void)
{
    u64 most = POOL_SHARE(mem_free_bytes(MEM_ANY_NODE)) / PAGE_SIZE / cpu_count;

    if (page_pool_init((u32)MIN((u64)config.pool_pages, most)))
        log_warn("no memory for a pool of %u zeroed pages", config.pool_pages);
    set_phase(PHASE_PREPARE);
    prepare_cpu(&cpus[0]);
    wait_for(&cpus_ready, cpu_count - 1);
}

static u32 launch_all(void)
{
    struct vm *started[VM_MAX];
    u32 i, n = 0;

    for (i = 0; i < config.nr_vms; i++) {
        struct vm *vm = launch(&config.vms[i]);

        if (vm)
            started[n++] = vm;
    }
    console_drain();
    for (i = 0; i < n; i++)
        sched_start(started[i]->vcpus[0]);
    return n;
}

void hv_main(struct boot_info *bi)
{
    bring_up_host(bi);
    choose_backend();
    read_manifest(bi);
    collect_injects();
    prepare_all();
    finish_host_record(bi);
    if (launch_all() < config.nr_vms)
        unfit("not every VM of the manifest could be started");
    set_phase(PHASE_RUN);
    sched_loop(&cpus[0]);
    wait_for(&cpus_done, cpu_count - 1);
    if (!finish_accounts())
        host_exit(HOST_EXIT_ACCOUNTS);
}
