/*
 * ring_send.c - reserving, committing, abandoning.
 *
 * The tail's upper 16 bits count the indexes that were left out. A sender that has
 * reserved index t of a tail that others have moved on meanwhile must know whether they
 * did so because they saw its reservation, or because they left t out: then no receiver
 * will look there, and it withdraws.
 */
#include "shared/ring.h"

#include "shared/ring_cells.h"
#include "shared/ring_single.h"

/* A latest value's newest must stay until there is a newer one. */
static int
is_kept(const struct mmf_ring *ring, uint64_t word, int has_newest, uint64_t newest)
{
    return ring->shape.kind == MMF_RING_LATEST &&
           mmf_word_state(word) == MMF_CELL_COMMITTED &&
           (!has_newest || mmf_index_difference(mmf_word_index(word), newest) >= 0);
}

/* Would a message of index `tail` overwrite what a subscriber has not read? */
static int
is_held_by_readers(struct mmf_ring *ring, uint64_t tail)
{
    int64_t most = (int64_t)ring->shape.cells;

    if (ring->shape.kind != MMF_RING_TOPIC || ring->shape.overflow == MMF_RING_DROP ||
        mmf_index_difference(tail, ring->gate) < most)
        return 0;
    ring->gate = mmf_ring_find_gate(ring);
    return mmf_index_difference(tail, ring->gate) >= most;
}

/* Is there a cell to be had behind those in hand? */
static int
is_worth_leaving_out(const struct mmf_ring *ring, uint64_t index, int has_newest,
                     uint64_t newest)
{
    for (uint64_t i = 1; i < ring->shape.cells; i++) {
        uint64_t word = mmf_ring_word(ring, index + i);

        if (!mmf_word_is_in_hand(word) && !is_kept(ring, word, has_newest, newest))
            return 1;
    }
    return 0;
}

static int
move_tail(const struct mmf_ring *ring, uint64_t tail, uint64_t left_out)
{
    uint64_t next = ((tail >> MMF_SKIPS_SHIFT) + left_out) << MMF_SKIPS_SHIFT |
                    mmf_index_next(tail & MMF_INDEX_MASK);

    return mmf_exchange_if_u64(&ring->shared->tail, &tail, next);
}

/*
 * The cell is ours. 0: its index was left out by others, so it is given back.
 *
 * A topic's publisher need not move the tail before its commit: as long as it sees the
 * tail where it was, whoever sees it moved sees the reservation, too. A subscriber that
 * spins at the cell has the less time to take its line away between the two.
 */
static int
settle(struct mmf_ring *ring, uint64_t tail, mmf_atomic_u64 *word)
{
    if (ring->shape.kind == MMF_RING_TOPIC &&
        mmf_load_ordered_u64(&ring->shared->tail) == tail) {
        ring->due = tail;
        ring->has_due = 1;
        return 1;
    }
    if (move_tail(ring, tail, 0) || mmf_tail_left_none_out(tail, mmf_ring_tail(ring)))
        return 1;
    mmf_store_release_u64(
        word, mmf_word_make(tail & MMF_INDEX_MASK, MMF_NOBODY, MMF_CELL_RELEASED));
    return 0;
}

static void
move_due_tail(struct mmf_ring *ring)
{
    if (ring->has_due)
        move_tail(ring, ring->due, 0);
    ring->has_due = 0;
}

/* What is in the cell goes. */
static void
note_overwriting(const struct mmf_ring *ring, uint64_t word, uint64_t newest)
{
    enum mmf_cell_state state = mmf_word_state(word);

    /* Readers that miss it find the hint above it: see ring_latest.c. */
    if (ring->shape.kind == MMF_RING_LATEST && state == MMF_CELL_COMMITTED)
        mmf_ring_raise_newest(ring, mmf_word_index(word), newest);
}

static void
count_dropped(const struct mmf_ring *ring, uint64_t word)
{
    enum mmf_cell_state state = mmf_word_state(word);

    if (ring->shape.kind == MMF_RING_QUEUE &&
        (state == MMF_CELL_COMMITTED || state == MMF_CELL_RETURNED))
        mmf_counter_add(&mmf_ring_sender(ring)->dropped, 1);
}

/* The cell at the tail is older than the tail: make it ours. */
static enum mmf_attempt
try_cell(struct mmf_ring *ring, uint64_t tail, uint64_t word)
{
    uint64_t at = tail & MMF_INDEX_MASK;
    mmf_atomic_u64 *place = &mmf_ring_cell(ring, at)->word;
    uint64_t newest = 0;
    int has_newest = 0;

    if (ring->shape.kind == MMF_RING_LATEST)
        has_newest = mmf_ring_find_newest(ring, &newest);
    if (has_newest < 0)
        return MMF_BROKEN;
    if (is_held_by_readers(ring, at))
        return mmf_ring_tail(ring) == tail ? MMF_FULL : MMF_AGAIN;
    if (mmf_word_is_in_hand(word) || is_kept(ring, word, has_newest, newest)) {
        if (!is_worth_leaving_out(ring, at, has_newest, newest))
            return mmf_ring_tail(ring) == tail ? MMF_FULL : MMF_AGAIN;
        move_tail(ring, tail, 1);
        return MMF_AGAIN;
    }
    note_overwriting(ring, word, newest);
    if (!mmf_exchange_if_ordered_u64(
            place, &word, mmf_word_make(at, ring->sender, MMF_CELL_RESERVED)))
        return MMF_AGAIN;
    count_dropped(ring, word);
    return settle(ring, tail, place) ? MMF_GOT_IT : MMF_AGAIN;
}

/* One look at the tail and its cell. */
static enum mmf_attempt
try_reserve(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_ring_tail(ring);
    uint64_t at = tail & MMF_INDEX_MASK;
    uint64_t word = mmf_ring_word(ring, at);
    int64_t difference = mmf_word_age(ring, word, at);

    *index = at;
    if (!mmf_word_is_at_home(ring, word, at))
        return MMF_BROKEN;
    if (difference < 0)
        return try_cell(ring, tail, word);
    if (difference == 0)
        move_tail(ring, tail, 0); /* its owner has not come to it yet */
    else if (mmf_ring_tail(ring) == tail)
        return MMF_BROKEN;
    return MMF_AGAIN;
}

static enum mmf_attempt
try_any(struct mmf_ring *ring, uint64_t *index)
{
    return mmf_ring_has_claims(ring) ? mmf_ring_try_claim(ring, index)
                                     : try_reserve(ring, index);
}

static enum mmf_ring_answer
answer_without(struct mmf_ring *ring, enum mmf_attempt attempt)
{
    if (attempt == MMF_FULL)
        mmf_ring_note_depth(ring, (int64_t)ring->shape.cells);
    return attempt == MMF_FULL ? MMF_RING_NOT_NOW : MMF_RING_CORRUPT;
}

enum mmf_ring_answer
mmf_ring_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes)
{
    enum mmf_attempt attempt;

    if (ring->shape.kind == MMF_RING_SINGLE) {
        if (!mmf_ring_single_has_room(ring) && !mmf_ring_single_find_room(ring))
            return answer_without(ring, MMF_FULL);
        *bytes = mmf_ring_single_reserve(ring, length);
        return MMF_RING_DONE;
    }
    /* Before the exchange: one who dies with a cell is never without the mark. */
    mmf_store_relaxed_u64(&mmf_ring_sender(ring)->held, 1);
    do {
        attempt = try_any(ring, &ring->reserved);
    } while (attempt == MMF_AGAIN);
    if (attempt != MMF_GOT_IT) {
        mmf_store_relaxed_u64(&mmf_ring_sender(ring)->held, 0);
        return answer_without(ring, attempt);
    }
    ring->has_reserved = 1;
    ring->reserved_offset =
        length <= MMF_CELL_SHORT ? 0 : sizeof(struct mmf_cell_shared);
    /* Whoever sees a byte of the new payload sees that the word has changed; pairs with
     * the fence in mmf_ring_is_whole (Boehm, "Can Seqlocks Get Along With Programming
     * Language Memory Models?", 2012). */
    mmf_fence_release();
    *bytes = (uint8_t *)mmf_ring_cell(ring, ring->reserved) + ring->reserved_offset;
    return MMF_RING_DONE;
}

void
mmf_ring_commit(struct mmf_ring *ring, uint64_t length)
{
    struct mmf_cell_shared *cell = mmf_ring_cell(ring, ring->reserved);

    if (ring->shape.kind == MMF_RING_SINGLE) {
        mmf_ring_single_commit(ring, length);
        return;
    }
    mmf_cell_write_sizes(cell, length, ring->reserved_offset);
    /* pairs with the acquire of whoever takes or reads it */
    mmf_store_release_u64(
        &cell->word, mmf_word_make(ring->reserved, ring->sender, MMF_CELL_COMMITTED));
    move_due_tail(ring);
    mmf_store_release_u64(&mmf_ring_sender(ring)->held, 0);
    /* The next reservation looks there first. */
    mmf_prefetch_to_read(&mmf_ring_cell(ring, ring->reserved + 1)->word);
    mmf_counter_add(&mmf_ring_sender(ring)->sent, 1);
    ring->has_reserved = 0;
}

void
mmf_ring_abandon(struct mmf_ring *ring)
{
    ring->has_reserved = 0;
    if (ring->shape.kind == MMF_RING_SINGLE)
        return; /* the next reservation is of the same cell */
    mmf_store_release_u64(&mmf_ring_cell(ring, ring->reserved)->word,
                          mmf_word_make(ring->reserved, MMF_NOBODY, MMF_CELL_RELEASED));
    move_due_tail(ring);
    mmf_store_release_u64(&mmf_ring_sender(ring)->held, 0);
}
