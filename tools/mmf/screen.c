/* screen.c - see screen.h. */
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "say.h"
#include "stop.h"

static int is_open;
static SCREEN *terminal;

void
screen_end(void)
{
    if (!is_open)
        return;
    is_open = 0;
    endwin();
    delscreen(terminal);
}

static void
prepare_colours(void)
{
    if (!has_colors() || getenv("NO_COLOR") != NULL)
        return;
    start_color();
    use_default_colors();
    init_pair(SCREEN_CHANGED, COLOR_YELLOW, -1);
    init_pair(SCREEN_DIM, COLOR_CYAN, -1);
    init_pair(SCREEN_BAD, COLOR_RED, -1);
    init_pair(SCREEN_GOOD, COLOR_GREEN, -1);
}

void
screen_begin(const char *instead)
{
    const char *name = getenv("TERM");

    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
        say_usage("this needs a terminal: %s", instead);
    terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        say("TERM \"%s\" is no terminal that is known here: export TERM=xterm",
            name != NULL ? name : "");
        _exit(TOOL_USAGE); /* with what ncurses had begun */
    }
    set_term(terminal);
    is_open = 1;
    atexit(screen_end); /* a failure below ends the program */
    say_call_before(screen_end);
    stop_note();
    prepare_colours();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
}

attr_t
screen_attribute(enum screen_colour colour)
{
    if (colour == SCREEN_PLAIN)
        return A_NORMAL;
    if (has_colors() && getenv("NO_COLOR") == NULL)
        return (attr_t)COLOR_PAIR(colour) |
               (colour == SCREEN_CHANGED ? A_BOLD | A_REVERSE : A_NORMAL);
    return colour == SCREEN_CHANGED ? A_REVERSE : A_BOLD;
}

void
screen_text(int row, int column, attr_t attribute, const char *text)
{
    if (row < 0 || row >= LINES || column >= COLS)
        return;
    attrset((int)attribute);
    mvaddnstr(row, column, text, -1);
    attrset(A_NORMAL);
}

void
screen_bar(int row, const char *text)
{
    if (row < 0 || row >= LINES)
        return;
    attrset(A_REVERSE);
    mvhline(row, 0, ' ', COLS);
    mvaddnstr(row, 0, text, COLS);
    attrset(A_NORMAL);
}

int
screen_key(int milliseconds)
{
    timeout(milliseconds);
    return getch();
}

int64_t
screen_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
