/*
 * ring_claim.c - reserving in a queue that overwrites nothing.
 *
 * The tail's upper 16 bits are, plus 1, the number of whoever has the index before it;
 * 0: nobody, that index was left out. So one exchange of the tail gives an index out
 * and says to whom, and the cell is not touched before the message is in it: a consumer
 * that spins there would take its line away at the sight of a reservation, and the
 * commit would have to fetch it back.
 *
 * The cell must be free before the exchange. It is still free after it, since only the
 * owner of an index writes a free cell. Before the tail moves on, whoever moves it lets
 * the cell of the index before say RESERVED and name the owner, unless that has
 * committed; so all reservations but the last are in their cells, and the last is in
 * the tail. Who clears up after a dead sender does the same.
 *
 *   killed                      a survivor sees
 *   before the exchange         nothing
 *   after it                    the tail's last index is a dead one's: the next sender,
 *                               or who clears up, puts it into the cell
 *   while it leaves one out     `leaving` ahead of `left_out`, for ever: consumers that
 *                               were overtaken search the cells each time
 */
#include "shared/ring.h"

#include "shared/ring_cells.h"

/* The owner of the index before `tail`, as its cell should have it. */
static void
name_last(const struct mmf_ring *ring, uint64_t tail)
{
    uint64_t last = (tail - 1) & MMF_INDEX_MASK;
    uint32_t owner = (uint32_t)(tail >> MMF_CLAIMANT_SHIFT) - 1;
    mmf_atomic_u64 *place = &mmf_ring_cell(ring, last)->word;
    uint64_t word = mmf_load_acquire_u64(place);

    /* If it fails, the owner has committed, or somebody else has named it. */
    if (mmf_word_age(ring, word, last) < 0)
        mmf_exchange_if_u64(place, &word,
                            mmf_word_make(last, owner, MMF_CELL_RESERVED));
}

/* What it had of its own is committed or given back: there is nothing to be named. */
static int
is_open_claim(const struct mmf_ring *ring, uint64_t tail)
{
    uint64_t claimant = tail >> MMF_CLAIMANT_SHIFT;

    return claimant != 0 && claimant != (uint64_t)ring->sender + 1;
}

void
mmf_ring_name_claim(const struct mmf_ring *ring, uint32_t number)
{
    uint64_t tail = mmf_ring_tail(ring);

    if (tail >> MMF_CLAIMANT_SHIFT == (uint64_t)number + 1)
        name_last(ring, tail);
}

static int
is_waiting(uint64_t word)
{
    enum mmf_cell_state state = mmf_word_state(word);

    return state == MMF_CELL_COMMITTED || state == MMF_CELL_RETURNED;
}

/* Is there a free cell behind those in hand? */
static int
is_worth_leaving_out(const struct mmf_ring *ring, uint64_t index)
{
    for (uint64_t i = 1; i < ring->shape.cells; i++) {
        uint64_t word = mmf_ring_word(ring, index + i);

        if (!mmf_word_is_in_hand(word))
            return !is_waiting(word);
    }
    return 0;
}

/* The index at the tail is `claimant`'s, if it still is the tail. */
static int
move_tail(const struct mmf_ring *ring, uint64_t tail, uint64_t claimant)
{
    uint64_t next =
        claimant << MMF_CLAIMANT_SHIFT | mmf_index_next(tail & MMF_INDEX_MASK);

    return mmf_exchange_if_u64(&ring->shared->tail, &tail, next);
}

/* Counted before and after: see note_searched in ring_take.c. */
static enum mmf_attempt
leave_out(const struct mmf_ring *ring, uint64_t tail)
{
    mmf_add_release_u64(&ring->shared->leaving, 1);
    move_tail(ring, tail, 0);
    mmf_add_release_u64(&ring->shared->left_out, 1);
    return MMF_AGAIN;
}

enum mmf_attempt
mmf_ring_try_claim(const struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_ring_tail(ring);
    uint64_t at = tail & MMF_INDEX_MASK;
    uint64_t word;

    if (tail >> MMF_CLAIMANT_SHIFT > ring->shape.participants)
        return MMF_BROKEN;
    if (is_open_claim(ring, tail))
        name_last(ring, tail);
    word = mmf_ring_word(ring, at);
    if (!mmf_word_is_at_home(ring, word, at))
        return MMF_BROKEN;
    if (mmf_word_age(ring, word, at) >= 0) /* the tail has moved since */
        return mmf_ring_tail(ring) == tail ? MMF_BROKEN : MMF_AGAIN;
    if (is_waiting(word) ||
        (mmf_word_is_in_hand(word) && !is_worth_leaving_out(ring, at)))
        return mmf_ring_tail(ring) == tail ? MMF_FULL : MMF_AGAIN;
    if (mmf_word_is_in_hand(word))
        return leave_out(ring, tail);
    *index = at;
    return move_tail(ring, tail, (uint64_t)ring->sender + 1) ? MMF_GOT_IT : MMF_AGAIN;
}
