/* SPDX-License-Identifier: MIT */
/*
 * The scheduler and the loop around guest entries: from a vCPU's turn to its end.
 */
#include "hv/vm/sched.h"

#include "hv/host/console.h"
#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/smp.h"
#include "hv/host/time.h"
#include "hv/host/page_pool.h"
#include "hv/lib/err.h"
#include "hv/vm/backend.h"
#include "hv/vm/exits.h"
#include "hv/vm/finish.h"
#include "hv/vm/switch.h"

struct sched {
    struct lock lock; /* guards queue, waiting and the state of vCPUs at home here */
    struct vcpu *head, *tail;
    u32 waiting; /* vCPUs in the queue */
    struct vcpu *running;
    struct vtimer slice;
};

#define POOL_REFILL_BATCH 64 /* pages zeroed between two looks at the queue */

static bool finishing;

static struct sched *sched_of(const struct cpu *cpu)
{
    return cpu->sched;
}

/* The time slice is over: the running vCPU leaves before its next entry. */
static void slice_end(struct vtimer *t)
{
    struct sched *s = t->ctx;

    if (s->running)
        vcpu_request(s->running, REQUEST_RESCHED);
}

/* Physical interrupts only leave a mark; work is done where the accounts expect it. */
static void on_interrupt(struct irq_frame *f)
{
    struct cpu *cpu = cpu_this();
    struct account *a = cpu->account;
    bool stamp = a && a->open != ACCOUNT(PLAIN);
    u32 was = 0;

    if (stamp)
        was = account_switch(a, ACCOUNT(IRQ));
    if (f->vector == VECTOR_TIMER)
        cpu->timer = true;
    else
        cpu->kick = true;
    if (stamp)
        account_switch_at(a, was, time_now());
}

int sched_init_cpu(struct cpu *cpu, u32 trace_records)
{
    struct sched *s = mem_zalloc(sizeof(*s), cpu->node);
    struct account *a = mem_zalloc(sizeof(*a), cpu->node);

    if (!s || !a)
        goto none_left;
    s->slice.fn = slice_end;
    s->slice.ctx = s;
    if (trace_records) {
        a->trace.ring = mem_zalloc(trace_records * sizeof(*a->trace.ring), cpu->node);
        if (!a->trace.ring)
            goto none_left;
        a->trace.mask = trace_records - 1;
    }
    cpu->sched = s;
    irq_register(VECTOR_TIMER, on_interrupt);
    irq_register(VECTOR_KICK, on_interrupt);
    account_start(a, ACCOUNT(SCHED), time_now());
    cpu->account = a;
    return 0;
none_left:
    log_error("cpu %u: no memory for its scheduler", cpu->id);
    return -HV_ENOMEM;
}

/* The lock is held. */
static void enqueue(struct sched *s, struct vcpu *v)
{
    v->next = NULL;
    v->state = VCPU_RUNNABLE;
    if (s->tail)
        s->tail->next = v;
    else
        s->head = v;
    s->tail = v;
    s->waiting++;
}

static struct vcpu *pick(struct sched *s)
{
    struct vcpu *v;

    lock_take(&s->lock);
    v = s->head;
    if (v) {
        s->head = v->next;
        if (!s->head)
            s->tail = NULL;
        s->waiting--;
        v->state = VCPU_RUNNING;
        s->running = v;
        /* Who requests something stores it, then reads the state to know whether to kick. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    lock_release(&s->lock);
    return v;
}

/* The slice timer runs only while somebody waits. */
static void slice_start(struct cpu *cpu, struct sched *s, const struct vcpu *v)
{
    if (s->waiting && !s->slice.cpu)
        vtimer_arm(&s->slice, cpu,
                   time_now() + time_ticks_from_ns(v->vm->config.quantum_us * 1000));
}

/* Makes a vCPU in state from runnable, and its CPU look at it. */
static void make_runnable(struct vcpu *v, enum vcpu_state from, u64 *spent)
{
    struct sched *s = sched_of(v->home);
    bool woken = false;

    lock_take(&s->lock);
    if (v->state == from) {
        u64 now = time_now();

        if (spent)
            *spent += now - v->since;
        v->since = now;
        enqueue(s, v);
        woken = true;
    }
    lock_release(&s->lock);
    if (!woken)
        return;
    if (v->home != cpu_this())
        smp_kick(v->home); /* and starts its slice when it takes that interrupt */
    else if (s->running)
        slice_start(v->home, s, s->running);
}

void sched_start(struct vcpu *v)
{
    make_runnable(v, VCPU_STARTING, NULL);
}

void sched_wake(struct vcpu *v)
{
    if (v->state == VCPU_HALTED && (!v->halted_for_good || v->request & REQUEST_STOP))
        make_runnable(v, VCPU_HALTED, &v->stats->halted_ticks);
}

/* Brings v's state onto this CPU unless it is still there. */
static void switch_to(struct cpu *cpu, struct vcpu *v)
{
    if (cpu->current == v)
        return;
    if (cpu->current)
        switch_save(cpu->current);
    cpu->current = v;
    switch_load(v);
    backend->load(v);
}

/* Lets pending physical interrupts in, then does what they asked for. */
static void take_interrupts(struct cpu *cpu, struct vcpu *v)
{
    struct account *a = v->account;
    u32 was = 0;

    backend->leave(v);
    insn_sti_window();
    if (a)
        was = account_switch(a, ACCOUNT(SCHED));
    if (cpu->timer ||
        cpu->kick) /* a kick may be about a timer that another CPU put into our list */
        vtimer_run(cpu);
    cpu->kick = false;
    slice_start(cpu, sched_of(cpu), v);
    if (a)
        account_switch_at(a, was, time_now());
}

/*
 * An interrupt waits behind what is injected now. One emulator takes a window only after IF was 0,
 * so the next exit, whatever it is, looks again.
 */
static void wait_in_line(struct vcpu *v)
{
    bool more = vcpu_interrupt_pending(v);

    backend->window(v, more);
    if (more)
        vcpu_request(v, REQUEST_INTR);
}

/* Gives the next entry what waits for it: an event to repeat, an interrupt, or a window for one. */
static void prepare_events(struct vcpu *v)
{
    struct event e;
    int vector;

    __atomic_fetch_and(&v->request, ~REQUEST_INTR, __ATOMIC_ACQ_REL);
    if (v->request & REQUEST_EVENT) {
        e = v->event;
        v->event.type = EVENT_NONE;
        __atomic_fetch_and(&v->request, ~REQUEST_EVENT, __ATOMIC_ACQ_REL);
        backend->inject(v, &e);
        wait_in_line(v);
        return;
    }
    if (!vcpu_interrupt_pending(v))
        return;
    if (!backend->interruptible(v)) {
        backend->window(v, true);
        if (backend->get(v, VREG_RFLAGS) & RFLAGS_IF)
            vcpu_request(v, REQUEST_INTR); /* a shadow: see wait_in_line */
        return;
    }
    vector = vcpu_interrupt_acknowledge(v);
    if (vector < 0)
        return;
    e = (struct event){.type = EVENT_INTERRUPT, .vector = (u8)vector};
    vcpu_note_event(v);
    backend->inject(v, &e);
    wait_in_line(v);
}

/* One entry and the handling of the exit that ended it. */
static enum exit_result enter_once(struct cpu *cpu, struct vcpu *v)
{
    struct exit e;
    enum exit_result r;

    if (v->request & REQUEST_STOP)
        return EXIT_STOP_VCPU;
    if (v->request & REQUEST_RESCHED) {
        __atomic_fetch_and(&v->request, ~REQUEST_RESCHED, __ATOMIC_ACQ_REL);
        if (sched_of(cpu)->waiting)
            return EXIT_YIELD;
    }
    if (v->request & (REQUEST_EVENT | REQUEST_INTR))
        prepare_events(v);
    backend->run(v, &e);
    if (e.kind == EXIT_KIND_COUNT) /* served on the fast path; only a request is left */
        return EXIT_RESUME;
    v->exit_kind = e.kind;
    if (v->account)
        account_exit_seems(v->account, e.kind);
    if (e.kind == EXIT_INTERRUPT || e.kind == EXIT_NMI) {
        take_interrupts(cpu, v);
        r = EXIT_RESUME;
    } else {
        r = exit_handle(v, &e);
    }
    if (v->account)
        account_exit_is(v->account, v->exit_kind);
    return r;
}

/* Halts v unless something came meanwhile; the lock closes the race with sched_wake. */
static void block(struct sched *s, struct vcpu *v)
{
    lock_take(&s->lock);
    v->since = time_now();
    v->state = VCPU_HALTED;
    /* A waker stores its reason, then reads the state: our two must not change places either. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (v->request & REQUEST_STOP ||
        (!v->halted_for_good && (vcpu_interrupt_pending(v) || v->request & REQUEST_EVENT)))
        enqueue(s, v);
    lock_release(&s->lock);
}

static void requeue(struct sched *s, struct vcpu *v)
{
    lock_take(&s->lock);
    v->since = time_now();
    enqueue(s, v);
    lock_release(&s->lock);
}

static void vcpu_ended(struct cpu *cpu, struct vcpu *v)
{
    cpu->current = NULL;
    v->state = VCPU_STOPPED;
    if (__atomic_sub_fetch(&v->vm->running_vcpus, 1, __ATOMIC_ACQ_REL) == 0)
        finish_vm(v->vm);
}

/* Opens the accounts for v's turn. */
static void turn_begins(struct cpu *cpu, struct vcpu *v)
{
    struct account *a = cpu->account;

    account_switch(a, ACCOUNT(SWITCH));
    v->stats->descheduled_ticks += time_now() - v->since;
    switch_to(cpu, v);
    slice_start(cpu, sched_of(cpu), v);
    a->measure = v->measure;
    a->stats = v->stats;
    a->tracing = v->measure && v->vm->config.trace;
    a->record.vm = (u8)v->vm->id;
    a->record.vcpu = (u8)v->id;
    v->account = v->measure ? a : NULL;
    if (!v->vm->first_entry_tsc)
        v->vm->first_entry_tsc = time_now();
    if (!v->measure)
        account_switch(a, ACCOUNT(PLAIN));
}

static void turn_ends(struct cpu *cpu, struct vcpu *v)
{
    struct account *a = cpu->account;

    if (v->account)
        account_exit_end(a, ACCOUNT(SWITCH));
    else
        account_switch(a, ACCOUNT(SWITCH));
    backend->leave(v);
    v->account = NULL;
    a->measure = NULL;
    a->stats = NULL;
    a->tracing = false;
    vtimer_cancel(&sched_of(cpu)->slice);
}

static void run_vcpu(struct cpu *cpu, struct vcpu *v)
{
    struct sched *s = sched_of(cpu);
    enum exit_result r;

    turn_begins(cpu, v);
    do {
        r = enter_once(cpu, v);
    } while (r == EXIT_RESUME);
    turn_ends(cpu, v);
    s->running = NULL;
    if (v->request & REQUEST_STOP)
        vcpu_ended(cpu, v);
    else if (r == EXIT_BLOCK)
        block(s, v);
    else
        requeue(s, v);
}

/* Nothing to run: let buffered output leave, refill the pool of zeroed pages, then sleep. */
static void idle(struct cpu *cpu, struct sched *s)
{
    struct account *a = cpu->account;

    if (console_pending()) {
        vm_drain();
        return;
    }
    account_switch(a, ACCOUNT(IDLE));
    if (page_pool_refill(POOL_REFILL_BATCH))
        return;
    /* Interrupts are off since the queue was looked at, so no wake-up slips past the HLT. */
    if (!s->head && !cpu->kick && !cpu->timer && !finishing)
        insn_sti_hlt();
    insn_cli();
    cpu->kick = false;
}

void sched_loop(struct cpu *cpu)
{
    struct sched *s = sched_of(cpu);
    struct vcpu *v;

    for (;;) {
        account_switch(cpu->account, ACCOUNT(SCHED));
        vtimer_run(cpu);
        v = pick(s);
        if (v)
            run_vcpu(cpu, v);
        else if (finishing)
            return;
        else
            idle(cpu, s);
    }
}

void sched_finish(void)
{
    u32 i;

    finishing = true;
    for (i = 0; i < cpu_count; i++)
        if (&cpus[i] != cpu_this())
            smp_kick(&cpus[i]);
}
