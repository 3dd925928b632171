/* SPDX-License-Identifier: MIT */
/*
 * What a VM shall be: the manifest in binary form. hv/load/manifest.c fills it in, vm_create reads
 * it; every knob of a VM is a field here and a key in hv/load's key table, nowhere else.
 */
#ifndef HV_VM_CONFIG_H
#define HV_VM_CONFIG_H

#include "hv/abi/exits.h"
#include "hv/lib/types.h"

#define VM_MAX         16
#define VM_MAX_VCPUS   64
#define VM_MAX_MODULES 8
#define VM_NAME        32
#define VM_TEXT        1024
#define VM_MAX_INJECTS 4
#define VM_MIN_MEMORY  (1 * MIB)
#define VM_MAX_MEMORY  (1024 * GIB)
#define VM_LOW_TOP     (3 * GIB) /* guest-physical; devices live from here to VM_HIGH_BASE */
#define VM_HIGH_BASE   (4 * GIB)
#define VM_MAX_RANGES  2

enum vm_format { VM_FORMAT_AUTO, VM_FORMAT_MULTIBOOT, VM_FORMAT_RAW };
enum vm_start { VM_START_REAL, VM_START_PROTECTED, VM_START_LONG };
enum vm_loop { VM_LOOP_PLAIN, VM_LOOP_MEASURE };
enum vm_fill { VM_FILL_TOUCH, VM_FILL_BOOT };        /* when guest memory gets its pages */
enum vm_zero { VM_ZERO_POOL, VM_ZERO_INLINE };       /* where a touched page's zeroes come from */
enum vm_page { VM_PAGE_4K, VM_PAGE_2M, VM_PAGE_1G }; /* largest nested mapping */

struct vm_module {
    hpa_t start;
    hpa_t end;
    char cmdline[VM_TEXT]; /* as the guest sees it */
};

struct vm_inject {
    u32 account; /* exit kind, or EXIT_KIND_COUNT + account kind */
    u64 ticks;
};

struct vm_config {
    char name[VM_NAME];
    u64 memory; /* bytes; multiple of 4 KiB */
    u32 vcpus;
    u64 cpu_mask; /* physical CPUs its vCPUs may run on; 0: all */
    hpa_t image_start;
    hpa_t image_end;
    char image_name[VM_NAME];
    char cmdline[VM_TEXT];
    u32 nr_modules;
    struct vm_module modules[VM_MAX_MODULES];
    enum vm_format format;
    gpa_t load;          /* raw images only */
    gpa_t entry;         /* raw images only; default: load */
    enum vm_start start; /* raw images only */
    /* Knobs. */
    enum vm_loop loop;
    enum vm_fill fill;
    enum vm_zero zero;
    enum vm_page page;
    u64 quantum_us;  /* time slice when others want the CPU */
    bool hypercalls; /* offer hv/abi/hypercall.h and its CPUID leaf */
    bool trace;      /* keep trace records (measuring loop) */
    bool nrip;       /* false: decode lengths even where the CPU gives the next RIP */
    bool asid;       /* false: flush the TLB at every entry */
    bool clean_bits; /* false: never promise the CPU unchanged VMCB fields */
    u32 intercept;   /* enum vm_intercept bits beyond what safety needs */
    u32 nr_injects;
    struct vm_inject injects[VM_MAX_INJECTS];
};

/* Intercepts a manifest may add, to price them. */
enum vm_intercept {
    VM_INTERCEPT_CR0 = 1 << 0,
    VM_INTERCEPT_CR3 = 1 << 1,
    VM_INTERCEPT_CR4 = 1 << 2,
    VM_INTERCEPT_CR8 = 1 << 3,
    VM_INTERCEPT_INVLPG = 1 << 4,
    VM_INTERCEPT_RDTSC = 1 << 5,
    VM_INTERCEPT_PAUSE = 1 << 6,
    VM_INTERCEPT_MSR = 1 << 7, /* every MSR */
    VM_INTERCEPT_EXCEPTIONS = 1 << 8,
};

/* The whole machine: what the manifest says besides its VMs. */
struct machine_config {
    u32 nr_vms;
    struct vm_config vms[VM_MAX];
    u32 pool_pages;    /* pre-zeroed 4 KiB pages kept for first touches */
    u32 trace_records; /* size of each CPU's trace ring */
};

/* A piece of guest-physical memory; bytes. */
struct vm_range {
    gpa_t base;
    u64 size;
};

/* Sets every field of *c to its default; name, image and memory stay empty. */
void vm_config_default(struct vm_config *c);

/* Sets every field of *m to its default: no VM yet. */
void machine_config_default(struct machine_config *m);

/*
 * Where a VM's memory bytes lie in its physical address space: from 0 up to at most VM_LOW_TOP, the
 * rest from VM_HIGH_BASE. Fills out in ascending order and returns how many ranges there are (0 for
 * memory = 0).
 */
u32 vm_layout(u64 memory, struct vm_range out[VM_MAX_RANGES]);

/* True when [gpa, gpa + size) lies wholly in one of the ranges of vm_layout(memory). */
bool vm_layout_holds(u64 memory, gpa_t gpa, u64 size);

#endif
