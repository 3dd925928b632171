/* SPDX-License-Identifier: MIT */
/*
 * The default VM, which module is a manifest, the reference table in hv/load/README.md, the
 * examples, and random text (TEST_SEED in the environment chooses another sequence).
 */
#include "tests/unit/manifest_fixture.h"

/* ---- without a manifest, and which module is one ---- */

static void default_vm_takes_all_modules(void **state)
{
    const struct vm_config *c = &machine.vms[0];

    (void)state;
    env.modules = modules + 1;
    env.nr_modules = 2;
    assert_int_equal(manifest_load(&machine, &env), 0);
    assert_int_equal(machine.nr_vms, 1);
    assert_string_equal(c->name, "k.elf");
    assert_string_equal(c->image_name, "k.elf");
    assert_string_equal(c->cmdline, "quick");
    assert_int_equal(c->image_start, (uintptr_t)data[1]);
    assert_int_equal(c->image_end, (uintptr_t)data[1] + 512);
    assert_int_equal(c->memory, 256 * MIB);
    assert_int_equal(c->vcpus, 1);
    assert_int_equal(c->loop, VM_LOOP_PLAIN);
    assert_int_equal(c->nr_modules, 1);
    assert_string_equal(c->modules[0].cmdline, "disk.img");
    assert_int_equal(c->modules[0].start, (uintptr_t)data[2]);
    env.free_bytes = 41 * MIB; /* three quarters, in whole 2 MiB */
    assert_int_equal(manifest_default(&machine, &env), 0);
    assert_int_equal(c->memory, 30 * MIB);
}

static void default_names_are_made_valid(void **state)
{
    (void)state;
    env.modules = modules + 1;
    env.nr_modules = 1;
    strcpy(modules[1].cmdline, "/x/my[kernel]+with-a-name-that-is-too-long.elf");
    assert_int_equal(manifest_default(&machine, &env), 0);
    assert_string_equal(machine.vms[0].name, "my_kernel__with-a-name-that-is-");
    strcpy(modules[1].cmdline, "");
    assert_int_equal(manifest_default(&machine, &env), 0);
    assert_string_equal(machine.vms[0].name, "guest");
    memset(modules[1].cmdline, 'x', BOOT_TEXT - 1);
    assert_int_equal(manifest_default(&machine, &env), 0);
}

static void default_vm_is_refused(void **state)
{
    (void)state;
    env.nr_modules = 0;
    assert_int_equal(manifest_load(&machine, &env), -HV_ENOENT);
    assert_string_equal(lines[0],
                        "no modules: pass a guest kernel, or a manifest (NAME.toll) with the "
                        "images it names, as modules of the boot loader");
    env.nr_modules = 10;
    assert_int_equal(manifest_default(&machine, &env), -HV_E2BIG);
    assert_string_equal(lines[1], "too many modules without a manifest: at most 9");
    env.nr_modules = 1;
    env.free_bytes = 2 * MIB;
    assert_int_equal(manifest_default(&machine, &env), -HV_ENOMEM);
    assert_string_equal(lines[2], "too little free memory for a VM: 3 MiB needed");
}

static void manifest_is_recognized(void **state)
{
    struct boot_module *m = &modules[1];

    (void)state;
    assert_true(manifest_is(&modules[0]));
    assert_false(manifest_is(m));
    strcpy(m->cmdline, ".toll");
    assert_true(manifest_is(m));
    strcpy(m->cmdline, "x.toll2 not-manifest");
    assert_false(manifest_is(m));
    strcpy(m->cmdline, "x   manifest more");
    assert_true(manifest_is(m));
    strcpy(m->cmdline, "x manifesto");
    assert_false(manifest_is(m));
    strcpy(m->cmdline, "");
    memcpy(data[1], "#tollgate", 9);
    assert_true(manifest_is(m));
    m->end = m->start + 8;
    assert_false(manifest_is(m));
}

static void manifest_is_found_among_modules(void **state)
{
    (void)state;
    set_module(0, "/boot/demo.toll", BASE, sizeof(BASE) - 1);
    assert_int_equal(manifest_load(&machine, &env), 0);
    assert_string_equal(machine.vms[0].name, "a");
    set_module(0, "/boot/demo.toll", "x", 1);
    assert_int_equal(manifest_load(&machine, &env), -HV_EINVAL);
    assert_string_equal(lines[0], "/boot/demo.toll:1: no '=' in \"x\"; accepted: KEY = VALUE, "
                                  "[machine], [vm NAME]");
    set_module(2, "b.toll", "x", 1);
    assert_int_equal(manifest_load(&machine, &env), -HV_EEXIST);
    assert_string_equal(
        lines[1], "modules \"/boot/demo.toll\" and \"b.toll\" are both manifests; accepted: one");
}

/* ---- documents ---- */

static char readme[65536];

static void find_row(void *ctx, const char *text)
{
    (void)ctx;
    if (!strstr(readme, text))
        fail_msg("hv/load/README.md lacks: %s", text);
}

static size_t read_file(const char *path, char *to, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(to, 1, size - 1, f);
    fclose(f);
    to[n] = '\0';
    return n;
}

static void readme_tells_every_key(void **state)
{
    (void)state;
    read_file("hv/load/README.md", readme, sizeof(readme));
    manifest_print_keys(find_row, NULL);
}

static void examples_are_accepted(void **state)
{
    static const char *const files[] = {"exits.toll", "two.toll", "raw.toll"};
    static char text[8192], path[128];

    (void)state;
    set_module(1, "exits.elf", data[1], 512);
    set_module(2, "boot.img", data[2], 512);
    for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
        snprintf(path, sizeof(path), "hv/load/examples/%s", files[i]);
        read_file(path, text, sizeof(text));
        accepts(text);
        assert_memory_equal(text, MANIFEST_MAGIC, sizeof(MANIFEST_MAGIC) - 1);
    }
}

/* ---- random text ---- */

static void random_text_does_no_harm(void **state)
{
    static const char *const parts[] = {
        "[vm ",   "a",      "]",       "\n",    "[machine]", "memory", " = ",
        "1M",     "image",  "k.elf",   "cpus",  "0-3",       ",",      "inject",
        "hlt:1",  "loop",   "measure", "#",     "\r\n",      " ",      "load",
        "0x7c00", "format", "raw",     "start", "real",      "module", "\t",
        "=",      "entry",  "9",       "\xff",  "disk.img",  BASE,     "99999999999999999999"};
    const char *seed = getenv("TEST_SEED");
    static char text[1024];

    (void)state;
    srand(seed ? (unsigned)strtoul(seed, NULL, 0) : 1);
    for (u32 i = 0; i < 30000; i++) {
        size_t n = 0;

        for (int k = rand() % 40; k > 0; k--) {
            const char *part = parts[(size_t)rand() % ARRAY_SIZE(parts)];
            size_t len = strlen(part);

            if (n + len > sizeof(text))
                break;
            memcpy(text + n, part, len);
            n += len;
        }
        if (parse_bytes(text, n) == 0)
            assert_int_equal(nr_lines, 0);
        else
            assert_true(nr_lines > 0 && nr_lines <= MANIFEST_MAX_ERRORS + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(default_vm_takes_all_modules, setup),
        cmocka_unit_test_setup(default_names_are_made_valid, setup),
        cmocka_unit_test_setup(default_vm_is_refused, setup),
        cmocka_unit_test_setup(manifest_is_recognized, setup),
        cmocka_unit_test_setup(manifest_is_found_among_modules, setup),
        cmocka_unit_test_setup(readme_tells_every_key, setup),
        cmocka_unit_test_setup(examples_are_accepted, setup),
        cmocka_unit_test_setup(random_text_does_no_harm, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
