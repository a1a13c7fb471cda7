/*
 * latest.c - the newest committed value among the slots.
 *
 * A writer moves the tail over its index before it commits. So what was committed when
 * we read the tail has an index below it, and we go down from there: the first value
 * that we find in its place is at least as new as the newest was when we began, for a
 * slot that has no value of the index we look for had none then.
 *
 * The newest can be further down than that, if all that was begun since was abandoned
 * or left out: a writer never overwrites the newest. Then we look at all slots for the
 * highest, and may miss it: it may be overwritten just before we look at its slot, and
 * the newer one be committed just after we have dead_checked there. Therefore a writer that
 * overwrites a value sees to it first that the hint `newest` is above it: at some value
 * that it has seen to be newer. A reader that finds the hint above what it has found
 * looks again.
 */
#include "shared/ring/latest.h"

void
mmf_ring_raise_newest_at_least(const struct mmf_ring *ring, uint64_t above, uint64_t index)
{
    uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);

    while (mmf_index_difference(above, newest) >= 0 &&
           !mmf_exchange_if_u64(&ring->shared->newest, &newest, index))
        ;
}

/* The highest committed index among the slots. 0: none. */
static int
search_slots(const struct mmf_ring *ring, uint64_t *index)
{
    int found = 0;

    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, i);

        if (mmf_word_state(word) == MMF_SLOT_COMMITTED &&
            mmf_word_is_at_home(ring, word, i) &&
            (!found || mmf_index_difference(mmf_word_index(word), *index) > 0)) {
            *index = mmf_word_index(word);
            found = 1;
        }
    }
    return found;
}

/* Down from the tail, to the first value in its place. 0: there is none. */
static int
search_below_tail(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_ring_tail(ring);

    for (uint64_t i = 1; i <= ring->shape.slots; i++) {
        uint64_t at = (tail - i) & MMF_INDEX_MASK;
        uint64_t word = mmf_ring_word(ring, at);
        int64_t age = mmf_word_age(ring, word, at);

        if (age > 0)
            return 0; /* what was here has gone meanwhile */
        if (age == 0 && mmf_word_state(word) == MMF_SLOT_COMMITTED) {
            *index = at;
            return 1;
        }
    }
    return 0;
}

int
mmf_ring_find_newest(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t before;

    if (search_below_tail(ring, index))
        return 1;
    before = mmf_load_acquire_u64(&ring->shared->newest);
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        int found = search_slots(ring, index);
        uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);

        if (found && mmf_index_difference(*index, newest) >= 0)
            return 1;
        if (!found && newest == before)
            return 0;
        before = newest;
    }
    return -1;
}

enum mmf_step
mmf_ring_newest(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        uint64_t index;
        int found = mmf_ring_find_newest(ring, &index);

        if (found <= 0)
            return found == 0 ? MMF_STEP_WOULD_BLOCK : MMF_STEP_CORRUPT;
        if (mmf_ring_read_slot(ring, index, message) == MMF_STEP_DONE)
            return MMF_STEP_DONE;
        if (mmf_ring_still_valid(ring, index))
            return MMF_STEP_CORRUPT;
    }
    return MMF_STEP_WOULD_BLOCK;
}
