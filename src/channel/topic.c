/*
 * topic.c - messages that each go to every subscriber.
 *
 * As in queue.c each hot call has two paths. The fast one is for a single publisher that
 * knows of free slots, and for a subscriber for which publishers wait, and which has a
 * message there.
 */
#include <mmf/topic.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"
#include "shared/ring/topic.h"

struct mmf_topic {
    struct mmf_channel channel;
    uint64_t taken; /* index */
    bool has_taken;
};

/* So often a message is read anew that was overwritten meanwhile, whatever the timeout. */
enum { TRIES = 4 };

/*
 * Handles.
 */

/*
 * Looking moves the cursor over what was lost or abandoned, as taking does. It stays at a
 * message that is taken, which the release moves past; a take answers at once, too.
 */
static bool
has_message(struct mmf_channel *channel)
{
    const struct mmf_topic *topic = (const struct mmf_topic *)channel;
    struct mmf_ring_message ignored;

    return topic->has_taken ||
           mmf_ring_next(channel->ring, &ignored) != MMF_STEP_WOULD_BLOCK;
}

const struct mmf_channel_kind mmf_topics = {
    .kind = MMF_KIND_TOPIC,
    .wakes = MMF_RING_ALL,
    .flags_known = MMF_CHANNEL_SINGLE_PRODUCER | MMF_CHANNEL_PEER_CLOSED,
    .handle_size = sizeof(struct mmf_topic),
    .has_message = has_message,
};

int
mmf_topic_create_new(const char *name, size_t message_size, size_t capacity,
                     mmf_overflow overflow, const mmf_channel_options *options,
                     mmf_topic **out)
{
    const struct mmf_channel_sizes sizes = {message_size, capacity, overflow};

    return mmf_channel_create_new(&mmf_topics, name, &sizes, options, out);
}

int
mmf_topic_create_or_open(const char *name, size_t message_size, size_t capacity,
                         mmf_overflow overflow, const mmf_channel_options *options,
                         int *created, mmf_topic **out)
{
    const struct mmf_channel_sizes sizes = {message_size, capacity, overflow};

    return mmf_channel_create_or_open(&mmf_topics, name, &sizes, options, created, out);
}

int
mmf_topic_open_existing(const char *name, const mmf_channel_options *options,
                        mmf_topic **out)
{
    return mmf_channel_open_existing(&mmf_topics, name, options, out);
}

void
mmf_topic_close(mmf_topic *topic)
{
    if (topic != NULL)
        mmf_channel_close(&topic->channel);
}

static inline int
check(const mmf_topic *topic, mmf_role role)
{
    return topic != NULL ? mmf_channel_check(&topic->channel, role)
                         : mmf_fail_null("topic");
}

/*
 * Publishing.
 */

/* Nothing is reserved, and `length` bytes can be at once. */
static inline bool
can_reserve(const struct mmf_ring *ring, size_t length)
{
    return ring->out.ahead > 0 && !ring->has_reserved &&
           length <= ring->shape.message_size;
}

int
mmf_topic_reserve(mmf_topic *topic, size_t length, int32_t timeout_ms, void **bytes)
{
    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_SEND, timeout_ms) ||
        bytes == NULL || !can_reserve(topic->channel.ring, length))
        return mmf_channel_reserve(&mmf_topics, mmf_channel_of(topic), length,
                                   timeout_ms, bytes);
    topic->channel.reserved_size = length;
    *bytes = mmf_ring_reserve_next(topic->channel.ring, length);
    return MMF_OK;
}

int
mmf_topic_commit(mmf_topic *topic, size_t length, uint64_t *sequence)
{
    struct mmf_ring *ring;

    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_SEND, 0) ||
        !topic->channel.ring->has_reserved || length > topic->channel.reserved_size)
        return mmf_channel_commit(&mmf_topics, mmf_channel_of(topic), length, sequence);
    ring = topic->channel.ring;
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_commit_slot(ring, length);
    return mmf_ring_has_waiting_receivers(ring)
               ? mmf_channel_notify_receivers(&topic->channel)
               : MMF_OK;
}

int
mmf_topic_abandon(mmf_topic *topic)
{
    return mmf_channel_abandon(&mmf_topics, mmf_channel_of(topic));
}

int
mmf_topic_send(mmf_topic *topic, const void *bytes, size_t length, int32_t timeout_ms,
               uint64_t *sequence)
{
    struct mmf_ring *ring;

    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_SEND, timeout_ms) ||
        bytes == NULL || !can_reserve(topic->channel.ring, length))
        return mmf_channel_send(&mmf_topics, mmf_channel_of(topic), bytes, length,
                                timeout_ms, sequence);
    ring = topic->channel.ring;
    memcpy(mmf_ring_reserve_next(ring, length), bytes, length);
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_commit_slot(ring, length);
    return mmf_ring_has_waiting_receivers(ring)
               ? mmf_channel_notify_receivers(&topic->channel)
               : MMF_OK;
}

int
mmf_topic_send_many(mmf_topic *topic, const mmf_buffer *messages, size_t count,
                    int32_t timeout_ms, size_t *sent)
{
    return mmf_channel_send_many(&mmf_topics, mmf_channel_of(topic), messages, count,
                                 timeout_ms, sent);
}

/*
 * Subscribing.
 */

static int
find_next(mmf_topic *topic, int64_t deadline, struct mmf_ring_message *message)
{
    struct mmf_channel *channel = &topic->channel;
    struct mmf_channel_wait wait;
    enum mmf_step step;

    MMF_ASSERT((channel->role & MMF_ROLE_RECEIVE) && !topic->has_taken);
    if (!channel->has_fd &&
        (deadline == MMF_RING_POLL || mmf_ring_poll(channel->ring, 1) ||
         mmf_channel_spin(channel, true)) &&
        mmf_ring_next(channel->ring, message) == MMF_STEP_DONE)
        return MMF_OK;
    wait = mmf_channel_wait_begin(channel, MMF_ROLE_RECEIVE, deadline);
    do
        step = mmf_ring_next(channel->ring, message);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

/* A message was overwritten while it was read, `times` in a row. False: the timeout is
 * over, and it was tried a few times. */
static bool
may_try_again(mmf_topic *topic, int64_t deadline, int times)
{
    const struct mmf_ring_ops *ops = topic->channel.ops;

    mmf_ring_overtaken(topic->channel.ring, times);
    return times < TRIES || ops->now(ops->context) < deadline;
}

/* Find the next message, and pin it if the topic has pins. */
static int
find_and_pin(mmf_topic *topic, int64_t deadline, struct mmf_ring_message *message)
{
    for (int times = 1;; times++) {
        int rc = find_next(topic, deadline, message);

        if (rc == MMF_OK && topic->channel.ring->shape.max_pins != 0)
            rc = mmf_channel_pin(&topic->channel, message->index);
        if (rc != MMF_OVERWRITTEN)
            return rc;
        if (!may_try_again(topic, deadline, times))
            return MMF_TIMED_OUT;
    }
}

/* Move past it; publishers may have waited for that. */
static inline int
move_past(mmf_topic *topic)
{
    struct mmf_ring *ring = topic->channel.ring;

    MMF_ASSERT((topic->channel.role & MMF_ROLE_RECEIVE) && !topic->has_taken);
    mmf_ring_advance(ring);
    return mmf_ring_has_waiting_senders(ring)
               ? mmf_channel_notify_senders(&topic->channel)
               : MMF_OK;
}

/* The fast path's: a message is there that stays until the handle moves past it. */
static inline bool
find_what_stays(const mmf_topic *topic, struct mmf_ring_message *found)
{
    const struct mmf_ring *ring = topic->channel.ring;

    return !topic->has_taken && mmf_ring_is_waited_for(ring) &&
           mmf_ring_find_next(ring, found);
}

static int
check_receive(const mmf_topic *topic, int32_t timeout_ms)
{
    int rc = check(topic, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc == MMF_OK && topic->has_taken)
        rc = mmf_fail(MMF_E_STATE, "this handle has taken message %llu: release it",
                      (unsigned long long)topic->taken);
    return rc;
}

static void
show_taken(mmf_topic *topic, const struct mmf_ring_message *found, mmf_message *message)
{
    topic->taken = found->index;
    topic->has_taken = true;
    mmf_channel_show(found, message);
}

static MMF_NOINLINE int
take(mmf_topic *topic, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check_receive(topic, timeout_ms);

    if (rc < 0)
        return rc;
    if (message == NULL)
        return mmf_fail_null("message");
    rc = find_and_pin(topic, mmf_ring_deadline(topic->channel.ops, timeout_ms), &found);
    if (rc == MMF_OK)
        show_taken(topic, &found, message);
    return rc;
}

int
mmf_topic_take(mmf_topic *topic, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;

    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_RECEIVE, timeout_ms) ||
        message == NULL || !find_what_stays(topic, &found))
        return take(topic, timeout_ms, message);
    show_taken(topic, &found, message);
    return MMF_OK;
}

static MMF_NOINLINE int
release(mmf_topic *topic)
{
    int rc = check(topic, MMF_ROLE_RECEIVE);
    bool is_valid;

    if (rc < 0)
        return rc;
    if (!topic->has_taken)
        return mmf_fail(MMF_E_STATE, "nothing is taken");
    topic->has_taken = false;
    is_valid = topic->channel.ring->pin != NULL ||
               mmf_ring_still_valid(topic->channel.ring, topic->taken);
    if (topic->channel.ring->pin != NULL)
        mmf_ring_unpin(topic->channel.ring);
    move_past(topic);
    return is_valid ? MMF_OK : MMF_OVERWRITTEN;
}

int
mmf_topic_release(mmf_topic *topic)
{
    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_RECEIVE, 0) ||
        !topic->has_taken || !mmf_ring_is_waited_for(topic->channel.ring))
        return release(topic);
    topic->has_taken = false;
    return move_past(topic);
}

static MMF_NOINLINE int
receive(mmf_topic *topic, void *buffer, size_t capacity, int32_t timeout_ms,
        size_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    int64_t deadline;
    int rc = check_receive(topic, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc < 0)
        return rc;
    deadline = mmf_ring_deadline(topic->channel.ops, timeout_ms);
    for (int times = 1;; times++) {
        rc = find_next(topic, deadline, &found);
        if (rc != MMF_OK)
            return rc;
        MMF_ASSERT(length != NULL && (buffer != NULL || capacity == 0));
        if (found.length > 0 && found.length <= capacity)
            mmf_copy_changing(buffer, found.bytes, (size_t)found.length);
        if (mmf_ring_still_valid(topic->channel.ring, found.index))
            break;
        if (!may_try_again(topic, deadline, times))
            return MMF_TIMED_OUT;
    }
    if (found.length > capacity)
        return mmf_channel_fail_small(&found, capacity);
    mmf_channel_show_copy(&found, buffer, length, message);
    return move_past(topic);
}

int
mmf_topic_receive(mmf_topic *topic, void *buffer, size_t capacity, int32_t timeout_ms,
                  size_t *length, mmf_message *message)
{
    struct mmf_ring_message found;

    if (!mmf_channel_is_fast(mmf_channel_of(topic), MMF_ROLE_RECEIVE, timeout_ms) ||
        buffer == NULL || length == NULL || !find_what_stays(topic, &found) ||
        found.length > capacity)
        return receive(topic, buffer, capacity, timeout_ms, length, message);
    memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_channel_show_copy(&found, buffer, length, message);
    return move_past(topic);
}

mmf_waitable *
mmf_topic_waitable(mmf_topic *topic)
{
    return topic != NULL ? &topic->channel.waitable : NULL;
}

int
mmf_topic_fd(mmf_topic *topic, int *fd)
{
    return topic != NULL ? mmf_waitable_fd(mmf_topic_waitable(topic), fd)
                         : mmf_fail_null("topic");
}

int
mmf_topic_stat(mmf_topic *topic, mmf_channel_stats *stats)
{
    int rc = check(topic, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&topic->channel, stats);
}
