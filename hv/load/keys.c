/* SPDX-License-Identifier: MIT */
/*
 * The manifest's key tables, the parsers of their values, and what each key accepts.
 */
#include "hv/load/keys.h"

#include "hv/lib/format.h"
#include "hv/lib/string.h"

#define SHOWN 64 /* characters of a refused value that a message repeats */

/* ---- text and slices ---- */

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(t->buf + t->n, sizeof(t->buf) - t->n, fmt, ap);
    va_end(ap);
    t->n = MIN(t->n + (size_t)n, sizeof(t->buf) - 1);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_blank(s.at[0])) {
        s.at++;
        s.n--;
    }
    while (s.n && is_blank(s.at[s.n - 1]))
        s.n--;
    return s;
}

bool slice_is(struct slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

struct slice slice_cut(struct slice *s, char separator)
{
    struct slice head = *s;

    for (size_t i = 0; i < s->n; i++) {
        if (s->at[i] != separator)
            continue;
        head.n = i;
        *s = (struct slice){s->at + i + 1, s->n - i - 1};
        return slice_trim(head);
    }
    *s = (struct slice){NULL, 0};
    return slice_trim(head);
}

static struct slice first_word(struct slice s)
{
    size_t n = 0;

    s = slice_trim(s);
    while (n < s.n && !is_blank(s.at[n]))
        n++;
    return (struct slice){s.at, n};
}

struct slice module_name(const struct boot_module *m)
{
    return first_word((struct slice){m->cmdline, strnlen(m->cmdline, sizeof(m->cmdline))});
}

struct slice slice_base(struct slice path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.at[i - 1] == '/')
            return (struct slice){path.at + i, path.n - i};
    return path;
}

/* ---- messages ---- */

void parser_error(struct parser *p, u32 line, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;
    int n;

    p->errors++;
    if (p->errors > MANIFEST_MAX_ERRORS + 1)
        return;
    if (p->errors > MANIFEST_MAX_ERRORS) {
        text_add(&t, "%s: further mistakes are not shown", p->env->file);
        p->env->error(p->env->ctx, t.buf);
        return;
    }
    text_add(&t, "%s:%u: ", p->env->file, line);
    va_start(ap, fmt);
    n = fmt_vprint(t.buf + t.n, sizeof(t.buf) - t.n, fmt, ap);
    va_end(ap);
    (void)n; /* a message that does not fit is cut off */
    p->env->error(p->env->ctx, t.buf);
}

/* Refuses the value in work, for a reason or (NULL) because it is none of the accepted. */
static bool refuse(struct parser *p, const char *reason)
{
    struct text accepted = {0};
    struct slice v = p->value;

    key_add_accepted(&accepted, p->key, p->env);
    parser_error(p, p->line, "%s = \"%.*s%s\": %s%saccepted: %s", p->key->name,
                 (int)MIN(v.n, SHOWN), v.at, v.n > SHOWN ? "..." : "", reason ? reason : "",
                 reason ? "; " : "", accepted.buf);
    return false;
}

/* ---- numbers ---- */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* Takes a decimal or 0x number off the front of *s. Returns NULL or what is wrong. */
static const char *take_number(struct slice *s, u64 *value)
{
    bool hex = s->n > 2 && s->at[0] == '0' && (s->at[1] == 'x' || s->at[1] == 'X');
    u64 base = hex ? 16 : 10;
    size_t first = hex ? 2 : 0, i = first;

    for (*value = 0; i < s->n && (u64)digit_value(s->at[i]) < base; i++)
        if (__builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, (u64)digit_value(s->at[i]), value))
            return "number too large for 64 bits";
    if (i == first)
        return "not a number";
    *s = (struct slice){s->at + i, s->n - i};
    return NULL;
}

static bool store_number(struct parser *p, void *field, const char *reason, u64 value)
{
    if (!reason && (value < p->key->min || value > p->key->max))
        reason = "out of range";
    if (reason)
        return refuse(p, reason);
    if ((p->key->flags & KEY_POWER_OF_2) && (value & (value - 1)))
        return refuse(p, "not a power of two");
    memcpy(field, &value, p->key->size); /* little-endian: the low bytes are the number */
    return true;
}

static bool read_number(struct parser *p, void *field)
{
    struct slice s = p->value;
    u64 value;
    const char *reason = take_number(&s, &value);

    if (!reason && s.n)
        reason = "text after the number";
    return store_number(p, field, reason, value);
}

static bool read_size(struct parser *p, void *field)
{
    static const char suffixes[] = "KMG";
    struct slice s = p->value;
    u64 value;
    const char *reason = take_number(&s, &value);
    const char *suffix = !reason && s.n ? strchr(suffixes, s.at[0]) : NULL;

    if (suffix) {
        s.at++;
        s.n--;
        if (__builtin_mul_overflow(value, KIB << 10 * (suffix - suffixes), &value))
            reason = "number too large for 64 bits";
    }
    if (!reason && s.n)
        reason = "text after the number";
    if (!reason && value % PAGE_SIZE)
        reason = "not a multiple of 4K";
    return store_number(p, field, reason, value);
}

/* ---- words ---- */

static bool slice_same(struct slice a, struct slice b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

/* The place of word in the key's list of words, or -1. */
static int word_index(const struct key *k, struct slice word)
{
    struct slice list = {k->words, strlen(k->words)};

    for (int i = 0; list.at; i++)
        if (slice_same(slice_cut(&list, ','), word))
            return i;
    return -1;
}

static bool read_choice(struct parser *p, void *field)
{
    int i = word_index(p->key, p->value);
    u64 value = (u64)i;

    if (i < 0)
        return refuse(p, NULL);
    memcpy(field, &value, p->key->size);
    return true;
}

static bool read_intercept(struct parser *p, void *field)
{
    struct slice list = p->value;
    u32 mask = 0;

    if (slice_is(p->value, "none"))
        list.at = NULL;
    while (list.at) {
        int i = word_index(p->key, slice_cut(&list, ','));

        if (i <= 0)
            return refuse(p, NULL);
        if (mask & BIT(i - 1))
            return refuse(p, "given twice");
        mask |= BIT(i - 1);
    }
    *(u32 *)field = mask;
    return true;
}

static bool read_text(struct parser *p, void *field)
{
    char *to = field;

    if (p->value.n >= p->key->size)
        return refuse(p, "too long");
    memcpy(to, p->value.at, p->value.n);
    to[p->value.n] = '\0';
    return true;
}

/* ---- CPUs ---- */

/* Adds one "3" or "0-3" to *mask. Returns NULL or what is wrong. */
static const char *add_cpus(struct slice word, u32 cpus, u64 *mask)
{
    u64 from, to;
    const char *reason = take_number(&word, &from);

    to = from;
    if (!reason && word.n && word.at[0] == '-') {
        word = (struct slice){word.at + 1, word.n - 1};
        reason = take_number(&word, &to);
    }
    if (reason)
        return reason;
    if (word.n)
        return "text after the number";
    if (to < from)
        return "range runs backwards";
    if (to >= MIN(cpus, 64u))
        return "no such CPU";
    for (; from <= to; from++) {
        if (*mask & BIT64(from))
            return "CPU given twice";
        *mask |= BIT64(from);
    }
    return NULL;
}

static bool read_cpus(struct parser *p, void *field)
{
    struct slice list = p->value;
    const char *reason = NULL;
    u64 mask = 0;

    if (slice_is(p->value, "all"))
        list.at = NULL;
    while (list.at && !reason)
        reason = add_cpus(slice_cut(&list, ','), p->env->cpus, &mask);
    if (reason)
        return refuse(p, reason);
    *(u64 *)field = mask;
    return true;
}

/* ---- modules ---- */

/* Finds the module with this name, or else the one whose base name it is. NULL: refused. */
static const struct boot_module *find_module(struct parser *p, struct slice name)
{
    const struct boot_module *found[2] = {NULL, NULL};
    u32 hits[2] = {0, 0};

    for (u32 i = 0; i < p->env->nr_modules; i++) {
        const struct boot_module *m = &p->env->modules[i];
        struct slice full = module_name(m);
        u32 kind = !slice_same(full, name);

        if (!name.n || manifest_is(m) || (kind && !slice_same(slice_base(full), name)))
            continue;
        found[kind] = m;
        hits[kind]++;
    }
    for (u32 kind = 0; kind < 2; kind++) {
        if (hits[kind] == 1)
            return found[kind];
        if (hits[kind] > 1) {
            refuse(p, "several modules have this name");
            return NULL;
        }
    }
    refuse(p, "no such module");
    return NULL;
}

/* The field of the key is vm->image_name; start and end go with it. */
static bool read_image(struct parser *p, void *field)
{
    struct slice base = slice_base(p->value);
    const struct boot_module *m = find_module(p, p->value);

    if (!m)
        return false;
    if (m->end <= m->start)
        return refuse(p, "this module is empty");
    if (base.n >= p->key->size)
        return refuse(p, "name longer than 31 characters");
    fmt_print(field, p->key->size, "%.*s", (int)base.n, base.at);
    p->vm->image_start = m->start;
    p->vm->image_end = m->end;
    return true;
}

static bool read_module(struct parser *p, void *field)
{
    struct vm_config *vm = p->vm;
    struct vm_module *to = (struct vm_module *)field + vm->nr_modules;
    const struct boot_module *m;

    if (vm->nr_modules == VM_MAX_MODULES)
        return refuse(p, "too many modules");
    if (p->value.n >= sizeof(to->cmdline))
        return refuse(p, "too long");
    m = find_module(p, first_word(p->value));
    if (!m)
        return false;
    for (u32 i = 0; i < vm->nr_modules; i++)
        if (vm->modules[i].start == m->start)
            return refuse(p, "this VM has the module already");
    to->start = m->start;
    to->end = m->end;
    fmt_print(to->cmdline, sizeof(to->cmdline), "%.*s", (int)p->value.n, p->value.at);
    vm->nr_modules++;
    return true;
}

/* ---- injection ---- */

static const char *const account_names[ACCOUNT_TOTAL] = {
#define NAME_OF(name, text, help) text,
    EXIT_KINDS(NAME_OF) ACCOUNT_KINDS(NAME_OF)
#undef NAME_OF
};

/* Guest code cannot be spun in, and the plain loop splits nothing. */
static bool account_injects(u32 account)
{
    return account != EXIT_KIND_COUNT + ACCOUNT_GUEST && account != EXIT_KIND_COUNT + ACCOUNT_PLAIN;
}

/* Finds an account that can be injected. Returns NULL or what is wrong. */
static const char *find_account(struct slice name, const struct vm_config *vm, u32 *account)
{
    for (*account = 0; *account < ACCOUNT_TOTAL; ++*account)
        if (slice_is(name, account_names[*account]))
            break;
    if (*account == ACCOUNT_TOTAL)
        return "unknown kind";
    if (!account_injects(*account))
        return "cannot be injected";
    for (u32 i = 0; i < vm->nr_injects; i++)
        if (vm->injects[i].account == *account)
            return "this VM injects it already";
    return NULL;
}

static bool read_inject(struct parser *p, void *field)
{
    struct vm_config *vm = p->vm;
    struct vm_inject *to = (struct vm_inject *)field + vm->nr_injects;
    struct slice ticks = p->value, kind = slice_cut(&ticks, ':');
    const char *reason;
    u64 value = 0;
    u32 account;

    if (vm->nr_injects == VM_MAX_INJECTS)
        return refuse(p, "too many injections");
    reason = ticks.at ? find_account(kind, vm, &account) : "no ':'";
    if (!reason) {
        ticks = slice_trim(ticks);
        reason = take_number(&ticks, &value);
    }
    if (!reason && ticks.n)
        reason = "text after the number";
    if (!reason && (value < p->key->min || value > p->key->max))
        reason = "ticks out of range";
    if (reason)
        return refuse(p, reason);
    *to = (struct vm_inject){.account = account, .ticks = value};
    vm->nr_injects++;
    return true;
}

/* ---- the tables ---- */

#define SIZE_OF(f) sizeof(((struct vm_config *)0)->f)
#define VM(f)      .offset = offsetof(struct vm_config, f), .size = SIZE_OF(f)
#define MACHINE(f) .offset = offsetof(struct machine_config, f), .size = sizeof(u32)
#define SWITCH     .parse = read_choice, .words = "off, on"

/* clang-format off */
static const struct key machine_keys[] = {
    {.name = "pool_pages", .parse = read_number, MACHINE(pool_pages), .max = 1 << 20,
     .help = "zeroed 4 KiB pages kept ready for first touches"},
    {.name = "trace_records", .parse = read_number, MACHINE(trace_records), .max = 1 << 20,
     .flags = KEY_POWER_OF_2, .accepted = "0, or a power of two up to 1048576",
     .help = "records in each CPU's trace ring"},
};

/* The words of a choice stand in the order of its enum in hv/vm/config.h. */
static const struct key vm_keys[] = {
    {.name = "memory", .parse = read_size, VM(memory), .flags = KEY_REQUIRED,
     .min = VM_MIN_MEMORY, .max = VM_MAX_MEMORY,
     .accepted = "1M to 1024G, a multiple of 4K, with suffix K, M, G or none for bytes",
     .help = "memory of the guest"},
    {.name = "vcpus", .parse = read_number, VM(vcpus), .min = 1, .max = VM_MAX_VCPUS,
     .help = "virtual CPUs"},
    {.name = "cpus", .parse = read_cpus, VM(cpu_mask),
     .accepted = "all, or a list of numbers and ranges such as 0-3,5",
     .help = "physical CPUs its virtual CPUs may run on"},
    {.name = "image", .parse = read_image, VM(image_name), .accepted = "the name of a module",
     .flags = KEY_REQUIRED | KEY_NAMES_MODULE, .help = "what to boot"},
    {.name = "module", .parse = read_module, VM(modules),
     .accepted = "the name of a module, then its arguments; at most 8, up to 1023 characters each",
     .flags = KEY_REPEAT | KEY_REST | KEY_KERNEL | KEY_NAMES_MODULE,
     .help = "module handed to the guest"},
    {.name = "cmdline", .parse = read_text, VM(cmdline), .flags = KEY_REST | KEY_KERNEL,
     .accepted = "the rest of the line, up to 1023 characters",
     .help = "command line of the guest"},
    {.name = "format", .parse = read_choice, VM(format), .words = "auto, multiboot, raw",
     .help = "what the image is; auto takes a multiboot kernel"},
    {.name = "load", .parse = read_number, VM(load), .max = UINT64_MAX, .flags = KEY_RAW,
     .accepted = "an address, decimal or 0x hexadecimal", .help = "where a raw image is placed"},
    {.name = "entry", .parse = read_number, VM(entry), .max = UINT64_MAX, .flags = KEY_RAW,
     .accepted = "an address inside the image; without the key: that of load",
     .help = "where a raw image begins to execute"},
    {.name = "start", .parse = read_choice, VM(start), .words = "real, protected, long",
     .flags = KEY_RAW, .help = "processor mode a raw image begins in"},
    {.name = "loop", .parse = read_choice, VM(loop), .words = "plain, measure",
     .help = "run loop without or with stamps"},
    {.name = "fill", .parse = read_choice, VM(fill), .words = "touch, boot",
     .help = "when guest memory gets its pages"},
    {.name = "zero", .parse = read_choice, VM(zero), .words = "pool, inline",
     .help = "where a touched page's zeros come from"},
    {.name = "page", .parse = read_choice, VM(page), .words = "4k, 2m, 1g",
     .help = "largest nested mapping"},
    {.name = "quantum", .parse = read_number, VM(quantum_us), .min = 10, .max = 10000000,
     .help = "time slice in microseconds while others want the CPU"},
    {.name = "hypercalls", SWITCH, VM(hypercalls), .help = "offer hypercalls and their CPUID leaf"},
    {.name = "trace", SWITCH, VM(trace), .help = "keep trace records (measuring loop)"},
    {.name = "nrip", SWITCH, VM(nrip), .help = "take the next RIP from a CPU that gives it"},
    {.name = "asid", SWITCH, VM(asid), .help = "tag the TLB; off flushes it at every entry"},
    {.name = "clean_bits", SWITCH, VM(clean_bits), .help = "use VMCB clean bits where present"},
    {.name = "intercept", .parse = read_intercept, VM(intercept),
     .words = "none, cr0, cr3, cr4, cr8, invlpg, rdtsc, pause, msr, exceptions",
     .accepted = "; several with commas", .help = "intercepts added, to price them"},
    {.name = "inject", .parse = read_inject, VM(injects), .flags = KEY_REPEAT | KEY_MEASURE,
     .min = 1, .max = UINT32_MAX,
     .help = "ticks to spin inside each exit of a kind, or inside an account"},
};
/* clang-format on */

static_assert(ARRAY_SIZE(vm_keys) <= KEYS_MAX && ARRAY_SIZE(machine_keys) <= KEYS_MAX,
              "parser has a line number for each key");
static_assert(VM_MIN_MEMORY == MIB && VM_MAX_MEMORY == 1024 * GIB && VM_MAX_MODULES == 8 &&
                  VM_TEXT == 1024,
              "the accepted texts spell these");

const struct section section_machine = {"machine", machine_keys, ARRAY_SIZE(machine_keys)};
const struct section section_vm = {"vm", vm_keys, ARRAY_SIZE(vm_keys)};

const struct key *key_find(const struct section *s, struct slice name)
{
    for (u32 i = 0; i < s->nr_keys; i++)
        if (slice_is(name, s->keys[i].name))
            return &s->keys[i];
    return NULL;
}

void section_add_keys(struct text *t, const struct section *s)
{
    for (u32 i = 0; i < s->nr_keys; i++)
        text_add(t, "%s%s", i ? ", " : "", s->keys[i].name);
}

/* ---- accepted values ---- */

static void add_accounts(struct text *t, const struct key *k)
{
    text_add(t, "KIND:TICKS, at most %u, TICKS %lu to %lu, KIND one of ", VM_MAX_INJECTS, k->min,
             k->max);
    for (u32 i = 0; i < ACCOUNT_TOTAL; i++)
        if (account_injects(i))
            text_add(t, "%s%s", i ? ", " : "", account_names[i]);
}

static void add_modules(struct text *t, const struct manifest_env *env)
{
    u32 n = 0;

    text_add(t, "; present: ");
    for (u32 i = 0; i < env->nr_modules; i++) {
        struct slice name = module_name(&env->modules[i]);

        if (name.n && !manifest_is(&env->modules[i]))
            text_add(t, "%s%.*s", n++ ? ", " : "", (int)name.n, name.at);
    }
    if (n == 0)
        text_add(t, "none");
}

void key_add_accepted(struct text *t, const struct key *k, const struct manifest_env *env)
{
    if (k->parse == read_inject)
        add_accounts(t, k);
    else if (!k->words && !k->accepted)
        text_add(t, "%lu to %lu", k->min, k->max);
    text_add(t, "%s%s", k->words ? k->words : "", k->accepted ? k->accepted : "");
    if (env && k->parse == read_cpus)
        text_add(t, " of the CPUs 0 to %u", env->cpus - 1);
    if (env && (k->flags & KEY_NAMES_MODULE))
        add_modules(t, env);
}
