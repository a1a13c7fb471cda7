/* table.c - see table.h. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "say.h"
#include "text.h"

static struct libscols_column *
add_column(struct libscols_table *table, const struct table_column *column)
{
    struct libscols_column *added =
        scols_table_new_column(table, column->title, column->width, column->flags);

    if (added == NULL)
        say_no_memory();
    if (column->flags & SCOLS_FL_WRAP) {
        scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
                                  NULL);
        scols_column_set_safechars(added, "\n");
    }
    return added;
}

struct libscols_table *
table_new(const struct table_column *columns, size_t count, int headings)
{
    struct libscols_table *table = scols_new_table();

    if (table == NULL)
        say_no_memory();
    /* What we put in is escaped already. */
    scols_table_enable_noencoding(table, 1);
    scols_table_enable_noheadings(table, !headings);
    if (!isatty(STDOUT_FILENO))
        scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < count; i++)
        add_column(table, &columns[i]);
    return table;
}

struct libscols_line *
table_line(struct libscols_table *table)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    if (line == NULL)
        say_no_memory();
    return line;
}

void
table_give(struct libscols_line *line, size_t column, char *text)
{
    if (text != NULL && scols_line_refer_data(line, column, text) != 0)
        say_no_memory();
}

void
table_set(struct libscols_line *line, size_t column, const char *text)
{
    if (scols_line_set_data(line, column, text) != 0)
        say_no_memory();
}

void
table_print(struct libscols_table *table)
{
    scols_print_table(table);
    scols_unref_table(table);
}

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
    char *sound = text_sound(string);
    json_t *value = table_json(json_string(sound));

    free(sound);
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
