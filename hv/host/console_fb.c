/* SPDX-License-Identifier: MIT */
/*
 * Text on a linear framebuffer, in a font of its own. The last line is followed by the first, after
 * a blank line that shows where the newest text ends: scrolling would read uncached memory.
 */
#include "hv/host/console_font.h"
#include "hv/host/console_sink.h"
#include "hv/host/mem.h"
#include "hv/lib/string.h"

#define CELL_WIDTH  8u
#define CELL_HEIGHT 12u
#define TOP         2u    /* blank pixels above a glyph */
#define WHITE       0xffu /* of each byte of a pixel */

static struct boot_framebuffer fb;
static u32 columns, lines; /* in characters */
static u32 column, line;
static u32 pixel_size; /* bytes */

static u8 *pixel_at(u32 x, u32 y)
{
    return (u8 *)fb.addr + (u64)y * fb.pitch + (u64)x * pixel_size;
}

static void clear_line(u32 l)
{
    u32 y;

    for (y = 0; y < CELL_HEIGHT; y++)
        memset(pixel_at(0, l * CELL_HEIGHT + y), 0, (size_t)fb.width * pixel_size);
}

static void new_line(void)
{
    column = 0;
    line = (line + 1) % lines;
    clear_line(line);
    clear_line((line + 1) % lines);
}

static void draw(char c)
{
    const u8 *rows = console_font[c - FONT_FIRST];
    u32 left = column * CELL_WIDTH;
    u32 top = line * CELL_HEIGHT + TOP + (strchr(FONT_DESCENDERS, c) ? FONT_DESCENT : 0);
    u32 x, y;

    for (y = 0; y < FONT_HEIGHT; y++)
        for (x = 0; x < FONT_WIDTH; x++)
            if (rows[y] & BIT(FONT_WIDTH - 1 - x))
                memset(pixel_at(left + x, top + y), WHITE, pixel_size);
}

static void put_char(char c)
{
    if (c == '\n') {
        new_line();
    } else if (c == '\r') {
        column = 0;
    } else if (c >= FONT_FIRST && c <= FONT_LAST) {
        draw(c);
        if (++column == columns)
            new_line();
    }
}

static bool usable(const struct boot_framebuffer *f)
{
    return (f->bpp == 16 || f->bpp == 24 || f->bpp == 32) && f->width >= CELL_WIDTH &&
           f->height >= 2 * CELL_HEIGHT && f->width <= 65536 && f->height <= 65536 &&
           f->pitch >= f->width * (f->bpp / 8) && f->pitch <= MIB;
}

bool fb_init(const struct boot_framebuffer *f)
{
    if (!usable(f) || mem_map_mmio(f->addr, (u64)f->pitch * f->height))
        return false;
    fb = *f;
    pixel_size = fb.bpp / 8u;
    columns = fb.width / CELL_WIDTH;
    lines = fb.height / CELL_HEIGHT;
    for (line = 0; line < lines; line++)
        clear_line(line);
    line = 0;
    column = 0;
    return true;
}

void fb_write(const char *text, size_t n)
{
    while (n--)
        put_char(*text++);
}
