/* SPDX-License-Identifier: MIT */
/*
 * The local APIC, through its memory page (xAPIC) or its MSRs (x2APIC); register numbers are byte
 * offsets in the page, which are sixteen times the MSR's. Source: AMD64 APM volume 2, "Advanced
 * Programmable Interrupt Controller"; Intel SDM volume 3, chapter of the same name.
 */
#include "hv/host/apic.h"

#include "hv/host/acpi.h"
#include "hv/host/irq.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/lib/err.h"
#include "hv/x86/insn.h"
#include "hv/x86/msr.h"

enum {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_ESR = 0x280,
    APIC_LVT_CMCI = 0x2f0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERF = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define VECTORS            256u
#define SVR_ENABLE         BIT(8)
#define LVT_MASKED         BIT(16)
#define LVT_TIMER_DEADLINE (2u << 17)
#define TIMER_DIVIDE_BY_1  0xbu

#define ICR_FIXED   (0u << 8)
#define ICR_NMI     (4u << 8)
#define ICR_INIT    (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_PENDING BIT(12)
#define ICR_ASSERT  BIT(14)

#define ICR_WAIT_LOOPS 1000000u /* seconds on any machine: delivery takes microseconds */
#define XAPIC_ID_MAX   254u
#define CPUID_1_APIC   BIT(9)  /* EDX */
#define CPUID_1_X2APIC BIT(21) /* ECX */

/* The 8259A pair */
enum { PIC1_COMMAND = 0x20, PIC1_DATA = 0x21, PIC2_COMMAND = 0xa0, PIC2_DATA = 0xa1 };
#define PIC_VECTOR 0xe0 /* a stray one would show up as this, not as an exception */

/* Constant after apic_init. */
static bool x2apic;
static volatile u8 *registers; /* xAPIC */

static u32 apic_read(u32 reg)
{
    if (x2apic)
        return (u32)insn_rdmsr(MSR_X2APIC_BASE + (reg >> 4));
    return *(volatile u32 *)(registers + reg);
}

static void apic_write(u32 reg, u32 value)
{
    if (x2apic)
        insn_wrmsr(MSR_X2APIC_BASE + (reg >> 4), value);
    else
        *(volatile u32 *)(registers + reg) = value;
}

static void pics_mask(void)
{
    static const u8 sequence[][2] = {
        {PIC1_COMMAND, 0x11},    {PIC2_COMMAND, 0x11},        /* ICW1: cascade, ICW4 follows */
        {PIC1_DATA, PIC_VECTOR}, {PIC2_DATA, PIC_VECTOR + 8}, /* ICW2: vectors */
        {PIC1_DATA, 4},          {PIC2_DATA, 2},              /* ICW3: cascade on line 2 */
        {PIC1_DATA, 1},          {PIC2_DATA, 1},              /* ICW4: 8086 mode */
        {PIC1_DATA, 0xff},       {PIC2_DATA, 0xff},           /* OCW1: all masked */
    };

    for (u32 i = 0; i < ARRAY_SIZE(sequence); i++)
        insn_out8(sequence[i][0], sequence[i][1]);
}

static bool x2apic_wanted(const struct boot_info *bi)
{
    char value[8];

    if (!(insn_cpuid(1, 0).ecx & CPUID_1_X2APIC))
        return false;
    if (insn_rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD)
        return true;
    for (u32 i = 0; i < acpi_info.nr_cpus; i++)
        if (acpi_info.apic_ids[i] > XAPIC_ID_MAX)
            return true;
    return boot_option(bi, "x2apic", value, sizeof(value)) != NULL;
}

int apic_init(const struct boot_info *bi)
{
    hpa_t base;

    if (!(insn_cpuid(1, 0).edx & CPUID_1_APIC)) {
        log_error("APIC: this CPU has none");
        return -HV_ENODEV;
    }
    pics_mask();
    x2apic = x2apic_wanted(bi);
    base = insn_rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR;
    registers = (volatile u8 *)base;
    if (!x2apic && mem_map_mmio(base, PAGE_SIZE)) {
        log_error("APIC: cannot map its registers at %#llx", (unsigned long long)base);
        return -HV_ENOMEM;
    }
    apic_init_cpu();
    log_info("APIC: %s mode, boot CPU has ID %u", x2apic ? "x2APIC" : "xAPIC", apic_id());
    return 0;
}

static void lvts_mask(void)
{
    /* In the order in which versions of the APIC grew them: the "Max LVT Entry" field counts. */
    static const u16 lvts[] = {APIC_LVT_TIMER, APIC_LVT_LINT0,   APIC_LVT_LINT1, APIC_LVT_ERROR,
                               APIC_LVT_PERF,  APIC_LVT_THERMAL, APIC_LVT_CMCI};
    u32 nr = (apic_read(APIC_VERSION) >> 16 & 0xff) + 1;

    for (u32 i = 0; i < MIN(nr, (u32)ARRAY_SIZE(lvts)); i++)
        apic_write(lvts[i], LVT_MASKED);
}

static bool in_service(void)
{
    u32 any = 0;

    for (u32 i = 0; i < VECTORS / 32; i++)
        any |= apic_read(APIC_ISR + i * 0x10);
    return any;
}

void apic_init_cpu(void)
{
    u64 base = insn_rdmsr(MSR_APIC_BASE);

    if (!(base & APIC_BASE_ENABLE))
        insn_wrmsr(MSR_APIC_BASE, base |= APIC_BASE_ENABLE);
    if (x2apic && !(base & APIC_BASE_EXTD))
        insn_wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
    apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    lvts_mask();
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_TPR, 0);
    if (!x2apic) {
        apic_write(APIC_DFR, ~0u);
        apic_write(APIC_LDR, 0);
    }
    apic_write(APIC_ESR, 0);
    /* What firmware left in service would block everything of lower priority for ever. */
    for (u32 i = 0; i < VECTORS && in_service(); i++)
        apic_eoi();
}

u32 apic_id(void)
{
    u32 id = apic_read(APIC_ID);

    return x2apic ? id : id >> 24;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

static void icr_wait(void)
{
    for (u32 i = 0; i < ICR_WAIT_LOOPS && apic_read(APIC_ICR) & ICR_PENDING; i++)
        insn_pause();
}

static void icr_send(u32 target, u32 command)
{
    u64 flags = irq_save(); /* the two halves must stay together */

    if (x2apic) {
        /* An x2APIC write does not wait for earlier stores; what they say must arrive first. */
        __asm__ volatile("mfence; lfence" ::: "memory");
        insn_wrmsr(MSR_X2APIC_BASE + (APIC_ICR >> 4), (u64)target << 32 | command);
    } else {
        icr_wait();
        apic_write(APIC_ICR_HIGH, target << 24);
        apic_write(APIC_ICR, command);
    }
    irq_restore(flags);
}

void apic_send(u32 target, u8 vector)
{
    icr_send(target, ICR_FIXED | ICR_ASSERT | vector);
}

void apic_send_nmi(u32 target)
{
    icr_send(target, ICR_NMI | ICR_ASSERT);
}

void apic_send_init(u32 target)
{
    icr_send(target, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(u32 target, u8 page)
{
    icr_send(target, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_timer_setup(u8 vector, bool deadline)
{
    apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_LVT_TIMER, vector | (deadline ? LVT_TIMER_DEADLINE : 0));
    /* The mode must be in force before the first write of MSR_TSC_DEADLINE. */
    __asm__ volatile("mfence; lfence" ::: "memory");
}

void apic_timer_start(u32 count)
{
    apic_write(APIC_TIMER_INITIAL, count);
}

u32 apic_timer_left(void)
{
    return apic_read(APIC_TIMER_CURRENT);
}
