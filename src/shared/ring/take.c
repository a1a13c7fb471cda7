/*
 * take.c - taking from a queue, and releasing.
 *
 * A consumer defers uncommitted reservations, so that a stopped sender delays only the
 * consumers that wait for its message. It remembers what it has deferred, and tries that
 * first: a sender commits in order, so once a later message of the same sender is seen,
 * the earlier one is there as well.
 *
 * A reservation that took longer than a lap stays in its slot, and other senders skip the
 * slot. A consumer that joins, or that has slept for a lap, must not jump over such a
 * straggler: it scans all slots for one.
 */
#include "shared/ring/inner.h"
#include "shared/ring/spsc.h"

static void
add_to_held(const struct mmf_ring *ring, uint64_t more)
{
    mmf_atomic_u64 *held = &mmf_ring_receiver(ring)->held;

    mmf_store_release_u64(held, mmf_load_relaxed_u64(held) + more);
}

/* From the word as it was seen. False: another participant was quicker. */
static bool
try_take(struct mmf_ring *ring, uint64_t word)
{
    enum mmf_slot_state taken = mmf_word_state(word) == MMF_SLOT_COMMITTED
                                    ? MMF_SLOT_TAKEN
                                    : MMF_SLOT_REDELIVERED;
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, mmf_word_index(word))->word;

    MMF_ASSERT(mmf_ring_is_mpmc(ring) && ring->receiver >= MMF_RECEIVERS_FROM);
    if (ring->is_probing)
        return true;
    /* Before the exchange: a consumer that dies with a message is never without it. */
    add_to_held(ring, 1);
    if (mmf_exchange_if_u64(slot_word, &word,
                            mmf_word_with(word, ring->receiver, taken)))
        return true;
    add_to_held(ring, (uint64_t)-1);
    return false;
}

/* Messages that were returned; rarely any. */
static bool
take_returned(struct mmf_ring *ring, uint64_t *index, uint64_t *rounds)
{
    uint64_t epoch = mmf_load_acquire_u64(&ring->shared->return_epoch);

    if (epoch == ring->seen_return_epoch)
        return false;
    mmf_rounds_searched(ring, rounds);
    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        uint64_t word = mmf_ring_word(ring, i);

        if (mmf_word_state(word) == MMF_SLOT_RETURNED &&
            mmf_word_is_at_home(ring, word, i) && try_take(ring, word)) {
            *index = mmf_word_index(word);
            return true;
        }
    }
    ring->seen_return_epoch = epoch;
    return false;
}

/*
 * Deferred reservations.
 */

static void
defer(struct mmf_ring *ring, uint64_t index)
{
    MMF_ASSERT(ring->deferred_count < MMF_DEFERRED_MAX);
    ring->deferred[ring->deferred_count++] = index;
}

static void
forget_deferred(struct mmf_ring *ring, uint32_t position)
{
    MMF_ASSERT(position < ring->deferred_count);
    ring->deferred_count--;
    for (uint32_t i = position; i < ring->deferred_count; i++)
        ring->deferred[i] = ring->deferred[i + 1];
}

/* The first deferred reservation that is committed now. */
static bool
take_deferred(struct mmf_ring *ring, uint64_t *index)
{
    for (uint32_t i = 0; i < ring->deferred_count;) {
        uint64_t word = mmf_ring_word(ring, ring->deferred[i]);

        *index = ring->deferred[i];
        if (mmf_word_is_reservation(word, *index)) {
            i++;
            continue;
        }
        if (mmf_word_is_value(word, *index) && ring->is_probing)
            return true;
        forget_deferred(ring, i); /* it is ours, another consumer's, or dropped */
        if (mmf_word_is_value(word, *index) && try_take(ring, word))
            return true;
    }
    return false;
}

/* All that is deferred is still uncommitted. */
static bool
is_deferred_unchanged(const struct mmf_ring *ring)
{
    for (uint32_t i = 0; i < ring->deferred_count; i++) {
        if (!mmf_word_is_reservation(mmf_ring_word(ring, ring->deferred[i]),
                                     ring->deferred[i]))
            return false;
    }
    return true;
}

/*
 * Stragglers.
 */

/*
 * The first index from `from` on, before `oldest`, whose message can still come or is
 * available; `oldest` if no message is.
 */
static uint64_t
find_straggler(const struct mmf_ring *ring, uint64_t from, uint64_t oldest)
{
    uint64_t first = oldest;

    MMF_ASSERT(mmf_index_difference(oldest, from) > 0);
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

/* What `skipped` never comes to. */
#define UNKNOWN UINT64_MAX

static uint64_t
count_skipped(const struct mmf_ring *ring)
{
    return mmf_load_acquire_u64(&ring->shared->skipped);
}

/*
 * The cursor is more than a lap behind, or on a slot that is ahead of it.
 *
 * A reservation can lie behind the tail's lap only if the index of its slot was skipped.
 * So no consumer scans the slots unless one was since. A sender counts before it moves
 * the tail. So if the count is the same after the tail was read, none was skipped that
 * this tail has passed. And if the count is read before the tail, then every skipped
 * index in it is passed, or is the tail itself: its reservation is `oldest`, where the
 * cursor goes.
 */
static void
catch_up(struct mmf_ring *ring, uint64_t *rounds)
{
    uint64_t count = count_skipped(ring);
    uint64_t oldest = mmf_ring_oldest(ring, mmf_ring_tail(ring));
    uint64_t next = mmf_index_next(ring->cursor);

    if (mmf_index_difference(oldest, next) <= 0) {
        ring->cursor = next;
    } else if (count_skipped(ring) == ring->scanned) {
        ring->cursor = oldest;
    } else {
        mmf_rounds_searched(ring, rounds);
        ring->cursor = find_straggler(ring, next, oldest);
        if (ring->cursor == oldest)
            ring->scanned = count;
    }
}

/* As a consumer that is very far behind. */
void
mmf_ring_begin(struct mmf_ring *ring)
{
    uint64_t ignored = 1;

    MMF_ASSERT(mmf_ring_is_mpmc(ring));
    ring->cursor = (mmf_ring_tail(ring) - ((uint64_t)1 << 46)) & MMF_INDEX_MASK;
    ring->scanned = UNKNOWN;
    ring->deferred_count = 0;
    ring->seen_return_epoch = 0; /* if any was ever returned, scan for it */
    catch_up(ring, &ignored);
}

/*
 * Taking.
 */

/* The message at the cursor is taken, or found. Its index. */
static uint64_t
pass(struct mmf_ring *ring)
{
    uint64_t index = ring->cursor;

    if (!ring->is_probing)
        ring->cursor = mmf_index_next(index);
    return index;
}

/*
 * Take the message at the cursor, or the first after it. AGAIN: first try again what was
 * returned or deferred.
 */
static enum mmf_step
take_at_cursor(struct mmf_ring *ring, uint64_t *index, uint64_t *rounds)
{
    for (; *rounds > 0; --*rounds) {
        uint64_t word = mmf_ring_word(ring, ring->cursor);
        int64_t age = mmf_word_age(ring, word, ring->cursor);

        if (!mmf_word_is_at_home(ring, word, ring->cursor))
            return MMF_STEP_CORRUPT;
        if (age > 0) {
            if (mmf_index_difference(mmf_ring_tail(ring), mmf_word_index(word)) <= 0)
                return MMF_STEP_CORRUPT;
            catch_up(ring, rounds);
        } else if (age < 0) {
            if (!mmf_tail_has_settled(mmf_ring_tail(ring), ring->cursor))
                return MMF_STEP_WOULD_BLOCK;
            if (!mmf_ring_is_older(ring, ring->cursor))
                return MMF_STEP_AGAIN; /* it came meanwhile */
            catch_up(ring, rounds);
        } else if (mmf_word_state(word) == MMF_SLOT_RESERVED) {
            if (ring->deferred_count == MMF_DEFERRED_MAX)
                return is_deferred_unchanged(ring) ? MMF_STEP_WOULD_BLOCK
                                                   : MMF_STEP_AGAIN;
            defer(ring, ring->cursor);
            ring->cursor = mmf_index_next(ring->cursor);
        } else if (mmf_word_state(word) == MMF_SLOT_COMMITTED) {
            if (!is_deferred_unchanged(ring))
                return MMF_STEP_AGAIN;
            if (!try_take(ring, word))
                continue;
            *index = pass(ring);
            return MMF_STEP_DONE;
        } else if (mmf_word_state(word) > MMF_SLOT_REDELIVERED) {
            return MMF_STEP_CORRUPT;
        } else {
            ring->cursor = mmf_index_next(ring->cursor);
            ring->in.in_a_row = 0; /* another consumer's */
        }
    }
    return MMF_STEP_WOULD_BLOCK;
}

/* Earlier messages were deferred or returned, and are tried before the cursor's. */
static bool
has_earlier(const struct mmf_ring *ring)
{
    return ring->deferred_count != 0 ||
           mmf_load_acquire_u64(&ring->shared->return_epoch) != ring->seen_return_epoch;
}

/* The fast path: the message at the cursor is there, and comes next. */
static bool
take_next(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t word;

    if (has_earlier(ring))
        return false;
    word = mmf_ring_word(ring, ring->cursor);
    if (!mmf_word_is_value(word, ring->cursor) || !try_take(ring, word))
        return false;
    *index = pass(ring);
    ring->in.in_a_row += !ring->is_probing;
    return true;
}

static enum mmf_step
take_any(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t rounds;

    if (take_next(ring, index))
        return MMF_STEP_DONE;
    for (rounds = MMF_ROUNDS(ring); rounds > 0; rounds--) {
        enum mmf_step step;

        if (take_returned(ring, index, &rounds) || take_deferred(ring, index))
            return MMF_STEP_DONE;
        step = take_at_cursor(ring, index, &rounds);
        if (step != MMF_STEP_AGAIN)
            return step;
    }
    return MMF_STEP_WOULD_BLOCK;
}

static enum mmf_step
take_spsc(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t word = mmf_ring_word(ring, ring->cursor);

    MMF_ASSERT(ring->in.slot == (uint8_t *)mmf_ring_slot(ring, ring->cursor));
    if (word != mmf_word_make(ring->cursor, 0, MMF_SLOT_COMMITTED))
        return mmf_word_age(ring, word, ring->cursor) < 0 ? MMF_STEP_WOULD_BLOCK
                                                          : MMF_STEP_CORRUPT;
    if (mmf_ring_read_slot(ring, ring->cursor, message) != MMF_STEP_DONE)
        return MMF_STEP_CORRUPT;
    if (mmf_index_difference(ring->cursor, ring->redelivered_until) < 0)
        mmf_ring_note_redelivery(ring, ring->cursor, message);
    mmf_ring_spsc_advance(ring);
    if (message->deliveries == 1)
        mmf_ring_spsc_note_taken(ring);
    if (mmf_ring_is_sample(ring))
        mmf_ring_keep_distance(ring);
    return MMF_STEP_DONE;
}

/* A queue's consumer defers what is reserved, and goes on to the next. */
static bool
is_to_come(const struct mmf_ring *ring, uint64_t word)
{
    return ring->shape.kind == MMF_KIND_TOPIC &&
           mmf_word_is_reservation(word, ring->cursor);
}

/* A longer payload begins in a line of its own: it is to come at the same time as the
 * word's, not after it. */
bool
mmf_ring_poll(const struct mmf_ring *ring, int times)
{
    const struct mmf_slot_shared *slot = mmf_ring_slot(ring, ring->cursor);
    const struct mmf_slot_shared *payload =
        ring->shape.stride > sizeof(*slot) ? slot + 1 : slot;

    MMF_ASSERT(!ring->shape.is_spsc && ring->shape.kind != MMF_KIND_LATEST);
    MMF_ASSERT(times > 0);
    if (has_earlier(ring))
        return true;
    for (int i = 0; i < times; i++) {
        uint64_t word;

        mmf_prefetch_to_read(payload);
        word = mmf_load_acquire_u64(&slot->word);
        if (mmf_word_age(ring, word, ring->cursor) >= 0 && !is_to_come(ring, word))
            return true;
    }
    return false;
}

/* As a take, which leaves what it has found where it is. */
bool
mmf_ring_has_message(struct mmf_ring *ring)
{
    enum mmf_step step;
    uint64_t ignored;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_QUEUE && ring->receiving != NULL);
    if (ring->shape.is_spsc)
        return mmf_word_age(ring, mmf_ring_word(ring, ring->cursor), ring->cursor) >= 0;
    ring->is_probing = true;
    step = take_any(ring, &ignored);
    ring->is_probing = false;
    return step != MMF_STEP_WOULD_BLOCK;
}

/* The messages before were this consumer's, one after the other, and so will be those
 * that come next: they were there when it last read the tail. */
static inline bool
is_next_there(const struct mmf_ring *ring)
{
    return ring->in.in_a_row > MMF_SLOTS_AHEAD &&
           mmf_index_difference(ring->in.tail, ring->cursor) > MMF_SLOTS_AHEAD;
}

enum mmf_step
mmf_ring_take(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    enum mmf_step step;
    uint64_t index = 0;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_QUEUE && ring->receiving != NULL);
    if (ring->shape.is_spsc)
        return take_spsc(ring, message);
    step = take_any(ring, &index);
    if (step != MMF_STEP_DONE)
        return step;
    if (mmf_ring_read_slot(ring, index, message) != MMF_STEP_DONE) {
        mmf_ring_return(ring, index);
        ring->seen_return_epoch--; /* it is found again, and again by each consumer */
        return MMF_STEP_CORRUPT;
    }
    if (is_next_there(ring))
        mmf_ring_prefetch_ahead(ring, mmf_ring_slot(ring, index), message->length);
    if (mmf_word_state(mmf_ring_word(ring, index)) == MMF_SLOT_REDELIVERED)
        mmf_ring_note_redelivery(ring, index, message);
    else if (mmf_ring_is_sample(ring))
        mmf_ring_keep_distance(ring);
    return MMF_STEP_DONE;
}

/*
 * The slot is the caller's. A sender writes 0; so a consumer that died while it took a
 * message for the first time counts, and one that died in a later take does not.
 */
void
mmf_ring_note_redelivery(struct mmf_ring *ring, uint64_t index,
                         struct mmf_ring_message *message)
{
    struct mmf_slot_shared *slot = mmf_ring_slot(ring, index);
    uint32_t times = mmf_slot_redeliveries(slot);

    times += times < MMF_REDELIVERIES_MOST;
    slot->delivery = times;
    message->deliveries = times + 1;
    mmf_counter_add(&mmf_ring_receiver(ring)->redelivered, 1);
}

void
mmf_ring_note_taken(const struct mmf_ring *ring, uint64_t index, int64_t now)
{
    struct mmf_slot_shared *slot = mmf_ring_slot(ring, index);

    MMF_ASSERT(mmf_ring_holds(ring, index, 0) && now >= 0);
    slot->delivery = mmf_slot_redeliveries(slot) |
                     (uint32_t)(now >> MMF_TAKEN_TICK_BITS) << MMF_REDELIVERIES_BITS;
}

/*
 * Releasing.
 */

bool
mmf_ring_holds(const struct mmf_ring *ring, uint64_t index, uint64_t ahead)
{
    uint64_t word;

    if (ring->shape.is_spsc)
        return mmf_index_difference(index, mmf_load_relaxed_u64(&ring->shared->head)) ==
                   (int64_t)ahead &&
               mmf_index_difference(ring->cursor, index) > 0;
    word = mmf_ring_word(ring, index);
    return mmf_word_index(word) == (index & MMF_INDEX_MASK) &&
           mmf_word_participant(word) == ring->receiver &&
           (mmf_word_state(word) == MMF_SLOT_TAKEN ||
            mmf_word_state(word) == MMF_SLOT_REDELIVERED);
}

bool
mmf_ring_release(struct mmf_ring *ring, uint64_t index)
{
    MMF_ASSERT(ring->shape.kind == MMF_KIND_QUEUE && ring->receiving != NULL);
    if (ring->shape.is_spsc)
        return mmf_ring_spsc_release(ring, index);
    if (!mmf_ring_holds(ring, index, 0))
        return false;
    /* pairs with the acquire in try_claim: the payload has been read */
    mmf_store_release_u64(&mmf_ring_slot(ring, index)->word, mmf_word_released(index));
    add_to_held(ring, (uint64_t)-1);
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
    return true;
}

bool
mmf_ring_return(struct mmf_ring *ring, uint64_t index)
{
    uint64_t epoch = mmf_load_acquire_u64(&ring->shared->return_epoch);

    MMF_ASSERT(mmf_ring_is_mpmc(ring) && ring->receiving != NULL);
    if (!mmf_ring_holds(ring, index, 0))
        return false;
    mmf_ring_return_word(ring, mmf_ring_word(ring, index));
    add_to_held(ring, (uint64_t)-1);
    ring->has_returned = true;
    /* If nothing else was returned there is nothing to look for yet. */
    if (epoch == ring->seen_return_epoch &&
        mmf_load_acquire_u64(&ring->shared->return_epoch) == epoch + MMF_ONE_RETURN)
        ring->seen_return_epoch = epoch + MMF_ONE_RETURN;
    return true;
}

/* A message before `target` is in the slot, or its sender has decided to commit it. */
static bool
is_left(const struct mmf_ring *ring, uint64_t slot, uint64_t target)
{
    uint64_t word = mmf_ring_word(ring, slot);
    bool is_decided =
        mmf_word_state(word) == MMF_SLOT_RESERVED && mmf_ring_is_decided(ring, word);

    /* A sender whose entry says no more that it has decided has committed. */
    if (!is_decided)
        word = mmf_ring_word(ring, slot);
    return (is_decided || mmf_word_state(word) >= MMF_SLOT_COMMITTED) &&
           mmf_index_difference(mmf_word_index(word), target) < 0;
}

bool
mmf_ring_is_drained(const struct mmf_ring *ring, uint64_t target, uint64_t *position)
{
    MMF_ASSERT(ring->shape.kind == MMF_KIND_QUEUE);
    if (ring->shape.is_spsc)
        return mmf_index_difference(mmf_load_acquire_u64(&ring->shared->head),
                                    target) >= 0;
    if (*position == 0)
        mmf_ring_name_claim(ring, target);
    /* A slot that has none of them now never will. */
    for (; *position < ring->shape.slots; (*position)++) {
        if (is_left(ring, *position, target))
            return false;
    }
    return true;
}
