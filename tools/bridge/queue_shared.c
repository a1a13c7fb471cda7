/*
 * queue_shared.c - a producer of the queue here, for a stream that several machines share:
 * each message of the stream goes to one of them. It is acknowledged when consumers here
 * have released all that was in it. Until then the server hears again and again that it is
 * worked on. What a machine had that is silent goes to another one.
 *
 *   killed                           what it had
 *   this process                     is in the queue here, and comes to another machine,
 *                                    or here once more
 *   all that hold the queue          comes to another machine, but for what was released
 *                                    and acknowledged
 *
 * So each message comes at least once. The library has no mark that a producer could set, so
 * what may come again is counted, and said before it is in the queue.
 *
 * Every machine removes what all have acknowledged, message by message: a purge makes a consumer
 * of nats-server 2.9.10 forget what is not acknowledged.
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

enum { HELD = 16, KNOWN = 1024 };
enum { FIRST_PAUSE_MS = 2, LONGEST_PAUSE_MS = 100, LISTEN_MS = 1000 };

/* Purges after an acknowledgement: the server may count it a little later. */
enum { TIDY_MS = 200, TIDIES = 5, TIDY_MOST = 4096 };

enum held_state { FREE, FILLING, IN_THE_QUEUE };

/* A message of the stream that is not acknowledged. */
struct held {
    enum held_state state;
    uint64_t sequence;   /* in the stream */
    uint64_t begin, end; /* its messages in the queue: from, and before */
    char reply[2 * WIRE_NAME_MAX + 256];
};

/* What the stream was when it was last inspected; then `last` was its newest message. */
struct mark {
    uint64_t first, last, bytes;
};

struct shared {
    struct sink sink; /* the first: while_full finds the others from it */
    struct link *link;
    struct stream_names names;
    struct pull pull;
    struct held held[HELD];
    uint64_t known[KNOWN]; /* acknowledged lately: a ring */
    size_t known_at;
    uint64_t said; /* the source whose size was checked last */
    int64_t renewed_at, settle_at, tidied_at, pause_ms;
    uint64_t newest; /* message of the stream that came */
    int tidies_left;
    struct mark mark;
};

static struct server *
server_of(const struct shared *shared)
{
    return &shared->link->bridge->server;
}

static int64_t
take_over_ms(const struct link *link)
{
    return link->channel->take_over_ms > 0 ? link->channel->take_over_ms : 30000;
}

/*
 * Acknowledgements. None is waited for: if one is lost, the message comes again.
 */

static void
answer(struct shared *shared, const char *reply, const char *text)
{
    (void)natsConnection_PublishString(server_of(shared)->connection, reply, text);
}

/* What is here is worked on. */
static void
renew(struct shared *shared)
{
    int64_t now = local_now_ms();

    if (now - shared->renewed_at < take_over_ms(shared->link) / 4)
        return;
    shared->renewed_at = now;
    for (size_t i = 0; i < HELD; i++)
        if (shared->held[i].state != FREE)
            answer(shared, shared->held[i].reply, "+WPI");
}

/* None of its messages is in the queue, of which these are all, in their order. */
static bool
is_released(const struct held *held, const mmf_queue_item *items, size_t count)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (items[middle].sequence < held->begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low == count || items[low].sequence >= held->end;
}

static void
acknowledge(struct shared *shared, struct held *held)
{
    answer(shared, held->reply, "+ACK");
    shared->known[shared->known_at++ % KNOWN] = held->sequence;
    held->state = FREE;
    shared->tidies_left = TIDIES;
}

/* Acknowledge what is released. True: there was some. A large queue takes its time: then it is
 * not asked all the time. */
static bool
settle(struct shared *shared)
{
    int64_t begin = local_now_ms();
    size_t count = 0, settled = 0;
    mmf_queue_item *items;

    if (begin < shared->settle_at)
        return false;
    items = local_browse(shared->link, shared->sink.stats.capacity, &count);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < HELD; i++) {
        struct held *held = &shared->held[i];

        if (held->state == IN_THE_QUEUE && is_released(held, items, count)) {
            acknowledge(shared, held);
            settled++;
        }
    }
    free(items);
    shared->settle_at = begin + 10 * (local_now_ms() - begin);
    return settled > 0;
}

static size_t
count_held(const struct shared *shared)
{
    size_t count = 0;

    for (size_t i = 0; i < HELD; i++)
        count += shared->held[i].state != FREE;
    return count;
}

static void
while_full(struct sink *sink)
{
    struct shared *shared = (struct shared *)sink;

    renew(shared);
    (void)settle(shared);
}

/*
 * Removing. The newest messages stay, as many as a block of the server's store has (purge.h).
 * How many these are is known if the stream has grown by so much since it was inspected, and
 * nothing was removed meanwhile. A stream that was nearly full from the beginning shows
 * no growth: then all its messages count as equally long.
 */
static uint64_t
end_of_removal(const struct shared *shared, const struct stream_state *state)
{
    const struct mark *mark = &shared->mark;
    uint64_t keep = (uint64_t)purge_keeps(state->most_bytes), stay;

    if (mark->first == state->first && state->bytes >= mark->bytes + keep)
        return mark->last;
    if (state->most_bytes <= 0 || state->messages == 0 ||
        state->bytes / 3 < (uint64_t)state->most_bytes / 4)
        return 0;
    stay = keep / (state->bytes / state->messages + 1) + 1;
    return state->last > stay ? state->last - stay : 0;
}

static void
tidy(struct shared *shared)
{
    int64_t now = local_now_ms();
    struct stream_state state;
    struct failure failure;
    uint64_t floor = 0, end;

    if (shared->tidies_left == 0 || now - shared->tidied_at < TIDY_MS)
        return;
    shared->tidied_at = now;
    shared->tidies_left--;
    if (!server_stream_state(server_of(shared), shared->names.stream, NULL, &state,
                             &failure) ||
        !server_shared_floor(server_of(shared), shared->names.stream, &floor, &failure))
        return; /* there is another time */
    end = end_of_removal(shared, &state);
    if (end > 0 || shared->mark.first != state.first)
        shared->mark = (struct mark){
            .first = state.first, .last = state.last, .bytes = state.bytes};
    end = end < floor + 1 ? end : floor + 1;
    for (uint64_t i = 0; i < TIDY_MOST && state.first + i < end; i++)
        server_delete_message(server_of(shared), shared->names.stream, state.first + i);
}

/*
 * What comes.
 */

/* It is here, or was acknowledged in vain. */
static bool
is_known(struct shared *shared, const struct pulled *pulled)
{
    const char *reply = natsMsg_GetReply(pulled->message);

    for (size_t i = 0; i < HELD; i++) {
        struct held *held = &shared->held[i];

        if (held->state != FREE && held->sequence == pulled->sequence) {
            (void)snprintf(held->reply, sizeof held->reply, "%s", reply);
            return true;
        }
    }
    for (size_t i = 0; i < KNOWN; i++)
        if (shared->known[i] == pulled->sequence) {
            answer(shared, reply, "+ACK");
            return true;
        }
    return false;
}

/* A damaged one would come again and again. */
static bool
park_all(struct shared *shared, const struct pulled *pulled, const char *wrong)
{
    char id[2 * WIRE_NAME_MAX + 64];

    (void)snprintf(id, sizeof id, "%s-%" PRIu64, shared->names.stream,
                   pulled->sequence);
    if (!sink_park_bytes(&shared->sink, id, natsMsg_GetData(pulled->message),
                         (size_t)natsMsg_GetDataLength(pulled->message)))
        return false;
    log_say(LOG_ERROR, shared->link->title,
            "message %" PRIu64 " of stream %s: %s: parked in stream MMF_parked",
            pulled->sequence, shared->names.stream, wrong);
    return true;
}

static bool
apply_entry(struct shared *shared, const struct envelope *envelope,
            const struct entry *entry, uint64_t position, struct held *held)
{
    uint64_t sequence = 0;
    int status;

    if (sink_is_too_small(&shared->sink, entry))
        return sink_park(&shared->sink, envelope, entry, position);
    if (!sink_reserve(&shared->sink, entry))
        return false;
    status = mmf_queue_commit(shared->sink.queue, entry->length, &sequence);
    if (status < 0)
        return sink_fails(&shared->sink, status);
    held->begin = held->end == 0 ? sequence : held->begin;
    held->end = sequence + 1;
    link_count(shared->link, MESSAGES, 1);
    return true;
}

/* A bridge had it before, which has died, was stopped, or was silent too long; or its sender
 * was not sure that it was stored. A server that was killed may forget that it gave it. */
static void
say_again(struct shared *shared, const struct envelope *envelope,
          const struct pulled *pulled)
{
    bool was_given = pulled->deliveries > 1 || pulled->sequence <= shared->newest;

    if (pulled->sequence > shared->newest)
        shared->newest = pulled->sequence;
    if (!was_given && !envelope->again)
        return;
    link_count(shared->link, REDELIVERED, envelope->count);
    log_say(LOG_WARNING, shared->link->title,
            "%" PRIu32 " messages of %s, from number %" PRIu64
            ", may come a second time (message %" PRIu64 " of stream %s, %s)",
            envelope->count, envelope->origin, envelope->first, pulled->sequence,
            shared->names.stream,
            was_given ? "which a bridge had before" : "which was published again");
}

static bool
apply(struct shared *shared, const struct pulled *pulled,
      const struct envelope *envelope, struct unpacker *unpacker, struct held *held)
{
    struct entry entry;

    if (envelope->source != shared->said)
        sink_check_size(&shared->sink, envelope);
    shared->said = envelope->source;
    say_again(shared, envelope, pulled);
    for (uint64_t i = 0; unpack_entry(unpacker, &entry); i++)
        if (!apply_entry(shared, envelope, &entry, envelope->first + i, held))
            return false;
    link_count(shared->link, BATCHES, 1);
    link_count(shared->link, BYTES, (uint64_t)natsMsg_GetDataLength(pulled->message));
    return true;
}

static bool
take(struct shared *shared, const struct pulled *pulled)
{
    struct held *held = shared->held;
    struct envelope envelope;
    struct unpacker unpacker;
    const char *wrong =
        sink_unpack(&shared->sink, pulled->message, &envelope, &unpacker);
    bool is_taken;

    if (is_known(shared, pulled)) {
        link_count(shared->link, DUPLICATES, envelope.count);
        return true;
    }
    while (held->state != FREE)
        held++;
    *held = (struct held){.state = FILLING, .sequence = pulled->sequence};
    (void)snprintf(held->reply, sizeof held->reply, "%s",
                   natsMsg_GetReply(pulled->message));
    is_taken = wrong != NULL ? park_all(shared, pulled, wrong)
                             : apply(shared, pulled, &envelope, &unpacker, held);
    held->state = IN_THE_QUEUE;
    return is_taken;
}

/* Another stream has other messages of the same sequences. */
static bool
find_stream(void *owner)
{
    struct shared *shared = owner;
    struct stream_state state;
    struct failure failure;

    memset(shared->held, 0, sizeof shared->held);
    memset(shared->known, 0, sizeof shared->known);
    shared->newest = 0;
    if (server_stream_state(server_of(shared), shared->names.stream, NULL, &state,
                            &failure)) {
        shared->pull.created = state.created;
        return true;
    }
    return link_fails_by(shared->link, &failure);
}

static bool
listen(struct shared *shared, int64_t wait_ms)
{
    struct pulled pulled;
    bool is_taken;

    switch (pull_next(&shared->pull, wait_ms, &pulled)) {
    case PULL_MESSAGE:
        is_taken = take(shared, &pulled);
        natsMsg_Destroy(pulled.message);
        shared->pause_ms = FIRST_PAUSE_MS;
        return is_taken;
    case PULL_NOTHING:
        break;
    case PULL_FAILURE: /* what is held stays so without a server */
        return count_held(shared) > 0 && link_sleep(shared->link, LISTEN_MS);
    }
    return true;
}

/* False: the try is over. */
static bool
step(void *state)
{
    struct shared *shared = state;
    size_t held = count_held(shared);

    renew(shared);
    if (held > 0 && settle(shared))
        shared->pause_ms = FIRST_PAUSE_MS;
    else if (shared->pause_ms < LONGEST_PAUSE_MS)
        shared->pause_ms *= 2;
    tidy(shared);
    held = count_held(shared);
    if (held == HELD)
        return link_sleep(shared->link, shared->pause_ms);
    return listen(shared, held > 0                  ? shared->pause_ms
                          : shared->tidies_left > 0 ? TIDY_MS
                                                    : LISTEN_MS);
}

static bool
begin(void *state, struct link *link)
{
    struct shared *shared = state;

    shared->link = shared->pull.link = link;
    shared->pull.stream = shared->names.stream;
    shared->pull.owner = shared;
    shared->pull.find = find_stream;
    shared->pull.ack_ms = take_over_ms(link);
    shared->pause_ms = FIRST_PAUSE_MS;
    shared->tidies_left = TIDIES;
    server_name_queue(&shared->names, link->channel->remote, link->origin);
    if (!sink_begin(&shared->sink, link))
        return false;
    shared->sink.full_ms = LONGEST_PAUSE_MS;
    shared->sink.while_full = while_full;
    return pull_begin(&shared->pull);
}

static void
end(void *state)
{
    struct shared *shared = state;

    pull_end(&shared->pull);
    sink_end(&shared->sink);
}

const struct link_work queue_shared = {sizeof(struct shared), begin, step, end};
