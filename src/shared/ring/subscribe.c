/*
 * subscribe.c - reading a topic. A subscriber writes nothing but its own entry: it reads
 * a slot's word, copies the message, and checks that the word is still the same. Publishers
 * that wait for subscribers do not change the word before the new message is there; they
 * wait for what was published since the subscriber joined. While it replays older ones it
 * asks the tail as well: a lap beyond the message, that is being overwritten.
 *
 * All subscribers read in the order of the indexes. So they wait at an uncommitted
 * reservation; under DROP_OLDEST not for longer than until the publishers behind it come
 * near to overwriting what follows.
 */
#include "shared/ring/topic.h"

/* Publishers look for the cursors of so many. No participant of mmf's lowers it. */
static void
count_in(const struct mmf_ring *ring)
{
    mmf_atomic_u64 *subscribers = &ring->shared->subscribers;
    uint64_t number = ring->receiver - MMF_RECEIVERS_FROM;
    uint64_t seen = mmf_load_relaxed_u64(subscribers);

    MMF_ASSERT(number < ring->shape.max_receivers);
    for (uint32_t rounds = MMF_PARTICIPANTS_MAX; seen <= number && rounds > 0;
         rounds--) {
        if (mmf_exchange_if_u64(subscribers, &seen, number + 1))
            return;
    }
}

/* What a replay begins with is at the cursor, or will be: the last index may be claimed,
 * and not yet be in its slot. */
static bool
is_worth_replaying(const struct mmf_ring *ring, uint64_t tail)
{
    int64_t age = mmf_word_age(ring, mmf_ring_word(ring, ring->cursor), ring->cursor);

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC);
    return age == 0 || (age < 0 && !mmf_tail_has_settled(tail, ring->cursor));
}

void
mmf_ring_subscribe(struct mmf_ring *ring, uint64_t replay)
{
    uint64_t most = replay < ring->shape.slots ? replay : ring->shape.slots;
    uint64_t tail, end;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC);
    count_in(ring);
    /*
     * A publisher that does not see the cursor has read the tail before; with the fence
     * the subscriber reads a tail at least as new, so it does not want what that
     * publisher overwrites. Older messages may be overwritten: a replay gives those that
     * are still there.
     */
    mmf_ring_put_cursor(ring, mmf_ring_tail(ring) - most);
    mmf_fence_full();
    tail = mmf_ring_tail(ring);
    end = tail & MMF_INDEX_MASK;
    mmf_ring_put_cursor(ring, end - most);
    ring->replay_until = end;
    ring->is_replaying = most > 0 && ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST;
    while (ring->cursor != end && !is_worth_replaying(ring, tail))
        mmf_ring_put_cursor(ring, mmf_index_next(ring->cursor));
}

static void
lose(struct mmf_ring *ring, uint64_t target)
{
    int64_t lost = mmf_index_difference(target, ring->cursor);

    MMF_ASSERT(lost > 0);
    ring->lost += (uint64_t)lost;
    mmf_counter_add(&mmf_ring_receiver(ring)->lost, (uint64_t)lost);
    mmf_ring_put_cursor(ring, target);
}

/* Overtaken: begin again so far behind the publishers. */
static void
jump(struct mmf_ring *ring, uint64_t behind)
{
    uint64_t target = (mmf_ring_tail(ring) - behind) & MMF_INDEX_MASK;

    if (mmf_index_difference(target, ring->cursor) <= 0)
        target = mmf_index_next(ring->cursor);
    /* From there on nothing is lost. */
    if (ring->is_replaying && mmf_index_difference(target, ring->replay_until) > 0)
        target = ring->replay_until;
    lose(ring, target);
}

/* Where the publishers are not right behind. */
static uint64_t
far_behind(const struct mmf_ring *ring)
{
    return ring->shape.slots - ring->shape.slots / 4;
}

/* Nearer to the tail there is more time to read a message. */
void
mmf_ring_overtaken(struct mmf_ring *ring, int times)
{
    uint64_t near = ring->shape.slots / 4;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC && times > 0);
    if (ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST)
        jump(ring, times == 1 ? far_behind(ring) : near > 0 ? near : 1);
}

/* The slot is older than the cursor. */
static enum mmf_step
read_older(struct mmf_ring *ring)
{
    if (!mmf_tail_has_settled(mmf_ring_tail(ring), ring->cursor))
        return MMF_STEP_WOULD_BLOCK;
    if (!mmf_ring_is_older(ring, ring->cursor))
        return MMF_STEP_AGAIN; /* it came meanwhile */
    if (mmf_ring_lag(ring) > (int64_t)ring->shape.slots)
        jump(ring, far_behind(ring));
    else
        mmf_ring_put_cursor(ring, mmf_index_next(ring->cursor));
    return MMF_STEP_AGAIN;
}

/* The slot is the cursor's. */
static enum mmf_step
read_current(struct mmf_ring *ring, uint64_t word, struct mmf_ring_message *message)
{
    switch (mmf_word_state(word)) {
    case MMF_SLOT_RESERVED:
        if (ring->shape.overflow != MMF_OVERFLOW_DROP_OLDEST ||
            mmf_ring_lag(ring) < (int64_t)far_behind(ring))
            return MMF_STEP_WOULD_BLOCK;
        lose(ring, mmf_index_next(ring->cursor));
        return MMF_STEP_AGAIN;
    case MMF_SLOT_RELEASED:
        mmf_ring_put_cursor(ring, mmf_index_next(ring->cursor));
        return MMF_STEP_AGAIN;
    case MMF_SLOT_COMMITTED:
        if (mmf_ring_read_slot(ring, ring->cursor, message) == MMF_STEP_DONE)
            return MMF_STEP_DONE;
        return mmf_ring_still_valid(ring, ring->cursor) ? MMF_STEP_CORRUPT
                                                        : MMF_STEP_AGAIN;
    default:
        return MMF_STEP_CORRUPT;
    }
}

static enum mmf_step
read_at_cursor(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    uint64_t word = mmf_ring_word(ring, ring->cursor);
    int64_t age = mmf_word_age(ring, word, ring->cursor);

    if (!mmf_word_is_at_home(ring, word, ring->cursor))
        return MMF_STEP_CORRUPT;
    if (age < 0)
        return read_older(ring);
    if (age == 0 && !mmf_ring_is_overtaken_in_replay(ring))
        return read_current(ring, word, message);
    if (mmf_index_difference(mmf_ring_tail(ring), mmf_word_index(word)) <= 0)
        return MMF_STEP_CORRUPT;
    jump(ring, far_behind(ring));
    return MMF_STEP_AGAIN;
}

enum mmf_step
mmf_ring_next(struct mmf_ring *ring, struct mmf_ring_message *message)
{
    enum mmf_step step = MMF_STEP_AGAIN;

    if (mmf_ring_find_next(ring, message))
        return MMF_STEP_DONE;
    for (uint64_t rounds = MMF_ROUNDS(ring); step == MMF_STEP_AGAIN && rounds > 0;
         rounds--)
        step = read_at_cursor(ring, message);
    if (step == MMF_STEP_DONE)
        message->lost = ring->lost;
    return step == MMF_STEP_AGAIN ? MMF_STEP_WOULD_BLOCK : step;
}

bool
mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index)
{
    mmf_fence_acquire(); /* pairs with the release fence in mmf_ring_begin_overwriting */
    return mmf_word_is_value(mmf_load_relaxed_u64(&mmf_ring_slot(ring, index)->word),
                             index) &&
           !mmf_ring_is_overtaken_in_replay(ring);
}

bool
mmf_ring_step_over(struct mmf_ring *ring, uint32_t number, uint64_t identity)
{
    const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t word = mmf_ring_word(ring, ring->cursor);

    MMF_ASSERT(entry != NULL);
    if (!mmf_word_is_reservation(word, ring->cursor) ||
        mmf_word_participant(word) != number)
        return false;
    /* The number is still the dead one's, so the word, read before, is too: a process
     * that recovers a sender recovers its slots first. */
    if (mmf_load_acquire_u64(&entry->identity) != identity)
        return false;
    mmf_ring_put_cursor(ring, mmf_index_next(ring->cursor));
    return true;
}
