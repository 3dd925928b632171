/* SPDX-License-Identifier: MIT */
/*
 * Building the hypervisor's result records.
 */
#include "hv/vm/finish.h"

#include "hv/abi/record.h"
#include "hv/host/acpi.h"
#include "hv/host/console.h"
#include "hv/host/log.h"
#include "hv/host/mem.h"
#include "hv/host/time.h"
#include "hv/lib/json.h"
#include "hv/lib/string.h"
#include "hv/vm/backend.h"
#include "hv/vm/sched.h"

#define CLOSURE_PER_MILLE 1 /* accounts must sum to elapsed ticks within this */

static char text[RECORD_MAX];
static struct lock text_lock;

/* One record at a time is built in text. */
static void record_begin(struct json *j, const char *type)
{
    lock_take(&text_lock);
    json_begin(j, text, sizeof(text));
    json_string(j, "t", type);
}

static void record_end(struct json *j)
{
    const char *json = json_end(j);

    if (json)
        console_record(json);
    else
        log_error("a result record did not fit in %u bytes and is lost", RECORD_MAX);
    lock_release(&text_lock);
}

static void brand_string(char out[49])
{
    struct cpuid_regs r;
    u32 i;

    out[0] = '\0';
    if (insn_cpuid(0x80000000u, 0).eax < 0x80000004u)
        return;
    for (i = 0; i < 3; i++) {
        r = insn_cpuid(0x80000002u + i, 0);
        memcpy(out + 16 * i, &r, 16);
    }
    out[48] = '\0';
}

static void record_cpu_model(struct json *j)
{
    struct cpuid_regs r = insn_cpuid(0, 0);
    char vendor[13] = "", brand[49];
    u32 family, model;

    memcpy(vendor, &r.ebx, 4);
    memcpy(vendor + 4, &r.edx, 4);
    memcpy(vendor + 8, &r.ecx, 4);
    r = insn_cpuid(1, 0);
    family = (r.eax >> 8 & 0xf) + ((r.eax >> 8 & 0xf) == 0xf ? r.eax >> 20 & 0xff : 0);
    model = (r.eax >> 4 & 0xf) | (r.eax >> 12 & 0xf0);
    brand_string(brand);
    json_string(j, "vendor", vendor);
    json_string(j, "brand", brand);
    json_u64(j, "family", family);
    json_u64(j, "model", model);
    json_u64(j, "stepping", r.eax & 0xf);
    json_bool(j, "hypervisor_bit", r.ecx >> 31 & 1);
}

void finish_host_record(const struct boot_info *bi)
{
    const char *feature;
    struct json j;
    u32 i;

    record_begin(&j, "host");
    record_cpu_model(&j);
    json_string(&j, "backend", backend->name);
    json_open(&j, "features", '[');
    for (i = 0; (feature = backend->feature(i)); i++)
        json_string(&j, NULL, feature);
    json_close(&j, ']');
    json_u64(&j, "cpus", cpu_count);
    json_u64(&j, "nodes", acpi_info.nr_nodes);
    json_u64(&j, "memory", mem_total_bytes());
    json_u64(&j, "tsc_hz", time_info.tsc_hz);
    json_string(&j, "tsc_reference", time_info.reference);
    json_bool(&j, "invariant_tsc", time_info.invariant);
    json_s64(&j, "tsc_max_skew", time_info.max_skew);
    json_bool(&j, "ticks_are_instructions", time_info.ticks_are_instructions);
    json_u64(&j, "entry_tsc", bi->entry_tsc);
    json_string(&j, "loader", bi->loader);
    json_string(&j, "cmdline", bi->cmdline);
    json_u64(&j, "residue_in", backend->residue_in);
    json_u64(&j, "residue_out", backend->residue_out);
    record_end(&j);
}

void finish_vm_record(const struct vm *vm)
{
    static const char *const pages[] = {"4k", "2m", "1g"};
    const struct vm_config *c = &vm->config;
    struct json j;

    record_begin(&j, "vm");
    json_u64(&j, "id", vm->id);
    json_string(&j, "name", c->name);
    json_string(&j, "image", c->image_name);
    json_string(&j, "cmdline", c->cmdline);
    json_u64(&j, "memory", c->memory);
    json_u64(&j, "vcpus", c->vcpus);
    json_u64(&j, "cpu_mask", c->cpu_mask);
    json_string(&j, "loop", c->loop == VM_LOOP_MEASURE ? "measure" : "plain");
    json_string(&j, "fill", c->fill == VM_FILL_BOOT ? "boot" : "touch");
    json_string(&j, "zero", c->zero == VM_ZERO_INLINE ? "inline" : "pool");
    json_string(&j, "page", pages[c->page]);
    json_u64(&j, "quantum_us", c->quantum_us);
    json_bool(&j, "hypercalls", c->hypercalls);
    json_bool(&j, "trace", c->trace);
    json_bool(&j, "nrip", c->nrip);
    json_bool(&j, "asid", c->asid);
    json_bool(&j, "clean_bits", c->clean_bits);
    json_u64(&j, "intercept", c->intercept);
    record_end(&j);
}

static void record_histogram(struct json *j, const struct histogram *h)
{
    u32 i;

    json_open(j, "histogram", '[');
    for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->buckets[i])
            continue;
        json_open(j, NULL, '[');
        json_u64(j, NULL, histogram_lower(i));
        json_u64(j, NULL, histogram_lower(i + 1));
        json_u64(j, NULL, h->buckets[i]);
        json_close(j, ']');
    }
    json_close(j, ']');
}

static void record_exits(const struct vcpu *v, u32 kind)
{
    const struct histogram *h = &v->measure->by_kind[kind];
    struct json j;

    if (!h->count)
        return;
    record_begin(&j, "exits");
    json_u64(&j, "vm", v->vm->id);
    json_u64(&j, "vcpu", v->id);
    json_string(&j, "kind", account_name(kind));
    json_u64(&j, "n", h->count);
    json_u64(&j, "sum", h->sum);
    json_u64(&j, "min", h->min);
    json_u64(&j, "p50", histogram_quantile(h, 50, 100));
    json_u64(&j, "p90", histogram_quantile(h, 90, 100));
    json_u64(&j, "p99", histogram_quantile(h, 99, 100));
    json_u64(&j, "max", h->max);
    record_histogram(&j, h);
    record_end(&j);
}

static void record_vcpu(const struct vcpu *v)
{
    struct json j;

    record_begin(&j, "vcpu");
    json_u64(&j, "vm", v->vm->id);
    json_u64(&j, "vcpu", v->id);
    json_u64(&j, "exits", v->stats->exits);
    json_u64(&j, "interrupts", v->stats->interrupts);
    json_u64(&j, "guest_ticks", v->stats->guest_ticks);
    json_u64(&j, "handler_ticks", v->stats->handler_ticks);
    json_u64(&j, "descheduled_ticks", v->stats->descheduled_ticks);
    json_u64(&j, "halted_ticks", v->stats->halted_ticks);
    record_end(&j);
}

void finish_vm(struct vm *vm)
{
    struct json j;
    u32 i, kind;

    vm_quiet(vm);
    console_drain(); /* the guest's last words come before the hypervisor's about it */
    for (i = 0; i < vm->nr_vcpus; i++) {
        record_vcpu(vm->vcpus[i]);
        for (kind = 0; vm->vcpus[i]->measure && kind < EXIT_KIND_COUNT; kind++)
            record_exits(vm->vcpus[i], kind);
    }
    record_begin(&j, "vm_end");
    json_u64(&j, "id", vm->id);
    json_string(&j, "name", vm->config.name);
    json_string(&j, "reason", vm_end_name(vm->end));
    json_string(&j, "detail", vm->end_detail);
    json_u64(&j, "value", vm->end_value);
    json_u64(&j, "first_entry_tsc", vm->first_entry_tsc);
    json_u64(&j, "pages", vm->memory.pages);
    json_u64(&j, "pool_fills", vm->memory.fills);
    record_end(&j);
    log_info("vm %s ended: %s (%s)", vm->config.name, vm_end_name(vm->end), vm->end_detail);
    console_drain();
    if (vm_all_ended())
        sched_finish();
}

static bool record_account(const struct cpu *cpu)
{
    const struct account *a = cpu->account;
    u64 elapsed = a->last - a->start, sum = account_sum(a);
    u64 off = sum > elapsed ? sum - elapsed : elapsed - sum;
    bool closed = off * 1000 <= elapsed * CLOSURE_PER_MILLE;
    struct json j;
    u32 i;

    record_begin(&j, "account");
    json_u64(&j, "cpu", cpu->id);
    json_u64(&j, "elapsed", elapsed);
    json_u64(&j, "sum", sum);
    json_bool(&j, "closed", closed);
    json_u64(&j, "interrupts", cpu->interrupts);
    json_u64(&j, "nmis", cpu->nmis);
    json_open(&j, "accounts", '{');
    for (i = 0; i < ACCOUNT_TOTAL; i++)
        if (a->ticks[i])
            json_u64(&j, account_name(i), a->ticks[i]);
    json_close(&j, '}');
    json_open(&j, "counts", '{');
    for (i = 0; i < ACCOUNT_TOTAL; i++)
        if (a->count[i])
            json_u64(&j, account_name(i), a->count[i]);
    json_close(&j, '}');
    record_end(&j);
    if (!closed)
        log_error("cpu %u: accounts sum to %llu of %llu ticks", cpu->id, (unsigned long long)sum,
                  (unsigned long long)elapsed);
    return closed;
}

bool finish_accounts(void)
{
    bool closed = true;
    struct json j;
    u32 i;

    for (i = 0; i < cpu_count; i++)
        if (cpus[i].account)
            closed &= record_account(&cpus[i]);
    record_begin(&j, "end");
    json_string(&j, "reason", closed ? "all VMs ended" : "accounts do not close");
    record_end(&j);
    console_drain();
    return closed;
}
