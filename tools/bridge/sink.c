/* sink.c - the queue here that messages of a stream go into. */
#include "sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "local.h"

enum { PARKED_BYTES = 64 << 20 };
#define PARKED_STREAM "MMF_parked"

/*
 * Slots.
 */

/* A slot is waited for, until the end. */
static int
reserve(struct sink *sink, size_t length, void **bytes)
{
    int status = mmf_queue_reserve(sink->queue, length, 0, bytes);

    while ((status == MMF_TIMED_OUT || status == MMF_E_FULL) &&
           !link_is_stopping(sink->link)) {
        link_count(sink->link, FULL, 1);
        if (sink->while_full != NULL)
            sink->while_full(sink);
        if (status == MMF_E_FULL && !link_sleep(sink->link, 20))
            break;
        status = mmf_queue_reserve(sink->queue, length, sink->full_ms, bytes);
    }
    return status;
}

bool
sink_reserve(struct sink *sink, const struct entry *entry)
{
    void *bytes;
    int status = reserve(sink, entry->length, &bytes);

    if (status == MMF_OK)
        memcpy(bytes, entry->bytes, entry->length);
    else if (status < 0)
        (void)link_fails_locally(sink->link, status, "reserve");
    return status == MMF_OK;
}

bool
sink_fails(struct sink *sink, int status)
{
    (void)link_fails_locally(sink->link, status, "commit");
    (void)mmf_queue_abandon(sink->queue);
    return false;
}

/*
 * Messages that do not fit.
 */

bool
sink_is_too_small(const struct sink *sink, const struct entry *entry)
{
    return (int64_t)entry->length > sink->stats.message_size;
}

bool
sink_park_bytes(struct sink *sink, const char *id, const void *bytes, size_t length)
{
    struct server *server = &sink->link->bridge->server;
    char remote[WIRE_NAME_MAX], subject[WIRE_NAME_MAX + 16];
    struct stream_wish wish = {
        .name = PARKED_STREAM, .subject = "mmf.parked.>", .bytes = PARKED_BYTES};
    jsPubOptions options;
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status;

    server_wire_name(remote, sizeof remote, sink->link->channel->remote);
    (void)snprintf(subject, sizeof subject, "mmf.parked.%s", remote);
    if (!server_make_stream(server, &wish, &failure))
        return link_fails_by(sink->link, &failure);
    (void)jsPubOptions_Init(&options);
    options.MsgId = id;
    status = js_Publish(NULL, server->js, subject, bytes, (int)length, &options, &code);
    if (status != NATS_OK)
        return link_fails_on_stream(sink->link, wish.name, status, code);
    link_count(sink->link, PARKED, 1);
    return true;
}

bool
sink_park(struct sink *sink, const struct envelope *envelope, const struct entry *entry,
          uint64_t position)
{
    char id[64];

    (void)snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu64, envelope->source,
                   position);
    if (!sink_park_bytes(sink, id, entry->bytes, entry->length))
        return false;
    log_say(LOG_WARNING, sink->link->title,
            "message %" PRIu64 " of %s has %" PRIu32
            " bytes, and the queue takes %lld: parked in stream " PARKED_STREAM
            " as %s",
            entry->sequence, envelope->origin, entry->length,
            (long long)sink->stats.message_size, id);
    return true;
}

/*
 * Messages of the stream.
 */

const char *
sink_unpack(const struct sink *sink, natsMsg *message, struct envelope *envelope,
            struct unpacker *unpacker)
{
    const char *wrong = unpack_begin(unpacker, envelope, natsMsg_GetData(message),
                                     (size_t)natsMsg_GetDataLength(message));

    if (wrong != NULL)
        return wrong;
    if (envelope->kind != MMF_KIND_QUEUE)
        return "it is not of a queue";
    if (strcmp(envelope->origin, sink->link->bridge->config->origin) == 0)
        return "it is of this host's own origin, and would go around in a circle";
    return NULL;
}

void
sink_check_size(const struct sink *sink, const struct envelope *envelope)
{
    if (envelope->message_size > sink->stats.message_size)
        log_say(LOG_WARNING, sink->link->title,
                "the queue of %s takes messages of %" PRIu32
                " bytes, this one of %lld: what does not fit will be parked",
                envelope->origin, envelope->message_size,
                (long long)sink->stats.message_size);
}

/*
 * Beginning.
 */

bool
sink_begin(struct sink *sink, struct link *link)
{
    int status;

    sink->link = link;
    sink->full_ms = LOCAL_WAIT_MS;
    if (!local_open_queue(link, MMF_ROLE_SEND, &sink->queue))
        return false;
    status = mmf_queue_stat(sink->queue, &sink->stats);
    return status >= 0 || link_fails_locally(link, status, "counters");
}

void
sink_end(struct sink *sink)
{
    mmf_queue_close(sink->queue);
}
