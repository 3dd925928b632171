/* SPDX-License-Identifier: MIT */
/*
 * The manifest: what each key gives, and every refusal with its line and text.
 */
#include "tests/unit/manifest_fixture.h"

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
    assert_int_equal(c->intercept, VM_INTERCEPT_CR3 | VM_INTERCEPT_MSR | VM_INTERCEPT_EXCEPTIONS);
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
    static const char *const bits[] = {"cr0",   "cr3",   "cr4", "cr8",       "invlpg",
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
    assert_string_equal(lines[0],
                        "demo.toll:4: byte 0x00 in column 10; accepted: printable ASCII and tabs");
    refuses("", "demo.toll:1: no VM; accepted: at least one section [vm NAME]");
    refuses("[machine]\n# nothing\n",
            "demo.toll:2: no VM; accepted: at least one section [vm NAME]");
}

static void bad_sections_are_refused(void **state)
{
    (void)state;
    refuses("[vn a]\nx\n" BASE,
            "demo.toll:1: bad section \"[vn a]\"; accepted: [machine], [vm NAME]");
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
    refuses_key("memory = 32M", "second key \"memory\" in this section; the first is on line 3");
    refuses("[machine]\npool_pages = 1\npool_pages = 1\n" BASE,
            "demo.toll:3: second key \"pool_pages\" in this section; the first is on line 2");
    refuses(BASE "\n" BASE, "demo.toll:5: second VM with the name \"a\"");
    refuses(BASE "module = disk.img\nmodule = nothing\n#\nmodule = disk.img x\n",
            "demo.toll:7: module = \"disk.img x\": this VM has the module already; accepted: the "
            "name of a module, then its arguments; at most 8, up to 1023 characters each" PRESENT);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    refuses_key("vcpus = two", "vcpus = \"two\": not a number; accepted: 1 to 64");
    refuses_key("vcpus =", "vcpus = \"\": not a number; accepted: 1 to 64");
    refuses_key("vcpus = -1", "vcpus = \"-1\": not a number; accepted: 1 to 64");
    refuses_key("vcpus = 0x", "vcpus = \"0x\": text after the number; accepted: 1 to 64");
    refuses_key("vcpus = 2 3", "vcpus = \"2 3\": text after the number; accepted: 1 to 64");
    refuses_key("vcpus = 2K", "vcpus = \"2K\": text after the number; accepted: 1 to 64");
    refuses_key("vcpus = 0", "vcpus = \"0\": out of range; accepted: 1 to 64");
    refuses_key("vcpus = 65", "vcpus = \"65\": out of range; accepted: 1 to 64");
    refuses_key("vcpus = 4294967297", "vcpus = \"4294967297\": out of range; accepted: 1 to 64");
    refuses_key(
        "vcpus = 18446744073709551616",
        "vcpus = \"18446744073709551616\": number too large for 64 bits; accepted: 1 to 64");
    refuses_key("vcpus = 0x10000000000000000",
                "vcpus = \"0x10000000000000000\": number too large for 64 bits; accepted: 1 to 64");
    refuses_key("quantum = 9", "quantum = \"9\": out of range; accepted: 10 to 10000000");
    refuses("[machine]\npool_pages = 1048577\n" BASE,
            "demo.toll:2: pool_pages = \"1048577\": out of range; accepted: 0 to 1048576");
    refuses("[machine]\ntrace_records = 1000\n" BASE,
            "demo.toll:2: trace_records = \"1000\": not a power of two; accepted: 0, or a power of "
            "two up to 1048576");
    accepts("[machine]\ntrace_records = 0\n" BASE);
}

#define SIZES "; accepted: 1M to 1024G, a multiple of 4K, with suffix K, M, G or none for bytes"

static void bad_sizes_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"64X", "text after the number"},
        {"64MB", "text after the number"},
        {"64 M", "text after the number"},
        {"", "not a number"},
        {"1025K", "not a multiple of 4K"},
        {"1048577", "not a multiple of 4K"},
        {"1020K", "out of range"},
        {"1025G", "out of range"},
        {"17179869184G", "number too large for 64 bits"},
        {"99999999999999999999", "number too large for 64 bits"},
    };
    char text[256], want[512];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text), "[vm a]\nmemory = %s\nimage = k.elf", cases[i][0]);
        snprintf(want, sizeof(want), "demo.toll:2: memory = \"%s\": %s" SIZES, cases[i][0],
                 cases[i][1]);
        refuses(text, want);
    }
}

static void bad_words_are_refused(void **state)
{
    (void)state;
    refuses_key("loop = fast", "loop = \"fast\": accepted: plain, measure");
    refuses_key("loop =", "loop = \"\": accepted: plain, measure");
    refuses_key("loop = plain, measure", "loop = \"plain, measure\": accepted: plain, measure");
    refuses_key("format = elf", "format = \"elf\": accepted: auto, multiboot, raw");
    refuses_key("fill = x", "fill = \"x\": accepted: touch, boot");
    refuses_key("zero = x", "zero = \"x\": accepted: pool, inline");
    refuses_key("page = 4K", "page = \"4K\": accepted: 4k, 2m, 1g");
    refuses_key("nrip = yes", "nrip = \"yes\": accepted: off, on");
    refuses(RAW "load = 0x7c00\nstart = virtual",
            "demo.toll:6: start = \"virtual\": accepted: real, protected, long");
}

#define INTERCEPTS                                                                                 \
    "accepted: none, cr0, cr3, cr4, cr8, invlpg, rdtsc, pause, msr, exceptions; several with "     \
    "commas"

static void bad_lists_are_refused(void **state)
{
    (void)state;
    refuses_key("intercept = cr0,cr2", "intercept = \"cr0,cr2\": " INTERCEPTS);
    refuses_key("intercept = cr0,", "intercept = \"cr0,\": " INTERCEPTS);
    refuses_key("intercept =", "intercept = \"\": " INTERCEPTS);
    refuses_key("intercept = none, cr0", "intercept = \"none, cr0\": " INTERCEPTS);
    refuses_key("intercept = cr0, cr0", "intercept = \"cr0, cr0\": given twice; " INTERCEPTS);
}

#define CPUS "; accepted: all, or a list of numbers and ranges such as 0-3,5 of the CPUs 0 to 3"

static void bad_cpus_are_refused(void **state)
{
    (void)state;
    refuses_key("cpus = 4", "cpus = \"4\": no such CPU" CPUS);
    refuses_key("cpus = 1-4", "cpus = \"1-4\": no such CPU" CPUS);
    refuses_key("cpus = 0-18446744073709551615",
                "cpus = \"0-18446744073709551615\": no such CPU" CPUS);
    refuses_key("cpus = 64", "cpus = \"64\": no such CPU" CPUS);
    refuses_key("cpus = 3-1", "cpus = \"3-1\": range runs backwards" CPUS);
    refuses_key("cpus = 0-2,1", "cpus = \"0-2,1\": CPU given twice" CPUS);
    refuses_key("cpus = 1,", "cpus = \"1,\": not a number" CPUS);
    refuses_key("cpus =", "cpus = \"\": not a number" CPUS);
    refuses_key("cpus = 1-", "cpus = \"1-\": not a number" CPUS);
    refuses_key("cpus = 1-2-3", "cpus = \"1-2-3\": text after the number" CPUS);
    env.cpus = 64;
    assert_int_equal(with("cpus = 0-63")->cpu_mask, UINT64_MAX);
}

static void absent_modules_are_refused(void **state)
{
    (void)state;
    refuses("[vm a]\nmemory = 1M\nimage = foo",
            "demo.toll:3: image = \"foo\": no such module; accepted: the name of a module" PRESENT);
    refuses("[vm a]\nmemory = 1M\nimage = demo.toll", /* a manifest is no image */
            "demo.toll:3: image = \"demo.toll\": no such module; accepted: the name of a "
            "module" PRESENT);
    refuses("[vm a]\nmemory = 1M\nimage =",
            "demo.toll:3: image = \"\": no such module; accepted: the name of a module" PRESENT);
    refuses("[vm a]\nmemory = 1M\nimage = nothing",
            "demo.toll:3: image = \"nothing\": this module is empty; accepted: the name of a "
            "module" PRESENT);
    refuses_key("module = foo bar",
                "module = \"foo bar\": no such module; accepted: the name of a module, then its "
                "arguments; at most 8, up to 1023 characters each" PRESENT);
    env.nr_modules = 1;
    refuses("[vm a]\nmemory = 1M\nimage = foo", "demo.toll:3: image = \"foo\": no such module; "
                                                "accepted: the name of a module; present: none");
}

static void ambiguous_module_is_refused(void **state)
{
    (void)state;
    set_module(4, "b/disk.img", data[1], 10);
    set_module(5, "c/k.elf", data[3], 10);
    env.nr_modules = 6;
    accepts("[vm a]\nmemory = 1M\nimage = disk.img"); /* the full name wins over a base name */
    assert_int_equal(machine.vms[0].image_start, (uintptr_t)data[2]);
    accepts("[vm a]\nmemory = 1M\nimage = c/k.elf");
    assert_int_equal(machine.vms[0].image_start, (uintptr_t)data[3]);
    refuses("[vm a]\nmemory = 1M\nimage = k.elf",
            "demo.toll:3: image = \"k.elf\": several modules have this name; accepted: the name "
            "of a module" PRESENT ", b/disk.img, c/k.elf");
}

static void long_values_are_refused(void **state)
{
    static char line[1400], want[1600];
    const char *x64 = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    (void)state;
    snprintf(line, sizeof(line), "cmdline = %01023d", 0);
    assert_int_equal(strlen(with(line)->cmdline), 1023);
    memset(line + 10, 'x', 1024);
    line[10 + 1024] = '\0';
    snprintf(want, sizeof(want),
             "cmdline = \"%s...\": too long; accepted: the rest of the line, up to 1023 characters",
             x64);
    refuses_key(line, want);
    snprintf(line, sizeof(line), "module = disk.img %01015d", 0);
    refuses_key(line, "module = \"disk.img "
                      "0000000000000000000000000000000000000000000000000000000...\": too long; "
                      "accepted: the name of a module, then its arguments; at most 8, up to 1023 "
                      "characters each" PRESENT);
    strcpy(modules[2].cmdline, "x/a2345678901234567890123456789012");
    refuses("[vm a]\nmemory = 1M\nimage = a2345678901234567890123456789012",
            "demo.toll:3: image = \"a2345678901234567890123456789012\": name longer than 31 "
            "characters; accepted: the name of a module; present: /boot/k.elf, "
            "x/a2345678901234567890123456789012, a/nothing");
}

static void bad_injections_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"cpuid", "no ':'; "},
        {"cpuid:", "not a number; "},
        {"cpuid:x", "not a number; "},
        {"cpuid:1x", "text after the number; "},
        {"cpuid:0", "ticks out of range; "},
        {"cpuid:4294967296", "ticks out of range; "},
        {"cpuidd:1", "unknown kind; "},
        {":1", "unknown kind; "},
        {"guest:1", "cannot be injected; "},
        {"plain:1", "cannot be injected; "},
    };
    char text[256], want[128];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text), BASE "loop = measure\ninject = %s", cases[i][0]);
        snprintf(want, sizeof(want), "demo.toll:5: inject = \"%s\": %saccepted: KIND:TICKS, ",
                 cases[i][0], cases[i][1]);
        assert_int_equal(parse(text), -HV_EINVAL);
        assert_int_equal(nr_lines, 1);
        if (strncmp(lines[0], want, strlen(want)) != 0)
            fail_msg("%s", lines[0]);
        assert_non_null(strstr(lines[0], "at most 4, TICKS 1 to 4294967295, KIND one of cpuid, "));
        assert_non_null(strstr(lines[0], "unknown, switch, sched, idle, irq, drain"));
    }
    assert_int_equal(parse(BASE "loop = measure\ninject = hlt:1\ninject = hlt:2"), -HV_EINVAL);
    assert_non_null(
        strstr(lines[0], "demo.toll:6: inject = \"hlt:2\": this VM injects it already"));
    refuses_key("inject = hlt:1", "key \"inject\" is accepted only with loop = measure");
}

/* Appends line count times, with %u its number, to BASE. */
static void repeat(char *text, size_t size, const char *begin, const char *prefix, u32 count,
                   const char *suffix)
{
    int n = snprintf(text, size, "%s", begin);

    for (u32 i = 0; i < count; i++)
        n += snprintf(text + n, size - (size_t)n, "%s%u%s", prefix, i, suffix);
    assert_true((size_t)n < size);
}

static void too_many_are_refused(void **state)
{
    static char text[8192];

    (void)state;
    for (u32 i = 4; i < 20; i++) {
        char name[16];

        snprintf(name, sizeof(name), "m%u", i - 4);
        set_module(i, name, data[0] + i, 1);
    }
    env.nr_modules = 20;
    repeat(text, sizeof(text), BASE, "module = m", VM_MAX_MODULES, "\n");
    accepts(text);
    assert_int_equal(machine.vms[0].nr_modules, VM_MAX_MODULES);
    repeat(text, sizeof(text), BASE, "module = m", VM_MAX_MODULES + 1, "\n");
    assert_int_equal(parse(text), -HV_EINVAL);
    assert_non_null(strstr(lines[0], "demo.toll:12: module = \"m8\": too many modules; accepted"));
    repeat(text, sizeof(text), "", "[vm v", VM_MAX, "]\nimage = k.elf\nmemory = 1M\n");
    accepts(text);
    assert_int_equal(machine.nr_vms, VM_MAX);
    repeat(text, sizeof(text), "", "[vm v", VM_MAX + 1, "]\nimage = k.elf\nmemory = 1M\n");
    refuses(text, "demo.toll:49: too many VMs; accepted: at most 16");
    assert_int_equal(parse(BASE "loop=measure\ninject=hlt:1\ninject=cpuid:1\ninject=irq:1\n"
                                "inject=idle:1\ninject=sched:1"),
                     -HV_EINVAL);
    assert_non_null(strstr(lines[0], "demo.toll:9: inject = \"sched:1\": too many injections"));
}

static void missing_keys_are_refused(void **state)
{
    (void)state;
    refuses("[machine]\n[vm a]\nimage = k.elf\n[vm b]\nimage = k.elf\nmemory = 1M",
            "demo.toll:2: [vm a] lacks the key \"memory\"" SIZES);
    refuses("[vm a]\nmemory = 1M",
            "demo.toll:1: [vm a] lacks the key \"image\"; accepted: the name of a module" PRESENT);
    refuses(RAW "start = real", "demo.toll:1: [vm r] lacks the key \"load\", which format = raw "
                                "needs; accepted: an address, decimal or 0x hexadecimal");
    refuses(RAW "load = 0x7c00", "demo.toll:1: [vm r] lacks the key \"start\", which format = raw "
                                 "needs; accepted: real, protected, long");
}

static void misplaced_keys_are_refused(void **state)
{
    (void)state;
    refuses_key("load = 1", "key \"load\" is accepted only with format = raw");
    refuses_key("entry = 1", "key \"entry\" is accepted only with format = raw");
    refuses_key("start = real", "key \"start\" is accepted only with format = raw");
    refuses(RAW "load = 0\nstart = real\ncmdline = x",
            "demo.toll:7: key \"cmdline\" is not accepted with format = raw: a raw image cannot "
            "get it");
    refuses(RAW "load = 0\nstart = real\nmodule = k.elf",
            "demo.toll:7: key \"module\" is not accepted with format = raw: a raw image cannot "
            "get it");
}

static void bad_raw_places_are_refused(void **state)
{
    (void)state;
    refuses(RAW "load = 0xfffe00\nstart = protected",
            "demo.toll:5: load = 0xfffe00: image of 1024 bytes does not fit there; accepted: "
            "inside guest memory, which is 0 to 0x1000000");
    refuses(RAW "load = 0xffffffffffffffff\nstart = protected",
            "demo.toll:5: load = 0xffffffffffffffff: image of 1024 bytes does not fit there; "
            "accepted: inside guest memory, which is 0 to 0x1000000");
    refuses(RAW "start = long\nload = 0x9e000",
            "demo.toll:6: load = 0x9e000: image overlaps the page tables of start = long; "
            "accepted: outside 0x99000 to 0x9f000");
    refuses(RAW "load = 0x7c00\nstart = real\nentry = 0x8000",
            "demo.toll:7: entry = 0x8000: outside the image; accepted: 0x7c00 to 0x7fff");
    refuses(RAW "load = 0x100000\nstart = real",
            "demo.toll:5: entry = 0x100000: out of this mode's reach; accepted: below 0x100000");
}

static void too_much_memory_is_refused(void **state)
{
    (void)state;
    refuses("[vm a]\nimage = k.elf\nmemory = 1028M",
            "demo.toll:3: memory = 1052672 KiB: more than the host has; accepted: at most 1048576 "
            "KiB (1048576 KiB free, 0 KiB of it taken by the VMs above)");
    accepts("[vm a]\nimage = k.elf\nmemory = 1G");
    refuses("[vm a]\nimage = k.elf\nmemory = 1000M\n[vm b]\nimage = k.elf\nmemory = 25M",
            "demo.toll:6: memory = 25600 KiB: more than the host has; accepted: at most 24576 "
            "KiB (1048576 KiB free, 1024000 KiB of it taken by the VMs above)");
}

static void all_mistakes_are_told(void **state)
{
    static char text[4096];

    (void)state;
    assert_int_equal(parse("x = 1\n[vm a]\nloop = fast\nbad\n[vm b]\nmemory = 1M\n"), -HV_EINVAL);
    assert_int_equal(nr_lines, 6);
    assert_non_null(strstr(lines[0], "demo.toll:1: key \"x\" outside"));
    assert_non_null(strstr(lines[1], "demo.toll:3: loop"));
    assert_non_null(strstr(lines[2], "demo.toll:4: no '='"));
    assert_non_null(strstr(lines[3], "demo.toll:2: [vm a] lacks the key \"memory\""));
    assert_non_null(strstr(lines[4], "demo.toll:2: [vm a] lacks the key \"image\""));
    assert_non_null(strstr(lines[5], "demo.toll:5: [vm b] lacks the key \"image\""));
    repeat(text, sizeof(text), BASE, "k", 20, " = 1\n");
    assert_int_equal(parse(text), -HV_EINVAL);
    assert_int_equal(nr_lines, 20);
    repeat(text, sizeof(text), BASE, "k", 30, " = 1\n");
    assert_int_equal(parse(text), -HV_EINVAL);
    assert_int_equal(nr_lines, 21);
    assert_string_equal(lines[20], "demo.toll: further mistakes are not shown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_key_reaches_its_field, setup),
        cmocka_unit_test_setup(words_follow_the_enums, setup),
        cmocka_unit_test_setup(raw_keys_reach_their_fields, setup),
        cmocka_unit_test_setup(several_vms_keep_apart, setup),
        cmocka_unit_test_setup(bad_lines_are_refused, setup),
        cmocka_unit_test_setup(bad_sections_are_refused, setup),
        cmocka_unit_test_setup(duplicates_are_refused, setup),
        cmocka_unit_test_setup(bad_numbers_are_refused, setup),
        cmocka_unit_test_setup(bad_sizes_are_refused, setup),
        cmocka_unit_test_setup(bad_words_are_refused, setup),
        cmocka_unit_test_setup(bad_lists_are_refused, setup),
        cmocka_unit_test_setup(bad_cpus_are_refused, setup),
        cmocka_unit_test_setup(absent_modules_are_refused, setup),
        cmocka_unit_test_setup(ambiguous_module_is_refused, setup),
        cmocka_unit_test_setup(long_values_are_refused, setup),
        cmocka_unit_test_setup(bad_injections_are_refused, setup),
        cmocka_unit_test_setup(too_many_are_refused, setup),
        cmocka_unit_test_setup(missing_keys_are_refused, setup),
        cmocka_unit_test_setup(misplaced_keys_are_refused, setup),
        cmocka_unit_test_setup(bad_raw_places_are_refused, setup),
        cmocka_unit_test_setup(too_much_memory_is_refused, setup),
        cmocka_unit_test_setup(all_mistakes_are_told, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
