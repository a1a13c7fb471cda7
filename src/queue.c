/*
 * queue.c - messages that each go to one consumer.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/queue.h>

#include "base/fail.h"
#include "channel.h"
#include "channel_send.h"

struct mmf_queue {
    struct mmf_channel channel;
    /* Taken, but larger than the caller's buffer: it comes next. */
    struct mmf_ring_message pending;
    int has_pending;
};

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
                                            MMF_CHANNEL_SINGLE | MMF_CHANNEL_PEER_GONE};
}

int
mmf_queue_create(const char *name, int64_t message_size, int64_t message_count,
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
    request.message_count = message_count;
    request.overflow = overflow;
    rc = mmf_channel_create(&request, options, &queue->channel, &created);
    if (rc < 0) {
        free(queue);
        return rc;
    }
    if (created_new != NULL)
        *created_new = created;
    *out = queue;
    return MMF_OK;
}

int
mmf_queue_open(const char *name, const mmf_channel_options *options, mmf_queue **out)
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

int
mmf_queue_reserve(mmf_queue *queue, int64_t length, int32_t timeout_ms, void **bytes)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_reserve_checked(&queue->channel, length, timeout_ms,
                                                bytes);
}

int
mmf_queue_commit(mmf_queue *queue, int64_t length)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_commit(&queue->channel, length, 1);
}

int
mmf_queue_abandon(mmf_queue *queue)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_abandon(&queue->channel);
}

int
mmf_queue_send(mmf_queue *queue, const void *bytes, int64_t length, int32_t timeout_ms)
{
    int rc = check(queue, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_send(&queue->channel, bytes, length, timeout_ms, 1);
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

static enum mmf_ring_answer
attempt_take(void *payload)
{
    struct taking *wanted = payload;

    return mmf_ring_take(wanted->ring, wanted->message);
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
    if (!channel->has_fd && mmf_ring_take(channel->ring, message) == MMF_RING_DONE)
        return MMF_OK;
    return mmf_channel_wait(channel, MMF_ROLE_RECEIVE,
                            mmf_ring_deadline(channel->ops, timeout_ms), attempt_take,
                            &wanted);
}

static int
check_receive(const mmf_queue *queue, int32_t timeout_ms)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_check_timeout(timeout_ms);
}

int
mmf_queue_peek(mmf_queue *queue, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check_receive(queue, timeout_ms);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    if (rc < 0)
        return rc;
    rc = take(queue, timeout_ms, &found);
    if (rc == MMF_OK)
        mmf_channel_show(&found, message);
    return rc;
}

int
mmf_queue_peek_many(mmf_queue *queue, int32_t most, int32_t timeout_ms,
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
    while (taken < most && mmf_ring_take(queue->channel.ring, &found) == MMF_RING_DONE)
        mmf_channel_show(&found, &messages[taken++]);
    *count = taken;
    return MMF_OK;
}

static int
fail_not_held(uint64_t sequence)
{
    return mmf_fail(MMF_E_STATE,
                    "this handle does not hold message %llu; a queue made with "
                    "MMF_CHANNEL_SINGLE releases in order",
                    (unsigned long long)sequence);
}

int
mmf_queue_release(mmf_queue *queue, const mmf_message *message)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    if (rc < 0)
        return rc;
    if (!mmf_ring_release(queue->channel.ring, message->sequence))
        return fail_not_held(message->sequence);
    mmf_ring_tell_senders(queue->channel.ring, 1, queue->channel.ops);
    return MMF_OK;
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
        mmf_ring_tell_senders(ring, count, queue->channel.ops);
    return MMF_OK;
}

/* A single consumer releases in order: what it receives must be the oldest it has. */
static int
check_order(const mmf_queue *queue)
{
    const struct mmf_ring *ring = queue->channel.ring;
    uint64_t next = queue->has_pending ? queue->pending.index : ring->cursor;

    if (ring->shape.kind != MMF_RING_SINGLE ||
        mmf_load_relaxed_u64(&ring->shared->head) == next)
        return MMF_OK;
    return mmf_fail(MMF_E_STATE, "a queue made with MMF_CHANNEL_SINGLE releases in "
                                 "order: release what is peeked first");
}

int
mmf_queue_receive(mmf_queue *queue, void *buffer, int64_t capacity, int32_t timeout_ms,
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
    if (rc != MMF_OK)
        return rc;
    if (found.length > (uint64_t)capacity) {
        queue->pending = found;
        queue->has_pending = 1;
        return mmf_channel_fail_small(&found, capacity);
    }
    if (found.length > 0)
        memcpy(buffer, found.bytes, (size_t)found.length);
    mmf_ring_release(queue->channel.ring, found.index);
    mmf_ring_tell_senders(queue->channel.ring, 1, queue->channel.ops);
    *length = (int64_t)found.length;
    if (message != NULL) {
        mmf_channel_show(&found, message);
        message->bytes = buffer;
    }
    return MMF_OK;
}

int
mmf_queue_fd(mmf_queue *queue, int *fd)
{
    int rc = check(queue, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_fd(&queue->channel, fd);
}

int
mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats)
{
    int rc = check(queue, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&queue->channel, stats);
}
