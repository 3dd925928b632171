/* SPDX-License-Identifier: MIT */
/*
 * Control-register accesses that exit: MOV to and from CR0, CR3, CR4, CR8, and CLTS, LMSW, SMSW.
 * Source: AMD64 APM volume 2, "System-Control Registers"; Intel SDM volume 3, "Control Registers".
 */
#include "hv/emu/mmio.h"
#include "hv/vm/exit_parts.h"

#define CR0_DEFINED                                                                                \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)
#define CR0_PAGING (CR0_PG | CR0_WP | CR0_PE)
#define CR4_PAGING (CR4_PAE | CR4_PSE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)
/* Not VMX, SMX, LA57, PKE. */
#define CR4_OFFERED                                                                                \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE |      \
     CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP |  \
     CR4_SMAP)

/* What a guest may set: all that its CPUID shows. */
static u64 cr4_offered(const struct vcpu *v)
{
    const struct cpuid_regs *one = &v->cpuid->basic[1], *seven = &v->cpuid->basic[7];
    const struct {
        u32 bit, present;
    } needs[] = {
        {CR4_PCIDE, one->ecx >> 17 & 1},  {CR4_OSXSAVE, one->ecx >> 26 & 1},
        {CR4_FSGSBASE, seven->ebx & 1},   {CR4_SMEP, seven->ebx >> 7 & 1},
        {CR4_SMAP, seven->ebx >> 20 & 1}, {CR4_UMIP, seven->ecx >> 2 & 1},
    };
    u64 offered = CR4_OFFERED;
    u32 i;

    for (i = 0; i < ARRAY_SIZE(needs); i++)
        if (!needs[i].present)
            offered &= ~(u64)needs[i].bit;
    return offered;
}

/* PG with LME enters long mode, and leaves it; false: the write must raise #GP. */
static bool switch_long_mode(struct vcpu *v, u64 cr0)
{
    u64 efer = backend->get(v, VREG_EFER);
    struct segment cs;

    backend->get_segment(v, VSEG_CS, &cs);
    if (cr0 & CR0_PG && efer & EFER_LME) {
        if (!(backend->get(v, VREG_CR4) & CR4_PAE) || cs.attr & SEG_ATTR_L)
            return efer & EFER_LMA;
        backend->set(v, VREG_EFER, efer | EFER_LMA);
    } else if (!(cr0 & CR0_PG) && efer & EFER_LMA) {
        if (cs.attr & SEG_ATTR_L || backend->get(v, VREG_CR4) & CR4_PCIDE)
            return false;
        backend->set(v, VREG_EFER, efer & ~(u64)EFER_LMA);
    }
    return true;
}

static bool write_cr0(struct vcpu *v, u64 value)
{
    u64 old = backend->get(v, VREG_CR0);

    if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        return false;
    value = (value & CR0_DEFINED) | CR0_ET;
    if ((old ^ value) & CR0_PG && !switch_long_mode(v, value))
        return false;
    backend->set(v, VREG_CR0, value);
    if ((old ^ value) & CR0_PAGING)
        backend->flush(v);
    return true;
}

static bool write_cr4(struct vcpu *v, u64 value)
{
    u64 old = backend->get(v, VREG_CR4);
    bool long_mode = backend->get(v, VREG_EFER) & EFER_LMA;

    if (value & ~cr4_offered(v) || (long_mode && !(value & CR4_PAE)))
        return false;
    if (value & ~old & CR4_PCIDE && (!long_mode || backend->get(v, VREG_CR3) & 0xfff))
        return false;
    backend->set(v, VREG_CR4, value);
    if ((old ^ value) & CR4_PAGING)
        backend->flush(v);
    return true;
}

/* Bit 63 with PCIDE asks to keep translations; flushing more than asked is allowed. */
static bool write_cr3(struct vcpu *v, u64 value)
{
    if (backend->get(v, VREG_CR4) & CR4_PCIDE)
        value &= ~BIT64(63);
    if (value & ~(PTE_ADDR | 0xfff))
        return false;
    backend->set(v, VREG_CR3, value);
    backend->flush(v);
    return true;
}

static bool write_cr(struct vcpu *v, u8 number, u64 value)
{
    switch (number) {
    case 0: return write_cr0(v, value);
    case 3: return write_cr3(v, value);
    case 4: return write_cr4(v, value);
    case 8:
        if (value >> 4)
            return false;
        backend->set(v, VREG_CR8, value);
        return true;
    }
    return false;
}

static u64 read_cr(struct vcpu *v, u8 number)
{
    static const enum vreg regs[] = {
        [0] = VREG_CR0, [3] = VREG_CR3, [4] = VREG_CR4, [8] = VREG_CR8};

    return backend->get(v, regs[number]);
}

static u64 effective_address(struct vcpu *v, const struct insn *i)
{
    u64 offset = (u64)i->disp;

    if (i->base != INSN_NO_REG)
        offset += v->regs[i->base];
    if (i->index != INSN_NO_REG)
        offset += v->regs[i->index] * i->scale;
    if (i->rip_relative)
        offset += backend->get(v, VREG_RIP) + i->length;
    return exit_linear(v, i->segment, i->base == GPR_RSP || i->base == GPR_RBP ? VSEG_SS : VSEG_DS,
                       offset, i->addrsize);
}

/* 0F 01 /4 SMSW and /6 LMSW: 16 bits of CR0 in a register or memory. */
static enum exit_result machine_status_word(struct vcpu *v, struct exit *e, const struct insn *i)
{
    u64 cr0 = backend->get(v, VREG_CR0), word;
    bool store = (i->reg & 7) == 4;
    u8 *low, *high;

    if (i->mod == 3) {
        if (store) {
            struct mmio_access a = {.dest_size = i->opsize, .size = i->opsize};

            v->regs[i->rm] = mmio_merge(&a, v->regs[i->rm], cr0);
            return exit_done(v, e);
        }
        word = v->regs[i->rm];
    } else {
        gva_t gva = effective_address(v, i);

        low = exit_reach(v, gva, store);
        high = low ? exit_reach(v, gva + 1, store) : NULL;
        if (!high)
            return EXIT_RESUME; /* #PF is queued */
        if (store) {
            *low = (u8)cr0;
            *high = (u8)(cr0 >> 8);
            return exit_done(v, e);
        }
        word = *low | (u64)*high << 8;
    }
    /* LMSW sets PE but cannot clear it, and reaches only the low four bits. */
    word = (cr0 & ~0xeull) | (word & 0xf);
    return write_cr0(v, word) ? exit_done(v, e) : exit_inject_gp(v);
}

enum exit_result exit_cr(struct vcpu *v, struct exit *e)
{
    struct insn i;
    u8 number;
    u64 mask;

    if (!exit_decode(v, &i) || i.map != INSN_MAP_0F) {
        exit_fault(v, e, "control-register access cannot be read back");
        return EXIT_STOP_VCPU;
    }
    e->length = i.length;
    if (i.opcode == 0x06) { /* CLTS */
        backend->set(v, VREG_CR0, backend->get(v, VREG_CR0) & ~(u64)CR0_TS);
        return exit_done(v, e);
    }
    if (i.opcode == 0x01)
        return machine_status_word(v, e, &i);
    number = e->cr.number;
    /* The operand has 64 bits in 64-bit mode, else 32, whatever the prefixes. */
    mask = i.mode == INSN_MODE_64 ? ~0ull : UINT32_MAX;
    if (i.opcode == 0x20) {
        v->regs[i.rm] = read_cr(v, number) & mask;
        return exit_done(v, e);
    }
    return write_cr(v, number, v->regs[i.rm] & mask) ? exit_done(v, e) : exit_inject_gp(v);
}
