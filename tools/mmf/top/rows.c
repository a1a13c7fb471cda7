/* rows.c - the snapshots of `mmf top`: rates, filter, order, selection. */
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "os/screen.h"
#include "top/top.h"

/* The same object in an earlier snapshot, which is in order of names; or NULL. */
static const struct object *
find_before(const struct objects *before, const mmf_object_info *info)
{
    int32_t low = 0;
    int32_t high = before->count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (strcmp(before->at[middle].info->name, info->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < before->count && strcmp(before->at[low].info->name, info->name) == 0;
         low++)
        if (strcmp(before->at[low].info->path, info->path) == 0)
            return &before->at[low];
    return NULL;
}

static void
measure(struct object *object, const struct object *old, double seconds)
{
    const mmf_channel_stats *now = object->info->channel;

    for (int i = 0; i < OBJECTS_RATES; i++)
        object->rates[i] = old != NULL && i > 0 ? old->rates[i - 1] : -1;
    if (now != NULL && old != NULL && old->info->channel != NULL && seconds > 0 &&
        now->sent >= old->info->channel->sent)
        object->rate = (double)(now->sent - old->info->channel->sent) / seconds;
    object->rates[0] = (float)object->rate;
}

/*
 * Order.
 */

static const struct top *sorted; /* qsort takes no context */
static const struct column *sort_column;

/* What counts is most interesting where there is most of it. */
static int
compare_rows(const void *one, const void *other)
{
    const struct object *a = *(struct object *const *)one;
    const struct object *b = *(struct object *const *)other;
    int is_down = sort_column->number != NULL && strcmp(sort_column->name, "kind") != 0;
    int order = columns_compare(sort_column, a, b);

    return is_down != sorted->reversed ? -order : order;
}

static int
is_wanted(const struct top *top, const mmf_object_info *info)
{
    return top->filter[0] == '\0' || text_has(info->name, top->filter) ||
           text_has(mmf_kind_name(info->kind), top->filter);
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
selected_path(const struct top *top)
{
    return text_format("%s",
                       top->count > 0 ? top->rows[top->selected]->info->path : "");
}

/* The rows anew; the selection stays with its object, whose path is freed. */
static void
arrange(struct top *top, char *selected)
{
    const char *by = top_columns[top->column].name;

    top->count = 0;
    for (int32_t i = 0; i < top->objects.count; i++)
        if (is_wanted(top, top->objects.at[i].info))
            top->rows[top->count++] = &top->objects.at[i];
    sorted = top;
    sort_column = columns_find(by, strlen(by));
    qsort(top->rows, (size_t)top->count, sizeof(void *), compare_rows);
    for (int32_t i = 0; i < top->count; i++)
        if (strcmp(top->rows[i]->info->path, selected) == 0)
            top->selected = i;
    keep_in_range(top);
    free(selected);
}

void
top_arrange(struct top *top)
{
    arrange(top, selected_path(top));
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
    char *selected = selected_path(top);
    struct objects before = top->objects;
    int64_t taken = top->taken;

    free(top->rows);
    objects_read(&top->objects, top->choice, MMF_LIST_HOLDERS);
    top->taken = screen_now_ms();
    for (int32_t i = 0; i < top->objects.count; i++)
        measure(&top->objects.at[i], find_before(&before, top->objects.at[i].info),
                (double)(top->taken - taken) / 1000);
    objects_close(&before);
    top->rows = calloc((size_t)top->objects.count + 1, sizeof(void *));
    if (top->rows == NULL)
        say_no_memory();
    arrange(top, selected);
}

void
top_close(struct top *top)
{
    objects_close(&top->objects);
    free(top->rows);
}
