/* SPDX-License-Identifier: MIT */
/*
 * Reads a manifest: lines, sections, and what must hold across the keys of a VM and across VMs.
 */
#include "hv/load/manifest.h"

#include "hv/lib/err.h"
#include "hv/lib/format.h"
#include "hv/lib/string.h"
#include "hv/load/keys.h"
#include "hv/load/raw.h"

#define MANIFEST_SUFFIX ".toll"
#define MANIFEST_MAGIC  "#tollgate"
#define DEFAULT_MEMORY  (256 * MIB)

/* ---- checks across the keys of one VM ---- */

/* The line of a key that this section holds and that was accepted; 0: there is none. */
static u32 good_line(const struct parser *p, const char *name)
{
    const struct key *k = key_find(p->section, (struct slice){name, strlen(name)});
    size_t i = (size_t)(k - p->section->keys);

    return p->key_good[i] ? p->key_line[i] : 0;
}

static void check_key(struct parser *p, u32 i)
{
    const struct key *k = &p->section->keys[i];
    bool raw = p->vm->format == VM_FORMAT_RAW;
    struct text t = {0};

    if (!p->key_line[i]) {
        bool needed = (k->flags & KEY_REQUIRED) || (raw && (k->flags & KEY_RAW) &&
                                                    k->offset != offsetof(struct vm_config, entry));

        if (!needed)
            return;
        key_add_accepted(&t, k, p->env);
        parser_error(p, p->section_line, "[vm %s] lacks the key \"%s\"%s; accepted: %s",
                     p->vm->name, k->name, k->flags & KEY_RAW ? ", which format = raw needs" : "",
                     t.buf);
        return;
    }
    if (!raw && (k->flags & KEY_RAW))
        parser_error(p, p->key_line[i], "key \"%s\" is accepted only with format = raw", k->name);
    if (raw && (k->flags & KEY_KERNEL))
        parser_error(p, p->key_line[i],
                     "key \"%s\" is not accepted with format = raw: a raw image cannot get it",
                     k->name);
    if (p->vm->loop != VM_LOOP_MEASURE && (k->flags & KEY_MEASURE))
        parser_error(p, p->key_line[i], "key \"%s\" is accepted only with loop = measure", k->name);
}

static void check_raw(struct parser *p)
{
    u32 load = good_line(p, "load"), entry = good_line(p, "entry");
    struct text t = {0};

    if (p->vm->format != VM_FORMAT_RAW || !load || !good_line(p, "image") ||
        !good_line(p, "memory"))
        return;
    if (raw_refuse_load(p->vm, t.buf, sizeof(t.buf)))
        parser_error(p, load, "load = 0x%lx: %s", p->vm->load, t.buf);
    else if (good_line(p, "start") && raw_refuse_entry(p->vm, t.buf, sizeof(t.buf)))
        parser_error(p, entry ? entry : load, "entry = 0x%lx: %s", p->vm->entry, t.buf);
}

static void check_memory(struct parser *p)
{
    u32 line = good_line(p, "memory");
    u64 left = p->env->free_bytes - p->used;

    if (!line)
        return;
    if (p->vm->memory > left)
        parser_error(p, line,
                     "memory = %llu KiB: more than the host has; accepted: at most %llu KiB "
                     "(%llu KiB free, %llu KiB of it taken by the VMs above)",
                     p->vm->memory / KIB, ALIGN_DOWN(left, PAGE_SIZE) / KIB,
                     p->env->free_bytes / KIB, p->used / KIB);
    else
        p->used += p->vm->memory;
}

/* Ends the section in work: whatever a whole VM must fulfil. */
static void close_section(struct parser *p)
{
    if (p->vm) {
        if (!good_line(p, "entry"))
            p->vm->entry = p->vm->load;
        for (u32 i = 0; i < p->section->nr_keys; i++)
            check_key(p, i);
        check_raw(p);
        check_memory(p);
    }
    p->vm = NULL;
    p->section = NULL;
}

/* ---- sections ---- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_.-", c) != NULL);
}

static bool name_good(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_char(name.at[i]))
            return false;
    return name.n > 0 && name.n < VM_NAME;
}

static void open_machine(struct parser *p)
{
    if (p->machine_line) {
        parser_error(p, p->line, "second section [machine]; accepted: one, the first is on line %u",
                     p->machine_line);
        return;
    }
    p->machine_line = p->line;
    p->section = &section_machine;
}

static void open_vm(struct parser *p, struct slice name)
{
    struct vm_config *vm = &p->out->vms[p->out->nr_vms];

    if (p->out->nr_vms == VM_MAX) {
        parser_error(p, p->line, "too many VMs; accepted: at most %u", VM_MAX);
        return;
    }
    if (!name_good(name))
        parser_error(p, p->line,
                     "bad VM name \"%.*s\"; accepted: 1 to 31 characters of A-Z a-z 0-9 _ . -",
                     (int)MIN(name.n, 64), name.at);
    for (u32 i = 0; i < p->out->nr_vms; i++)
        if (name.n && slice_is(name, p->out->vms[i].name))
            parser_error(p, p->line, "second VM with the name \"%s\"", p->out->vms[i].name);
    vm_config_default(vm);
    fmt_print(vm->name, sizeof(vm->name), "%.*s", (int)MIN(name.n, VM_NAME), name.at);
    p->out->nr_vms++;
    p->vm = vm;
    p->section = &section_vm;
}

static void parse_section(struct parser *p, struct slice line)
{
    struct slice inner = {line.at + 1, line.n - 1};
    struct slice body = slice_cut(&inner, ']');
    bool closed = inner.at != NULL && slice_trim(inner).n == 0;

    close_section(p);
    memset(p->key_line, 0, sizeof(p->key_line));
    memset(p->key_good, 0, sizeof(p->key_good));
    p->section_line = p->line;
    if (closed && slice_is(body, "machine"))
        open_machine(p);
    else if (closed && body.n > 2 && memcmp(body.at, "vm", 2) == 0 && !is_name_char(body.at[2]))
        open_vm(p, slice_trim((struct slice){body.at + 2, body.n - 2}));
    else
        parser_error(p, p->line, "bad section \"%.*s\"; accepted: [machine], [vm NAME]",
                     (int)MIN(line.n, 64), line.at);
    p->skip = !p->section;
}

/* ---- lines ---- */

/* A '#' after a blank begins a comment. */
static struct slice cut_comment(struct slice s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.at[i] == '#' && (s.at[i - 1] == ' ' || s.at[i - 1] == '\t'))
            return slice_trim((struct slice){s.at, i});
    return s;
}

static void parse_key(struct parser *p, struct slice name)
{
    const struct key *k = key_find(p->section, name);
    void *base = p->vm ? (void *)p->vm : (void *)p->out;
    struct text t = {0};
    size_t i;

    if (!k) {
        section_add_keys(&t, p->section);
        parser_error(p, p->line, "unknown key \"%.*s\"; accepted in [%s]: %s", (int)MIN(name.n, 64),
                     name.at, p->section->name, t.buf);
        return;
    }
    i = (size_t)(k - p->section->keys);
    if (p->key_line[i] && !(k->flags & KEY_REPEAT)) {
        parser_error(p, p->line, "second key \"%s\" in this section; the first is on line %u",
                     k->name, p->key_line[i]);
        return;
    }
    p->key = k;
    if (!(k->flags & KEY_REST))
        p->value = cut_comment(p->value);
    p->key_line[i] = p->line;
    p->key_good[i] = k->parse(p, (char *)base + k->offset);
}

/* True when every byte is printable ASCII or a tab; else reports the first other one. */
static bool check_bytes(struct parser *p, struct slice line)
{
    for (size_t i = 0; i < line.n; i++) {
        u8 c = (u8)line.at[i];

        if ((c >= 0x20 && c < 0x7f) || c == '\t')
            continue;
        parser_error(p, p->line, "byte 0x%02x in column %lu; accepted: printable ASCII and tabs", c,
                     i + 1);
        return false;
    }
    return true;
}

static void parse_line(struct parser *p, struct slice line)
{
    struct slice name;

    if (!check_bytes(p, line))
        return;
    line = slice_trim(line);
    if (line.n == 0 || line.at[0] == '#')
        return;
    if (line.at[0] == '[') {
        parse_section(p, cut_comment(line));
        return;
    }
    if (p->skip)
        return;
    p->value = line;
    name = slice_cut(&p->value, '=');
    if (!p->value.at) {
        parser_error(p, p->line, "no '=' in \"%.*s\"; accepted: KEY = VALUE, [machine], [vm NAME]",
                     (int)MIN(line.n, 64), line.at);
        return;
    }
    p->value = slice_trim(p->value);
    if (p->section)
        parse_key(p, name);
    else
        parser_error(p, p->line,
                     "key \"%.*s\" outside a section; accepted: after [machine] or "
                     "[vm NAME]",
                     (int)MIN(name.n, 64), name.at);
}

static struct slice take_line(const char *text, size_t size, size_t *at)
{
    size_t begin = *at, end = begin;

    while (end < size && text[end] != '\n')
        end++;
    *at = end + 1;
    if (end > begin && text[end - 1] == '\r')
        end--;
    return (struct slice){text + begin, end - begin};
}

int manifest_parse(struct machine_config *out, const char *text, size_t size,
                   const struct manifest_env *env)
{
    struct parser p = {.env = env, .out = out};

    machine_config_default(out);
    for (size_t at = 0; at < size;) {
        p.line++;
        parse_line(&p, take_line(text, size, &at));
    }
    close_section(&p);
    if (!p.errors && out->nr_vms == 0)
        parser_error(&p, MAX(p.line, 1u), "no VM; accepted: at least one section [vm NAME]");
    if (p.errors == 0)
        return 0;
    out->nr_vms = 0;
    return -HV_EINVAL;
}

/* ---- which module is the manifest ---- */

bool manifest_is(const struct boot_module *m)
{
    const size_t suffix = sizeof(MANIFEST_SUFFIX) - 1, magic = sizeof(MANIFEST_MAGIC) - 1;
    struct slice name = module_name(m);
    struct slice rest = {name.at + name.n, strlen(name.at + name.n)};

    if (name.n >= suffix && memcmp(name.at + name.n - suffix, MANIFEST_SUFFIX, suffix) == 0)
        return true;
    rest = slice_trim(rest);
    if (slice_is(slice_cut(&rest, ' '), "manifest"))
        return true;
    return m->end - m->start >= magic &&
           memcmp((const void *)(uintptr_t)m->start, MANIFEST_MAGIC, magic) == 0;
}

int manifest_load(struct machine_config *out, const struct manifest_env *env)
{
    const struct boot_module *found = NULL;
    struct manifest_env named = *env;
    struct text t = {0};

    for (u32 i = 0; i < env->nr_modules; i++) {
        const struct boot_module *m = &env->modules[i];

        if (!manifest_is(m))
            continue;
        if (found) {
            text_add(&t, "modules \"%s\" and \"%s\" are both manifests; accepted: one",
                     found->cmdline, m->cmdline);
            env->error(env->ctx, t.buf);
            return -HV_EEXIST;
        }
        found = m;
    }
    if (!found)
        return manifest_default(out, env);
    text_add(&t, "%.*s", (int)module_name(found).n, module_name(found).at);
    named.file = t.n ? t.buf : "manifest";
    return manifest_parse(out, (const char *)(uintptr_t)found->start, found->end - found->start,
                          &named);
}

/* ---- without a manifest ---- */

/* Names the VM after its image, with '_' for what a name cannot hold. */
static void name_default(struct vm_config *vm, const struct boot_module *m)
{
    struct slice base = slice_base(module_name(m));

    if (!base.n)
        base = (struct slice){"guest", 5};
    fmt_print(vm->image_name, sizeof(vm->image_name), "%.*s", (int)base.n, base.at);
    fmt_print(vm->name, sizeof(vm->name), "%.*s", (int)base.n, base.at);
    for (char *c = vm->name; *c; c++)
        if (!is_name_char(*c))
            *c = '_';
}

static int default_refuse(const struct manifest_env *env, int error, const char *reason)
{
    env->error(env->ctx, reason);
    return error;
}

int manifest_default(struct machine_config *out, const struct manifest_env *env)
{
    struct vm_config *vm = &out->vms[0];
    struct slice name;

    machine_config_default(out);
    if (env->nr_modules == 0)
        return default_refuse(env, -HV_ENOENT,
                              "no modules: pass a guest kernel, or a manifest (NAME.toll) with the "
                              "images it names, as modules of the boot loader");
    if (env->nr_modules - 1 > VM_MAX_MODULES)
        return default_refuse(env, -HV_E2BIG, "too many modules without a manifest: at most 9");
    vm_config_default(vm);
    vm->memory = ALIGN_DOWN(MIN(DEFAULT_MEMORY, env->free_bytes / 4 * 3), 2 * MIB);
    if (vm->memory < VM_MIN_MEMORY)
        return default_refuse(env, -HV_ENOMEM, "too little free memory for a VM: 3 MiB needed");
    name_default(vm, &env->modules[0]);
    vm->image_start = env->modules[0].start;
    vm->image_end = env->modules[0].end;
    name = module_name(&env->modules[0]);
    name = slice_trim((struct slice){name.at + name.n, strlen(name.at + name.n)});
    fmt_print(vm->cmdline, sizeof(vm->cmdline), "%.*s", (int)name.n, name.at);
    for (u32 i = 1; i < env->nr_modules; i++) {
        struct vm_module *m = &vm->modules[vm->nr_modules++];

        m->start = env->modules[i].start;
        m->end = env->modules[i].end;
        fmt_print(m->cmdline, sizeof(m->cmdline), "%s", env->modules[i].cmdline);
    }
    out->nr_vms = 1;
    return 0;
}

/* ---- reference ---- */

void manifest_print_keys(void (*line)(void *ctx, const char *text), void *ctx)
{
    static const struct section *const all[] = {&section_machine, &section_vm};
    static const char *const heads[] = {"### `[machine]`", "### `[vm NAME]`"};

    for (u32 s = 0; s < ARRAY_SIZE(all); s++) {
        line(ctx, heads[s]);
        line(ctx, "");
        line(ctx, "| key | accepted | meaning |");
        line(ctx, "|---|---|---|");
        for (u32 i = 0; i < all[s]->nr_keys; i++) {
            const struct key *k = &all[s]->keys[i];
            struct text t = {0};

            text_add(&t, "| `%s` | ", k->name);
            key_add_accepted(&t, k, NULL);
            text_add(&t, " | %s%s |", k->help, k->flags & KEY_REQUIRED ? " (required)" : "");
            line(ctx, t.buf);
        }
        line(ctx, "");
    }
}
