/*
 * transfer.h - sending: in place, as copies, and several messages with one call.
 */
#ifndef MMF_CHANNEL_TRANSFER_H
#define MMF_CHANNEL_TRANSFER_H

#include "channel/channel.h"

/* The handle was checked for the role SEND. The message, and that nothing is reserved
 * yet. */
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

/*
 * The general paths of the public calls of `kind`, whose handle begins with `channel` and
 * may be NULL, as `sequence` may.
 */
int mmf_channel_reserve(const struct mmf_channel_kind *kind,
                        struct mmf_channel *channel, size_t length, int32_t timeout_ms,
                        void **bytes);
int mmf_channel_commit(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                       size_t length, uint64_t *sequence);
int mmf_channel_abandon(const struct mmf_channel_kind *kind,
                        struct mmf_channel *channel);
int mmf_channel_send(const struct mmf_channel_kind *kind, struct mmf_channel *channel,
                     const void *bytes, size_t length, int32_t timeout_ms,
                     uint64_t *sequence);
int mmf_channel_send_many(const struct mmf_channel_kind *kind,
                          struct mmf_channel *channel, const mmf_buffer *messages,
                          size_t count, int32_t timeout_ms, size_t *sent);

/* There may be receivers, senders that wait: apart, to be the end of a fast path. MMF_OK. */
int mmf_channel_notify_receivers(const struct mmf_channel *channel);
int mmf_channel_notify_senders(const struct mmf_channel *channel);

#endif
