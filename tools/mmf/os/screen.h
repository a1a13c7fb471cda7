/*
 * screen.h - a full screen, restored whatever happens: by ncurses on Linux, by the
 * console's own calls on Windows.
 */
#ifndef MMF_TOOL_SCREEN_H
#define MMF_TOOL_SCREEN_H

#include <stdint.h>

enum screen_colour {
    SCREEN_PLAIN,
    SCREEN_CHANGED,
    SCREEN_DIM,
    SCREEN_BAD,
    SCREEN_GOOD
};

/* How a text looks: a colour, and any of these. */
typedef unsigned screen_style;
enum {
    SCREEN_NORMAL = 0,
    SCREEN_COLOUR_MASK = 0xf, /* enum screen_colour */
    SCREEN_BOLD = 0x10,
    SCREEN_REVERSE = 0x20,
    SCREEN_UNDERLINE = 0x40
};

/* What screen_key returns: a character, or one of these. */
enum screen_key {
    SCREEN_NO_KEY = -1, /* none came, or a signal did, or the screen has another size */
    SCREEN_ENTER = '\n',
    SCREEN_BACKSPACE = '\b',
    SCREEN_ESCAPE = 27,
    SCREEN_UP = 256,
    SCREEN_DOWN,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_HOME,
    SCREEN_END
};

/*
 * Begin; ends the program with a message if standard output is not a terminal, or an
 * unknown one. `instead` says what works without a terminal.
 */
void screen_begin(const char *instead);

void screen_end(void);

int screen_rows(void);
int screen_columns(void);

/* The style of a colour; bold or reverse on terminals without. */
screen_style screen_colour(enum screen_colour colour);

/* Draw anew: clear what will be shown, put texts on it, and show it. */
void screen_clear(void);
void screen_show(void);

/* A row of blanks. */
void screen_fill(int row, screen_style style);

/* Text cut at the right edge. */
void screen_text(int row, int column, screen_style style, const char *text);

/* One line of a bar, as wide as the screen, in reverse. */
void screen_bar(int row, const char *text);

/* Wait for a key, at most `milliseconds`. */
int screen_key(int milliseconds);

/* Milliseconds on the monotonic clock. */
int64_t screen_now_ms(void);

#endif
