/* write.c - mmf write: text, or all of standard input, into a map. */
#include "command/commands.h"

#include <mmf/kind.h>

#include <string.h>

#include "base/progress.h"
#include "base/say.h"
#include "object/bytes.h"
#include "os/os.h"

static _Noreturn void
refuse_length(const char *name, long long length, const struct bytes *bytes)
{
    say_usage("%lld bytes do not fit after offset %lld: \"%s\" has %lld", length,
              (long long)bytes->offset, name, (long long)bytes->capacity);
}

static int64_t
copy_input(const char *name, const struct bytes *bytes)
{
    int64_t total = os_input_length(); /* before anything is written */
    int64_t at = 0;
    int64_t count = 1;
    char more;

    if (total > bytes->length)
        refuse_length(name, total, bytes);
    while (at < bytes->length && count > 0) {
        count = os_read_input(bytes->at + at, bytes->length - at);
        at += count;
        progress_show(at, total);
    }
    progress_end();
    if (at == bytes->length && os_read_input(&more, 1) > 0)
        say_usage("standard input is too long: %lld bytes after offset %lld of \"%s\" "
                  "are written, the rest is not",
                  (long long)at, (long long)bytes->offset, name);
    return at;
}

static int64_t
copy_text(const char *name, const char *text, const struct bytes *bytes)
{
    int64_t length = (int64_t)strlen(text);

    if (length > bytes->length)
        refuse_length(name, length, bytes);
    if (length > 0)
        memcpy(bytes->at, text, (size_t)length);
    return length;
}

/* Clear what a longer text has left. */
static void
clear(const char *name, const struct bytes *bytes, int64_t from, int to_the_end)
{
    if (from >= bytes->length) {
        if (to_the_end)
            return;
        refuse_length(name, (long long)from + 1, bytes);
    }
    memset(bytes->at + from, 0, to_the_end ? (size_t)(bytes->length - from) : 1);
}

static int
run(struct args *args)
{
    const char *name = args_name(args->operands[0]);
    int64_t offset = args_bytes(args, "offset", 0);
    struct bytes bytes;
    int64_t length;

    bytes_open(name, 1, offset, -1, &bytes);
    if (args->count > 1 && args_value(args, "string") != NULL &&
        (int64_t)strlen(args->operands[1]) >= bytes.length)
        refuse_length(name, (long long)strlen(args->operands[1]) + 1, &bytes);
    length = args->count > 1 ? copy_text(name, args->operands[1], &bytes)
                             : copy_input(name, &bytes);
    if (args_value(args, "fill") != NULL)
        clear(name, &bytes, length, 1);
    else if (args_value(args, "string") != NULL)
        clear(name, &bytes, length, 0);
    bytes_close(&bytes);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"offset", 'o', "N", "first byte (0)"},
    {"string", 's', NULL, "end it with a zero byte, as in C"},
    {"fill", 'f', NULL, "zero the rest of the map"},
    {NULL, 0, NULL, NULL}};

const struct command command_write = {.name = "write",
                                      .operands = "NAME [TEXT]",
                                      .summary =
                                          "write a text or standard input into a map",
                                      .example = "mmf write Cat 'Hello, Cat' --string",
                                      .options = options,
                                      .kinds = 1u << MMF_KIND_MAP,
                                      .least = 1,
                                      .most = 2,
                                      .run = run};
