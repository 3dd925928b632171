/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU timer lists.
 */
#include "hv/vm/timer.h"

#include "hv/host/smp.h"
#include "hv/host/time.h"

struct timer_list {
    struct lock lock;
    struct vtimer *head; /* earliest first */
};

static struct timer_list lists[CPU_MAX];

/* The list's lock is held. */
static void unlink_timer(struct timer_list *l, struct vtimer *t)
{
    struct vtimer **p;

    for (p = &l->head; *p; p = &(*p)->next)
        if (*p == t) {
            *p = t->next;
            break;
        }
    t->cpu = NULL;
}

/* Programs this CPU's hardware for the earliest timer; the list's lock is held. */
static void program(struct cpu *cpu, const struct timer_list *l)
{
    u64 want = l->head ? l->head->deadline : 0;

    if (want == cpu->timer_armed)
        return;
    cpu->timer_armed = want;
    if (want)
        time_arm(want);
    else
        time_disarm();
}

void vtimer_cancel(struct vtimer *t)
{
    struct cpu *cpu = t->cpu;

    if (!cpu)
        return;
    lock_take(&lists[cpu->id].lock);
    if (t->cpu == cpu)
        unlink_timer(&lists[cpu->id], t);
    if (cpu == cpu_this())
        program(cpu, &lists[cpu->id]);
    lock_release(&lists[cpu->id].lock);
}

void vtimer_arm(struct vtimer *t, struct cpu *cpu, u64 deadline)
{
    struct timer_list *l = &lists[cpu->id];
    struct vtimer **p;

    if (t->cpu && t->cpu != cpu)
        vtimer_cancel(t);
    lock_take(&l->lock);
    if (t->cpu)
        unlink_timer(l, t);
    t->deadline = deadline;
    t->cpu = cpu;
    for (p = &l->head; *p && (s64)((*p)->deadline - deadline) <= 0; p = &(*p)->next)
        ;
    t->next = *p;
    *p = t;
    if (cpu == cpu_this())
        program(cpu, l);
    lock_release(&l->lock);
    if (cpu != cpu_this())
        smp_kick(cpu);
}

void vtimer_run(struct cpu *cpu)
{
    struct timer_list *l = &lists[cpu->id];
    u64 now = time_now(); /* once: a timer that arms itself again waits for the next turn */

    lock_take(&l->lock);
    while (l->head && (s64)(l->head->deadline - now) <= 0) {
        struct vtimer *t = l->head;

        unlink_timer(l, t);
        lock_release(&l->lock);
        t->fn(t);
        lock_take(&l->lock);
    }
    /* A one-shot that fired is no longer armed, whatever it was armed for. */
    if (cpu->timer) {
        cpu->timer = false;
        cpu->timer_armed = 0;
    }
    program(cpu, l);
    lock_release(&l->lock);
}
