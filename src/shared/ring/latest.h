/*
 * latest.h - the usual read of a latest value, so short that it is done in place.
 * What is less usual, and why this is right, is in ring_latest.c.
 */
#ifndef MMF_SHARED_RING_LATEST_H
#define MMF_SHARED_RING_LATEST_H

#include "shared/ring/slot.h"

/* What a glance sees. */
struct mmf_ring_try_read {
    const struct mmf_slot_shared *slot;
    uint64_t word;
    struct mmf_ring_message message;
};

/* The newest, if it is the last that was begun. 0: it is not, or makes no sense. */
static inline int
mmf_ring_try_read(const struct mmf_ring *ring, struct mmf_ring_try_read *glance)
{
    uint64_t index = mmf_ring_tail(ring) - 1;

    glance->slot = mmf_ring_slot(ring, index);
    glance->word = mmf_load_acquire_u64(&glance->slot->word);
    return mmf_word_is_value(glance->word, index) &&
           mmf_ring_read_sizes(ring, glance->slot, glance->word >> MMF_INDEX_SHIFT,
                               &glance->message) == MMF_STEP_DONE;
}

/* What was copied since the glance is whole. */
static inline int
mmf_ring_read_still_valid(const struct mmf_ring_try_read *glance)
{
    mmf_fence_acquire(); /* pairs with the release fence in mmf_ring_reserve */
    return mmf_load_relaxed_u64(&glance->slot->word) == glance->word;
}

/* A value was read. */
static inline void
mmf_ring_count_received(const struct mmf_ring *ring)
{
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
}

#endif
