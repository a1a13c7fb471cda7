/*
 * queue.c - messages that each go to one consumer.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/queue.h>

#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"
#include "shared/ring/spsc.h"

struct mmf_queue {
    struct mmf_channel channel;
    mmf_role straight; /* SINGLE: roles in which nothing is in the way, see below */
    mmf_role plain;    /* the same of a queue for many */
    /* Taken, but larger than the caller's buffer: it comes next. */
    struct mmf_ring_message pending;
    int has_pending;
};

/*
 * The straight way: a call on a SINGLE queue first asks, in as few instructions as can
 * be, whether anything is unusual: a mistake of the caller's, a handle dead by a fork,
 * no room, no message, a message that comes again. If nothing is, there is one step of
 * ring_single.h to do. Else the function of the same name with `slowly` finds out what
 * it is. It is kept out of the other, which then needs no frame on the stack.
 *
 * A queue for many goes there, too, and first asks the same; its steps are longer, and
 * calls (ring.h).
 */
#define APART __attribute__((noinline))

/* So often a receiver looks before it goes the way on which one can sleep: a round trip
 * between two processors that are far from each other is over by then. */
enum { LOOKS = 512 };

static void
choose_way(mmf_queue *queue)
{
    const struct mmf_ring *ring = queue->channel.ring;
    int is_single = ring->shape.is_spsc;
    mmf_role roles = queue->channel.role;

    if (queue->has_pending || queue->channel.has_fd ||
        (is_single && mmf_index_difference(ring->cursor, ring->seen_return_epoch) < 0))
        roles &= ~(mmf_role)MMF_ROLE_RECEIVE;
    queue->straight = is_single ? roles : 0;
    queue->plain = is_single ? 0 : roles;
}

static inline int
goes_straight(const mmf_queue *queue, mmf_role role, int32_t timeout_ms)
{
    return queue != NULL && (queue->straight & role) &&
           mmf_os_channel_is_alive(queue->channel.os) && timeout_ms >= -1;
}

static inline int
goes_plainly(const mmf_queue *queue, mmf_role role, int32_t timeout_ms)
{
    return queue != NULL && (queue->plain & role) &&
           mmf_os_channel_is_alive(queue->channel.os) && timeout_ms >= -1;
}

static APART int
tell_receivers(const mmf_queue *queue)
{
    mmf_ring_notify_receivers(queue->channel.ring, 1, queue->channel.ops);
    return MMF_OK;
}

static APART int
tell_senders(const mmf_queue *queue)
{
    mmf_ring_notify_senders(queue->channel.ring, 1, queue->channel.ops);
    return MMF_OK;
}

/*
 * Handles.
 */

static int
make_handle(mmf_queue **out, mmf_queue **queue)
{
    if (out == NULL)
        return mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
    *queue = calloc(1, sizeof(**queue));
    if (*queue == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a queue handle");
    return MMF_OK;
}

static struct mmf_channel_request
request_for(const char *name)
{
    return (struct mmf_channel_request){.name = name,
                                        .kind = MMF_KIND_QUEUE,
                                        .flags_known =
                                            MMF_CHANNEL_SPSC | MMF_CHANNEL_PEER_CLOSED};
}

int
mmf_queue_create_or_open(const char *name, int64_t message_size, int64_t capacity,
                 mmf_overflow overflow, const mmf_channel_options *options,
                 int *created_new, mmf_queue **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_queue *queue;
    int created;
    int rc = make_handle(out, &queue);

    if (rc < 0)
        return rc;
    request.message_size = message_size;
    request.capacity = capacity;
    request.overflow = overflow;
    rc = mmf_channel_create(&request, options, &queue->channel, &created);
    if (rc < 0) {
        free(queue);
        return rc;
    }
    choose_way(queue);
    if (created_new != NULL)
        *created_new = created;
    *out = queue;
    return MMF_OK;
}

int
mmf_queue_open_existing(const char *name, const mmf_channel_options *options, mmf_queue **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_queue *queue;
    int rc = make_handle(out, &queue);

    if (rc < 0)
        return rc;
    rc = mmf_channel_open(&request, options, &queue->channel);
    if (rc < 0) {
        free(queue);
        return rc;
    }
    choose_way(queue);
    *out = queue;
    return MMF_OK;
}

void
mmf_queue_close(mmf_queue *queue)
{
    if (queue == NULL)
        return;
    mmf_channel_close(&queue->channel);
    free(queue);
}

static int
check(const mmf_queue *queue, mmf_role role)
{
    if (queue == NULL)
        return mmf_fail_argument(MMF_E_NULL, "queue", "the queue is NULL");
    return mmf_channel_check(&queue->channel, role);
}

/*
 * Sending.
 */

/* Nothing is reserved, and `length` bytes can be at once. */
static inline int
can_reserve(const struct mmf_ring *ring, int64_t length)
{
    return !ring->has_reserved && (uint64_t)length <= ring->shape.message_size &&
           mmf_ring_spsc_has_space(ring);
}

/* For many: 0 if it cannot be at once. */
static inline int
reserve_plainly(mmf_queue *queue, int64_t length, void **bytes)
{
    struct mmf_ring *ring = queue->channel.ring;
    uint8_t *place;

    if (ring->has_reserved || (uint64_t)length > ring->shape.message_size ||
        mmf_ring_reserve(ring, (uint64_t)length, &place) != MMF_STEP_DONE)
        return 0;
    queue->channel.room = (uint64_t)length;
    *bytes = place;
    return 1;
}

static APART int
reserve_slowly(mmf_queue *queue, int64_t length, int32_t timeout_ms, void **bytes)
{
    int rc;

    if (goes_plainly(queue, MMF_ROLE_SEND, timeout_ms) && bytes != NULL &&
        reserve_plainly(queue, length, bytes))
        return MMF_OK;
    rc = check(queue, MMF_ROLE_SEND);
    return rc < 0 ? rc
                  : mmf_channel_reserve_checked(&queue->channel, length, timeout_ms,
                                                bytes);
}

int
mmf_queue_reserve(mmf_queue *queue, int64_t length, int32_t timeout_ms, void **bytes)
{
    if (!goes_straight(queue, MMF_ROLE_SEND, timeout_ms) || bytes == NULL ||
        !can_reserve(queue->channel.ring, length))
        return reserve_slowly(queue, length, timeout_ms, bytes);
    queue->channel.room = (uint64_t)length;
    *bytes = mmf_ring_spsc_reserve(queue->channel.ring, (uint64_t)length);
    return MMF_OK;
}

static inline int
can_commit(const mmf_queue *queue, int64_t length)
{
    return queue->channel.ring->has_reserved && (uint64_t)length <= queue->channel.room;
}

static APART int
commit_slowly(mmf_queue *queue, int64_t length)
{
    int rc;

    if (goes_plainly(queue, MMF_ROLE_SEND, 0) && can_commit(queue, length)) {
        mmf_ring_commit(queue->channel.ring, (uint64_t)length);
        return mmf_ring_has_waiting_receivers(queue->channel.ring) ? tell_receivers(queue)
                                                           : MMF_OK;
    }
    rc = check(queue, MMF_ROLE_SEND);
    return rc < 0 ? rc : mmf_channel_commit(&queue->channel, length, 1);
}

int
mmf_queue_commit(mmf_queue *queue, int64_t length)
{
    if (!goes_straight(queue, MMF_ROLE_SEND, 0) || !can_commit(queue, length))
        return commit_slowly(queue, length);
    mmf_ring_spsc_commit(queue->channel.ring, (uint64_t)length);
    return mmf_ring_has_waiting_receivers(queue->channel.ring) ? tell_receivers(queue) : MMF_OK;
}

int
mmf_queue_abandon(mmf_queue *queue)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_abandon(&queue->channel);
}

static APART int
send_slowly(mmf_queue *queue, const void *bytes, int64_t length, int32_t timeout_ms)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_send(&queue->channel, bytes, length, timeout_ms, 1);
}

int
mmf_queue_send(mmf_queue *queue, const void *bytes, int64_t length, int32_t timeout_ms)
{
    struct mmf_ring *ring;

    if (!goes_straight(queue, MMF_ROLE_SEND, timeout_ms) || bytes == NULL ||
        !can_reserve(queue->channel.ring, length))
        return send_slowly(queue, bytes, length, timeout_ms);
    ring = queue->channel.ring;
    memcpy(mmf_ring_spsc_reserve(ring, (uint64_t)length), bytes, (size_t)length);
    mmf_ring_spsc_commit(ring, (uint64_t)length);
    return mmf_ring_has_waiting_receivers(ring) ? tell_receivers(queue) : MMF_OK;
}

int
mmf_queue_send_many(mmf_queue *queue, const mmf_buffer *messages, int32_t count,
                    int32_t timeout_ms, int32_t *sent)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_send_many(&queue->channel, messages, count, timeout_ms,
                                          0, sent);
}

/*
 * Receiving.
 */

struct taking {
    struct mmf_ring *ring;
    struct mmf_ring_message *message;
};

static enum mmf_step
attempt_take(void *payload)
{
    struct taking *wanted = payload;

    return mmf_ring_take(wanted->ring, wanted->message);
}

static int
looks_find_next(const struct mmf_ring *ring, int times)
{
    return ring->shape.is_spsc ? mmf_ring_spsc_poll(ring, times)
                                               : mmf_ring_poll(ring, times);
}

/* No message is there yet. 1: one has come after some looks. */
static APART int
look_for_next(mmf_queue *queue, int32_t timeout_ms)
{
    if (timeout_ms == 0 || !queue->channel.ops->may_spin)
        return 0;
    mmf_ring_slip(queue->channel.ring, 0);
    return looks_find_next(queue->channel.ring, LOOKS);
}

/* The one that is pending, or the next. */
static int
take(mmf_queue *queue, int32_t timeout_ms, struct mmf_ring_message *message)
{
    struct mmf_channel *channel = &queue->channel;
    struct taking wanted = {.ring = channel->ring, .message = message};

    if (queue->has_pending) {
        *message = queue->pending;
        queue->has_pending = 0;
        return MMF_OK;
    }
    if (!channel->has_fd &&
        (timeout_ms == 0 || looks_find_next(channel->ring, 1) ||
         look_for_next(queue, timeout_ms)) &&
        mmf_ring_take(channel->ring, message) == MMF_STEP_DONE)
        return MMF_OK;
    return mmf_channel_wait(channel, MMF_ROLE_RECEIVE,
                            mmf_ring_deadline(channel->ops, timeout_ms), attempt_take,
                            &wanted);
}

static APART int
look_back(const mmf_queue *queue)
{
    mmf_ring_spsc_keep_distance(queue->channel.ring);
    return MMF_OK;
}

/* The next message, which is there. 0: its sizes are unsound. */
static inline int
read_next(const struct mmf_ring *ring, struct mmf_ring_message *found)
{
    return mmf_ring_read_sizes(ring, (const void *)ring->in.slot, ring->cursor,
                               found) == MMF_STEP_DONE;
}

static int
check_receive(const mmf_queue *queue, int32_t timeout_ms)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_check_timeout(timeout_ms);
}

static APART int
peek_slowly(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc;

    if (goes_plainly(queue, MMF_ROLE_RECEIVE, timeout_ms) && message != NULL &&
        mmf_ring_poll(queue->channel.ring, 1) &&
        mmf_ring_take(queue->channel.ring, &found) == MMF_STEP_DONE) {
        mmf_channel_show(&found, message);
        return MMF_OK;
    }
    rc = check_receive(queue, timeout_ms);
    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    rc = take(queue, timeout_ms, &found);
    if (rc == MMF_OK)
        mmf_channel_show(&found, message);
    choose_way(queue);
    return rc;
}

static inline int
peek_next(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring *ring = queue->channel.ring;
    struct mmf_ring_message found;

    if (!read_next(ring, &found))
        return peek_slowly(queue, timeout_ms, message);
    mmf_channel_show(&found, message);
    mmf_ring_spsc_advance(ring);
    mmf_ring_spsc_note_taken(ring);
    return mmf_ring_spsc_is_sample(ring) ? look_back(queue) : MMF_OK;
}

static APART int
await_and_peek(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    return look_for_next(queue, timeout_ms) ? peek_next(queue, timeout_ms, message)
                                            : peek_slowly(queue, timeout_ms, message);
}

int
mmf_queue_take(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    if (!goes_straight(queue, MMF_ROLE_RECEIVE, timeout_ms) || message == NULL)
        return peek_slowly(queue, timeout_ms, message);
    return mmf_ring_spsc_has_message(queue->channel.ring)
               ? peek_next(queue, timeout_ms, message)
               : await_and_peek(queue, timeout_ms, message);
}

int
mmf_queue_take_many(mmf_queue *queue, int32_t most, int32_t timeout_ms,
                    mmf_message *messages, int32_t *count)
{
    struct mmf_ring_message found;
    int32_t taken = 1;
    int rc = check_receive(queue, timeout_ms);

    if (rc == MMF_OK && (messages == NULL || count == NULL))
        rc = mmf_fail_argument(MMF_E_NULL, messages == NULL ? "messages" : "count",
                               "an output is NULL");
    if (rc == MMF_OK && most < 1)
        rc = mmf_fail_argument(MMF_E_RANGE, "most", "at most %d messages", most);
    if (rc < 0)
        return rc;
    rc = take(queue, timeout_ms, &found);
    if (rc != MMF_OK)
        return rc;
    mmf_channel_show(&found, &messages[0]);
    while (taken < most && mmf_ring_take(queue->channel.ring, &found) == MMF_STEP_DONE)
        mmf_channel_show(&found, &messages[taken++]);
    *count = taken;
    return MMF_OK;
}

static int
fail_not_held(uint64_t sequence)
{
    return mmf_fail(MMF_E_STATE,
                    "this handle does not hold message %llu; a queue made with "
                    "MMF_CHANNEL_SPSC releases in order",
                    (unsigned long long)sequence);
}

static APART int
release_slowly(mmf_queue *queue, const mmf_message *message)
{
    int rc;

    if (goes_plainly(queue, MMF_ROLE_RECEIVE, 0) && message != NULL &&
        mmf_ring_release(queue->channel.ring, message->sequence))
        return mmf_ring_has_waiting_senders(queue->channel.ring) ? tell_senders(queue)
                                                                 : MMF_OK;
    rc = check(queue, MMF_ROLE_RECEIVE);
    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    if (!mmf_ring_release(queue->channel.ring, message->sequence))
        return fail_not_held(message->sequence);
    return tell_senders(queue);
}

int
mmf_queue_release(mmf_queue *queue, const mmf_message *message)
{
    if (!goes_straight(queue, MMF_ROLE_RECEIVE, 0) || message == NULL ||
        !mmf_ring_spsc_release(queue->channel.ring, message->sequence))
        return release_slowly(queue, message);
    return mmf_ring_has_waiting_senders(queue->channel.ring) ? tell_senders(queue)
                                                             : MMF_OK;
}

int
mmf_queue_release_many(mmf_queue *queue, const mmf_message *messages, int32_t count)
{
    struct mmf_ring *ring;
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK && count < 0)
        rc = mmf_fail_argument(MMF_E_RANGE, "count", "%d messages", count);
    if (rc == MMF_OK && messages == NULL && count > 0)
        rc = mmf_fail_argument(MMF_E_NULL, "messages", "messages is NULL");
    if (rc < 0)
        return rc;
    ring = queue->channel.ring;
    for (int32_t i = 0; i < count; i++) {
        if (!mmf_ring_holds(ring, messages[i].sequence, (uint64_t)i))
            return fail_not_held(messages[i].sequence);
    }
    for (int32_t i = 0; i < count; i++)
        mmf_ring_release(ring, messages[i].sequence);
    if (count > 0)
        mmf_ring_notify_senders(ring, count, queue->channel.ops);
    return MMF_OK;
}

/* A single consumer releases in order: what it receives must be the oldest it has. */
static int
check_order(const mmf_queue *queue)
{
    const struct mmf_ring *ring = queue->channel.ring;
    uint64_t next = queue->has_pending ? queue->pending.index : ring->cursor;

    if (!ring->shape.is_spsc ||
        mmf_load_relaxed_u64(&ring->shared->head) == next)
        return MMF_OK;
    return mmf_fail(MMF_E_STATE, "a queue made with MMF_CHANNEL_SPSC releases in "
                                 "order: release what is peeked first");
}

static void
show_copy(const struct mmf_ring_message *found, void *buffer, int64_t *length,
          mmf_message *message)
{
    *length = (int64_t)found->length;
    if (message == NULL)
        return;
    mmf_channel_show(found, message);
    message->bytes = buffer;
}

static APART int
receive_slowly(mmf_queue *queue, void *buffer, int64_t capacity, int32_t timeout_ms,
               int64_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check_receive(queue, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK)
        rc = check_order(queue);
    if (rc < 0)
        return rc;
    rc = take(queue, timeout_ms, &found);
    if (rc == MMF_OK && found.length > (uint64_t)capacity) {
        queue->pending = found;
        queue->has_pending = 1;
        rc = mmf_channel_fail_small(&found, capacity);
    }
    choose_way(queue);
    if (rc != MMF_OK)
        return rc;
    if (found.length > 0)
        memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_ring_release(queue->channel.ring, found.index);
    show_copy(&found, buffer, length, message);
    return tell_senders(queue);
}

/* A single consumer has nothing in hand, and the next message is there. */
static inline int
can_receive(mmf_queue *queue, int32_t timeout_ms, struct mmf_ring_message *found)
{
    struct mmf_ring *ring = queue->channel.ring;

    return mmf_load_relaxed_u64(&ring->shared->head) == ring->cursor &&
           (mmf_ring_spsc_has_message(ring) || look_for_next(queue, timeout_ms)) &&
           read_next(ring, found);
}

/* The message goes to the caller with its release: it need not be noted as taken. */
int
mmf_queue_receive(mmf_queue *queue, void *buffer, int64_t capacity, int32_t timeout_ms,
                  int64_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    struct mmf_ring *ring;

    if (!goes_straight(queue, MMF_ROLE_RECEIVE, timeout_ms) || buffer == NULL ||
        capacity < 0 || length == NULL || !can_receive(queue, timeout_ms, &found) ||
        found.length > (uint64_t)capacity)
        return receive_slowly(queue, buffer, capacity, timeout_ms, length, message);
    ring = queue->channel.ring;
    memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_ring_spsc_advance(ring);
    mmf_ring_spsc_release(ring, found.index);
    if (mmf_ring_spsc_is_sample(ring))
        mmf_ring_spsc_keep_distance(ring);
    show_copy(&found, buffer, length, message);
    return mmf_ring_has_waiting_senders(ring) ? tell_senders(queue) : MMF_OK;
}

int
mmf_queue_fd(mmf_queue *queue, int *fd)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_fd(&queue->channel, fd);
    if (rc == MMF_OK)
        choose_way(queue);
    return rc;
}

int
mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats)
{
    int rc = check(queue, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&queue->channel, stats);
}
