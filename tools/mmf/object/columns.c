/* columns.c - see columns.h. */
#include "object/columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/kinds.h"
#include "os/os.h"

static int
is_valid(const struct object *object)
{
    return object->info->status == MMF_OBJECT_IN_USE ||
           object->info->status == MMF_OBJECT_ORPHANED;
}

static char *
nothing(void)
{
    return text_format("%s", "");
}

static char *
bytes_text(int64_t bytes, int exact)
{
    char text[UNITS_TEXT_SIZE];

    if (exact)
        return text_format("%lld", (long long)bytes);
    return text_format("%s", units_show_bytes(bytes, text));
}

static char *
show_name(const struct object *object, int exact)
{
    (void)exact;
    return text_escape_string(object->info->name);
}

static char *
show_kind(const struct object *object, int exact)
{
    (void)exact;
    return is_valid(object) ? text_format("%s", mmf_kind_name(object->info->kind))
                            : nothing();
}

static int64_t
kind_of(const struct object *object)
{
    return object->info->kind;
}

static char *
show_size(const struct object *object, int exact)
{
    return object->info->capacity > 0 ? bytes_text(object->info->capacity, exact)
                                      : nothing();
}

static int64_t
size_of(const struct object *object)
{
    return object->info->capacity;
}

static char *
show_resident(const struct object *object, int exact)
{
    return is_valid(object) && os_keeps_records
               ? bytes_text(object->info->resident, exact)
               : nothing();
}

static int64_t
resident_of(const struct object *object)
{
    return object->info->resident;
}

static char *
show_holders(const struct object *object, int exact)
{
    (void)exact;
    return objects_holders(object->info, ", ", 0);
}

static int64_t
holders_of(const struct object *object)
{
    return object->info->holders;
}

static char *
show_age(const struct object *object, int exact)
{
    char text[UNITS_TEXT_SIZE];

    if (object->info->created == 0)
        return nothing();
    if (exact)
        return text_format("%lld", (long long)objects_age(object->info) / 1000000000);
    return text_format("%s", units_show_age(objects_age(object->info), text));
}

static int64_t
age_of(const struct object *object)
{
    return object->info->created != 0 ? objects_age(object->info) : 0;
}

static char *
show_mode(const struct object *object, int exact)
{
    char text[16];

    (void)exact;
    return is_valid(object) && os_keeps_records
               ? text_format("%s", objects_mode(object->info->mode, text))
               : nothing();
}

static int64_t
mode_of(const struct object *object)
{
    return object->info->mode;
}

static char *
show_owner(const struct object *object, int exact)
{
    (void)exact;
    return is_valid(object) && os_keeps_records
               ? text_format("%s", text_user(object->info->owner))
               : nothing();
}

static char *
show_status(const struct object *object, int exact)
{
    (void)exact;
    return text_format("%s", objects_status(object->info->status));
}

static int64_t
status_of(const struct object *object)
{
    return object->info->status;
}

static char *
show_state(const struct object *object, int exact)
{
    (void)exact;
    return kinds_state(object->info);
}

/* What is wrong with an object, as a number: the more, the worse. */
static int64_t
trouble_of(const struct object *object)
{
    const mmf_sync_info *sync = object->info->sync;

    if (object->info->status != MMF_OBJECT_IN_USE)
        return 16;
    return sync == NULL ? 0
                        : sync->corrupt * 8 + sync->abandoned * 4 + sync->waiters * 2 +
                              sync->owned;
}

enum color
columns_color(const mmf_object_info *info)
{
    struct object object = {.info = info};
    int64_t trouble = trouble_of(&object);

    return trouble >= 4 ? COLOR_BAD : trouble >= 2 ? COLOR_WARN : COLOR_PLAIN;
}

static char *
show_creator(const struct object *object, int exact)
{
    char *command = text_escape_string(object->info->creator_command);
    char *text = object->info->creator_pid == 0
                     ? nothing()
                     : text_format("%d %s", object->info->creator_pid, command);

    (void)exact;
    free(command);
    return text;
}

static int64_t
creator_of(const struct object *object)
{
    return object->info->creator_pid;
}

static char *
show_path(const struct object *object, int exact)
{
    (void)exact;
    return os_show_path(object->info->path);
}

/*
 * Channels.
 */

static char *
show_count(const struct object *object, int64_t count)
{
    return object->info->channel != NULL ? text_format("%lld", (long long)count)
                                         : nothing();
}

#define CHANNEL_COLUMN(name, expression)                                               \
    static int64_t name##_of(const struct object *object)                              \
    {                                                                                  \
        const mmf_channel_stats *stats = object->info->channel;                        \
                                                                                       \
        return stats != NULL ? (int64_t)(expression) : -1;                             \
    }                                                                                  \
                                                                                       \
    static char *show_##name(const struct object *object, int exact)                   \
    {                                                                                  \
        (void)exact;                                                                   \
        return show_count(object, name##_of(object));                                  \
    }

CHANNEL_COLUMN(depth, stats->depth)
CHANNEL_COLUMN(flight, kinds_in_flight(object->info))
CHANNEL_COLUMN(sent, stats->sent)
CHANNEL_COLUMN(received, stats->received)
CHANNEL_COLUMN(lost, stats->dropped + stats->lost)
CHANNEL_COLUMN(redelivered, stats->redelivered)

static char *
show_rate(const struct object *object, int exact)
{
    (void)exact;
    if (object->info->channel == NULL || object->rate < 0)
        return nothing();
    return text_format(object->rate < 100 ? "%.1f" : "%.0f", object->rate);
}

static int64_t
rate_of(const struct object *object)
{
    return (int64_t)(object->rate * 1000);
}

/*
 * All of them.
 */

static const struct column columns[] = {
    {"name", "NAME", TABLE_CUT, show_name, NULL},
    {"kind", "KIND", 0, show_kind, kind_of},
    {"owner", "OWNER", 0, show_owner, NULL},
    {"size", "SIZE", TABLE_RIGHT, show_size, size_of},
    {"resident", "RESIDENT", TABLE_RIGHT, show_resident, resident_of},
    {"holders", "HOLDERS", TABLE_CUT, show_holders, holders_of},
    {"age", "AGE", TABLE_RIGHT, show_age, age_of},
    {"mode", "MODE", 0, show_mode, mode_of},
    {"status", "STATUS", 0, show_status, status_of},
    {"state", "STATE", TABLE_CUT, show_state, trouble_of},
    {"depth", "DEPTH", TABLE_RIGHT, show_depth, depth_of},
    {"flight", "FLIGHT", TABLE_RIGHT, show_flight, flight_of},
    {"sent", "SENT", TABLE_RIGHT, show_sent, sent_of},
    {"received", "RECEIVED", TABLE_RIGHT, show_received, received_of},
    {"lost", "LOST", TABLE_RIGHT, show_lost, lost_of},
    {"redelivered", "REDELIVERED", TABLE_RIGHT, show_redelivered, redelivered_of},
    {"rate", "RATE", TABLE_RIGHT, show_rate, rate_of},
    {"creator", "CREATOR", TABLE_CUT, show_creator, creator_of},
    {"path", "PATH", TABLE_CUT, show_path, NULL},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

const struct column *
columns_find(const char *name, size_t length)
{
    char known[256] = "";

    for (size_t i = 0; i < COLUMNS; i++) {
        size_t used = strlen(known);

        if (strlen(columns[i].name) == length &&
            strncasecmp(columns[i].name, name, length) == 0)
            return &columns[i];
        snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
                 columns[i].name);
    }
    say_usage("unknown column \"%.*s\" (%s)", (int)length, name, known);
}

int
columns_compare(const struct column *column, const struct object *one,
                const struct object *other)
{
    int order = 0;

    if (column->number != NULL) {
        int64_t a = column->number(one);
        int64_t b = column->number(other);

        order = (a > b) - (a < b);
    } else if (column->show != show_name) {
        char *a = column->show(one, 0);
        char *b = column->show(other, 0);

        order = strcmp(a, b);
        free(a);
        free(b);
    }
    return order != 0 ? order : strcmp(one->info->name, other->info->name);
}
