/*
 * transfer.h - sending copies, for queue and topic.
 */
#ifndef MMF_CHANNEL_TRANSFER_H
#define MMF_CHANNEL_TRANSFER_H

#include <string.h>

#include "base/fail.h"
#include "channel/channel.h"

static inline int
mmf_channel_check_message(const struct mmf_channel *channel, const void *bytes,
                          int64_t length)
{
    if (bytes == NULL && length > 0)
        return mmf_fail_argument(MMF_E_NULL, "bytes", "bytes is NULL");
    return mmf_channel_check_length(channel, length);
}

/* The handle may send now. */
static inline int
mmf_channel_check_send(const struct mmf_channel *channel, int32_t timeout_ms)
{
    int rc = mmf_channel_check_timeout(timeout_ms);

    if (rc < 0)
        return rc;
    if (channel->ring->has_reserved)
        return mmf_fail(MMF_E_STATE, "this handle has a reservation already: commit or "
                                     "abandon it");
    return MMF_OK;
}

static inline void
mmf_channel_put(struct mmf_ring *ring, uint8_t *place, const void *bytes,
                int64_t length)
{
    if (length > 0)
        memcpy(place, bytes, (size_t)length);
    mmf_ring_commit(ring, (uint64_t)length);
}

/* Reserve, copy, commit; `wake` receivers are told. */
static inline int
mmf_channel_send(struct mmf_channel *channel, const void *bytes, int64_t length,
                 int32_t timeout_ms, int wake)
{
    uint8_t *place;
    int rc = mmf_channel_check_send(channel, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_message(channel, bytes, length);
    if (rc < 0)
        return rc;
    if (mmf_ring_reserve(channel->ring, (uint64_t)length, &place) != MMF_STEP_DONE) {
        rc = mmf_channel_reserve(channel, (uint64_t)length,
                                 mmf_ring_deadline(channel->ops, timeout_ms), &place);
        if (rc != MMF_OK)
            return rc;
    }
    mmf_channel_put(channel->ring, place, bytes, length);
    mmf_ring_notify_receivers(channel->ring, wake, channel->ops);
    return MMF_OK;
}

/* Several, in order. `wakes_all`: each is for every receiver, not for one. */
int mmf_channel_send_many(struct mmf_channel *channel, const mmf_buffer *messages,
                          int32_t count, int32_t timeout_ms, int wakes_all,
                          int32_t *sent);

#endif
