/*
 * ring.c - a channel's words at its begin; who takes part; how far subscribers are.
 * Sending is in ring_send.c, taking in ring_take.c, reading a topic in ring_read.c, the
 * latest value in ring_latest.c, the dead in ring_dead.c.
 */
#include "shared/ring/ring.h"

#include "shared/ring/slot.h"

uint64_t
mmf_ring_stride(uint64_t message_size)
{
    if (message_size <= MMF_SLOT_SHORT)
        return sizeof(struct mmf_slot_shared);
    /* The line and the payload's first one come in one pair. */
    return (sizeof(struct mmf_slot_shared) + message_size + 127) / 128 * 128;
}

void
mmf_ring_init(struct mmf_ring_shared *shared, uint64_t first)
{
    mmf_store_relaxed_u64(&shared->tail, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->head, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->taken, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->newest, (first - 1) & MMF_INDEX_MASK);
}

struct mmf_participant_shared *
mmf_ring_participant(const struct mmf_ring *ring, uint32_t number)
{
    if (number < ring->shape.participants)
        return &ring->senders[number];
    if (number >= MMF_RECEIVERS_FROM &&
        number - MMF_RECEIVERS_FROM < ring->shape.participants)
        return &ring->receivers[number - MMF_RECEIVERS_FROM];
    return NULL;
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
    return sign_of(identity) << 48 | (index & MMF_INDEX_MASK);
}

int
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
    uint64_t min_cursor = mmf_ring_tail(ring) & MMF_INDEX_MASK;

    /* Whose cursor we do not see will read a tail that is not older: see
     * mmf_ring_subscribe, which has the other fence. */
    mmf_fence_full();
    for (uint32_t i = 0; i < ring->shape.participants; i++) {
        uint64_t cursor;

        if (mmf_cursor_read(&ring->receivers[i], &cursor) &&
            mmf_index_difference(cursor, min_cursor) < 0)
            min_cursor = cursor;
    }
    return min_cursor;
}
