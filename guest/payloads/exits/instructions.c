/* SPDX-License-Identifier: MIT */
/*
 * The empty pair, CPUID, the hypercall that does nothing, and model-specific registers.
 */
#include "guest/payloads/exits/benches.h"

#include "guest/crt/hypercall.h"
#include "guest/crt/insn.h"

#define MSR_APIC_BASE      0x1bu       /* a hypervisor must intercept it */
#define MSR_KERNEL_GS_BASE 0xc0000102u /* it may pass it through */
#define MSR_EFER           0xc0000080u

BENCH_OP(op_empty, "")
BENCH_OP(op_cpuid, "cpuid")
BENCH_OP(op_cpuid_66_66, ".byte 0x66, 0x66, 0x0f, 0xa2")
BENCH_OP(op_vmmcall, "vmmcall")
BENCH_OP(op_vmcall, "vmcall")
BENCH_OP(op_rdmsr, "rdmsr")
/* RDTSC left the stamp's high half in EDX; the values written have 0 there. */
BENCH_OP(op_wrmsr, "xorl %%edx, %%edx\n\twrmsr")

static const char *setup_hypercall(struct bench *b, struct bench_count *count)
{
    (void)count;
    if (platform_get() == PLATFORM_NATIVE)
        return "no hypervisor to call";
    b->op = platform_uses_vmcall() ? op_vmcall : op_vmmcall;
    b->regs.rax = HYPERCALL_NULL;
    return NULL;
}

/* b->regs.rcx is the register; what is written is what it holds. */
static const char *setup_wrmsr(struct bench *b, struct bench_count *count)
{
    uint64_t value = insn_rdmsr((uint32_t)b->regs.rcx);

    (void)count;
    b->regs.rax = (uint32_t)value;
    return value >> 32 ? "the register's high half is in use" : NULL;
}

static struct bench table[] = {
    {.name = "exit.empty", .op = op_empty},
    {.name = "exit.cpuid", .op = op_cpuid},
    {.name = "exit.cpuid_66_66", .op = op_cpuid_66_66},
    {.name = "exit.hypercall", .setup = setup_hypercall},
    {.name = "exit.rdmsr", .op = op_rdmsr, .regs.rcx = MSR_APIC_BASE},
    {.name = "exit.rdmsr_pass", .op = op_rdmsr, .regs.rcx = MSR_KERNEL_GS_BASE},
    {.name = "exit.wrmsr", .op = op_wrmsr, .setup = setup_wrmsr, .regs.rcx = MSR_EFER},
    {.name = "exit.wrmsr_pass",
     .op = op_wrmsr,
     .setup = setup_wrmsr,
     .regs.rcx = MSR_KERNEL_GS_BASE},
};
BENCH_GROUP(instruction_benches, table);
