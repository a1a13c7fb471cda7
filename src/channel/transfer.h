/*
 * transfer.h - sending: in place, as copies, and several messages with one call.
 *
 * The handle was checked for the role SEND. `sequence` may be NULL; `wake` is how many
 * receivers a message is for.
 */
#ifndef MMF_CHANNEL_TRANSFER_H
#define MMF_CHANNEL_TRANSFER_H

#include "channel/channel.h"

/* The message, and that nothing is reserved yet. */
int mmf_channel_check_send(const struct mmf_channel *channel, const void *bytes,
                           size_t length, int32_t timeout_ms);

/* Something is reserved, of at least `length` bytes. */
int mmf_channel_check_commit(const struct mmf_channel *channel, size_t length);

/* Copy the message into the reservation and commit it. */
static inline void
mmf_channel_put(struct mmf_ring *ring, uint8_t *place, const void *bytes, size_t length,
                uint64_t *sequence)
{
    MMF_ASSERT(ring->has_reserved && length <= ring->shape.message_size);
    if (length > 0)
        memcpy(place, bytes, length);
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_commit(ring, (uint64_t)length);
}

int mmf_channel_reserve(struct mmf_channel *channel, size_t length, int32_t timeout_ms,
                        void **bytes);
int mmf_channel_commit(struct mmf_channel *channel, size_t length, int wake,
                       uint64_t *sequence);
int mmf_channel_abandon(struct mmf_channel *channel);
int mmf_channel_send(struct mmf_channel *channel, const void *bytes, size_t length,
                     int32_t timeout_ms, int wake, uint64_t *sequence);

/* Several, in order. `wakes_all`: each is for every receiver, not for one. */
int mmf_channel_send_many(struct mmf_channel *channel, const mmf_buffer *messages,
                          size_t count, int32_t timeout_ms, bool wakes_all,
                          size_t *sent);

#endif
