/* SPDX-License-Identifier: MIT */
/*
 * The font of the framebuffer console: printable ASCII, drawn in cells of 5 by 7 dots.
 */
#ifndef HV_HOST_CONSOLE_FONT_H
#define HV_HOST_CONSOLE_FONT_H

#include "hv/lib/types.h"

#define FONT_FIRST  ' '
#define FONT_LAST   '~'
#define FONT_WIDTH  5
#define FONT_HEIGHT 7

/* Glyphs that stand FONT_DESCENT dots lower than the others. */
#define FONT_DESCENDERS "gpqy"
#define FONT_DESCENT    2

/* Rows from the top; bit 4 is the leftmost dot. */
extern const u8 console_font[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
