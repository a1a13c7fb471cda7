/*
 * topic_stored.c - a stored topic, in: its stream is read in order, and what the topic here got
 * is noted on the server, in a stream of its own with one message for each host and topic. So
 * a successor goes on where this process stopped.
 *
 *   killed                           its successor
 *   before the note                  sends what was not noted once more: the messages of the
 *                                    last few of NATS
 *
 * A stream that has dropped what was not read yet, since its limits were reached, shows it by
 * its sequences and by the numbers of what follows: these are lost, and counted.
 */
#include "topic_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"
#include "pull.h"

#define POSITIONS "MMF_positions"
enum { POSITIONS_BYTES = 64 << 20, LISTEN_MS = 1000, NOTED_SOURCES = 16 };

struct stored {
    struct topic_in in;
    struct pull pull;
    char subject[2 * WIRE_NAME_MAX + 16]; /* of the position */
};

static struct server *
server_of(const struct stored *stored)
{
    return &stored->in.link->bridge->server;
}

/*
 * The position: "CREATED NEXT", and for each source " SOURCE NUMBER".
 */

/* How many sources were used after it. */
static size_t
count_newer(const struct topic_in *in, const struct topic_source *source)
{
    size_t newer = 0;

    for (size_t i = 0; i < TOPIC_SOURCES; i++)
        newer += in->sources[i].used > source->used;
    return newer;
}

/* Nothing waits for it: if it is lost, more comes once more. */
static void
note_position(struct stored *stored)
{
    const struct topic_in *in = &stored->in;
    char text[64 + NOTED_SOURCES * 40];
    int length = snprintf(text, sizeof text, "%" PRId64 " %" PRIu64,
                          stored->pull.created, stored->pull.next);

    for (size_t i = 0; i < TOPIC_SOURCES; i++) {
        const struct topic_source *source = &in->sources[i];

        if (source->number != 0 && count_newer(in, source) < NOTED_SOURCES)
            length += snprintf(text + length, sizeof text - (size_t)length,
                               " %" PRIu64 " %" PRIu64, source->number, source->next);
    }
    (void)natsConnection_Publish(server_of(stored)->connection, stored->subject, text,
                                 length);
}

/* False: it is of another stream. */
static bool
read_position(struct stored *stored, const char *text)
{
    char *rest;
    int64_t created = strtoll(text, &rest, 10);
    uint64_t next = strtoull(rest, &rest, 10);

    if (created != stored->pull.created || next == 0)
        return false;
    stored->pull.next = next;
    while (*rest == ' ') {
        uint64_t number = strtoull(rest, &rest, 10);

        (void)topic_in_note(&stored->in, number, strtoull(rest, &rest, 10));
    }
    return true;
}

enum found { FOUND, FOUND_OTHER, FOUND_NONE, FOUND_FAILURE };

static enum found
find_position(struct stored *stored)
{
    struct stream_wish wish = {.name = POSITIONS,
                               .subject = "mmf.position.>",
                               .bytes = POSITIONS_BYTES,
                               .per_subject = 1,
                               .discard_old = true};
    natsMsg *message = NULL;
    char text[64 + NOTED_SOURCES * 40];
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status;

    if (!server_make_stream(server_of(stored), &wish, &failure)) {
        (void)link_fails_by(stored->in.link, &failure);
        return FOUND_FAILURE;
    }
    status = js_GetLastMsg(&message, server_of(stored)->js, POSITIONS, stored->subject,
                           NULL, &code);
    if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr)
        return FOUND_NONE;
    if (status != NATS_OK) {
        (void)link_fails_on_stream(stored->in.link, POSITIONS, status, code);
        return FOUND_FAILURE;
    }
    (void)snprintf(text, sizeof text, "%.*s", natsMsg_GetDataLength(message),
                   natsMsg_GetData(message));
    natsMsg_Destroy(message);
    return read_position(stored, text) ? FOUND : FOUND_OTHER;
}

/*
 * Where to begin.
 */

/* Count what the stream's message has; 0: it is this host's, or none. */
static uint64_t
count_messages(struct stored *stored, uint64_t sequence)
{
    natsMsg *message = NULL;
    jsErrCode code = 0;
    struct envelope envelope;
    struct unpacker unpacker;
    uint64_t count = 0;

    if (js_GetMsg(&message, server_of(stored)->js, stored->in.names.stream, sequence,
                  NULL, &code) != NATS_OK)
        return 0;
    if (topic_in_unpack(message, &envelope, &unpacker) == NULL &&
        !topic_in_is_own(&stored->in, &envelope))
        count = envelope.count;
    natsMsg_Destroy(message);
    return count;
}

/* From the newest message backwards, until there are so many. */
static void
begin_before(struct stored *stored, const struct stream_state *state, uint64_t most)
{
    uint64_t found = 0;

    stored->pull.next = state->last + 1;
    while (found < most && stored->pull.next > state->first && stored->pull.next > 1)
        found += count_messages(stored, --stored->pull.next);
    stored->in.skip = found > most ? found - most : 0;
}

static void
begin_anew(struct stored *stored, const struct stream_state *state)
{
    int64_t replay = stored->in.link->channel->replay;

    if (replay == REPLAY_ALL)
        stored->pull.next = state->first > 0 ? state->first : 1;
    else
        begin_before(stored, state, (uint64_t)replay);
}

static bool
find_start(void *owner)
{
    struct stored *stored = owner;
    struct link *link = stored->in.link;
    struct stream_state state;
    struct failure failure;
    enum found found;

    if (!server_stream_state(server_of(stored), stored->in.names.stream, NULL, &state,
                             &failure))
        return link_fails_by(link, &failure);
    stored->pull.created = state.created;
    found = find_position(stored);
    if (found == FOUND_OTHER) {
        log_say(LOG_WARNING, link->title,
                "stream %s was made anew: it is read from its beginning",
                stored->in.names.stream);
        stored->pull.next = state.first > 0 ? state.first : 1;
    } else if (found == FOUND_NONE) {
        begin_anew(stored, &state);
        note_position(stored); /* what comes now is new for its successor, too */
    }
    if (found != FOUND_FAILURE)
        log_say(LOG_INFO, link->title, "begins with message %" PRIu64 " of stream %s",
                stored->pull.next, stored->in.names.stream);
    return found != FOUND_FAILURE;
}

/*
 * Reading.
 */

/*
 * At least one message of the topic was in each of these. More may be known by the numbers of
 * those that follow. What this host itself has sent is not lost here, and cannot be told
 * from the others'.
 */
static void
count_dropped(struct stored *stored, uint64_t sequence)
{
    struct link *link = stored->in.link;
    uint64_t dropped = sequence - stored->pull.next;

    log_say(LOG_WARNING, link->title,
            "messages %" PRIu64 " to %" PRIu64
            " of stream %s are gone: its limits were reached before they came here",
            stored->pull.next, sequence - 1, stored->in.names.stream);
    if (link->channel->direction == DIRECTION_BOTH)
        return;
    link_count(link, LOST, dropped);
    stored->in.counted = dropped;
}

static bool
take(struct stored *stored, const struct pulled *pulled)
{
    struct envelope envelope;
    struct unpacker unpacker;
    const char *wrong = topic_in_unpack(pulled->message, &envelope, &unpacker);

    if (pulled->sequence > stored->pull.next)
        count_dropped(stored, pulled->sequence);
    if (wrong != NULL) {
        link_count(stored->in.link, FAILURES, 1);
        log_say(LOG_ERROR, stored->in.link->title,
                "message %" PRIu64 " of stream %s: %s: skipped", pulled->sequence,
                stored->in.names.stream, wrong);
    } else if (!topic_in_apply(&stored->in, pulled->message, &envelope, &unpacker)) {
        return false;
    }
    stored->in.counted = 0;
    stored->pull.next = pulled->sequence + 1;
    note_position(stored);
    return true;
}

static bool
step(void *state)
{
    struct stored *stored = state;
    struct pulled pulled;
    bool is_taken;

    switch (pull_next(&stored->pull, LISTEN_MS, &pulled)) {
    case PULL_MESSAGE:
        is_taken = take(stored, &pulled);
        natsMsg_Destroy(pulled.message);
        return is_taken;
    case PULL_NOTHING:
        break;
    case PULL_FAILURE:
        return false;
    }
    return true;
}

static bool
begin(void *state, struct link *link)
{
    struct stored *stored = state;
    char remote[WIRE_NAME_MAX], origin[WIRE_NAME_MAX];

    server_wire_name(remote, sizeof remote, link->channel->remote);
    server_wire_name(origin, sizeof origin, link->bridge->config->origin);
    (void)snprintf(stored->subject, sizeof stored->subject, "mmf.position.%s.%s",
                   remote, origin);
    stored->pull.link = link;
    stored->pull.stream = stored->in.names.stream;
    stored->pull.owner = stored;
    stored->pull.find = find_start;
    return topic_in_begin(&stored->in, link) && pull_begin(&stored->pull);
}

static void
end(void *state)
{
    struct stored *stored = state;

    pull_end(&stored->pull);
    topic_in_end(&stored->in);
}

const struct link_work topic_stored = {sizeof(struct stored), begin, step, end};
