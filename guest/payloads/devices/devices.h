/* SPDX-License-Identifier: MIT */
/*
 * The checks of this payload; each returns NULL or why it failed, as struct check wants.
 */
#ifndef GUEST_PAYLOADS_DEVICES_DEVICES_H
#define GUEST_PAYLOADS_DEVICES_DEVICES_H

#include <stdbool.h>

#include "guest/lib/check.h"

#define UART_LINE 4 /* PIC input of COM1 */

/* uart.c */
bool uart_present(void);
void uart_request(void); /* raises UART_LINE: "transmitter empty" */
void uart_settle(void);  /* lowers it */
const char *uart_registers(void);
const char *uart_loopback(void);
const char *uart_fifo(void);
const char *uart_interrupt(void);

/* pit.c */
const char *pit_latching(void);
const char *pit_mode_0(void);
const char *pit_mode_2(void);
const char *pit_mode_3(void);
const char *pit_interrupt_rate(void);

/* pic.c */
const char *pic_masking(void);
const char *pic_requests(void);
const char *pic_priority(void);
const char *pic_in_service(void);
const char *pic_special_mask(void);

/* ports.c */
const char *ports_absent(void);
const char *ports_string(void);

#endif
