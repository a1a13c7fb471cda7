/* table.c - JSON, see table.h. */
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/say.h"
#include "base/text.h"

json_t *
table_json(json_t *value)
{
    if (value == NULL)
        say_no_memory();
    return value;
}

json_t *
table_json_text(const char *string)
{
    char *valid = text_valid(string);
    json_t *value = table_json(json_string(valid));

    free(valid);
    return value;
}

void
table_json_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, table_json(value)) != 0)
        say_no_memory();
}

void
table_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(3) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(value);
}
