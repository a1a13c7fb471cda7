/*
 * spsc.h - the steps of a queue for one producer and one consumer. They are short,
 * and stand where they are called: a message's line is with the other processor in the
 * time of some hundred instructions, and all that a call does besides is added to it.
 *
 * The producer owns `tail`, and the slots that are free; the consumer owns `head`,
 * `taken`, and the slots that are committed. Each goes from slot to slot with a pointer
 * of its own.
 */
#ifndef MMF_SHARED_RING_SPSC_H
#define MMF_SHARED_RING_SPSC_H

#include "shared/ring/inner.h"

/* Begin as the producer, whose tail is right; as the consumer. */
void mmf_ring_spsc_begin_sending(struct mmf_ring *ring);
void mmf_ring_spsc_begin_taking(struct mmf_ring *ring);

/* Read `head`. False: the ring is full. */
bool mmf_ring_spsc_find_space(struct mmf_ring *ring);

static inline uint8_t *
mmf_ring_spsc_slot_after(const struct mmf_ring *ring, uint8_t *slot)
{
    MMF_ASSERT(slot >= ring->slots && slot < ring->slots_end);
    slot += ring->shape.stride;
    return slot == ring->slots_end ? ring->slots : slot;
}

/*
 * The producer's steps.
 */

/* False: `head` may say that there is space after all. */
static inline bool
mmf_ring_spsc_has_space(const struct mmf_ring *ring)
{
    return ring->out.ahead != 0;
}

/* There is space: where to write `length` bytes in the next slot. */
static inline uint8_t *
mmf_ring_spsc_reserve(struct mmf_ring *ring, uint64_t length)
{
    uint32_t offset = length <= MMF_SLOT_SHORT ? 0 : sizeof(struct mmf_slot_shared);

    MMF_ASSERT(ring->shape.is_spsc && ring->sender == 0);
    MMF_ASSERT(!ring->has_reserved && ring->out.ahead > 0);
    ring->reserved = ring->out.next;
    ring->reserved_offset = offset;
    ring->has_reserved = true;
    if (ring->out.ahead > MMF_SLOTS_AHEAD)
        mmf_ring_prefetch_ahead(ring, ring->out.slot, length);
    return ring->out.slot + offset;
}

static inline void
mmf_ring_spsc_commit(struct mmf_ring *ring, uint64_t length)
{
    struct mmf_slot_shared *slot = (void *)ring->out.slot;
    uint64_t index = ring->out.next;

    MMF_ASSERT(ring->has_reserved && ring->out.ahead > 0);
    ring->out.next = mmf_index_next(index);
    ring->has_reserved = false;
    ring->out.ahead--;
    ring->out.slot = mmf_ring_spsc_slot_after(ring, ring->out.slot);
    mmf_slot_write_sizes(slot, length, ring->reserved_offset);
    /* pairs with the acquire in mmf_ring_spsc_has_message */
    mmf_store_release_u64(&slot->word, mmf_word_make(index, 0, MMF_SLOT_COMMITTED));
    mmf_store_relaxed_u64(&ring->shared->tail, ring->out.next);
}

/*
 * The consumer's steps.
 */

static inline bool
mmf_ring_spsc_has_message(const struct mmf_ring *ring)
{
    const struct mmf_slot_shared *slot = (const void *)ring->in.slot;

    /* pairs with the release in mmf_ring_spsc_commit */
    return mmf_load_acquire_u64(&slot->word) ==
           mmf_word_make(ring->cursor, 0, MMF_SLOT_COMMITTED);
}

/*
 * Poll for the next message up to `times` times. A longer payload begins in a line of
 * its own: it comes at the same time as the word's, not after it.
 */
static inline bool
mmf_ring_spsc_poll(const struct mmf_ring *ring, int times)
{
    const uint8_t *slot = ring->in.slot;
    const uint8_t *payload = slot + (ring->shape.stride > sizeof(struct mmf_slot_shared)
                                         ? sizeof(struct mmf_slot_shared)
                                         : 0);

    for (int i = 0; i < times; i++) {
        mmf_prefetch_to_read(payload);
        if (mmf_ring_spsc_has_message(ring))
            return true;
    }
    return false;
}

/* It is there, and its sizes are sound. */
static inline void
mmf_ring_spsc_advance(struct mmf_ring *ring)
{
    MMF_ASSERT(ring->shape.is_spsc && ring->receiver == MMF_RECEIVERS_FROM);
    ring->cursor = mmf_index_next(ring->cursor);
    ring->in.slot = mmf_ring_spsc_slot_after(ring, ring->in.slot);
}

/* The caller gets a message that none had before: a successor will mark it as
 * redelivered. What was taken before is noted already, perhaps with more behind it. */
static inline void
mmf_ring_spsc_note_taken(struct mmf_ring *ring)
{
    mmf_store_relaxed_u64(&ring->shared->taken, ring->cursor);
}

/* Release the oldest message taken. False: that has another index, or none is taken. */
static inline bool
mmf_ring_spsc_release(struct mmf_ring *ring, uint64_t index)
{
    if (index != mmf_load_relaxed_u64(&ring->shared->head) || index == ring->cursor)
        return false;
    /* pairs with the acquire in mmf_ring_spsc_find_space: the payload has been read */
    mmf_store_release_u64(&ring->shared->head, mmf_index_next(index));
    return true;
}

#endif
