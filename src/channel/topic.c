/*
 * topic.c - messages that each go to every subscriber.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/topic.h>

#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"

struct mmf_topic {
    struct mmf_channel channel;
    uint64_t peeked; /* index */
    int has_peeked;
};

/*
 * Handles.
 */

static int
make_handle(mmf_topic **out, mmf_topic **topic)
{
    if (out == NULL)
        return mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
    *topic = calloc(1, sizeof(**topic));
    if (*topic == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a topic handle");
    return MMF_OK;
}

static struct mmf_channel_request
request_for(const char *name)
{
    return (struct mmf_channel_request){
        .name = name, .kind = MMF_KIND_TOPIC, .flags_known = MMF_CHANNEL_PEER_CLOSED};
}

int
mmf_topic_create_or_open(const char *name, int64_t message_size, int64_t capacity,
                 mmf_overflow overflow, const mmf_channel_options *options,
                 int *created_new, mmf_topic **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_topic *topic;
    int created;
    int rc = make_handle(out, &topic);

    if (rc < 0)
        return rc;
    request.message_size = message_size;
    /* With one slot a publisher at work would leave nothing to read. */
    request.capacity = capacity == 1 ? 2 : capacity;
    request.overflow = overflow;
    rc = mmf_channel_create(&request, options, &topic->channel, &created);
    if (rc < 0) {
        free(topic);
        return rc;
    }
    if (created_new != NULL)
        *created_new = created;
    *out = topic;
    return MMF_OK;
}

int
mmf_topic_open_existing(const char *name, const mmf_channel_options *options, mmf_topic **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_topic *topic;
    int rc = make_handle(out, &topic);

    if (rc < 0)
        return rc;
    rc = mmf_channel_open(&request, options, &topic->channel);
    if (rc < 0) {
        free(topic);
        return rc;
    }
    *out = topic;
    return MMF_OK;
}

void
mmf_topic_close(mmf_topic *topic)
{
    if (topic == NULL)
        return;
    mmf_channel_close(&topic->channel);
    free(topic);
}

static int
check(const mmf_topic *topic, mmf_role role)
{
    if (topic == NULL)
        return mmf_fail_argument(MMF_E_NULL, "topic", "the topic is NULL");
    return mmf_channel_check(&topic->channel, role);
}

/*
 * Publishing.
 */

int
mmf_topic_reserve(mmf_topic *topic, int64_t length, int32_t timeout_ms, void **bytes)
{
    int rc = check(topic, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_reserve_checked(&topic->channel, length, timeout_ms,
                                                bytes);
}

int
mmf_topic_commit(mmf_topic *topic, int64_t length)
{
    int rc = check(topic, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_commit(&topic->channel, length, MMF_RING_ALL);
}

int
mmf_topic_abandon(mmf_topic *topic)
{
    int rc = check(topic, MMF_ROLE_SEND);

    if (rc == MMF_OK)
        rc = mmf_channel_abandon(&topic->channel);
    if (rc == MMF_OK) /* subscribers may have waited for it */
        mmf_ring_notify_receivers(topic->channel.ring, MMF_RING_ALL, topic->channel.ops);
    return rc;
}

int
mmf_topic_send(mmf_topic *topic, const void *bytes, int64_t length,
                  int32_t timeout_ms)
{
    int rc = check(topic, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_send(&topic->channel, bytes, length, timeout_ms,
                                     MMF_RING_ALL);
}

int
mmf_topic_send_many(mmf_topic *topic, const mmf_buffer *messages, int32_t count,
                       int32_t timeout_ms, int32_t *published)
{
    int rc = check(topic, MMF_ROLE_SEND);

    return rc < 0 ? rc
                  : mmf_channel_send_many(&topic->channel, messages, count, timeout_ms,
                                          1, published);
}

/*
 * Subscribing.
 */

struct reading {
    struct mmf_ring *ring;
    struct mmf_ring_message *message;
};

static enum mmf_step
attempt_next(void *payload)
{
    struct reading *wanted = payload;

    return mmf_ring_next(wanted->ring, wanted->message);
}

static int
find_next(mmf_topic *topic, int64_t deadline, struct mmf_ring_message *message)
{
    struct mmf_channel *channel = &topic->channel;
    struct reading wanted = {.ring = channel->ring, .message = message};

    if (!channel->has_fd && mmf_ring_next(channel->ring, message) == MMF_STEP_DONE)
        return MMF_OK;
    return mmf_channel_wait(channel, MMF_ROLE_RECEIVE, deadline, attempt_next, &wanted);
}

/* Go on behind it; publishers may have waited for that. */
static void
go_on(mmf_topic *topic)
{
    struct mmf_channel *channel = &topic->channel;

    mmf_ring_advance(channel->ring);
    if (channel->ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST)
        mmf_ring_notify_senders(channel->ring, MMF_RING_ALL, channel->ops);
}

static int
check_receive(const mmf_topic *topic, int32_t timeout_ms)
{
    int rc = check(topic, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc == MMF_OK && topic->has_peeked)
        rc = mmf_fail(MMF_E_STATE, "this handle has peeked message %llu: release it",
                      (unsigned long long)topic->peeked);
    return rc;
}

int
mmf_topic_take(mmf_topic *topic, int32_t timeout_ms, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check_receive(topic, timeout_ms);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    if (rc < 0)
        return rc;
    rc = find_next(topic, mmf_ring_deadline(topic->channel.ops, timeout_ms), &found);
    if (rc != MMF_OK)
        return rc;
    topic->peeked = found.index;
    topic->has_peeked = 1;
    mmf_channel_show(&found, message);
    return MMF_OK;
}

int
mmf_topic_release(mmf_topic *topic)
{
    int rc = check(topic, MMF_ROLE_RECEIVE);
    int is_whole;

    if (rc < 0)
        return rc;
    if (!topic->has_peeked)
        return mmf_fail(MMF_E_STATE, "nothing is peeked");
    topic->has_peeked = 0;
    is_whole = mmf_ring_still_valid(topic->channel.ring, topic->peeked);
    go_on(topic);
    return is_whole ? MMF_OK : MMF_OVERWRITTEN;
}

int
mmf_topic_receive(mmf_topic *topic, void *buffer, int64_t capacity, int32_t timeout_ms,
                  int64_t *length, mmf_message *message)
{
    struct mmf_ring_message found;
    int64_t deadline;
    int rc = check_receive(topic, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc < 0)
        return rc;
    deadline = mmf_ring_deadline(topic->channel.ops, timeout_ms);
    do {
        rc = find_next(topic, deadline, &found);
        if (rc != MMF_OK)
            return rc;
        if (found.length > 0 && found.length <= (uint64_t)capacity)
            mmf_copy_changing(buffer, found.bytes, (size_t)found.length);
    } while (!mmf_ring_still_valid(topic->channel.ring, found.index));
    if (found.length > (uint64_t)capacity)
        return mmf_channel_fail_small(&found, capacity);
    go_on(topic);
    *length = (int64_t)found.length;
    if (message != NULL) {
        mmf_channel_show(&found, message);
        message->bytes = buffer;
    }
    return MMF_OK;
}

int
mmf_topic_fd(mmf_topic *topic, int *fd)
{
    int rc = check(topic, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_fd(&topic->channel, fd);
}

int
mmf_topic_stat(mmf_topic *topic, mmf_channel_stats *stats)
{
    int rc = check(topic, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&topic->channel, stats);
}
