/*
 * table.c - rows, see table.h. libsmartcols is for Linux alone, so columns are as wide
 * as their widest line here, and the console breaks what does not fit.
 */
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/text.h"

struct table_line {
    struct table_line *next;
    char **slots;
};

struct table {
    const struct table_column *columns;
    size_t count;
    int headings;
    struct table_line *first;
    struct table_line **last;
};

static void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        say_no_memory();
    return memory;
}

struct table *
table_new(const struct table_column *columns, size_t count, int headings)
{
    struct table *table = allocate(1, sizeof(*table));

    table->columns = columns;
    table->count = count;
    table->headings = headings;
    table->last = &table->first;
    return table;
}

struct table_line *
table_line(struct table *table)
{
    struct table_line *line = allocate(1, sizeof(*line));

    line->slots = allocate(table->count, sizeof(*line->slots));
    *table->last = line;
    table->last = &line->next;
    return line;
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

/* The line of that number in a slot, and its length in bytes; "" after the last. */
static const char *
line_of(const char *slot, int number, size_t *length)
{
    const char *at = slot != NULL ? slot : "";

    for (; number > 0; number--) {
        const char *end = strchr(at, '\n');

        if (end == NULL) {
            *length = 0;
            return "";
        }
        at = end + 1;
    }
    *length = strcspn(at, "\n");
    return at;
}

static int
lines_of(const char *slot)
{
    int count = 1;

    for (; slot != NULL && *slot != '\0'; slot++)
        count += *slot == '\n';
    return count;
}

/* Columns of the screen, as far as each character takes one. */
static size_t
width_of(const char *text, size_t length)
{
    size_t width = 0;

    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static size_t
column_width(const struct table *table, size_t column)
{
    size_t widest = table->headings ? strlen(table->columns[column].title) : 0;

    for (const struct table_line *line = table->first; line != NULL; line = line->next)
        for (int i = 0; i < lines_of(line->slots[column]); i++) {
            size_t length;
            const char *text = line_of(line->slots[column], i, &length);
            size_t width = width_of(text, length);

            if (width > widest)
                widest = width;
        }
    return widest;
}

static void
print_blanks(size_t count)
{
    for (; count > 0; count--)
        putchar(' ');
}

/* One line of a row. Blanks that nothing follows are kept for later. */
static void
print_slots(const struct table *table, char *const *slots, int number,
            const size_t *widths)
{
    size_t blanks = 0;

    for (size_t i = 0; i < table->count; i++) {
        size_t length;
        const char *text = line_of(slots[i], number, &length);
        size_t rest = widths[i] - width_of(text, length);
        int is_right = table->columns[i].flags & TABLE_RIGHT;

        if (is_right)
            blanks += rest;
        if (length > 0) {
            print_blanks(blanks);
            fwrite(text, 1, length, stdout);
            blanks = 0;
        }
        blanks += is_right ? 1 : rest + 1;
    }
    putchar('\n');
}

static void
print_row(const struct table *table, char *const *slots, const size_t *widths)
{
    int lines = 1;

    for (size_t i = 0; i < table->count; i++)
        if (lines_of(slots[i]) > lines)
            lines = lines_of(slots[i]);
    for (int i = 0; i < lines; i++)
        print_slots(table, slots, i, widths);
}

void
table_print(struct table *table)
{
    size_t *widths = allocate(table->count, sizeof(*widths));
    char **titles = allocate(table->count, sizeof(*titles));

    for (size_t i = 0; i < table->count; i++) {
        widths[i] = column_width(table, i);
        titles[i] = (char *)table->columns[i].title;
    }
    if (table->headings && table->first != NULL)
        print_row(table, titles, widths);
    for (struct table_line *line = table->first; line != NULL && !ferror(stdout);
         line = line->next)
        print_row(table, line->slots, widths);
    free(titles);
    free(widths);
    table_free(table);
}

void
table_free(struct table *table)
{
    struct table_line *line = table->first;

    while (line != NULL) {
        struct table_line *next = line->next;

        for (size_t i = 0; i < table->count; i++)
            free(line->slots[i]);
        free(line->slots);
        free(line);
        line = next;
    }
    free(table);
}
