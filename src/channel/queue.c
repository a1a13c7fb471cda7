/*
 * queue.c - messages that each go to one consumer.
 *
 * Each hot call has two paths. The fast path is for a queue with MMF_CHANNEL_SPSC: it
 * asks, in as few instructions as possible, whether everything is as it should be (no
 * mistake of the caller's, the handle alive after fork, a free slot or a message there,
 * none that is redelivered) and does one step of spsc.h. Anything else, and a queue for
 * many, takes the general path, which finds out what to do.
 */
#include <mmf/queue.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"
#include "shared/ring/spsc.h"

struct mmf_queue {
    struct mmf_channel channel;
    /* Taken, but larger than the caller's buffer: it comes next. */
    struct mmf_ring_message pending;
    bool has_pending;
};

/* After what may have changed it. */
static void
choose_path(mmf_queue *queue)
{
    struct mmf_channel *channel = &queue->channel;
    const struct mmf_ring *ring = channel->ring;

    channel->fast = ring->shape.is_spsc ? channel->role : 0;
    if (queue->has_pending || channel->has_fd ||
        mmf_index_difference(ring->cursor, ring->redelivered_until) < 0)
        channel->fast &= ~(mmf_role)MMF_ROLE_RECEIVE;
}

/*
 * Handles.
 */

static bool
has_message(struct mmf_channel *channel)
{
    const struct mmf_queue *queue = (const struct mmf_queue *)channel;

    return queue->has_pending || mmf_ring_has_message(channel->ring);
}

const struct mmf_channel_kind mmf_queues = {
    .kind = MMF_KIND_QUEUE,
    .wakes = 1,
    .flags_known = MMF_CHANNEL_SPSC | MMF_CHANNEL_PEER_CLOSED,
    .handle_size = sizeof(struct mmf_queue),
    .has_message = has_message,
};

static int
hand_over(int rc, mmf_queue **out)
{
    if (rc == MMF_OK)
        choose_path(*out);
    return rc;
}

int
mmf_queue_create_new(const char *name, size_t message_size, size_t capacity,
                     mmf_overflow overflow, const mmf_channel_options *options,
                     mmf_queue **out)
{
    const struct mmf_channel_sizes sizes = {message_size, capacity, overflow};
    int rc = mmf_channel_create_new(&mmf_queues, name, &sizes, options, out);

    return hand_over(rc, out);
}

int
mmf_queue_create_or_open(const char *name, size_t message_size, size_t capacity,
                         mmf_overflow overflow, const mmf_channel_options *options,
                         int *created, mmf_queue **out)
{
    const struct mmf_channel_sizes sizes = {message_size, capacity, overflow};
    int rc =
        mmf_channel_create_or_open(&mmf_queues, name, &sizes, options, created, out);

    return hand_over(rc, out);
}

int
mmf_queue_open_existing(const char *name, const mmf_channel_options *options,
                        mmf_queue **out)
{
    int rc = mmf_channel_open_existing(&mmf_queues, name, options, out);

    return hand_over(rc, out);
}

void
mmf_queue_close(mmf_queue *queue)
{
    if (queue != NULL)
        mmf_channel_close(&queue->channel);
}

static inline int
check(const mmf_queue *queue, mmf_role role)
{
    return queue != NULL ? mmf_channel_check(&queue->channel, role)
                         : mmf_fail_null("queue");
}

/*
 * Sending.
 */

/* Nothing is reserved, and `length` bytes can be at once. */
static inline bool
can_reserve(const struct mmf_ring *ring, size_t length)
{
    MMF_ASSERT(ring->shape.is_spsc && ring->sending != NULL);
    return !ring->has_reserved && length <= ring->shape.message_size &&
           mmf_ring_spsc_has_space(ring);
}

int
mmf_queue_reserve(mmf_queue *queue, size_t length, int32_t timeout_ms, void **bytes)
{
    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_SEND, timeout_ms) ||
        bytes == NULL || !can_reserve(queue->channel.ring, length))
        return mmf_channel_reserve(&mmf_queues, mmf_channel_of(queue), length,
                                   timeout_ms, bytes);
    queue->channel.reserved_size = length;
    *bytes = mmf_ring_spsc_reserve(queue->channel.ring, length);
    return MMF_OK;
}

int
mmf_queue_commit(mmf_queue *queue, size_t length, uint64_t *sequence)
{
    struct mmf_ring *ring;

    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_SEND, 0) ||
        !queue->channel.ring->has_reserved || length > queue->channel.reserved_size)
        return mmf_channel_commit(&mmf_queues, mmf_channel_of(queue), length, sequence);
    ring = queue->channel.ring;
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_spsc_commit(ring, length);
    return mmf_ring_has_waiting_receivers(ring)
               ? mmf_channel_notify_receivers(&queue->channel)
               : MMF_OK;
}

int
mmf_queue_abandon(mmf_queue *queue)
{
    return mmf_channel_abandon(&mmf_queues, mmf_channel_of(queue));
}

int
mmf_queue_send(mmf_queue *queue, const void *bytes, size_t length, int32_t timeout_ms,
               uint64_t *sequence)
{
    struct mmf_ring *ring;

    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_SEND, timeout_ms) ||
        bytes == NULL || !can_reserve(queue->channel.ring, length))
        return mmf_channel_send(&mmf_queues, mmf_channel_of(queue), bytes, length,
                                timeout_ms, sequence);
    ring = queue->channel.ring;
    memcpy(mmf_ring_spsc_reserve(ring, length), bytes, length);
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_spsc_commit(ring, length);
    return mmf_ring_has_waiting_receivers(ring)
               ? mmf_channel_notify_receivers(&queue->channel)
               : MMF_OK;
}

int
mmf_queue_send_many(mmf_queue *queue, const mmf_buffer *messages, size_t count,
                    int32_t timeout_ms, size_t *sent)
{
    return mmf_channel_send_many(&mmf_queues, mmf_channel_of(queue), messages, count,
                                 timeout_ms, sent);
}

/*
 * Finding the next message.
 */

/* The fast paths found nothing: wait for the next message. */
static MMF_NOINLINE int
wait_and_take(struct mmf_channel *channel, int32_t timeout_ms,
              struct mmf_ring_message *message)
{
    struct mmf_channel_wait wait = mmf_channel_wait_begin(
        channel, MMF_ROLE_RECEIVE, mmf_ring_deadline(channel->ops, timeout_ms));
    enum mmf_step step;

    MMF_ASSERT((channel->role & MMF_ROLE_RECEIVE) && timeout_ms >= -1);
    do
        step = mmf_ring_take(channel->ring, message);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

static inline bool
finds_next(const struct mmf_ring *ring)
{
    return ring->shape.is_spsc ? mmf_ring_spsc_has_message(ring)
                               : mmf_ring_poll(ring, 1);
}

/*
 * The one that is pending, or the next. `*now`, if wanted, is when: the clock is read
 * before a message is looked for, so that a consumer that spins does not read it once
 * the message is there.
 */
static int
take_next(mmf_queue *queue, int32_t timeout_ms, struct mmf_ring_message *message,
          int64_t *now)
{
    struct mmf_channel *channel = &queue->channel;
    int rc;

    MMF_ASSERT((channel->role & MMF_ROLE_RECEIVE) && timeout_ms >= -1);
    if (now != NULL)
        *now = mmf_os_now_roughly();
    if (queue->has_pending) {
        *message = queue->pending;
        queue->has_pending = false;
        return MMF_OK;
    }
    if (!channel->has_fd && (timeout_ms == 0 || finds_next(channel->ring) ||
                             mmf_channel_spin(channel, true))) {
        enum mmf_step step = mmf_ring_take(channel->ring, message);

        if (step == MMF_STEP_DONE)
            return MMF_OK;
        if (step == MMF_STEP_CORRUPT)
            return mmf_channel_fail_corrupt();
    }
    rc = wait_and_take(channel, timeout_ms, message);
    if (now != NULL)
        *now = mmf_os_now_roughly();
    return rc;
}

/* A consumer has the message from `now` on: mmf_queue_browse shows since when. */
static void
show_taken(const mmf_queue *queue, const struct mmf_ring_message *found, int64_t now,
           mmf_message *message)
{
    mmf_channel_show(found, message);
    if (mmf_ring_is_mpmc(queue->channel.ring))
        mmf_ring_note_taken(queue->channel.ring, found->index, now);
}

/* The fast path's: the message is there. false: its sizes are invalid. */
static inline bool
read_next(const struct mmf_ring *ring, struct mmf_ring_message *found)
{
    MMF_ASSERT(ring->shape.is_spsc && ring->receiving != NULL);
    return mmf_ring_read_sizes(ring, (const void *)ring->in.slot, ring->cursor,
                               found) == MMF_STEP_DONE;
}

static int
check_receive(const mmf_queue *queue, int32_t timeout_ms)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_check_timeout(timeout_ms);
}

/*
 * Taking in place.
 */

static MMF_NOINLINE int
take(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;
    int64_t now = 0;
    int rc = check_receive(queue, timeout_ms);

    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_null("message");
    rc = take_next(queue, timeout_ms, &found, &now);
    if (rc == MMF_OK)
        show_taken(queue, &found, now, message);
    choose_path(queue);
    return rc;
}

static MMF_NOINLINE int
notice_producer(const mmf_queue *queue)
{
    mmf_ring_keep_distance(queue->channel.ring);
    return MMF_OK;
}

static inline int
take_fast(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring *ring = queue->channel.ring;
    struct mmf_ring_message found;

    if (!read_next(ring, &found))
        return take(queue, timeout_ms, message);
    mmf_channel_show(&found, message);
    mmf_ring_spsc_advance(ring);
    mmf_ring_spsc_note_taken(ring);
    return mmf_ring_is_sample(ring) ? notice_producer(queue) : MMF_OK;
}

static MMF_NOINLINE int
spin_and_take(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    return mmf_channel_spin(&queue->channel, timeout_ms != 0)
               ? take_fast(queue, timeout_ms, message)
               : take(queue, timeout_ms, message);
}

int
mmf_queue_take(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_RECEIVE, timeout_ms) ||
        message == NULL)
        return take(queue, timeout_ms, message);
    return mmf_ring_spsc_has_message(queue->channel.ring)
               ? take_fast(queue, timeout_ms, message)
               : spin_and_take(queue, timeout_ms, message);
}

static int
check_take_many(const mmf_queue *queue, size_t most, int32_t timeout_ms,
                const mmf_message *messages, const size_t *count)
{
    int rc = check_receive(queue, timeout_ms);

    if (rc == MMF_OK && (messages == NULL || count == NULL))
        rc = mmf_fail_null(messages == NULL ? "messages" : "count");
    if (rc == MMF_OK && most == 0)
        rc = mmf_fail_argument(MMF_E_RANGE, "most", "invalid most 0: at least 1");
    return rc;
}

int
mmf_queue_take_many(mmf_queue *queue, size_t most, int32_t timeout_ms,
                    mmf_message *messages, size_t *count)
{
    struct mmf_ring_message found;
    size_t taken = 1;
    int64_t now = 0;
    int rc = check_take_many(queue, most, timeout_ms, messages, count);

    if (rc < 0)
        return rc;
    rc = take_next(queue, timeout_ms, &found, &now);
    if (rc == MMF_OK) {
        show_taken(queue, &found, now, &messages[0]);
        while (taken < most &&
               mmf_ring_take(queue->channel.ring, &found) == MMF_STEP_DONE)
            show_taken(queue, &found, now, &messages[taken++]);
        *count = taken;
    }
    choose_path(queue);
    return rc;
}

/*
 * Releasing.
 */

static int
fail_not_held(uint64_t sequence)
{
    return mmf_fail(MMF_E_STATE,
                    "this handle does not have message %llu in flight; a queue with "
                    "MMF_CHANNEL_SPSC releases in order",
                    (unsigned long long)sequence);
}

/* The message that is pending was not given to the caller. */
static bool
is_pending(const mmf_queue *queue, uint64_t sequence)
{
    return queue->has_pending &&
           mmf_index_difference(sequence, queue->pending.index) == 0;
}

static MMF_NOINLINE int
release(mmf_queue *queue, const mmf_message *message)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_null("message");
    if (is_pending(queue, message->sequence) ||
        !mmf_ring_release(queue->channel.ring, message->sequence))
        return fail_not_held(message->sequence);
    return mmf_ring_has_waiting_senders(queue->channel.ring)
               ? mmf_channel_notify_senders(&queue->channel)
               : MMF_OK;
}

int
mmf_queue_release(mmf_queue *queue, const mmf_message *message)
{
    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_RECEIVE, 0) ||
        message == NULL ||
        !mmf_ring_spsc_release(queue->channel.ring, message->sequence))
        return release(queue, message);
    return mmf_ring_has_waiting_senders(queue->channel.ring)
               ? mmf_channel_notify_senders(&queue->channel)
               : MMF_OK;
}

static int
check_release_many(const mmf_queue *queue, const mmf_message *messages, size_t count)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK && messages == NULL && count > 0)
        rc = mmf_fail_null("messages");
    for (size_t i = 0; i < count && rc == MMF_OK; i++) {
        if (is_pending(queue, messages[i].sequence) ||
            !mmf_ring_holds(queue->channel.ring, messages[i].sequence, i))
            rc = fail_not_held(messages[i].sequence);
    }
    return rc;
}

int
mmf_queue_release_many(mmf_queue *queue, const mmf_message *messages, size_t count)
{
    struct mmf_ring *ring;
    int rc = check_release_many(queue, messages, count);

    if (rc < 0)
        return rc;
    ring = queue->channel.ring;
    for (size_t i = 0; i < count; i++)
        mmf_ring_release(ring, messages[i].sequence);
    if (count > 0)
        mmf_ring_notify_senders(ring, count < MMF_RING_ALL ? (int)count : MMF_RING_ALL,
                                queue->channel.ops);
    return MMF_OK;
}

int
mmf_queue_return(mmf_queue *queue, const mmf_message *message)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_null("message");
    if (queue->channel.ring->shape.is_spsc)
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "a queue with MMF_CHANNEL_SPSC has no other consumer to return "
                        "a message to: release it");
    if (is_pending(queue, message->sequence) ||
        !mmf_ring_return(queue->channel.ring, message->sequence))
        return fail_not_held(message->sequence);
    return mmf_channel_notify_receivers(&queue->channel);
}

/*
 * Draining. A release wakes all that sleep for space while there is a drainer; one that
 * is killed leaves the count up, which costs wake-ups and nothing else.
 */

static int
wait_until_drained(mmf_queue *queue, int32_t timeout_ms)
{
    struct mmf_channel *channel = &queue->channel;
    struct mmf_channel_wait wait = mmf_channel_wait_begin(
        channel, MMF_ROLE_SEND, mmf_ring_deadline(channel->ops, timeout_ms));
    uint64_t target = mmf_load_acquire_u64(&channel->ring->shared->tail);
    uint64_t position = 0;
    enum mmf_step step;

    wait.drains = true;
    do
        step = mmf_ring_is_drained(channel->ring, target, &position)
                   ? MMF_STEP_DONE
                   : MMF_STEP_WOULD_BLOCK;
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

int
mmf_queue_drain(mmf_queue *queue, int32_t timeout_ms)
{
    mmf_atomic_u32 *drainers;
    int rc = check(queue, MMF_ROLE_SEND);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc < 0)
        return rc;
    drainers = &queue->channel.ring->shared->drainers;
    mmf_add_release_u32(drainers, 1);
    rc = wait_until_drained(queue, timeout_ms);
    mmf_add_release_u32(drainers, UINT32_MAX);
    return rc;
}

/*
 * Copies.
 */

/* An SPSC consumer releases in order: what it receives must be the oldest it has. */
static int
check_order(const mmf_queue *queue)
{
    const struct mmf_ring *ring = queue->channel.ring;
    uint64_t next = queue->has_pending ? queue->pending.index : ring->cursor;

    MMF_ASSERT(queue->channel.role & MMF_ROLE_RECEIVE);
    if (!ring->shape.is_spsc || mmf_load_relaxed_u64(&ring->shared->head) == next)
        return MMF_OK;
    return mmf_fail(MMF_E_STATE, "a queue with MMF_CHANNEL_SPSC releases in order: "
                                 "release what is taken first");
}

static MMF_NOINLINE int
receive(mmf_queue *queue, void *buffer, size_t capacity, int32_t timeout_ms,
        size_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check_receive(queue, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK)
        rc = check_order(queue);
    if (rc < 0)
        return rc;
    rc = take_next(queue, timeout_ms, &found, NULL);
    if (rc == MMF_OK && found.length > capacity) {
        queue->pending = found;
        queue->has_pending = true;
        rc = mmf_channel_fail_small(&found, capacity);
    }
    choose_path(queue);
    if (rc != MMF_OK)
        return rc;
    MMF_ASSERT(buffer != NULL || found.length == 0); /* as capacity would be */
    if (found.length > 0)
        memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_ring_release(queue->channel.ring, found.index);
    mmf_channel_show_copy(&found, buffer, length, message);
    return mmf_channel_notify_senders(&queue->channel);
}

/* The consumer has nothing in flight, and the next message is there. */
static inline bool
can_receive(mmf_queue *queue, int32_t timeout_ms, struct mmf_ring_message *found)
{
    struct mmf_ring *ring = queue->channel.ring;

    MMF_ASSERT(ring->shape.is_spsc && !queue->has_pending);
    return mmf_load_relaxed_u64(&ring->shared->head) == ring->cursor &&
           (mmf_ring_spsc_has_message(ring) ||
            mmf_channel_spin(&queue->channel, timeout_ms != 0)) &&
           read_next(ring, found);
}

/* The caller gets the message with its release: it need not be noted as taken. */
int
mmf_queue_receive(mmf_queue *queue, void *buffer, size_t capacity, int32_t timeout_ms,
                  size_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    struct mmf_ring *ring;

    if (!mmf_channel_is_fast(mmf_channel_of(queue), MMF_ROLE_RECEIVE, timeout_ms) ||
        buffer == NULL || length == NULL || !can_receive(queue, timeout_ms, &found) ||
        found.length > capacity)
        return receive(queue, buffer, capacity, timeout_ms, length, message);
    ring = queue->channel.ring;
    memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_ring_spsc_advance(ring);
    mmf_ring_spsc_release(ring, found.index);
    if (mmf_ring_is_sample(ring))
        mmf_ring_keep_distance(ring);
    mmf_channel_show_copy(&found, buffer, length, message);
    return mmf_ring_has_waiting_senders(ring)
               ? mmf_channel_notify_senders(&queue->channel)
               : MMF_OK;
}

/*
 * The rest.
 */

mmf_waitable *
mmf_queue_waitable(mmf_queue *queue)
{
    return queue != NULL ? &queue->channel.waitable : NULL;
}

int
mmf_queue_fd(mmf_queue *queue, int *fd)
{
    return queue != NULL ? mmf_waitable_fd(mmf_queue_waitable(queue), fd)
                         : mmf_fail_null("queue");
}

int
mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats)
{
    int rc = check(queue, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&queue->channel, stats);
}
