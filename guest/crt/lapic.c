/* SPDX-License-Identifier: MIT */
/*
 * Local APIC access. Source: AMD64 APM volume 2, "Advanced Programmable Interrupt Controller".
 */
#include "guest/crt/lapic.h"

#include "guest/crt/insn.h"

#define MSR_APIC_BASE       0x1bu
#define APIC_BASE_EXTD      (1u << 10)
#define APIC_BASE_ADDR      0x000ffffffffff000ul
#define SVR_ENABLE_SPURIOUS 0x1ffu
#define LVT_EXTINT          0x700u

bool lapic_is_x2apic(void)
{
    return insn_rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

uintptr_t lapic_base(void)
{
    return insn_rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR;
}

uint32_t lapic_read(uint32_t reg)
{
    if (lapic_is_x2apic())
        return (uint32_t)insn_rdmsr(LAPIC_X2APIC_MSR(reg));
    return *(volatile uint32_t *)(lapic_base() + reg);
}

void lapic_write(uint32_t reg, uint32_t value)
{
    if (lapic_is_x2apic())
        insn_wrmsr(LAPIC_X2APIC_MSR(reg), value);
    else
        *(volatile uint32_t *)(lapic_base() + reg) = value;
}

void lapic_virtual_wire(void)
{
    lapic_write(LAPIC_SVR, SVR_ENABLE_SPURIOUS);
    lapic_write(LAPIC_LINT0, LVT_EXTINT);
}
