/* top.c - mmf top: a full-screen live table of all objects. */
#include "top/top.h"

#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "command/commands.h"
#include "os/screen.h"
#include "os/stop.h"

static void
edit_filter(struct top *top, int key)
{
    size_t length = strlen(top->filter);

    if (key == SCREEN_ENTER) {
        top->filtering = 0;
    } else if (key == SCREEN_ESCAPE) {
        top->filtering = 0;
        top->filter[0] = '\0';
    } else if (key == SCREEN_BACKSPACE) {
        if (length > 0)
            top->filter[length - 1] = '\0';
    } else if (key >= ' ' && key < 127 && length + 1 < TOP_FILTER_SIZE) {
        top->filter[length] = (char)key;
        top->filter[length + 1] = '\0';
    }
    top_arrange(top);
}

/* Sort by the next column on the screen in that direction. */
static void
move_sort(struct top *top, int by)
{
    int column = top->column;

    do
        column = (column + by + TOP_COLUMNS) % TOP_COLUMNS;
    while (!top_is_shown(top, column));
    top->column = column;
    top->reversed = 0;
    top_arrange(top);
}

/* 0: the user leaves. */
static int
obey(struct top *top, int key)
{
    if (key == SCREEN_NO_KEY)
        return 1;
    if (top->filtering || top->helping) {
        if (top->filtering)
            edit_filter(top, key);
        top->helping = 0;
        return 1;
    }
    switch (key) {
    case 'q':
    case SCREEN_ESCAPE:
        return 0;
    case '?':
        top->helping = 1;
        break;
    case '<':
    case '>':
        move_sort(top, key == '<' ? -1 : 1);
        break;
    case 'r':
        top->reversed = !top->reversed;
        top_arrange(top);
        break;
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
    case SCREEN_DOWN:
        top_select(top, 1);
        break;
    case SCREEN_UP:
        top_select(top, -1);
        break;
    case SCREEN_PAGE_DOWN:
        top_select(top, top_visible_rows());
        break;
    case SCREEN_PAGE_UP:
        top_select(top, -top_visible_rows());
        break;
    case SCREEN_HOME:
        top_select(top, -top->count);
        break;
    case SCREEN_END:
        top_select(top, top->count);
        break;
    default:
        break;
    }
    return 1;
}

/* Keys take effect at once; the list is refreshed at each interval. */
static void
show(struct top *top)
{
    int64_t next = 0;
    int key = SCREEN_NO_KEY;

    while (!stop_signal() && obey(top, key)) {
        int64_t now = screen_now_ms();

        if (now >= next && (!top->paused || top->rows == NULL)) {
            top_refresh(top);
            now = screen_now_ms();
            next = now + top->interval;
        }
        top_draw(top);
        key = screen_key(top->paused      ? top->interval
                         : next - now > 0 ? (int)(next - now)
                                          : 0);
    }
}

static int
column_of(const char *name)
{
    char known[256] = "";

    for (int i = 0; i < TOP_COLUMNS; i++) {
        size_t used = strlen(known);

        if (strcmp(name, top_columns[i].name) == 0)
            return i;
        snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
                 top_columns[i].name);
    }
    say_usage("unknown column \"%s\" (%s)", name, known);
}

static int
run(struct args *args)
{
    struct top top = {.choice = objects_choose(args)};

    top.interval = args_milliseconds(args, "interval", 1000);
    if (top.interval < 50)
        say_usage("--interval is at least 50ms");
    if (args_value(args, "sort") != NULL)
        top.column = column_of(args_value(args, "sort"));
    if (args_value(args, "filter") != NULL)
        snprintf(top.filter, sizeof(top.filter), "%s", args_value(args, "filter"));
    screen_begin("mmf ls prints the same once");
    show(&top);
    screen_end();
    top_close(&top);
    stop_leave();
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS,
    {"interval", 'i', "TIME", "time between two looks (1s)"},
    {"sort", 's', "COLUMN", "name, kind, size, holders, rate, depth, state, ..."},
    {"filter", 'f', "TEXT", "only names and kinds that contain TEXT"},
    {NULL, 0, NULL, NULL}};

const struct command command_top = {.name = "top",
                                    .operands = "",
                                    .summary = "a live table of all objects",
                                    .example = "mmf top --sort rate",
                                    .options = options,
                                    .run = run};
