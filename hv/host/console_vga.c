/* SPDX-License-Identifier: MIT */
/*
 * VGA text mode, 80 columns by 25 lines. Source: IBM VGA documentation, "CRT Controller Registers".
 */
#include "hv/host/console_sink.h"
#include "hv/lib/string.h"
#include "hv/x86/insn.h"

#define COLUMNS    80
#define LINES      25
#define ATTRIBUTE  0x0700 /* grey on black */
#define CRTC_INDEX 0x3d4
#define CRTC_DATA  0x3d5
#define CURSOR_HI  0x0e
#define CURSOR_LO  0x0f
#define TAB        8

static u16 *cells = (u16 *)0xb8000;
static u32 column, line;

static void clear_line(u32 l)
{
    u32 i;

    for (i = 0; i < COLUMNS; i++)
        cells[l * COLUMNS + i] = ATTRIBUTE | ' ';
}

static void new_line(void)
{
    column = 0;
    if (++line < LINES)
        return;
    line = LINES - 1;
    memmove(cells, cells + COLUMNS, (LINES - 1) * COLUMNS * sizeof(*cells));
    clear_line(LINES - 1);
}

static void put_char(char c)
{
    if (c == '\n') {
        new_line();
    } else if (c == '\r') {
        column = 0;
    } else if (c == '\t') {
        column = MIN(ALIGN_UP(column + 1, TAB), COLUMNS - 1u);
    } else if (c == '\b') {
        column -= column > 0;
    } else if ((u8)c >= ' ') {
        cells[line * COLUMNS + column] = ATTRIBUTE | (u8)c;
        if (++column == COLUMNS)
            new_line();
    }
}

static void crtc_write(u8 index, u32 value)
{
    insn_out8(CRTC_INDEX, index);
    insn_out8(CRTC_DATA, (u8)value);
}

static void move_cursor(void)
{
    u32 at = line * COLUMNS + column;

    crtc_write(CURSOR_HI, at >> 8);
    crtc_write(CURSOR_LO, at);
}

void vga_init(void)
{
    for (line = 0; line < LINES; line++)
        clear_line(line);
    line = 0;
    column = 0;
    move_cursor();
}

void vga_write(const char *text, size_t n)
{
    while (n--)
        put_char(*text++);
    move_cursor();
}
