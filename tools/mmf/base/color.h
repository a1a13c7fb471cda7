/* color.h - whether output has colours: --color, and what others' tools obey, too. */
#ifndef MMF_TOOL_COLOR_H
#define MMF_TOOL_COLOR_H

#include <stdio.h>

/* What --color says: auto, always, never; NULL or "" is always. Others end the program. */
void color_choose(const char *when);

/*
 * By --color; else not with NO_COLOR, always with CLICOLOR_FORCE, not with CLICOLOR=0, and
 * on terminals.
 */
int color_is_on(FILE *stream);

/* Sequences for standard output; "" without colours. */
enum color { COLOR_PLAIN, COLOR_GOOD, COLOR_NOTE, COLOR_WARN, COLOR_BAD, COLOR_DIM };
const char *color_begin(enum color color);
const char *color_end(enum color color);

#endif
