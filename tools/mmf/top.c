/* top.c - mmf top: a full-screen live table of all objects. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/mmf.h>

#include "kinds.h"
#include "objects.h"
#include "say.h"
#include "screen.h"
#include "stop.h"
#include "text.h"
#include "units.h"

enum { FILTER_SIZE = 64, PANEL_ROWS = 5 };

typedef const mmf_object_info *shown_object;

/* A row has its object's traffic beside it, and the rate since the last look. */
struct traffic {
    struct kinds_traffic now;
    double rate; /* messages per second; < 0: not known yet */
};

struct top {
    mmf_list *list;
    struct traffic *traffic; /* of each object of the list */
    int64_t taken;           /* when the list was, monotonic ms */
    shown_object *rows;      /* those that are shown, in order */
    int32_t count;
    int32_t selected;
    int32_t first; /* on the screen */
    int32_t interval;
    char key; /* of the column to sort by */
    int reversed;
    int paused;
    int filtering; /* keys go to the filter */
    char filter[FILTER_SIZE];
};

/*
 * Columns: what they show, and how rows are ordered by them.
 */

static char *
show_name(const mmf_object_info *info)
{
    return text_escape_string(info->name);
}

static char *
show_kind(const mmf_object_info *info)
{
    return text_format("%s", info->kind != 0 ? mmf_kind_name(info->kind)
                                             : objects_life(info->life));
}

static char *
show_size(const mmf_object_info *info)
{
    char text[UNITS_TEXT_SIZE];

    return text_format("%s", info->capacity > 0 ? units_show_bytes(info->capacity, text)
                                                : "");
}

static char *
show_resident(const mmf_object_info *info)
{
    char text[UNITS_TEXT_SIZE];

    return text_format("%s", units_show_bytes(info->resident, text));
}

static char *
show_holders(const mmf_object_info *info)
{
    return text_format("%d", info->holders);
}

static char *
show_age(const mmf_object_info *info)
{
    char text[UNITS_TEXT_SIZE];

    return text_format(
        "%s", info->created != 0 ? units_show_age(objects_age(info), text) : "");
}

static const struct top *shown; /* columns and qsort have no place for it */

/* The traffic of a name in a snapshot, which is in order; NULL if it is not there. */
static const struct traffic *
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

static const struct traffic *
traffic_of(const mmf_object_info *info)
{
    return find_traffic(shown, info->name);
}

static char *
show_rate(const mmf_object_info *info)
{
    const struct traffic *traffic = traffic_of(info);

    if (!traffic->now.is_channel || traffic->rate < 0)
        return text_format("%s", "");
    return text_format(traffic->rate < 100 ? "%.1f" : "%.0f", traffic->rate);
}

static char *
show_depth(const mmf_object_info *info)
{
    const struct traffic *traffic = traffic_of(info);

    if (!traffic->now.is_channel)
        return text_format("%s", "");
    return text_format("%lld", (long long)traffic->now.depth);
}

static char *
show_dropped(const mmf_object_info *info)
{
    const struct traffic *traffic = traffic_of(info);

    if (!traffic->now.is_channel)
        return text_format("%s", "");
    return text_format("%llu", (unsigned long long)traffic->now.dropped);
}

static int
compare_numbers(int64_t one, int64_t other)
{
    return (one < other) - (one > other); /* the largest first */
}

static int
by_name(const mmf_object_info *one, const mmf_object_info *other)
{
    return strcmp(one->name, other->name);
}

static int
by_kind(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(other->kind, one->kind);
}

static int
by_size(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(one->capacity, other->capacity);
}

static int
by_resident(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(one->resident, other->resident);
}

static int
by_holders(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(one->holders, other->holders);
}

static int
by_age(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(other->created, one->created);
}

static int
by_rate(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers((int64_t)(traffic_of(one)->rate * 1000),
                           (int64_t)(traffic_of(other)->rate * 1000));
}

static int
by_depth(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(traffic_of(one)->now.depth, traffic_of(other)->now.depth);
}

static int
by_dropped(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers((int64_t)traffic_of(one)->now.dropped,
                           (int64_t)traffic_of(other)->now.dropped);
}

/* Trouble first: abandoned, owned with waiters, owned, the rest. */
static int
trouble_of(const mmf_object_info *info)
{
    const mmf_sync_info *sync = info->sync;

    if (sync == NULL)
        return 0;
    return sync->corrupt * 8 + sync->abandoned * 4 + sync->waiters * 2 + sync->owned;
}

static int
by_state(const mmf_object_info *one, const mmf_object_info *other)
{
    return compare_numbers(trouble_of(one), trouble_of(other));
}

static const struct column {
    char key;
    const char *title;
    int width; /* 0: what the others leave, shared */
    int right;
    char *(*show)(const mmf_object_info *info);
    int (*compare)(const mmf_object_info *one, const mmf_object_info *other);
} columns[] = {
    {'n', "Name", 0, 0, show_name, by_name},
    {'k', "Kind", 10, 0, show_kind, by_kind},
    {'s', "Size", 7, 1, show_size, by_size},
    {'r', "Resident", 9, 1, show_resident, by_resident},
    {'h', "Holders", 8, 1, show_holders, by_holders},
    {'a', "Age", 6, 1, show_age, by_age},
    {'m', "Msg/s", 7, 1, show_rate, by_rate},
    {'d', "Depth", 6, 1, show_depth, by_depth},
    {'l', "Lost", 6, 1, show_dropped, by_dropped},
    {'t', "sTate", 0, 0, kinds_state, by_state},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const struct column *
column_of(char key)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].key == key)
            return &columns[i];
    return NULL;
}

/*
 * Rows.
 */

static int
compare_rows(const void *one, const void *other)
{
    const mmf_object_info *a = *(const mmf_object_info *const *)one;
    const mmf_object_info *b = *(const mmf_object_info *const *)other;
    int order = column_of(shown->key)->compare(a, b);

    if (shown->reversed)
        order = -order;
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int
is_wanted(const struct top *top, const mmf_object_info *info)
{
    return top->filter[0] == '\0' || strcasestr(info->name, top->filter) != NULL ||
           strcasestr(mmf_kind_name(info->kind), top->filter) != NULL;
}

static void
collect(struct top *top)
{
    top->count = 0;
    for (int32_t i = 0; i < mmf_list_count(top->list); i++)
        if (is_wanted(top, mmf_list_get(top->list, i)))
            top->rows[top->count++] = mmf_list_get(top->list, i);
    qsort(top->rows, (size_t)top->count, sizeof(shown_object), compare_rows);
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
look_at_traffic(struct top *top, const struct top *before)
{
    int32_t count = mmf_list_count(top->list);
    double seconds = (double)(top->taken - before->taken) / 1000;

    top->traffic = calloc((size_t)count + 1, sizeof(*top->traffic));
    if (top->traffic == NULL)
        say_no_memory();
    for (int32_t i = 0; i < count; i++) {
        const mmf_object_info *info = mmf_list_get(top->list, i);
        const struct traffic *old = find_traffic(before, info->name);
        struct traffic *traffic = &top->traffic[i];

        kinds_look_at_traffic(info, &traffic->now);
        traffic->rate = -1;
        if (old != NULL && old->now.is_channel && seconds > 0 &&
            traffic->now.sent >= old->now.sent)
            traffic->rate = (double)(traffic->now.sent - old->now.sent) / seconds;
    }
}

/* A new snapshot. */
static void
look(struct top *top)
{
    char *selected = selected_name(top);
    struct top before = *top;

    free(top->rows);
    top->list = objects_list(MMF_LIST_HOLDERS);
    top->taken = screen_now_ms();
    look_at_traffic(top, &before);
    mmf_list_close(before.list);
    free(before.traffic);
    top->rows = calloc((size_t)mmf_list_count(top->list) + 1, sizeof(shown_object));
    if (top->rows == NULL)
        say_no_memory();
    arrange(top, selected);
}

/*
 * Drawing.
 */

static int
width_of(size_t column)
{
    int fixed = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        fixed += columns[i].width + 1;
    if (columns[column].width > 0)
        return columns[column].width;
    return (COLS - fixed) / 2 > 8 ? (COLS - fixed) / 2 : 8;
}

/* Columns of a text in UTF-8 that shows one column a character, as names mostly do. */
static int
columns_of(const char *text)
{
    int count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void
cut(char *text, int width)
{
    int count = 0;

    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && count++ == width) {
            *text = '\0';
            return;
        }
}

static void
draw_cell(int row, int at, size_t column, attr_t attribute, char *text)
{
    int width = width_of(column);
    int spare;

    cut(text, width);
    spare = columns[column].right ? width - columns_of(text) : 0;
    screen_text(row, at + spare, attribute, text);
    free(text);
}

static void
draw_titles(const struct top *top, int row)
{
    int at = 0;

    screen_bar(row, "");
    for (size_t i = 0; i < COLUMNS; i++) {
        char *title = text_format("%s%s", columns[i].title,
                                  columns[i].key != top->key ? ""
                                  : top->reversed            ? "^"
                                                             : "v");

        draw_cell(row, at, i, A_REVERSE | (columns[i].key == top->key ? A_BOLD : 0),
                  title);
        at += width_of(i) + 1;
    }
}

static attr_t
attribute_of(const mmf_object_info *info)
{
    if (info->life != MMF_LIFE_ALIVE || trouble_of(info) >= 4)
        return screen_attribute(SCREEN_BAD);
    if (trouble_of(info) >= 2)
        return screen_attribute(SCREEN_DIM);
    return A_NORMAL;
}

static void
draw_row(const struct top *top, int row, int32_t index)
{
    attr_t attribute = attribute_of(top->rows[index]);
    int at = 0;

    if (index == top->selected) {
        attribute |= A_BOLD | A_UNDERLINE;
        attrset((int)attribute);
        mvhline(row, 0, ' ' | attribute, COLS);
        attrset(A_NORMAL);
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        draw_cell(row, at, i, attribute, columns[i].show(top->rows[index]));
        at += width_of(i) + 1;
    }
}

static void
draw_summary(const struct top *top)
{
    int64_t resident = 0;
    char bytes[UNITS_TEXT_SIZE];
    char clock[16];
    time_t now = time(NULL);
    struct tm local;
    char *text;

    for (int32_t i = 0; i < mmf_list_count(top->list); i++)
        resident += mmf_list_get(top->list, i)->resident;
    localtime_r(&now, &local);
    strftime(clock, sizeof(clock), "%H:%M:%S", &local);
    text = text_format("mmf top  %s  %d objects, %s resident%s%s%s", clock,
                       mmf_list_count(top->list), units_show_bytes(resident, bytes),
                       top->filter[0] != '\0' ? ", filter " : "", top->filter,
                       top->paused ? ", paused" : "");
    screen_text(0, 0, A_BOLD, text);
    free(text);
}

/* The selected object's holders and file. */
static void
draw_panel(const struct top *top, int row)
{
    const mmf_object_info *info;
    char *text;

    if (top->count == 0)
        return;
    info = top->rows[top->selected];
    text = text_escape_string(info->path);
    screen_text(row, 0, screen_attribute(SCREEN_DIM), text);
    free(text);
    for (int32_t i = 0; i < info->process_count && i < PANEL_ROWS - 2; i++) {
        const mmf_holder_info *process = &info->processes[i];
        char *command = text_escape_string(process->command);

        text = text_format(
            "  %-8d %-12s %s%s%s", process->pid, text_user(process->user), command,
            process->read_only ? " (reads)" : "", process->stopped ? " (stopped)" : "");
        screen_text(row + 1 + i, 0, A_NORMAL, text);
        free(text);
        free(command);
    }
    if (info->holders > PANEL_ROWS - 2) {
        text = text_format("  %d holders in all", info->holders);
        screen_text(row + PANEL_ROWS - 2, 0, A_NORMAL, text);
        free(text);
    }
}

static void
draw(struct top *top)
{
    int rows = LINES - 3 - PANEL_ROWS;
    char *text;

    if (rows < 1)
        rows = 1;
    if (top->selected < top->first)
        top->first = top->selected;
    if (top->selected >= top->first + rows)
        top->first = top->selected - rows + 1;
    erase();
    draw_summary(top);
    draw_titles(top, 1);
    for (int i = 0; i < rows && top->first + i < top->count; i++)
        draw_row(top, 2 + i, top->first + i);
    draw_panel(top, LINES - 1 - PANEL_ROWS);
    text = top->filtering
               ? text_format("filter: %s_   Enter keeps it, Esc drops it", top->filter)
               : text_format(
                     "q quit  n k s r h a m d l t sort  / filter  space pause  +/- "
                     "rate (%d ms)",
                     top->interval);
    screen_bar(LINES - 1, text);
    free(text);
    refresh();
}

/*
 * Keys.
 */

static void
edit_filter(struct top *top, int key)
{
    char *selected = selected_name(top);
    size_t length = strlen(top->filter);

    if (key == '\n' || key == KEY_ENTER) {
        top->filtering = 0;
    } else if (key == 27) {
        top->filtering = 0;
        top->filter[0] = '\0';
    } else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
        if (length > 0)
            top->filter[length - 1] = '\0';
    } else if (key >= ' ' && key < 127 && length + 1 < FILTER_SIZE) {
        top->filter[length] = (char)key;
        top->filter[length + 1] = '\0';
    }
    arrange(top, selected);
}

static void
select_by(struct top *top, int32_t by)
{
    top->selected += by;
    keep_in_range(top);
}

static void
sort_by(struct top *top, char key)
{
    char *selected = selected_name(top);

    top->reversed = top->key == key ? !top->reversed : 0;
    top->key = key;
    arrange(top, selected);
}

/* 0: the user leaves. */
static int
obey(struct top *top, int key)
{
    if (key == ERR || key == KEY_RESIZE)
        return 1;
    if (top->filtering) {
        edit_filter(top, key);
        return 1;
    }
    switch (key) {
    case 'q':
    case 27:
        return 0;
    case '/':
        top->filtering = 1;
        break;
    case ' ':
        top->paused = !top->paused;
        break;
    case '+':
        top->interval = top->interval > 200 ? top->interval / 2 : 100;
        break;
    case '-':
        top->interval = top->interval < 30000 ? top->interval * 2 : 60000;
        break;
    case KEY_DOWN:
        select_by(top, 1);
        break;
    case KEY_UP:
        select_by(top, -1);
        break;
    case KEY_NPAGE:
        select_by(top, LINES - 3 - PANEL_ROWS);
        break;
    case KEY_PPAGE:
        select_by(top, 3 + PANEL_ROWS - LINES);
        break;
    case KEY_HOME:
        select_by(top, -top->count);
        break;
    case KEY_END:
        select_by(top, top->count);
        break;
    default:
        if (key < 128 && column_of((char)key) != NULL)
            sort_by(top, (char)key);
    }
    return 1;
}

/* Keys are obeyed at once, the list is taken when it is time. */
static void
show(struct top *top)
{
    int64_t next = 0;
    int key = ERR;

    while (!stop_signal() && obey(top, key)) {
        int64_t now = screen_now_ms();

        if (now >= next && (!top->paused || top->list == NULL)) {
            look(top);
            now = screen_now_ms();
            next = now + top->interval;
        }
        draw(top);
        key = screen_key(top->paused      ? top->interval
                         : next - now > 0 ? (int)(next - now)
                                          : 0);
    }
}

static char
key_of(const char *name)
{
    static const char *const names[] = {"name", "kind", "size",  "resident", "holders",
                                        "age",  "rate", "depth", "lost",     "state"};

    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(name, names[i]) == 0)
            return columns[i].key;
    say_usage("--sort \"%s\" is none: name, kind, size, resident, holders, age, rate, "
              "depth, lost or state",
              name);
}

static int
run(struct args *args)
{
    struct top top = {.key = 'n'};

    top.interval = args_milliseconds(args, "interval", 1000);
    if (top.interval < 50)
        say_usage("--interval is at least 50ms");
    if (args_value(args, "sort") != NULL)
        top.key = key_of(args_value(args, "sort"));
    if (args_value(args, "filter") != NULL)
        snprintf(top.filter, sizeof(top.filter), "%s", args_value(args, "filter"));
    shown = &top;
    screen_begin("mmf ls shows the same once");
    show(&top);
    screen_end();
    mmf_list_close(top.list);
    free(top.rows);
    free(top.traffic);
    stop_leave();
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"interval", 'i', "TIME", "look so often (1s)"},
    {"sort", 's', "COLUMN",
     "name, kind, size, resident, holders, age, rate, depth, lost, state"},
    {"filter", 'f', "TEXT", "only names and kinds with this in them"},
    {NULL, 0, NULL, NULL}};

const struct command command_top = {
    "top", "", "a live table of all objects", options, 0, 0, ARGS_NO_PROGRAM, run};
