/*
 * read.c - mmf read: a map's bytes: unchanged into a pipe or a file, escaped on a
 * terminal.
 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "os.h"
#include "progress.h"
#include "say.h"
#include "text.h"

enum { CHUNK = 1 << 20 };

/* Copy a piece first: the map may change or be cut off while we write it. */
static void
write_raw(const struct bytes *bytes)
{
    static char chunk[CHUNK];
    int64_t at = 0;

    while (at < bytes->length) {
        size_t count =
            bytes->length - at < CHUNK ? (size_t)(bytes->length - at) : (size_t)CHUNK;

        memcpy(chunk, bytes->at + at, count);
        if (fwrite(chunk, 1, count, stdout) != count)
            return;
        at += (int64_t)count;
        progress_show(at, bytes->length);
    }
    progress_end();
}

static int64_t
length_without_zeros(const struct bytes *bytes)
{
    int64_t length = bytes->length;

    while (length > 0 && bytes->at[length - 1] == 0)
        length--;
    return length;
}

/* Text on a terminal: line ends and tabs stay, all else that is not text is escaped. */
static void
write_text(const struct bytes *bytes)
{
    int64_t length = length_without_zeros(bytes);
    int64_t at = 0;
    unsigned char last = '\n';

    while (at < length && !ferror(stdout)) {
        const unsigned char *here = bytes->at + at;
        size_t step = text_character(here, (size_t)(length - at));

        last = *here;
        if (step == 0) {
            step = 1;
            if (last == '\n' || last == '\t')
                putchar(last);
            else
                printf("\\x%02x", last);
        } else {
            fwrite(here, 1, step, stdout);
        }
        at += (int64_t)step;
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
    const unsigned char *zero =
        bytes->length > 0 ? memchr(bytes->at, 0, (size_t)bytes->length) : NULL;

    if (zero != NULL)
        bytes->length = zero - bytes->at;
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

const struct command command_read = {
    "read",          "NAME", "write a map's bytes to standard output", options, 1, 1,
    ARGS_NO_PROGRAM, run};
