/* SPDX-License-Identifier: MIT */
/*
 * Saving and loading what the processor does not switch with the guest. Source: AMD64 APM volume
 * 2, "Saving Media and x87 State"; Intel SDM volume 1, "Managing State Using the XSAVE Feature
 * Set".
 */
#include "hv/vm/switch.h"

#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"
#include "hv/x86/msr.h"

#define FEATURES_ECX_XSAVE   BIT(26)
#define EXTENDED1_EDX_RDTSCP BIT(27)
#define XCR0_SWITCHED        0xe7u /* x87, SSE, AVX, AVX-512 */
#define FXSAVE_SIZE          512u

/* What this machine has; the same on every CPU. */
static struct {
    bool xsave;
    bool rdtscp;
    u64 xcr0;  /* components switched */
    u32 bytes; /* of a vCPU's area */
} has = {.bytes = FXSAVE_SIZE};

void switch_init_cpu(void)
{
    struct cpuid_regs r;

    has.rdtscp = insn_cpuid(0x80000001u, 0).edx & EXTENDED1_EDX_RDTSCP;
    has.xsave = insn_cpuid(1, 0).ecx & FEATURES_ECX_XSAVE;
    if (has.xsave) {
        r = insn_cpuid(0xd, 0);
        has.xcr0 = r.eax & XCR0_SWITCHED;
        has.bytes = r.ecx;
    }
    insn_write_cr4(insn_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (has.xsave ? CR4_OSXSAVE : 0));
}

/* Control words as FNINIT and RESET leave them, in the legacy area; XSTATE_BV stays 0. */
static void reset_fpu(u8 *area)
{
    static const u16 fcw = 0x37f;
    static const u32 mxcsr = 0x1f80;

    memcpy(area, &fcw, sizeof(fcw));
    memcpy(area + 24, &mxcsr, sizeof(mxcsr));
}

int switch_create(struct vcpu *v, u32 node)
{
    v->fpu = mem_zalloc(has.bytes, node);
    if (!v->fpu)
        return -HV_ENOMEM;
    reset_fpu(v->fpu);
    v->xcr0 = 1;
    return 0;
}

void switch_destroy(struct vcpu *v)
{
    mem_zfree(v->fpu, has.bytes);
}

static void save_fpu(struct vcpu *v)
{
    if (!has.xsave) {
        insn_fxsave64(v->fpu);
        return;
    }
    /* The guest's XCR0 as it is, read back: one emulator lets XSETBV by unseen. */
    v->xcr0 = insn_xgetbv(0);
    insn_xsetbv(0, has.xcr0);
    insn_xsave64(v->fpu, ~0ull);
}

static void load_fpu(struct vcpu *v)
{
    insn_x87_clear_pointers();
    if (!has.xsave) {
        insn_fxrstor64(v->fpu);
        return;
    }
    insn_xsetbv(0, has.xcr0);
    insn_xrstor64(v->fpu, ~0ull);
    insn_xsetbv(0, v->xcr0);
}

void switch_load(struct vcpu *v)
{
    insn_write_dr0_3(v->dr);
    if (has.rdtscp)
        insn_wrmsr(MSR_TSC_AUX, v->tsc_aux);
    load_fpu(v);
}

void switch_save(struct vcpu *v)
{
    insn_read_dr0_3(v->dr);
    save_fpu(v);
}
