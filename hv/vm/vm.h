/* SPDX-License-Identifier: MIT */
/*
 * Virtual machines and their vCPUs. A VM's configuration never changes after vm_create; its
 * devices are guarded by vm->lock; a vCPU's registers belong to the physical CPU that runs it.
 */
#ifndef HV_VM_VM_H
#define HV_VM_VM_H

#include "hv/abi/stats.h"
#include "hv/dev/platform.h"
#include "hv/host/cpu.h"
#include "hv/lib/lock.h"
#include "hv/measure/account.h"
#include "hv/vm/config.h"
#include "hv/vm/cpuid.h"
#include "hv/vm/memory.h"
#include "hv/vm/timer.h"
#include "hv/x86/regs.h"

struct backend;
struct vcpu;
struct vm;

/* Why a VM ended; the text is what result records carry. */
#define VM_ENDS(X)                                                                                 \
    X(NONE, "running")                                                                             \
    X(POWEROFF, "poweroff")                                                                        \
    X(EXIT_PORT, "exit_port")                                                                      \
    X(TRIPLE_FAULT, "triple_fault")                                                                \
    X(HALTED, "halted")                                                                            \
    X(FAULT, "fault")

enum vm_end {
#define VM_END_ENUM(name, text) VM_END_##name,
    VM_ENDS(VM_END_ENUM)
#undef VM_END_ENUM
};

/* An event to deliver at the next entry, in vendor-blind form. */
enum event_type { EVENT_NONE, EVENT_INTERRUPT, EVENT_NMI, EVENT_EXCEPTION, EVENT_SOFT_INTERRUPT };

struct event {
    u8 type; /* enum event_type */
    u8 vector;
    bool has_error;
    u32 error;
};

/* Bits of vcpu->request: reasons to leave the fast path before the next entry. */
enum vcpu_request {
    REQUEST_EVENT = BIT(0),   /* vcpu->event holds one to inject */
    REQUEST_INTR = BIT(1),    /* the interrupt controller may have one */
    REQUEST_STOP = BIT(2),    /* the VM ends */
    REQUEST_RESCHED = BIT(3), /* the scheduler wants the CPU */
    REQUEST_BACKEND = BIT(4), /* one-shot control state must be reset after this entry */
};

enum vcpu_state {
    VCPU_WAIT_START,
    VCPU_STARTING,
    VCPU_RUNNABLE,
    VCPU_RUNNING,
    VCPU_HALTED,
    VCPU_STOPPED
};

struct vcpu {
    u64 regs[GPR_COUNT]; /* enter.S relies on the place; RAX and RSP are current on slow exits only
                          */
    u32 request;         /* enum vcpu_request; set from any CPU */
    u8 exit_kind;        /* enum exit_kind of the exit being handled */
    struct vcpu_stats *stats;
    struct account *account; /* of the CPU it runs on, measuring loop; else NULL */
    struct vm_cpuid *cpuid;
    struct vm *vm;
    u32 id;
    struct event event;
    u64 hypercall_irqs[4]; /* vectors asked for by HYPERCALL_IRQ, as a bitmap */
    /* Scheduling; guarded by the lock of home's scheduler. */
    enum vcpu_state state;
    struct cpu *home;
    struct vcpu *next;
    u64 since;            /* TSC of the last state change */
    bool halted_for_good; /* HLT with interrupts off */
    struct measure *measure;
    void *stats_page; /* the hypervisor's own page until the guest gives one */
    u64 dr[4];        /* DR0-DR3, which no backend saves */
    u64 xcr0;
    u64 tsc_aux;
    void *fpu; /* XSAVE or FXSAVE area, 64-byte aligned */
};

struct vm {
    struct vm_config config;
    u32 id;
    u32 node;         /* NUMA node of its memory: that of its first vCPU's CPU */
    struct lock lock; /* guards platform and its timers */
    struct platform platform;
    struct dev_host dev_host;
    struct vtimer dev_timers[DEV_TIMER_COUNT];
    struct vtimer drain;
    bool intr_pending; /* output of the PIC pair */
    struct vm_memory memory;
    struct vm_cpuid *cpuid; /* one per vCPU */
    struct vcpu *vcpus[VM_MAX_VCPUS];
    u32 nr_vcpus;
    void *backend_data;
    hpa_t nested_root;
    /* How it ended; guarded by vm_end_lock. */
    enum vm_end end;
    u32 end_value; /* what the guest wrote to the exit port */
    char end_detail[160];
    u32 running_vcpus;
    u64 first_entry_tsc; /* TSC before the first vCPU's first entry; 0: not yet */
};

extern struct vm *vms[VM_MAX];
extern u32 vm_count;

/*
 * Makes a VM with its memory, devices and vCPUs, none of them running. Returns it, or NULL
 * (logged); then nothing is left behind.
 */
struct vm *vm_create(const struct vm_config *config);

/* Disarms a VM's timers. Its vCPUs have stopped, or never ran. */
void vm_quiet(struct vm *vm);

/* Frees all a VM has. None of its vCPUs may be running. */
void vm_destroy(struct vm *vm);

/*
 * Ends a VM once (later calls are ignored): all its vCPUs leave guest mode soon and never run
 * again. detail is for people. May be called from any CPU, with the VM's lock held or not.
 */
void vm_stop(struct vm *vm, enum vm_end why, u32 value, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));

/* Lets all buffered console output leave now, on the account for that. */
void vm_drain(void);

const char *vm_end_name(enum vm_end end);

/* True when every VM has ended. */
bool vm_all_ended(void);

/* Sets request bits of a vCPU and makes it notice, wherever it is. */
void vcpu_request(struct vcpu *v, u32 bits);

/* Queues an exception for the next entry. Two at once become #DF or a triple fault, as in the
 * manuals ("Exceptions and Interrupts", double fault). */
void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);

/* True when a maskable interrupt waits for this vCPU. */
bool vcpu_interrupt_pending(const struct vcpu *v);

/* Takes the highest waiting interrupt: its vector, or -1. */
int vcpu_interrupt_acknowledge(struct vcpu *v);

/*
 * Serializes a VM's devices. With one vCPU they are all used on its home CPU, with interrupts off,
 * and need no lock.
 */
static inline void vm_lock_devices(struct vm *vm)
{
    if (unlikely(vm->nr_vcpus > 1))
        lock_take(&vm->lock);
}

static inline void vm_unlock_devices(struct vm *vm)
{
    if (unlikely(vm->nr_vcpus > 1))
        lock_release(&vm->lock);
}

static inline void vcpu_note_event(struct vcpu *v)
{
    v->stats->interrupts++;
}

#endif
