/* SPDX-License-Identifier: MIT */
/*
 * What a VMCB holds for all its life: intercepts, permission maps, the state after RESET.
 */
#include "svm/setup.h"

#include "hv/lib/string.h"
#include "svm/caps.h"

/* What a guest could harm the host or other guests with, or see what it must not. */
#define MISC1_ALWAYS                                                                               \
    (INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI | INTERCEPT_INIT | INTERCEPT_CPUID |           \
     INTERCEPT_RDPMC | INTERCEPT_RSM | INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA |        \
     INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN)
#define MISC2_ALWAYS                                                                               \
    (INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE | INTERCEPT_STGI |  \
     INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_ICEBP | INTERCEPT_WBINVD | INTERCEPT_MONITOR |  \
     INTERCEPT_MWAIT | INTERCEPT_MWAIT_ARMED | INTERCEPT_XSETBV | INTERCEPT_RDPRU)
/* An endless chain of #DB or #AC inside event delivery would keep the CPU from ever exiting. */
#define EXCEPTIONS_ALWAYS (BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC))
/* With the knob: all but INT3, INTO and #DF, whose return address or chain needs the hardware; one
 * emulator's #BP intercept would miss INT3 besides. */
#define EXCEPTIONS_ALL                                                                             \
    (0x003fffffu & ~(BIT(VECTOR_BP) | BIT(VECTOR_OF) | BIT(VECTOR_DF) | BIT(VECTOR_NMI)))

#define PAT_RESET 0x0007040600070406ull

static void set_intercepts(struct vmcb *b, const struct vm_config *c)
{
    b->intercept_misc1 = MISC1_ALWAYS;
    b->intercept_misc2 = MISC2_ALWAYS;
    b->intercept_exceptions = EXCEPTIONS_ALWAYS;
    /* 5-level paging and protection keys are not offered; where the CPU has one, CR4 is watched. */
    if (svm_caps.la57 || svm_caps.pku || c->intercept & VM_INTERCEPT_CR4)
        b->intercept_cr |= INTERCEPT_CR_WRITE(4);
    if (c->intercept & VM_INTERCEPT_CR4)
        b->intercept_cr |= INTERCEPT_CR_READ(4);
    if (c->intercept & VM_INTERCEPT_CR0)
        b->intercept_cr |= INTERCEPT_CR_READ(0) | INTERCEPT_CR_WRITE(0);
    if (c->intercept & VM_INTERCEPT_CR3)
        b->intercept_cr |= INTERCEPT_CR_READ(3) | INTERCEPT_CR_WRITE(3);
    if (c->intercept & VM_INTERCEPT_CR8)
        b->intercept_cr |= INTERCEPT_CR_READ(8) | INTERCEPT_CR_WRITE(8);
    if (c->intercept & VM_INTERCEPT_INVLPG)
        b->intercept_misc1 |= INTERCEPT_INVLPG;
    if (c->intercept & VM_INTERCEPT_RDTSC)
        b->intercept_misc1 |= INTERCEPT_RDTSC;
    if (c->intercept & VM_INTERCEPT_PAUSE)
        b->intercept_misc1 |= INTERCEPT_PAUSE;
    if (c->intercept & VM_INTERCEPT_EXCEPTIONS)
        b->intercept_exceptions |= EXCEPTIONS_ALL;
}

/* AMD64 APM volume 2, "Processor Initialization State". */
static void set_reset_state(struct vmcb *b)
{
    struct vmcb_segment data = {.attr = SEG_ATTR_P | SEG_ATTR_S | 3, .limit = 0xffff};
    struct vmcb_segment code = {.selector = 0xf000,
                                .attr = SEG_ATTR_P | SEG_ATTR_S | 0xb,
                                .limit = 0xffff,
                                .base = 0xffff0000u};

    b->cs = code;
    b->ds = b->es = b->ss = b->fs = b->gs = data;
    b->gdtr.limit = b->idtr.limit = 0xffff;
    b->ldtr = (struct vmcb_segment){.attr = SEG_ATTR_P | 2, .limit = 0xffff};
    b->tr = (struct vmcb_segment){.attr = SEG_ATTR_P | 0xb, .limit = 0xffff};
    b->rip = 0xfff0;
    b->rflags = RFLAGS_ONE;
    b->cr0 = CR0_ET;
    b->efer = EFER_SVME; /* VMRUN demands it; guests see it clear */
    b->dr6 = DR6_RESET;
    b->dr7 = DR7_RESET;
    b->g_pat = PAT_RESET;
}

void svm_setup(struct svm_vcpu *s, const struct svm_vm *maps)
{
    const struct vm *vm = s->base.vm;
    struct vmcb *b = &s->vmcb;

    set_intercepts(b, &vm->config);
    b->iopm_base = (hpa_t)maps->iopm;
    b->msrpm_base = (hpa_t)maps->msrpm;
    b->vint_ctl = VINT_INTR_MASKING;
    b->np_control = NP_ENABLE;
    b->n_cr3 = vm->nested_root;
    set_reset_state(b);
    s->use_nrip = svm_caps.nrip && vm->config.nrip;
    length_forget(&s->lengths);
}

/* Two bits for each MSR of three ranges of 8192: read, write. AMD64 APM volume 2, "MSR
 * Intercepts". */
static void allow_msr(u8 *msrpm, u32 index)
{
    static const u32 ranges[] = {0, 0xc0000000u, 0xc0010000u};
    u32 i;

    for (i = 0; i < ARRAY_SIZE(ranges); i++)
        if (index - ranges[i] < 0x2000) {
            u32 bit = (index - ranges[i]) * 2;

            msrpm[i * 0x800 + bit / 8] &= (u8) ~(3u << bit % 8);
        }
}

void svm_setup_maps(struct svm_vm *maps, const struct vm_config *c)
{
    u32 i, index;

    memset(maps->iopm, 0xff, SVM_IOPM_SIZE);
    memset(maps->msrpm, 0xff, SVM_MSRPM_SIZE);
    if (c->intercept & VM_INTERCEPT_MSR)
        return;
    for (i = 0; (index = msr_passthrough(i)); i++)
        allow_msr(maps->msrpm, index);
}
