/* SPDX-License-Identifier: MIT */
/*
 * What this payload runs on, from CPUID: the hypervisor bit and the signature in leaf 0x40000000.
 */
#ifndef GUEST_CRT_PLATFORM_H
#define GUEST_CRT_PLATFORM_H

#include <stdbool.h>

enum platform {
    PLATFORM_NATIVE, /* silicon, or an emulator that interprets everything (QEMU TCG, Bochs) */
    PLATFORM_TOLLGATE,
    PLATFORM_KVM,
    PLATFORM_XEN,
    PLATFORM_OTHER,
};

/* Asks CPUID the first time only. */
enum platform platform_get(void);

/* "native", "tollgate", "kvm", "xen" or "unknown-hypervisor". */
const char *platform_name(void);

/* A local APIC that CPUID shows and APIC_BASE enables. */
bool platform_has_lapic(void);

/* Hypercalls are VMCALL, not VMMCALL: by Tollgate's flag, elsewhere by the processor's vendor. */
bool platform_uses_vmcall(void);

#endif
