/*
 * latest.h - the fast path of reading a latest value, so short that it is done in place.
 * The others, and why this is right, are in latest.c.
 */
#ifndef MMF_SHARED_RING_LATEST_H
#define MMF_SHARED_RING_LATEST_H

#include "base/compiler.h"
#include "shared/ring/inner.h"

/* One optimistic read. */
struct mmf_ring_read {
    const struct mmf_slot_shared *slot;
    uint64_t word;
    struct mmf_ring_message message;
};

/*
 * The newest value, if it is the last that was begun. False: it is not, or is unsound.
 * Where the index before last time's was is remembered: as long as it stays, a processor
 * reads the slot before it has the tail.
 */
static inline bool
mmf_ring_try_read(struct mmf_ring *ring, struct mmf_ring_read *read)
{
    uint64_t index = mmf_ring_tail(ring) - 1;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_LATEST);
    if (MMF_UNLIKELY(index != ring->in.last)) {
        ring->in.last = index;
        ring->in.slot = (uint8_t *)mmf_ring_slot(ring, index);
    }
    read->slot = (const void *)ring->in.slot;
    read->word = mmf_load_acquire_u64(&read->slot->word);
    return mmf_word_is_value(read->word, index) &&
           mmf_ring_read_sizes(ring, read->slot, mmf_word_index(read->word),
                               &read->message) == MMF_STEP_DONE;
}

/* What was copied since mmf_ring_try_read is consistent. */
static inline bool
mmf_ring_read_still_valid(const struct mmf_ring_read *read)
{
    mmf_fence_acquire(); /* pairs with the release fence in mmf_ring_reserve */
    return mmf_load_relaxed_u64(&read->slot->word) == read->word;
}

/* A value was read. */
static inline void
mmf_ring_count_received(const struct mmf_ring *ring)
{
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
}

#endif
