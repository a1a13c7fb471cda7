/*
 * table.h - rows for people (libsmartcols, as lsblk) and values for programs (JSON, by
 * jansson: nested objects and numbers that are numbers).
 */
#ifndef MMF_TOOL_TABLE_H
#define MMF_TOOL_TABLE_H

#include <jansson.h>
#include <libsmartcols.h>

struct table_column {
    const char *title;
    double width; /* as libsmartcols: a hint */
    int flags;    /* SCOLS_FL_... */
};

/* A table that fits the terminal; cells with several lines are kept. */
struct libscols_table *table_new(const struct table_column *columns, size_t count,
                                 int headings);

struct libscols_line *table_line(struct libscols_table *table);

/* `text` is freed later. NULL leaves the cell empty. */
void table_give(struct libscols_line *line, size_t column, char *text);
void table_set(struct libscols_line *line, size_t column, const char *text);

/* Print and free it. */
void table_print(struct libscols_table *table);

/* JSON that does not come back without memory. Strings may be any bytes. */
json_t *table_json(json_t *value);
json_t *table_json_text(const char *string);
void table_json_set(json_t *object, const char *key, json_t *value);

/* Print and free it. */
void table_print_json(json_t *value);

#endif
