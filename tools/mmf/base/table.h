/*
 * table.h - rows for people, and values for programs (JSON, by jansson: nested objects
 * and numbers that are numbers). Rows are the system's: libsmartcols makes them on
 * Linux, as for lsblk.
 */
#ifndef MMF_TOOL_TABLE_H
#define MMF_TOOL_TABLE_H

#include <stddef.h>

#include <jansson.h>

struct table;
struct table_line;

enum { TABLE_RIGHT = 1, TABLE_WRAP = 2 };

struct table_column {
    const char *title;
    double width; /* of the terminal, the part that it may take; 0: what it needs */
    int flags;    /* TABLE_... */
};

/* A table that fits the terminal; slots with several lines are kept. */
struct table *table_new(const struct table_column *columns, size_t count, int headings);

struct table_line *table_line(struct table *table);

/* `text` is freed later. NULL leaves the slot empty. */
void table_give(struct table_line *line, size_t column, char *text);
void table_set(struct table_line *line, size_t column, const char *text);

/* Print and free it. */
void table_print(struct table *table);

void table_free(struct table *table);

/* JSON that does not come back without memory. Strings may be any bytes. */
json_t *table_json(json_t *value);
json_t *table_json_text(const char *string);
void table_json_set(json_t *object, const char *key, json_t *value);

/* Print and free it. */
void table_print_json(json_t *value);

#endif
