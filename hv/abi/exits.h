/* SPDX-License-Identifier: MIT */
/*
 * The kinds of exit, vendor-blind, as one list. A backend maps its exit codes to these; exit
 * counts, histograms, accounts, the manifest's "inject" knob and the tools all use the same names.
 */
#ifndef HV_ABI_EXITS_H
#define HV_ABI_EXITS_H

/* X(NAME, "name", "what it is") */
#define EXIT_KINDS(X)                                                                              \
    X(CPUID, "cpuid", "CPUID")                                                                     \
    X(HYPERCALL, "hypercall", "VMMCALL or VMCALL")                                                 \
    X(RDMSR, "rdmsr", "intercepted RDMSR")                                                         \
    X(WRMSR, "wrmsr", "intercepted WRMSR")                                                         \
    X(PIO_IN, "pio_in", "port read, device present")                                               \
    X(PIO_OUT, "pio_out", "port write, device present")                                            \
    X(PIO_ABSENT, "pio_absent", "port access nobody claims")                                       \
    X(PIO_STRING, "pio_string", "INS or OUTS")                                                     \
    X(MMIO, "mmio", "access to guest-physical address without memory")                             \
    X(FILL, "fill", "first touch of guest memory, page from the pre-zeroed pool")                  \
    X(FILL_ZERO, "fill_zero", "first touch of guest memory, page zeroed in line")                  \
    X(CR_READ, "cr_read", "intercepted control-register read")                                     \
    X(CR_WRITE, "cr_write", "intercepted control-register write")                                  \
    X(DR, "dr", "intercepted debug-register access")                                               \
    X(INVLPG, "invlpg", "intercepted INVLPG or INVPCID")                                           \
    X(WBINVD, "wbinvd", "WBINVD or INVD")                                                          \
    X(HLT, "hlt", "HLT")                                                                           \
    X(PAUSE, "pause", "PAUSE filter or exiting")                                                   \
    X(XSETBV, "xsetbv", "XSETBV")                                                                  \
    X(RDTSC, "rdtsc", "intercepted RDTSC or RDTSCP")                                               \
    X(RDPMC, "rdpmc", "RDPMC")                                                                     \
    X(EXCEPTION, "exception", "intercepted guest exception")                                       \
    X(INTERRUPT, "interrupt", "physical interrupt")                                                \
    X(NMI, "nmi", "physical NMI")                                                                  \
    X(WINDOW, "window", "interrupt or NMI window opened")                                          \
    X(IRET, "iret", "IRET, end of NMI blocking")                                                   \
    X(VIRT_INSN, "virt_insn", "guest executed a VMX, SVM, MONITOR or similar instruction")         \
    X(TASK_SWITCH, "task_switch", "hardware task switch")                                          \
    X(SHUTDOWN, "shutdown", "triple fault or shutdown")                                            \
    X(ENTRY_FAIL, "entry_fail", "VM entry refused by the processor")                               \
    X(UNKNOWN, "unknown", "exit code that no handler claims")

enum exit_kind {
#define EXIT_KIND_ENUM(name, text, help) EXIT_##name,
    EXIT_KINDS(EXIT_KIND_ENUM)
#undef EXIT_KIND_ENUM
        EXIT_KIND_COUNT
};

/* Where a physical CPU's time goes besides the exit kinds. Y(NAME, "name", "what it is") */
#define ACCOUNT_KINDS(Y)                                                                           \
    Y(GUEST, "guest", "guest code and the hardware transition, measuring loop")                    \
    Y(PLAIN, "plain", "guest code with its exits, plain loop: not split")                          \
    Y(SWITCH, "switch", "world switch: saving and loading vCPU state")                             \
    Y(SCHED, "sched", "choosing what runs next, and timers")                                       \
    Y(IDLE, "idle", "no vCPU runnable")                                                            \
    Y(IRQ, "irq", "handling physical interrupts")                                                  \
    Y(DRAIN, "drain", "draining console buffers")

enum account_kind {
#define ACCOUNT_KIND_ENUM(name, text, help) ACCOUNT_##name,
    ACCOUNT_KINDS(ACCOUNT_KIND_ENUM)
#undef ACCOUNT_KIND_ENUM
        ACCOUNT_KIND_COUNT
};

/* One account per exit kind, then one per account kind. */
#define ACCOUNT_TOTAL (EXIT_KIND_COUNT + ACCOUNT_KIND_COUNT)

#endif
