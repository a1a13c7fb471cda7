/* draw.c - how `mmf top` looks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/mmf.h>

#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/kinds.h"
#include "os/os.h"
#include "os/screen.h"
#include "top/top.h"

const struct top_column top_columns[TOP_COLUMNS] = {
    {"name", "Name", 0, 0},          {"kind", "Kind", 9, 0},
    {"owner", "Owner", 9, 0},        {"size", "Size", 6, 0},
    {"resident", "Resident", 9, 96}, {"holders", "Holders", 12, 0},
    {"age", "Age", 5, 70},           {"rate", "Msg/s", 6, 0},
    {"depth", "Depth", 6, 70},       {"flight", "Flight", 7, 96},
    {"lost", "Lost", 6, 96},         {"state", "State", 0, 0},
};

enum { NARROW = 70, LEAST_WIDTH = 8 };

/* Print a text and free it. */
static void
draw_text(int row, int at, screen_style style, char *text)
{
    screen_text(row, at, style, text);
    free(text);
}

/*
 * Columns.
 */

static int
is_foreign(const struct top *top)
{
    for (int32_t i = 0; i < top->objects.count; i++)
        if (os_keeps_records && top->objects.at[i].info->owner != os_user())
            return 1;
    return 0;
}

int
top_is_shown(const struct top *top, int column)
{
    if (strcmp(top_columns[column].name, "owner") == 0)
        return is_foreign(top);
    if (strcmp(top_columns[column].name, "resident") == 0 && !os_keeps_records)
        return 0;
    return screen_columns() >= top_columns[column].from;
}

static int
longest_name(const struct top *top)
{
    int longest = LEAST_WIDTH;

    for (int32_t i = 0; i < top->count; i++) {
        int length = (int)text_columns(top->rows[i]->info->name);

        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Name and state share what the others leave; a name takes no more than it needs. */
static void
find_widths(const struct top *top, int widths[TOP_COLUMNS])
{
    int left = screen_columns() + 1;
    int half;

    for (int i = 0; i < TOP_COLUMNS; i++) {
        widths[i] = top_columns[i].width;
        if (strcmp(top_columns[i].name, "holders") == 0 && screen_columns() < NARROW)
            widths[i] = LEAST_WIDTH;
        left -= top_is_shown(top, i) ? widths[i] + 1 : 0;
    }
    half = left / 2 > LEAST_WIDTH ? left / 2 : LEAST_WIDTH;
    widths[0] = longest_name(top) < half ? longest_name(top) : half;
    widths[TOP_COLUMNS - 1] =
        left - widths[0] > LEAST_WIDTH ? left - widths[0] : LEAST_WIDTH;
}

static void
draw_slot(int row, int at, int width, int is_right, screen_style style, char *text)
{
    char *fitting = text_cut(text, (size_t)width);
    int spare = is_right ? width - (int)text_columns(fitting) : 0;

    draw_text(row, at + spare, style, fitting);
    free(text);
}

static const char *
arrow_of(const struct top *top, int column)
{
    static const char *const arrows[2][2] = {{"^", "v"}, {"\u25b2", "\u25bc"}};
    const char *name = top_columns[column].name;
    const struct column *by = columns_find(name, strlen(name));
    int is_down = (by->number != NULL && strcmp(name, "kind") != 0) != top->reversed;

    return column == top->column ? arrows[os_has_unicode() != 0][is_down] : "";
}

/* A row of titles, or of an object. */
static void
draw_row(const struct top *top, int row, const struct object *object,
         screen_style style)
{
    int widths[TOP_COLUMNS];
    int at = 0;

    find_widths(top, widths);
    for (int i = 0; i < TOP_COLUMNS; i++) {
        const char *name = top_columns[i].name;
        const struct column *column = columns_find(name, strlen(name));
        char *text;

        if (!top_is_shown(top, i))
            continue;
        text = object != NULL
                   ? column->show(object, 0)
                   : text_format("%s%s", top_columns[i].title, arrow_of(top, i));
        draw_slot(row, at, widths[i], column->flags & TABLE_RIGHT,
                  object == NULL && i == top->column ? style | SCREEN_BOLD : style,
                  text);
        at += widths[i] + 1;
    }
}

static screen_style
style_of(const struct object *object)
{
    switch (columns_color(object->info)) {
    case COLOR_BAD:
        return screen_colour(SCREEN_BAD);
    case COLOR_WARN:
        return screen_colour(SCREEN_DIM);
    default:
        return SCREEN_NORMAL;
    }
}

static void
draw_object(const struct top *top, int row, int32_t index)
{
    screen_style style = style_of(top->rows[index]);

    if (index == top->selected) {
        style |= SCREEN_BOLD | SCREEN_UNDERLINE;
        screen_fill(row, style);
    }
    draw_row(top, row, top->rows[index], style);
}

/*
 * Around them.
 */

/* ", 4M resident, 3.9G of 4G free" */
static char *
room_text(const struct top *top)
{
    int64_t resident = 0, left, total;
    char bytes[UNITS_TEXT_SIZE], left_text[UNITS_TEXT_SIZE],
        total_text[UNITS_TEXT_SIZE];

    for (int32_t i = 0; i < top->objects.count; i++)
        resident += top->objects.at[i].info->resident;
    if (!os_keeps_records)
        return text_format("%s", "");
    if (!os_room(&left, &total))
        return text_format(", %s resident", units_show_bytes(resident, bytes));
    return text_format(
        ", %s resident, %s of %s free", units_show_bytes(resident, bytes),
        units_show_bytes(left, left_text), units_show_bytes(total, total_text));
}

static void
draw_summary(const struct top *top)
{
    char *room = room_text(top);
    char clock[16];
    struct tm local;

    if (!os_local_time(os_time_ns() / 1000000000, &local) ||
        strftime(clock, sizeof(clock), "%H:%M:%S", &local) == 0)
        clock[0] = '\0';
    draw_text(0, 0, SCREEN_BOLD,
              text_format("mmf top  %s  %d objects%s%s%s%s", clock, top->objects.count,
                          room, top->filter[0] != '\0' ? ", filter " : "", top->filter,
                          top->paused ? ", paused" : ""));
    free(room);
}

/* The newest rate is the last; the highest one fills its place. */
static char *
sparkline(const struct object *object)
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
    float most = 1;
    char *line = text_format("%s", "");

    for (int i = 0; i < OBJECTS_RATES; i++)
        most = object->rates[i] > most ? object->rates[i] : most;
    for (int i = OBJECTS_RATES - 1; i >= 0; i--) {
        int step = object->rates[i] < 0 ? -1 : (int)(object->rates[i] / most * 7.5f);
        char *longer = text_format("%s%s", line,
                                   step < 0           ? ""
                                   : os_has_unicode() ? blocks[step]
                                                      : letters[step]);

        free(line);
        line = longer;
    }
    return line;
}

static int
panel_rows(void)
{
    return screen_rows() >= 24   ? 7
           : screen_rows() >= 16 ? 5
           : screen_rows() >= 10 ? 3
                                 : 0;
}

static void
draw_holder(int row, const mmf_holder_info *process)
{
    char *command = text_escape_string(process->command);

    draw_text(row, 0, SCREEN_NORMAL,
              text_format("  %-8d %-12s %s%s%s", process->pid, text_user(process->user),
                          command, process->read_only ? " (reads)" : "",
                          process->stopped ? " (stopped)" : ""));
    free(command);
}

/* What the chosen object is, what it does, and which processes have it open. */
static void
draw_panel(const struct top *top, int row)
{
    const mmf_object_info *info;
    int last = row + panel_rows() - 1;
    int next = row;
    char *text;

    if (top->count == 0 || panel_rows() == 0)
        return;
    info = top->rows[top->selected]->info;
    draw_text(next++, 0, screen_colour(SCREEN_DIM), os_show_path(info->path));
    text = kinds_state(info);
    if (info->channel != NULL) {
        char *line = sparkline(top->rows[top->selected]);

        draw_text(next++, 0, SCREEN_NORMAL, text_format("  %s  %s", text, line));
        free(line);
    } else if (text[0] != '\0') {
        draw_text(next++, 0, SCREEN_NORMAL, text_format("  %s", text));
    }
    free(text);
    for (int32_t i = 0; i < info->process_count && next <= last; i++)
        if (next == last && info->holders > i + 1)
            draw_text(next++, 0, SCREEN_NORMAL,
                      text_format("  and %d more of %d holders", info->holders - i,
                                  info->holders));
        else
            draw_holder(next++, &info->processes[i]);
    if (info->process_count == 0 && info->holders > 0)
        draw_text(next, 0, SCREEN_NORMAL,
                  text_format("  %s", os_hidden_holders(info->holders, 0)));
}

static void
draw_help(void)
{
    static const char *const lines[] = {
        "mmf top: all named objects, and what they do",
        "",
        "  < >        sort by the column to the left, to the right",
        "  r          the other way round",
        "  up down    choose an object: below the table, its state,",
        "             its messages per second so far, its holders",
        "  /          only names and kinds that contain a text",
        "  space      pause         + -  refresh more or less often",
        "  q, Esc     leave",
        "",
        "  Msg/s      sent per second     Depth   messages waiting",
        "  Flight     taken by a consumer and not yet released",
        "  Lost       dropped, or missed by a subscriber",
        "",
        "  Any key goes back."};

    for (int i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])); i++)
        screen_text(i, 0, i == 0 ? SCREEN_BOLD : SCREEN_NORMAL, lines[i]);
}

int
top_visible_rows(void)
{
    return screen_rows() - 3 - panel_rows();
}

static void
draw_table(struct top *top)
{
    int rows = top_visible_rows() > 1 ? top_visible_rows() : 1;

    if (top->selected < top->first)
        top->first = top->selected;
    if (top->selected >= top->first + rows)
        top->first = top->selected - rows + 1;
    draw_summary(top);
    screen_bar(1, "");
    draw_row(top, 1, NULL, SCREEN_REVERSE);
    for (int i = 0; i < rows && top->first + i < top->count; i++)
        draw_object(top, 2 + i, top->first + i);
    draw_panel(top, screen_rows() - 1 - panel_rows());
}

void
top_draw(struct top *top)
{
    char *text =
        top->filtering
            ? text_format("filter: %s_   Enter keeps it, Esc drops it", top->filter)
            : text_format("q quit  ? help  < > sort  / filter  space pause  +/- %d ms",
                          top->interval);

    screen_clear();
    if (top->helping)
        draw_help();
    else
        draw_table(top);
    screen_bar(screen_rows() - 1, text);
    free(text);
    screen_show();
}
