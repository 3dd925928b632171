/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair: masks, requests, priority, nesting and special mask mode, with the PIT (line 0)
 * and the UART (line 4) as sources. Source: 8259A data sheet.
 */
#include "guest/payloads/devices/devices.h"

#include <stddef.h>
#include <stdint.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/pic.h"
#include "guest/crt/pit.h"

#define SPECIAL_MASK_ON  0x68 /* OCW3 */
#define SPECIAL_MASK_OFF 0x48
#define PIT_BIT          (1u << PIT_LINE)
#define UART_BIT         (1u << UART_LINE)
#define WAIT_TURNS       20000
#define SHORT_WAIT       2000
#define NO_UART          CHECK_SKIP "no UART at COM1"

/* Lines in the order in which their handlers ran, and what to do in the PIT's. */
static volatile unsigned order[8], handled, isr_inside;
static void (*volatile inside)(void);

static void pit_handler(struct interrupt_frame *f)
{
    (void)f;
    order[handled++ & 7] = PIT_LINE;
    isr_inside = pic_isr();
    if (inside)
        inside();
    pic_eoi(PIT_LINE);
}

static void uart_handler(struct interrupt_frame *f)
{
    (void)f;
    order[handled++ & 7] = UART_LINE;
    uart_settle();
    pic_eoi(UART_LINE);
}

static void prepare(void (*in_handler)(void))
{
    insn_cli();
    pic_init();
    handled = 0;
    inside = in_handler;
    interrupt_set_handler(PIC_VECTOR + PIT_LINE, pit_handler);
    interrupt_set_handler(PIC_VECTOR + UART_LINE, uart_handler);
}

/* A window for interrupts, long enough for all that wait. */
static void let_in(void)
{
    insn_sti();
    for (int i = 0; i < SHORT_WAIT; i++)
        insn_pause();
    insn_cli();
}

static bool pit_request(void)
{
    pit_start(0, PIT_ONE_SHOT, 20);
    for (int i = 0; i < WAIT_TURNS; i++) {
        if (pic_irr() & PIT_BIT)
            return true;
    }
    return false;
}

const char *pic_masking(void)
{
    uint8_t first, second;

    prepare(NULL);
    pic_mask(0x5aa5 | PIT_BIT | UART_BIT);
    first = insn_in8(PIC1_DATA);
    second = insn_in8(PIC2_DATA);
    if (first != (0xa5 | PIT_BIT | UART_BIT) || second != 0x5a)
        return check_why("masks read %#x %#x", first, second);
    pic_mask(0xffff);
    if (!pit_request())
        return "no request behind the mask";
    let_in();
    pic_init();
    return handled ? "a masked line interrupts" : NULL;
}

const char *pic_requests(void)
{
    prepare(NULL);
    if (!pit_request())
        return "no request from the PIT";
    pic_mask((uint16_t)~PIT_BIT);
    let_in();
    if (handled != 1 || isr_inside != PIT_BIT)
        return check_why("%u interrupts, in service %#x", handled, isr_inside);
    if (pic_irr() & PIT_BIT)
        return "the request outlives its acknowledge";
    return pic_isr() ? "the EOI leaves a line in service" : NULL;
}

/* Both wait: line 0 goes first. */
const char *pic_priority(void)
{
    if (!uart_present())
        return NO_UART;
    prepare(NULL);
    uart_request();
    if (!pit_request())
        return "no request from the PIT";
    pic_mask((uint16_t) ~(PIT_BIT | UART_BIT));
    let_in();
    uart_settle();
    pic_init();
    if (handled != 2 || order[0] != PIT_LINE || order[1] != UART_LINE)
        return check_why("%u interrupts, lines %u, %u", handled, order[0], order[1]);
    return NULL;
}

static volatile unsigned handled_inside;

static void request_lower(void)
{
    uart_request();
    let_in();
    handled_inside = handled;
}

/* While line 0 is in service, line 4 waits for its EOI. */
const char *pic_in_service(void)
{
    if (!uart_present())
        return NO_UART;
    prepare(request_lower);
    if (!pit_request())
        return "no request from the PIT";
    pic_mask((uint16_t) ~(PIT_BIT | UART_BIT));
    let_in();
    uart_settle();
    pic_init();
    if (handled_inside != 1)
        return "a lower line interrupts one in service";
    return handled == 2 ? NULL : check_why("%u interrupts in all", handled);
}

static void request_lower_special(void)
{
    insn_out8(PIC1_COMMAND, SPECIAL_MASK_ON);
    pic_mask((uint16_t)~UART_BIT);
    request_lower();
    insn_out8(PIC1_COMMAND, SPECIAL_MASK_OFF);
}

/* With line 0 masked in special mask mode, its being in service blocks nobody. */
const char *pic_special_mask(void)
{
    if (!uart_present())
        return NO_UART;
    prepare(request_lower_special);
    if (!pit_request())
        return "no request from the PIT";
    pic_mask((uint16_t) ~(PIT_BIT | UART_BIT));
    let_in();
    uart_settle();
    pic_init();
    return handled_inside == 2 ? NULL : check_why("%u interrupts inside", handled_inside);
}
