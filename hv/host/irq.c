/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables, dispatch of exceptions and interrupts, exception-table fix-ups. Source: AMD64
 * APM volume 2, "Segmented Virtual Memory" and "Exceptions and Interrupts".
 */
#include "hv/host/irq.h"
#include "hv/host/apic.h"
#include "hv/host/layout.h"
#include "hv/host/panic.h"
#include "hv/lib/err.h"

#define VECTORS        256
#define STUB_SIZE      16
#define GATE_INTERRUPT 0x8e00 /* present, DPL 0, 64-bit interrupt gate */
#define TSS_AVAILABLE  0x89   /* present, DPL 0, available 64-bit TSS */

struct table_register {
    u16 limit;
    u64 base;
} __attribute__((packed));

struct gate {
    u16 offset_low;
    u16 selector;
    u16 attributes; /* IST index in bits 0 to 2 */
    u16 offset_middle;
    u32 offset_high;
    u32 reserved_0c;
};

struct tss {
    u32 reserved_00;
    u64 rsp[3];
    u64 reserved_1c;
    u64 ist[7]; /* IST index i is ist[i - 1] */
    u64 reserved_5c;
    u16 reserved_64;
    u16 io_map_base;
} __attribute__((packed));

struct cpu_tables {
    u64 gdt[5];
    struct tss tss;
};

struct fixup {
    u32 fault; /* address of the instruction that may fault */
    u32 resume;
};

static_assert(sizeof(struct gate) == 16, "gate");
static_assert(offsetof(struct tss, ist) == 0x24, "tss.ist");
static_assert(offsetof(struct tss, io_map_base) == 0x66, "tss.io_map_base");
static_assert(sizeof(struct tss) == 0x68, "tss");
static_assert(VECTORS_WITH_ERROR_CODE == 0x227d00, "irq_entry.S agrees");
static_assert(offsetof(struct irq_frame, vector) == GPR_COUNT * 8, "irq_entry.S agrees");

extern const char irq_stubs[];
extern const struct fixup extable_start[], extable_end[];

void irq_load(const struct table_register *gdt, const struct table_register *idt, u16 tss);
void irq_dispatch(struct irq_frame *f);

static struct gate idt[VECTORS];
static struct cpu_tables cpu_tables[CPU_MAX] __attribute__((aligned(16)));
static irq_handler handlers[VECTORS];

static const u8 ist_vectors[] = {VECTOR_NMI, VECTOR_DF, VECTOR_MC};

void irq_register(u8 vector, irq_handler h)
{
    handlers[vector] = h;
}

static void gate_set(u32 vector, u16 ist)
{
    u64 entry = (u64)(irq_stubs + vector * STUB_SIZE);

    idt[vector] = (struct gate){
        .offset_low = (u16)entry,
        .selector = SEG_CODE64,
        .attributes = GATE_INTERRUPT | ist,
        .offset_middle = (u16)(entry >> 16),
        .offset_high = (u32)(entry >> 32),
    };
}

static void idt_fill(void)
{
    u32 i;

    for (i = 0; i < VECTORS; i++)
        gate_set(i, 0);
    for (i = 0; i < ARRAY_SIZE(ist_vectors); i++)
        gate_set(ist_vectors[i], (u16)(i + 1));
}

/* End of a stack for ist_vectors[i]. */
static char *ist_stack(struct cpu *cpu, u32 i)
{
    char *top;

    if (cpu->id == 0) {
        top = cpu_bsp_stacks[i + 2];
        ((struct cpu **)top)[-1] = cpu;
        return top;
    }
    top = cpu_stack_create(cpu);
    if (!top)
        panic("no memory for the stacks of CPU %u", cpu->id);
    return top;
}

static void tables_fill(struct cpu_tables *t, struct cpu *cpu)
{
    u64 base = (u64)&t->tss;
    u32 i;

    t->gdt[SEG_CODE64 / 8] = SEG_DESC_CODE64;
    t->gdt[SEG_DATA / 8] = SEG_DESC_DATA;
    t->gdt[SEG_TSS / 8] = (sizeof(t->tss) - 1) | (base & 0xffffff) << 16 |
                          (u64)TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
    t->gdt[SEG_TSS / 8 + 1] = base >> 32;
    t->tss.io_map_base = sizeof(t->tss);
    for (i = 0; i < ARRAY_SIZE(ist_vectors); i++)
        t->tss.ist[i] = (u64)ist_stack(cpu, i) - STACK_RESERVED;
}

void irq_init_cpu(struct cpu *cpu)
{
    struct cpu_tables *t = &cpu_tables[cpu->id];
    struct table_register gdtr = {sizeof(t->gdt) - 1, (u64)t->gdt};
    struct table_register idtr = {sizeof(idt) - 1, (u64)idt};

    if (cpu->id == 0)
        idt_fill();
    tables_fill(t, cpu);
    irq_load(&gdtr, &idtr, SEG_TSS);
    if (insn_cpuid(1, 0).edx & BIT(7)) /* without CR4.MCE a machine check is a silent shutdown */
        insn_write_cr4(insn_read_cr4() | CR4_MCE);
}

/* Where to go on after a fault at an address the exception table lists; 0: it lists none. */
static u64 fixup_find(u64 rip)
{
    const struct fixup *x;

    for (x = extable_start; x < extable_end; x++)
        if (x->fault == rip)
            return x->resume;
    return 0;
}

static void exception_dispatch(struct irq_frame *f)
{
    u64 resume = fixup_find(f->rip);

    if (f->vector == VECTOR_NMI && panic_active())
        panic_halt();
    if (resume)
        f->rip = resume;
    else if (handlers[f->vector])
        handlers[f->vector](f);
    else
        panic_exception(f);
}

static void interrupt_dispatch(struct irq_frame *f)
{
    cpu_this()->interrupts++;
    if (f->vector == VECTOR_STOP && panic_active())
        panic_halt();
    if (handlers[f->vector])
        handlers[f->vector](f);
    if (f->vector != VECTOR_SPURIOUS)
        apic_eoi();
}

void irq_dispatch(struct irq_frame *f)
{
    if (f->vector < 32)
        exception_dispatch(f);
    else
        interrupt_dispatch(f);
}

int msr_read_safe(u32 msr, u64 *value)
{
    u32 lo = 0, hi = 0;
    int err = -HV_EFAULT;

    __asm__ volatile("1: rdmsr\n"
                     "xor %0, %0\n"
                     "2:\n"
                     ".pushsection .extable, \"a\"\n"
                     ".long 1b, 2b\n"
                     ".popsection\n"
                     : "+r"(err), "+a"(lo), "+d"(hi)
                     : "c"(msr));
    *value = (u64)hi << 32 | lo;
    return err;
}

int msr_write_safe(u32 msr, u64 value)
{
    int err = -HV_EFAULT;

    __asm__ volatile("1: wrmsr\n"
                     "xor %0, %0\n"
                     "2:\n"
                     ".pushsection .extable, \"a\"\n"
                     ".long 1b, 2b\n"
                     ".popsection\n"
                     : "+r"(err)
                     : "a"((u32)value), "d"((u32)(value >> 32)), "c"(msr)
                     : "memory");
    return err;
}
