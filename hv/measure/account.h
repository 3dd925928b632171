/* SPDX-License-Identifier: MIT */
/*
 * Closed accounts of a physical CPU's time. At any moment exactly one account is open; a stamp
 * closes it and opens the next, so the accounts sum to elapsed TSC. The measuring run loop hands
 * over its two stamps per exit (hv/abi/exits.h) one exit late, so that no bookkeeping
 * stands between the second stamp and the guest. Accounts belong to one CPU; nobody else writes.
 */
#ifndef HV_MEASURE_ACCOUNT_H
#define HV_MEASURE_ACCOUNT_H

#include "hv/abi/exits.h"
#include "hv/abi/stats.h"
#include "hv/measure/histogram.h"
#include "hv/measure/trace.h"
#include "hv/x86/insn.h"

#define ACCOUNT(name) (EXIT_KIND_COUNT + ACCOUNT_##name)

/* What the measuring loop keeps per vCPU. */
struct measure {
    struct histogram by_kind[EXIT_KIND_COUNT];
};

/* The knob inject=KIND:TICKS, merged over all VMs that run here. */
struct account_inject {
    bool enabled;
    u64 ticks[ACCOUNT_TOTAL]; /* 0: none */
    u64 count[ACCOUNT_TOTAL]; /* how often it was applied */
};

struct account {
    u32 open;     /* the account that is running */
    u64 last;     /* TSC of the last stamp */
    u64 start;    /* TSC of the first stamp */
    u64 exit_sum; /* ticks charged to the exit being handled, over interruptions */
    u64 ticks[ACCOUNT_TOTAL];
    u64 count[ACCOUNT_TOTAL]; /* times an account was opened; exits for exit kinds */
    /* The exit being handled: where its histogram and trace record go. */
    struct measure *measure; /* NULL: plain loop */
    struct vcpu_stats *stats;
    struct trace_record record;
    bool tracing; /* the exit being handled leaves a trace record */
    struct trace trace;
    struct account_inject *inject; /* NULL: none */
};

/* Opens the first account at TSC now. */
void account_start(struct account *a, u32 open, u64 now);

/* Closes the open account at TSC now and opens another. */
void account_switch_at(struct account *a, u32 open, u64 now);

/* The same at this moment. Returns the account that was open, for account_switch back. */
u32 account_switch(struct account *a, u32 open);

/*
 * An exit of the measuring loop begins: at TSC entered the guest was entered (the open account ends
 * there and, when it is an exit, its histogram and trace record are written), at TSC left it was
 * left. The open account is then EXIT_UNKNOWN until account_exit_is() names it.
 */
void account_exit(struct account *a, u64 entered, u64 left);

/* The open exit's kind as far as it is known before it is handled. */
static inline void account_exit_seems(struct account *a, enum exit_kind kind)
{
    a->open = kind;
}

/* Names the exit being handled, and does its injected delay. */
void account_exit_is(struct account *a, enum exit_kind kind);

/* The exit being handled ends here without a guest entry (its vCPU is descheduled); opens another.
 */
void account_exit_end(struct account *a, u32 open);

/* Spins inside the open account when the knob says so for it. */
void account_inject(struct account *a, u32 account);

/* Sum over all accounts; equals last - start when the accounts close. */
u64 account_sum(const struct account *a);

const char *account_name(u32 account);

#endif
