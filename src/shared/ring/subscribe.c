/*
 * subscribe.c - reading a topic. A subscriber writes nothing but its own entry: it
 * looks at a slot, copies it, and looks again whether it was the same all the time.
 *
 * All subscribers read in the order of the indexes. So they wait at a reservation in
 * the making; under DROP not for longer than until the publishers behind it come near
 * to overwriting what follows.
 */
#include "shared/ring/ring.h"

#include "shared/ring/slot.h"

static void
put_cursor(struct mmf_ring *ring, uint64_t cursor)
{
    ring->cursor = cursor & MMF_INDEX_MASK;
    /* pairs with the acquire in mmf_cursor_read: what lies before has been read */
    mmf_store_release_u64(&mmf_ring_receiver(ring)->cursor,
                          mmf_cursor_make(ring->identity, ring->cursor));
}

void
mmf_ring_subscribe(struct mmf_ring *ring, uint64_t replay)
{
    uint64_t most = replay < ring->shape.slots ? replay : ring->shape.slots;
    uint64_t end;

    /*
     * A publisher that does not see the cursor has read the tail before; with the fence
     * we read a tail at least as new, so what it overwrites we do not want. Older
     * messages it may overwrite: those that are asked for again are those still there.
     */
    put_cursor(ring, mmf_ring_tail(ring) - most);
    mmf_fence_full();
    end = mmf_ring_tail(ring) & MMF_INDEX_MASK;
    put_cursor(ring, end - most);
    while (ring->cursor != end) {
        uint64_t word = mmf_ring_word(ring, ring->cursor);

        if (word != 0 && mmf_word_age(ring, word, ring->cursor) == 0)
            break;
        put_cursor(ring, mmf_index_next(ring->cursor));
    }
}

static void
lose(struct mmf_ring *ring, uint64_t target)
{
    uint64_t lost = (uint64_t)mmf_index_difference(target, ring->cursor);

    ring->lost += lost;
    mmf_counter_add(&mmf_ring_receiver(ring)->lost, lost);
    put_cursor(ring, target);
}

/* Overtaken: begin again where the publishers are not right behind. */
static void
jump(struct mmf_ring *ring)
{
    uint64_t slots = ring->shape.slots;
    uint64_t target = (mmf_ring_tail(ring) - (slots - slots / 4)) & MMF_INDEX_MASK;

    if (mmf_index_difference(target, ring->cursor) <= 0)
        target = mmf_index_next(ring->cursor);
    lose(ring, target);
}

/* How far the publishers are ahead. */
static int64_t
lag(const struct mmf_ring *ring)
{
    return mmf_index_difference(mmf_ring_tail(ring), ring->cursor);
}

enum look { FOUND, NOTHING, GO_ON, BROKEN };

/* The slot is older than the cursor. */
static enum look
look_behind(struct mmf_ring *ring)
{
    uint64_t tail = mmf_ring_tail(ring);

    if (mmf_index_difference(tail, ring->cursor) <= 0 ||
        mmf_tail_is_claimed(tail, ring->cursor))
        return NOTHING;
    if (!mmf_ring_is_skipped(ring, ring->cursor))
        return GO_ON; /* it came meanwhile */
    if (lag(ring) > (int64_t)ring->shape.slots)
        jump(ring);
    else
        put_cursor(ring, mmf_index_next(ring->cursor));
    return GO_ON;
}

/* The slot is the cursor's. */
static enum look
look_at(struct mmf_ring *ring, uint64_t word, struct mmf_ring_message *message)
{
    uint64_t slots = ring->shape.slots;

    switch (mmf_word_state(word)) {
    case MMF_SLOT_RESERVED:
        if (ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST ||
            lag(ring) < (int64_t)(slots - slots / 4))
            return NOTHING;
        lose(ring, mmf_index_next(ring->cursor));
        return GO_ON;
    case MMF_SLOT_RELEASED:
        put_cursor(ring, mmf_index_next(ring->cursor));
        return GO_ON;
    case MMF_SLOT_COMMITTED:
        if (mmf_ring_read_slot(ring, ring->cursor, message) == MMF_STEP_DONE)
            return FOUND;
        return mmf_ring_still_valid(ring, ring->cursor) ? BROKEN : GO_ON;
    default:
        return BROKEN;
    }
}

static enum look
look(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t word = mmf_ring_word(ring, ring->cursor);
    int64_t difference = mmf_word_age(ring, word, ring->cursor);

    if (!mmf_word_is_at_home(ring, word, ring->cursor))
        return BROKEN;
    if (difference < 0)
        return look_behind(ring);
    if (difference == 0)
        return look_at(ring, word, message);
    if (mmf_index_difference(mmf_ring_tail(ring), mmf_word_index(word)) < 0)
        return BROKEN;
    jump(ring);
    return GO_ON;
}

enum mmf_step
mmf_ring_next(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    enum look look_now = GO_ON;

    for (uint64_t rounds = MMF_ROUNDS(ring); look_now == GO_ON && rounds > 0; rounds--)
        look_now = look(ring, message);
    if (look_now == BROKEN)
        return MMF_STEP_CORRUPT;
    if (look_now != FOUND)
        return MMF_STEP_WOULD_BLOCK;
    message->lost = ring->lost;
    return MMF_STEP_DONE;
}

int
mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t word;

    mmf_fence_acquire(); /* pairs with the release fence in mmf_ring_reserve */
    word = mmf_load_relaxed_u64(&mmf_ring_slot(ring, index)->word);
    return mmf_word_index(word) == index && mmf_word_state(word) == MMF_SLOT_COMMITTED;
}

void
mmf_ring_advance(struct mmf_ring *ring)
{
    ring->lost = 0;
    mmf_counter_add(&mmf_ring_receiver(ring)->received, 1);
    put_cursor(ring, mmf_index_next(ring->cursor));
}

int
mmf_ring_step_over(struct mmf_ring *ring, uint32_t number, uint64_t identity)
{
    const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t word = mmf_ring_word(ring, ring->cursor);

    if (mmf_word_index(word) != ring->cursor ||
        mmf_word_state(word) != MMF_SLOT_RESERVED ||
        mmf_word_participant(word) != number)
        return 0;
    /* The number is still the dead one's, so the word, read before, is too: who clears
     * up after a sender clears its slots first. */
    if (entry == NULL || mmf_load_acquire_u64(&entry->identity) != identity)
        return 0;
    put_cursor(ring, mmf_index_next(ring->cursor));
    return 1;
}
