/*
 * watch.c - mmf watch: what changes in a map. On a terminal the bytes or values with
 * what has just changed marked, else a line for each change.
 *
 * It has a view and no handle: watching does not keep the name alive. Now and then the
 * name is opened for a moment, to see whether it is still there.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "base/units.h"
#include "command/dump.h"
#include "object/bytes.h"
#include "object/values.h"
#include "os/os.h"
#include "os/screen.h"
#include "os/stop.h"

enum { MARKED_MS = 1000, NAME_CHECK_MS = 500, MOST_BYTES = 1 << 20 };

struct watch {
    const char *name;
    struct bytes bytes;
    const struct value_type *type; /* NULL: bytes */
    int64_t unit;                  /* bytes of one value */
    int64_t units;
    unsigned char *seen; /* the bytes as they were last */
    unsigned char *now;  /* a copy of this round */
    int64_t *changed;    /* when each unit changed, monotonic ms; 0: never */
    int64_t changes;     /* units that have changed so far */
    int64_t checked;     /* when the name was last checked */
    int32_t interval;    /* ms */
    int is_removed;      /* the last holder has closed it */
    int paused;
    int64_t top; /* first line on the screen */
};

static void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL)
        say_no_memory();
    return memory;
}

/* Whether the name still exists. The handle is closed at once, so it keeps nothing open. */
static void
check_name(struct watch *watch)
{
    mmf_map_options options;
    mmf_map *map;
    int rc;

    if (watch->is_removed || screen_now_ms() - watch->checked < NAME_CHECK_MS)
        return;
    mmf_map_options_init(&options);
    options.rights = MMF_RIGHTS_READ;
    rc = mmf_map_open_existing(watch->name, &options, &map);
    if (rc == MMF_OK)
        mmf_map_close(map);
    watch->is_removed = rc == MMF_E_NOT_FOUND;
    watch->checked = screen_now_ms();
}

/* A line for the change of one unit. */
static void
print_change(const struct watch *watch, int64_t at)
{
    char before[VALUES_TEXT_SIZE];
    char after[VALUES_TEXT_SIZE];
    char clock[16];
    int64_t now_ms = os_time_ns() / 1000000;
    struct tm local;

    if (!os_local_time(now_ms / 1000, &local) ||
        strftime(clock, sizeof(clock), "%H:%M:%S", &local) == 0)
        clock[0] = '\0';
    if (watch->type != NULL) {
        watch->type->show(watch->seen + at, before);
        watch->type->show(watch->now + at, after);
    } else {
        snprintf(before, sizeof(before), "%02x", watch->seen[at]);
        snprintf(after, sizeof(after), "%02x '%c'", watch->now[at],
                 dump_character(watch->now[at]));
    }
    printf("%s.%03d  offset %lld: %s -> %s\n", clock, (int)(now_ms % 1000),
           (long long)watch->bytes.offset + at, before, after);
}

/* Copy, compare and note what has changed. Returns the number of changed units. */
static int64_t
compare(struct watch *watch, void (*report)(const struct watch *watch, int64_t at))
{
    int64_t found = 0;

    bytes_read(&watch->bytes, 0, watch->now, (size_t)watch->bytes.length);
    for (int64_t i = 0; i < watch->units; i++) {
        int64_t at = i * watch->unit;

        if (memcmp(watch->now + at, watch->seen + at, (size_t)watch->unit) == 0)
            continue;
        if (report != NULL)
            report(watch, at);
        watch->changed[i] = screen_now_ms();
        found++;
    }
    memcpy(watch->seen, watch->now, (size_t)watch->bytes.length);
    watch->changes += found;
    return found;
}

/*
 * Lines.
 */

static int
watch_lines(struct watch *watch, int64_t most)
{
    stop_note();
    while (!stop_signal() && !ferror(stdout)) {
        compare(watch, print_change);
        fflush(stdout);
        if (watch->changes >= most)
            return TOOL_DONE;
        check_name(watch);
        if (watch->is_removed) {
            say("\"%s\" was removed: the last process closed it", watch->name);
            return TOOL_NO_OBJECT;
        }
        stop_nap(watch->interval);
    }
    return TOOL_DONE;
}

/*
 * The screen.
 */

static screen_style
style_of(const struct watch *watch, int64_t unit)
{
    if (watch->changed[unit] != 0 && screen_now_ms() - watch->changed[unit] < MARKED_MS)
        return screen_colour(SCREEN_CHANGED);
    return SCREEN_NORMAL;
}

static void
draw_bytes(const struct watch *watch, int row, int64_t line)
{
    char text[24];
    int64_t first = line * DUMP_WIDTH;

    snprintf(text, sizeof(text), "%08llx",
             (unsigned long long)watch->bytes.offset + (unsigned long long)first);
    screen_text(row, 0, screen_colour(SCREEN_DIM), text);
    for (int i = 0; i < DUMP_WIDTH && first + i < watch->bytes.length; i++) {
        unsigned char byte = watch->seen[first + i];
        screen_style marked = style_of(watch, first + i);

        snprintf(text, sizeof(text), "%02x", byte);
        screen_text(row, 10 + 3 * i + i / 8, marked, text);
        snprintf(text, sizeof(text), "%c", dump_character(byte));
        screen_text(row, 61 + i, marked, text);
    }
}

static void
draw_value(const struct watch *watch, int row, int64_t line)
{
    char text[VALUES_TEXT_SIZE];

    snprintf(text, sizeof(text), "%08llx",
             (unsigned long long)watch->bytes.offset +
                 (unsigned long long)(line) * (unsigned long long)watch->unit);
    screen_text(row, 0, screen_colour(SCREEN_DIM), text);
    watch->type->show(watch->seen + line * watch->unit, text);
    screen_text(row, 10, style_of(watch, line), text);
}

static int64_t
line_count(const struct watch *watch)
{
    if (watch->type != NULL)
        return watch->units;
    return (watch->bytes.length + DUMP_WIDTH - 1) / DUMP_WIDTH;
}

static void
draw(const struct watch *watch)
{
    char *name = text_escape_string(watch->name);
    char *title;
    int64_t lines = line_count(watch);

    screen_clear();
    title = text_format("mmf watch %s: %lld bytes, every %d ms%s", name,
                        (long long)watch->bytes.capacity, watch->interval,
                        watch->paused ? ", paused" : "");
    screen_bar(0, title);
    free(title);
    for (int row = 1; row < screen_rows() - 1 && watch->top + row - 1 < lines; row++) {
        if (watch->type != NULL)
            draw_value(watch, row, watch->top + row - 1);
        else
            draw_bytes(watch, row, watch->top + row - 1);
    }
    title =
        text_format("%s%lld changes   q quit  space pause  +/- rate  arrows scroll",
                    watch->is_removed ? "REMOVED: the last process closed it   " : "",
                    (long long)watch->changes);
    screen_bar(screen_rows() - 1, title);
    free(title);
    free(name);
    screen_show();
}

static void
scroll_by(struct watch *watch, int64_t lines)
{
    int64_t last = line_count(watch) - (screen_rows() - 2);

    watch->top += lines;
    if (watch->top > last)
        watch->top = last;
    if (watch->top < 0)
        watch->top = 0;
}

/* 0: the user leaves. */
static int
obey(struct watch *watch, int key)
{
    switch (key) {
    case 'q':
    case SCREEN_ESCAPE:
        return 0;
    case ' ':
        watch->paused = !watch->paused;
        break;
    case '+':
        watch->interval = watch->interval > 20 ? watch->interval / 2 : 10;
        break;
    case '-':
        watch->interval = watch->interval < 30000 ? watch->interval * 2 : 60000;
        break;
    case SCREEN_DOWN:
        scroll_by(watch, 1);
        break;
    case SCREEN_UP:
        scroll_by(watch, -1);
        break;
    case SCREEN_PAGE_DOWN:
        scroll_by(watch, screen_rows() - 2);
        break;
    case SCREEN_PAGE_UP:
        scroll_by(watch, 2 - screen_rows());
        break;
    case SCREEN_HOME:
        scroll_by(watch, -line_count(watch));
        break;
    case SCREEN_END:
        scroll_by(watch, line_count(watch));
        break;
    default:
        break;
    }
    return 1;
}

static int
watch_screen(struct watch *watch)
{
    int key = SCREEN_NO_KEY;

    screen_begin("redirect the output, and each change is a line");
    while (!stop_signal() && obey(watch, key)) {
        if (!watch->paused)
            compare(watch, NULL);
        check_name(watch);
        draw(watch);
        key = screen_key(watch->interval);
    }
    screen_end();
    if (watch->is_removed) {
        say("\"%s\" was removed: the last process closed it", watch->name);
        return TOOL_NO_OBJECT;
    }
    return TOOL_DONE;
}

static void
open_window(const struct args *args, struct watch *watch)
{
    int64_t offset = args_bytes(args, "offset", 0);
    int64_t length = args_bytes(args, "length", -1);
    int64_t count = args_number(args, "count", 1, MOST_BYTES, -1);

    if (count > 0 && length >= 0)
        say_usage("--count and --length exclude each other");
    if (length > MOST_BYTES)
        say_usage("--length is at most 1M; choose a part with --offset");
    if (count > 0)
        length = count * watch->unit;
    bytes_open(watch->name, 0, offset, length, &watch->bytes);
    if (watch->bytes.length > MOST_BYTES)
        watch->bytes.length = MOST_BYTES;
    watch->units = watch->bytes.length / watch->unit;
    watch->bytes.length = watch->units * watch->unit;
    if (watch->units == 0)
        say_usage("nothing to watch after offset %lld", (long long)offset);
}

static int
run(struct args *args)
{
    struct watch watch = {.name = args_name(args->operands[0]), .unit = 1};
    int64_t most = args_number(args, "changes", 1, INT64_MAX, INT64_MAX);
    int status;

    watch.interval = args_milliseconds(args, "interval", 250);
    if (watch.interval < 1)
        say_usage("--interval is at least 1ms");
    if (args_value(args, "type") != NULL) {
        watch.type = values_type(args_value(args, "type"));
        watch.unit = (int64_t)watch.type->size;
    }
    open_window(args, &watch);
    watch.seen = allocate((size_t)watch.bytes.length, 1);
    watch.now = allocate((size_t)watch.bytes.length, 1);
    watch.changed = allocate((size_t)watch.units, sizeof(*watch.changed));
    bytes_read(&watch.bytes, 0, watch.seen, (size_t)watch.bytes.length);
    status = os_is_terminal(stdout) && args_value(args, "lines") == NULL
                 ? watch_screen(&watch)
                 : watch_lines(&watch, most);
    bytes_close(&watch.bytes);
    free(watch.seen);
    free(watch.now);
    free(watch.changed);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"interval", 'i', "TIME", "time between two looks (250ms)"},
    {"type", 't', "TYPE", "show values: int32, double, ..."},
    {"offset", 'o', "N", "first byte (0)"},
    {"length", 'l', "N", "number of bytes (to the end, at most 1M)"},
    {"count", 'c', "N", "number of values or bytes"},
    {"lines", 'L', NULL, "a line for each change, even on a terminal"},
    {"changes", 'n', "N", "lines: end after N changes"},
    {NULL, 0, NULL, NULL}};

const struct command command_watch = {.name = "watch",
                                      .operands = "NAME",
                                      .summary = "show what changes in a map",
                                      .example = "mmf watch Cat --type i32",
                                      .options = options,
                                      .kinds = 1u << MMF_KIND_MAP,
                                      .least = 1,
                                      .most = 1,
                                      .run = run};
