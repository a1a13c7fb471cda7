/*
 * latest.c - the newest committed value among the slots.
 *
 * A writer moves the tail over its index before it commits. So what was committed when
 * a reader read the tail has an index below it, and the reader goes down from there: the
 * first value that it finds in its slot is at least as new as the newest was when it
 * began, for a slot that has no value of the index had none then.
 *
 * The newest can be further down than that, if all that was begun since was abandoned
 * or skipped: a writer never overwrites the newest. Then the reader scans all slots for
 * the highest, and may miss it: it may be overwritten just before the reader comes to its
 * slot, and the newer one be committed just after the reader has been there. Therefore a
 * writer, before it overwrites a value, raises newest_at_least above it: to some value
 * that it has seen to be newer. A reader that finds newest_at_least above what it has
 * found scans again.
 */
#include "shared/ring/latest.h"

void
mmf_ring_raise_newest_at_least(const struct mmf_ring *ring, uint64_t above,
                               uint64_t index)
{
    uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest_at_least);

    MMF_ASSERT(ring->shape.kind == MMF_KIND_LATEST);
    for (uint64_t rounds = MMF_ROUNDS(ring);
         rounds > 0 && mmf_index_difference(above, newest) >= 0; rounds--) {
        if (mmf_exchange_if_u64(&ring->shared->newest_at_least, &newest, index))
            return;
    }
}

/* The highest committed index among the slots. False: none is committed. */
static bool
scan_slots(const struct mmf_ring *ring, uint64_t *index)
{
    bool found = false;

    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, i);

        if (mmf_word_state(word) == MMF_SLOT_COMMITTED &&
            mmf_word_is_at_home(ring, word, i) &&
            (!found || mmf_index_difference(mmf_word_index(word), *index) > 0)) {
            *index = mmf_word_index(word);
            found = true;
        }
    }
    return found;
}

/* Down from the tail, to the first value in its slot. False: no slot has one. */
static bool
scan_below_tail(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_ring_tail(ring);

    for (uint64_t i = 1; i <= ring->shape.slots; i++) {
        uint64_t at = (tail - i) & MMF_INDEX_MASK;
        uint64_t word = mmf_ring_word(ring, at);
        int64_t age = mmf_word_age(ring, word, at);

        if (age > 0)
            return false; /* overwritten meanwhile */
        if (age == 0 && mmf_word_state(word) == MMF_SLOT_COMMITTED) {
            *index = at;
            return true;
        }
    }
    return false;
}

enum mmf_step
mmf_ring_find_newest(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t before;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_LATEST);
    if (scan_below_tail(ring, index))
        return MMF_STEP_DONE;
    before = mmf_load_acquire_u64(&ring->shared->newest_at_least);
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        bool found = scan_slots(ring, index);
        uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest_at_least);

        if (found && mmf_index_difference(*index, newest) >= 0)
            return MMF_STEP_DONE;
        if (!found && newest == before) {
            *index = newest; /* what comes will be above it */
            return MMF_STEP_WOULD_BLOCK;
        }
        before = newest;
    }
    return MMF_STEP_CORRUPT;
}

enum mmf_step
mmf_ring_newest(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        uint64_t index;
        enum mmf_step step = mmf_ring_find_newest(ring, &index);

        if (step != MMF_STEP_DONE)
            return step;
        if (mmf_ring_read_slot(ring, index, message) == MMF_STEP_DONE)
            return MMF_STEP_DONE;
        if (mmf_ring_still_valid(ring, index))
            return MMF_STEP_CORRUPT;
    }
    return MMF_STEP_WOULD_BLOCK;
}
