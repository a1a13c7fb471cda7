/* os.c - see os.h. */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <shellapi.h>

#include "base/say.h"
#include "base/text.h"
#include "windows/wide.h"

/*
 * Arguments and streams.
 */

static UINT code_page_before;

static void
restore_code_page(void)
{
    SetConsoleOutputCP(code_page_before);
}

/* The console is set to UTF-8; it is other programs' console as well. */
static void
write_utf8(void)
{
    if (!os_is_terminal(stdout) && !os_is_terminal(stderr))
        return;
    code_page_before = GetConsoleOutputCP();
    if (code_page_before == CP_UTF8)
        return;
    SetConsoleOutputCP(CP_UTF8);
    atexit(restore_code_page);
}

/*
 * Bytes as they are, also in the other direction: maps have no lines. A character must
 * not reach the console in parts, which the C library's usual ways do not promise.
 */
static void
prepare_streams(void)
{
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    setvbuf(stderr, NULL, _IOFBF, 1 << 14);
    write_utf8();
}

/* Those that the C library gives us are in the code page, which has not all names. */
static void
read_arguments(int *argc, char ***argv)
{
    int count = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **text = calloc((size_t)count + 1, sizeof(*text));

    if (wide == NULL || text == NULL)
        say_no_memory();
    for (int i = 0; i < count; i++)
        text[i] = wide_to_text(wide[i]);
    LocalFree(wide);
    *argc = count;
    *argv = text;
}

void
os_begin(int *argc, char ***argv)
{
    prepare_streams();
    read_arguments(argc, argv);
}

int
os_is_terminal(FILE *stream)
{
    DWORD mode;

    return GetConsoleMode((HANDLE)_get_osfhandle(_fileno(stream)), &mode) != 0;
}

/* Windows' own consoles do since Windows 10, if they are asked to. */
int
os_has_sequences(FILE *stream)
{
    HANDLE console = (HANDLE)_get_osfhandle(_fileno(stream));
    DWORD mode;

    return GetConsoleMode(console, &mode) &&
           SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING |
                                       ENABLE_PROCESSED_OUTPUT);
}

int
os_columns(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info))
        return 80;
    return info.srWindow.Right - info.srWindow.Left + 1;
}

int
os_has_unicode(void)
{
    return 1;
}

/* The C library has several errors for it; but a pipe has no other reason to fail. */
int
os_reader_has_left(int error)
{
    (void)error;
    return GetFileType((HANDLE)_get_osfhandle(_fileno(stdout))) == FILE_TYPE_PIPE;
}

/*
 * Clocks.
 */

int64_t
os_now_ns(void)
{
    LARGE_INTEGER ticks, second;

    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&second);
    return ticks.QuadPart / second.QuadPart * 1000000000 +
           ticks.QuadPart % second.QuadPart * 1000000000 / second.QuadPart;
}

int64_t
os_time_ns(void)
{
    static const int64_t from_1601_to_1970 = 116444736000000000;
    FILETIME now; /* in units of 100 nanoseconds */

    GetSystemTimePreciseAsFileTime(&now);
    return ((int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
            from_1601_to_1970) *
           100;
}

int
os_local_time(int64_t seconds, struct tm *parts)
{
    return _localtime64_s(parts, &seconds) == 0;
}

int
os_utc_time(int64_t seconds, struct tm *parts)
{
    return _gmtime64_s(parts, &seconds) == 0;
}

/*
 * Users, processes, names.
 */

/* Users have no numbers here. */
int
os_user_name(unsigned user, char *name, size_t size)
{
    (void)user;
    (void)name;
    (void)size;
    return 0;
}

int
os_find_user(const char *text, unsigned *user)
{
    (void)text;
    (void)user;
    return 0;
}

unsigned
os_user(void)
{
    return 0;
}

int
os_hidden_users(void)
{
    return 0;
}

void
os_visit_usage(void (*visit)(void *payload, const struct os_usage *usage),
               void *payload)
{
    (void)visit;
    (void)payload;
}

int
os_room(int64_t *left, int64_t *total)
{
    (void)left;
    (void)total;
    return 0;
}

void
os_become_user(unsigned user)
{
    (void)user;
}

int
os_process(void)
{
    return (int)GetCurrentProcessId();
}

const size_t os_longest_name = (size_t)3 * 32703; /* of UTF-16, in fact */

const int os_keeps_records = 0;

const char os_path_title[] = "in kernel";

/* With the backslashes that lead through the kernel's directories. */
char *
os_show_path(const char *path)
{
    return text_escape_line(path);
}

/* The contents of "[a-f]" after the bracket; *end is after it. NULL *end: none. */
static int
is_in_set(const char *set, char letter, const char **end)
{
    int negated = *set == '!' || *set == '^';
    int found = 0;
    const char *at = set + negated;

    do {
        unsigned char low = (unsigned char)*at;
        unsigned char high = low;

        if (low == '\0') {
            *end = NULL;
            return 0;
        }
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            high = (unsigned char)at[2];
            at += 2;
        }
        found |= (unsigned char)letter >= low && (unsigned char)letter <= high;
        at++;
    } while (*at != ']');
    *end = at + 1;
    return found != negated;
}

/* One step of a pattern that is no "*"; NULL: the letter is not as it says. */
static const char *
match_one(const char *pattern, char letter)
{
    const char *end = NULL;

    if (*pattern == '?')
        return pattern + 1;
    if (*pattern == '[') {
        int is_in = is_in_set(pattern + 1, letter, &end);

        if (end != NULL)
            return is_in ? end : NULL;
    }
    return *pattern == letter ? pattern + 1 : NULL;
}

int
os_matches(const char *pattern, const char *name)
{
    const char *star = NULL; /* the last "*" takes more and more */
    const char *taken = NULL;

    while (*name != '\0') {
        const char *next;

        if (*pattern == '*') {
            star = ++pattern;
            taken = name;
            continue;
        }
        next = *pattern != '\0' ? match_one(pattern, *name) : NULL;
        if (next != NULL) {
            pattern = next;
            name++;
            continue;
        }
        if (star == NULL)
            return 0;
        pattern = star;
        name = ++taken;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* The kernel counts handles, and does not say whose they are. */
char *
os_hidden_holders(int count, int some_seen)
{
    (void)some_seen;
    return text_format("%d handle%s", count, count == 1 ? "" : "s");
}

void
os_set_variable(const char *name, const char *value)
{
    wchar_t *wide_name = wide_from_text(name);
    wchar_t *wide_value = value != NULL ? wide_from_text(value) : NULL;

    SetEnvironmentVariableW(wide_name, wide_value);
    free(wide_value);
    free(wide_name);
}

/*
 * Standard input.
 */

int64_t
os_input_length(void)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    LARGE_INTEGER length, at;

    if (GetFileType(input) != FILE_TYPE_DISK || !GetFileSizeEx(input, &length) ||
        !SetFilePointerEx(input, (LARGE_INTEGER){.QuadPart = 0}, &at, FILE_CURRENT))
        return 0;
    return length.QuadPart > at.QuadPart ? length.QuadPart - at.QuadPart : 0;
}

int64_t
os_read_input(void *into, int64_t space)
{
    DWORD most = space < 1 << 20 ? (DWORD)space : (DWORD)1 << 20;
    DWORD count = 0;
    DWORD error;

    if (ReadFile(GetStdHandle(STD_INPUT_HANDLE), into, most, &count, NULL))
        return (int64_t)count;
    error = GetLastError();
    if (error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF)
        return 0; /* the writer has left */
    say_and_exit(TOOL_FAILED, "standard input: %s", wide_error(error));
}

static void
make_space(char **line, size_t *space, size_t length)
{
    if (length + 1 < *space)
        return;
    *space = *space < 128 ? 128 : *space * 2;
    *line = realloc(*line, *space);
    if (*line == NULL)
        say_no_memory();
}

/* Lines of Windows' programs end with two characters. */
int64_t
os_read_line(char **line, size_t *space)
{
    size_t length = 0;
    int c = getchar();

    if (c == EOF)
        return -1;
    for (; c != EOF && c != '\n'; c = getchar()) {
        make_space(line, space, length);
        (*line)[length++] = (char)c;
    }
    make_space(line, space, length);
    if (c == '\n' && length > 0 && (*line)[length - 1] == '\r')
        length--;
    return (int64_t)length;
}

/*
 * A map's file whose bytes cannot be read: a disk or a network has failed. The kernel does
 * not let a process truncate a mapped file.
 */

static LONG CALLBACK
bytes_are_lost(EXCEPTION_POINTERS *what)
{
    static const char line[] = "mmf: the bytes are lost: the map's file, or its disk, "
                               "cannot be read any more\n";
    DWORD written;

    if (what->ExceptionRecord->ExceptionCode != EXCEPTION_IN_PAGE_ERROR)
        return EXCEPTION_CONTINUE_SEARCH;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, sizeof(line) - 1, &written, NULL);
    TerminateProcess(GetCurrentProcess(), TOOL_DAMAGED);
    return EXCEPTION_CONTINUE_SEARCH;
}

void
os_expect_cut(void)
{
    AddVectoredExceptionHandler(1, bytes_are_lost);
}

/*
 * A section's bytes: a view is the only way to them.
 */

int
os_open_bytes(intptr_t handle)
{
    (void)handle;
    return -1;
}

void
os_read_bytes(int fd, int64_t at, void *into, size_t count)
{
    (void)fd;
    (void)at;
    memset(into, 0, count);
}

int64_t
os_zeros_at(int fd, int64_t at)
{
    (void)fd;
    (void)at;
    return 0;
}

void
os_close_bytes(int fd)
{
    (void)fd;
}
