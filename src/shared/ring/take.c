/*
 * take.c - taking from a queue, releasing, handing on.
 *
 * A consumer passes reservations in the making, so that nobody waits for a stopped
 * sender but those who wait for its message. It remembers what it has passed, and looks
 * there first: a sender commits in order, so once a later message of the same sender is
 * seen, the earlier one is there as well.
 *
 * A reservation that took longer than a lap stays in its slot, and others leave the
 * slot out. A consumer that joins, or that has slept for a lap, must not jump over it:
 * it looks through all slots for what was left behind.
 */
#include "shared/ring/ring.h"

#include "shared/ring/slot.h"
#include "shared/ring/spsc.h"

/* From the word as it was seen. 0: somebody was quicker. */
static int
try_take(struct mmf_ring *ring, uint64_t word)
{
    enum mmf_slot_state taken =
        mmf_word_state(word) == MMF_SLOT_COMMITTED ? MMF_SLOT_TAKEN : MMF_SLOT_REDELIVERED;
    mmf_atomic_u64 *place = &mmf_ring_slot(ring, mmf_word_index(word))->word;
    mmf_atomic_u64 *held = &mmf_ring_receiver(ring)->held;

    /* Before the exchange: one who dies with a message is never without the mark. */
    mmf_store_relaxed_u64(held, mmf_load_relaxed_u64(held) + 1);
    if (mmf_exchange_if_u64(place, &word, mmf_word_with(word, ring->receiver, taken)))
        return 1;
    mmf_store_relaxed_u64(held, mmf_load_relaxed_u64(held) - 1);
    return 0;
}

/* Messages that came back; rarely any. */
static int
take_returned(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t returned = mmf_load_acquire_u64(&ring->shared->returned);

    if (returned == ring->seen_return_epoch)
        return 0;
    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, i);

        if (mmf_word_state(word) == MMF_SLOT_RETURNED &&
            mmf_word_is_at_home(ring, word, i) && try_take(ring, word)) {
            *index = mmf_word_index(word);
            return 1;
        }
    }
    ring->seen_return_epoch = returned;
    return 0;
}

void
mmf_ring_rescan_returned(struct mmf_ring *ring)
{
    uint64_t returned = mmf_load_relaxed_u64(&ring->shared->returned);

    if (returned >> 32 != (returned & UINT32_MAX))
        ring->seen_return_epoch = returned - 1;
}

static void
forget_passed(struct mmf_ring *ring, uint32_t place)
{
    ring->deferred_count--;
    for (uint32_t i = place; i < ring->deferred_count; i++)
        ring->passed[i] = ring->passed[i + 1];
}

/* The reservations that we have passed: one that is committed now comes first. */
static int
take_passed(struct mmf_ring *ring, uint64_t *index)
{
    for (uint32_t i = 0; i < ring->deferred_count;) {
        uint64_t word = mmf_ring_word(ring, ring->passed[i]);
        int is_it = mmf_word_index(word) == ring->passed[i];

        if (is_it && mmf_word_state(word) == MMF_SLOT_RESERVED) {
            i++;
            continue;
        }
        if (is_it && mmf_word_state(word) == MMF_SLOT_COMMITTED) {
            if (!try_take(ring, word))
                continue; /* look again */
            *index = ring->passed[i];
            forget_passed(ring, i);
            return 1;
        }
        forget_passed(ring, i);
    }
    return 0;
}

/* Are all that we have passed still in the making? */
static int
is_passed_unchanged(const struct mmf_ring *ring)
{
    for (uint32_t i = 0; i < ring->deferred_count; i++) {
        uint64_t word = mmf_ring_word(ring, ring->passed[i]);

        if (mmf_word_index(word) != ring->passed[i] ||
            mmf_word_state(word) != MMF_SLOT_RESERVED)
            return 0;
    }
    return 1;
}

/*
 * The first index from `from` on, before `oldest`, whose message can still come or be
 * had; `oldest` if there is none.
 */
static uint64_t
find_left_behind(const struct mmf_ring *ring, uint64_t from, uint64_t oldest)
{
    uint64_t first = oldest;

    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, i);
        uint64_t index = mmf_word_index(word);

        if ((mmf_word_state(word) == MMF_SLOT_RESERVED ||
             mmf_word_state(word) == MMF_SLOT_COMMITTED) &&
            mmf_word_is_at_home(ring, word, i) &&
            mmf_index_difference(index, from) >= 0 &&
            mmf_index_difference(first, index) > 0)
            first = index;
    }
    return first;
}

/* What `skips_begun` never comes to. */
#define UNKNOWN UINT64_MAX

/* `skips_begun`, if all those have left: the tail that is read afterwards tells of them. */
static uint64_t
count_left_out(const struct mmf_ring *ring)
{
    uint64_t skips_done = mmf_load_acquire_u64(&ring->shared->skips_done);

    return mmf_load_acquire_u64(&ring->shared->skips_begun) == skips_done ? skips_done
                                                                    : UNKNOWN;
}

/*
 * A reservation can lie behind the tail's lap only if an index of its slot was left
 * out. So nobody looks through all slots unless there was one since.
 */
static int
is_searched(const struct mmf_ring *ring)
{
    return mmf_load_acquire_u64(&ring->shared->skips_begun) == ring->searched;
}

/* The cursor is more than a lap behind, or on a slot that is ahead of it. */
static void
catch_up(struct mmf_ring *ring)
{
    uint64_t count = count_left_out(ring);
    uint64_t tail = mmf_ring_tail(ring);
    uint64_t oldest = mmf_ring_oldest(ring, tail);
    uint64_t next = mmf_index_next(ring->cursor);

    if (mmf_index_difference(oldest, next) <= 0) {
        ring->cursor = next;
    } else if (is_searched(ring)) {
        ring->cursor = oldest;
    } else {
        ring->cursor = find_left_behind(ring, next, oldest);
        if (ring->cursor == oldest)
            ring->searched = count;
    }
}

void
mmf_ring_begin(struct mmf_ring *ring)
{
    uint64_t count = count_left_out(ring);
    uint64_t tail = mmf_ring_tail(ring);
    uint64_t oldest = mmf_ring_oldest(ring, tail);

    ring->cursor = find_left_behind(ring, oldest - ((uint64_t)1 << 46), oldest);
    ring->searched = ring->cursor == oldest ? count : UNKNOWN;
    ring->deferred_count = 0;
    ring->seen_return_epoch = 0; /* if any ever came back, look for them */
}

enum ahead { TOOK_IT, NOTHING, LOOK_BACK, BROKEN };

static enum ahead
take_ahead(struct mmf_ring *ring, uint64_t *index)
{
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        uint64_t word = mmf_ring_word(ring, ring->cursor);
        int64_t difference = mmf_word_age(ring, word, ring->cursor);

        if (!mmf_word_is_at_home(ring, word, ring->cursor))
            return BROKEN;
        if (difference > 0) {
            if (mmf_index_difference(mmf_ring_tail(ring), mmf_word_index(word)) < 0)
                return BROKEN;
            catch_up(ring);
        } else if (difference < 0) {
            uint64_t tail = mmf_ring_tail(ring);

            if (mmf_index_difference(tail, ring->cursor) <= 0 ||
                mmf_tail_is_claimed(tail, ring->cursor))
                return NOTHING;
            if (!mmf_ring_is_skipped(ring, ring->cursor))
                return LOOK_BACK; /* it came meanwhile */
            catch_up(ring);
        } else if (mmf_word_state(word) == MMF_SLOT_RESERVED) {
            if (ring->deferred_count == MMF_DEFERRED_MAX)
                return is_passed_unchanged(ring) ? NOTHING : LOOK_BACK;
            ring->passed[ring->deferred_count++] = ring->cursor;
            ring->cursor = mmf_index_next(ring->cursor);
        } else if (mmf_word_state(word) == MMF_SLOT_COMMITTED) {
            if (ring->deferred_count != 0 && !is_passed_unchanged(ring))
                return LOOK_BACK;
            if (!try_take(ring, word))
                continue;
            *index = ring->cursor;
            ring->cursor = mmf_index_next(ring->cursor);
            return TOOK_IT;
        } else if (mmf_word_state(word) > MMF_SLOT_REDELIVERED) {
            return BROKEN;
        } else {
            ring->cursor = mmf_index_next(ring->cursor);
        }
    }
    return NOTHING;
}

static enum mmf_step
take_single(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t word = mmf_ring_word(ring, ring->cursor);

    if (word != mmf_word_make(ring->cursor, 0, MMF_SLOT_COMMITTED))
        return mmf_word_age(ring, word, ring->cursor) < 0 ? MMF_STEP_WOULD_BLOCK
                                                          : MMF_STEP_CORRUPT;
    if (mmf_ring_read_slot(ring, ring->cursor, message) != MMF_STEP_DONE)
        return MMF_STEP_CORRUPT;
    message->redelivered = mmf_index_difference(ring->cursor, ring->seen_return_epoch) < 0;
    if (message->redelivered)
        mmf_counter_add(&mmf_ring_receiver(ring)->redelivered, 1);
    mmf_ring_spsc_advance(ring);
    mmf_ring_spsc_note_taken(ring);
    if (mmf_ring_spsc_is_sample(ring))
        mmf_ring_spsc_keep_distance(ring);
    return MMF_STEP_DONE;
}

static enum ahead
take_any(struct mmf_ring *ring, uint64_t *index)
{
    for (uint64_t rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        enum ahead ahead;

        if (take_returned(ring, index) ||
            (ring->deferred_count != 0 && take_passed(ring, index)))
            return TOOK_IT;
        ahead = take_ahead(ring, index);
        if (ahead != LOOK_BACK)
            return ahead;
    }
    return NOTHING;
}

/* What was passed, or came back, goes before what is at the cursor. */
static int
must_look_back(const struct mmf_ring *ring)
{
    return ring->deferred_count != 0 ||
           mmf_load_acquire_u64(&ring->shared->returned) != ring->seen_return_epoch;
}

/* The usual case in fewer steps: the message at the cursor is there, and comes next. */
static int
take_next(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t word;

    if (must_look_back(ring))
        return 0;
    word = mmf_ring_word(ring, ring->cursor);
    if (mmf_word_index(word) != ring->cursor ||
        mmf_word_state(word) != MMF_SLOT_COMMITTED || !try_take(ring, word))
        return 0;
    *index = ring->cursor;
    ring->cursor = mmf_index_next(ring->cursor);
    return 1;
}

/* A longer payload begins in a line of its own: it is to come at the same time as the
 * word's, not after it. */
int
mmf_ring_poll(const struct mmf_ring *ring, int times)
{
    const struct mmf_slot_shared *slot = mmf_ring_slot(ring, ring->cursor);
    const struct mmf_slot_shared *payload =
        ring->shape.stride > sizeof(*slot) ? slot + 1 : slot;

    if (must_look_back(ring))
        return 1;
    for (int i = 0; i < times; i++) {
        mmf_prefetch_to_read(payload);
        if (mmf_word_age(ring, mmf_load_acquire_u64(&slot->word), ring->cursor) >= 0)
            return 1;
    }
    return 0;
}

enum mmf_step
mmf_ring_take(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    enum mmf_step answer;
    enum ahead ahead;
    uint64_t index = 0;

    if (ring->shape.is_spsc)
        return take_single(ring, message);
    ahead = take_next(ring, &index) ? TOOK_IT : take_any(ring, &index);
    if (ahead != TOOK_IT)
        return ahead == BROKEN ? MMF_STEP_CORRUPT : MMF_STEP_WOULD_BLOCK;
    answer = mmf_ring_read_slot(ring, index, message);
    if (answer != MMF_STEP_DONE)
        return answer;
    message->redelivered = mmf_word_state(mmf_ring_word(ring, index)) == MMF_SLOT_REDELIVERED;
    if (message->redelivered)
        mmf_counter_add(&mmf_ring_receiver(ring)->redelivered, 1);
    else if ((index & MMF_DEPTH_SAMPLES) == 0)
        mmf_ring_note_depth(ring, mmf_index_difference(mmf_ring_tail(ring), index));
    return MMF_STEP_DONE;
}

/* Is the message of this index ours, by its word? */
static int
is_ours(const struct mmf_ring *ring, uint64_t index, uint64_t word)
{
    return mmf_word_index(word) == (index & MMF_INDEX_MASK) &&
           mmf_word_participant(word) == ring->receiver &&
           (mmf_word_state(word) == MMF_SLOT_TAKEN ||
            mmf_word_state(word) == MMF_SLOT_REDELIVERED);
}

static void
hold_one_less(struct mmf_ring *ring)
{
    mmf_atomic_u64 *held = &mmf_ring_receiver(ring)->held;

    mmf_store_release_u64(held, mmf_load_relaxed_u64(held) - 1);
}

int
mmf_ring_holds(const struct mmf_ring *ring, uint64_t index, uint64_t ahead)
{
    if (!ring->shape.is_spsc)
        return is_ours(ring, index, mmf_ring_word(ring, index));
    return mmf_index_difference(index, mmf_load_relaxed_u64(&ring->shared->head)) ==
               (int64_t)ahead &&
           mmf_index_difference(ring->cursor, index) > 0;
}

int
mmf_ring_release(struct mmf_ring *ring, uint64_t index)
{
    if (ring->shape.is_spsc)
        return mmf_ring_spsc_release(ring, index);
    if (!mmf_ring_holds(ring, index, 0))
        return 0;
    /* pairs with the acquire in try_reserve: the payload has been read */
    mmf_store_release_u64(&mmf_ring_slot(ring, index)->word,
                          mmf_word_make(index, MMF_NO_PARTICIPANT, MMF_SLOT_RELEASED));
    hold_one_less(ring);
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
    return 1;
}

int
mmf_ring_return(struct mmf_ring *ring, uint64_t index)
{
    uint64_t word = mmf_ring_word(ring, index);

    if (ring->shape.is_spsc)
        return 1; /* `head` has not passed it: the next consumer begins there */
    if (!is_ours(ring, index, word))
        return 0;
    mmf_ring_return_word(ring, word);
    hold_one_less(ring);
    return 1;
}
