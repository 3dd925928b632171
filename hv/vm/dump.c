/* SPDX-License-Identifier: MIT */
/*
 * Dumps of vCPUs and trace rings.
 */
#include "hv/vm/dump.h"

#include "hv/host/log.h"
#include "hv/lib/format.h"
#include "hv/vm/backend.h"
#include "hv/vm/walk.h"

#define DUMP_RECORDS 16
#define DUMP_BYTES   16

static void dump_trace(const struct account *a)
{
    const struct trace_record *r;
    u32 i;

    for (i = 0; i < DUMP_RECORDS && (r = trace_newest(&a->trace, i)); i++)
        log_error("  exit -%u: tsc %llu vm %u vcpu %u %s rip %#llx info %#llx, %u ticks", i + 1,
                  (unsigned long long)r->tsc, r->vm, r->vcpu, account_name(r->account),
                  (unsigned long long)r->rip, (unsigned long long)r->info, r->ticks);
}

static void dump_code(struct vcpu *v)
{
    struct segment cs;
    u8 bytes[DUMP_BYTES];
    char text[3 * DUMP_BYTES + 1] = "";
    u64 rip = backend->get(v, VREG_RIP);
    u32 i, n, used = 0;

    backend->get_segment(v, VSEG_CS, &cs);
    if (!(backend->get(v, VREG_EFER) & EFER_LMA && cs.attr & SEG_ATTR_L))
        rip = (u32)(cs.base + rip);
    n = walk_read(v, rip, bytes, sizeof(bytes));
    for (i = 0; i < n; i++)
        used += (u32)fmt_print(text + used, sizeof(text) - used, " %02x", bytes[i]);
    log_error("  code at %#llx:%s", (unsigned long long)rip, n ? text : " not readable");
}

#define GET(r) ((unsigned long long)backend->get(v, VREG_##r))
#define REG(r) ((unsigned long long)v->regs[GPR_##r])

void dump_vcpu(struct vcpu *v)
{
    struct segment cs, ss;

    backend->get_segment(v, VSEG_CS, &cs);
    backend->get_segment(v, VSEG_SS, &ss);
    log_error("  rip %016llx rflags %08llx cpl %u", GET(RIP), GET(RFLAGS), backend->cpl(v));
    log_error("  cs %04x attr %04x base %llx; ss %04x attr %04x base %llx", cs.selector, cs.attr,
              (unsigned long long)cs.base, ss.selector, ss.attr, (unsigned long long)ss.base);
    log_error("  rax %016llx rbx %016llx rcx %016llx rdx %016llx", REG(RAX), REG(RBX), REG(RCX),
              REG(RDX));
    log_error("  rsi %016llx rdi %016llx rbp %016llx rsp %016llx", REG(RSI), REG(RDI), REG(RBP),
              REG(RSP));
    log_error("  r8  %016llx r9  %016llx r10 %016llx r11 %016llx", REG(R8), REG(R9), REG(R10),
              REG(R11));
    log_error("  r12 %016llx r13 %016llx r14 %016llx r15 %016llx", REG(R12), REG(R13), REG(R14),
              REG(R15));
    log_error("  cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %04llx", GET(CR0), GET(CR2),
              GET(CR3), GET(CR4), GET(EFER));
    dump_code(v);
    if (v->account)
        dump_trace(v->account);
    backend->dump(v);
}

void dump_panic(void)
{
    struct cpu *cpu = cpu_this();
    struct vcpu *v = cpu ? cpu->current : NULL;

    if (!v)
        return;
    log_error("  vm %s vCPU %u rip %#llx", v->vm->config.name, v->id, GET(RIP));
    if (cpu->account)
        dump_trace(cpu->account);
}
