/*
 * topic.c - a topic, live: a subscriber here packs what it sees into messages of core NATS,
 * and a publisher on each other host sends it to the topic there. Nothing is stored. The
 * messages of one process are numbered, so the other side counts what did not come.
 */
#include "link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

enum { PACK_BYTES = 256 << 10, SOURCES = 64 };

/* What may wait in this process for a topic that is slow. */
enum { WAITING_MESSAGES = 8192, WAITING_BYTES = 64 << 20 };

static void
make_subject(const struct link *link, char *subject, size_t size)
{
    char remote[WIRE_NAME_MAX];

    server_wire_name(remote, sizeof remote, link->channel->remote);
    (void)snprintf(subject, size, "mmf.t.%s", remote);
}

/*
 * Out.
 */

struct out {
    struct link *link;
    mmf_topic *topic;
    mmf_channel_stats stats;
    struct envelope head;
    struct packer packer;
    uint32_t packed;
    char subject[WIRE_NAME_MAX + 16];
};

static bool
publish(struct out *out)
{
    struct failure failure;
    natsStatus status;

    pack_end(&out->packer, out->packed);
    status = natsConnection_Publish(out->link->bridge->server.connection, out->subject,
                                    out->packer.bytes, (int)out->packer.length);
    out->head.first +=
        out->packed; /* also if they are lost: then the others see a gap */
    if (status == NATS_OK) {
        link_count(out->link, MESSAGES, out->packed);
        link_count(out->link, BATCHES, 1);
        link_count(out->link, BYTES, out->packer.length);
        return true;
    }
    link_count(out->link, LOST, out->packed);
    server_explain(&failure, "publish", status, 0);
    link_fails_by(out->link, &failure);
    return false;
}

/* Take the next message into the packer. The status of the receive. */
static int
pack_next(struct out *out, int32_t timeout_ms)
{
    uint8_t *space = out->packer.bytes + out->packer.length + ENTRY_HEAD;
    mmf_message message;
    size_t length = 0;
    int status = mmf_topic_receive(out->topic, space, (size_t)out->stats.message_size,
                                   timeout_ms, &length, &message);

    if (status != MMF_OK)
        return status;
    link_count(out->link, LOST, message.lost);
    if (pair_is_echo(out->link->pair, message.sequence)) {
        link_count(out->link, ECHOES, 1);
        return MMF_OK;
    }
    (void)pack_entry(&out->packer, &(struct entry){.bytes = space,
                                                   .length = (uint32_t)length,
                                                   .lost = message.lost < UINT32_MAX
                                                               ? (uint32_t)message.lost
                                                               : UINT32_MAX,
                                                   .sequence = message.sequence});
    out->packed++;
    return MMF_OK;
}

static bool
has_space(const struct out *out)
{
    return out->packed < (uint32_t)out->link->channel->batch &&
           out->packer.capacity - out->packer.length >=
               ENTRY_HEAD + (size_t)out->stats.message_size;
}

static bool
pack_and_publish(struct out *out)
{
    int status;

    pack_begin(&out->packer, &out->head);
    out->packed = 0;
    status = pack_next(out, LOCAL_WAIT_MS);
    while (status == MMF_OK && has_space(out))
        status = pack_next(out, 0);
    if (out->packed > 0 && !publish(out))
        return false;
    if (status < 0)
        link_fails_locally(out->link, status, "receive");
    return status >= 0;
}

static bool
begin_out(struct out *out)
{
    int64_t most = natsConnection_GetMaxPayload(out->link->bridge->server.connection);

    if (mmf_topic_stat(out->topic, &out->stats) < 0) {
        link_fails_locally(out->link, MMF_E_IO, "counters");
        return false;
    }
    out->head = (struct envelope){.kind = MMF_KIND_TOPIC,
                                  .message_size = (uint32_t)out->stats.message_size,
                                  .source = local_random(),
                                  .first = 1};
    memcpy(out->head.channel, out->stats.identity, IDENTITY_SIZE);
    (void)snprintf(out->head.origin, sizeof out->head.origin, "%s",
                   out->link->bridge->config->origin);
    make_subject(out->link, out->subject, sizeof out->subject);
    out->packer.capacity = envelope_size(&out->head) + ENTRY_HEAD +
                           (size_t)out->stats.message_size + PACK_BYTES;
    if (most > 0 && out->packer.capacity > (size_t)most)
        out->packer.capacity = (size_t)most;
    if (out->packer.capacity <
        envelope_size(&out->head) + ENTRY_HEAD + (size_t)out->stats.message_size) {
        link_fails(out->link, EXIT_CHANNEL,
                   "messages of up to %lld bytes do not fit the server's max_payload "
                   "of %lld: raise it",
                   (long long)out->stats.message_size, (long long)most);
        return false;
    }
    out->packer.bytes = malloc(out->packer.capacity);
    if (out->packer.bytes == NULL)
        link_fails(out->link, EXIT_FAILED, "there is no memory for its messages");
    return out->packer.bytes != NULL;
}

void
topic_out_run(struct link *link)
{
    struct out out = {.link = link};

    if (!local_open_topic(link, MMF_ROLE_RECEIVE, &out.topic))
        return;
    if (begin_out(&out)) {
        link_works(link);
        while (!link_is_stopping(link) && pack_and_publish(&out))
            ;
    }
    mmf_topic_close(out.topic);
    free(out.packer.bytes);
}

/*
 * In.
 */

/* A process that publishes: the number that comes next. */
struct source {
    uint64_t number, next, used;
};

struct in {
    struct link *link;
    mmf_topic *topic;
    mmf_channel_stats stats;
    natsSubscription *subscription;
    struct source sources[SOURCES];
    uint64_t uses;
};

/* The source, or the place of the one that was silent longest. */
static struct source *
find_source(struct in *in, const struct envelope *envelope)
{
    struct source *oldest = &in->sources[0];

    for (size_t i = 0; i < SOURCES; i++) {
        if (in->sources[i].number == envelope->source)
            return &in->sources[i];
        if (in->sources[i].used < oldest->used)
            oldest = &in->sources[i];
    }
    *oldest = (struct source){.number = envelope->source, .next = envelope->first};
    log_say(LOG_INFO, in->link->title, "messages of %s, source %016" PRIx64,
            envelope->origin, envelope->source);
    return oldest;
}

static void
count_gap(struct in *in, const struct envelope *envelope)
{
    struct source *source = find_source(in, envelope);

    if (envelope->first > source->next) {
        link_count(in->link, LOST, envelope->first - source->next);
        log_say(LOG_WARNING, in->link->title, "%" PRIu64 " messages of %s were lost",
                envelope->first - source->next, envelope->origin);
    }
    source->next = envelope->first + envelope->count;
    source->used = ++in->uses;
}

/* Send it to the topic here; a topic that blocks is waited for. */
static bool
send_entry(struct in *in, const struct entry *entry)
{
    int status = MMF_TIMED_OUT;

    while (status == MMF_TIMED_OUT && !link_is_stopping(in->link)) {
        uint64_t sequence = 0;

        pair_lock(in->link->pair);
        status = mmf_topic_send(in->topic, entry->bytes, entry->length, 0, &sequence);
        if (status == MMF_OK)
            pair_note_echo(in->link->pair, sequence);
        pair_unlock(in->link->pair);
        if (status == MMF_E_FULL)
            status = MMF_TIMED_OUT;
        if (status == MMF_TIMED_OUT) {
            link_count(in->link, FULL, 1);
            (void)link_sleep(in->link, 1);
        }
    }
    if (status < 0)
        link_fails_locally(in->link, status, "send");
    return status == MMF_OK;
}

static bool
apply(struct in *in, const struct envelope *envelope, struct unpacker *unpacker)
{
    struct entry entry;

    while (unpack_entry(unpacker, &entry)) {
        link_count(in->link, LOST, entry.lost);
        if ((int64_t)entry.length > in->stats.message_size) {
            link_count(in->link, PARKED, 1);
            log_say(LOG_WARNING, in->link->title,
                    "message %" PRIu64 " of %s has %" PRIu32
                    " bytes, and the topic takes %lld: dropped",
                    entry.sequence, envelope->origin, entry.length,
                    (long long)in->stats.message_size);
            continue;
        }
        if (!send_entry(in, &entry))
            return false;
        link_count(in->link, MESSAGES, 1);
    }
    return true;
}

static bool
take(struct in *in, natsMsg *message)
{
    struct envelope envelope;
    struct unpacker unpacker;
    size_t length = (size_t)natsMsg_GetDataLength(message);
    const char *wrong =
        unpack_begin(&unpacker, &envelope, natsMsg_GetData(message), length);

    if (wrong == NULL && envelope.kind != MMF_KIND_TOPIC)
        wrong = "it is not of a topic";
    if (wrong != NULL) {
        link_fails(in->link, EXIT_FAILED, "a message of subject %s: %s",
                   natsMsg_GetSubject(message), wrong);
        return false;
    }
    if (strcmp(envelope.origin, in->link->bridge->config->origin) == 0) {
        link_count(in->link, ECHOES, envelope.count);
        return true;
    }
    count_gap(in, &envelope);
    link_count(in->link, BATCHES, 1);
    link_count(in->link, BYTES, length);
    return apply(in, &envelope, &unpacker);
}

static bool
take_next(struct in *in)
{
    natsMsg *message = NULL;
    natsStatus status =
        natsSubscription_NextMsg(&message, in->subscription, LOCAL_WAIT_MS);
    bool is_taken = true;
    struct failure failure;

    if (status == NATS_OK) {
        is_taken = take(in, message);
    } else if (status != NATS_TIMEOUT && status != NATS_SLOW_CONSUMER) {
        server_explain(&failure, "subscription", status, 0);
        link_fails_by(in->link, &failure);
        is_taken = false;
    }
    natsMsg_Destroy(message);
    return is_taken;
}

static bool
begin_in(struct in *in)
{
    natsConnection *connection = in->link->bridge->server.connection;
    char subject[WIRE_NAME_MAX + 16];
    struct failure failure;
    natsStatus status;

    if (mmf_topic_stat(in->topic, &in->stats) < 0) {
        link_fails_locally(in->link, MMF_E_IO, "counters");
        return false;
    }
    if (!pair_begin_echoes(in->link->pair, (size_t)in->stats.capacity)) {
        link_fails(in->link, EXIT_FAILED, "there is no memory for its sequences");
        return false;
    }
    make_subject(in->link, subject, sizeof subject);
    status = natsConnection_SubscribeSync(&in->subscription, connection, subject);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(in->subscription, WAITING_MESSAGES,
                                                   WAITING_BYTES);
    if (status == NATS_OK)
        status = natsConnection_Flush(connection);
    if (status == NATS_OK)
        return true;
    server_explain(&failure, "subscription", status, 0);
    link_fails_by(in->link, &failure);
    return false;
}

void
topic_in_run(struct link *link)
{
    struct in *in = calloc(1, sizeof *in);

    if (in == NULL) {
        link_fails(link, EXIT_FAILED, "there is no memory");
        return;
    }
    in->link = link;
    if (local_open_topic(link, MMF_ROLE_SEND, &in->topic)) {
        if (begin_in(in)) {
            link_works(link);
            while (!link_is_stopping(link) && take_next(in))
                ;
        }
        natsSubscription_Destroy(in->subscription);
        mmf_topic_close(in->topic);
    }
    free(in);
}
