/* SPDX-License-Identifier: MIT */
/*
 * The 16550A. The interrupt output is recomputed after every change from the four sources in
 * IIR's order. Source: National Semiconductor PC16550D data sheet.
 */
#include "hv/dev/uart.h"
#include "hv/abi/ports.h"
#include "hv/lib/string.h"

enum uart_register { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_ERBFI BIT(0) /* received data */
#define IER_ETBEI BIT(1) /* transmitter empty */
#define IER_ELSI  BIT(2) /* line status */
#define IER_EDSSI BIT(3) /* modem status */
#define IER_BITS  0x0f

#define IIR_NONE    0x01
#define IIR_MODEM   0x00
#define IIR_THRE    0x02
#define IIR_DATA    0x04
#define IIR_LINE    0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS   0xc0

#define FCR_ENABLE       BIT(0)
#define FCR_RESET_RX     BIT(1)
#define FCR_TRIGGER(fcr) ((fcr) >> 6)

#define LCR_WLS(lcr) ((lcr)&3) /* word length - 5 */
#define LCR_STB      BIT(2)
#define LCR_PEN      BIT(3)
#define LCR_DLAB     BIT(7)

#define MCR_DTR  BIT(0)
#define MCR_RTS  BIT(1)
#define MCR_OUT1 BIT(2)
#define MCR_OUT2 BIT(3)
#define MCR_LOOP BIT(4)
#define MCR_BITS 0x1f

#define LSR_DR   BIT(0)
#define LSR_OE   BIT(1)
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6)

/* The upper half holds the inputs, the lower half that they changed. */
#define MSR_DELTAS 0x0f
#define MSR_TERI   BIT(2)
#define MSR_CTS    BIT(4)
#define MSR_DSR    BIT(5)
#define MSR_RI     BIT(6)
#define MSR_DCD    BIT(7)

#define TIMEOUT_CHARS 4
#define MAX_BAUD      115200

static u32 uart_capacity(const struct uart *u)
{
    return (u->fcr & FCR_ENABLE) ? UART_FIFO : 1;
}

static u32 uart_trigger(const struct uart *u)
{
    static const u8 level[4] = {1, 4, 8, 14};

    return (u->fcr & FCR_ENABLE) ? level[FCR_TRIGGER(u->fcr)] : 1;
}

/* The most urgent enabled source, as IIR names it. */
static u8 uart_source(const struct uart *u)
{
    if ((u->ier & IER_ELSI) && u->overrun)
        return IIR_LINE;
    if ((u->ier & IER_ERBFI) && u->count >= uart_trigger(u))
        return IIR_DATA;
    if ((u->ier & IER_ERBFI) && u->timeout)
        return IIR_TIMEOUT;
    if ((u->ier & IER_ETBEI) && u->thre)
        return IIR_THRE;
    if ((u->ier & IER_EDSSI) && (u->msr & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

/*
 * On a PC, OUT2 connects the interrupt output to the bus. It does so in loopback too, where its
 * pin would be inactive: guests test their interrupts that way.
 */
static void uart_update(struct uart *u)
{
    bool level = (u->mcr & MCR_OUT2) && uart_source(u) != IIR_NONE;

    if (u->line == level)
        return;
    u->line = level;
    u->irq.set(u->irq.ctx, UART_LINE, level);
}

/* Ticks of four characters of the programmed format: start, data, parity and stop bits. */
static u64 uart_timeout(const struct uart *u)
{
    u64 bits =
        1 + 5 + LCR_WLS(u->lcr) + ((u->lcr & LCR_PEN) ? 1 : 0) + ((u->lcr & LCR_STB) ? 2 : 1);
    u64 divisor = u->divisor ? u->divisor : 1;

    return u->host->hz * TIMEOUT_CHARS * bits * divisor / MAX_BAUD;
}

/* The character timeout starts over with every byte that comes or is read. */
static void uart_restart_timeout(struct uart *u)
{
    u64 deadline = 0;

    u->timeout = false;
    if ((u->fcr & FCR_ENABLE) && u->count)
        deadline = u->host->now(u->host->ctx) + uart_timeout(u);
    u->host->timer(u->host->ctx, DEV_TIMER_UART, deadline);
}

void uart_timer(struct uart *u)
{
    u->timeout = (u->fcr & FCR_ENABLE) && u->count;
    uart_update(u);
}

/*
 * A byte arrives in the receiver. On overrun the FIFO keeps what it has; without FIFOs the new
 * byte replaces the old one. False when a byte was lost.
 */
static bool uart_accept(struct uart *u, u8 byte)
{
    bool room = u->count < uart_capacity(u);

    if (room)
        u->fifo[(u->head + u->count++) % UART_FIFO] = byte;
    else if (!(u->fcr & FCR_ENABLE))
        u->fifo[u->head] = byte;
    if (!room)
        u->overrun = true;
    else if (u->fcr & FCR_ENABLE)
        uart_restart_timeout(u);
    uart_update(u);
    return room;
}

bool uart_receive(struct uart *u, u8 byte)
{
    return !(u->mcr & MCR_LOOP) && uart_accept(u, byte);
}

u32 uart_room(const struct uart *u)
{
    return (u->mcr & MCR_LOOP) ? 0 : uart_capacity(u) - u->count;
}

static void uart_flush(struct uart *u)
{
    u->head = 0;
    u->count = 0;
    uart_restart_timeout(u);
}

static u8 uart_read_rbr(struct uart *u)
{
    u8 byte = u->fifo[u->head];

    if (!u->count)
        return 0;
    u->head = (u->head + 1) % UART_FIFO;
    u->count--;
    if (u->fcr & FCR_ENABLE)
        uart_restart_timeout(u);
    return byte;
}

/*
 * Writing withdraws the transmitter-empty interrupt and, as the byte leaves at once, raises it
 * again: the edge-triggered PIC must see the output fall in between.
 */
static void uart_write_thr(struct uart *u, u8 byte)
{
    u->thre = false;
    uart_update(u);
    if (u->mcr & MCR_LOOP)
        uart_accept(u, byte);
    else
        u->host->console_out(u->host->ctx, byte);
    u->thre = true;
}

/* Enabling the transmitter-empty interrupt raises it, for the transmitter is always empty. */
static void uart_write_ier(struct uart *u, u8 value)
{
    if (value & ~u->ier & IER_ETBEI)
        u->thre = true;
    u->ier = value & IER_BITS;
}

/* Switching the FIFOs on or off empties them; the other bits count only while they are on. */
static void uart_write_fcr(struct uart *u, u8 value)
{
    bool toggled = (value ^ u->fcr) & FCR_ENABLE;

    u->fcr = (value & FCR_ENABLE) ? value & (FCR_ENABLE | 0xc0) : 0;
    if (toggled || (value & (FCR_ENABLE | FCR_RESET_RX)) == (FCR_ENABLE | FCR_RESET_RX))
        uart_flush(u);
}

/* The modem inputs: a connected peer, or in loopback the four outputs. */
static u8 modem_inputs(u8 mcr)
{
    if (!(mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (u8)(((mcr & MCR_RTS) ? MSR_CTS : 0) | ((mcr & MCR_DTR) ? MSR_DSR : 0) |
                ((mcr & MCR_OUT1) ? MSR_RI : 0) | ((mcr & MCR_OUT2) ? MSR_DCD : 0));
}

/* Of RI only the end is reported. */
static void uart_write_mcr(struct uart *u, u8 value)
{
    u8 old = u->msr, inputs = modem_inputs(value);
    u8 changed = (u8)((old ^ inputs) >> 4);

    if (inputs & MSR_RI)
        changed &= (u8)~MSR_TERI;
    u->mcr = value & MCR_BITS;
    u->msr = (u8)(inputs | (old & MSR_DELTAS) | changed);
}

/* Reading IIR answers a transmitter-empty interrupt, but only when that is what it reports. */
static u8 uart_read_iir(struct uart *u)
{
    u8 source = uart_source(u);

    if (source == IIR_THRE)
        u->thre = false;
    return source | ((u->fcr & FCR_ENABLE) ? IIR_FIFOS : 0);
}

static u8 uart_read_lsr(struct uart *u)
{
    u8 value = (u8)(LSR_THRE | LSR_TEMT | (u->overrun ? LSR_OE : 0) | (u->count ? LSR_DR : 0));

    u->overrun = false;
    return value;
}

static u8 uart_read_msr(struct uart *u)
{
    u8 value = u->msr;

    u->msr &= (u8)~MSR_DELTAS;
    return value;
}

static u8 uart_read_register(struct uart *u, u32 reg)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case RBR_THR_DLL: return dlab ? (u8)u->divisor : uart_read_rbr(u);
    case IER_DLM: return dlab ? (u8)(u->divisor >> 8) : u->ier;
    case IIR_FCR: return uart_read_iir(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR: return uart_read_lsr(u);
    case MSR: return uart_read_msr(u);
    default: return u->scr;
    }
}

static u32 uart_read(void *dev, u16 port)
{
    struct uart *u = dev;
    u8 value = uart_read_register(u, port & 7);

    uart_update(u);
    return value;
}

static void uart_write_divisor(struct uart *u, u32 reg, u8 value)
{
    if (reg == RBR_THR_DLL)
        u->divisor = (u16)((u->divisor & 0xff00) | value);
    else
        u->divisor = (u16)((u->divisor & 0xff) | value << 8);
}

/* LSR and MSR can be written on the chip for factory tests only. */
static void uart_write(void *dev, u16 port, u8 value)
{
    struct uart *u = dev;
    u32 reg = port & 7;

    if ((u->lcr & LCR_DLAB) && reg <= IER_DLM) {
        uart_write_divisor(u, reg, value);
        return;
    }
    switch (reg) {
    case RBR_THR_DLL: uart_write_thr(u, value); break;
    case IER_DLM: uart_write_ier(u, value); break;
    case IIR_FCR: uart_write_fcr(u, value); break;
    case LCR: u->lcr = value; break;
    case MCR: uart_write_mcr(u, value); break;
    case SCR: u->scr = value; break;
    default: return;
    }
    uart_update(u);
}

void uart_init(struct uart *u, struct dev_host *host, struct dev_irq irq)
{
    memset(u, 0, sizeof(*u));
    u->host = host;
    u->irq = irq;
    u->msr = modem_inputs(0);
    u->divisor = 1;
    u->thre = true;
}

int uart_claim(struct uart *u, struct pio_bus *bus)
{
    static const struct pio_ops ops = {uart_read, uart_write, NULL};

    return pio_claim(bus, PORT_COM1, PORT_COM1 + 7, &ops, u);
}
