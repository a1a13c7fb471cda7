/*
 * transfer.c - sending in place, as copies, and several messages with one call.
 */
#include "channel/transfer.h"

#include "base/fail.h"

/* The caller's handle, to send with. */
static int
check(const struct mmf_channel_kind *kind, const struct mmf_channel *channel)
{
    return channel != NULL ? mmf_channel_check(channel, MMF_ROLE_SEND)
                           : mmf_fail_null(mmf_kind_name(kind->kind));
}

int
mmf_channel_notify_receivers(const struct mmf_channel *channel)
{
    MMF_ASSERT(channel->role & MMF_ROLE_BOTH);
    mmf_ring_notify_receivers(channel->ring, channel->kind->wakes, channel->ops);
    return MMF_OK;
}

int
mmf_channel_notify_senders(const struct mmf_channel *channel)
{
    MMF_ASSERT(channel->role & MMF_ROLE_BOTH);
    mmf_ring_notify_senders(channel->ring, channel->kind->wakes, channel->ops);
    return MMF_OK;
}

/*
 * Reserving.
 */

/* The first try was in vain. */
static int
wait_for_space(struct mmf_channel *channel, size_t length, int64_t deadline,
               uint8_t **place)
{
    struct mmf_channel_wait wait;
    enum mmf_step step;

    MMF_ASSERT((channel->role & MMF_ROLE_SEND) && !channel->ring->has_reserved);
    if (channel->ring->shape.overflow == MMF_OVERFLOW_FAIL)
        deadline = MMF_RING_POLL;
    wait = mmf_channel_wait_begin(channel, MMF_ROLE_SEND, deadline);
    do
        step = mmf_ring_reserve(channel->ring, length, place);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

static int
reserve(struct mmf_channel *channel, size_t length, int32_t timeout_ms, uint8_t **place)
{
    MMF_ASSERT((channel->role & MMF_ROLE_SEND) && !channel->ring->has_reserved);
    if (mmf_ring_reserve(channel->ring, length, place) == MMF_STEP_DONE)
        return MMF_OK;
    return wait_for_space(channel, length, mmf_ring_deadline(channel->ops, timeout_ms),
                          place);
}

static int
check_not_reserved(const struct mmf_channel *channel)
{
    if (channel->ring->has_reserved)
        return mmf_fail(MMF_E_STATE, "this handle has a reservation already: commit or "
                                     "abandon it");
    return MMF_OK;
}

int
mmf_channel_reserve(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                    size_t length, int32_t timeout_ms, void **bytes)
{
    uint8_t *place;
    int rc = check(kind, channel);

    if (rc == MMF_OK && bytes == NULL)
        rc = mmf_fail_null("bytes");
    if (rc == MMF_OK)
        rc = mmf_channel_check_length(channel, length);
    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc == MMF_OK)
        rc = check_not_reserved(channel);
    if (rc == MMF_OK)
        rc = reserve(channel, length, timeout_ms, &place);
    if (rc != MMF_OK)
        return rc;
    channel->reserved_size = length;
    *bytes = place;
    return MMF_OK;
}

static int
check_reserved(const struct mmf_channel *channel)
{
    return channel->ring->has_reserved ? MMF_OK
                                       : mmf_fail(MMF_E_STATE, "nothing is reserved");
}

int
mmf_channel_check_commit(const struct mmf_channel *channel, size_t length)
{
    int rc = check_reserved(channel);

    MMF_ASSERT(channel->role & MMF_ROLE_SEND);
    if (rc == MMF_OK && length > channel->reserved_size)
        rc = mmf_fail_argument(MMF_E_RANGE, "length",
                               "invalid length of %zu bytes: %llu were reserved",
                               length, (unsigned long long)channel->reserved_size);
    return rc;
}

int
mmf_channel_commit(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                   size_t length, uint64_t *sequence)
{
    int rc = check(kind, channel);

    if (rc == MMF_OK)
        rc = mmf_channel_check_commit(channel, length);
    if (rc < 0)
        return rc;
    if (sequence != NULL)
        *sequence = channel->ring->reserved;
    mmf_ring_commit(channel->ring, length);
    return mmf_channel_notify_receivers(channel);
}

int
mmf_channel_abandon(const struct mmf_channel_kind *kind, struct mmf_channel *channel)
{
    int rc = check(kind, channel);

    if (rc == MMF_OK)
        rc = check_reserved(channel);
    if (rc < 0)
        return rc;
    mmf_ring_abandon(channel->ring);
    mmf_ring_notify_senders(channel->ring, 1, channel->ops);
    /* A topic's subscribers may have waited for it, with messages behind it. */
    return kind->kind == MMF_KIND_TOPIC ? mmf_channel_notify_receivers(channel)
                                        : MMF_OK;
}

/*
 * Copies.
 */

static int
check_message(const struct mmf_channel *channel, const void *bytes, size_t length)
{
    if (bytes == NULL && length > 0)
        return mmf_fail_null("bytes");
    return mmf_channel_check_length(channel, length);
}

int
mmf_channel_check_send(const struct mmf_channel *channel, const void *bytes,
                       size_t length, int32_t timeout_ms)
{
    int rc = mmf_channel_check_timeout(timeout_ms);

    if (rc == MMF_OK)
        rc = check_not_reserved(channel);
    return rc < 0 ? rc : check_message(channel, bytes, length);
}

int
mmf_channel_send(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                 const void *bytes, size_t length, int32_t timeout_ms,
                 uint64_t *sequence)
{
    uint8_t *place;
    int rc = check(kind, channel);

    if (rc == MMF_OK)
        rc = mmf_channel_check_send(channel, bytes, length, timeout_ms);
    if (rc == MMF_OK)
        rc = reserve(channel, length, timeout_ms, &place);
    if (rc != MMF_OK)
        return rc;
    mmf_channel_put(channel->ring, place, bytes, length, sequence);
    return mmf_channel_notify_receivers(channel);
}

/*
 * Several.
 */

static int
check_messages(const struct mmf_channel *channel, const mmf_buffer *messages,
               size_t count, const size_t *sent)
{
    int rc = MMF_OK;

    if (sent == NULL)
        return mmf_fail_null("sent");
    if (messages == NULL && count > 0)
        return mmf_fail_null("messages");
    for (size_t i = 0; i < count && rc == MMF_OK; i++)
        rc = check_message(channel, messages[i].bytes, messages[i].length);
    return rc;
}

/* The next one is to be sent. If some are sent already the call does not fail. */
static int
wait_for_next(struct mmf_channel *channel, size_t length, int64_t deadline, size_t sent,
              uint8_t **place)
{
    mmf_error before;
    int rc;

    mmf_fail_keep(&before);
    rc = wait_for_space(channel, length, deadline, place);
    if (sent > 0)
        mmf_fail_restore(&before);
    return rc;
}

/* As many as there is space for. */
static size_t
send_at_once(struct mmf_ring *ring, const mmf_buffer *messages, size_t count)
{
    size_t i;

    MMF_ASSERT(!ring->has_reserved);
    for (i = 0; i < count; i++) {
        uint8_t *place;

        if (mmf_ring_reserve(ring, messages[i].length, &place) != MMF_STEP_DONE)
            break;
        mmf_channel_put(ring, place, messages[i].bytes, messages[i].length, NULL);
    }
    return i;
}

/* After `count` messages for one receiver each, or for all. */
static void
notify_of(const struct mmf_channel *channel, size_t count)
{
    int wake =
        count < MMF_RING_ALL && channel->kind->wakes == 1 ? (int)count : MMF_RING_ALL;

    if (count > 0)
        mmf_ring_notify_receivers(channel->ring, wake, channel->ops);
}

int
mmf_channel_send_many(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                      const mmf_buffer *messages, size_t count, int32_t timeout_ms,
                      size_t *sent)
{
    int64_t deadline = 0;
    size_t done = 0;
    int rc = check(kind, channel);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc == MMF_OK)
        rc = check_not_reserved(channel);
    if (rc == MMF_OK)
        rc = check_messages(channel, messages, count, sent);
    if (rc < 0)
        return rc;
    for (;;) {
        size_t more = send_at_once(channel->ring, messages + done, count - done);
        uint8_t *place;

        done += more;
        notify_of(channel, more);
        if (done == count)
            break;
        if (deadline == 0)
            deadline = mmf_ring_deadline(channel->ops, timeout_ms);
        rc = wait_for_next(channel, messages[done].length, deadline, done, &place);
        if (rc != MMF_OK)
            break;
        mmf_channel_put(channel->ring, place, messages[done].bytes,
                        messages[done].length, NULL);
        notify_of(channel, 1);
        done++;
    }
    if (rc >= 0 || done > 0)
        *sent = done;
    return done > 0 ? MMF_OK : rc;
}
