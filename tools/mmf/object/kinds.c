/* kinds.c - see kinds.h. */
#include "object/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "os/os.h"

struct kind {
    mmf_kind kind;
    char *(*state)(const mmf_object_info *info);
    void (*add_json)(const mmf_object_info *info, json_t *object);
    void (*describe)(const mmf_object_info *info, kinds_line line, void *payload);
};

/*
 * Maps.
 */

static const char *
protection_name(int32_t protection)
{
    static const char *const names[] = {"read-write",   "read",
                                        "write",        "copy-on-write",
                                        "read-execute", "read-write-execute"};

    if (protection < 0 || (size_t)protection >= sizeof(names) / sizeof(names[0]))
        return "?";
    return names[protection];
}

static char *
map_state(const mmf_object_info *info)
{
    char *file;
    char *text;

    if (info->file[0] == '\0')
        return text_format("%s", info->protection == MMF_ACCESS_READ_WRITE
                                     ? ""
                                     : protection_name(info->protection));
    file = text_escape_string(info->file);
    text = text_format("of %s", file);
    free(file);
    return text;
}

static void
map_json(const mmf_object_info *info, json_t *object)
{
    table_json_set(object, "access",
                   os_keeps_records ? json_string(protection_name(info->protection))
                                    : json_null());
    table_json_set(object, "file",
                   info->file[0] != '\0' ? table_json_text(info->file) : json_null());
}

static void
map_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    char *file = text_escape_string(info->file);

    if (os_keeps_records)
        line(payload, "access", protection_name(info->protection));
    if (file[0] != '\0')
        line(payload, "maps file", file);
    free(file);
}

/*
 * Mutexes.
 */

static const mmf_holder_info *
find_owner(const mmf_object_info *info)
{
    for (int32_t i = 0; i < info->process_count; i++)
        if (info->processes[i].pid == info->sync->owner_pid)
            return &info->processes[i];
    return NULL;
}

static char *
owner_text(const mmf_object_info *info)
{
    const mmf_holder_info *owner = find_owner(info);
    char *command;
    char *text;

    if (info->sync->owner_pid == 0)
        return text_format("owned by a hidden process");
    if (owner == NULL)
        return text_format("owned by %d", info->sync->owner_pid);
    command = text_escape_string(owner->command);
    text = text_format("owned by %d (%s)%s", owner->pid, command,
                       owner->stopped ? ", stopped" : "");
    free(command);
    return text;
}

static char *
with_waiters(const mmf_object_info *info, char *text)
{
    char *longer;

    if (!info->sync->waiters)
        return text;
    longer = text_format("%s, has waiters", text);
    free(text);
    return longer;
}

static char *
mutex_state(const mmf_object_info *info)
{
    if (info->sync->abandoned)
        return text_format("abandoned: its owner died");
    if (!info->sync->owned)
        return text_format("free");
    return with_waiters(info, owner_text(info));
}

static void
mutex_json(const mmf_object_info *info, json_t *object)
{
    const mmf_sync_info *sync = info->sync;

    table_json_set(object, "owned", json_boolean(sync->owned));
    table_json_set(object, "owner_pid",
                   sync->owner_pid != 0 ? json_integer(sync->owner_pid) : json_null());
    table_json_set(object, "taken", json_integer(sync->count));
    table_json_set(object, "abandoned", json_boolean(sync->abandoned));
}

static void
mutex_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    char *text = mutex_state(info);

    line(payload, "state", text);
    free(text);
    if (info->sync->count > 1) {
        text = text_format("%d times by its owner", info->sync->count);
        line(payload, "taken", text);
        free(text);
    }
}

/*
 * Events.
 */

static char *
event_state(const mmf_object_info *info)
{
    return with_waiters(
        info, text_format("%s, %s", info->sync->signalled ? "set" : "not set",
                          info->sync->manual_reset ? "manual reset" : "auto reset"));
}

static void
event_json(const mmf_object_info *info, json_t *object)
{
    table_json_set(object, "set", json_boolean(info->sync->signalled));
    table_json_set(object, "manual_reset", json_boolean(info->sync->manual_reset));
}

static void
event_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    line(payload, "state", info->sync->signalled ? "set" : "not set");
    line(payload, "reset",
         info->sync->manual_reset ? "manual: a set wakes every waiter"
                                  : "automatic: a set wakes one waiter");
}

/*
 * Semaphores.
 */

static char *
semaphore_state(const mmf_object_info *info)
{
    return with_waiters(
        info, text_format("%d of %d left", info->sync->count, info->sync->maximum));
}

static void
semaphore_json(const mmf_object_info *info, json_t *object)
{
    table_json_set(object, "count", json_integer(info->sync->count));
    table_json_set(object, "maximum", json_integer(info->sync->maximum));
}

static void
semaphore_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    char *text = semaphore_state(info);

    line(payload, "state", text);
    free(text);
}

/*
 * Channels. Orphaned and unreadable ones have no counters.
 */

static const char *
overflow_name(mmf_overflow overflow)
{
    switch (overflow) {
    case MMF_OVERFLOW_BLOCK:
        return "block";
    case MMF_OVERFLOW_FAIL:
        return "fail";
    case MMF_OVERFLOW_DROP_OLDEST:
        return "drop-oldest";
    default:
        return "?";
    }
}

int64_t
kinds_in_flight(const mmf_object_info *info)
{
    return info->channel != NULL ? info->channel->in_flight : 0;
}

static char *
channel_state(const mmf_object_info *info)
{
    const mmf_channel_stats *stats = info->channel;
    char flight[40] = "";

    if (stats == NULL)
        return text_format("%s", "");
    if (info->kind == MMF_KIND_LATEST)
        return text_format("%llu versions", (unsigned long long)stats->sent);
    if (kinds_in_flight(info) > 0)
        snprintf(flight, sizeof(flight), ", %lld in flight",
                 (long long)kinds_in_flight(info));
    return text_format("%lld of %lld%s, %llu sent%s", (long long)stats->depth,
                       (long long)stats->capacity, flight,
                       (unsigned long long)stats->sent,
                       stats->dropped + stats->lost == 0 ? ""
                       : info->kind == MMF_KIND_SERVICE  ? ", some given up"
                                                         : ", some lost");
}

static void
channel_json(const mmf_object_info *info, json_t *object)
{
    const mmf_channel_stats *stats = info->channel;

    if (stats == NULL)
        return;
    table_json_set(object, "message_size", json_integer(stats->message_size));
    table_json_set(object, "capacity", json_integer(stats->capacity));
    table_json_set(object, "overflow", json_string(overflow_name(stats->overflow)));
    table_json_set(object, "sent", json_integer((json_int_t)stats->sent));
    table_json_set(object, "received", json_integer((json_int_t)stats->received));
    table_json_set(object, "dropped", json_integer((json_int_t)stats->dropped));
    table_json_set(object, "lost", json_integer((json_int_t)stats->lost));
    table_json_set(object, "redelivered", json_integer((json_int_t)stats->redelivered));
    table_json_set(object, "depth", json_integer(stats->depth));
    if (info->kind == MMF_KIND_QUEUE || info->kind == MMF_KIND_SERVICE)
        table_json_set(object, "in_flight", json_integer(kinds_in_flight(info)));
    table_json_set(object, "high_water", json_integer(stats->high_water));
    table_json_set(object, "senders", json_integer(stats->senders));
    table_json_set(object, "receivers", json_integer(stats->receivers));
    table_json_set(object, "max_senders", json_integer(stats->max_senders));
    table_json_set(object, "max_receivers", json_integer(stats->max_receivers));
}

/* A service: the same of its requests, and what its answers have. */
static void
service_json(const mmf_object_info *info, json_t *object)
{
    const mmf_channel_stats *stats = info->channel;

    channel_json(info, object);
    if (stats == NULL)
        return;
    table_json_set(object, "answer_size", json_integer(stats->answer_size));
    table_json_set(object, "max_calls", json_integer(stats->max_calls));
    table_json_set(object, "max_answers", json_integer(stats->max_answers));
}

static void
print_text_line(kinds_line line, void *payload, const char *title, char *text)
{
    line(payload, title, text);
    free(text);
}

static void
channel_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    const mmf_channel_stats *stats = info->channel;

    if (stats == NULL)
        return;
    print_text_line(line, payload, "messages",
                    text_format("capacity %lld, of up to %lld bytes; when full: %s",
                                (long long)stats->capacity,
                                (long long)stats->message_size,
                                overflow_name(stats->overflow)));
    print_text_line(line, payload, "waiting",
                    text_format("%lld now, %lld at most so far",
                                (long long)stats->depth, (long long)stats->high_water));
    if (info->kind == MMF_KIND_QUEUE)
        print_text_line(line, payload, "in flight",
                        text_format("%lld taken and not yet released",
                                    (long long)kinds_in_flight(info)));
    print_text_line(line, payload, "counters",
                    text_format("%llu sent, %llu received, %llu dropped, %llu lost, "
                                "%llu redelivered",
                                (unsigned long long)stats->sent,
                                (unsigned long long)stats->received,
                                (unsigned long long)stats->dropped,
                                (unsigned long long)stats->lost,
                                (unsigned long long)stats->redelivered));
    print_text_line(line, payload, "members",
                    text_format("%d of %d senders, %d of %d receivers", stats->senders,
                                stats->max_senders, stats->receivers,
                                stats->max_receivers));
}

static void
service_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    const mmf_channel_stats *stats = info->channel;

    if (stats == NULL)
        return;
    print_text_line(line, payload, "requests",
                    text_format("capacity %lld, of up to %lld bytes",
                                (long long)stats->capacity,
                                (long long)stats->message_size));
    print_text_line(line, payload, "answers",
                    text_format("of up to %lld bytes; a client has up to %d calls, of "
                                "each %d answers may wait",
                                (long long)stats->answer_size, stats->max_calls,
                                stats->max_answers));
    print_text_line(line, payload, "waiting",
                    text_format("%lld now, %lld at most so far",
                                (long long)stats->depth, (long long)stats->high_water));
    print_text_line(line, payload, "in flight",
                    text_format("%lld taken by servers and not yet answered",
                                (long long)kinds_in_flight(info)));
    print_text_line(line, payload, "counters",
                    text_format("%llu called, %llu answered, %llu given up, "
                                "%llu redelivered",
                                (unsigned long long)stats->sent,
                                (unsigned long long)stats->received,
                                (unsigned long long)stats->dropped,
                                (unsigned long long)stats->redelivered));
    print_text_line(line, payload, "members",
                    text_format("%d of %d clients, %d of %d servers", stats->senders,
                                stats->max_senders, stats->receivers,
                                stats->max_receivers));
}

/*
 * All of them.
 */

static const struct kind kinds[] = {
    {MMF_KIND_MAP, map_state, map_json, map_describe},
    {MMF_KIND_MUTEX, mutex_state, mutex_json, mutex_describe},
    {MMF_KIND_EVENT, event_state, event_json, event_describe},
    {MMF_KIND_SEMAPHORE, semaphore_state, semaphore_json, semaphore_describe},
    {MMF_KIND_QUEUE, channel_state, channel_json, channel_describe},
    {MMF_KIND_TOPIC, channel_state, channel_json, channel_describe},
    {MMF_KIND_LATEST, channel_state, channel_json, channel_describe},
    {MMF_KIND_SERVICE, channel_state, service_json, service_describe},
};

/* The kind's row; NULL if it has none, or the object is damaged. */
static const struct kind *
find_kind(const mmf_object_info *info)
{
    if (info->status != MMF_OBJECT_IN_USE && info->status != MMF_OBJECT_ORPHANED)
        return NULL;
    if (info->sync != NULL && info->sync->corrupt)
        return NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == info->kind)
            return &kinds[i];
    return NULL;
}

char *
kinds_state(const mmf_object_info *info)
{
    const struct kind *kind = find_kind(info);

    if (kind != NULL)
        return kind->state(info);
    return text_format("%s",
                       info->sync != NULL && info->sync->corrupt ? "damaged" : "");
}

void
kinds_add_json(const mmf_object_info *info, json_t *object)
{
    const struct kind *kind = find_kind(info);

    if (kind != NULL)
        kind->add_json(info, object);
    if (info->sync != NULL) {
        table_json_set(object, "waiters", json_boolean(info->sync->waiters));
        table_json_set(object, "damaged", json_boolean(info->sync->corrupt));
    }
}

void
kinds_describe(const mmf_object_info *info, kinds_line line, void *payload)
{
    const struct kind *kind = find_kind(info);

    if (kind != NULL)
        kind->describe(info, line, payload);
    else if (info->sync != NULL && info->sync->corrupt)
        line(payload, "state", "damaged: its shared words make no sense");
}
