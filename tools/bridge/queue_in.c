/*
 * queue_in.c - a producer of the queue here. It pulls the stream's messages in their order,
 * from the position that the queue itself remembers, and commits each message with its
 * number: both or neither, whatever kills it.
 *
 *   killed                           its successor
 *   anywhere                         asks the queue what is applied, reads the stream from
 *                                    its oldest message, and skips what is applied
 *
 * The stream is purged up to what consumers here have released, but for the last message,
 * which its sender needs. So if this queue dies with all that is in it, a
 * new one gets what was not released, and perhaps some more.
 *
 * Nothing is read ahead but one fetch: a queue that is full holds up the stream, and that
 * its sender.
 */
#include "link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"
#include "mirror.h"
#include "pull.h"
#include "purge.h"
#include "sink.h"

/* Nothing comes for so long: time for a purge. */
enum { PURGE_MS = 20, LISTEN_MS = 1000 };
enum { SOURCES = 64 };

/* A mirror that has given nothing for so long is compared with its original, and again: later
 * and later, if nothing comes of it. One that is behind may need some time to be connected
 * again. */
enum {
    COMPARE_MS = 2000,
    COMPARE_SPREAD_MS = 1000,
    COMPARE_TRIES = 5,
    STANDS_TRIES = 3
};

/* In front of a gap it is made again until so much was tried, with pauses that grow. */
enum { GAP_TRIES = 12, GAP_PAUSE_MS = 250 };

/* What is known of a source. */
struct source {
    uint64_t number;
    uint64_t applied;
    bool is_new;                    /* this queue has never had a message of it */
    uint8_t channel[IDENTITY_SIZE]; /* that sends, as it was seen last */
};

struct in {
    struct link *link;
    struct sink sink;
    struct stream_names names;
    struct pull pull;
    struct purge purge;
    struct source sources[SOURCES];
    size_t source_count;
    bool was_idle; /* since the last purge nothing has come */
    bool must_remake;
    int64_t compare_at;
    int tries; /* what was done since the last new message for one that is missing */
};

static struct server *
server_of(const struct in *in)
{
    return &in->link->bridge->server;
}

/*
 * Sources.
 */

static struct source *
find_source(struct in *in, uint64_t number)
{
    struct source *source = in->sources;
    int status;

    for (size_t i = 0; i < in->source_count; i++)
        if (in->sources[i].number == number)
            return &in->sources[i];
    if (in->source_count < SOURCES)
        source = &in->sources[in->source_count++];
    *source = (struct source){.number = number};
    status = mmf_queue_applied(in->sink.queue, number, &source->applied);
    if (status < 0) {
        (void)link_fails_locally(in->link, status, "what is applied");
        return NULL;
    }
    source->is_new = source->applied == 0;
    return source;
}

/* What is said once of each channel that sends. */
static void
check_sender(struct in *in, const struct envelope *envelope, struct source *source)
{
    if (memcmp(source->channel, envelope->channel, IDENTITY_SIZE) == 0)
        return;
    memcpy(source->channel, envelope->channel, IDENTITY_SIZE);
    log_say(LOG_INFO, in->link->title,
            "messages of %s, source %016" PRIx64 " from number %" PRIu64
            "; applied are %" PRIu64,
            envelope->origin, envelope->source, envelope->first, source->applied);
    sink_check_size(&in->sink, envelope);
}

/*
 * Applying.
 */

/* The original has some of the stream's messages from `from` to `to`, so the mirror is to have
 * them. */
static bool
has_some(const struct stream_state *original, uint64_t from, uint64_t to)
{
    return original->messages > 0 && from <= to && original->first <= to &&
           original->last >= from;
}

/*
 * A mirror of nats-server 2.9.10 that is connected again may go on behind messages that its
 * original has, and so may a new one: those are not purged before they are applied here. So
 * it is made again as long as the original has them, and what is applied already is
 * skipped. False: the original does not answer.
 */
static bool
inspect_gap(struct in *in, const struct envelope *envelope, const struct source *source,
            uint64_t sequence)
{
    struct stream_state original;
    struct failure failure;

    if (in->link->channel->mirror_domain == NULL || in->tries >= GAP_TRIES)
        return true;
    if (!server_stream_state(server_of(in), in->names.stream,
                             in->link->channel->mirror_domain, &original, &failure))
        return link_fails_by(in->link, &failure);
    if (!has_some(&original, in->pull.next, sequence - 1))
        return true;
    in->tries++;
    in->must_remake = true;
    log_say(LOG_WARNING, in->link->title,
            "the mirror lacks messages of %s from number %" PRIu64 " to %" PRIu64
            ": it is made again",
            envelope->origin, source->applied + 1, envelope->first - 1);
    return true;
}

static void
note_gap(struct in *in, const struct envelope *envelope, const struct source *source)
{
    uint64_t missing = envelope->first - source->applied - 1;

    link_count(in->link, LOST, missing);
    log_say(LOG_ERROR, in->link->title,
            "%" PRIu64 " messages of %s are missing in the stream: it was purged or "
            "damaged",
            missing, envelope->origin);
}

static bool
commit(struct in *in, const struct entry *entry, uint64_t source, uint64_t position,
       uint64_t *sequence)
{
    int status;

    if (!sink_reserve(&in->sink, entry))
        return false;
    status = mmf_queue_commit_from(in->sink.queue, entry->length, source, position,
                                   sequence);
    return status >= 0 || sink_fails(&in->sink, status);
}

static bool
apply_entry(struct in *in, const struct envelope *envelope, const struct entry *entry,
            struct source *source, uint64_t position, struct pending *pending)
{
    if (position <= source->applied) {
        link_count(in->link, DUPLICATES, 1);
        return true;
    }
    if (sink_is_too_small(&in->sink, entry)) {
        if (!sink_park(&in->sink, envelope, entry, position))
            return false;
    } else {
        if (!commit(in, entry, source->number, position, &pending->last))
            return false;
        pending->is_known = true;
        link_count(in->link, MESSAGES, 1);
    }
    source->applied = position;
    source->is_new = false;
    in->tries = 0;
    return true;
}

static bool
apply(struct in *in, natsMsg *message, struct pending *pending)
{
    struct envelope envelope;
    struct unpacker unpacker;
    struct entry entry;
    struct source *source;
    const char *wrong = sink_unpack(&in->sink, message, &envelope, &unpacker);

    if (wrong != NULL)
        return link_fails(in->link, EXIT_FAILED, "message %" PRIu64 " of stream %s: %s",
                          pending->stream_sequence, in->names.stream, wrong);
    source = find_source(in, envelope.source);
    if (source == NULL)
        return false;
    check_sender(in, &envelope, source);
    if (!source->is_new && envelope.first > source->applied + 1) {
        if (!inspect_gap(in, &envelope, source, pending->stream_sequence))
            return false;
        if (in->must_remake)
            return true;
        note_gap(in, &envelope, source);
    }
    for (uint64_t i = 0; unpack_entry(&unpacker, &entry); i++)
        if (!apply_entry(in, &envelope, &entry, source, envelope.first + i, pending))
            return false;
    link_count(in->link, BATCHES, 1);
    link_count(in->link, BYTES, pending->bytes);
    return true;
}

/*
 * Pulling.
 */

static bool
take(struct in *in, const struct pulled *pulled)
{
    struct pending pending = {.stream_sequence = pulled->sequence,
                              .bytes = (size_t)natsMsg_GetDataLength(pulled->message)};
    bool is_applied = apply(in, pulled->message, &pending);

    natsMsg_Destroy(pulled->message);
    if (!is_applied || in->must_remake)
        return is_applied;
    in->pull.next = pulled->sequence + 1;
    in->was_idle = false;
    in->compare_at = 0;
    purge_note(&in->purge, &pending);
    return true;
}

/* The stream is read from its beginning; a mirror is made if it is not there. */
static bool
find_stream(void *owner)
{
    struct in *in = owner;
    const char *domain = in->link->channel->mirror_domain;
    struct stream_state state;
    struct failure failure;

    if (domain != NULL && !mirror_make(in->link, in->names.stream, &in->pull.created))
        return false;
    if (!server_stream_state(server_of(in), in->names.stream, domain, &state,
                             &failure) ||
        !server_check_not_shared(server_of(in), in->names.stream, domain, &failure))
        return link_fails_by(in->link, &failure);
    if (domain == NULL)
        in->pull.created = state.created;
    in->pull.next = state.first > 0 ? state.first : 1;
    purge_set_stores(&in->purge, state.most_bytes);
    return true;
}

static bool
remake_mirror(struct in *in)
{
    in->must_remake = false;
    pull_end(&in->pull);
    return link_sleep(in->link, (in->tries - 1) * (int64_t)GAP_PAUSE_MS) &&
           mirror_make_again(in->link, in->names.stream, &in->pull.created) &&
           find_stream(in);
}

static bool
compare_is_due(struct in *in)
{
    int doubled = in->tries < COMPARE_TRIES ? in->tries : COMPARE_TRIES;
    int64_t now = local_now_ms();
    bool is_due = in->compare_at != 0 && now >= in->compare_at;

    if (is_due || in->compare_at == 0)
        in->compare_at =
            now +
            ((COMPARE_MS + (int64_t)(local_random() % COMPARE_SPREAD_MS)) << doubled);
    return is_due;
}

/* The original has the next message or a later one, and nothing comes. As many tries are left
 * for a gap as it may need. */
static bool
is_of_no_use(struct in *in, const struct stream_state *mirror)
{
    int before = in->tries;
    bool is_past = mirror->last >= in->pull.next;

    in->tries += before < COMPARE_TRIES;
    if (before == 0)
        log_say(LOG_WARNING, in->link->title,
                "message %" PRIu64
                " of the stream is not in its mirror, or does not come: waiting",
                in->pull.next);
    if (is_past ? before == 0 && mirror->messages > 0 : before < STANDS_TRIES)
        return false;
    log_say(LOG_WARNING, in->link->title,
            is_past
                ? "the mirror is past message %" PRIu64
                  " of its stream, and does not have it or give it: it is made again"
                : "the mirror stands still before message %" PRIu64
                  " of its stream: it is made again",
            in->pull.next);
    return true;
}

/*
 * If a mirror has gone on behind the last message of its original, no other one shows the
 * gap. It is made again until it gives what the original has; a new consumer may be enough.
 */
static void
compare_mirror(struct in *in)
{
    const char *domain = in->link->channel->mirror_domain;
    struct stream_state mirror, original;
    struct failure failure;

    if (domain == NULL || !compare_is_due(in) ||
        !server_stream_state(server_of(in), in->names.stream, NULL, &mirror, &failure))
        return;
    if (mirror.created == in->pull.created &&
        (!server_stream_state(server_of(in), in->names.stream, domain, &original,
                              &failure) ||
         !has_some(&original, in->pull.next, UINT64_MAX)))
        return;
    in->must_remake = mirror.created == in->pull.created && is_of_no_use(in, &mirror);
    pull_end(&in->pull);
}

/* Nothing has come. */
static void
rest(struct in *in, bool can_purge)
{
    if (can_purge)
        purge_now(&in->purge);
    in->was_idle = true;
    compare_mirror(in);
}

/* False: the try is over. */
static bool
step(void *state)
{
    struct in *in = state;
    struct pulled pulled;
    bool can_purge = purge_is_due(&in->purge);

    switch (pull_next(&in->pull, can_purge && !in->was_idle ? PURGE_MS : LISTEN_MS,
                      &pulled)) {
    case PULL_MESSAGE:
        if (!take(in, &pulled))
            return false;
        break;
    case PULL_NOTHING:
        rest(in, can_purge);
        break;
    case PULL_FAILURE:
        return false;
    }
    return !in->must_remake || remake_mirror(in);
}

/*
 * Beginning.
 */

static bool
begin(void *state, struct link *link)
{
    struct in *in = state;

    in->link = in->pull.link = link;
    in->pull.stream = in->names.stream;
    in->pull.owner = in;
    in->pull.find = find_stream;
    server_name_queue(&in->names, link->channel->remote, link->origin);
    return sink_begin(&in->sink, link) &&
           purge_begin(&in->purge, link, in->names.stream, in->sink.stats.capacity) &&
           pull_begin(&in->pull);
}

static void
end(void *state)
{
    struct in *in = state;

    pull_end(&in->pull);
    sink_end(&in->sink);
    purge_end(&in->purge);
}

const struct link_work queue_in = {sizeof(struct in), begin, step, end};
