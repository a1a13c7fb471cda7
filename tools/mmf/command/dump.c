/* dump.c - mmf dump: bytes in hexadecimal and as text, as hexdump -C has it. */
#include "command/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/color.h"
#include "base/say.h"
#include "command/commands.h"

#include <mmf/kind.h>
#include "object/bytes.h"
#include "os/os.h"

enum dump_class
dump_class_of(unsigned char byte)
{
    if (byte == 0)
        return DUMP_ZERO;
    if (byte >= 0x80)
        return DUMP_HIGH;
    return byte < 0x20 || byte == 0x7f ? DUMP_CONTROL : DUMP_TEXT;
}

char
dump_character(unsigned char byte)
{
    if (dump_class_of(byte) != DUMP_TEXT)
        return '.';
    return (char)byte;
}

/* Grey, plain, yellow, cyan: as hexyl has it, more or less. */
static const char *const colors[] = {"\033[90m", "\033[0m", "\033[33m", "\033[36m"};

static void
set_color(int colored, unsigned char byte, int *last)
{
    int class = (int)dump_class_of(byte);

    if (colored && class != *last)
        fputs(colors[class], stdout);
    *last = class;
}

static void
reset_color(int colored, int *last)
{
    if (colored && *last > 0 - 1 && *last != DUMP_TEXT)
        fputs("\033[0m", stdout);
    *last = DUMP_TEXT;
}

static void
print_line(int64_t offset, const unsigned char *line, size_t count, int colored)
{
    int last = DUMP_TEXT;

    printf("%08llx ", (unsigned long long)offset);
    for (size_t i = 0; i < DUMP_WIDTH; i++) {
        if (i % 8 == 0)
            putchar(' ');
        if (i >= count) {
            fputs("   ", stdout);
            continue;
        }
        set_color(colored, line[i], &last);
        printf("%02x ", line[i]);
    }
    reset_color(colored, &last);
    fputs(" |", stdout);
    for (size_t i = 0; i < count; i++) {
        set_color(colored, line[i], &last);
        putchar(dump_character(line[i]));
    }
    reset_color(colored, &last);
    puts("|");
}

/* Bytes of the map, a piece at a time. */
struct window {
    const struct bytes *bytes;
    int64_t at; /* of the piece in the window */
    size_t count;
    unsigned char piece[64 << 10];
};

static const unsigned char *
line_at(struct window *window, int64_t at)
{
    int64_t left = window->bytes->length - at;

    if (window->count == 0 || at < window->at ||
        at >= window->at + (int64_t)window->count) {
        window->at = at;
        window->count = left < (int64_t)sizeof(window->piece) ? (size_t)left
                                                              : sizeof(window->piece);
        bytes_read(window->bytes, at, window->piece, window->count);
    }
    return window->piece + (at - window->at);
}

/* Whole lines of zeros from `at` on that need not be read. */
static int64_t
zero_lines(const struct window *window, int64_t at)
{
    if (at % (int64_t)sizeof(window->piece) != 0)
        return 0;
    return bytes_zeros(window->bytes, at) / DUMP_WIDTH * DUMP_WIDTH;
}

static void
print_all(const struct bytes *bytes, int colored, int every)
{
    static const unsigned char zeros[DUMP_WIDTH];
    static struct window window;
    unsigned char before[DUMP_WIDTH];
    int folded = 0;

    window.bytes = bytes;
    for (int64_t at = 0; at < bytes->length && !ferror(stdout);) {
        size_t count = bytes->length - at < DUMP_WIDTH ? (size_t)(bytes->length - at)
                                                       : (size_t)DUMP_WIDTH;
        const unsigned char *line = line_at(&window, at);

        if (!every && at > 0 && count == DUMP_WIDTH &&
            memcmp(line, before, DUMP_WIDTH) == 0) {
            int64_t skipped =
                memcmp(before, zeros, DUMP_WIDTH) == 0 ? zero_lines(&window, at) : 0;

            if (!folded)
                puts("*");
            folded = 1;
            at += skipped > 0 ? skipped : DUMP_WIDTH;
            continue;
        }
        folded = 0;
        print_line(bytes->offset + at, line, count, colored);
        memcpy(before, line, count);
        at += DUMP_WIDTH;
    }
    window.bytes = NULL;
    printf("%08llx\n",
           (unsigned long long)bytes->offset + (unsigned long long)bytes->length);
}

static int
run(struct args *args)
{
    struct bytes bytes;
    int colored = color_is_on(stdout);
    int64_t offset = args_bytes(args, "offset", 0);
    int64_t length = args_bytes(args, "length", -1);

    bytes_open(args_name(args->operands[0]), 0, offset, length, &bytes);
    print_all(&bytes, colored, args_value(args, "all") != NULL);
    bytes_close(&bytes);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"offset", 'o', "N", "first byte (0)"},
    {"length", 'l', "N", "number of bytes (to the end)"},
    {"all", 'a', NULL, "do not fold repeated lines"},
    {NULL, 0, NULL, NULL}};

const struct command command_dump = {
    .name = "dump",
    .operands = "NAME",
    .summary = "show a map's bytes in hexadecimal and as text",
    .example = "mmf dump Cat --length 64",
    .options = options,
    .kinds = 1u << MMF_KIND_MAP,
    .least = 1,
    .most = 1,
    .run = run};
