/* SPDX-License-Identifier: MIT */
/*
 * Initial states: real mode, flat protected mode (as multiboot wants it), long mode.
 */
#include "hv/vm/start.h"

#include "hv/lib/string.h"
#include "hv/vm/backend.h"

/* Descriptor attributes: present, code or data, accessed, 4 GiB limit. */
#define ATTR_CODE      (SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_G | 0xb)
#define ATTR_DATA      (SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_G | SEG_ATTR_DB | 0x3)
#define ATTR_REAL      (SEG_ATTR_P | SEG_ATTR_S | 0x3)
#define ATTR_REAL_CODE (SEG_ATTR_P | SEG_ATTR_S | 0xb)

static void set_data_segments(struct vcpu *v, const struct segment *s)
{
    static const enum vseg data[] = {VSEG_DS, VSEG_ES, VSEG_SS, VSEG_FS, VSEG_GS};
    u32 i;

    for (i = 0; i < ARRAY_SIZE(data); i++)
        backend->set_segment(v, data[i], s);
}

static void set_real(struct vcpu *v, u16 cs)
{
    struct segment code = {.selector = cs, .attr = ATTR_REAL_CODE, .limit = 0xffff};
    struct segment data = {.attr = ATTR_REAL, .limit = 0xffff};
    struct segment idt = {.limit = 0x3ff};

    code.base = (u64)cs << 4;
    backend->set_segment(v, VSEG_CS, &code);
    set_data_segments(v, &data);
    backend->set_segment(v, VSEG_IDTR, &idt);
    backend->set(v, VREG_CR0, CR0_ET);
}

static void set_flat(struct vcpu *v, u16 mode_attr)
{
    struct segment code = {.selector = 8, .attr = ATTR_CODE | mode_attr, .limit = ~0u};
    struct segment data = {.selector = 16, .attr = ATTR_DATA, .limit = ~0u};

    backend->set_segment(v, VSEG_CS, &code);
    set_data_segments(v, &data);
    backend->set(v, VREG_CR0, CR0_PE | CR0_ET);
}

void start_set(struct vcpu *v, const struct start_state *s)
{
    memcpy(v->regs, s->regs, sizeof(v->regs));
    switch (s->mode) {
    case VM_START_REAL: set_real(v, s->cs); break;
    case VM_START_PROTECTED: set_flat(v, SEG_ATTR_DB); break;
    case VM_START_LONG:
        set_flat(v, SEG_ATTR_L);
        backend->set(v, VREG_CR3, s->cr3);
        backend->set(v, VREG_CR4, CR4_PAE);
        backend->set(v, VREG_EFER, EFER_LME | EFER_LMA | EFER_NXE);
        backend->set(v, VREG_CR0, CR0_PE | CR0_ET | CR0_WP | CR0_PG);
        break;
    }
    backend->set(v, VREG_RIP, s->rip);
}

void start_like(struct vcpu *v, struct vcpu *from, u64 rip, u64 rsp)
{
    static const enum vreg copied[] = {VREG_CR3,  VREG_CR4,   VREG_CR0,   VREG_EFER,  VREG_PAT,
                                       VREG_STAR, VREG_LSTAR, VREG_CSTAR, VREG_SFMASK};
    struct segment s;
    u32 i;

    for (i = 0; i < ARRAY_SIZE(copied); i++)
        backend->set(v, copied[i], backend->get(from, copied[i]));
    for (i = 0; i < VSEG_COUNT; i++) {
        backend->get_segment(from, (enum vseg)i, &s);
        if (i == VSEG_TR)
            s.attr &= (u16)~2; /* not busy: the starter's own task register stays its own */
        backend->set_segment(v, (enum vseg)i, &s);
    }
    v->regs[GPR_RSP] = rsp;
    v->regs[GPR_RDI] = v->id;
    backend->set(v, VREG_RIP, rip);
}
