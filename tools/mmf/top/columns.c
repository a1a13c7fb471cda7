/* top_columns.c - what the columns of `mmf top` show, and how rows are ordered by them.
 */
#include "top/top.h"

#include <stddef.h>
#include <string.h>

#include "object/objects.h"
#include "os/os.h"
#include "base/text.h"
#include "base/units.h"

static char *
show_name(const struct top *top, top_row row)
{
    (void)top;
    return text_escape_string(row->name);
}

static char *
show_kind(const struct top *top, top_row row)
{
    (void)top;
    return text_format("%s", row->kind != 0 ? mmf_kind_name(row->kind)
                                            : objects_status(row->status));
}

static char *
show_size(const struct top *top, top_row row)
{
    char text[UNITS_TEXT_SIZE];

    (void)top;
    return text_format("%s",
                       row->capacity > 0 ? units_show_bytes(row->capacity, text) : "");
}

static char *
show_resident(const struct top *top, top_row row)
{
    char text[UNITS_TEXT_SIZE];

    (void)top;
    return text_format("%s",
                       os_keeps_records ? units_show_bytes(row->resident, text) : "");
}

static char *
show_holders(const struct top *top, top_row row)
{
    (void)top;
    return text_format("%d", row->holders);
}

static char *
show_age(const struct top *top, top_row row)
{
    char text[UNITS_TEXT_SIZE];

    (void)top;
    return text_format("%s",
                       row->created != 0 ? units_show_age(objects_age(row), text) : "");
}

static char *
show_rate(const struct top *top, top_row row)
{
    const struct top_traffic *traffic = top_traffic_of(top, row);

    if (!traffic->now.is_channel || traffic->rate < 0)
        return text_format("%s", "");
    return text_format(traffic->rate < 100 ? "%.1f" : "%.0f", traffic->rate);
}

static char *
show_depth(const struct top *top, top_row row)
{
    const struct top_traffic *traffic = top_traffic_of(top, row);

    if (!traffic->now.is_channel)
        return text_format("%s", "");
    return text_format("%lld", (long long)traffic->now.depth);
}

static char *
show_dropped(const struct top *top, top_row row)
{
    const struct top_traffic *traffic = top_traffic_of(top, row);

    if (!traffic->now.is_channel)
        return text_format("%s", "");
    return text_format("%llu", (unsigned long long)traffic->now.dropped);
}

static char *
show_state(const struct top *top, top_row row)
{
    (void)top;
    return kinds_state(row);
}

/*
 * Order.
 */

static int
compare_numbers(int64_t one, int64_t other)
{
    return (one < other) - (one > other); /* the largest first */
}

static int
by_name(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return strcmp(one->name, other->name);
}

static int
by_kind(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(other->kind, one->kind);
}

static int
by_size(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(one->capacity, other->capacity);
}

static int
by_resident(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(one->resident, other->resident);
}

static int
by_holders(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(one->holders, other->holders);
}

static int
by_age(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(other->created, one->created);
}

static int
by_rate(const struct top *top, top_row one, top_row other)
{
    return compare_numbers((int64_t)(top_traffic_of(top, one)->rate * 1000),
                           (int64_t)(top_traffic_of(top, other)->rate * 1000));
}

static int
by_depth(const struct top *top, top_row one, top_row other)
{
    return compare_numbers(top_traffic_of(top, one)->now.depth,
                           top_traffic_of(top, other)->now.depth);
}

static int
by_dropped(const struct top *top, top_row one, top_row other)
{
    return compare_numbers((int64_t)top_traffic_of(top, one)->now.dropped,
                           (int64_t)top_traffic_of(top, other)->now.dropped);
}

int
top_trouble(top_row row)
{
    const mmf_sync_info *sync = row->sync;

    if (sync == NULL)
        return 0;
    return sync->corrupt * 2 * TOP_ABANDONED + sync->abandoned * TOP_ABANDONED +
           sync->waiters * TOP_WAITED_FOR + sync->owned;
}

/* Trouble first: abandoned, owned with waiters, owned, the rest. */
static int
by_state(const struct top *top, top_row one, top_row other)
{
    (void)top;
    return compare_numbers(top_trouble(one), top_trouble(other));
}

const struct top_column top_columns[TOP_COLUMNS] = {
    {'n', "name", "Name", 0, 0, show_name, by_name},
    {'k', "kind", "Kind", 10, 0, show_kind, by_kind},
    {'s', "size", "Size", 7, 1, show_size, by_size},
    {'r', "resident", "Resident", 9, 1, show_resident, by_resident},
    {'h', "holders", "Holders", 8, 1, show_holders, by_holders},
    {'a', "age", "Age", 6, 1, show_age, by_age},
    {'m', "rate", "Msg/s", 7, 1, show_rate, by_rate},
    {'d', "depth", "Depth", 6, 1, show_depth, by_depth},
    {'l', "lost", "Lost", 6, 1, show_dropped, by_dropped},
    {'t', "state", "sTate", 0, 0, show_state, by_state},
};

const struct top_column *
top_column_of(char key)
{
    for (size_t i = 0; i < TOP_COLUMNS; i++)
        if (top_columns[i].key == key)
            return &top_columns[i];
    return NULL;
}
