/* top_rows.c - the snapshots of `mmf top`: traffic, filter, order, selection. */
#include "top/top.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "object/objects.h"
#include "base/say.h"
#include "os/screen.h"
#include "base/text.h"

/* The traffic of a name in a snapshot, which is in order; NULL if it is not there. */
static const struct top_traffic *
find_traffic(const struct top *top, const char *name)
{
    int32_t low = 0;
    int32_t high = mmf_list_count(top->list);

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        int order = strcmp(mmf_list_get(top->list, middle)->name, name);

        if (order == 0)
            return &top->traffic[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct top_traffic *
top_traffic_of(const struct top *top, top_row row)
{
    return find_traffic(top, row->name);
}

static const struct top *sorted; /* qsort takes no context */

static int
compare_rows(const void *one, const void *other)
{
    top_row a = *(const top_row *)one;
    top_row b = *(const top_row *)other;
    int order = top_column_of(sorted->key)->compare(sorted, a, b);

    if (sorted->reversed)
        order = -order;
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int
is_wanted(const struct top *top, const mmf_object_info *info)
{
    return top->filter[0] == '\0' || text_has(info->name, top->filter) ||
           text_has(mmf_kind_name(info->kind), top->filter);
}

static void
collect(struct top *top)
{
    top->count = 0;
    for (int32_t i = 0; i < mmf_list_count(top->list); i++)
        if (is_wanted(top, mmf_list_get(top->list, i)))
            top->rows[top->count++] = mmf_list_get(top->list, i);
    sorted = top;
    qsort(top->rows, (size_t)top->count, sizeof(top_row), compare_rows);
}

static void
keep_in_range(struct top *top)
{
    if (top->selected >= top->count)
        top->selected = top->count - 1;
    if (top->selected < 0)
        top->selected = 0;
}

static char *
selected_name(const struct top *top)
{
    return text_format("%s", top->count > 0 ? top->rows[top->selected]->name : "");
}

/* The rows anew; the selection stays with its name, which is freed. */
static void
arrange(struct top *top, char *selected)
{
    collect(top);
    for (int32_t i = 0; i < top->count; i++)
        if (strcmp(top->rows[i]->name, selected) == 0)
            top->selected = i;
    keep_in_range(top);
    free(selected);
}

static void
read_traffic(struct top *top, const struct top *before)
{
    int32_t count = mmf_list_count(top->list);
    double seconds = (double)(top->taken - before->taken) / 1000;

    top->traffic = calloc((size_t)count + 1, sizeof(*top->traffic));
    if (top->traffic == NULL)
        say_no_memory();
    for (int32_t i = 0; i < count; i++) {
        const mmf_object_info *info = mmf_list_get(top->list, i);
        const struct top_traffic *old = find_traffic(before, info->name);
        struct top_traffic *traffic = &top->traffic[i];

        kinds_traffic_of(info, &traffic->now);
        traffic->rate = -1;
        if (old != NULL && old->now.is_channel && seconds > 0 &&
            traffic->now.sent >= old->now.sent)
            traffic->rate = (double)(traffic->now.sent - old->now.sent) / seconds;
    }
}

void
top_arrange(struct top *top)
{
    arrange(top, selected_name(top));
}

void
top_select(struct top *top, int32_t by)
{
    top->selected += by;
    keep_in_range(top);
}

void
top_refresh(struct top *top)
{
    char *selected = selected_name(top);
    struct top before = *top;

    free(top->rows);
    top->list = objects_list(MMF_LIST_HOLDERS);
    top->taken = screen_now_ms();
    read_traffic(top, &before);
    mmf_list_close(before.list);
    free(before.traffic);
    top->rows = calloc((size_t)mmf_list_count(top->list) + 1, sizeof(top_row));
    if (top->rows == NULL)
        say_no_memory();
    arrange(top, selected);
}

void
top_close(struct top *top)
{
    mmf_list_close(top->list);
    free(top->rows);
    free(top->traffic);
}
