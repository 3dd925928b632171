/* SPDX-License-Identifier: MIT */
/*
 * Panic. Trusts as little as it can: locks are ignored, the backtrace stays inside one stack slot,
 * a fault on the way ends it at once.
 */
#include "hv/host/panic.h"
#include "hv/abi/ports.h"
#include "hv/host/console.h"
#include "hv/host/console_sink.h"
#include "hv/host/irq.h"
#include "hv/host/layout.h"
#include "hv/host/log.h"
#include "hv/host/symbols.h"
#include "hv/lib/format.h"

#define BACKTRACE_MAX 24
#define LOG_TAIL      16

void (*panic_hook)(void);
void (*panic_stop_others)(void);

static u32 panic_cpu; /* id + 1 of the CPU that panicked first; 0: none */
static bool panic_nested;

static const char *const exception_names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,  "#TS",
    "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

static const char *const gpr_names[GPR_COUNT] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15",
};

bool panic_active(void)
{
    return __atomic_load_n(&panic_cpu, __ATOMIC_RELAXED) != 0;
}

void panic_halt(void)
{
    for (;;) {
        insn_cli();
        insn_hlt();
    }
}

void host_exit(u8 value)
{
    static const char bochs[] = "Shutdown";

    console_drain();
    if (debugcon_present()) {
        insn_out8(PORT_EXIT, value);
        insn_outs8(PORT_BOCHS_SHUTDOWN, bochs, sizeof(bochs) - 1);
    }
    panic_halt();
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
    char line[320];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(line, sizeof(line), fmt, ap);
    va_end(ap);
    console_write(CONSOLE_HV, line, MIN((size_t)n, sizeof(line) - 1));
}

/* This CPU's id, even when the stack pointer leads nowhere sensible. */
static u32 cpu_id(void)
{
    struct cpu *cpu = cpu_this();

    return cpu >= cpus && cpu < cpus + CPU_MAX ? cpu->id : 0;
}

/* Only the first CPU returns; a second panic of the same CPU ends the machine. */
static void begin(void)
{
    u32 nobody = 0, me = cpu_id() + 1;

    insn_cli();
    if (!__atomic_compare_exchange_n(&panic_cpu, &nobody, me, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        if (nobody != me)
            panic_halt();
        if (!panic_nested) {
            panic_nested = true;
            say("\ntollgate: panic within panic\n");
        }
        host_exit(HOST_EXIT_PANIC);
    }
    if (panic_stop_others)
        panic_stop_others();
    console_panic();
}

static void print_location(u64 rip, const char *doubt)
{
    u64 offset = 0;
    const char *name = symbols_find(rip, &offset);

    say("  %016llx %s+%#llx%s\n", (unsigned long long)rip, name ? name : "?",
        (unsigned long long)offset, doubt);
}

/* A function without a frame of its own leaves its caller's address on top of the stack. */
static void print_frameless_caller(u64 rsp, u64 low, u64 end)
{
    u64 offset, top;

    if (rsp < low || rsp >= end || rsp % 8)
        return;
    top = *(const u64 *)rsp;
    if (symbols_find(top, &offset))
        print_location(top - 1, " (perhaps)");
}

/* Follows saved frame pointers while they climb within one stack slot. */
static void print_backtrace(u64 rip, u64 rbp, u64 rsp)
{
    u64 end = (rsp | (CPU_STACK_SIZE - 1)) - STACK_RESERVED;
    u64 low = ALIGN_DOWN(rsp, CPU_STACK_SIZE) + PAGE_SIZE;
    const u64 *frame;
    u32 i;

    say("backtrace:\n");
    print_location(rip, "");
    print_frameless_caller(rsp, low, end);
    for (i = 0; i < BACKTRACE_MAX && rbp >= low && rbp < end && rbp % 8 == 0; i++) {
        frame = (const u64 *)rbp;
        if (!frame[1])
            break;
        /* The call may be the function's last instruction: look inside it. */
        print_location(frame[1] - 1, "");
        low = rbp + 16;
        rbp = frame[0];
    }
}

static void print_registers(const struct irq_frame *f)
{
    u32 i;

    for (i = 0; i < GPR_COUNT; i++)
        say("  %s %016llx%s", gpr_names[i], (unsigned long long)f->gpr[i], i % 4 == 3 ? "\n" : "");
    say("  rip %016llx  rflags %08llx  cs %04llx  ss %04llx  error %llx\n",
        (unsigned long long)f->rip, (unsigned long long)f->rflags, (unsigned long long)f->cs,
        (unsigned long long)f->ss, (unsigned long long)f->error);
}

static void print_control_registers(void)
{
    say("  cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx\n", (unsigned long long)insn_read_cr0(),
        (unsigned long long)insn_read_cr2(), (unsigned long long)insn_read_cr3(),
        (unsigned long long)insn_read_cr4());
}

__attribute__((noreturn)) static void finish(u64 rip, u64 rbp, u64 rsp)
{
    print_control_registers();
    print_backtrace(rip, rbp, rsp);
    if (panic_hook)
        panic_hook();
    say("last log messages:\n");
    log_dump_tail(LOG_TAIL);
    host_exit(HOST_EXIT_PANIC);
}

void panic(const char *fmt, ...)
{
    const u64 *frame = __builtin_frame_address(0);
    static char text[256];
    va_list ap;

    begin();
    va_start(ap, fmt);
    fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);
    say("\ntollgate: panic on CPU %u: %s\n", cpu_id(), text);
    finish(frame[1] - 1, frame[0], (u64)frame);
}

void panic_exception(const struct irq_frame *f)
{
    const char *name = exception_names[f->vector];

    begin();
    say("\ntollgate: panic on CPU %u: unexpected exception %llu (%s)\n", cpu_id(),
        (unsigned long long)f->vector, name ? name : "reserved");
    print_registers(f);
    finish(f->rip, f->gpr[GPR_RBP], f->rsp);
}
