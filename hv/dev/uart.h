/* SPDX-License-Identifier: MIT */
/*
 * A 16550A UART as COM1, on a line without errors and, in the sending direction, infinitely fast:
 * what is written leaves at once through host->console_out. Source: National Semiconductor
 * PC16550D data sheet.
 */
#ifndef HV_DEV_UART_H
#define HV_DEV_UART_H

#include "hv/dev/dev.h"

#define UART_LINE 4
#define UART_FIFO 16

struct uart {
    struct dev_host *host;
    struct dev_irq irq;
    u8 fifo[UART_FIFO]; /* received; without FIFOs only one byte of it is used */
    u32 head;           /* oldest byte */
    u32 count;
    u8 ier;
    u8 fcr; /* 0 unless FIFOs are enabled */
    u8 lcr;
    u8 mcr;
    u8 msr;
    u8 scr;
    u16 divisor;
    bool line; /* level given to irq */
    bool overrun;
    bool thre;    /* the transmitter-empty interrupt was not answered yet */
    bool timeout; /* received bytes have been waiting for four character times */
};

/* State after init: as after a reset, with a connected peer (CTS, DSR, DCD) and 115200 baud. */
void uart_init(struct uart *uart, struct dev_host *host, struct dev_irq irq);

/* Claims ports 0x3f8-0x3ff. 0, or an error of pio_claim. */
int uart_claim(struct uart *uart, struct pio_bus *bus);

/*
 * Input from the line. False when a byte was lost: the receiver was full, and an overrun is
 * reported to the guest, or the guest has it in loopback, where the line is disconnected.
 */
bool uart_receive(struct uart *uart, u8 byte);

/* How many bytes uart_receive would take now without loss. */
u32 uart_room(const struct uart *uart);

/* To be called when DEV_TIMER_UART is due: the character timeout. */
void uart_timer(struct uart *uart);

#endif
