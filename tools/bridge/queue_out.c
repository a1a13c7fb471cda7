/*
 * queue_out.c - the queue's consumer here. What it has taken it publishes to the stream,
 * packed; when the server has stored it, it is released.
 *
 * One publish is in flight at a time, so order is never in doubt. Each message has a number
 * in its source; the source is chosen when the stream has no message of this origin, and is
 * then found in the stream again, as are the numbers.
 *
 *   killed                           its successor
 *   before the publish               gets the messages again, and publishes them
 *   publish under way                finds in the stream whether it arrived; if it arrives
 *                                    later, it has the numbers of what was published again,
 *                                    and the other side drops one of both
 *   between the answer and the       gets the messages again, finds their sequences in the
 *   release                          stream's last message, and releases them
 *
 * For that a successor must number the messages as its predecessor did: those that were
 * delivered before come first, each group by its sequence.
 */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

enum { FULL_PAUSE_MS = 20, FULL_PAUSE_LONGEST_MS = 500, SETTLE_MS = 100 };
enum { PACK_MOST = 1 << 20, PACK_SPARE = 1024 };

/* How many messages of the stream are looked at for one that arrived out of turn. */
enum { EARLIER_MOST = 8 };

struct out {
    struct link *link;
    mmf_queue *queue;
    mmf_channel_stats stats;
    struct envelope head; /* `first` is the number of the next message */
    struct packer packer;
    struct stream_names names;
    uint64_t *stored; /* sequences that the stream has, sorted; perhaps not released */
    size_t stored_count;
    mmf_message *hand;
    size_t hand_most;
    mmf_mutex *turn; /* of the one bridge that publishes to the stream */
    bool has_turn;
    bool has_sent_older;      /* what was there at first */
    uint64_t stream_sequence; /* of the message that was stored last; 0: not known */
};

/*
 * What the stream knows.
 */

static int
compare_sequences(const void *one, const void *other)
{
    const uint64_t *a = one, *b = other;

    return (*a > *b) - (*a < *b);
}

static bool
note_stored(struct out *out, const struct envelope *envelope, struct unpacker unpacker)
{
    uint64_t *more = realloc(out->stored, (out->stored_count + envelope->count + 1) *
                                              sizeof *out->stored);
    struct entry entry;

    if (more == NULL)
        return false;
    out->stored = more;
    while (unpack_entry(&unpacker, &entry))
        out->stored[out->stored_count++] = entry.sequence;
    return true;
}

enum found { FOUND_OLDER, FOUND_ALL, FOUND_FAILURE };

/*
 * One message of the stream, from the last one backwards: its numbers are used up, and its
 * sequences are stored. FOUND_ALL: those before it have lower numbers.
 */
static enum found
learn(struct out *out, natsMsg *message, uint64_t *lowest)
{
    struct envelope envelope;
    struct unpacker unpacker;
    const char *wrong = unpack_begin(&unpacker, &envelope, natsMsg_GetData(message),
                                     (size_t)natsMsg_GetDataLength(message));
    uint64_t end = envelope.first + envelope.count;

    if (wrong != NULL) {
        (void)link_fails(out->link, EXIT_FAILED, "last message of stream %s: %s",
                         out->names.stream, wrong);
        return FOUND_FAILURE;
    }
    if (out->head.source != 0 && envelope.source != out->head.source)
        return FOUND_ALL;
    if (memcmp(envelope.channel, out->stats.identity, IDENTITY_SIZE) == 0 &&
        !note_stored(out, &envelope, unpacker)) {
        (void)link_fails(out->link, EXIT_FAILED,
                         "there is no memory for its sequences");
        return FOUND_FAILURE;
    }
    out->head.source = envelope.source;
    out->head.first = end > out->head.first ? end : out->head.first;
    if (end <= *lowest)
        return FOUND_ALL;
    *lowest = envelope.first < *lowest ? envelope.first : *lowest;
    return FOUND_OLDER;
}

/*
 * The last message, and those before it as long as one of them may have been published by a
 * process that had died meanwhile and whose bytes came late: then the one before it has
 * numbers at least as high.
 */
static bool
learn_all(struct out *out)
{
    struct server *server = &out->link->bridge->server;
    natsMsg *message = NULL;
    jsErrCode code = 0;
    uint64_t sequence, lowest = UINT64_MAX;
    natsStatus status = js_GetLastMsg(&message, server->js, out->names.stream,
                                      out->names.subject, NULL, &code);
    enum found found;

    if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr)
        return true;
    if (status != NATS_OK)
        return link_fails_on_stream(out->link, out->names.stream, status, code);
    sequence = natsMsg_GetSequence(message);
    found = learn(out, message, &lowest);
    natsMsg_Destroy(message);
    for (int i = 1; i < EARLIER_MOST && found == FOUND_OLDER && sequence > 1; i++) {
        status =
            js_GetMsg(&message, server->js, out->names.stream, --sequence, NULL, &code);
        if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr)
            break;
        if (status != NATS_OK)
            return link_fails_on_stream(out->link, out->names.stream, status, code);
        found = learn(out, message, &lowest);
        natsMsg_Destroy(message);
    }
    qsort(out->stored, out->stored_count, sizeof *out->stored, compare_sequences);
    return found != FOUND_FAILURE;
}

static bool
begin_numbers(struct out *out)
{
    if (!learn_all(out))
        return false;
    if (out->head.source == 0) {
        out->head.source = local_random();
        out->head.first = 1;
        log_say(LOG_INFO, out->link->title,
                "stream %s has no message of %s: source %016llx", out->names.stream,
                out->head.origin, (unsigned long long)out->head.source);
    } else {
        log_say(LOG_INFO, out->link->title, "source %016llx goes on with number %llu",
                (unsigned long long)out->head.source,
                (unsigned long long)out->head.first);
    }
    return true;
}

/*
 * What is in the hand.
 */

static int
compare_messages(const void *one, const void *other)
{
    const mmf_message *a = one, *b = other;
    uint32_t again_a = a->flags & MMF_MESSAGE_REDELIVERED;
    uint32_t again_b = b->flags & MMF_MESSAGE_REDELIVERED;

    if (again_a != again_b)
        return again_a > again_b ? -1 : 1;
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static bool
is_stored(const struct out *out, const mmf_message *message)
{
    return (message->flags & MMF_MESSAGE_REDELIVERED) != 0 && out->stored_count > 0 &&
           bsearch(&message->sequence, out->stored, out->stored_count,
                   sizeof *out->stored, compare_sequences) != NULL;
}

static bool
release(struct out *out, const mmf_message *messages, size_t count)
{
    int status = mmf_queue_release_many(out->queue, messages, count);

    return status >= 0 || link_fails_locally(out->link, status, "release");
}

/* Release what the stream has; `*count` are left, at the beginning of the hand. */
static bool
drop_stored(struct out *out, size_t *count)
{
    size_t kept = 0, dropped = 0;

    for (size_t i = 0; i < *count; i++)
        if (!is_stored(out, &out->hand[i])) {
            out->hand[kept++] = out->hand[i];
        } else {
            if (!release(out, &out->hand[i], 1))
                return false;
            dropped++;
        }
    if (dropped > 0)
        log_say(LOG_INFO, out->link->title,
                "%zu messages were in the stream already: released", dropped);
    *count = kept;
    return true;
}

/*
 * Publishing.
 */

/* As many of the hand as one message of NATS takes. What was delivered before may have been
 * published before. */
static size_t
pack(struct out *out, const mmf_message *messages, size_t count)
{
    size_t most = (size_t)out->link->channel->batch;
    size_t packed = 0;

    out->head.again = (messages->flags & MMF_MESSAGE_REDELIVERED) != 0;
    pack_begin(&out->packer, &out->head);
    while (packed < count && packed < most &&
           pack_entry(&out->packer,
                      &(struct entry){.bytes = messages[packed].bytes,
                                      .length = (uint32_t)messages[packed].length,
                                      .sequence = messages[packed].sequence}))
        packed++;
    pack_end(&out->packer, (uint32_t)packed);
    return packed;
}

/* The stream has no space: what flow control is made of, and no failure. */
static bool
is_full(jsErrCode code)
{
    return code == JSStreamStoreFailedErr || code == JSInsufficientResourcesErr ||
           code == JSStorageResourcesExceededErr ||
           code == JSMemoryResourcesExceededErr;
}

static bool
wait_for_space(struct out *out, int64_t *pause)
{
    if (*pause == FULL_PAUSE_MS)
        log_say(LOG_INFO, out->link->title, "stream %s is full: waiting",
                out->names.stream);
    link_count(out->link, FULL, 1);
    if (!link_sleep(out->link, *pause))
        return false;
    *pause = *pause * 2 < FULL_PAUSE_LONGEST_MS ? *pause * 2 : FULL_PAUSE_LONGEST_MS;
    return true;
}

/*
 * The stream is this bridge's alone: each message follows the one before, but for those that
 * were published again. A server that goes back has lost what it had confirmed; if it jumps,
 * another host publishes as the same origin, and both use the same numbers.
 */
static bool
check_stored(struct out *out, uint64_t sequence, uint64_t repeats)
{
    uint64_t before = out->stream_sequence;

    out->stream_sequence = sequence;
    if (before == 0 || (sequence > before && sequence <= before + 1 + repeats))
        return true;
    link_count(out->link, LOST, 1);
    return link_fails(
        out->link, EXIT_FAILED,
        sequence <= before
            ? "stream %s has gone back from %llu to %llu: the server has lost "
              "messages that it had confirmed"
            : "stream %s went on from %llu to %llu: another host has the same origin, "
              "and messages are lost; set \"origin\" in [bridge]",
        out->names.stream, (unsigned long long)before, (unsigned long long)sequence);
}

/* Until the server says that it has stored what is packed. */
static bool
publish(struct out *out)
{
    struct server *server = &out->link->bridge->server;
    int64_t pause = FULL_PAUSE_MS;
    uint64_t repeats = 0;
    struct failure failure;
    jsPubOptions options;

    (void)jsPubOptions_Init(&options);
    options.MaxWait = out->link->bridge->config->ack_ms;
    for (;;) {
        jsErrCode code = 0;
        jsPubAck *ack = NULL;
        natsStatus status =
            js_Publish(&ack, server->js, out->names.subject, out->packer.bytes,
                       (int)out->packer.length, &options, &code);

        if (status == NATS_OK) {
            bool is_next = check_stored(out, ack->Sequence, repeats);

            jsPubAck_Destroy(ack);
            return is_next;
        }
        if (link_is_stopping(out->link))
            return false;
        if (is_full(code)) {
            if (!wait_for_space(out, &pause))
                return false;
            continue;
        }
        (void)server_explain_stream(&failure, out->names.stream, status, code);
        if (!server_is_worth_repeating(status))
            return link_fails_by(out->link, &failure);
        link_count(out->link, REPEATED, 1);
        repeats++;
        pack_again(&out->packer);
        log_say(LOG_WARNING, out->link->title, "%s; publishing again", failure.text);
        if (!link_sleep(out->link, FULL_PAUSE_MS))
            return false;
    }
}

static bool
refuse_first(struct out *out, const mmf_message *message)
{
    return link_fails(
        out->link, EXIT_CHANNEL,
        "message %llu has %zu bytes, and the server takes %zu in one message: "
        "raise its max_payload",
        (unsigned long long)message->sequence, message->length, out->packer.capacity);
}

static bool
send_hand(struct out *out, size_t count)
{
    const mmf_message *next = out->hand;

    qsort(out->hand, count, sizeof *out->hand, compare_messages);
    if (!drop_stored(out, &count))
        return false;
    while (count > 0) {
        size_t packed = pack(out, next, count);

        if (packed == 0)
            return refuse_first(out, next);
        if (!publish(out))
            return false;
        out->head.first += packed;
        link_count(out->link, MESSAGES, packed);
        link_count(out->link, BATCHES, 1);
        link_count(out->link, BYTES, out->packer.length);
        if (!release(out, next, packed))
            return false;
        next += packed;
        count -= packed;
    }
    return true;
}

/*
 * Where several consumers can join, a dead one's messages may come after others. So all that
 * is there is taken before the first publish: until nothing comes for as long as it takes
 * to notice a death, or all slots are in the hand.
 */
static bool
send_what_is_there(struct out *out)
{
    bool may_come_late =
        (out->stats.flags & MMF_CHANNEL_SPSC) == 0 && out->stats.max_receivers > 1;
    size_t count = 0;
    int status = MMF_OK;

    while (status == MMF_OK && count < out->hand_most && !link_is_stopping(out->link)) {
        size_t more = 0;

        status = mmf_queue_take_many(out->queue, out->hand_most - count,
                                     may_come_late ? SETTLE_MS : 0, out->hand + count,
                                     &more);
        count += status == MMF_OK ? more : 0;
    }
    if (status < 0)
        return link_fails_locally(out->link, status, "take");
    return send_hand(out, count);
}

static bool
send_next(struct out *out)
{
    size_t most = (size_t)out->link->channel->batch, count = 0;
    int status =
        mmf_queue_take_many(out->queue, most < out->hand_most ? most : out->hand_most,
                            LOCAL_WAIT_MS, out->hand, &count);

    if (status < 0)
        return link_fails_locally(out->link, status, "take");
    return (status != MMF_OK || send_hand(out, count));
}

static bool
step(void *state)
{
    struct out *out = state;
    bool is_first = !out->has_sent_older;

    out->has_sent_older = true;
    return is_first ? send_what_is_there(out) : send_next(out);
}

/*
 * Beginning.
 */

static bool
make_space(struct out *out)
{
    int64_t most = natsConnection_GetMaxPayload(out->link->bridge->server.connection);

    out->packer.capacity =
        most > 0 && most < PACK_MOST ? (size_t)most : (size_t)PACK_MOST;
    out->packer.capacity -= PACK_SPARE;
    if (out->stats.message_size + ENVELOPE_HEAD + ORIGIN_MAX + ENTRY_HEAD >
        (int64_t)out->packer.capacity)
        out->packer.capacity = (size_t)(most > 0 ? most : PACK_MOST);
    out->packer.bytes = malloc(out->packer.capacity);
    out->hand_most = (size_t)out->stats.capacity;
    out->hand = calloc(out->hand_most, sizeof *out->hand);
    return out->packer.bytes != NULL && out->hand != NULL;
}

static bool
prepare_stream(struct out *out)
{
    const struct channel_config *channel = out->link->channel;
    struct failure failure;
    struct stream_wish wish = {.name = out->names.stream,
                               .subject = out->names.subject,
                               .bytes = channel->stream_bytes,
                               .in_memory = channel->memory != 0};

    if (server_make_stream(&out->link->bridge->server, &wish, &failure))
        return true;
    return link_fails_by(out->link, &failure);
}

/* Two at a time would number different messages alike. A dead one leaves its turn. Bridges of
 * other users take turns, too, where they can have the queue. */
static bool
take_turn(struct out *out)
{
    mmf_sync_options options = {.size = sizeof options, .mode = 0666};
    bool is_global = strncmp(out->link->channel->channel, "Global\\", 7) == 0;
    char name[2 * WIRE_NAME_MAX + 32];
    int status;

    server_name_queue(&out->names, out->link->channel->remote,
                      out->link->bridge->config->origin);
    (void)snprintf(name, sizeof name, "%smmf-bridge.%s", is_global ? "Global\\" : "",
                   out->names.stream);
    status = mmf_mutex_create_or_open(name, 0, is_global ? &options : NULL, NULL,
                                      &out->turn);
    if (status >= 0)
        status = mmf_mutex_wait(out->turn, LOCAL_WAIT_MS);
    if (status < 0)
        return link_fails_locally(out->link, status, name);
    out->has_turn = status != MMF_TIMED_OUT;
    if (!out->has_turn)
        (void)link_fails(out->link, EXIT_CHANNEL,
                         "another bridge of this machine publishes to stream %s",
                         out->names.stream);
    return out->has_turn;
}

static bool
begin(void *state, struct link *link)
{
    struct out *out = state;

    out->link = link;
    if (!take_turn(out) || !local_open_queue(link, MMF_ROLE_RECEIVE, &out->queue))
        return false;
    if (mmf_queue_stat(out->queue, &out->stats) < 0)
        return link_fails_locally(out->link, MMF_E_IO, "counters");
    out->head.kind = MMF_KIND_QUEUE;
    out->head.message_size = (uint32_t)out->stats.message_size;
    memcpy(out->head.channel, out->stats.identity, IDENTITY_SIZE);
    (void)snprintf(out->head.origin, sizeof out->head.origin, "%s",
                   out->link->bridge->config->origin);
    if (!make_space(out))
        return link_fails(out->link, EXIT_FAILED,
                          "there is no memory for its messages");
    return prepare_stream(out) && begin_numbers(out);
}

static void
end(void *state)
{
    struct out *out = state;

    mmf_queue_close(out->queue);
    if (out->has_turn)
        (void)mmf_mutex_release(out->turn);
    mmf_mutex_close(out->turn);
    free(out->packer.bytes);
    free(out->hand);
    free(out->stored);
}

const struct link_work queue_out = {sizeof(struct out), begin, step, end};
