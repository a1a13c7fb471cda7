/*
 * entries.c - a channel's words at its beginning; the participants' entries and cursors.
 */
#include "shared/ring/inner.h"

uint64_t
mmf_ring_stride(uint64_t message_size)
{
    MMF_ASSERT(message_size >= 1);
    if (message_size <= MMF_SLOT_SHORT)
        return sizeof(struct mmf_slot_shared);
    /* The line and the payload's first one come in one pair. */
    return (sizeof(struct mmf_slot_shared) + message_size + 127) / 128 * 128;
}

void
mmf_ring_init(struct mmf_ring_shared *shared, uint64_t first)
{
    MMF_ASSERT((first & MMF_INDEX_MASK) == first);
    mmf_store_relaxed_u64(&shared->tail, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->head, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->taken, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->newest_at_least, (first - 1) & MMF_INDEX_MASK);
}

struct mmf_participant_shared *
mmf_ring_participant(const struct mmf_ring *ring, uint32_t number)
{
    if (number < ring->shape.max_senders)
        return &ring->senders[number];
    if (number >= MMF_RECEIVERS_FROM &&
        number - MMF_RECEIVERS_FROM < ring->shape.max_receivers)
        return &ring->receivers[number - MMF_RECEIVERS_FROM];
    return NULL;
}

/*
 * The indexes of an SPSC queue say how many messages a participant has sent or received:
 * they have moved so far since it joined, which its `cursor` has kept.
 */
static uint64_t
count_since_joined(const struct mmf_participant_shared *entry, uint64_t index)
{
    int64_t count = mmf_index_difference(index, mmf_load_relaxed_u64(&entry->cursor));

    return count > 0 ? (uint64_t)count : 0;
}

uint64_t
mmf_ring_sent_by(const struct mmf_ring *ring,
                 const struct mmf_participant_shared *sender)
{
    return ring->shape.is_spsc
               ? count_since_joined(sender, mmf_load_relaxed_u64(&ring->shared->tail))
               : mmf_load_relaxed_u64(&sender->sent);
}

uint64_t
mmf_ring_received_by(const struct mmf_ring *ring,
                     const struct mmf_participant_shared *receiver)
{
    return ring->shape.is_spsc
               ? count_since_joined(receiver, mmf_load_relaxed_u64(&ring->shared->head))
               : mmf_load_relaxed_u64(&receiver->received);
}

/* 16 bits of the identity, the top one set. */
static uint64_t
sign_of(uint64_t identity)
{
    identity ^= identity >> 32;
    identity ^= identity >> 16;
    return (identity | 0x8000) & 0xFFFF;
}

uint64_t
mmf_cursor_make(uint64_t identity, uint64_t index)
{
    MMF_ASSERT(identity != 0);
    return sign_of(identity) << 48 | (index & MMF_INDEX_MASK);
}

bool
mmf_cursor_read(const struct mmf_participant_shared *entry, uint64_t *index)
{
    /* In this order: a cursor that its owner has set is seen with its identity. */
    uint64_t cursor = mmf_load_acquire_u64(&entry->cursor);
    uint64_t identity = mmf_load_acquire_u64(&entry->identity);

    *index = cursor & MMF_INDEX_MASK;
    return identity != 0 && cursor >> 48 == sign_of(identity);
}

uint64_t
mmf_ring_find_min_cursor(const struct mmf_ring *ring)
{
    uint64_t lowest = mmf_ring_tail(ring) & MMF_INDEX_MASK;
    uint64_t count;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC);
    /* A subscriber whose cursor is not seen, or whose number, will read a tail that is
     * not older: the other fence is in mmf_ring_subscribe. */
    mmf_fence_full();
    count = mmf_load_relaxed_u64(&ring->shared->subscribers);
    for (uint32_t i = 0; i < ring->shape.max_receivers && i < count; i++) {
        uint64_t cursor;

        if (mmf_cursor_read(&ring->receivers[i], &cursor) &&
            mmf_index_difference(cursor, lowest) < 0)
            lowest = cursor;
    }
    return lowest;
}
