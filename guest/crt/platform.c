/* SPDX-License-Identifier: MIT */
/*
 * Platform detection. Source: AMD64 APM volume 3, "Obtaining Processor Information Via the CPUID
 * Instruction"; the hypervisors' own documents for their signatures.
 */
#include "guest/crt/platform.h"

#include <stddef.h>
#include <string.h>

#include "guest/crt/insn.h"
#include "hv/abi/hypercall.h"

#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_1_EDX_APIC       (1u << 9)
#define MSR_APIC_BASE          0x1bu
#define APIC_BASE_ENABLE       (1u << 11)

static const struct {
    char signature[13];
    enum platform platform;
} signatures[] = {
    {HYPERCALL_SIGNATURE, PLATFORM_TOLLGATE},
    {"KVMKVMKVM", PLATFORM_KVM},
    {"XenVMMXenVMM", PLATFORM_XEN},
    {"TCGTCGTCGTCG", PLATFORM_NATIVE}, /* QEMU interpreting: no hypervisor below */
};

static enum platform platform_detect(void)
{
    struct cpuid_regs r = insn_cpuid(1, 0);
    char text[13] = "";

    if (!(r.ecx & CPUID_1_ECX_HYPERVISOR))
        return PLATFORM_NATIVE;
    r = insn_cpuid(HYPERCALL_CPUID_LEAF, 0);
    memcpy(text, &r.ebx, 4);
    memcpy(text + 4, &r.ecx, 4);
    memcpy(text + 8, &r.edx, 4);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        if (!strcmp(text, signatures[i].signature))
            return signatures[i].platform;
    }
    return PLATFORM_OTHER;
}

enum platform platform_get(void)
{
    static bool known;
    static enum platform platform;

    if (!known)
        platform = platform_detect();
    known = true;
    return platform;
}

const char *platform_name(void)
{
    static const char *const names[] = {
        [PLATFORM_NATIVE] = "native",
        [PLATFORM_TOLLGATE] = "tollgate",
        [PLATFORM_KVM] = "kvm",
        [PLATFORM_XEN] = "xen",
        [PLATFORM_OTHER] = "unknown-hypervisor",
    };

    return names[platform_get()];
}

bool platform_has_lapic(void)
{
    return (insn_cpuid(1, 0).edx & CPUID_1_EDX_APIC) &&
           (insn_rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE);
}

/* AMD's processors and those that share their virtualization instructions. */
static bool vendor_is_amd(void)
{
    uint32_t ebx = insn_cpuid(0, 0).ebx;

    return ebx == 0x68747541 || ebx == 0x6f677948; /* "Auth"enticAMD, "Hygo"nGenuine */
}

bool platform_uses_vmcall(void)
{
    static bool known, vmcall;

    if (known)
        return vmcall;
    if (platform_get() == PLATFORM_TOLLGATE)
        vmcall = insn_cpuid(HYPERCALL_CPUID_LEAF + 1, 0).ebx & HYPERCALL_FLAG_VMCALL;
    else
        vmcall = !vendor_is_amd();
    known = true;
    return vmcall;
}
