/* SPDX-License-Identifier: MIT */
/*
 * The consoles that are one port: the emulators' debug port and the 16550 at COM1. Source: the
 * 16550D data sheet, "Registers".
 */
#include "hv/abi/ports.h"
#include "hv/host/console_sink.h"
#include "hv/x86/insn.h"

#define UART_DATA 0 /* DLAB = 1: divisor, low byte */
#define UART_IER  1 /* DLAB = 1: divisor, high byte */
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define UART_SCR  7

#define FCR_ENABLE_AND_CLEAR 0x07
#define LCR_8N1              0x03
#define LCR_DLAB             0x80
#define MCR_DTR_RTS          0x03
#define LSR_THRE             0x20

#define FIFO_SIZE  16
#define POLL_LIMIT 1000000u /* far beyond a byte's 87 µs */

static bool serial_dead; /* the transmitter got stuck: give up rather than hang */

bool debugcon_present(void)
{
    return insn_in8(PORT_DEBUGCON) == PORT_DEBUGCON;
}

void debugcon_write(const char *text, size_t n)
{
    insn_outs8(PORT_DEBUGCON, text, n);
}

static void uart_set(u16 reg, u8 value)
{
    insn_out8(PORT_COM1 + reg, value);
}

bool serial_init(void)
{
    uart_set(UART_SCR, 0x5a);
    if (insn_in8(PORT_COM1 + UART_SCR) != 0x5a)
        return false;
    uart_set(UART_IER, 0);
    uart_set(UART_LCR, LCR_DLAB);
    uart_set(UART_DATA, 1); /* 115200 baud */
    uart_set(UART_IER, 0);
    uart_set(UART_LCR, LCR_8N1);
    uart_set(UART_FCR, FCR_ENABLE_AND_CLEAR);
    uart_set(UART_MCR, MCR_DTR_RTS);
    serial_dead = false;
    return true;
}

static bool transmitter_ready(void)
{
    u32 polls;

    for (polls = 0; polls < POLL_LIMIT; polls++) {
        if (insn_in8(PORT_COM1 + UART_LSR) & LSR_THRE)
            return true;
        insn_pause();
    }
    serial_dead = true;
    return false;
}

/* An empty transmitter takes a whole FIFO; one byte of it is spared for CR before LF. */
void serial_write(const char *text, size_t n)
{
    u32 room = 0;

    for (; n && !serial_dead; n--, text++) {
        if (room < 2) {
            if (!transmitter_ready())
                return;
            room = FIFO_SIZE;
        }
        if (*text == '\n') {
            uart_set(UART_DATA, '\r');
            room--;
        }
        uart_set(UART_DATA, (u8)*text);
        room--;
    }
}
