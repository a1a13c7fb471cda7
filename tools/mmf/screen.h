/* screen.h - a full screen, given back whatever happens (ncurses). */
#ifndef MMF_TOOL_SCREEN_H
#define MMF_TOOL_SCREEN_H

#include <stdint.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>

/* Colour pairs. */
enum screen_colour {
    SCREEN_PLAIN,
    SCREEN_CHANGED,
    SCREEN_DIM,
    SCREEN_BAD,
    SCREEN_GOOD
};

/*
 * Begin; ends the program with a line if standard output is no terminal, or one that
 * nobody knows. `instead` says what would do without a terminal.
 */
void screen_begin(const char *instead);

void screen_end(void);

/* An attribute for the colour; bold or reverse on terminals without. */
attr_t screen_attribute(enum screen_colour colour);

/* One line of a bar, as wide as the screen, in reverse. */
void screen_bar(int row, const char *text);

/* Text cut at the right edge. */
void screen_text(int row, int column, attr_t attribute, const char *text);

/* Wait for a key for at most so long; ERR: none came, or a signal did. */
int screen_key(int milliseconds);

/* Milliseconds on the monotonic clock. */
int64_t screen_now_ms(void);

#endif
