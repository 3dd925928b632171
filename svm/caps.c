/* SPDX-License-Identifier: MIT */
/*
 * Detecting AMD-V and its extensions.
 */
#include "svm/caps.h"

#include "hv/host/irq.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"
#include "hv/x86/msr.h"

#define LEAF_SVM        0x8000000au
#define LEAF_HYPERVISOR 0x40000000u

#define EXTENDED1_ECX_SVM      BIT(2)
#define EXTENDED1_EDX_1G       BIT(26)
#define SVM_EDX_NPT            BIT(0)
#define SVM_EDX_SVML           BIT(2)
#define SVM_EDX_NRIPS          BIT(3)
#define SVM_EDX_CLEAN          BIT(5)
#define SVM_EDX_FLUSH_BY_ASID  BIT(6)
#define SVM_EDX_DECODE_ASSISTS BIT(7)
#define SVM_EDX_PAUSE_FILTER   BIT(10)
#define EXTENDED7_ECX_PKU      BIT(3)
#define EXTENDED7_ECX_LA57     BIT(16)

struct svm_caps svm_caps;

/* QEMU without an accelerator. */
static bool on_tcg(void)
{
    struct cpuid_regs r = insn_cpuid(LEAF_HYPERVISOR, 0);

    return insn_cpuid(1, 0).ecx >> 31 && memcmp(&r.ebx, "TCGTCGTCGTCG", 12) == 0;
}

const char *svm_caps_probe(void)
{
    struct svm_caps *c = &svm_caps;
    struct cpuid_regs r;
    u64 vm_cr;

    if (insn_cpuid(0x80000000u, 0).eax < LEAF_SVM)
        return "this processor has no AMD-V (no CPUID leaf 8000000A)";
    r = insn_cpuid(0x80000001u, 0);
    if (!(r.ecx & EXTENDED1_ECX_SVM))
        return "this processor has no AMD-V (CPUID 8000_0001 ECX.SVM is clear)";
    c->pages_1g = r.edx & EXTENDED1_EDX_1G;
    r = insn_cpuid(LEAF_SVM, 0);
    if (msr_read_safe(MSR_VM_CR, &vm_cr) == 0 && vm_cr & VM_CR_SVMDIS)
        return r.edx & SVM_EDX_SVML
                   ? "AMD-V is disabled by firmware and locked (VM_CR.SVMDIS, SVML)"
                   : "AMD-V is disabled by firmware (VM_CR.SVMDIS)";
    c->revision = r.eax & 0xff;
    c->asids = r.ebx;
    c->npt = r.edx & SVM_EDX_NPT;
    c->nrip = r.edx & SVM_EDX_NRIPS;
    c->clean_bits = r.edx & SVM_EDX_CLEAN;
    c->flush_by_asid = r.edx & SVM_EDX_FLUSH_BY_ASID;
    c->decode_assists = r.edx & SVM_EDX_DECODE_ASSISTS;
    c->pause_filter = r.edx & SVM_EDX_PAUSE_FILTER;
    if (insn_cpuid(0, 0).eax >= 7) {
        r = insn_cpuid(7, 0);
        c->la57 = r.ecx & EXTENDED7_ECX_LA57;
        c->pku = r.ecx & EXTENDED7_ECX_PKU;
    }
    c->repeats_interrupts = on_tcg();
    if (!c->npt)
        return "this processor's AMD-V has no nested paging, and shadow paging is not offered";
    if (c->asids < 2)
        return "this processor's AMD-V offers no ASID for guests";
    return NULL;
}

const char *svm_caps_feature(u32 i)
{
    const struct svm_caps *c = &svm_caps;
    const struct {
        const char *name;
        bool present;
    } all[] = {
        {"npt", c->npt},
        {"nrips", c->nrip},
        {"clean_bits", c->clean_bits},
        {"flush_by_asid", c->flush_by_asid},
        {"decode_assists", c->decode_assists},
        {"pause_filter", c->pause_filter},
        {"pages_1g", c->pages_1g},
    };
    u32 j;

    for (j = 0; j < ARRAY_SIZE(all); j++)
        if (all[j].present && i-- == 0)
            return all[j].name;
    return NULL;
}
