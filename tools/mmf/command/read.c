/*
 * read.c - mmf read: a map's bytes: unchanged into a pipe or a file, escaped on a
 * terminal.
 */
#include "command/commands.h"

#include <mmf/kind.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/say.h"
#include "base/text.h"
#include "object/bytes.h"
#include "os/os.h"

enum { CHUNK = 1 << 20 };

/* A piece at a time: the map may change or be truncated while we write it. */
static void
write_raw(const struct bytes *bytes)
{
    static char chunk[CHUNK];
    int64_t at = 0;

    while (at < bytes->length) {
        size_t count =
            bytes->length - at < CHUNK ? (size_t)(bytes->length - at) : (size_t)CHUNK;

        bytes_read(bytes, at, chunk, count);
        if (fwrite(chunk, 1, count, stdout) != count)
            return;
        at += (int64_t)count;
        progress_show(at, bytes->length);
    }
    progress_end();
}

/* The window without the zeros at its end. */
static int64_t
length_without_zeros(const struct bytes *bytes)
{
    static unsigned char piece[CHUNK];
    int64_t length = 0;

    for (int64_t at = bytes_zeros(bytes, 0); at < bytes->length;
         at += bytes_zeros(bytes, at)) {
        size_t count =
            bytes->length - at < CHUNK ? (size_t)(bytes->length - at) : (size_t)CHUNK;

        bytes_read(bytes, at, piece, count);
        for (size_t end = count; end > 0; end--) {
            if (piece[end - 1] != 0) {
                length = at + (int64_t)end;
                break;
            }
        }
        at += (int64_t)count;
        if (at >= bytes->length)
            break;
    }
    return length;
}

/* Text on a terminal: line ends and tabs stay, all else that is not text is escaped. */
static void
write_text(const struct bytes *bytes)
{
    static unsigned char piece[CHUNK];
    int64_t length = length_without_zeros(bytes);
    int64_t at = 0;
    unsigned char last = '\n';

    while (at < length && !ferror(stdout)) {
        size_t count = length - at < CHUNK ? (size_t)(length - at) : (size_t)CHUNK;
        size_t done;

        bytes_read(bytes, at, piece, count);
        done = text_write(piece, count, at + (int64_t)count == length);
        if (done > 0)
            last = piece[done - 1];
        at += (int64_t)done;
    }
    if (last != '\n')
        putchar('\n');
    fflush(stdout);
    if (length < bytes->length)
        say("%lld more zero bytes; mmf dump and --raw show all",
            (long long)(bytes->length - length));
}

/* A C string: up to the first zero byte. */
static void
cut_at_zero(struct bytes *bytes)
{
    static unsigned char piece[CHUNK];

    for (int64_t at = 0; at < bytes->length;) {
        size_t count =
            bytes->length - at < CHUNK ? (size_t)(bytes->length - at) : (size_t)CHUNK;
        const unsigned char *zero;

        bytes_read(bytes, at, piece, count);
        zero = memchr(piece, 0, count);
        at += zero != NULL ? zero - piece : (int64_t)count;
        if (zero != NULL)
            bytes->length = at;
    }
}

static int
run(struct args *args)
{
    struct bytes bytes;
    int raw = args_value(args, "raw") != NULL || !os_is_terminal(stdout);
    int64_t offset = args_bytes(args, "offset", 0);
    int64_t length = args_bytes(args, "length", -1);

    bytes_open(args_name(args->operands[0]), 0, offset, length, &bytes);
    if (args_value(args, "string") != NULL)
        cut_at_zero(&bytes);
    if (raw)
        write_raw(&bytes);
    else
        write_text(&bytes);
    bytes_close(&bytes);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"offset", 'o', "N", "first byte (0)"},
    {"length", 'l', "N", "number of bytes (to the end)"},
    {"string", 's', NULL, "only up to the first zero byte"},
    {"raw", 'r', NULL, "the bytes unchanged, even on a terminal"},
    {NULL, 0, NULL, NULL}};

const struct command command_read = {.name = "read",
                                     .operands = "NAME",
                                     .summary =
                                         "write a map's bytes to standard output",
                                     .example = "mmf read Cat > cat.bin",
                                     .options = options,
                                     .kinds = 1u << MMF_KIND_MAP,
                                     .least = 1,
                                     .most = 1,
                                     .run = run};
