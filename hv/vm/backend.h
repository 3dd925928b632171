/* SPDX-License-Identifier: MIT */
/*
 * The line between the vendor-blind core and a virtualization backend (svm/, vmx/). Everything
 * above it works on guest architecture; everything below on VMCBs or VMCSs.
 */
#ifndef HV_VM_BACKEND_H
#define HV_VM_BACKEND_H

#include "hv/vm/vm.h"

/* Registers a backend keeps. */
enum vreg {
    VREG_RIP,
    VREG_RFLAGS,
    VREG_CR0,
    VREG_CR2,
    VREG_CR3,
    VREG_CR4,
    VREG_CR8,
    VREG_EFER,
    VREG_DR6,
    VREG_DR7,
    VREG_PAT,
    VREG_FS_BASE,
    VREG_GS_BASE,
    VREG_KERNEL_GS_BASE,
    VREG_STAR,
    VREG_LSTAR,
    VREG_CSTAR,
    VREG_SFMASK,
    VREG_SYSENTER_CS,
    VREG_SYSENTER_ESP,
    VREG_SYSENTER_EIP,
    VREG_COUNT
};

enum vseg {
    VSEG_ES,
    VSEG_CS,
    VSEG_SS,
    VSEG_DS,
    VSEG_FS,
    VSEG_GS,
    VSEG_GDTR,
    VSEG_LDTR,
    VSEG_IDTR,
    VSEG_TR,
    VSEG_COUNT
};

/* Segment attributes as in a descriptor's bytes 5 and 6: type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9,
 * D/B 10, G 11. */
#define SEG_ATTR_S  BIT(4)
#define SEG_ATTR_P  BIT(7)
#define SEG_ATTR_L  BIT(9)
#define SEG_ATTR_DB BIT(10)
#define SEG_ATTR_G  BIT(11)

struct segment {
    u16 selector;
    u16 attr;
    u32 limit;
    u64 base;
};

/* A slow exit, decoded as far as the hardware told. */
struct exit {
    u8 kind;   /* enum exit_kind */
    u8 length; /* of the instruction, 0: not told */
    union {
        struct {
            u16 port;
            u8 size;
            bool in;
            bool string;
        } pio;
        struct {
            u32 index;
            bool write;
        } msr;
        struct {
            gpa_t gpa;
            bool write;
            bool fetch;
            bool present; /* a mapping exists but forbids the access */
            bool table;   /* while walking the guest's own page tables */
        } fault;
        struct {
            u8 vector;
            bool has_error;
            u32 error;
            u64 address; /* #PF: what CR2 shall hold */
        } exception;
        struct {
            u8 number; /* 0, 3, 4, 8 */
            bool write;
        } cr;
    };
    u64 code; /* the hardware's own exit code, for messages */
    u64 info1, info2;
};

struct backend {
    const char *name;
    /* NULL when this CPU can run guests, else why not, for people. */
    const char *(*probe)(void);
    /* Makes the calling CPU able to run guests. 0 or negative (logged). */
    int (*cpu_enable)(struct cpu *cpu);
    int (*vm_create)(struct vm *vm);
    void (*vm_destroy)(struct vm *vm);
    /* A vCPU in the state after RESET. NULL: no memory. */
    struct vcpu *(*vcpu_create)(struct vm *vm, u32 id);
    void (*vcpu_destroy)(struct vcpu *v);
    /* Nested mapping of 2^order pages, readable, writable and executable. 0 or -HV_ENOMEM. */
    int (*map)(struct vm *vm, gpa_t gpa, hpa_t hpa, u32 order);
    /* This CPU will run v next, another vCPU before it. hv/vm/switch.c has loaded the rest. */
    void (*load)(struct vcpu *v);
    /*
     * Runs the guest until an exit needs the core. Between run and leave the CPU takes no
     * interrupt; the core calls leave before it does anything else with the CPU.
     */
    void (*run)(struct vcpu *v, struct exit *e);
    void (*leave)(struct vcpu *v);
    u64 (*get)(struct vcpu *v, enum vreg r);
    void (*set)(struct vcpu *v, enum vreg r, u64 value);
    void (*get_segment)(struct vcpu *v, enum vseg s, struct segment *out);
    void (*set_segment)(struct vcpu *v, enum vseg s, const struct segment *in);
    u8 (*cpl)(struct vcpu *v);
    /* Steps over an instruction of the given length: RIP, interrupt shadow, TF. */
    void (*advance)(struct vcpu *v, u32 length);
    /* Length of the instruction at RIP that just exited; 0 when it cannot be read. */
    u32 (*length)(struct vcpu *v);
    /* Can a maskable interrupt be injected at the next entry? */
    bool (*interruptible)(struct vcpu *v);
    void (*inject)(struct vcpu *v, const struct event *e);
    /* Wants an EXIT_WINDOW as soon as the guest can take an interrupt; or no longer. */
    void (*window)(struct vcpu *v, bool open);
    /* Forgets cached guest translations (guest changed paging through an intercept). */
    void (*flush)(struct vcpu *v);
    /* Prints the hardware's own structure to the log. */
    void (*dump)(struct vcpu *v);
    /* Instructions between the guest and the two stamps of the measuring loop: before the first,
     * after the second. */
    u32 residue_in, residue_out;
    /* Enumerates features for the host record: the i-th name, NULL at the end. */
    const char *(*feature)(u32 i);
};

/* The backend this machine uses; set once by hv/main.c. */
extern const struct backend *backend;

#endif
