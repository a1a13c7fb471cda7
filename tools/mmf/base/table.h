/*
 * table.h - rows for people, and values for programs (JSON, by jansson: nested objects
 * and numbers that are numbers).
 */
#ifndef MMF_TOOL_TABLE_H
#define MMF_TOOL_TABLE_H

#include <stddef.h>

#include <jansson.h>

#include "base/color.h"

struct table;
struct table_line;

enum { TABLE_RIGHT = 1, TABLE_CUT = 2 }; /* aligned so; may be cut */

struct table_column {
    const char *title;
    int flags; /* TABLE_... */
};

/*
 * A table that fits the terminal: a column that may be cut is, and then columns are
 * dropped, both from the right; no row is ever two lines. A pipe gets all.
 */
struct table *table_new(const struct table_column *columns, size_t count, int headings);

struct table_line *table_line(struct table *table);

void table_color(struct table_line *line, enum color color);

/* `text` is freed later. NULL leaves the slot empty. */
void table_give(struct table_line *line, size_t column, char *text);
void table_set(struct table_line *line, size_t column, const char *text);

/* Print and free it. An empty one has its headings on a terminal. */
void table_print(struct table *table);

void table_free(struct table *table);

/* JSON that does not come back without memory. Strings may be any bytes. */
json_t *table_json(json_t *value);
json_t *table_json_text(const char *string);
void table_json_set(json_t *object, const char *key, json_t *value);
void table_json_append(json_t *array, json_t *value);

/* Print and free it. */
void table_print_json(json_t *value);

#endif
