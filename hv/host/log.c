/* SPDX-License-Identifier: MIT */
/*
 * The log. Each message goes to the console as one line and into the ring, whose slots are claimed
 * by one atomic addition, so that any context may log. The ring cuts long messages off.
 */
#include "hv/host/log.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/lib/format.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"

#define LOG_LINE  512
#define LOG_SLOTS 128 /* of 128 bytes: 16 KiB */
#define LOG_TEXT  112

struct log_entry {
    u64 tsc; /* ticks */
    u32 cpu;
    u32 level;
    char text[LOG_TEXT];
};

enum log_level log_console_level = LOG_INFO;

static struct log_entry log_ring[LOG_SLOTS];
static u32 log_next; /* messages ever logged; slot of message i is i % LOG_SLOTS */

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_prefixes[] = {"error: ", "warning: ", "", "debug: "};

void log_init(const struct boot_info *bi)
{
    char name[16];
    u32 i;

    if (!boot_option(bi, "loglevel", name, sizeof(name)))
        return;
    for (i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            log_console_level = i;
            return;
        }
    }
    log_error("loglevel=%s: not one of error, warn, info, debug", name);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    struct log_entry *e;
    char text[LOG_LINE], line[LOG_LINE + 32];
    va_list ap;

    va_start(ap, fmt);
    fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);

    e = &log_ring[__atomic_fetch_add(&log_next, 1, __ATOMIC_RELAXED) % LOG_SLOTS];
    e->tsc = insn_rdtsc();
    e->cpu = cpu_this()->id;
    e->level = level;
    str_copy(e->text, LOG_TEXT, text);

    if (level <= log_console_level)
        console_write(
            CONSOLE_HV, line,
            (size_t)fmt_print(line, sizeof(line), "tollgate: %s%s\n", level_prefixes[level], text));
}

void log_dump_tail(u32 lines)
{
    u32 end = __atomic_load_n(&log_next, __ATOMIC_RELAXED);
    u32 i = end - MIN(MIN(lines, LOG_SLOTS), end);
    struct log_entry *e;
    char line[LOG_TEXT + 64];
    int n;

    for (; i != end; i++) {
        e = &log_ring[i % LOG_SLOTS];
        n = fmt_print(line, sizeof(line), "  %12llu cpu%u %s%.*s\n", (unsigned long long)e->tsc,
                      e->cpu, level_prefixes[e->level], LOG_TEXT, e->text);
        console_write(CONSOLE_HV, line, (size_t)n);
    }
}
