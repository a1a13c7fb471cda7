/* table.c - rows by libsmartcols, see table.h. */
#include "base/table.h"

#include <stdio.h>

#include <libsmartcols.h>

#include "os/os.h"
#include "base/say.h"

/* The library's own types are behind ours. */
static struct libscols_table *
rows_of(struct table *table)
{
    return (struct libscols_table *)(void *)table;
}

static struct libscols_line *
slots_of(struct table_line *line)
{
    return (struct libscols_line *)(void *)line;
}

static void
add_column(struct libscols_table *table, const struct table_column *column)
{
    int flags = (column->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
                (column->flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
    struct libscols_column *added =
        scols_table_new_column(table, column->title, column->width, flags);

    if (added == NULL)
        say_no_memory();
    if (column->flags & TABLE_WRAP) {
        scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
                                  NULL);
        scols_column_set_safechars(added, "\n");
    }
}

struct table *
table_new(const struct table_column *columns, size_t count, int headings)
{
    struct libscols_table *table = scols_new_table();

    if (table == NULL)
        say_no_memory();
    /* What we put in is escaped already. */
    scols_table_enable_noencoding(table, 1);
    scols_table_enable_noheadings(table, !headings);
    if (!os_is_terminal(stdout))
        scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < count; i++)
        add_column(table, &columns[i]);
    return (struct table *)(void *)table;
}

struct table_line *
table_line(struct table *table)
{
    struct libscols_line *line = scols_table_new_line(rows_of(table), NULL);

    if (line == NULL)
        say_no_memory();
    return (struct table_line *)(void *)line;
}

void
table_give(struct table_line *line, size_t column, char *text)
{
    if (text != NULL && scols_line_refer_data(slots_of(line), column, text) != 0)
        say_no_memory();
}

void
table_set(struct table_line *line, size_t column, const char *text)
{
    if (scols_line_set_data(slots_of(line), column, text) != 0)
        say_no_memory();
}

void
table_print(struct table *table)
{
    scols_print_table(rows_of(table));
    table_free(table);
}

void
table_free(struct table *table)
{
    scols_unref_table(rows_of(table));
}
