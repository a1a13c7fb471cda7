/*
 * queue.c - mmf queue: a look into a queue, without taking part: what waits, which
 * processes have messages in flight and since when, and what was delivered how often.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/channel_object.h"
#include "object/objects.h"

enum { SHOWN = 64 }; /* bytes of a message */

struct queue {
    const char *name;
    mmf_channel_stats stats;
    struct browsed browsed; /* with the first SHOWN bytes of each */
    struct objects objects;
    const mmf_object_info *info; /* of them, for the names of processes; NULL: gone */
};

static void
read_queue(struct queue *queue, const char *name)
{
    queue->name = name;
    say_check(mmf_channel_stat(name, &queue->stats));
    channel_object_browse(name, queue->stats.capacity, SHOWN, &queue->browsed);
    objects_read(&queue->objects, objects_own,
                 MMF_LIST_HOLDERS | MMF_LIST_KEEP_ORPHANED);
    queue->info = objects_find(&queue->objects, name);
}

/* The program of a process that has the queue open; "" if it is not seen. */
static const char *
command_of(const struct queue *queue, int32_t pid)
{
    const mmf_object_info *info = queue->info;

    for (int32_t i = 0; info != NULL && i < info->process_count; i++)
        if (info->processes[i].pid == pid)
            return info->processes[i].command;
    return "";
}

static char *
process_text(const struct queue *queue, int32_t pid)
{
    char *command = text_escape_string(command_of(queue, pid));
    char *text = pid == 0
                     ? text_format("%s", "")
                     : text_format(command[0] != '\0' ? "%d %s" : "%d%s", pid, command);

    free(command);
    return text;
}

/* Since when it is in flight; "" if that is not known. */
static const char *
since_text(const mmf_queue_item *item, char text[UNITS_TEXT_SIZE])
{
    text[0] = '\0';
    return item->age_ms < 0 ? text : units_show_age(item->age_ms * 1000000, text);
}

static const char *
state_name(mmf_queue_state state)
{
    switch (state) {
    case MMF_QUEUE_WAITING:
        return "waiting";
    case MMF_QUEUE_IN_FLIGHT:
        return "in flight";
    case MMF_QUEUE_RESERVED:
        return "reserved";
    default:
        return "?";
    }
}

/*
 * Summary.
 */

static size_t
count_in(const struct queue *queue, mmf_queue_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < queue->browsed.count; i++)
        count += queue->browsed.items[i].state == state;
    return count;
}

/* A process that has messages in flight: so many, and the one it has had for longest. */
struct holder {
    const mmf_queue_item *oldest;
    size_t count;
};

static void
print_holder(const struct queue *queue, const struct holder *holder)
{
    char *process = process_text(queue, holder->oldest->pid);
    char since[UNITS_TEXT_SIZE];

    printf("%12s  %zu with %s%s%s\n", "in flight", holder->count,
           process[0] != '\0' ? process : "an unknown process",
           holder->oldest->age_ms >= 0 ? ", for up to " : "",
           since_text(holder->oldest, since));
    free(process);
}

static struct holder *
holder_of(const mmf_queue_item *item, struct holder *holders, size_t *count)
{
    size_t i = 0;

    while (i < *count && holders[i].oldest->pid != item->pid)
        i++;
    if (i == *count)
        holders[(*count)++].oldest = item;
    return &holders[i];
}

/* One line for each process. */
static void
print_in_flight(const struct queue *queue)
{
    struct holder *holders =
        calloc(count_in(queue, MMF_QUEUE_IN_FLIGHT) + 1, sizeof(*holders));
    size_t count = 0;

    if (holders == NULL)
        say_no_memory();
    for (size_t i = 0; i < queue->browsed.count; i++) {
        const mmf_queue_item *item = &queue->browsed.items[i];
        struct holder *holder;

        if (item->state != MMF_QUEUE_IN_FLIGHT)
            continue;
        holder = holder_of(item, holders, &count);
        holder->count++;
        if (item->age_ms > holder->oldest->age_ms)
            holder->oldest = item;
    }
    for (size_t i = 0; i < count; i++)
        print_holder(queue, &holders[i]);
    free(holders);
}

static uint32_t
most_deliveries(const struct queue *queue)
{
    uint32_t most = 0;

    for (size_t i = 0; i < queue->browsed.count; i++)
        if (queue->browsed.items[i].deliveries > most)
            most = queue->browsed.items[i].deliveries;
    return most;
}

static void
print_summary(const struct queue *queue)
{
    char *name = text_escape_string(queue->name);

    printf("%12s  %s\n%12s  %zu of %lld\n", "queue", name, "waiting",
           count_in(queue, MMF_QUEUE_WAITING), (long long)queue->stats.capacity);
    free(name);
    print_in_flight(queue);
    if (queue->browsed.count > 0)
        printf("%12s  number %llu, %s, delivered %u times\n", "oldest",
               (unsigned long long)queue->browsed.items[0].sequence,
               state_name(queue->browsed.items[0].state),
               queue->browsed.items[0].deliveries);
    printf("%12s  %llu of %llu sent, at most %u of one message that is here\n",
           "redelivered", (unsigned long long)queue->stats.redelivered,
           (unsigned long long)queue->stats.sent, most_deliveries(queue));
    printf("%12s  %d senders, %d receivers\n", "members", queue->stats.senders,
           queue->stats.receivers);
}

/*
 * Each message.
 */

/* Its first bytes as a text, with a mark if there are more. */
static char *
content_text(const mmf_queue_item *item)
{
    char *text = text_escape(item->bytes, item->copied);
    char *all =
        text_format("%s%s", text, item->length > (int64_t)item->copied ? "..." : "");

    free(text);
    return all;
}

static void
print_messages(const struct queue *queue)
{
    static const struct table_column columns[] = {
        {"NUMBER", TABLE_RIGHT},     {"STATE", 0},
        {"BYTES", TABLE_RIGHT},      {"SINCE", TABLE_RIGHT},
        {"DELIVERIES", TABLE_RIGHT}, {"PROCESS", TABLE_CUT},
        {"TEXT", TABLE_CUT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]), 1);

    for (size_t i = 0; i < queue->browsed.count; i++) {
        const mmf_queue_item *item = &queue->browsed.items[i];
        struct table_line *line = table_line(table);
        char since[UNITS_TEXT_SIZE];

        table_give(line, 0, text_format("%llu", (unsigned long long)item->sequence));
        table_set(line, 1, state_name(item->state));
        table_give(line, 2, text_format("%lld", (long long)item->length));
        table_set(line, 3, since_text(item, since));
        table_give(line, 4, text_format("%u", item->deliveries));
        table_give(line, 5, process_text(queue, item->pid));
        table_give(line, 6, content_text(item));
    }
    table_print(table);
}

/* Its first bytes; null while it is written. */
static json_t *
hex_json(const mmf_queue_item *item)
{
    const unsigned char *bytes = item->bytes;
    char text[2 * SHOWN + 1] = "";

    for (size_t i = 0; i < item->copied; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return bytes != NULL ? json_string(text) : json_null();
}

static json_t *
item_json(const struct queue *queue, const mmf_queue_item *item)
{
    json_t *object = table_json(json_object());

    table_json_set(object, "sequence", json_integer((json_int_t)item->sequence));
    table_json_set(object, "state", json_string(state_name(item->state)));
    table_json_set(object, "length", json_integer(item->length));
    table_json_set(object, "deliveries", json_integer(item->deliveries));
    table_json_set(object, "age_ms",
                   item->age_ms >= 0 ? json_integer(item->age_ms) : json_null());
    table_json_set(object, "pid",
                   item->pid != 0 ? json_integer(item->pid) : json_null());
    table_json_set(object, "command", table_json_text(command_of(queue, item->pid)));
    table_json_set(object, "hex", hex_json(item));
    return object;
}

static void
print_json(const struct queue *queue)
{
    json_t *all = table_json(json_object());
    json_t *messages = table_json(json_array());

    for (size_t i = 0; i < queue->browsed.count; i++)
        table_json_append(messages, item_json(queue, &queue->browsed.items[i]));
    table_json_set(all, "name", table_json_text(queue->name));
    table_json_set(all, "capacity", json_integer(queue->stats.capacity));
    table_json_set(all, "waiting",
                   json_integer((json_int_t)count_in(queue, MMF_QUEUE_WAITING)));
    table_json_set(all, "in_flight",
                   json_integer((json_int_t)count_in(queue, MMF_QUEUE_IN_FLIGHT)));
    table_json_set(all, "redelivered",
                   json_integer((json_int_t)queue->stats.redelivered));
    table_json_set(all, "messages", messages);
    table_print_json(all);
}

static int
run(struct args *args)
{
    struct queue queue;

    read_queue(&queue, args_name(args->operands[0]));
    if (args_value(args, "json") != NULL)
        print_json(&queue);
    else if (args_value(args, "browse") != NULL)
        print_messages(&queue);
    else
        print_summary(&queue);
    objects_close(&queue.objects);
    channel_object_forget(&queue.browsed);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"browse", 'b', NULL, "each message, the oldest first; none is taken"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_queue = {
    .name = "queue",
    .operands = "NAME",
    .summary = "look into a queue: what waits, and which process has what",
    .example = "mmf queue Jobs --browse",
    .options = options,
    .kinds = 1u << MMF_KIND_QUEUE,
    .least = 1,
    .most = 1,
    .run = run};
