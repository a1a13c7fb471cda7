/*
 * ring.c - reserving, committing, taking, reading; and clearing up after the dead.
 *
 * The tail's upper 16 bits count the indexes that were left out. A sender that has
 * reserved index t of a tail that others have moved on meanwhile must know whether they
 * did so because they saw its reservation, or because they left t out: then no receiver
 * will look there, and it withdraws.
 *
 * A consumer passes reservations in the making, so that nobody waits for a stopped
 * sender but those who wait for its message. It remembers what it has passed, and looks
 * there first: a sender commits in order, so once a later message of the same sender is
 * seen, the earlier one is there as well.
 */
#include "shared/ring.h"

#define SKIPS_SHIFT 48

/* A receiver looks at the depth at every index that has none of these bits. */
#define SAMPLES 255u

uint64_t
mmf_ring_stride(uint64_t message_size)
{
    if (message_size <= MMF_CELL_SHORT)
        return sizeof(struct mmf_cell_shared);
    /* The line and the payload's first one come in one pair. */
    return (sizeof(struct mmf_cell_shared) + message_size + 127) / 128 * 128;
}

void
mmf_ring_init(struct mmf_ring_shared *shared, uint64_t first)
{
    mmf_store_relaxed_u64(&shared->tail, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->head, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->taken, first & MMF_INDEX_MASK);
    mmf_store_relaxed_u64(&shared->newest, (first - 1) & MMF_INDEX_MASK);
}

static uint64_t
tail_of(const struct mmf_ring *ring)
{
    return mmf_load_acquire_u64(&ring->shared->tail);
}

static uint64_t
next_index(uint64_t index)
{
    return (index + 1) & MMF_INDEX_MASK;
}

static uint64_t
word_of(const struct mmf_ring *ring, uint64_t index)
{
    return mmf_load_acquire_u64(&mmf_ring_cell(ring, index)->word);
}

/* How far the word's index is from `index`; never-used cells are a lap behind. */
static int64_t
age(const struct mmf_ring *ring, uint64_t word, uint64_t index)
{
    if (word == 0)
        return -(int64_t)ring->shape.cells;
    return mmf_index_difference(mmf_word_index(word), index);
}

/* A statistic: of two who raise it at once, one may be overlooked. */
static void
note_depth(const struct mmf_ring *ring, int64_t depth)
{
    mmf_atomic_u64 *place = &ring->shared->high_water;

    if (depth > 0 && depth <= (int64_t)ring->shape.cells &&
        mmf_load_relaxed_u64(place) < (uint64_t)depth)
        mmf_store_relaxed_u64(place, (uint64_t)depth);
}

static void
count(mmf_atomic_u64 *counter, uint64_t more)
{
    /* One writer: the participant itself. */
    mmf_store_relaxed_u64(counter, mmf_load_relaxed_u64(counter) + more);
}

struct mmf_participant_shared *
mmf_ring_participant(const struct mmf_ring *ring, uint32_t number)
{
    if (number < ring->shape.participants)
        return &ring->senders[number];
    if (number >= MMF_RECEIVERS_FROM &&
        number - MMF_RECEIVERS_FROM < ring->shape.participants)
        return &ring->receivers[number - MMF_RECEIVERS_FROM];
    return NULL;
}

static struct mmf_participant_shared *
sender_entry(const struct mmf_ring *ring)
{
    return &ring->senders[ring->sender];
}

static struct mmf_participant_shared *
receiver_entry(const struct mmf_ring *ring)
{
    return &ring->receivers[ring->receiver - MMF_RECEIVERS_FROM];
}

/*
 * Sending.
 */

/* Somebody has it in hand: it writes or reads the payload. */
static int
is_in_hand(uint64_t word)
{
    enum mmf_cell_state state = mmf_word_state(word);

    return state == MMF_CELL_RESERVED || state == MMF_CELL_TAKEN ||
           state == MMF_CELL_RETAKEN;
}

static int
is_full_of(const struct mmf_ring *ring, uint64_t word)
{
    enum mmf_cell_state state = mmf_word_state(word);

    return (ring->shape.kind == MMF_RING_QUEUE &&
            ring->shape.overflow != MMF_RING_DROP) &&
           (state == MMF_CELL_COMMITTED || state == MMF_CELL_RETURNED);
}

/* A latest value's newest must stay until there is a newer one. */
static int
is_kept(const struct mmf_ring *ring, uint64_t word, uint64_t newest)
{
    return ring->shape.kind == MMF_RING_LATEST &&
           mmf_word_state(word) == MMF_CELL_COMMITTED && mmf_word_index(word) == newest;
}

static uint64_t find_newest(const struct mmf_ring *ring);

/* All that slow subscribers let be overwritten: everything before their cursors. */
static uint64_t
find_gate(const struct mmf_ring *ring)
{
    uint64_t gate = tail_of(ring) & MMF_INDEX_MASK;

    for (uint32_t i = 0; i < ring->shape.participants; i++) {
        const struct mmf_participant_shared *entry = &ring->receivers[i];
        uint64_t cursor = mmf_load_acquire_u64(&entry->cursor);

        if ((cursor & MMF_CURSOR_SET) != 0 &&
            mmf_load_acquire_u64(&entry->identity) != 0 &&
            mmf_index_difference(cursor, gate) < 0)
            gate = cursor & MMF_INDEX_MASK;
    }
    return gate;
}

/* Would a message of index `tail` overwrite what a subscriber has not read? */
static int
is_held_by_readers(struct mmf_ring *ring, uint64_t tail)
{
    int64_t most = (int64_t)ring->shape.cells;

    if (ring->shape.kind != MMF_RING_TOPIC || ring->shape.overflow == MMF_RING_DROP ||
        mmf_index_difference(tail, ring->gate) < most)
        return 0;
    ring->gate = find_gate(ring);
    return mmf_index_difference(tail, ring->gate) >= most;
}

/* Is there a cell to be had behind those in hand? */
static int
is_worth_leaving_out(const struct mmf_ring *ring, uint64_t index, uint64_t newest)
{
    for (uint64_t i = 1; i < ring->shape.cells; i++) {
        uint64_t word = word_of(ring, index + i);

        if (!is_in_hand(word) && !is_kept(ring, word, newest))
            return !is_full_of(ring, word);
    }
    return 0;
}

static int
move_tail(const struct mmf_ring *ring, uint64_t tail, uint64_t left_out)
{
    uint64_t next = ((tail >> SKIPS_SHIFT) + left_out) << SKIPS_SHIFT |
                    next_index(tail & MMF_INDEX_MASK);

    return mmf_exchange_if_u64(&ring->shared->tail, &tail, next);
}

/* The cell is ours. 0: its index was left out by others, so it is given back. */
static int
settle(const struct mmf_ring *ring, uint64_t tail, mmf_atomic_u64 *word)
{
    if (move_tail(ring, tail, 0) || tail_of(ring) >> SKIPS_SHIFT == tail >> SKIPS_SHIFT)
        return 1;
    mmf_store_release_u64(
        word, mmf_word_make(tail & MMF_INDEX_MASK, ring->sender, MMF_CELL_RELEASED));
    return 0;
}

enum attempt { GOT_IT, AGAIN, FULL, BROKEN };

/* One look at the tail and its cell. */
static enum attempt
try_reserve(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = tail_of(ring);
    uint64_t at = tail & MMF_INDEX_MASK;
    mmf_atomic_u64 *place = &mmf_ring_cell(ring, at)->word;
    uint64_t word = mmf_load_acquire_u64(place);
    int64_t difference = age(ring, word, at);
    uint64_t newest = ring->shape.kind == MMF_RING_LATEST ? find_newest(ring) : 0;

    if (difference >= 0) {
        if (difference == 0)
            move_tail(ring, tail, 0); /* its owner has not come to it yet */
        else if (tail_of(ring) == tail)
            return BROKEN;
        return AGAIN;
    }
    if (is_held_by_readers(ring, at) || is_full_of(ring, word))
        return tail_of(ring) == tail ? FULL : AGAIN;
    if (is_in_hand(word) || is_kept(ring, word, newest)) {
        if (!is_worth_leaving_out(ring, at, newest))
            return tail_of(ring) == tail ? FULL : AGAIN;
        move_tail(ring, tail, 1);
        return AGAIN;
    }
    if (!mmf_exchange_if_u64(place, &word,
                             mmf_word_make(at, ring->sender, MMF_CELL_RESERVED)))
        return AGAIN;
    if (!settle(ring, tail, place))
        return AGAIN;
    if (ring->shape.kind == MMF_RING_QUEUE &&
        (mmf_word_state(word) == MMF_CELL_COMMITTED ||
         mmf_word_state(word) == MMF_CELL_RETURNED))
        count(&sender_entry(ring)->dropped, 1);
    *index = at;
    return GOT_IT;
}

/* SINGLE: the tail is the producer's own, and the cells before `head` are free. */
static enum attempt
try_reserve_single(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail);

    if (mmf_index_difference(tail, ring->gate) >= (int64_t)ring->shape.cells) {
        /* pairs with the release in mmf_ring_release: the payload has been read */
        ring->gate = mmf_load_acquire_u64(&ring->shared->head);
        if (mmf_index_difference(tail, ring->gate) >= (int64_t)ring->shape.cells)
            return FULL;
    }
    *index = tail;
    return GOT_IT;
}

enum mmf_ring_answer
mmf_ring_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes)
{
    int is_single = ring->shape.kind == MMF_RING_SINGLE;
    struct mmf_cell_shared *cell;
    enum attempt attempt;

    if (!is_single)
        mmf_store_relaxed_u64(&sender_entry(ring)->held, 1);
    do {
        attempt = is_single ? try_reserve_single(ring, &ring->reserved)
                            : try_reserve(ring, &ring->reserved);
    } while (attempt == AGAIN);
    if (attempt != GOT_IT) {
        if (!is_single)
            mmf_store_relaxed_u64(&sender_entry(ring)->held, 0);
        if (attempt == FULL)
            note_depth(ring, (int64_t)ring->shape.cells);
        return attempt == FULL ? MMF_RING_NOT_NOW : MMF_RING_CORRUPT;
    }
    ring->has_reserved = 1;
    cell = mmf_ring_cell(ring, ring->reserved);
    /* Whoever sees a byte of the new payload sees that the word has changed; pairs with
     * the fence in mmf_ring_is_whole (Boehm, "Can Seqlocks Get Along With Programming
     * Language Memory Models?", 2012). */
    mmf_fence_release();
    cell->offset = length <= MMF_CELL_SHORT ? 0 : sizeof(*cell);
    *bytes = (uint8_t *)cell + cell->offset;
    return MMF_RING_DONE;
}

/* Let `newest` be at least `index`. */
static void
raise_newest(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);

    while (mmf_index_difference(index, newest) > 0 &&
           !mmf_exchange_if_u64(&ring->shared->newest, &newest, index))
        ;
}

void
mmf_ring_commit(struct mmf_ring *ring, uint64_t length)
{
    struct mmf_cell_shared *cell = mmf_ring_cell(ring, ring->reserved);
    uint32_t number = ring->shape.kind == MMF_RING_SINGLE ? 0 : ring->sender;

    cell->length = (uint32_t)length;
    /* pairs with the acquire of whoever takes or reads it */
    mmf_store_release_u64(&cell->word,
                          mmf_word_make(ring->reserved, number, MMF_CELL_COMMITTED));
    if (ring->shape.kind == MMF_RING_SINGLE)
        mmf_store_relaxed_u64(&ring->shared->tail, next_index(ring->reserved));
    else
        mmf_store_release_u64(&sender_entry(ring)->held, 0);
    if (ring->shape.kind == MMF_RING_LATEST)
        raise_newest(ring, ring->reserved);
    count(&sender_entry(ring)->sent, 1);
    ring->has_reserved = 0;
}

void
mmf_ring_abandon(struct mmf_ring *ring)
{
    struct mmf_cell_shared *cell = mmf_ring_cell(ring, ring->reserved);

    if (ring->shape.kind != MMF_RING_SINGLE) {
        mmf_store_release_u64(&cell->word, mmf_word_make(ring->reserved, ring->sender,
                                                         MMF_CELL_RELEASED));
        mmf_store_release_u64(&sender_entry(ring)->held, 0);
    }
    ring->has_reserved = 0;
}

/*
 * Taking, from a queue.
 */

/* What the cell says of its message, checked: its sizes are anybody's writing. */
static enum mmf_ring_answer
read_cell(const struct mmf_ring *ring, uint64_t index, struct mmf_ring_message *message)
{
    const struct mmf_cell_shared *cell = mmf_ring_cell(ring, index);
    uint32_t length = *(const volatile uint32_t *)&cell->length;
    uint32_t offset = *(const volatile uint32_t *)&cell->offset;

    if (length > ring->shape.message_size ||
        (offset != sizeof(*cell) && (offset != 0 || length > MMF_CELL_SHORT)) ||
        (offset != 0 && ring->shape.stride == sizeof(*cell)))
        return MMF_RING_CORRUPT;
    message->bytes = (const uint8_t *)cell + offset;
    message->length = length;
    message->index = index;
    return MMF_RING_DONE;
}

/* From the word as it was seen. 0: somebody was quicker. */
static int
try_take(struct mmf_ring *ring, uint64_t word)
{
    uint64_t index = mmf_word_index(word);
    enum mmf_cell_state taken =
        mmf_word_state(word) == MMF_CELL_COMMITTED ? MMF_CELL_TAKEN : MMF_CELL_RETAKEN;
    mmf_atomic_u64 *held = &receiver_entry(ring)->held;

    /* Before the exchange: one who dies with a message is never without the mark. */
    mmf_store_relaxed_u64(held, mmf_load_relaxed_u64(held) + 1);
    if (mmf_exchange_if_u64(&mmf_ring_cell(ring, index)->word, &word,
                            mmf_word_make(index, ring->receiver, taken)))
        return 1;
    mmf_store_relaxed_u64(held, mmf_load_relaxed_u64(held) - 1);
    return 0;
}

/* Messages that came back; rarely any. */
static int
take_returned(struct mmf_ring *ring, uint64_t *index)
{
    uint64_t returned = mmf_load_acquire_u64(&ring->shared->returned);

    if (returned == ring->seen_returned)
        return 0;
    for (uint64_t i = 0; i < ring->shape.cells; i++) {
        uint64_t word = word_of(ring, i);

        if (mmf_word_state(word) == MMF_CELL_RETURNED && try_take(ring, word)) {
            *index = mmf_word_index(word);
            return 1;
        }
    }
    ring->seen_returned = returned;
    return 0;
}

static void
forget_passed(struct mmf_ring *ring, uint32_t place)
{
    ring->passed_count--;
    for (uint32_t i = place; i < ring->passed_count; i++)
        ring->passed[i] = ring->passed[i + 1];
}

/* The reservations that we have passed: one that is committed now comes first. */
static int
take_passed(struct mmf_ring *ring, uint64_t *index)
{
    for (uint32_t i = 0; i < ring->passed_count;) {
        uint64_t word = word_of(ring, ring->passed[i]);
        int is_it = mmf_word_index(word) == ring->passed[i];

        if (is_it && mmf_word_state(word) == MMF_CELL_RESERVED) {
            i++;
            continue;
        }
        if (is_it && mmf_word_state(word) == MMF_CELL_COMMITTED) {
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
    for (uint32_t i = 0; i < ring->passed_count; i++) {
        uint64_t word = word_of(ring, ring->passed[i]);

        if (mmf_word_index(word) != ring->passed[i] ||
            mmf_word_state(word) != MMF_CELL_RESERVED)
            return 0;
    }
    return 1;
}

/* The cursor is more than a lap behind: nothing older is left. */
static void
catch_up(struct mmf_ring *ring)
{
    uint64_t oldest = (tail_of(ring) - ring->shape.cells) & MMF_INDEX_MASK;

    if (mmf_index_difference(oldest, ring->cursor) > 0)
        ring->cursor = oldest;
    else
        ring->cursor = next_index(ring->cursor);
}

/* The cursor's index was given out: a cell that is older was left out. */
static int
is_left_out(const struct mmf_ring *ring, uint64_t index)
{
    return mmf_index_difference(tail_of(ring), index) > 0 &&
           age(ring, word_of(ring, index), index) < 0;
}

/* 1: taken, `*index`; 0: nothing there; -1: look at what we passed first. */
static int
take_ahead(struct mmf_ring *ring, uint64_t *index)
{
    for (;;) {
        uint64_t word = word_of(ring, ring->cursor);
        int64_t difference = age(ring, word, ring->cursor);

        if (difference > 0) {
            catch_up(ring);
        } else if (difference < 0) {
            if (!is_left_out(ring, ring->cursor))
                return mmf_index_difference(tail_of(ring), ring->cursor) > 0 ? -1 : 0;
            ring->cursor = next_index(ring->cursor);
        } else if (mmf_word_state(word) == MMF_CELL_RESERVED) {
            if (ring->passed_count == MMF_PASSED_MOST)
                return 0;
            ring->passed[ring->passed_count++] = ring->cursor;
            ring->cursor = next_index(ring->cursor);
        } else if (mmf_word_state(word) == MMF_CELL_COMMITTED) {
            if (ring->passed_count != 0 && !is_passed_unchanged(ring))
                return -1;
            if (!try_take(ring, word))
                continue;
            *index = ring->cursor;
            ring->cursor = next_index(ring->cursor);
            return 1;
        } else {
            ring->cursor = next_index(ring->cursor);
        }
    }
}

static enum mmf_ring_answer
take_single(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t word = word_of(ring, ring->cursor);

    if (word != mmf_word_make(ring->cursor, 0, MMF_CELL_COMMITTED))
        return age(ring, word, ring->cursor) < 0 ? MMF_RING_NOT_NOW : MMF_RING_CORRUPT;
    if (read_cell(ring, ring->cursor, message) != MMF_RING_DONE)
        return MMF_RING_CORRUPT;
    message->again = mmf_index_difference(ring->cursor, ring->seen_returned) < 0;
    message->lost = 0;
    if (message->again)
        count(&receiver_entry(ring)->redelivered, 1);
    if ((ring->cursor & SAMPLES) == 0)
        note_depth(ring, mmf_index_difference(tail_of(ring), ring->cursor));
    ring->cursor = next_index(ring->cursor);
    mmf_store_relaxed_u64(&ring->shared->taken, ring->cursor);
    return MMF_RING_DONE;
}

enum mmf_ring_answer
mmf_ring_take(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t index = 0;
    int found;

    if (ring->shape.kind == MMF_RING_SINGLE)
        return take_single(ring, message);
    do {
        if (take_returned(ring, &index) ||
            (ring->passed_count != 0 && take_passed(ring, &index)))
            found = 1;
        else
            found = take_ahead(ring, &index);
    } while (found < 0);
    if (!found)
        return MMF_RING_NOT_NOW;
    message->again = mmf_word_state(word_of(ring, index)) == MMF_CELL_RETAKEN;
    message->lost = 0;
    if (message->again)
        count(&receiver_entry(ring)->redelivered, 1);
    else if ((index & SAMPLES) == 0)
        note_depth(ring, mmf_index_difference(tail_of(ring), index));
    return read_cell(ring, index, message);
}

/* Is the message of this index ours, by its word? */
static int
is_ours(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t word = word_of(ring, index);

    return mmf_word_index(word) == index &&
           mmf_word_participant(word) == ring->receiver &&
           (mmf_word_state(word) == MMF_CELL_TAKEN ||
            mmf_word_state(word) == MMF_CELL_RETAKEN);
}

int
mmf_ring_holds(const struct mmf_ring *ring, uint64_t index, uint64_t ahead)
{
    if (ring->shape.kind != MMF_RING_SINGLE)
        return is_ours(ring, index);
    return mmf_index_difference(index, mmf_load_relaxed_u64(&ring->shared->head)) ==
               (int64_t)ahead &&
           mmf_index_difference(ring->cursor, index) > 0;
}

static void
hold_one_less(struct mmf_ring *ring)
{
    mmf_atomic_u64 *held = &receiver_entry(ring)->held;

    mmf_store_release_u64(held, mmf_load_relaxed_u64(held) - 1);
}

int
mmf_ring_release(struct mmf_ring *ring, uint64_t index)
{
    if (ring->shape.kind == MMF_RING_SINGLE) {
        if (!mmf_ring_holds(ring, index, 0))
            return 0;
        /* pairs with the acquire in try_reserve_single: the payload has been read */
        mmf_store_release_u64(&ring->shared->head, next_index(index));
    } else {
        if (!is_ours(ring, index))
            return 0;
        /* pairs with the acquire in try_reserve */
        mmf_store_release_u64(&mmf_ring_cell(ring, index)->word,
                              mmf_word_make(index, ring->receiver, MMF_CELL_RELEASED));
        hold_one_less(ring);
    }
    count(&receiver_entry(ring)->received, 1);
    return 1;
}

/*
 * Two steps of the hint, before and after: a consumer that looks between them looks
 * again. One who is killed between them leaves the two halves different, and then those
 * who wait look without a hint.
 */
#define RETURN_BEGINS ((uint64_t)1 << 32)
#define RETURN_ENDS ((uint64_t)1)

static int
return_word(const struct mmf_ring *ring, uint64_t word)
{
    uint64_t index = mmf_word_index(word);
    int done;

    mmf_add_release_u64(&ring->shared->returned, RETURN_BEGINS);
    done = mmf_exchange_if_u64(&mmf_ring_cell(ring, index)->word, &word,
                               mmf_word_make(index, MMF_NOBODY, MMF_CELL_RETURNED));
    mmf_add_release_u64(&ring->shared->returned, RETURN_ENDS);
    return done;
}

void
mmf_ring_look_for_returned(struct mmf_ring *ring)
{
    uint64_t returned = mmf_load_relaxed_u64(&ring->shared->returned);

    if (returned >> 32 != (returned & UINT32_MAX))
        ring->seen_returned = returned - 1;
}

int
mmf_ring_return(struct mmf_ring *ring, uint64_t index)
{
    if (ring->shape.kind == MMF_RING_SINGLE)
        return 1; /* `head` has not passed it: the next consumer begins there */
    if (!is_ours(ring, index))
        return 0;
    return_word(ring, word_of(ring, index));
    hold_one_less(ring);
    return 1;
}

/*
 * Reading a topic.
 */

static void
put_cursor(struct mmf_ring *ring, uint64_t cursor)
{
    ring->cursor = cursor & MMF_INDEX_MASK;
    /* pairs with the acquire in find_gate: what lies before has been read */
    mmf_store_release_u64(&receiver_entry(ring)->cursor, ring->cursor | MMF_CURSOR_SET);
}

void
mmf_ring_subscribe(struct mmf_ring *ring, uint64_t replay)
{
    uint64_t most = replay < ring->shape.cells ? replay : ring->shape.cells;

    /*
     * A publisher that does not see the cursor has read the tail before; with the fence
     * we read a tail at least as new, so what it overwrites we do not want.
     */
    put_cursor(ring, tail_of(ring) - most);
    mmf_fence_full();
    put_cursor(ring, tail_of(ring) - most);
    while (most-- > 0 && (word_of(ring, ring->cursor) == 0 ||
                          age(ring, word_of(ring, ring->cursor), ring->cursor) != 0))
        put_cursor(ring, next_index(ring->cursor));
}

/* Overtaken: begin again where the publishers are not right behind. */
static void
jump(struct mmf_ring *ring)
{
    uint64_t cells = ring->shape.cells;
    uint64_t target = (tail_of(ring) - (cells - cells / 4)) & MMF_INDEX_MASK;
    uint64_t lost;

    if (mmf_index_difference(target, ring->cursor) <= 0)
        target = next_index(ring->cursor);
    lost = (uint64_t)mmf_index_difference(target, ring->cursor);
    ring->lost += lost;
    count(&receiver_entry(ring)->lost, lost);
    put_cursor(ring, target);
}

enum mmf_ring_answer
mmf_ring_next(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    for (;;) {
        uint64_t word = word_of(ring, ring->cursor);
        int64_t difference = age(ring, word, ring->cursor);

        if (difference > 0) {
            jump(ring);
            continue;
        }
        if (difference < 0) {
            if (is_left_out(ring, ring->cursor)) {
                put_cursor(ring, next_index(ring->cursor));
                continue;
            }
            if (mmf_index_difference(tail_of(ring), ring->cursor) > 0)
                continue; /* it came meanwhile */
            return MMF_RING_NOT_NOW;
        }
        if (mmf_word_state(word) == MMF_CELL_RESERVED)
            return MMF_RING_NOT_NOW;
        if (mmf_word_state(word) == MMF_CELL_RELEASED) {
            put_cursor(ring, next_index(ring->cursor));
            continue;
        }
        if (mmf_word_state(word) != MMF_CELL_COMMITTED)
            return MMF_RING_CORRUPT;
        if (read_cell(ring, ring->cursor, message) != MMF_RING_DONE) {
            if (mmf_ring_is_whole(ring, ring->cursor))
                return MMF_RING_CORRUPT;
            continue;
        }
        message->again = 0;
        message->lost = ring->lost;
        return MMF_RING_DONE;
    }
}

int
mmf_ring_is_whole(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t word;

    mmf_fence_acquire(); /* pairs with the release fence in mmf_ring_reserve */
    word = mmf_load_relaxed_u64(&mmf_ring_cell(ring, index)->word);
    return mmf_word_index(word) == index && mmf_word_state(word) == MMF_CELL_COMMITTED;
}

void
mmf_ring_advance(struct mmf_ring *ring)
{
    ring->lost = 0;
    count(&receiver_entry(ring)->received, 1);
    put_cursor(ring, next_index(ring->cursor));
}

/* Step over a reservation whose owner is dead, without writing the cell. */
void
mmf_ring_step_over(struct mmf_ring *ring)
{
    put_cursor(ring, next_index(ring->cursor));
}

/*
 * Reading the latest value.
 */

/*
 * The highest committed index. `newest` is a hint that a writer killed after its commit
 * has not raised; what came after it is looked at too.
 */
static uint64_t
find_newest(const struct mmf_ring *ring)
{
    uint64_t newest = mmf_load_acquire_u64(&ring->shared->newest);
    uint64_t tail = tail_of(ring) & MMF_INDEX_MASK;
    uint64_t oldest = (tail - ring->shape.cells) & MMF_INDEX_MASK;

    if (mmf_index_difference(oldest, newest) > 0)
        newest = (oldest - 1) & MMF_INDEX_MASK;
    for (uint64_t index = (tail - 1) & MMF_INDEX_MASK;
         mmf_index_difference(index, newest) > 0;
         index = (index - 1) & MMF_INDEX_MASK) {
        uint64_t word = word_of(ring, index);

        if (word != 0 && mmf_word_index(word) == index &&
            mmf_word_state(word) == MMF_CELL_COMMITTED)
            return index;
    }
    return mmf_load_acquire_u64(&ring->shared->newest);
}

enum mmf_ring_answer
mmf_ring_newest(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    for (;;) {
        uint64_t index = find_newest(ring);
        uint64_t word = word_of(ring, index);

        if (word == 0)
            return MMF_RING_NOT_NOW;
        if (mmf_word_index(word) != index ||
            mmf_word_state(word) != MMF_CELL_COMMITTED) {
            if (find_newest(ring) == index && word == word_of(ring, index))
                return mmf_index_difference(mmf_word_index(word), index) < 0
                           ? MMF_RING_NOT_NOW
                           : MMF_RING_CORRUPT;
            continue;
        }
        if (read_cell(ring, index, message) != MMF_RING_DONE) {
            if (mmf_ring_is_whole(ring, index))
                return MMF_RING_CORRUPT;
            continue;
        }
        message->again = 0;
        message->lost = 0;
        return MMF_RING_DONE;
    }
}

/*
 * The dead.
 */

/* May its death be what holds us up? */
static int
is_suspect(const struct mmf_ring *ring, const struct mmf_participant_shared *entry,
           int sending, int is_receiver)
{
    uint64_t cursor = mmf_load_relaxed_u64(&entry->cursor);

    if (mmf_load_relaxed_u64(&entry->held) != 0)
        return 1;
    if (!sending || !is_receiver || ring->shape.kind != MMF_RING_TOPIC ||
        (cursor & MMF_CURSOR_SET) == 0)
        return 0;
    return mmf_index_difference(tail_of(ring), cursor) >= (int64_t)ring->shape.cells;
}

uint32_t
mmf_ring_suspects(const struct mmf_ring *ring, int sending, uint32_t *numbers,
                  uint32_t most)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < 2 * ring->shape.participants && found < most; i++) {
        int is_receiver = i >= ring->shape.participants;
        uint32_t number =
            is_receiver ? i - ring->shape.participants + MMF_RECEIVERS_FROM : i;
        const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
        uint64_t identity = mmf_load_acquire_u64(&entry->identity);

        if (identity != 0 && identity != ring->identity &&
            is_suspect(ring, entry, sending, is_receiver))
            numbers[found++] = number;
    }
    return found;
}

/* What the dead one has in hand, if the word says so. */
static void
clear_cell(const struct mmf_ring *ring, uint64_t index, uint32_t number,
           const struct mmf_participant_shared *entry, uint64_t identity)
{
    mmf_atomic_u64 *place = &mmf_ring_cell(ring, index)->word;
    uint64_t word = mmf_load_acquire_u64(place);

    if (mmf_word_participant(word) != number || !is_in_hand(word))
        return;
    /* The number is still the dead one's, so the word, read before, is too. */
    if (mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    if (mmf_word_state(word) != MMF_CELL_RESERVED)
        return_word(ring, word);
    else if (mmf_exchange_if_u64(
                 place, &word,
                 mmf_word_make(mmf_word_index(word), MMF_NOBODY, MMF_CELL_RELEASED)))
        mmf_add_relaxed_u64(&ring->shared->retired_dropped, 1);
}

static void
retire(const struct mmf_ring *ring, struct mmf_participant_shared *entry,
       uint64_t identity)
{
    uint64_t sent = mmf_load_relaxed_u64(&entry->sent);
    uint64_t received = mmf_load_relaxed_u64(&entry->received);
    uint64_t dropped = mmf_load_relaxed_u64(&entry->dropped);
    uint64_t lost = mmf_load_relaxed_u64(&entry->lost);
    uint64_t redelivered = mmf_load_relaxed_u64(&entry->redelivered);

    int had_counted = (identity & MMF_IDENTITY_JOINING) == 0;

    if (!mmf_exchange_if_u64(&entry->identity, &identity, 0) || !had_counted)
        return;
    mmf_add_relaxed_u64(&ring->shared->retired_sent, sent);
    mmf_add_relaxed_u64(&ring->shared->retired_received, received);
    mmf_add_relaxed_u64(&ring->shared->retired_dropped, dropped);
    mmf_add_relaxed_u64(&ring->shared->retired_lost, lost);
    mmf_add_relaxed_u64(&ring->shared->retired_redelivered, redelivered);
}

void
mmf_ring_clear_up(struct mmf_ring *ring, uint32_t number, uint64_t identity,
                  int may_write_cells)
{
    struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);

    if (entry == NULL || mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    /* `held` is raised before the exchange that takes a cell. */
    if (may_write_cells && ring->shape.kind != MMF_RING_SINGLE &&
        mmf_load_acquire_u64(&entry->held) != 0) {
        for (uint64_t i = 0; i < ring->shape.cells; i++)
            clear_cell(ring, i, number, entry, identity);
    }
    retire(ring, entry, identity);
}
