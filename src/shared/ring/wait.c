/*
 * wait.c - spinning, sleeping, and what sleepers do for the dead.
 *
 * A sleeper marks the doorbell, looks again, and sleeps on the doorbell's value. Who commits or
 * releases looks at the doorbell afterwards, without a fence, since that would cost a third
 * of the rate at which messages go. So its store may still be on its way while it reads
 * a doorbell without a mark, and the sleeper's look may miss the store: nobody rings. A
 * store leaves its processor by itself, in much less than a microsecond. So when the
 * sleeper comes, and after a new mark, it looks for a microsecond or two (also if
 * others have marked the doorbell: they may just have done so); what it should still miss
 * it sees after the next tick. A short first sleep would do as well, but the timer that
 * is so near makes a round trip between two sleepers a third longer.
 *
 * A ring can also die, with whoever was killed before it or woken by it. So a sleeper
 * looks again after each tick. It then asks after those that have something in hand,
 * too: the dead would have it forever. Of all that sleep at a channel one goes through
 * the tables in each tick, which it notes in `dead_checked`.
 *
 *   killed                     a survivor sees
 *   with the mark set          one ring too many, which takes the mark off
 *   after `dead_checked` was noted   the next tick's
 *   in mid-clearing-up         the rest still in a dead one's hand: clears it up
 */
#include "shared/ring/wait.h"

#include "shared/ring/slot.h"
#include "shared/ring/join.h"

/* How long SPIN_THEN_WAIT spins; nanoseconds. */
#define SPIN_TIME ((int64_t)50000)

/* So many attempts between two looks at the clock; and until a store has arrived; and
 * one of so many that is a whole one, see attempt_often. */
enum { ATTEMPTS = 64, ARRIVAL = 64, WHOLE = 16 };

/* So many in a row are a stream; so many pauses are a head start. */
enum { STREAM = 2, HEAD_START = 8 };

#define MARKS (MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL)

int64_t
mmf_ring_deadline(const struct mmf_ring_ops *ops, int32_t timeout_ms)
{
    if (timeout_ms < 0)
        return MMF_RING_FOREVER;
    if (timeout_ms == 0)
        return MMF_RING_POLL;
    return ops->now(ops->context) + (int64_t)timeout_ms * 1000000;
}

/*
 * The doorbell.
 */

void
mmf_doorbell_ring(mmf_atomic_u32 *doorbell, int count, const struct mmf_ring_ops *ops)
{
    uint32_t value = mmf_load_acquire_u32(doorbell);
    uint32_t next;

    do {
        if (!(value & MARKS))
            return;
        next = value + MMF_DOORBELL_RING;
        if (!(value & MMF_DOORBELL_SEVERAL) || count == MMF_RING_ALL)
            next &= ~MARKS;
    } while (!mmf_exchange_if_u32(doorbell, &value, next));
    /* Fewer than asked for: nobody sleeps any more, but who has begun to since. */
    if (ops->wake(ops->context, doorbell, count) < count && (next & MARKS) &&
        mmf_exchange_if_u32(doorbell, &next, next & ~MARKS))
        ops->wake(ops->context, doorbell, MMF_RING_ALL);
}

/*
 * Say that we sleep. Answers the value to sleep on; `*alone` is that value if nobody
 * but us has marked the doorbell. `*fresh`: the mark is new, a ring may have missed it.
 */
static uint32_t
mark(mmf_atomic_u32 *doorbell, uint32_t *alone, int *fresh)
{
    uint32_t value = mmf_load_acquire_u32(doorbell);
    uint32_t marked;

    do {
        if ((value & MMF_DOORBELL_SEVERAL) || ((value & MARKS) && value == *alone))
            return value;
        marked = value | (value & MARKS ? MMF_DOORBELL_SEVERAL : MMF_DOORBELL_SLEEPER);
    } while (!mmf_exchange_if_u32(doorbell, &value, marked));
    *alone = value & MARKS ? 0 : marked;
    *fresh = 1;
    return marked;
}

/* We do not sleep any more: spare the next one that rings a system call. */
static void
unmark(mmf_atomic_u32 *doorbell, uint32_t alone)
{
    if (alone != 0 && mmf_load_relaxed_u32(doorbell) == alone)
        mmf_exchange_if_u32(doorbell, &alone, (alone & ~MARKS) + MMF_DOORBELL_RING);
}

/*
 * The dead.
 */

static int
is_dead(const struct mmf_ring_wait *wait, uint64_t identity)
{
    uint64_t ticket = mmf_ring_ticket(identity);

    return ticket != mmf_ring_ticket(wait->ring->identity) &&
           !wait->ops->is_alive(wait->ops->context, ticket);
}

void
mmf_ring_recover_dead(const struct mmf_ring_wait *wait)
{
    uint32_t numbers[2 * MMF_PARTICIPANTS_MAX];
    struct mmf_ring *ring = wait->ring;
    uint32_t count =
        mmf_ring_suspects(ring, wait->sending, numbers, 2 * MMF_PARTICIPANTS_MAX);
    int buried = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t identity =
            mmf_load_acquire_u64(&mmf_ring_participant(ring, numbers[i])->identity);

        if (identity == 0 || !is_dead(wait, identity) ||
            (!wait->may_write_slots && numbers[i] < MMF_RECEIVERS_FROM))
            continue;
        mmf_ring_recover(ring, numbers[i], identity, wait->may_write_slots);
        buried = 1;
    }
    if (buried) {
        mmf_ring_notify_receivers(ring, MMF_RING_ALL, wait->ops);
        mmf_ring_notify_senders(ring, MMF_RING_ALL, wait->ops);
    }
}

/*
 * A topic's reader at a reservation whose owner is dead: nothing will come of it. It
 * may not write the slot, but it can go on.
 */
static void
step_over_dead(const struct mmf_ring_wait *wait)
{
    struct mmf_ring *ring = wait->ring;
    uint64_t word = mmf_load_acquire_u64(&mmf_ring_slot(ring, ring->cursor)->word);
    uint32_t number = mmf_word_participant(word);
    const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t identity;

    if (mmf_word_state(word) != MMF_SLOT_RESERVED ||
        mmf_word_index(word) != ring->cursor || entry == NULL)
        return;
    identity = mmf_load_acquire_u64(&entry->identity);
    if (identity != 0 && is_dead(wait, identity))
        mmf_ring_step_over(ring, number, identity);
}

/*
 * Can the dead be in the way of such a wait? A subscriber steps over what they have
 * reserved, and what a latest value's reader waits for has not been begun.
 */
static int
can_be_held_up(const struct mmf_ring_wait *wait)
{
    return wait->sending || wait->ring->shape.kind == MMF_KIND_QUEUE;
}

/* 1: nobody else has dead_checked for a tick, so it is for us. */
static int
is_our_turn(struct mmf_ring_shared *shared, int64_t now)
{
    uint32_t milliseconds = (uint32_t)(now / 1000000);
    uint32_t dead_checked = mmf_load_relaxed_u32(&shared->dead_checked);

    return milliseconds - dead_checked >= (uint32_t)(MMF_RING_TICK / 1000000) &&
           mmf_exchange_if_u32(&shared->dead_checked, &dead_checked, milliseconds);
}

/* Once in a tick, whoever has to wait. */
static void
look(const struct mmf_ring_wait *wait, int64_t now)
{
    struct mmf_ring *ring = wait->ring;

    ring->dead_checked = now;
    /* The turn first: going through the tables costs more than all the rest. */
    if (can_be_held_up(wait) && is_our_turn(ring->shared, now))
        mmf_ring_recover_dead(wait);
    if (wait->sending)
        return;
    if (ring->shape.kind == MMF_KIND_QUEUE)
        mmf_ring_rescan_returned(ring); /* the hint may have died */
    else if (ring->shape.kind == MMF_KIND_TOPIC)
        step_over_dead(wait);
}

/*
 * The counterparts: 1 if there was one, and none is left. With `ask`, the dead count as
 * gone though nobody has cleared up after them.
 */
static int
are_peers_gone(const struct mmf_ring_wait *wait, int ask)
{
    struct mmf_ring *ring = wait->ring;
    const struct mmf_participant_shared *entries =
        wait->sending ? ring->receivers : ring->senders;

    if (!mmf_load_relaxed_u64(wait->sending ? &ring->shared->receivers_ever
                                            : &ring->shared->senders_ever))
        return 0;
    for (uint32_t i = 0; i < ring->shape.participants; i++) {
        uint64_t identity = mmf_load_acquire_u64(&entries[i].identity);

        if (identity != 0 && identity != ring->identity &&
            (!ask || !is_dead(wait, identity)))
            return 0;
    }
    return 1;
}

/*
 * Waiting.
 */

/* A look if it is time for one, and then another attempt. */
static enum mmf_step
attempt_after_look(const struct mmf_ring_wait *wait, int64_t now)
{
    int is_time = now - wait->ring->dead_checked >= MMF_RING_TICK;
    int gone;
    enum mmf_step answer;

    if (is_time)
        look(wait, now);
    gone = wait->wants_peer && are_peers_gone(wait, is_time);
    if (!is_time && !gone)
        return MMF_STEP_WOULD_BLOCK;
    /* After the question: what the last of them did comes first. */
    answer = wait->attempt(wait->payload);
    return answer == MMF_STEP_WOULD_BLOCK && gone ? MMF_STEP_GONE : answer;
}

/* A receiver whose next message, if none comes back or was left out, is not there. */
static int
is_next_missing(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring *ring = wait->ring;

    if (wait->sending ||
        (ring->shape.kind != MMF_KIND_QUEUE && ring->shape.kind != MMF_KIND_TOPIC))
        return 0;
    return mmf_word_age(ring, mmf_ring_word(ring, ring->cursor), ring->cursor) < 0;
}

/*
 * An attempt that finds nothing has read the tail, whose line the next sender would have
 * to fetch back. So most of them look no further than at the next slot.
 */
static enum mmf_step
attempt_often(const struct mmf_ring_wait *wait, int times, int pausing)
{
    enum mmf_step answer = MMF_STEP_WOULD_BLOCK;

    for (int i = 0; i < times && answer == MMF_STEP_WOULD_BLOCK; i++) {
        if (pausing)
            mmf_pause();
        if (i % WHOLE == WHOLE - 1 || !is_next_missing(wait))
            answer = wait->attempt(wait->payload);
    }
    return answer;
}

/*
 * If it dead_checked on at once it would take away, for each message, the line that the other
 * is just writing; after a moment there are several to be had (Giacomoni and others,
 * "FastForward for Efficient Pipeline Parallelism", 2008: temporal slipping). One who
 * waits for the answer to what it sent has no two in a row.
 */
void
mmf_ring_slip(struct mmf_ring *ring, int sending)
{
    struct mmf_ring_side *side = sending ? &ring->out : &ring->in;
    uint64_t here = sending ? ring->reserved : ring->cursor;

    if (mmf_index_difference(here, side->waited) >= STREAM)
        mmf_pause_often(HEAD_START);
    side->waited = here;
}

/* Without pauses at first: an answer that is under way is seen the sooner. */
static enum mmf_step
spin(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring_ops *ops = wait->ops;
    int64_t begin = 0;

    mmf_ring_slip(wait->ring, wait->sending);
    for (;;) {
        enum mmf_step answer = attempt_often(wait, ATTEMPTS, begin != 0);
        int64_t now;

        if (answer != MMF_STEP_WOULD_BLOCK)
            return answer;
        now = ops->now(ops->context);
        answer = attempt_after_look(wait, now);
        if (answer != MMF_STEP_WOULD_BLOCK || now >= wait->deadline)
            return answer;
        if (begin == 0)
            begin = now;
        else if (wait->strategy != MMF_STRATEGY_SPIN && now - begin >= SPIN_TIME)
            return MMF_STEP_WOULD_BLOCK;
    }
}

static enum mmf_step
sleep_for_it(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring_ops *ops = wait->ops;
    struct mmf_ring_shared *shared = wait->ring->shared;
    mmf_atomic_u32 *doorbell = wait->sending ? &shared->space_doorbell : &shared->message_doorbell;
    enum mmf_step answer;
    uint32_t alone = 0;
    int fresh = 1;

    for (;;) {
        uint32_t value = mark(doorbell, &alone, &fresh);
        int64_t now;
        int64_t until;

        answer = attempt_often(wait, fresh ? ARRIVAL : 1, fresh);
        if (answer != MMF_STEP_WOULD_BLOCK)
            break;
        now = ops->now(ops->context);
        answer = attempt_after_look(wait, now);
        if (answer != MMF_STEP_WOULD_BLOCK || now >= wait->deadline)
            break;
        fresh = 0;
        until = now + MMF_RING_TICK;
        ops->sleep(ops->context, doorbell, value,
                   until < wait->deadline ? until : wait->deadline);
        answer = wait->attempt(wait->payload);
        if (answer != MMF_STEP_WOULD_BLOCK)
            break;
    }
    unmark(doorbell, alone);
    return answer;
}

enum mmf_step
mmf_ring_wait(const struct mmf_ring_wait *wait)
{
    enum mmf_step answer = wait->attempt(wait->payload);

    if (answer != MMF_STEP_WOULD_BLOCK)
        return answer;
    if (wait->deadline == MMF_RING_POLL)
        return attempt_after_look(wait, wait->ops->now(wait->ops->context));
    if (wait->strategy != MMF_STRATEGY_WAIT && wait->ops->may_spin) {
        answer = spin(wait);
        if (answer != MMF_STEP_WOULD_BLOCK || wait->strategy == MMF_STRATEGY_SPIN)
            return answer;
    }
    return sleep_for_it(wait);
}
