/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls. A guest that wants them executes VMMCALL (AMD-V) or VMCALL (VT-x) with the number in
 * RAX and arguments in RDI, RSI, RDX; the result returns in RAX, all other registers are kept. A
 * negative result is a negated hv/lib/err.h number. From CPL 3 the instruction raises #UD. Present
 * when CPUID leaf 0x40000000 returns the signature below; no guest needs any of them.
 */
#ifndef HV_ABI_HYPERCALL_H
#define HV_ABI_HYPERCALL_H

#define HYPERCALL_CPUID_LEAF 0x40000000u
#define HYPERCALL_SIGNATURE  "TollgateTlgt" /* EBX, ECX, EDX */

/* Leaf 0x40000001. EAX: ABI version; EBX: the flags below. */
#define HYPERCALL_ABI_VERSION                 1u
#define HYPERCALL_FLAG_TICKS_ARE_INSTRUCTIONS (1u << 0)
#define HYPERCALL_FLAG_MEASURED               (1u << 1) /* this VM runs in the measuring loop */
#define HYPERCALL_FLAG_VMCALL                 (1u << 2) /* use VMCALL; clear: VMMCALL */

enum hypercall {
    HYPERCALL_NULL = 0,  /* () -> 0: the shortest way in and out */
    HYPERCALL_VM_ID = 1, /* () -> index of the calling VM << 32 | index of the vCPU */
    HYPERCALL_STATS = 2, /* (gpa) -> 0: places the struct vcpu_stats page (4 KiB aligned) there */
    HYPERCALL_VCPU_START =
        3, /* (vcpu, rip, rsp) -> 0: starts a vCPU with the caller's CRs, segments */
    HYPERCALL_ZERO_INLINE = 4, /* (0 or 1) -> old: later first touches skip the pre-zeroed pool */
    HYPERCALL_DRAIN = 5,       /* () -> 0: lets buffered console output leave now */
    HYPERCALL_POWEROFF = 6,    /* (): ends the VM as an orderly power-off */
    HYPERCALL_IRQ = 7, /* (vector) -> 0: interrupt to the calling vCPU, taken when IF allows */
    HYPERCALL_COUNT
};

#endif
