/*
 * screen.c - see screen.h: by the console's own calls. What is shown is drawn into a
 * grid of slots, which the console takes as a whole, on its own screen, so that
 * the one before comes back as it was. (ncurses would do, and takes minutes to build.)
 */
#include "os/screen.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/color.h"
#include "base/say.h"
#include "os/os.h"
#include "os/stop.h"
#include "windows/stop_event.h"
#include "windows/wide.h"

static HANDLE ours;   /* the screen that we draw on */
static HANDLE before; /* the one that was there */
static HANDLE keyboard;
static DWORD keyboard_mode;
static CHAR_INFO *slots;
static int rows, columns;

void
screen_end(void)
{
    if (ours == NULL)
        return;
    SetConsoleActiveScreenBuffer(before);
    SetConsoleMode(keyboard, keyboard_mode);
    CloseHandle(ours);
    CloseHandle(before);
    CloseHandle(keyboard);
    free(slots);
    slots = NULL;
    ours = NULL;
}

static HANDLE
open_console(const wchar_t *name)
{
    HANDLE handle =
        CreateFileW(name, GENERIC_READ | GENERIC_WRITE,
                    FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        say_and_exit(TOOL_FAILED, "cannot open the console: %s",
                     wide_error(GetLastError()));
    return handle;
}

static void
hide_cursor(void)
{
    CONSOLE_CURSOR_INFO cursor = {100, FALSE};

    SetConsoleCursorInfo(ours, &cursor);
}

void
screen_begin(const char *instead)
{
    if (!os_is_terminal(stdout) || !os_is_terminal(stdin))
        say_usage("this needs a terminal: %s", instead);
    before = open_console(L"CONOUT$");
    keyboard = open_console(L"CONIN$");
    ours = CreateConsoleScreenBuffer(GENERIC_READ | GENERIC_WRITE,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                     CONSOLE_TEXTMODE_BUFFER, NULL);
    if (ours == INVALID_HANDLE_VALUE) {
        ours = NULL;
        say_and_exit(TOOL_FAILED, "cannot make a screen: %s",
                     wide_error(GetLastError()));
    }
    GetConsoleMode(keyboard, &keyboard_mode);
    SetConsoleMode(keyboard, ENABLE_PROCESSED_INPUT | ENABLE_WINDOW_INPUT);
    SetConsoleActiveScreenBuffer(ours);
    hide_cursor();
    atexit(screen_end);
    say_call_before(screen_end);
    stop_note();
    screen_clear();
}

int
screen_rows(void)
{
    return rows;
}

int
screen_columns(void)
{
    return columns;
}

/*
 * Looks.
 */

static int
has_colour(void)
{
    return color_is_on(stdout);
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

enum { WHITE = FOREGROUND_RED | FOREGROUND_GREEN | FOREGROUND_BLUE, BACKGROUND = 4 };

static const WORD colours[] = {WHITE, FOREGROUND_RED | FOREGROUND_GREEN,
                               FOREGROUND_GREEN | FOREGROUND_BLUE, FOREGROUND_RED,
                               FOREGROUND_GREEN};

/* Bits for the letter's colour, and the same for what is behind it. */
static WORD
attributes_of(screen_style style)
{
    unsigned letter = colours[style & SCREEN_COLOUR_MASK];
    unsigned behind = 0;

    if (style & SCREEN_BOLD)
        letter |= FOREGROUND_INTENSITY;
    if (style & SCREEN_REVERSE) {
        behind = letter & WHITE;
        letter =
            letter & FOREGROUND_INTENSITY && behind == WHITE ? FOREGROUND_INTENSITY : 0;
    }
    return (WORD)(letter | behind << BACKGROUND |
                  (style & SCREEN_UNDERLINE ? COMMON_LVB_UNDERSCORE : 0));
}

/*
 * Drawing.
 */

/* The window's size, which may be another one now. */
static void
measure(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    rows = 24;
    columns = 80;
    if (GetConsoleScreenBufferInfo(ours, &info)) {
        rows = info.srWindow.Bottom - info.srWindow.Top + 1;
        columns = info.srWindow.Right - info.srWindow.Left + 1;
    }
}

void
screen_clear(void)
{
    measure();
    free(slots);
    slots = calloc((size_t)rows * (size_t)columns, sizeof(*slots));
    if (slots == NULL)
        say_no_memory();
    for (int i = 0; i < rows; i++)
        screen_fill(i, SCREEN_NORMAL);
}

void
screen_show(void)
{
    COORD size = {(SHORT)columns, (SHORT)rows};
    COORD from = {0, 0};
    SMALL_RECT to = {0, 0, (SHORT)(columns - 1), (SHORT)(rows - 1)};

    WriteConsoleOutputW(ours, slots, size, from, &to);
}

void
screen_fill(int row, screen_style style)
{
    if (row < 0 || row >= rows)
        return;
    for (int i = 0; i < columns; i++) {
        CHAR_INFO *slot = &slots[row * columns + i];

        slot->Char.UnicodeChar = L' ';
        slot->Attributes = attributes_of(style);
    }
}

void
screen_text(int row, int column, screen_style style, const char *text)
{
    wchar_t *wide;

    if (row < 0 || row >= rows)
        return;
    wide = wide_from_text(text);
    for (const wchar_t *at = wide; *at != L'\0' && column < columns; at++, column++) {
        CHAR_INFO *slot = &slots[row * columns + column];

        slot->Char.UnicodeChar = *at;
        slot->Attributes = attributes_of(style);
    }
    free(wide);
}

void
screen_bar(int row, const char *text)
{
    screen_fill(row, SCREEN_REVERSE);
    screen_text(row, 0, SCREEN_REVERSE, text);
}

/*
 * Keys.
 */

static int
key_of(const KEY_EVENT_RECORD *event)
{
    static const struct {
        WORD code;
        int key;
    } keys[] = {{VK_UP, SCREEN_UP},         {VK_DOWN, SCREEN_DOWN},
                {VK_PRIOR, SCREEN_PAGE_UP}, {VK_NEXT, SCREEN_PAGE_DOWN},
                {VK_HOME, SCREEN_HOME},     {VK_END, SCREEN_END},
                {VK_RETURN, SCREEN_ENTER},  {VK_BACK, SCREEN_BACKSPACE}};

    if (!event->bKeyDown)
        return SCREEN_NO_KEY;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (event->wVirtualKeyCode == keys[i].code)
            return keys[i].key;
    if (event->uChar.UnicodeChar > 0 && event->uChar.UnicodeChar < SCREEN_UP)
        return event->uChar.UnicodeChar;
    return SCREEN_NO_KEY;
}

/* What the next event says. */
static int
take_event(void)
{
    INPUT_RECORD event;
    DWORD count;

    if (!ReadConsoleInputW(keyboard, &event, 1, &count) || count == 0 ||
        event.EventType != KEY_EVENT)
        return SCREEN_NO_KEY;
    return key_of(&event.Event.KeyEvent);
}

/* Released keys and the mouse are events as well: they do not end the wait. */
int
screen_key(int milliseconds)
{
    HANDLE both[] = {stop_event(), keyboard};
    int64_t end = screen_now_ms() + milliseconds;
    int key = SCREEN_NO_KEY;

    while (key == SCREEN_NO_KEY) {
        int64_t left = end - screen_now_ms();

        if (WaitForMultipleObjects(2, both, FALSE, left > 0 ? (DWORD)left : 0) !=
            WAIT_OBJECT_0 + 1)
            break;
        key = take_event();
    }
    return key;
}

int64_t
screen_now_ms(void)
{
    return os_now_ns() / 1000000;
}
