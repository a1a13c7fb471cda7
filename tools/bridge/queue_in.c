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
#include "pull.h"
#include "purge.h"
#include "sink.h"

/* Nothing comes for so long: time for a purge. */
enum { PURGE_MS = 20, LISTEN_MS = 1000 };
enum { SOURCES = 64 };

/* A mirror that has given nothing for so long is compared with what it has been given, and
 * again; two machines do not do it at once. */
enum { COMPARE_MS = 5000, COMPARE_SPREAD_MS = 2000 };

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
    uint64_t next; /* in the stream */
    struct source sources[SOURCES];
    size_t source_count;
    bool was_idle;       /* since the last purge nothing has come */
    uint64_t remade_for; /* the first number behind a gap that the mirror was made again
                            for */
    bool must_remake;
    int64_t compare_at;
    uint64_t compared_for; /* made again for it as the next one: no second time */
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
        link_fails_locally(in->link, status, "what is applied");
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

/*
 * A mirror of nats-server 2.9.10 that is connected again may go on behind messages that its
 * original has: those are not purged before they are applied here. So it is made again, once
 * for each gap, and what is applied already is skipped.
 */
static bool
can_remake(struct in *in, const struct envelope *envelope, const struct source *source)
{
    if (in->link->channel->mirror_domain == NULL || in->remade_for == envelope->first)
        return false;
    in->remade_for = envelope->first;
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

    if (wrong != NULL) {
        link_fails(in->link, EXIT_FAILED, "message %" PRIu64 " of stream %s: %s",
                   pending->stream_sequence, in->names.stream, wrong);
        return false;
    }
    source = find_source(in, envelope.source);
    if (source == NULL)
        return false;
    check_sender(in, &envelope, source);
    if (!source->is_new && envelope.first > source->applied + 1) {
        if (can_remake(in, &envelope, source))
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
    in->next = pulled->sequence + 1;
    in->was_idle = false;
    in->compare_at = 0;
    purge_note(&in->purge, &pending);
    return true;
}

static bool
prepare_stream(struct in *in)
{
    const struct channel_config *channel = in->link->channel;
    const char *domain = channel->mirror_domain;
    struct stream_wish wish = {.name = in->names.stream,
                               .in_memory = channel->memory != 0};
    struct stream_state state;
    struct failure failure;

    if ((domain != NULL &&
         !server_make_mirror(server_of(in), &wish, domain, &failure)) ||
        !server_stream_state(server_of(in), in->names.stream, domain, &state,
                             &failure) ||
        !server_check_not_shared(server_of(in), in->names.stream, domain, &failure)) {
        link_fails_by(in->link, &failure);
        return false;
    }
    in->next = state.first > 0 ? state.first : 1;
    purge_set_stores(&in->purge, state.most_bytes);
    return true;
}

static bool
remake_mirror(struct in *in)
{
    struct failure failure;

    in->must_remake = false;
    pull_end(&in->pull);
    if (server_delete_stream(server_of(in), in->names.stream, &failure))
        return prepare_stream(in);
    link_fails_by(in->link, &failure);
    return false;
}

/*
 * If a mirror has gone on behind the last message of its original, no other one shows the
 * gap: it is past the next message, and does not give it.
 */
static void
compare_mirror(struct in *in)
{
    int64_t now = local_now_ms();
    bool is_due = in->compare_at != 0 && now >= in->compare_at;
    struct stream_state state;
    struct failure failure;

    if (in->link->channel->mirror_domain == NULL)
        return;
    if (is_due || in->compare_at == 0)
        in->compare_at =
            now + COMPARE_MS + (int64_t)(local_random() % COMPARE_SPREAD_MS);
    if (!is_due ||
        !server_stream_state(server_of(in), in->names.stream, NULL, &state, &failure) ||
        state.last < in->next || in->compared_for == in->next)
        return;
    in->compared_for = in->next;
    in->must_remake = true;
    log_say(LOG_WARNING, in->link->title,
            "the mirror is past message %" PRIu64
            " of its stream, and does not have it "
            "or give it: it is made again",
            in->next);
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
step(struct in *in)
{
    struct pulled pulled;
    bool can_purge = purge_is_due(&in->purge);

    if (in->pull.subscription == NULL && !pull_begin(&in->pull, in->next))
        return false;
    switch (pull_next(&in->pull, can_purge && !in->was_idle ? PURGE_MS : LISTEN_MS,
                      &pulled)) {
    case PULL_MESSAGE:
        if (!take(in, &pulled))
            return false;
        break;
    case PULL_NOTHING:
        rest(in, can_purge);
        break;
    case PULL_END:
        pull_end(&in->pull);
        break;
    }
    return !in->must_remake || remake_mirror(in);
}

/*
 * Beginning.
 */

static bool
begin(struct in *in, struct link *link)
{
    in->link = in->pull.link = link;
    in->pull.stream = in->names.stream;
    server_name_queue(&in->names, link->channel->remote, link->origin);
    return sink_begin(&in->sink, link) &&
           purge_begin(&in->purge, link, in->names.stream, in->sink.stats.capacity) &&
           prepare_stream(in) && pull_begin(&in->pull, in->next);
}

void
queue_in_run(struct link *link)
{
    struct in *in = calloc(1, sizeof *in);

    if (in == NULL) {
        link_fails(link, EXIT_FAILED, "there is no memory");
        return;
    }
    if (begin(in, link)) {
        link_works(link);
        while (!link_is_stopping(link) && step(in))
            ;
    }
    pull_end(&in->pull);
    sink_end(&in->sink);
    purge_end(&in->purge);
    free(in);
}
