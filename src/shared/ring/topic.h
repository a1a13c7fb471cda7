/*
 * topic.h - the steps of a topic that are taken for each message. As those of spsc.h they
 * stand where they are called.
 *
 * The publisher of a topic with a single one knows how many slots are free from its last
 * index on: all before the lap of the slowest subscriber, or, if it waits for none, a lap.
 */
#ifndef MMF_SHARED_RING_TOPIC_H
#define MMF_SHARED_RING_TOPIC_H

#include "shared/ring/inner.h"

/* The single publisher may have the next index at once: where to write. */
static inline uint8_t *
mmf_ring_reserve_next(struct mmf_ring *ring, uint64_t length)
{
    uint64_t index = mmf_index_next(ring->reserved);
    uint64_t claim = ((uint64_t)ring->sender + 1) << MMF_CLAIMANT_SHIFT;
    struct mmf_slot_shared *slot = mmf_ring_slot(ring, index);

    MMF_ASSERT(ring->shape.is_single_producer && ring->shape.max_pins == 0);
    MMF_ASSERT(!ring->has_reserved && ring->out.ahead > 0);
    mmf_store_relaxed_u64(&mmf_ring_sender(ring)->held, 1);
    mmf_store_release_u64(&ring->shared->tail, claim | mmf_index_next(index));
    ring->reserved = index;
    ring->reserved_offset =
        length <= MMF_SLOT_SHORT ? 0 : sizeof(struct mmf_slot_shared);
    ring->has_reserved = true;
    if (--ring->out.ahead > MMF_SLOTS_AHEAD)
        mmf_ring_prefetch_ahead(ring, slot, length);
    mmf_ring_begin_overwriting(ring, slot);
    return (uint8_t *)slot + ring->reserved_offset;
}

/*
 * The subscriber's steps.
 */

/* How far the publishers are ahead. */
static inline int64_t
mmf_ring_lag(const struct mmf_ring *ring)
{
    return mmf_index_difference(mmf_ring_tail(ring), ring->cursor);
}

/* A publisher has begun to overwrite the message at the cursor, or is about to. */
static inline bool
mmf_ring_is_overtaken_in_replay(const struct mmf_ring *ring)
{
    return ring->is_replaying && mmf_ring_lag(ring) > (int64_t)ring->shape.slots;
}

/* Publishers wait for the subscriber: what it finds at its cursor is not overwritten. */
static inline bool
mmf_ring_is_waited_for(const struct mmf_ring *ring)
{
    return ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST && !ring->is_replaying;
}

/* The message at the cursor is there, and its sizes are sound. */
static inline bool
mmf_ring_find_next(const struct mmf_ring *ring, struct mmf_ring_message *message)
{
    const struct mmf_slot_shared *slot = mmf_ring_slot(ring, ring->cursor);

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC && ring->receiving != NULL);
    if (!mmf_word_is_value(mmf_load_acquire_u64(&slot->word), ring->cursor) ||
        mmf_ring_is_overtaken_in_replay(ring) ||
        mmf_ring_read_sizes(ring, slot, ring->cursor, message) != MMF_STEP_DONE)
        return false;
    message->lost = ring->lost;
    return true;
}

static inline void
mmf_ring_put_cursor(struct mmf_ring *ring, uint64_t cursor)
{
    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC && ring->identity != 0);
    ring->cursor = cursor & MMF_INDEX_MASK;
    if (ring->is_replaying)
        ring->is_replaying = mmf_index_difference(ring->cursor, ring->replay_until) < 0;
    /* pairs with the acquire in mmf_cursor_read: what lies before has been read */
    mmf_store_release_u64(&mmf_ring_receiver(ring)->cursor,
                          mmf_cursor_make(ring->identity, ring->cursor));
}

/* Past the message at the cursor. */
static inline void
mmf_ring_advance(struct mmf_ring *ring)
{
    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC);
    ring->lost = 0;
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
    mmf_ring_put_cursor(ring, mmf_index_next(ring->cursor));
    if (mmf_ring_is_sample(ring))
        mmf_ring_keep_distance(ring);
}

#endif
