/* top_draw.c - how `mmf top` looks. */
#include "top/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mmf/mmf.h>

#include "os/os.h"
#include "os/screen.h"
#include "base/text.h"
#include "base/units.h"

enum { PANEL_ROWS = 5 };

static int
width_of(size_t column)
{
    int fixed = 0;

    for (size_t i = 0; i < TOP_COLUMNS; i++)
        fixed += top_columns[i].width + 1;
    if (top_columns[column].width > 0)
        return top_columns[column].width;
    return (screen_columns() - fixed) / 2 > 8 ? (screen_columns() - fixed) / 2 : 8;
}

/* Columns of a text in UTF-8 that shows one column a character, as names mostly do. */
static int
characters_of(const char *text)
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
draw_slot(int row, int at, size_t column, screen_style style, char *text)
{
    int width = width_of(column);
    int spare;

    cut(text, width);
    spare = top_columns[column].right ? width - characters_of(text) : 0;
    screen_text(row, at + spare, style, text);
    free(text);
}

static void
draw_titles(const struct top *top, int row)
{
    int at = 0;

    screen_bar(row, "");
    for (size_t i = 0; i < TOP_COLUMNS; i++) {
        char *title = text_format("%s%s", top_columns[i].title,
                                  top_columns[i].key != top->key ? ""
                                  : top->reversed                ? "^"
                                                                 : "v");

        draw_slot(row, at, i,
                  SCREEN_REVERSE | (top_columns[i].key == top->key ? SCREEN_BOLD : 0),
                  title);
        at += width_of(i) + 1;
    }
}

static screen_style
style_of(top_row row)
{
    if (row->status != MMF_OBJECT_IN_USE || top_trouble(row) >= TOP_ABANDONED)
        return screen_colour(SCREEN_BAD);
    if (top_trouble(row) >= TOP_WAITED_FOR)
        return screen_colour(SCREEN_DIM);
    return SCREEN_NORMAL;
}

static void
draw_row(const struct top *top, int row, int32_t index)
{
    screen_style style = style_of(top->rows[index]);
    int at = 0;

    if (index == top->selected) {
        style |= SCREEN_BOLD | SCREEN_UNDERLINE;
        screen_fill(row, style);
    }
    for (size_t i = 0; i < TOP_COLUMNS; i++) {
        draw_slot(row, at, i, style, top_columns[i].show(top, top->rows[index]));
        at += width_of(i) + 1;
    }
}

/* ", 4M resident" */
static const char *
show_resident(const struct top *top, char text[48])
{
    int64_t resident = 0;
    char bytes[UNITS_TEXT_SIZE];

    for (int32_t i = 0; i < mmf_list_count(top->list); i++)
        resident += mmf_list_get(top->list, i)->resident;
    snprintf(text, 48, ", %s resident", units_show_bytes(resident, bytes));
    return os_keeps_records ? text : "";
}

static void
draw_summary(const struct top *top)
{
    char resident[48];
    char clock[16];
    struct tm local;
    char *text;

    if (!os_local_time(os_time_ns() / 1000000000, &local) ||
        strftime(clock, sizeof(clock), "%H:%M:%S", &local) == 0)
        clock[0] = '\0';
    text = text_format("mmf top  %s  %d objects%s%s%s%s", clock,
                       mmf_list_count(top->list), show_resident(top, resident),
                       top->filter[0] != '\0' ? ", filter " : "", top->filter,
                       top->paused ? ", paused" : "");
    screen_text(0, 0, SCREEN_BOLD, text);
    free(text);
}

/* The selected object's holders and file. */
static void
draw_panel(const struct top *top, int row)
{
    top_row info;
    char *text;

    if (top->count == 0)
        return;
    info = top->rows[top->selected];
    text = os_show_path(info->path);
    screen_text(row, 0, screen_colour(SCREEN_DIM), text);
    free(text);
    for (int32_t i = 0; i < info->process_count && i < PANEL_ROWS - 2; i++) {
        const mmf_holder_info *process = &info->processes[i];
        char *command = text_escape_string(process->command);

        text = text_format(
            "  %-8d %-12s %s%s%s", process->pid, text_user(process->user), command,
            process->read_only ? " (reads)" : "", process->stopped ? " (stopped)" : "");
        screen_text(row + 1 + i, 0, SCREEN_NORMAL, text);
        free(text);
        free(command);
    }
    if (info->holders > PANEL_ROWS - 2) {
        text = text_format("  %d holders in all", info->holders);
        screen_text(row + PANEL_ROWS - 2, 0, SCREEN_NORMAL, text);
        free(text);
    }
}

int
top_visible_rows(void)
{
    return screen_rows() - 3 - PANEL_ROWS;
}

void
top_draw(struct top *top)
{
    int rows = top_visible_rows();
    char *text;

    if (rows < 1)
        rows = 1;
    if (top->selected < top->first)
        top->first = top->selected;
    if (top->selected >= top->first + rows)
        top->first = top->selected - rows + 1;
    screen_clear();
    draw_summary(top);
    draw_titles(top, 1);
    for (int i = 0; i < rows && top->first + i < top->count; i++)
        draw_row(top, 2 + i, top->first + i);
    draw_panel(top, screen_rows() - 1 - PANEL_ROWS);
    text = top->filtering
               ? text_format("filter: %s_   Enter keeps it, Esc drops it", top->filter)
               : text_format(
                     "q quit  n k s r h a m d l t sort  / filter  space pause  +/- "
                     "rate (%d ms)",
                     top->interval);
    screen_bar(screen_rows() - 1, text);
    free(text);
    screen_show();
}
