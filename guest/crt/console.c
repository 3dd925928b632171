/* SPDX-License-Identifier: MIT */
/*
 * Console output on port 0xE9 or, polled, a 16550 at COM1 (115200 baud, 8N1). Source: PC16550D data
 * sheet.
 */
#include "guest/crt/console.h"

#include <stdbool.h>

#include "guest/crt/insn.h"
#include "hv/abi/ports.h"

#define UART_IER (PORT_COM1 + 1)
#define UART_FCR (PORT_COM1 + 2)
#define UART_LCR (PORT_COM1 + 3)
#define UART_MCR (PORT_COM1 + 4)
#define UART_LSR (PORT_COM1 + 5)

#define LCR_8N1  0x03
#define LCR_DLAB 0x80
#define LSR_THRE 0x20

static bool debugcon;

void console_init(void)
{
    debugcon = insn_in8(PORT_DEBUGCON) == PORT_DEBUGCON;
    if (debugcon)
        return;
    insn_out8(UART_IER, 0);
    insn_out8(UART_LCR, LCR_DLAB);
    insn_out8(PORT_COM1, 1); /* divisor 1: 115200 baud */
    insn_out8(UART_IER, 0);
    insn_out8(UART_LCR, LCR_8N1);
    insn_out8(UART_FCR, 0x07); /* FIFO on, both emptied */
    insn_out8(UART_MCR, 0x03); /* DTR, RTS */
}

static void serial_put(char c)
{
    while (!(insn_in8(UART_LSR) & LSR_THRE))
        insn_pause();
    insn_out8(PORT_COM1, (uint8_t)c);
}

void console_write(const char *text, size_t n)
{
    if (debugcon) {
        insn_outs8(PORT_DEBUGCON, text, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        serial_put(text[i]);
}
