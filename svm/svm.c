/* SPDX-License-Identifier: MIT */
/*
 * The AMD-V backend: per-CPU enabling, vCPU objects, world switch, the run function.
 */
#include "svm/svm.h"

#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/x86/msr.h"
#include "svm/caps.h"
#include "svm/insn.h"
#include "svm/npt.h"
#include "svm/setup.h"
#include "svm/vcpu.h"

static int cpu_enable(struct cpu *cpu)
{
    struct svm_cpu *c = mem_zalloc(sizeof(*c), cpu->node);

    if (!c)
        goto none_left;
    c->hsave = mem_zalloc(PAGE_SIZE, cpu->node);
    c->host = mem_zalloc(PAGE_SIZE, cpu->node);
    if (!c->hsave || !c->host)
        goto none_left;
    c->asid_next = 1;
    c->asid_generation = 1;
    insn_wrmsr(MSR_EFER, insn_rdmsr(MSR_EFER) | EFER_SVME);
    insn_wrmsr(MSR_VM_HSAVE_PA, (hpa_t)c->hsave);
    svm_vmsave((hpa_t)c->host);
    cpu->backend_data = c;
    return 0;
none_left:
    log_error("cpu %u: no memory for AMD-V", cpu->id);
    return -HV_ENOMEM;
}

static int vm_create_maps(struct vm *vm)
{
    struct svm_vm *maps = mem_zalloc(sizeof(*maps), vm->node);

    if (!maps)
        return -HV_ENOMEM;
    vm->backend_data = maps;
    maps->iopm = mem_zalloc(SVM_IOPM_SIZE, vm->node);
    maps->msrpm = mem_zalloc(SVM_MSRPM_SIZE, vm->node);
    if (!maps->iopm || !maps->msrpm)
        return -HV_ENOMEM;
    svm_setup_maps(maps, &vm->config);
    return npt_create(vm);
}

static void vm_destroy_maps(struct vm *vm)
{
    struct svm_vm *maps = vm->backend_data;

    npt_destroy(vm);
    if (!maps)
        return;
    mem_zfree(maps->iopm, SVM_IOPM_SIZE);
    mem_zfree(maps->msrpm, SVM_MSRPM_SIZE);
    mem_zfree(maps, sizeof(*maps));
    vm->backend_data = NULL;
}

static struct vcpu *vcpu_create(struct vm *vm, u32 id)
{
    struct svm_vcpu *s = mem_zalloc(sizeof(*s), vm->node);

    (void)id;
    if (!s)
        return NULL;
    s->base.vm = vm;
    svm_setup(s, vm->backend_data);
    return &s->base;
}

static void vcpu_destroy(struct vcpu *v)
{
    mem_zfree(svm_of(v), sizeof(struct svm_vcpu));
}

static void flush(struct vcpu *v)
{
    svm_of(v)->vmcb.tlb_control =
        svm_caps.flush_by_asid ? TLB_CONTROL_FLUSH_ASID : TLB_CONTROL_FLUSH_ALL;
}

/* An ASID of which this CPU's TLB holds nothing, once the flush that comes with it is done. */
static void take_asid(struct svm_vcpu *s, struct cpu *cpu)
{
    struct svm_cpu *c = cpu->backend_data;

    if (s->asid_cpu == cpu && s->asid_generation == c->asid_generation)
        return;
    if (s->asid_cpu != cpu)
        s->clean = 0; /* another CPU's cached VMCB says nothing here */
    if (c->asid_next >= svm_caps.asids) {
        c->asid_next = 1;
        c->asid_generation++;
    }
    /* From the second round on each owner flushes for itself: the first one may never enter. */
    s->vmcb.tlb_control = TLB_CONTROL_NONE;
    if (c->asid_generation > 1)
        flush(&s->base);
    s->asid_cpu = cpu;
    s->asid_generation = c->asid_generation;
    s->vmcb.asid = c->asid_next++;
    svm_dirty(s, CLEAN_ASID);
}

static void load(struct vcpu *v)
{
    take_asid(svm_of(v), cpu_this());
}

void svm_host_state(struct svm_vcpu *s)
{
    struct svm_cpu *c;

    if (!s->live)
        return;
    c = cpu_this()->backend_data;
    svm_vmsave((hpa_t)&s->vmcb);
    svm_vmload((hpa_t)c->host);
    s->live = false;
}

static void guest_state(struct svm_vcpu *s)
{
    if (!s->live)
        svm_vmload((hpa_t)&s->vmcb);
    s->live = true;
}

/* What the last entry consumed. REQUEST_BACKEND is set again for whatever the next one consumes. */
static void clean_up(struct svm_vcpu *s)
{
    __atomic_fetch_and(&s->base.request, ~(u32)REQUEST_BACKEND, __ATOMIC_ACQ_REL);
    svm_event_clean_up(s);
    if (s->base.vm->config.asid)
        s->vmcb.tlb_control = TLB_CONTROL_NONE;
}

/* Hands the processor the clean bits; a first entry with dirty fields is followed by a clean-up. */
static void prepare(struct svm_vcpu *s)
{
    if (!s->base.vm->config.asid)
        s->vmcb.tlb_control = TLB_CONTROL_FLUSH_ALL;
    s->vmcb.clean = s->clean;
    s->clean = svm_caps.clean_bits && s->base.vm->config.clean_bits ? CLEAN_ALL : 0;
    if (s->vmcb.clean != s->clean || (s->vmcb.tlb_control && s->base.vm->config.asid))
        __atomic_fetch_or(&s->base.request, REQUEST_BACKEND, __ATOMIC_ACQ_REL);
}

static void run(struct vcpu *v, struct exit *e)
{
    struct svm_vcpu *s = svm_of(v);

    svm_clgi();
    /* RFLAGS.IF at VMRUN decides whether physical interrupts cause exits. (Under Bochs a guest
     * entered with IF = 0 keeps them out all the same, until IF changes.) */
    insn_sti();
    for (;;) {
        guest_state(s);
        s->vmcb.rax = v->regs[GPR_RAX];
        s->vmcb.rsp = v->regs[GPR_RSP];
        prepare(s);
        if (v->account)
            svm_enter_measured(s);
        else
            svm_enter(s);
        v->regs[GPR_RAX] = s->vmcb.rax;
        v->regs[GPR_RSP] = s->vmcb.rsp;
        clean_up(s);
        if (!s->served || v->request)
            break;
        s->served = false; /* only the clean-up was due */
    }
    if (s->served) {
        s->served = false;
        e->kind = EXIT_KIND_COUNT;
    } else {
        svm_exit_decode(s, e);
    }
}

static void leave(struct vcpu *v)
{
    svm_host_state(svm_of(v));
    insn_cli();
    svm_stgi();
}

static void advance(struct vcpu *v, u32 length)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = &s->vmcb;

    b->rip += length;
    if (!(b->efer & EFER_LMA) || !(b->cs.attr & SEG_ATTR_L))
        b->rip = (u32)b->rip;
    b->int_shadow = 0;
    b->rflags &= ~(u64)RFLAGS_RF;
    if (b->rflags & RFLAGS_TF) {
        b->dr6 |= DR6_BS;
        svm_dirty(s, CLEAN_DR);
        vcpu_inject_exception(v, VECTOR_DB, false, 0);
    }
}

static u32 length(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    const struct length_entry *e = length_slot(&s->lengths, s->vmcb.rip);

    return length_verify(e, &s->vmcb) ? e->length : length_decode(s);
}

const struct backend svm_backend = {
    .name = "svm",
    .probe = svm_caps_probe,
    .cpu_enable = cpu_enable,
    .vm_create = vm_create_maps,
    .vm_destroy = vm_destroy_maps,
    .vcpu_create = vcpu_create,
    .vcpu_destroy = vcpu_destroy,
    .map = npt_map,
    .load = load,
    .run = run,
    .leave = leave,
    .get = svm_get,
    .set = svm_set,
    .get_segment = svm_get_segment,
    .set_segment = svm_set_segment,
    .cpl = svm_cpl,
    .advance = advance,
    .length = length,
    .interruptible = svm_interruptible,
    .inject = svm_inject,
    .window = svm_window,
    .flush = flush,
    .dump = svm_dump,
    .residue_in = SVM_RESIDUE_IN,
    .residue_out = SVM_RESIDUE_OUT,
    .feature = svm_caps_feature,
};
