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
#include <time.h>
#include <unistd.h>

#include "envelope.h"
#include "local.h"

enum { FETCH = 16 }; /* messages of the stream that may be on their way here */

/* Nothing comes for so long: time for a purge. */
enum { PURGE_MS = 20 };
enum { SOURCES = 64, PENDING = 1024, PENDING_BYTES = 64 << 10 };

/* A block of the server's store has so many bytes, or a fourth of what the stream may have. */
#define BLOCK_BYTES ((int64_t)8 << 20)
enum { PARKED_BYTES = 64 << 20 };

#define CONSUMER_LASTS_NS ((int64_t)30 * 1000000000)

/* A request for messages ends after so long; silence for longer means that it is lost. */
enum { ASK_MS = 5000, SILENCE_MS = 8000, LISTEN_MS = 1000 };

/* What is known of a source. */
struct source {
    uint64_t number;
    uint64_t applied;
    bool is_new;                    /* this queue has never had a message of it */
    uint8_t channel[IDENTITY_SIZE]; /* that sends, as it was seen last */
};

/* Messages of the stream that are applied, and not yet purged. */
struct pending {
    uint64_t stream_sequence; /* of the last one */
    size_t bytes;
    uint64_t last; /* sequence in the queue of the last one of it */
    bool is_known; /* else it was applied before this process */
};

/* A store that has the stream: that of the server here; of a mirror, the original one, too. */
struct store {
    const char *domain; /* NULL: here */
    int64_t keep;       /* bytes of the newest messages that are not purged */
    uint64_t purged;    /* what lies before this sequence */
};

struct in {
    struct link *link;
    mmf_queue *queue;
    mmf_channel_stats stats;
    struct queue_names names;
    natsSubscription *subscription; /* of the inbox */
    natsInbox *inbox;
    char ask[2 * WIRE_NAME_MAX + 256];
    uint64_t asked; /* messages that are asked for, and have not come */
    uint64_t disconnects;
    int64_t heard_at;
    uint64_t next;     /* in the stream */
    uint64_t consumed; /* messages that this consumer has given */
    struct source sources[SOURCES];
    size_t source_count;
    struct pending *pending; /* a ring of PENDING */
    size_t pending_from, pending_count;
    int64_t unpurged;  /* bytes that have come since the last purge */
    bool was_idle;     /* since then nothing has come */
    bool was_released; /* at the last purge, all of it */
    struct store stores[2];
    size_t store_count;
    uint64_t
        remade_for; /* the first number behind a gap that the mirror was made again for */
    bool must_remake;
};

static int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
    status = mmf_queue_applied(in->queue, number, &source->applied);
    if (status < 0) {
        link_fails_locally(in->link, status, "what is applied");
        return NULL;
    }
    source->is_new = source->applied == 0;
    return source;
}

/*
 * Messages that do not fit.
 */

static bool
park(struct in *in, const struct envelope *envelope, const struct entry *entry,
     uint64_t position)
{
    const struct channel_config *channel = in->link->channel;
    char remote[WIRE_NAME_MAX], subject[WIRE_NAME_MAX + 16], id[64];
    struct stream_wish wish = {
        .name = "MMF_parked", .subject = "mmf.parked.>", .bytes = PARKED_BYTES};
    jsPubOptions options;
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status;

    server_wire_name(remote, sizeof remote, channel->remote);
    (void)snprintf(subject, sizeof subject, "mmf.parked.%s", remote);
    (void)snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu64, envelope->source,
                   position);
    if (!server_make_stream(server_of(in), &wish, &failure)) {
        link_fails_by(in->link, &failure);
        return false;
    }
    (void)jsPubOptions_Init(&options);
    options.MsgId = id;
    status = js_Publish(NULL, server_of(in)->js, subject, entry->bytes,
                        (int)entry->length, &options, &code);
    if (status != NATS_OK) {
        (void)server_explain_stream(&failure, wish.name, status, code);
        link_fails_by(in->link, &failure);
        return false;
    }
    link_count(in->link, PARKED, 1);
    log_say(LOG_WARNING, in->link->title,
            "message %" PRIu64 " of %s has %" PRIu32
            " bytes, and the queue takes %lld: parked in stream %s as %s",
            entry->sequence, envelope->origin, entry->length,
            (long long)in->stats.message_size, wish.name, id);
    return true;
}

/*
 * Applying.
 */

/* A slot of the queue; false: there was none until the end, or a failure. */
static bool
reserve(struct in *in, size_t length, void **bytes)
{
    int status = mmf_queue_reserve(in->queue, length, 0, bytes);

    while ((status == MMF_TIMED_OUT || status == MMF_E_FULL) &&
           !link_is_stopping(in->link)) {
        link_count(in->link, FULL, 1);
        if (status == MMF_E_FULL && !link_sleep(in->link, 20))
            return false;
        status = mmf_queue_reserve(in->queue, length, LOCAL_WAIT_MS, bytes);
    }
    if (status < 0)
        link_fails_locally(in->link, status, "reserve");
    return status == MMF_OK;
}

static bool
commit(struct in *in, const struct entry *entry, uint64_t source, uint64_t position,
       uint64_t *sequence)
{
    void *bytes;
    int status;

    if (!reserve(in, entry->length, &bytes))
        return false;
    memcpy(bytes, entry->bytes, entry->length);
    status =
        mmf_queue_commit_from(in->queue, entry->length, source, position, sequence);
    if (status < 0) {
        link_fails_locally(in->link, status, "commit");
        (void)mmf_queue_abandon(in->queue);
    }
    return status >= 0;
}

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
apply_entry(struct in *in, const struct envelope *envelope, const struct entry *entry,
            struct source *source, uint64_t position, struct pending *pending)
{
    if (position <= source->applied) {
        link_count(in->link, DUPLICATES, 1);
        return true;
    }
    if ((int64_t)entry->length > in->stats.message_size) {
        if (!park(in, envelope, entry, position))
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
    if (envelope->message_size > in->stats.message_size)
        log_say(LOG_WARNING, in->link->title,
                "the queue of %s takes messages of %" PRIu32
                " bytes, this one of %lld: what does not fit will be parked",
                envelope->origin, envelope->message_size,
                (long long)in->stats.message_size);
}

static bool
refuse(struct in *in, uint64_t sequence, const char *why)
{
    link_fails(in->link, EXIT_FAILED, "message %" PRIu64 " of stream %s: %s", sequence,
               in->names.stream, why);
    return false;
}

static bool
apply(struct in *in, natsMsg *message, struct pending *pending)
{
    struct envelope envelope;
    struct unpacker unpacker;
    struct entry entry;
    struct source *source;
    const char *wrong = unpack_begin(&unpacker, &envelope, natsMsg_GetData(message),
                                     (size_t)natsMsg_GetDataLength(message));

    if (wrong != NULL)
        return refuse(in, pending->stream_sequence, wrong);
    if (envelope.kind != MMF_KIND_QUEUE)
        return refuse(in, pending->stream_sequence, "it is not of a queue");
    if (strcmp(envelope.origin, in->link->bridge->config->origin) == 0)
        return refuse(
            in, pending->stream_sequence,
            "it is of this host's own origin, and would go around in a circle");
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
    link_count(in->link, BYTES, (uint64_t)natsMsg_GetDataLength(message));
    return true;
}

/*
 * Purging.
 */

/* Every message before this one is released; UINT64_MAX: all are. */
static bool
oldest_in_queue(struct in *in, uint64_t *oldest)
{
    mmf_queue_item item;
    size_t count = 0;

    if (mmf_queue_browse(in->link->channel->channel, &item, 1, &count) < 0)
        return false;
    *oldest = count > 0 ? item.sequence : UINT64_MAX;
    return true;
}

static struct pending *
pending_at(struct in *in, size_t i)
{
    return &in->pending[(in->pending_from + i) % PENDING];
}

/*
 * How many of the pending ones are released. What was applied before this process lies
 * before what it has applied itself.
 */
static size_t
count_released(struct in *in, uint64_t oldest)
{
    size_t released = 0;

    for (size_t i = 0; i < in->pending_count; i++) {
        const struct pending *pending = pending_at(in, i);

        if (pending->is_known && pending->last >= oldest)
            break;
        if (pending->is_known || oldest == UINT64_MAX)
            released = i + 1;
    }
    return released;
}

/*
 * Those that can go. The newest ones stay, as many as a block of the server's store has: a
 * purge in the block that 2.9.10 writes to loses messages if the server is killed later. And
 * the sender needs the last one.
 */
static size_t
count_purged(struct in *in, size_t released, int64_t keep)
{
    int64_t behind = 0;
    size_t purged = in->pending_count;

    while (purged > 0 && (purged > released || behind < keep))
        behind += (int64_t)pending_at(in, --purged)->bytes;
    return purged;
}

static bool
purge_store(struct in *in, struct store *store, uint64_t sequence)
{
    struct failure failure;

    if (sequence <= store->purged)
        return true;
    if (!server_purge(server_of(in), in->names.stream, sequence, store->domain,
                      &failure)) {
        log_say(LOG_WARNING, in->link->title, "purge: %s", failure.text);
        return false;
    }
    store->purged = sequence;
    return true;
}

/* What is purged in all stores is forgotten. */
static void
purge(struct in *in)
{
    uint64_t oldest = 0;
    size_t released, least = in->pending_count;

    in->unpurged = 0;
    if (!oldest_in_queue(in, &oldest))
        return;
    released = count_released(in, oldest);
    in->was_released = released == in->pending_count;
    for (size_t i = 0; i < in->store_count; i++) {
        size_t purged = count_purged(in, released, in->stores[i].keep);

        if (purged > 0 && !purge_store(in, &in->stores[i],
                                       pending_at(in, purged - 1)->stream_sequence))
            return;
        least = purged < least ? purged : least;
    }
    in->pending_from = (in->pending_from + least) % PENDING;
    in->pending_count -= least;
}

/* The store that keeps least is the last one. */
static int64_t
least_kept(const struct in *in)
{
    return in->stores[in->store_count - 1].keep;
}

static void
merge(struct pending *into, const struct pending *pending)
{
    into->stream_sequence = pending->stream_sequence;
    into->bytes += pending->bytes;
    if (pending->is_known) {
        into->is_known = true;
        into->last = pending->last;
    }
}

/* A few small ones count as one; so do all, where there is no space for another one. */
static void
note_pending(struct in *in, const struct pending *pending)
{
    struct pending *newest =
        in->pending_count > 0 ? pending_at(in, in->pending_count - 1) : NULL;

    if (newest != NULL && (newest->bytes + pending->bytes <= PENDING_BYTES ||
                           in->pending_count == PENDING))
        merge(newest, pending);
    else
        *pending_at(in, in->pending_count++) = *pending;
    in->unpurged += (int64_t)pending->bytes;
    if (in->unpurged >= least_kept(in))
        purge(in);
}

/*
 * Pulling. The library's fetch waits for the last of the messages that it has asked for; so
 * here is a subscription of an inbox, and requests that are renewed before they are used up.
 */

static void
end_consumer(struct in *in)
{
    natsSubscription_Destroy(in->subscription);
    natsInbox_Destroy(in->inbox);
    in->subscription = NULL;
    in->inbox = NULL;
}

static natsStatus
add_consumer(struct in *in, const char *name, jsErrCode *code)
{
    jsConsumerConfig config;
    jsConsumerInfo *info = NULL;
    natsStatus status;

    (void)jsConsumerConfig_Init(&config);
    config.Durable = name;
    config.DeliverPolicy = js_DeliverByStartSequence;
    config.OptStartSeq = in->next;
    config.AckPolicy = js_AckNone;
    config.InactiveThreshold = CONSUMER_LASTS_NS;
    status =
        js_AddConsumer(&info, server_of(in)->js, in->names.stream, &config, NULL, code);
    jsConsumerInfo_Destroy(info);
    return status;
}

static void
prepare_ask(struct in *in, const char *name)
{
    const char *domain = in->link->bridge->config->domain;

    (void)snprintf(in->ask, sizeof in->ask, "$JS.%s%sAPI.CONSUMER.MSG.NEXT.%s.%s",
                   domain != NULL ? domain : "", domain != NULL ? "." : "",
                   in->names.stream, name);
    in->asked = 0;
    in->consumed = 0;
    in->heard_at = now_ms();
}

/* A consumer of its own, without acknowledgements, from the next message on. */
static bool
begin_consumer(struct in *in)
{
    char name[64];
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status;

    in->disconnects = atomic_load(&server_of(in)->disconnects);
    (void)snprintf(name, sizeof name, "mmf-%d-%016" PRIx64, (int)getpid(),
                   local_random());
    status = add_consumer(in, name, &code);
    if (status == NATS_OK)
        status = natsInbox_Create(&in->inbox);
    if (status == NATS_OK)
        status = natsConnection_SubscribeSync(&in->subscription,
                                              server_of(in)->connection, in->inbox);
    prepare_ask(in, name);
    if (status == NATS_OK)
        return true;
    end_consumer(in);
    (void)server_explain_stream(&failure, in->names.stream, status, code);
    link_fails_by(in->link, &failure);
    return false;
}

/* Ask for more before all has come. */
static bool
ask(struct in *in)
{
    char text[64];

    if (in->asked > FETCH / 2)
        return true;
    (void)snprintf(text, sizeof text, "{\"batch\":%" PRIu64 ",\"expires\":%d000000}",
                   FETCH - in->asked, ASK_MS);
    in->asked = FETCH;
    return natsConnection_PublishRequestString(server_of(in)->connection, in->ask,
                                               in->inbox, text) == NATS_OK;
}

/*
 * "$JS.ACK.STREAM.CONSUMER.TIMES.STREAM SEQUENCE.CONSUMER SEQUENCE.TIME.PENDING", since 2.9
 * perhaps with domain and account before the stream.
 */
static bool
read_reply(const char *reply, uint64_t *of_stream, uint64_t *of_consumer)
{
    const char *parts[16];
    size_t count = 0, skip;

    for (; reply != NULL && count < sizeof parts / sizeof parts[0]; count++) {
        parts[count] = reply;
        reply = strchr(reply, '.');
        reply = reply != NULL ? reply + 1 : NULL;
    }
    if (count < 9 || strncmp(parts[0], "$JS.ACK.", 8) != 0)
        return false;
    skip = count >= 11 ? 2 : 0;
    *of_stream = strtoull(parts[5 + skip], NULL, 10);
    *of_consumer = strtoull(parts[6 + skip], NULL, 10);
    return true;
}

enum taken { TAKEN, TAKEN_OUT_OF_TURN, TAKEN_FAILURE };

/* A request has ended, or the consumer has. */
static enum taken
take_status(struct in *in, natsMsg *message)
{
    const char *status = "", *pending = NULL;
    uint64_t rest = in->asked;

    (void)natsMsgHeader_Get(message, "Status", &status);
    if (natsMsgHeader_Get(message, "Nats-Pending-Messages", &pending) == NATS_OK)
        rest = strtoull(pending, NULL, 10);
    in->asked -= rest < in->asked ? rest : in->asked;
    return strcmp(status, "408") == 0 || strcmp(status, "404") == 0 ? TAKEN
                                                                    : TAKEN_OUT_OF_TURN;
}

static enum taken
take(struct in *in, natsMsg *message)
{
    struct pending pending = {.is_known = false};
    uint64_t of_consumer = 0;

    if (!read_reply(natsMsg_GetReply(message), &pending.stream_sequence, &of_consumer))
        return take_status(in, message);
    if (of_consumer != in->consumed + 1)
        return TAKEN_OUT_OF_TURN; /* one was lost on the way */
    if (!apply(in, message, &pending))
        return TAKEN_FAILURE;
    if (in->must_remake)
        return TAKEN_OUT_OF_TURN;
    in->asked -= in->asked > 0;
    in->consumed = of_consumer;
    in->next = pending.stream_sequence + 1;
    pending.bytes = (size_t)natsMsg_GetDataLength(message);
    note_pending(in, &pending);
    return TAKEN;
}

/* The next message, in `*taken`; else whether the consumer is still good. */
static bool
listen(struct in *in, enum taken *taken)
{
    natsMsg *message = NULL;
    bool can_purge = (in->unpurged > 0 || !in->was_released) &&
                     count_purged(in, in->pending_count, least_kept(in)) > 0;
    int64_t wait = can_purge && !in->was_idle ? PURGE_MS : LISTEN_MS;
    natsStatus status = natsSubscription_NextMsg(&message, in->subscription, wait);

    if (status == NATS_OK) {
        *taken = take(in, message);
        natsMsg_Destroy(message);
        in->heard_at = now_ms();
        in->was_idle = false;
        return true;
    }
    if (can_purge)
        purge(in);
    in->was_idle = true;
    return status == NATS_TIMEOUT && now_ms() - in->heard_at < SILENCE_MS;
}

/* A mirror has no limit. */
static void
note_stores(struct in *in, int64_t most_bytes)
{
    const char *domain = in->link->channel->mirror_domain;
    int64_t keep =
        most_bytes > 0 && most_bytes / 4 < BLOCK_BYTES ? most_bytes / 4 : BLOCK_BYTES;

    in->store_count = 0;
    if (domain != NULL)
        in->stores[in->store_count++] = (struct store){.keep = BLOCK_BYTES};
    in->stores[in->store_count++] = (struct store){.domain = domain, .keep = keep};
}

static bool
prepare_stream(struct in *in)
{
    const struct channel_config *channel = in->link->channel;
    struct stream_wish wish = {.name = in->names.stream,
                               .in_memory = channel->memory != 0};
    struct stream_state state;
    struct failure failure;

    server_name_queue(&in->names, channel->remote, in->link->origin);
    if ((channel->mirror_domain != NULL &&
         !server_make_mirror(server_of(in), &wish, channel->mirror_domain, &failure)) ||
        !server_stream_state(server_of(in), in->names.stream, channel->mirror_domain,
                             &state, &failure)) {
        link_fails_by(in->link, &failure);
        return false;
    }
    in->next = state.first > 0 ? state.first : 1;
    note_stores(in, state.most_bytes);
    return true;
}

static bool
remake_mirror(struct in *in)
{
    struct failure failure;

    in->must_remake = false;
    in->pending_count = 0; /* they come once more */
    if (server_delete_stream(server_of(in), in->names.stream, &failure))
        return prepare_stream(in);
    link_fails_by(in->link, &failure);
    return false;
}

/* False: the try is over. */
static bool
pull(struct in *in)
{
    enum taken taken = TAKEN;
    bool is_good;

    if (in->subscription == NULL && !begin_consumer(in))
        return false;
    is_good = ask(in) && listen(in, &taken);
    if (taken == TAKEN_FAILURE)
        return false;
    if (!is_good || taken == TAKEN_OUT_OF_TURN ||
        in->disconnects != atomic_load(&server_of(in)->disconnects))
        end_consumer(in);
    return !in->must_remake || remake_mirror(in);
}

/*
 * Beginning.
 */

static bool
begin(struct in *in)
{
    int status = mmf_queue_stat(in->queue, &in->stats);

    if (status < 0) {
        link_fails_locally(in->link, status, "counters");
        return false;
    }
    in->pending = calloc(PENDING, sizeof *in->pending);
    if (in->pending == NULL) {
        link_fails(in->link, EXIT_FAILED, "there is no memory to note what is applied");
        return false;
    }
    return prepare_stream(in) && begin_consumer(in);
}

void
queue_in_run(struct link *link)
{
    struct in *in = calloc(1, sizeof *in);

    if (in == NULL) {
        link_fails(link, EXIT_FAILED, "there is no memory");
        return;
    }
    in->link = link;
    if (local_open_queue(link, MMF_ROLE_SEND, &in->queue)) {
        if (begin(in)) {
            link_works(link);
            while (!link_is_stopping(link) && pull(in))
                ;
        }
        end_consumer(in);
        mmf_queue_close(in->queue);
    }
    free(in->pending);
    free(in);
}
