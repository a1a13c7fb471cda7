/* table.c - see table.h. */
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/text.h"
#include "os/os.h"

enum { LEAST_CUT = 12 }; /* a column is not cut to less */

struct table_line {
    struct table_line *next;
    enum color color;
    char *slots[];
};

struct table {
    const struct table_column *columns;
    size_t count;
    int headings;
    struct table_line *first;
    struct table_line **last;
};

static void *
allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        say_no_memory();
    return memory;
}

struct table *
table_new(const struct table_column *columns, size_t count, int headings)
{
    struct table *table = allocate(sizeof(*table));

    table->columns = columns;
    table->count = count;
    table->headings = headings;
    table->last = &table->first;
    return table;
}

struct table_line *
table_line(struct table *table)
{
    struct table_line *line =
        allocate(sizeof(*line) + table->count * sizeof(*line->slots));

    *table->last = line;
    table->last = &line->next;
    return line;
}

void
table_color(struct table_line *line, enum color color)
{
    line->color = color;
}

void
table_give(struct table_line *line, size_t column, char *text)
{
    free(line->slots[column]);
    line->slots[column] = text;
}

void
table_set(struct table_line *line, size_t column, const char *text)
{
    table_give(line, column, text_format("%s", text));
}

/*
 * Printing.
 */

static size_t
natural_width(const struct table *table, size_t column)
{
    size_t widest = table->headings ? strlen(table->columns[column].title) : 0;

    for (const struct table_line *line = table->first; line != NULL; line = line->next)
        if (line->slots[column] != NULL) {
            size_t width = text_columns(line->slots[column]);

            widest = width > widest ? width : widest;
        }
    return widest;
}

/* Cut columns, from the right, until all have space. What is missing then. */
static size_t
cut_columns(const struct table *table, size_t *widths, size_t count, size_t space)
{
    size_t sum = count - 1;

    for (size_t i = 0; i < count; i++)
        sum += widths[i];
    for (size_t i = count; i > 0 && sum > space; i--) {
        size_t spare = widths[i - 1] > LEAST_CUT ? widths[i - 1] - LEAST_CUT : 0;

        if (!(table->columns[i - 1].flags & TABLE_CUT))
            continue;
        spare = spare < sum - space ? spare : sum - space;
        widths[i - 1] -= spare;
        sum -= spare;
    }
    return sum > space ? sum - space : 0;
}

/* Returns how many columns there is space for. */
static size_t
fit(const struct table *table, size_t *widths)
{
    size_t space = os_is_terminal(stdout) ? (size_t)os_columns() : SIZE_MAX;
    size_t count = table->count;

    for (;; count--) {
        size_t missing;

        for (size_t i = 0; i < count; i++)
            widths[i] = natural_width(table, i);
        missing = cut_columns(table, widths, count, space);
        if (missing == 0)
            return count;
        if (count == 1) {
            widths[0] = space;
            return 1;
        }
    }
}

/* Blanks that nothing follows are not printed. */
static void
print_row(const struct table *table, char *const *slots, const size_t *widths,
          size_t count)
{
    int blanks = 0;

    for (size_t i = 0; i < count; i++) {
        char *text = slots[i] != NULL ? text_cut(slots[i], widths[i]) : NULL;
        int rest = (int)(widths[i] - (text != NULL ? text_columns(text) : 0));
        int is_right = table->columns[i].flags & TABLE_RIGHT;

        if (text != NULL && text[0] != '\0') {
            printf("%*s%s", blanks + (is_right ? rest : 0), "", text);
            blanks = is_right ? 0 : rest;
        } else {
            blanks += rest;
        }
        blanks++;
        free(text);
    }
}

static void
print_headings(const struct table *table, const size_t *widths, size_t count)
{
    char **titles = allocate(table->count * sizeof(*titles));

    for (size_t i = 0; i < table->count; i++)
        titles[i] = (char *)table->columns[i].title;
    print_row(table, titles, widths, count);
    putchar('\n');
    free(titles);
}

void
table_print(struct table *table)
{
    size_t *widths = allocate(table->count * sizeof(*widths));
    size_t count = fit(table, widths);

    if (table->headings && (table->first != NULL || os_is_terminal(stdout)))
        print_headings(table, widths, count);
    for (struct table_line *line = table->first; line != NULL && !ferror(stdout);
         line = line->next) {
        fputs(color_begin(line->color), stdout);
        print_row(table, line->slots, widths, count);
        fputs(color_end(line->color), stdout);
        putchar('\n');
    }
    free(widths);
    table_free(table);
}

void
table_free(struct table *table)
{
    while (table->first != NULL) {
        struct table_line *line = table->first;

        table->first = line->next;
        for (size_t i = 0; i < table->count; i++)
            free(line->slots[i]);
        free(line);
    }
    free(table);
}

/*
 * JSON.
 */

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
table_json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, table_json(value)) != 0)
        say_no_memory();
}

void
table_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(3) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(value);
}
