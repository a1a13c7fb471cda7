/*
 * topic_in.c - a publisher of the topic here sends what others have published over NATS. What
 * did not come is counted.
 */
#include "topic_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

/* What may wait in this process for a topic that is slow. */
enum { WAITING_MESSAGES = 8192, WAITING_BYTES = 64 << 20 };

/*
 * Sources.
 */

/* The source, or the place of the one that was silent longest. */
struct topic_source *
topic_in_note(struct topic_in *in, uint64_t number, uint64_t next)
{
    struct topic_source *oldest = &in->sources[0];

    for (size_t i = 0; i < TOPIC_SOURCES; i++) {
        struct topic_source *source = &in->sources[i];

        if (source->number == number) {
            source->used = ++in->uses;
            return source;
        }
        if (source->used < oldest->used)
            oldest = source;
    }
    *oldest = (struct topic_source){.number = number, .next = next, .used = ++in->uses};
    return oldest;
}

static struct topic_source *
find_source(struct topic_in *in, const struct envelope *envelope)
{
    struct topic_source *source = topic_in_note(in, envelope->source, 0);

    if (source->next == 0) {
        source->next = envelope->first;
        log_say(LOG_INFO, in->link->title, "messages of %s, source %016" PRIx64,
                envelope->origin, envelope->source);
    }
    return source;
}

/* Some of the missing ones may have been counted already. */
static void
count_gap(struct topic_in *in, const struct envelope *envelope,
          const struct topic_source *source)
{
    uint64_t missing = envelope->first - source->next;
    uint64_t counted = missing < in->counted ? missing : in->counted;

    in->counted -= counted;
    link_count(in->link, LOST, missing - counted);
    log_say(LOG_WARNING, in->link->title, "%" PRIu64 " messages of %s were lost",
            missing, envelope->origin);
}

/*
 * Sending.
 */

/* Send it to the topic here; a topic that blocks is waited for. */
static bool
send_entry(struct topic_in *in, const struct entry *entry)
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
        (void)link_fails_locally(in->link, status, "send");
    if (status == MMF_OK)
        link_count(in->link, MESSAGES, 1);
    return status == MMF_OK;
}

static bool
apply_entry(struct topic_in *in, const struct envelope *envelope,
            const struct entry *entry)
{
    link_count(in->link, LOST, entry->lost);
    if ((int64_t)entry->length <= in->stats.message_size)
        return send_entry(in, entry);
    link_count(in->link, PARKED, 1);
    log_say(LOG_WARNING, in->link->title,
            "message %" PRIu64 " of %s has %" PRIu32
            " bytes, and the topic takes %lld: dropped",
            entry->sequence, envelope->origin, entry->length,
            (long long)in->stats.message_size);
    return true;
}

static bool
apply_all(struct topic_in *in, const struct envelope *envelope,
          struct unpacker *unpacker, struct topic_source *source)
{
    struct entry entry;

    for (uint64_t i = 0; unpack_entry(unpacker, &entry); i++) {
        if (in->skip > 0) {
            in->skip--;
        } else if (envelope->first + i < source->next) {
            link_count(in->link, DUPLICATES, 1);
            continue;
        } else if (!apply_entry(in, envelope, &entry)) {
            return false;
        }
        source->next = envelope->first + i + 1;
    }
    return true;
}

const char *
topic_in_unpack(natsMsg *message, struct envelope *envelope, struct unpacker *unpacker)
{
    const char *wrong = unpack_begin(unpacker, envelope, natsMsg_GetData(message),
                                     (size_t)natsMsg_GetDataLength(message));

    return wrong == NULL && envelope->kind != MMF_KIND_TOPIC ? "it is not of a topic"
                                                             : wrong;
}

bool
topic_in_is_own(const struct topic_in *in, const struct envelope *envelope)
{
    return strcmp(envelope->origin, in->link->bridge->config->origin) == 0;
}

bool
topic_in_apply(struct topic_in *in, natsMsg *message, const struct envelope *envelope,
               struct unpacker *unpacker)
{
    struct topic_source *source;

    if (topic_in_is_own(in, envelope)) {
        link_count(in->link, ECHOES, envelope->count);
        return true;
    }
    source = find_source(in, envelope);
    if (envelope->first > source->next)
        count_gap(in, envelope, source);
    link_count(in->link, BATCHES, 1);
    link_count(in->link, BYTES, (uint64_t)natsMsg_GetDataLength(message));
    return apply_all(in, envelope, unpacker, source);
}

bool
topic_in_begin(struct topic_in *in, struct link *link)
{
    in->link = link;
    server_name_topic(&in->names, link->channel->remote);
    if (!local_open_topic(link, MMF_ROLE_SEND, &in->topic))
        return false;
    if (mmf_topic_stat(in->topic, &in->stats) < 0)
        return link_fails_locally(link, MMF_E_IO, "counters");
    if (!pair_begin_echoes(link->pair, (size_t)in->stats.capacity))
        return link_fails(link, EXIT_FAILED, "there is no memory for its sequences");
    return true;
}

void
topic_in_end(struct topic_in *in)
{
    mmf_topic_close(in->topic);
}

/*
 * Live.
 */

static bool
take(struct topic_in *in, natsMsg *message)
{
    struct envelope envelope;
    struct unpacker unpacker;
    const char *wrong = topic_in_unpack(message, &envelope, &unpacker);

    if (wrong == NULL)
        return topic_in_apply(in, message, &envelope, &unpacker);
    return link_fails(in->link, EXIT_FAILED, "a message of subject %s: %s",
                      natsMsg_GetSubject(message), wrong);
}

static bool
step(void *state)
{
    struct topic_in *in = state;
    natsMsg *message = NULL;
    natsStatus status =
        natsSubscription_NextMsg(&message, in->subscription, LOCAL_WAIT_MS);
    bool is_taken = true;

    if (status == NATS_OK)
        is_taken = take(in, message);
    else if (status != NATS_TIMEOUT && status != NATS_SLOW_CONSUMER)
        is_taken = link_fails_on(in->link, "subscription", status);
    natsMsg_Destroy(message);
    return is_taken;
}

static bool
begin(void *state, struct link *link)
{
    struct topic_in *in = state;
    natsConnection *connection = link->bridge->server.connection;
    natsStatus status;

    if (!topic_in_begin(in, link))
        return false;
    status =
        natsConnection_SubscribeSync(&in->subscription, connection, in->names.subject);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(in->subscription, WAITING_MESSAGES,
                                                   WAITING_BYTES);
    if (status == NATS_OK)
        status = natsConnection_Flush(connection);
    if (status == NATS_OK)
        return true;
    return link_fails_on(link, "subscription", status);
}

static void
end(void *state)
{
    struct topic_in *in = state;

    natsSubscription_Destroy(in->subscription);
    topic_in_end(in);
}

const struct link_work topic_in = {sizeof(struct topic_in), begin, step, end};
