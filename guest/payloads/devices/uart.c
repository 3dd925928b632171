/* SPDX-License-Identifier: MIT */
/*
 * The 16550 at COM1. Nothing is sent but in loopback. Source: PC16550D data sheet.
 */
#include "guest/payloads/devices/devices.h"

#include <stddef.h>
#include <stdint.h>

#include "guest/crt/insn.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/pic.h"
#include "hv/abi/ports.h"

#define RBR (PORT_COM1 + 0) /* read */
#define THR (PORT_COM1 + 0) /* write */
#define IER (PORT_COM1 + 1)
#define IIR (PORT_COM1 + 2) /* read */
#define FCR (PORT_COM1 + 2) /* write */
#define LCR (PORT_COM1 + 3)
#define MCR (PORT_COM1 + 4)
#define LSR (PORT_COM1 + 5)
#define MSR (PORT_COM1 + 6)
#define SCR (PORT_COM1 + 7)

#define IER_THRE   0x02
#define IIR_NONE   0x01
#define IIR_THRE   0x02
#define IIR_FIFO   0xc0
#define FCR_ON     0x07 /* enable, empty both */
#define LCR_8N1    0x03
#define LCR_DLAB   0x80
#define MCR_DTR    0x01
#define MCR_RTS    0x02
#define MCR_OUT1   0x04
#define MCR_OUT2   0x08 /* lets the interrupt out */
#define MCR_LOOP   0x10
#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define FIFO_SIZE  16
#define WAIT_TURNS 1000000
#define NO_UART    CHECK_SKIP "no UART at COM1"

bool uart_present(void)
{
    insn_out8(SCR, 0x5a);
    if (insn_in8(SCR) != 0x5a)
        return false;
    insn_out8(SCR, 0xa5);
    return insn_in8(SCR) == 0xa5;
}

static void uart_reset(uint8_t mcr)
{
    insn_out8(IER, 0);
    insn_out8(LCR, LCR_DLAB);
    insn_out8(THR, 1); /* divisor 1: 115200 baud */
    insn_out8(IER, 0);
    insn_out8(LCR, LCR_8N1);
    insn_out8(FCR, 0);
    insn_out8(MCR, mcr);
    insn_in8(LSR);
    insn_in8(RBR);
    insn_in8(IIR);
}

static uint8_t lsr_seen; /* every bit that was set in the last wait: reading LSR clears errors */

static bool wait_lsr(uint8_t bits)
{
    lsr_seen = 0;
    for (int i = 0; i < WAIT_TURNS; i++) {
        lsr_seen |= insn_in8(LSR);
        if ((lsr_seen & bits) == bits)
            return true;
        insn_pause();
    }
    return false;
}

const char *uart_registers(void)
{
    uint8_t low, high;

    if (!uart_present())
        return NO_UART;
    insn_out8(LCR, LCR_DLAB | LCR_8N1);
    insn_out8(THR, 0x34);
    insn_out8(IER, 0x12);
    low = insn_in8(RBR);
    high = insn_in8(IER);
    uart_reset(0);
    if (low != 0x34 || high != 0x12)
        return check_why("divisor reads %#x %#x", high, low);
    if (insn_in8(LCR) != LCR_8N1)
        return check_why("LCR reads %#x", insn_in8(LCR));
    insn_out8(IER, 0xff);
    low = insn_in8(IER);
    uart_reset(0);
    if (low != 0x0f)
        return check_why("IER reads %#x", low);
    if ((insn_in8(LSR) & (LSR_THRE | LSR_TEMT)) != (LSR_THRE | LSR_TEMT))
        return check_why("LSR reads %#x", insn_in8(LSR));
    return NULL;
}

/* Sends c in loopback and waits until it has left the shift register. */
static bool loop_send(uint8_t c)
{
    insn_out8(THR, c);
    return wait_lsr(LSR_TEMT);
}

const char *uart_loopback(void)
{
    uint8_t status, data;

    if (!uart_present())
        return NO_UART;
    uart_reset(MCR_LOOP | MCR_RTS | MCR_OUT1);
    status = insn_in8(MSR) >> 4;
    if (status != 0x5) /* RTS shows as CTS, OUT1 as RI */
        return check_why("MSR high half reads %#x", status);
    if (!loop_send(0x42) || !wait_lsr(LSR_DR))
        return "no data came back";
    data = insn_in8(RBR);
    status = insn_in8(LSR);
    uart_reset(0);
    if (data != 0x42)
        return check_why("sent 0x42, received %#x", data);
    return status & LSR_DR ? "data stays ready after it was read" : NULL;
}

/* Sixteen bytes fit, the seventeenth is lost and says so. */
static const char *fill_fifo(void)
{
    for (uint8_t i = 0; i < FIFO_SIZE; i++) {
        if (!loop_send(0x30 + i))
            return "the transmitter never empties";
        if (lsr_seen & LSR_OE)
            return "overrun within sixteen bytes";
    }
    if (!loop_send(0x7f) || !(lsr_seen & LSR_OE))
        return "no overrun after sixteen bytes";
    return NULL;
}

const char *uart_fifo(void)
{
    const char *why;

    if (!uart_present())
        return NO_UART;
    uart_reset(MCR_LOOP);
    insn_out8(FCR, FCR_ON);
    if ((insn_in8(IIR) & IIR_FIFO) != IIR_FIFO)
        return check_why("IIR reads %#x with FIFOs on", insn_in8(IIR));
    why = fill_fifo();
    if (why)
        return why;
    for (uint8_t i = 0; i < FIFO_SIZE; i++) {
        uint8_t data = insn_in8(RBR);

        if (data != 0x30 + i)
            return check_why("byte %u reads %#x", i, data);
    }
    insn_out8(FCR, 0);
    if (insn_in8(IIR) & IIR_FIFO)
        return "IIR shows FIFOs that are off";
    uart_reset(0);
    return NULL;
}

static volatile unsigned interrupts;
static volatile uint8_t cause;

static void uart_handler(struct interrupt_frame *f)
{
    (void)f;
    interrupts++;
    cause = insn_in8(IIR);
    pic_eoi(UART_LINE);
}

void uart_request(void)
{
    uart_reset(MCR_OUT2);
    insn_out8(IER, IER_THRE);
}

void uart_settle(void)
{
    insn_out8(IER, 0);
    insn_in8(IIR);
    uart_reset(0);
}

const char *uart_interrupt(void)
{
    uint8_t after;

    if (!uart_present())
        return NO_UART;
    interrupts = 0;
    interrupt_set_handler(PIC_VECTOR + UART_LINE, uart_handler);
    pic_mask((uint16_t) ~(1u << UART_LINE));
    uart_request();
    insn_sti();
    for (int i = 0; !interrupts && i < WAIT_TURNS; i++)
        insn_pause();
    insn_cli();
    after = insn_in8(IIR);
    uart_settle();
    pic_init();
    if (interrupts != 1 || (cause & 0x0f) != IIR_THRE)
        return check_why("%u interrupts, IIR %#x", interrupts, cause);
    return (after & IIR_NONE) ? NULL : check_why("reading IIR leaves it at %#x", after);
}
