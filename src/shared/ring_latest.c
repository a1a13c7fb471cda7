/*
 * ring_latest.c - the newest committed value among the cells.
 *
 * A writer never overwrites the newest, and before it overwrites an older one it raises
 * the hint `newest` at least to what it has seen to be newer. So a reader that looks at
 * all cells, one after the other, and misses the newest because it was overwritten just
 * before, finds the hint above what it has found, and looks again. A writer killed
 * between its commit and the hint leaves a hint that is too low, which costs a search.
 */
#include "shared/ring.h"

#include "shared/ring_cells.h"

void
mmf_ring_raise_newest(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);

    while (mmf_index_difference(index, newest) > 0 &&
           !mmf_exchange_if_u64(&ring->shared->newest, &newest, index))
        ;
}

/* The highest committed index among the cells. 0: none. */
static int
search_cells(const struct mmf_ring *ring, uint64_t *index)
{
    int found = 0;

    for (uint64_t i = 0; i < ring->shape.cells; i++) {
        uint64_t word = mmf_ring_word(ring, i);

        if (mmf_word_state(word) == MMF_CELL_COMMITTED &&
            mmf_word_is_at_home(ring, word, i) &&
            (!found || mmf_index_difference(mmf_word_index(word), *index) > 0)) {
            *index = mmf_word_index(word);
            found = 1;
        }
    }
    return found;
}

/* Nothing was reserved since the hint was raised, so it is right. */
static int
is_hint_right(const struct mmf_ring *ring, uint64_t hint)
{
    uint64_t word = mmf_ring_word(ring, hint);

    return mmf_word_state(word) == MMF_CELL_COMMITTED && mmf_word_index(word) == hint &&
           (mmf_ring_tail(ring) & MMF_INDEX_MASK) == mmf_index_next(hint);
}

int
mmf_ring_find_newest(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t before = mmf_load_acquire_u64(&ring->shared->newest);

    if (is_hint_right(ring, before)) {
        *index = before;
        return 1;
    }
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        int found = search_cells(ring, index);
        uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);

        if (found && mmf_index_difference(*index, newest) >= 0)
            return 1;
        if (!found && newest == before)
            return 0;
        before = newest;
    }
    return -1;
}

void
mmf_ring_count_received(struct mmf_ring *ring)
{
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
}

enum mmf_ring_answer
mmf_ring_newest(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        uint64_t index;
        int found = mmf_ring_find_newest(ring, &index);

        if (found <= 0)
            return found == 0 ? MMF_RING_NOT_NOW : MMF_RING_CORRUPT;
        if (mmf_ring_read_cell(ring, index, message) == MMF_RING_DONE)
            return MMF_RING_DONE;
        if (mmf_ring_is_whole(ring, index))
            return MMF_RING_CORRUPT;
    }
    return MMF_RING_NOT_NOW;
}
