/* text.c - see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/say.h"
#include "os/os.h"

/* Characters that show nothing, or change how others are shown. */
static int
shows_something(uint32_t character)
{
    if (character < 0xa0)
        return character >= 0x20 && character < 0x7f;
    return !(character == 0xad || character == 0x61c ||
             (character >= 0x200b && character <= 0x200f) ||
             (character >= 0x2028 && character <= 0x202e) ||
             (character >= 0x2060 && character <= 0x206f) ||
             (character >= 0xd800 && character <= 0xdfff) || character == 0xfeff ||
             (character >= 0xfff9 && character <= 0xffff) || character > 0x10ffff);
}

/* Decode one character of valid, shortest UTF-8. Returns its length, or 0. */
static size_t
decode(const unsigned char *bytes, size_t count, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc2 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf5 ? 4
                                      : 0;

    if (length == 0 || length > count)
        return 0;
    *character = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (bytes[i] & 0x3f);
    }
    return *character >= least[length] ? length : 0;
}

size_t
text_character(const unsigned char *bytes, size_t count)
{
    uint32_t character = 0;
    size_t length = count == 0 ? 0 : decode(bytes, count, &character);

    if (length > 1 && !os_has_unicode())
        return 0;
    return length > 0 && shows_something(character) ? length : 0;
}

static size_t
escape_one(unsigned char byte, char *to)
{
    static const char named[] = "\n\t\r\\";
    static const char names[] = "ntr\\";
    const char *found = byte != '\0' ? strchr(named, byte) : NULL;

    if (found == NULL)
        return (size_t)sprintf(to, "\\x%02x", byte);
    to[0] = '\\';
    to[1] = names[found - named];
    return 2;
}

static char *
escape(const unsigned char *from, size_t count, int with_backslash)
{
    char *text = malloc(4 * count + 1);
    size_t length = 0;
    size_t at = 0;

    if (text == NULL)
        say_no_memory();
    while (at < count) {
        size_t step = with_backslash && from[at] == '\\'
                          ? 0
                          : text_character(from + at, count - at);

        if (step == 0) {
            length += escape_one(from[at++], text + length);
            continue;
        }
        memcpy(text + length, from + at, step);
        length += step;
        at += step;
    }
    text[length] = '\0';
    return text;
}

char *
text_escape(const void *bytes, size_t count)
{
    return escape(bytes, count, 1);
}

size_t
text_write(const void *piece, size_t count, int is_end)
{
    enum { LONGEST = 4 };
    size_t at = 0;

    while (at < count && (is_end || count - at >= LONGEST) && !ferror(stdout)) {
        const unsigned char *here = (const unsigned char *)piece + at;
        size_t step = text_character(here, count - at);

        if (step > 0)
            fwrite(here, 1, step, stdout);
        else if (*here == '\n' || *here == '\t')
            putchar(*here);
        else
            printf("\\x%02x", *here);
        at += step > 0 ? step : 1;
    }
    return at;
}

char *
text_escape_line(const char *line)
{
    return escape((const unsigned char *)line, strlen(line), 0);
}

/* The only backslash of a name, after Global, is shown as it is typed. */
char *
text_escape_string(const char *string)
{
    static const char prefix[] = "Global\\";
    size_t skipped =
        strncmp(string, prefix, sizeof(prefix) - 1) == 0 ? sizeof(prefix) - 1 : 0;
    char *rest = text_escape(string + skipped, strlen(string + skipped));
    char *all = text_format("%.*s%s", (int)skipped, string, rest);

    free(rest);
    return all;
}

/* In single quotes; what is not text needs bash's way to write it. */
char *
text_quote(const char *string)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-+./:,@%";
    char *plain = text_escape_line(string);
    int is_text = strcmp(plain, string) == 0;
    char *from =
        is_text ? text_format("%s", string) : text_escape(string, strlen(string));
    char *text = malloc(4 * strlen(from) + 4);
    char *to = text;

    free(plain);
    if (text == NULL)
        say_no_memory();
    if (string[0] != '\0' && string[strspn(string, safe)] == '\0') {
        free(text);
        return from;
    }
    to += sprintf(to, is_text ? "'" : "$'");
    for (const char *at = from; *at != '\0'; at++)
        to += sprintf(to, *at != '\'' ? "%c" : is_text ? "'\\%c'" : "\\%c", *at);
    sprintf(to, "'");
    free(from);
    return text;
}

char *
text_valid(const char *string)
{
    const unsigned char *from = (const unsigned char *)string;
    size_t count = strlen(string);
    char *text = malloc(3 * count + 1);
    size_t length = 0;
    size_t at = 0;

    if (text == NULL)
        say_no_memory();
    while (at < count) {
        uint32_t character;
        size_t step = decode(from + at, count - at, &character);

        if (step == 0 || (character >= 0xd800 && character <= 0xdfff) ||
            character > 0x10ffff) {
            memcpy(text + length, "\xef\xbf\xbd", 3);
            length += 3;
            at++;
            continue;
        }
        memcpy(text + length, from + at, step);
        length += step;
        at += step;
    }
    text[length] = '\0';
    return text;
}

/*
 * Width.
 */

static int
is_between(uint32_t character, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i][0] && character <= ranges[i][1])
            return 1;
    return 0;
}

/* As terminals have it: 0 for accents that join a letter, 2 for East Asian letters. */
static size_t
columns_of(uint32_t character)
{
    static const uint32_t joined[][2] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},    {0x610, 0x61a},
        {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},  {0x20d0, 0x20ff},
        {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
    static const uint32_t wide[][2] = {
        {0x1100, 0x115f}, {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
        {0xac00, 0xd7a3}, {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

    if (character < 0x300)
        return 1;
    if (is_between(character, joined, sizeof(joined) / sizeof(joined[0])))
        return 0;
    return is_between(character, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

/* The bytes of `text` that fit, and the columns that these take. */
static size_t
measure(const char *text, size_t most, size_t *columns)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);

    *columns = 0;
    while (left > 0) {
        uint32_t character = *at;
        size_t step = decode(at, left, &character);
        size_t width = columns_of(character);

        if (*columns + width > most)
            break;
        *columns += width;
        at += step > 0 ? step : 1;
        left -= step > 0 ? step : 1;
    }
    return (size_t)((const char *)at - text);
}

size_t
text_columns(const char *text)
{
    size_t columns;

    measure(text, SIZE_MAX, &columns);
    return columns;
}

char *
text_cut(const char *text, size_t columns)
{
    size_t taken;
    size_t length = measure(text, columns, &taken);

    if (text[length] == '\0' || columns == 0)
        return text_format("%.*s", (int)length, text);
    length = measure(text, columns - 1, &taken);
    return text_format("%.*s%s", (int)length, text, os_has_unicode() ? "\u2026" : "~");
}

char *
text_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        say_no_memory();
    return text;
}

int
text_has(const char *text, const char *part)
{
    size_t length = strlen(part);

    for (; strlen(text) >= length; text++)
        if (strncasecmp(text, part, length) == 0)
            return 1;
    return 0;
}

const char *
text_user(unsigned user)
{
    static unsigned last = UINT32_MAX;
    static char name[64];

    if (user == last)
        return name;
    if (!os_user_name(user, name, sizeof(name)))
        snprintf(name, sizeof(name), "%u", user);
    last = user;
    return name;
}
