/*
 * reserve.c - reserving, committing, abandoning.
 *
 * The tail's upper 16 bits are, plus 1, the number of the sender that owns the index
 * before it; 0: that index was skipped. So one exchange of the tail gives an index out and
 * says to whom (the tail moves first and the slot follows as in Michael and Scott,
 * "Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue Algorithms",
 * 1996). The slot is not touched before the message is in it: a receiver that spins
 * there would take its line away at the sight of a reservation, and the commit would
 * have to fetch it back. Only where readers may still be at the old message, because
 * senders do not wait for them, the owner first stores RESERVED, as a seqlock's writer
 * does.
 *
 * Only the owner of an index writes a slot that is available, so one that was available
 * before the exchange is available after it. Before a sender moves the tail on, it makes
 * the slot of the index before say RESERVED and name the owner, unless that has
 * committed; so all reservations but the last are in their slots, and the last is in
 * the tail. A process that recovers a dead sender does the same.
 *
 *   killed                      a survivor sees
 *   after it dropped the oldest a free slot: one message less
 *   after the exchange          the tail's last index is a dead sender's: the next
 *                               sender, or a process that recovers it, names it in the
 *                               slot
 *   before it skips an index    one skipped index too many: consumers that were
 *                               overtaken scan the slots once
 */
#include "base/compiler.h"
#include "shared/ring/inner.h"
#include "shared/ring/spsc.h"
#include "shared/ring/topic.h"

/* Our own last claim is committed or abandoned: its line is left alone. */
void
mmf_ring_name_claim(const struct mmf_ring *ring, uint64_t tail)
{
    uint64_t last = (tail - 1) & MMF_INDEX_MASK;
    uint32_t owner = (uint32_t)(tail >> MMF_CLAIMANT_SHIFT) - 1; /* or UINT32_MAX */
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, last)->word;
    uint64_t word;

    MMF_ASSERT(!ring->shape.is_spsc);
    if (owner >= ring->shape.max_senders || owner == ring->sender)
        return;
    word = mmf_load_acquire_u64(slot_word);
    /* If it fails, the owner has committed, or another process has named it. */
    if (mmf_word_age(ring, word, last) < 0)
        mmf_exchange_if_u64(slot_word, &word,
                            mmf_word_make(last, owner, MMF_SLOT_RESERVED));
}

/* A message of index `tail` would overwrite what a subscriber has not read. */
static bool
is_held_by_readers(struct mmf_ring *ring, uint64_t tail)
{
    int64_t most = (int64_t)ring->shape.slots;

    if (ring->shape.kind != MMF_KIND_TOPIC ||
        ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST ||
        mmf_index_difference(tail, ring->min_cursor) < most)
        return false;
    ring->min_cursor = mmf_ring_find_min_cursor(ring);
    return mmf_index_difference(tail, ring->min_cursor) >= most;
}

/* A queue's message that no consumer has taken yet. */
static bool
is_waiting(const struct mmf_ring *ring, uint64_t word)
{
    enum mmf_slot_state state = mmf_word_state(word);

    return ring->shape.kind == MMF_KIND_QUEUE &&
           (state == MMF_SLOT_COMMITTED || state == MMF_SLOT_RETURNED);
}

/*
 * The slot is owned, or pinned, or has a latest value's newest, which must stay until
 * there is a newer one.
 */
static bool
must_stay(const struct mmf_ring *ring, bool is_pinned, uint64_t word, uint64_t newest)
{
    return is_pinned || mmf_word_is_owned(word) ||
           (ring->shape.kind == MMF_KIND_LATEST &&
            mmf_word_state(word) == MMF_SLOT_COMMITTED &&
            mmf_index_difference(mmf_word_index(word), newest) >= 0);
}

/* What one search has found holds up to there: each owned slot costs a search only if
 * that one is gone, too. A damaged tail may be anywhere. */
static bool
has_found_free(const struct mmf_ring *ring, uint64_t index)
{
    int64_t ahead = mmf_index_difference(ring->free_at, index);

    return ahead > 0 && ahead < (int64_t)ring->shape.slots;
}

/* Read the pins: those of the slots from `index` on. */
static uint64_t
read_pins(struct mmf_ring *ring, uint64_t index)
{
    ring->pinned = mmf_ring_pinned_from(ring, index);
    ring->pins_read_at = index;
    return ring->pinned;
}

/*
 * The same, as it was when they were read last. That decides nothing, for they are read
 * once the index is ours; but each pinned slot that is claimed costs such a reading, and
 * its message is gone for all but the reader that has pinned it.
 */
static uint64_t
last_pinned(struct mmf_ring *ring, uint64_t index)
{
    uint64_t ahead = (index - ring->pins_read_at) & MMF_INDEX_MASK;

    if (ring->shape.max_pins == 0)
        return 0;
    return ahead < MMF_PINS_AT_ONCE && ahead < ring->shape.slots
               ? ring->pinned >> ahead
               : read_pins(ring, index);
}

/* There is a slot for a message behind those that must stay. */
static bool
find_free(struct mmf_ring *ring, uint64_t index, uint64_t newest)
{
    uint64_t pinned = 0;

    ring->has_searched = true;
    for (uint64_t i = 1; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, index + i);

        pinned = i % MMF_PINS_AT_ONCE == 1 ? mmf_ring_pinned_from(ring, index + i)
                                           : pinned >> 1;
        if (must_stay(ring, pinned & 1, word, newest))
            continue;
        if (ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST && is_waiting(ring, word))
            return false;
        ring->free_at = (index + i) & MMF_INDEX_MASK;
        return true;
    }
    return false;
}

/* The index at the tail is `claimant`'s, if it still is the tail. */
static bool
move_tail(const struct mmf_ring *ring, uint64_t tail, uint64_t claimant)
{
    uint64_t next =
        claimant << MMF_CLAIMANT_SHIFT | mmf_index_next(tail & MMF_INDEX_MASK);

    MMF_ASSERT(claimant <= ring->shape.max_senders);
    /* No process but the one sender moves the tail; pins need the exchange. */
    if (ring->shape.is_single_producer && ring->shape.max_pins == 0) {
        mmf_store_release_u64(&ring->shared->tail, next);
        return true;
    }
    return mmf_exchange_if_ordered_u64(&ring->shared->tail, &tail, next);
}

/*
 * Counted before it is done: see catch_up in take.c. With the index go the next ones that
 * are `pinned`, up to the slot that is free: one reading of the pins is for all of them.
 */
static enum mmf_step
skip(const struct mmf_ring *ring, uint64_t tail, uint64_t pinned)
{
    bool has_moved;

    MMF_ASSERT(ring->shape.slots > 1);
    do {
        mmf_add_release_u64(&ring->shared->skipped, 1);
        has_moved = move_tail(ring, tail, 0);
        tail = mmf_index_next(tail & MMF_INDEX_MASK);
        pinned >>= 1;
    } while (has_moved && (pinned & 1) && has_found_free(ring, tail));
    return MMF_STEP_AGAIN;
}

/* If it fails, a consumer or another sender was quicker. */
static enum mmf_step
drop_oldest(const struct mmf_ring *ring, uint64_t index, uint64_t word)
{
    MMF_ASSERT(mmf_ring_is_mpmc(ring));
    if (mmf_exchange_if_u64(&mmf_ring_slot(ring, index)->word, &word,
                            mmf_word_released(mmf_word_index(word))))
        mmf_counter_add(&mmf_ring_sender(ring)->dropped, 1);
    return MMF_STEP_AGAIN;
}

/* A reader has pinned the slot since: the index is as good as abandoned. */
static enum mmf_step
give_up(struct mmf_ring *ring, uint64_t index)
{
    ring->has_searched = true; /* the pins */
    mmf_store_release_u64(&mmf_ring_slot(ring, index)->word, mmf_word_released(index));
    return MMF_STEP_AGAIN;
}

static enum mmf_step
full_at(const struct mmf_ring *ring, uint64_t tail)
{
    return mmf_ring_tail(ring) == tail ? MMF_STEP_WOULD_BLOCK : MMF_STEP_AGAIN;
}

/* The slot at the tail must stay, which is rare. */
static MMF_NOINLINE enum mmf_step
go_past(struct mmf_ring *ring, uint64_t tail, uint64_t pinned, uint64_t newest)
{
    uint64_t at = tail & MMF_INDEX_MASK;
    uint64_t pins;

    if (has_found_free(ring, at))
        return skip(ring, tail, pinned);
    pins = mmf_ring_sum_pins(ring);
    if (find_free(ring, at, newest))
        return skip(ring, tail, pinned);
    /* Pins come and go while the slots are read: had all slots to stay at one moment? */
    if (ring->shape.max_pins > 0 &&
        (!must_stay(ring, read_pins(ring, at) & 1, mmf_ring_word(ring, at), newest) ||
         mmf_ring_sum_pins(ring) != pins))
        return MMF_STEP_AGAIN;
    return full_at(ring, tail);
}

/* The slot at the tail is older than the tail: make the index ours. */
static enum mmf_step
try_slot(struct mmf_ring *ring, uint64_t tail, uint64_t word)
{
    uint64_t at = tail & MMF_INDEX_MASK;
    uint64_t pinned, newest = 0;

    if (ring->shape.kind == MMF_KIND_LATEST &&
        mmf_ring_find_newest(ring, &newest) == MMF_STEP_CORRUPT)
        return MMF_STEP_CORRUPT;
    if (is_held_by_readers(ring, at))
        return MMF_STEP_WOULD_BLOCK; /* a newer tail is held all the more */
    pinned = last_pinned(ring, at);
    if (must_stay(ring, pinned & 1, word, newest))
        return go_past(ring, tail, pinned, newest);
    if (is_waiting(ring, word))
        return ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST
                   ? drop_oldest(ring, at, word)
                   : full_at(ring, tail);
    /* Readers that miss the value find newest_at_least above it: see latest.c. */
    if (ring->shape.kind == MMF_KIND_LATEST &&
        mmf_word_state(word) == MMF_SLOT_COMMITTED)
        mmf_ring_raise_newest_at_least(ring, mmf_word_index(word), newest);
    /* During the exchange, unless other senders may win it. */
    if (tail >> MMF_CLAIMANT_SHIFT == (uint64_t)ring->sender + 1)
        mmf_prefetch_to_write(&mmf_ring_slot(ring, at)->word);
    if (!move_tail(ring, tail, (uint64_t)ring->sender + 1))
        return MMF_STEP_AGAIN;
    return ring->shape.max_pins > 0 && (read_pins(ring, at) & 1) ? give_up(ring, at)
                                                                 : MMF_STEP_DONE;
}

/* One reading of the tail and its slot. */
static enum mmf_step
try_claim(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_ring_tail(ring);
    uint64_t at = tail & MMF_INDEX_MASK;
    uint64_t word;

    *index = at;
    if (tail >> MMF_CLAIMANT_SHIFT > ring->shape.max_senders)
        return MMF_STEP_CORRUPT;
    mmf_ring_name_claim(ring, tail);
    word = mmf_ring_word(ring, at);
    if (!mmf_word_is_at_home(ring, word, at))
        return MMF_STEP_CORRUPT;
    if (mmf_word_age(ring, word, at) >= 0) /* the tail has moved since */
        return mmf_ring_tail(ring) == tail ? MMF_STEP_CORRUPT : MMF_STEP_AGAIN;
    return try_slot(ring, tail, word);
}

/* Others that are quicker a thousand times make it wait: no peer can hold it here. */
static enum mmf_step
claim(struct mmf_ring *ring, uint64_t *index)
{
    enum mmf_step step = MMF_STEP_AGAIN;

    for (uint64_t rounds = MMF_ROUNDS(ring); step == MMF_STEP_AGAIN && rounds > 0;
         rounds--) {
        step = try_claim(ring, index);
        if (step == MMF_STEP_AGAIN && ring->has_searched) {
            mmf_rounds_searched(ring, &rounds);
            ring->has_searched = false;
        }
    }
    if (step == MMF_STEP_WOULD_BLOCK)
        mmf_ring_note_depth(ring, (int64_t)ring->shape.slots);
    return step == MMF_STEP_AGAIN ? MMF_STEP_WOULD_BLOCK : step;
}

/*
 * No other sender came between the last two indexes, so the next ones are likely to be
 * ours, too. The lines of a message that is not read yet are left alone: a queue says of
 * none whether it is, but a sender that has not waited for long is not close to one.
 */
static void
prefetch_ahead(const struct mmf_ring *ring, uint64_t length)
{
    uint64_t index = ring->reserved + MMF_SLOTS_AHEAD;
    bool is_free = false;

    if (ring->shape.kind == MMF_KIND_QUEUE)
        is_free = mmf_index_difference(index, ring->out.waited) >= MMF_STREAM;
    else if (ring->shape.kind == MMF_KIND_TOPIC)
        is_free =
            ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST ||
            mmf_index_difference(index, ring->min_cursor) < (int64_t)ring->shape.slots;
    if (is_free)
        mmf_ring_prefetch_ahead(ring, mmf_ring_slot(ring, ring->reserved), length);
    else
        mmf_prefetch_to_read(&mmf_ring_slot(ring, ring->reserved + 1)->word);
}

/* A single publisher's slots after the one that it has just reserved: a lap at most, also
 * beside a process that writes the tail. */
static int64_t
count_free(const struct mmf_ring *ring)
{
    int64_t rest = (int64_t)ring->shape.slots - 1;
    int64_t unread = mmf_index_difference(ring->reserved, ring->min_cursor);

    if (ring->shape.kind != MMF_KIND_TOPIC || !ring->shape.is_single_producer ||
        ring->shape.max_pins > 0)
        return 0;
    if (ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST || unread < 0)
        return rest;
    return unread < rest ? rest - unread : 0;
}

enum mmf_step
mmf_ring_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes)
{
    uint64_t before = ring->reserved;
    enum mmf_step step;

    MMF_ASSERT(ring->sender < ring->shape.max_senders);
    MMF_ASSERT(!ring->has_reserved && length <= ring->shape.message_size);
    if (ring->shape.is_spsc) {
        if (!mmf_ring_spsc_has_space(ring) && !mmf_ring_spsc_find_space(ring)) {
            mmf_ring_note_depth(ring, (int64_t)ring->shape.slots);
            return MMF_STEP_WOULD_BLOCK;
        }
        *bytes = mmf_ring_spsc_reserve(ring, length);
        return MMF_STEP_DONE;
    }
    if (ring->out.ahead > 0) {
        *bytes = mmf_ring_reserve_next(ring, length);
        return MMF_STEP_DONE;
    }
    /* Before the exchange: a sender that dies with a slot is never without the mark. */
    mmf_store_relaxed_u64(&mmf_ring_sender(ring)->held, 1);
    step = claim(ring, &ring->reserved);
    if (step != MMF_STEP_DONE) {
        mmf_store_relaxed_u64(&mmf_ring_sender(ring)->held, 0);
        return step;
    }
    ring->has_reserved = true;
    if (ring->reserved == mmf_index_next(before))
        prefetch_ahead(ring, length);
    ring->reserved_offset =
        length <= MMF_SLOT_SHORT ? 0 : sizeof(struct mmf_slot_shared);
    ring->out.ahead = count_free(ring);
    mmf_ring_begin_overwriting(ring, mmf_ring_slot(ring, ring->reserved));
    *bytes = (uint8_t *)mmf_ring_slot(ring, ring->reserved) + ring->reserved_offset;
    return MMF_STEP_DONE;
}

void
mmf_ring_commit(struct mmf_ring *ring, uint64_t length)
{
    MMF_ASSERT(ring->has_reserved && length <= ring->shape.message_size);
    if (ring->shape.is_spsc) {
        mmf_ring_spsc_commit(ring, length);
        return;
    }
    mmf_ring_commit_slot(ring, length);
}

void
mmf_ring_abandon(struct mmf_ring *ring)
{
    MMF_ASSERT(ring->has_reserved);
    ring->has_reserved = false;
    if (ring->shape.is_spsc)
        return; /* the next reservation is of the same slot */
    mmf_store_release_u64(&mmf_ring_slot(ring, ring->reserved)->word,
                          mmf_word_released(ring->reserved));
    mmf_store_release_u64(&mmf_ring_sender(ring)->held, 0);
}
