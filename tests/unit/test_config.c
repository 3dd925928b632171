/* SPDX-License-Identifier: MIT */
/*
 * Defaults of a VM, and the layout of its memory around the hole below 4 GiB.
 */
#include "hv/vm/config.c"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void defaults_overwrite_everything(void **state)
{
    static struct vm_config c;
    static struct machine_config m;

    (void)state;
    memset(&c, 0xff, sizeof(c));
    memset(&m, 0xff, sizeof(m));
    vm_config_default(&c);
    machine_config_default(&m);
    assert_string_equal(c.name, "");
    assert_int_equal(c.memory, 0);
    assert_int_equal(c.vcpus, 1);
    assert_int_equal(c.cpu_mask, 0);
    assert_int_equal(c.nr_modules, 0);
    assert_int_equal(c.nr_injects, 0);
    assert_int_equal(c.intercept, 0);
    assert_int_equal(c.loop, VM_LOOP_PLAIN);
    assert_int_equal(c.page, VM_PAGE_4K);
    assert_true(c.hypercalls && c.nrip && c.asid && c.clean_bits);
    assert_int_equal(m.nr_vms, 0);
    assert_true(m.pool_pages > 0);
}

static void layout_splits_at_3_gib(void **state)
{
    struct vm_range r[VM_MAX_RANGES];

    (void)state;
    assert_int_equal(vm_layout(0, r), 0);
    assert_int_equal(vm_layout(MIB, r), 1);
    assert_int_equal(r[0].base, 0);
    assert_int_equal(r[0].size, MIB);
    assert_int_equal(vm_layout(3 * GIB, r), 1);
    assert_int_equal(r[0].size, 3 * GIB);
    assert_int_equal(vm_layout(3 * GIB + PAGE_SIZE, r), 2);
    assert_int_equal(r[0].size, 3 * GIB);
    assert_int_equal(r[1].base, 4 * GIB);
    assert_int_equal(r[1].size, PAGE_SIZE);
}

static void layout_holds_only_whole_pieces(void **state)
{
    (void)state;
    assert_true(vm_layout_holds(MIB, 0, MIB));
    assert_true(vm_layout_holds(MIB, MIB, 0));
    assert_false(vm_layout_holds(MIB, 1, MIB));
    assert_false(vm_layout_holds(MIB, MIB, 1));
    assert_false(vm_layout_holds(MIB, 16, UINT64_MAX));
    assert_false(vm_layout_holds(MIB, UINT64_MAX, 1));
    assert_false(vm_layout_holds(0, 0, 0));
    assert_true(vm_layout_holds(4 * GIB, 4 * GIB, GIB));
    assert_false(vm_layout_holds(4 * GIB, 5 * GIB, 1));
    assert_false(vm_layout_holds(4 * GIB, 3 * GIB - 1, 2));
    assert_false(vm_layout_holds(4 * GIB, 3 * GIB, GIB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_overwrite_everything),
        cmocka_unit_test(layout_splits_at_3_gib),
        cmocka_unit_test(layout_holds_only_whole_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
