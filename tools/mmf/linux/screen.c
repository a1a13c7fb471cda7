/* screen.c - see screen.h: by ncurses. */
#include "os/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#include "base/color.h"
#include "base/say.h"
#include "os/os.h"
#include "os/stop.h"

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
    if (!has_colors() || !color_is_on(stdout))
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

    if (!os_is_terminal(stdout) || !os_is_terminal(stdin))
        say_usage("this needs a terminal: %s", instead);
    terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        say("unknown terminal \"%s\": export TERM=xterm", name != NULL ? name : "");
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

int
screen_rows(void)
{
    return LINES;
}

int
screen_columns(void)
{
    return COLS;
}

static int
has_colour(void)
{
    return has_colors() && color_is_on(stdout);
}

screen_style
screen_colour(enum screen_colour colour)
{
    if (colour == SCREEN_PLAIN)
        return SCREEN_NORMAL;
    if (has_colour())
        return colour == SCREEN_CHANGED ? colour | SCREEN_BOLD | SCREEN_REVERSE
                                        : (screen_style)colour;
    return colour == SCREEN_CHANGED ? SCREEN_REVERSE : SCREEN_BOLD;
}

static attr_t
attributes_of(screen_style style)
{
    return (attr_t)COLOR_PAIR(style & SCREEN_COLOUR_MASK) |
           (style & SCREEN_BOLD ? A_BOLD : 0) |
           (style & SCREEN_REVERSE ? A_REVERSE : 0) |
           (style & SCREEN_UNDERLINE ? A_UNDERLINE : 0);
}

void
screen_clear(void)
{
    erase();
}

void
screen_show(void)
{
    refresh();
}

void
screen_fill(int row, screen_style style)
{
    if (row < 0 || row >= LINES)
        return;
    mvhline(row, 0, ' ' | attributes_of(style), COLS);
}

void
screen_text(int row, int column, screen_style style, const char *text)
{
    if (row < 0 || row >= LINES || column >= COLS)
        return;
    attrset((int)attributes_of(style));
    mvaddnstr(row, column, text, -1);
    attrset(A_NORMAL);
}

void
screen_bar(int row, const char *text)
{
    screen_fill(row, SCREEN_REVERSE);
    screen_text(row, 0, SCREEN_REVERSE, text);
}

int
screen_key(int milliseconds)
{
    int key;

    timeout(milliseconds);
    key = getch();
    switch (key) {
    case ERR:
    case KEY_RESIZE:
        return SCREEN_NO_KEY;
    case KEY_ENTER:
        return SCREEN_ENTER;
    case KEY_BACKSPACE:
    case 127:
        return SCREEN_BACKSPACE;
    case KEY_UP:
        return SCREEN_UP;
    case KEY_DOWN:
        return SCREEN_DOWN;
    case KEY_PPAGE:
        return SCREEN_PAGE_UP;
    case KEY_NPAGE:
        return SCREEN_PAGE_DOWN;
    case KEY_HOME:
        return SCREEN_HOME;
    case KEY_END:
        return SCREEN_END;
    default:
        return key < SCREEN_UP ? key : SCREEN_NO_KEY;
    }
}

int64_t
screen_now_ms(void)
{
    return os_now_ns() / 1000000;
}
