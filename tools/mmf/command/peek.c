/* peek.c - mmf peek: read values of a type from a map. */
#include "command/commands.h"

#include <mmf/kind.h>

#include <stdio.h>

#include "base/say.h"
#include "base/table.h"
#include "object/bytes.h"
#include "object/values.h"

static void
print_json(const struct value_type *type, const struct bytes *bytes)
{
    json_t *all = table_json(json_object());
    json_t *array = table_json(json_array());
    unsigned char value[VALUES_SIZE_MAX];

    for (int64_t at = 0; at < bytes->length; at += (int64_t)type->size) {
        bytes_read(bytes, at, value, type->size);
        if (json_array_append_new(array, values_json(type, value)) != 0)
            say_no_memory();
    }
    table_json_set(all, "type", json_string(type->name));
    table_json_set(all, "offset", json_integer(bytes->offset));
    table_json_set(all, "values", array);
    table_print_json(all);
}

static void
print_lines(const struct value_type *type, const struct bytes *bytes)
{
    unsigned char value[VALUES_SIZE_MAX];
    char text[VALUES_TEXT_SIZE];

    for (int64_t at = 0; at < bytes->length && !ferror(stdout);
         at += (int64_t)type->size) {
        bytes_read(bytes, at, value, type->size);
        type->show(value, text);
        puts(text);
    }
}

static int
run(struct args *args)
{
    const struct value_type *type = values_type(
        args_value(args, "type") != NULL ? args_value(args, "type") : "int32");
    int64_t offset = args_bytes(args, "offset", 0);
    int64_t count = args_number(args, "count", 1, INT64_MAX / VALUES_SIZE_MAX - 1, 1);
    struct bytes bytes;

    bytes_open(args_name(args->operands[0]), 0, offset, count * (int64_t)type->size,
               &bytes);
    if (args_value(args, "json") != NULL)
        print_json(type, &bytes);
    else
        print_lines(type, &bytes);
    bytes_close(&bytes);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"type", 't', "TYPE", "int32, double, char, ... (int32)"},
    {"offset", 'o', "N", "first byte (0)"},
    {"count", 'c', "N", "number of values (1)"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_peek = {.name = "peek",
                                     .operands = "NAME",
                                     .summary = "show values of a type",
                                     .example = "mmf peek Cat --type f64 --count 4",
                                     .options = options,
                                     .kinds = 1u << MMF_KIND_MAP,
                                     .least = 1,
                                     .most = 1,
                                     .run = run};
