/* values.h - .NET's types by their names: what bytes mean, and the reverse. */
#ifndef MMF_TOOL_VALUES_H
#define MMF_TOOL_VALUES_H

#include <stddef.h>

#include <jansson.h>

enum { VALUES_SIZE_MAX = 16, VALUES_TEXT_SIZE = 64 };

struct value_type {
    const char *name;
    size_t size;
    /* The value as text. */
    void (*show)(const void *bytes, char text[VALUES_TEXT_SIZE]);
    /* Text as a value; 0: it is invalid, or too large. */
    int (*read)(const char *text, void *bytes);
    const char *example;
    int is_text; /* in JSON: a string, not a number or a truth value */
};

/* The type called so; ends the program with a line that names them all. */
const struct value_type *values_type(const char *name);

/* One value, in JSON as what it is. */
json_t *values_json(const struct value_type *type, const void *bytes);

/* Read a value, or end the program with a message that shows valid ones. */
void values_read(const struct value_type *type, const char *text, void *bytes);

#endif
