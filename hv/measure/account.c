/* SPDX-License-Identifier: MIT */
/*
 * Closed time accounts: chained stamps, each period charged to exactly one account.
 */
#include "hv/measure/account.h"

static const char *const account_names[ACCOUNT_TOTAL] = {
#define EXIT_NAME(name, text, help) [EXIT_##name] = text,
    EXIT_KINDS(EXIT_NAME)
#undef EXIT_NAME
#define ACCOUNT_NAME(name, text, help) [EXIT_KIND_COUNT + ACCOUNT_##name] = text,
        ACCOUNT_KINDS(ACCOUNT_NAME)
#undef ACCOUNT_NAME
};

const char *account_name(u32 account)
{
    return account < ACCOUNT_TOTAL ? account_names[account] : "?";
}

void account_start(struct account *a, u32 open, u64 now)
{
    a->open = open;
    a->start = a->last = now;
}

static bool is_exit(u32 account)
{
    return account < EXIT_KIND_COUNT;
}

static void charge(struct account *a, u64 now)
{
    a->ticks[a->open] += now - a->last;
    if (is_exit(a->open))
        a->exit_sum += now - a->last;
    a->last = now;
}

void account_switch_at(struct account *a, u32 open, u64 now)
{
    charge(a, now);
    a->open = open;
    a->count[open] += !is_exit(open);
}

u32 account_switch(struct account *a, u32 open)
{
    u32 old = a->open;

    account_switch_at(a, open, insn_rdtsc());
    if (!is_exit(open))
        account_inject(a, open);
    return old;
}

/* The exit in hand is complete: its histogram, statistics and trace record. */
static void finish_exit(struct account *a)
{
    u32 kind = a->open;

    if (a->measure)
        histogram_add(&a->measure->by_kind[kind], a->exit_sum);
    if (a->tracing) {
        a->record.account = (u16)kind;
        a->record.ticks = (u32)MIN(a->exit_sum, (u64)UINT32_MAX);
        trace_add(&a->trace, &a->record);
    }
    if (a->stats) {
        a->stats->handler_ticks += a->exit_sum;
        a->stats->exits_by_kind[kind]++;
    }
    a->exit_sum = 0;
}

void account_exit(struct account *a, u64 entered, u64 left)
{
    charge(a, entered);
    if (is_exit(a->open))
        finish_exit(a);
    a->ticks[ACCOUNT(GUEST)] += left - entered;
    a->count[ACCOUNT(GUEST)]++;
    if (a->stats)
        a->stats->guest_ticks += left - entered;
    a->last = left;
    a->open = EXIT_UNKNOWN;
    a->exit_sum = 0;
    a->record.tsc = left;
}

void account_exit_is(struct account *a, enum exit_kind kind)
{
    a->open = kind;
    a->count[kind]++;
    account_inject(a, kind);
}

void account_exit_end(struct account *a, u32 open)
{
    charge(a, insn_rdtsc());
    if (is_exit(a->open))
        finish_exit(a);
    account_switch_at(a, open, a->last);
    account_inject(a, open);
}

void account_inject(struct account *a, u32 account)
{
    u64 until;

    if (likely(!a->inject) || a->inject->ticks[account] == 0)
        return;
    until = insn_rdtsc() + a->inject->ticks[account];
    while ((s64)(until - insn_rdtsc()) > 0)
        insn_pause();
    a->inject->count[account]++;
}

u64 account_sum(const struct account *a)
{
    u64 sum = 0;
    u32 i;

    for (i = 0; i < ACCOUNT_TOTAL; i++)
        sum += a->ticks[i];
    return sum;
}
