/*
 * metrics.c - mmf metrics: the objects and their counters as OpenMetrics text, or in the
 * format from before it, in which a counter's family has the name of its samples.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "object/kinds.h"
#include "object/objects.h"
#include "os/os.h"

static int is_older; /* the format */

struct family {
    const char *name;
    const char *type; /* "gauge"; "counter": its samples end in _total */
    const char *unit; /* the name ends with it; or "" */
    const char *help;
    int (*has)(const mmf_object_info *info);
    int64_t (*value)(const mmf_object_info *info);
};

/*
 * Labels: valid UTF-8, with three characters escaped.
 */

static void
print_label(const char *before, const char *value)
{
    char *valid = text_valid(value);

    fputs(before, stdout);
    putchar('"');
    for (const char *at = valid; *at != '\0'; at++)
        if (*at == '\n')
            fputs("\\n", stdout);
        else
            printf(*at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    putchar('"');
    free(valid);
}

static const char *
user_of(const mmf_object_info *info)
{
    return os_keeps_records ? text_user(info->owner) : "";
}

/*
 * What there is to be measured.
 */

static int
is_valid(const mmf_object_info *info)
{
    return info->status == MMF_OBJECT_IN_USE || info->status == MMF_OBJECT_ORPHANED;
}

static int
is_channel(const mmf_object_info *info)
{
    return is_valid(info) && info->channel != NULL;
}

static int
has_flight(const mmf_object_info *info)
{
    return is_channel(info) &&
           (info->kind == MMF_KIND_QUEUE || info->kind == MMF_KIND_SERVICE);
}

#define VALUE(name, expression)                                                        \
    static int64_t name(const mmf_object_info *info)                                   \
    {                                                                                  \
        return (int64_t)(expression);                                                  \
    }

VALUE(size, info->capacity)
VALUE(resident, info->resident)
VALUE(holders, info->holders)
VALUE(depth, info->channel->depth)
VALUE(capacity, info->channel->capacity)
VALUE(sent, info->channel->sent)
VALUE(received, info->channel->received)
VALUE(dropped, info->channel->dropped)
VALUE(lost, info->channel->lost)
VALUE(redelivered, info->channel->redelivered)

static const struct family families[] = {
    {"mmf_object_size_bytes", "gauge", "bytes", "Size of the object.", is_valid, size},
    {"mmf_object_resident_bytes", "gauge", "bytes", "Memory that its file takes.",
     is_valid, resident},
    {"mmf_object_holders", "gauge", "", "Processes that have it open.", is_valid,
     holders},
    {"mmf_channel_depth", "gauge", "", "Messages that wait.", is_channel, depth},
    {"mmf_channel_capacity", "gauge", "", "Messages that it can hold.", is_channel,
     capacity},
    {"mmf_channel_in_flight", "gauge", "", "Messages taken and not yet released.",
     has_flight, kinds_in_flight},
    {"mmf_channel_sent", "counter", "", "Messages sent.", is_channel, sent},
    {"mmf_channel_received", "counter", "", "Messages received and released.",
     is_channel, received},
    {"mmf_channel_dropped", "counter", "",
     "Messages dropped for newer ones, of dead senders, or given up by clients.",
     is_channel, dropped},
    {"mmf_channel_lost", "counter", "", "Messages that subscribers missed.", is_channel,
     lost},
    {"mmf_channel_redelivered", "counter", "",
     "Messages given to another receiver, since theirs died, closed or returned them.",
     is_channel, redelivered},
};

/* What a counter's name ends with. */
static const char *
suffix_of(const char *type, int is_sample)
{
    return strcmp(type, "counter") == 0 && (is_sample || is_older) ? "_total" : "";
}

static void
print_head(const char *name, const char *type, const char *unit, const char *help)
{
    const char *suffix = suffix_of(type, 0);

    printf("# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, type);
    if (unit[0] != '\0' && !is_older)
        printf("# UNIT %s %s\n", name, unit);
}

/* A global name of one user alone can stand beside that of all users. */
static int
is_repeated(const struct objects *objects, int32_t i)
{
    return i > 0 && objects->at[i].info->owner == objects->at[i - 1].info->owner &&
           strcmp(objects->at[i].info->name, objects->at[i - 1].info->name) == 0;
}

static void
print_family(const struct family *family, const struct objects *objects)
{
    print_head(family->name, family->type, family->unit, family->help);
    for (int32_t i = 0; i < objects->count && !ferror(stdout); i++) {
        const mmf_object_info *info = objects->at[i].info;

        if (!family->has(info) || is_repeated(objects, i))
            continue;
        printf("%s%s", family->name, suffix_of(family->type, 1));
        print_label("{name=", info->name);
        print_label(",kind=", mmf_kind_name(info->kind));
        print_label(",user=", user_of(info));
        printf("} %lld\n", (long long)family->value(info));
    }
}

/* How many there are of each kind, in each state. */
static void
print_counts(const struct objects *objects)
{
    print_head("mmf_objects", "gauge", "", "Objects, by kind and status.");
    for (mmf_object_status status = MMF_OBJECT_IN_USE;
         status <= MMF_OBJECT_INACCESSIBLE; status++)
        for (mmf_kind kind = MMF_KIND_UNKNOWN; kind <= MMF_KIND_SERVICE; kind++) {
            int count = 0;

            for (int32_t i = 0; i < objects->count; i++)
                count += objects->at[i].info->status == status &&
                         objects->at[i].info->kind == kind;
            if (count == 0)
                continue;
            print_label("mmf_objects{kind=", mmf_kind_name(kind));
            print_label(",status=", objects_status(status));
            printf("} %d\n", count);
        }
}

static void
print_room(void)
{
    int64_t left, total;

    if (!os_room(&left, &total))
        return;
    print_head("mmf_space_free_bytes", "gauge", "bytes", "Bytes left for names.");
    printf("mmf_space_free_bytes %lld\n", (long long)left);
    print_head("mmf_space_bytes", "gauge", "bytes", "Bytes of the file system.");
    printf("mmf_space_bytes %lld\n", (long long)total);
}

static int
run(struct args *args)
{
    struct objects_choice choice = objects_choose(args);
    struct objects objects;

    is_older = args_value(args, "prometheus") != NULL;
    objects_read(&objects, choice, MMF_LIST_KEEP_ORPHANED);
    print_counts(&objects);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        print_family(&families[i], &objects);
    print_room();
    if (!is_older)
        puts("# EOF");
    objects_close(&objects);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS,
    {"prometheus", 'p', NULL,
     "the text format of node_exporter's files, and of promtool"},
    {NULL, 0, NULL, NULL}};

const struct command command_metrics = {
    .name = "metrics",
    .operands = "",
    .summary = "print counters of all objects as OpenMetrics text",
    .example =
        "mmf metrics -A --prometheus > /var/lib/prometheus/node-exporter/mmf.prom",
    .options = options,
    .run = run};
