/* poke.c - mmf poke: write values of a type to a map. */
#include "command/commands.h"

#include <mmf/kind.h>

#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "object/bytes.h"
#include "object/values.h"

static int
run(struct args *args)
{
    const struct value_type *type = values_type(
        args_value(args, "type") != NULL ? args_value(args, "type") : "int32");
    int64_t offset = args_bytes(args, "offset", 0);
    size_t count = (size_t)args->count - 1;
    unsigned char *values = calloc(count, VALUES_SIZE_MAX);
    struct bytes bytes;

    if (values == NULL)
        say_no_memory();
    /* All values are checked before the first one is written. */
    for (size_t i = 0; i < count; i++)
        values_read(type, args->operands[i + 1], values + i * type->size);
    bytes_open(args_name(args->operands[0]), 1, offset, (int64_t)(count * type->size),
               &bytes);
    memcpy(bytes.at, values, count * type->size);
    bytes_close(&bytes);
    free(values);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"type", 't', "TYPE", "int32, double, char, ... (int32)"},
    {"offset", 'o', "N", "first byte (0)"},
    {NULL, 0, NULL, NULL}};

const struct command command_poke = {.name = "poke",
                                     .operands = "NAME VALUE...",
                                     .summary = "write values of a type",
                                     .example = "mmf poke Cat --offset 8 42",
                                     .options = options,
                                     .kinds = 1u << MMF_KIND_MAP,
                                     .least = 2,
                                     .most = -1,
                                     .run = run};
