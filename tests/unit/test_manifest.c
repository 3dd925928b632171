/* SPDX-License-Identifier: MIT */
/*
 * The manifest: what each key gives, every refusal with its line and text, the default VM, which
 * module is a manifest, the reference table in hv/load/README.md, the examples, and random text.
 */
#include "hv/load/manifest.c"

#include "hv/lib/format.c"
#include "hv/load/elf.c"
#include "hv/load/kernel.c"
#include "hv/load/keys.c"
#include "hv/load/load.c"
#include "hv/load/multiboot.c"
#include "hv/load/raw.c"
#include "hv/vm/config.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_LINES 64

static u8 data[4][1024]; /* the modules' bytes */
static struct boot_module modules[BOOT_MAX_MODULES];
static struct manifest_env env;
static struct machine_config machine;
static char lines[MAX_LINES][1100];
static u32 nr_lines;

static void take_error(void *ctx, const char *line)
{
    assert_ptr_equal(ctx, &env);
    assert_true(nr_lines < MAX_LINES);
    snprintf(lines[nr_lines++], sizeof(lines[0]), "%s", line);
}

static void set_module(u32 i, const char *cmdline, const void *from, u64 size)
{
    modules[i].start = (uintptr_t)from;
    modules[i].end = modules[i].start + size;
    strcpy(modules[i].cmdline, cmdline);
}

static int setup(void **state)
{
    (void)state;
    memset(modules, 0, sizeof(modules));
    memset(data, 0, sizeof(data));
    nr_lines = 0;
    set_module(0, "/boot/demo.toll", data[0], 100);
    set_module(1, "/boot/k.elf quick", data[1], 512);
    set_module(2, "disk.img", data[2], 1024);
    set_module(3, "a/nothing", data[3], 0);
    env = (struct manifest_env){.file = "demo.toll", .modules = modules, .nr_modules = 4,
                                .free_bytes = GIB, .cpus = 4, .error = take_error, .ctx = &env};
    return 0;
}

/* Parses text[size] from memory that ends where it ends. */
static int parse_bytes(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    int error;

    memcpy(copy + 1, text, size);
    nr_lines = 0;
    error = manifest_parse(&machine, copy + 1, size, &env);
    free(copy);
    return error;
}

static int parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void accepts(const char *text)
{
    int error = parse(text);

    if (nr_lines || error)
        fail_msg("refused: %s", lines[0]);
}

/* The text must be refused with exactly this one message. */
static void refuses(const char *text, const char *message)
{
    assert_int_equal(parse(text), -HV_EINVAL);
    assert_int_equal(machine.nr_vms, 0);
    assert_string_equal(lines[0], message);
    if (nr_lines != 1)
        fail_msg("also: %s", lines[1]);
}

#define BASE "[vm a]\nimage = k.elf\nmemory = 16M\n" /* the next line is 4 */

/* A fourth line of a good VM must be refused with "demo.toll:4: " and this. */
static void refuses_key(const char *line, const char *message)
{
    char text[4096], want[2048];

    snprintf(text, sizeof(text), BASE "%s\n", line);
    snprintf(want, sizeof(want), "demo.toll:4: %s", message);
    refuses(text, want);
}

#define RAW "[vm r]\nimage = disk.img\nmemory = 16M\nformat = raw\n" /* the next line is 5 */

#define PRESENT "; present: /boot/k.elf, disk.img, a/nothing"

/* ---- what is accepted ---- */

static void every_key_reaches_its_field(void **state)
{
    const struct vm_config *c = &machine.vms[0];

    (void)state;
    accepts("# comment\r\n"
            "[machine]\r\n"
            "pool_pages = 77\n"
            "trace_records=0x100 # comment\n"
            "\n"
            "  [ vm  first-1.x_Y ]  # comment\n"
            "\tmemory\t=\t64M\t# comment\n"
            "vcpus = 3\nimage = k.elf\n"
            "cpus = 0, 2-3\n"
            "module = disk.img  a=b # not a comment\n"
            "cmdline =  run all # 3 \n"
            "format = multiboot\nloop = measure\nfill = boot\nzero = inline\npage = 1g\n"
            "quantum = 500\nhypercalls = off\ntrace = off\nnrip = off\nasid = off\n"
            "clean_bits = off\n"
            "intercept = cr3, msr,exceptions\n"
            "inject = cpuid:100\ninject = drain : 0x10\n");
    assert_int_equal(machine.pool_pages, 77);
    assert_int_equal(machine.trace_records, 256);
    assert_int_equal(machine.nr_vms, 1);
    assert_string_equal(c->name, "first-1.x_Y");
    assert_int_equal(c->memory, 64 * MIB);
    assert_int_equal(c->vcpus, 3);
    assert_int_equal(c->cpu_mask, 0xd);
    assert_string_equal(c->image_name, "k.elf");
    assert_int_equal(c->image_start, (uintptr_t)data[1]);
    assert_int_equal(c->image_end, (uintptr_t)data[1] + 512);
    assert_int_equal(c->nr_modules, 1);
    assert_int_equal(c->modules[0].start, (uintptr_t)data[2]);
    assert_int_equal(c->modules[0].end, (uintptr_t)data[2] + 1024);
    assert_string_equal(c->modules[0].cmdline, "disk.img  a=b # not a comment");
    assert_string_equal(c->cmdline, "run all # 3");
    assert_int_equal(c->format, VM_FORMAT_MULTIBOOT);
    assert_int_equal(c->loop, VM_LOOP_MEASURE);
    assert_int_equal(c->fill, VM_FILL_BOOT);
    assert_int_equal(c->zero, VM_ZERO_INLINE);
    assert_int_equal(c->page, VM_PAGE_1G);
    assert_int_equal(c->quantum_us, 500);
    assert_false(c->hypercalls || c->trace || c->nrip || c->asid || c->clean_bits);
    assert_int_equal(c->intercept,
                     VM_INTERCEPT_CR3 | VM_INTERCEPT_MSR | VM_INTERCEPT_EXCEPTIONS);
    assert_int_equal(c->nr_injects, 2);
    assert_int_equal(c->injects[0].account, EXIT_CPUID);
    assert_int_equal(c->injects[0].ticks, 100);
    assert_int_equal(c->injects[1].account, EXIT_KIND_COUNT + ACCOUNT_DRAIN);
    assert_int_equal(c->injects[1].ticks, 16);
}

/* Parses one key after a good VM and returns the VM. */
static const struct vm_config *with(const char *line)
{
    char text[4096];

    snprintf(text, sizeof(text), BASE "%s", line);
    accepts(text);
    return &machine.vms[0];
}

static void words_follow_the_enums(void **state)
{
    static const char *const bits[] = {"cr0", "cr3",   "cr4",   "cr8", "invlpg",
                                       "rdtsc", "pause", "msr", "exceptions"};
    char line[64];

    (void)state;
    assert_int_equal(with("format = auto")->format, VM_FORMAT_AUTO);
    assert_int_equal(with("loop = plain")->loop, VM_LOOP_PLAIN);
    assert_int_equal(with("fill = touch")->fill, VM_FILL_TOUCH);
    assert_int_equal(with("zero = pool")->zero, VM_ZERO_POOL);
    assert_int_equal(with("page = 4k")->page, VM_PAGE_4K);
    assert_int_equal(with("page = 2m")->page, VM_PAGE_2M);
    assert_true(with("nrip = on")->nrip);
    assert_int_equal(with("cpus = all")->cpu_mask, 0);
    assert_int_equal(with("intercept = none")->intercept, 0);
    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        snprintf(line, sizeof(line), "intercept = %s", bits[i]);
        assert_int_equal(with(line)->intercept, 1 << i);
    }
    assert_string_equal(with("cmdline =")->cmdline, "");
}

static void raw_keys_reach_their_fields(void **state)
{
    const struct vm_config *c = &machine.vms[0];

    (void)state;
    accepts(RAW "load = 0x7c00\nstart = real");
    assert_int_equal(c->format, VM_FORMAT_RAW);
    assert_int_equal(c->load, 0x7c00);
    assert_int_equal(c->entry, 0x7c00);
    assert_int_equal(c->start, VM_START_REAL);
    accepts(RAW "load = 1048576\nstart = long\nentry = 0x100010");
    assert_int_equal(c->load, MIB);
    assert_int_equal(c->entry, MIB + 16);
    assert_int_equal(c->start, VM_START_LONG);
    accepts(RAW "load = 1048576\nstart = protected");
    assert_int_equal(c->start, VM_START_PROTECTED);
}

static void several_vms_keep_apart(void **state)
{
    (void)state;
    accepts(BASE "vcpus = 2\n[vm b]\nimage = /boot/k.elf\nmemory = 4096K\n[machine]\n"
                 "[vm c]\nmemory=1048576\nimage=disk.img");
    assert_int_equal(machine.nr_vms, 3);
    assert_int_equal(machine.vms[0].vcpus, 2);
    assert_int_equal(machine.vms[1].vcpus, 1);
    assert_int_equal(machine.vms[1].memory, 4 * MIB);
    assert_string_equal(machine.vms[1].image_name, "k.elf");
    assert_int_equal(machine.vms[2].memory, MIB);
    assert_true(machine.pool_pages > 0);
}

/* ---- what is refused ---- */

static void bad_lines_are_refused(void **state)
{
    (void)state;
    refuses_key("memroy = 1M",
                "unknown key \"memroy\"; accepted in [vm]: memory, vcpus, cpus, image, module, "
                "cmdline, format, load, entry, start, loop, fill, zero, page, quantum, hypercalls, "
                "trace, nrip, asid, clean_bits, intercept, inject");
    refuses_key("vcpus 3", "no '=' in \"vcpus 3\"; accepted: KEY = VALUE, [machine], [vm NAME]");
    refuses_key("cmdline = gr\xc3\xbc\xc3\x9f",
                "byte 0xc3 in column 13; accepted: printable ASCII and tabs");
    refuses_key("cmdline = \x7f", "byte 0x7f in column 11; accepted: printable ASCII and tabs");
    refuses_key("a\rb", "byte 0x0d in column 2; accepted: printable ASCII and tabs");
    refuses("vcpus = 1\n" BASE,
            "demo.toll:1: key \"vcpus\" outside a section; accepted: after [machine] or [vm NAME]");
    refuses("[machine]\nmemory = 1M\n" BASE,
            "demo.toll:2: unknown key \"memory\"; accepted in [machine]: pool_pages, "
            "trace_records");
    assert_int_equal(parse_bytes(BASE "vcpus = 1\0", sizeof(BASE "vcpus = 1\0") - 1), -HV_EINVAL);
    assert_string_equal(
        lines[0], "demo.toll:4: byte 0x00 in column 10; accepted: printable ASCII and tabs");
    refuses("", "demo.toll:1: no VM; accepted: at least one section [vm NAME]");
    refuses("[machine]\n# nothing\n",
            "demo.toll:2: no VM; accepted: at least one section [vm NAME]");
}

static void bad_sections_are_refused(void **state)
{
    (void)state;
    refuses("[vn a]\nx\n" BASE, "demo.toll:1: bad section \"[vn a]\"; accepted: [machine], [vm NAME]");
    refuses("[vm a\n" BASE, "demo.toll:1: bad section \"[vm a\"; accepted: [machine], [vm NAME]");
    refuses("[vm a] b\n" BASE,
            "demo.toll:1: bad section \"[vm a] b\"; accepted: [machine], [vm NAME]");
    refuses("[vm]\n" BASE, "demo.toll:1: bad section \"[vm]\"; accepted: [machine], [vm NAME]");
    refuses("[]\n" BASE, "demo.toll:1: bad section \"[]\"; accepted: [machine], [vm NAME]");
    refuses("[machine]\n[machine]\npool_pages = x\n" BASE,
            "demo.toll:2: second section [machine]; accepted: one, the first is on line 1");
    refuses("[vm a b]\nimage = k.elf\nmemory = 1M",
            "demo.toll:1: bad VM name \"a b\"; accepted: 1 to 31 characters of A-Z a-z 0-9 _ . -");
    refuses("[vm x2345678901234567890123456789012]\nimage = k.elf\nmemory = 1M",
            "demo.toll:1: bad VM name \"x2345678901234567890123456789012\"; accepted: 1 to 31 "
            "characters of A-Z a-z 0-9 _ . -");
    accepts("[vm x234567890123456789012345678901]\nimage = k.elf\nmemory = 1M");
}

static void duplicates_are_refused(void **state)
{
    (void)state;
    refuses_key("memory = 32M",
                "second key \"memory\" in this section; the first is on line 3");
    refuses("[machine]\npool_pages = 1\npool_pages = 1\n" BASE,
            "demo.toll:3: second key \"pool_pages\" in this section; the first is on line 2");
    refuses(BASE "\n" BASE, "demo.toll:5: second VM with the name \"a\"");
    refuses_key("module = disk.img\nmodule = nothing\n#\nmodule = disk.img x" + 0,
                "x") ;
}

int main(void)
{
    return 0;
}
