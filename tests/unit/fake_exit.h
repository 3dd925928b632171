/* SPDX-License-Identifier: MIT */
/*
 * Stands in for hv/vm/exits.c and event.c below a unit that handles one kind of exit: what it ends
 * with is noted.
 */
#ifndef TESTS_UNIT_FAKE_EXIT_H
#define TESTS_UNIT_FAKE_EXIT_H

#include "tests/unit/fake_guest.h"

#include "hv/vm/exit_parts.h"

static u32 fake_injected; /* exceptions */
static u8 fake_vector;
static u32 fake_error;
static bool fake_has_error;

void vcpu_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
    assert_ptr_equal(v, &fake_vcpu);
    fake_injected++;
    fake_vector = vector;
    fake_has_error = has_error;
    fake_error = error;
}

enum exit_result exit_inject_gp(struct vcpu *v)
{
    vcpu_inject_exception(v, VECTOR_GP, true, 0);
    return EXIT_RESUME;
}

enum exit_result exit_inject_ud(struct vcpu *v)
{
    vcpu_inject_exception(v, VECTOR_UD, false, 0);
    return EXIT_RESUME;
}

void exit_fault(struct vcpu *v, const struct exit *e, const char *why)
{
    (void)v;
    (void)e;
    (void)why;
    fake_faults++;
}

enum exit_result exit_done(struct vcpu *v, struct exit *e)
{
    assert_int_not_equal(e->length, 0);
    backend->advance(v, e->length);
    return EXIT_RESUME;
}

/* The guest as fake_guest_reset() makes it, with small pages one to one and RIP at 0x10000. */
static inline void fake_exit_reset(void)
{
    fake_guest_reset();
    fake_map_low();
    fake_regs[VREG_RIP] = 0x10000;
    fake_injected = fake_vector = 0;
    fake_error = 0;
    fake_has_error = false;
}

/* Puts an instruction at RIP, outside long mode at CS:RIP. */
static inline void fake_code(const char *bytes, size_t n)
{
    memset(fake_ram + 0x10000, 0x90, 16);
    memcpy(fake_ram + 0x10000, bytes, n);
}

#define FAKE_CODE(bytes) fake_code(bytes, sizeof(bytes) - 1)

/* CS of a 16- or 32-bit mode with flat tables; paging off. */
static inline void fake_legacy(bool protected_mode, bool db)
{
    fake_regs[VREG_CR0] = protected_mode ? CR0_PE | CR0_ET : CR0_ET;
    fake_regs[VREG_EFER] = 0;
    fake_regs[VREG_CR4] = 0;
    fake_segments[VSEG_CS].attr = SEG_ATTR_P | SEG_ATTR_S | 0xb | (db ? SEG_ATTR_DB : 0);
}

#endif
