/*
 * wait.c - spinning, sleeping, and what sleepers do for the dead.
 *
 * A ring of the doorbell can die, with the process that was killed before it or woken by
 * it. So a sleeper tries again after each tick. It then checks the participants that own
 * slots, too: a dead one would own them forever. Of all that sleep at a channel one goes
 * through the tables in each tick, which it notes in `dead_checked`.
 *
 * A thousand receivers need not all try: two watch (page/watch.h), and the others sleep
 * for many ticks. A watcher is a receiver for which a message is there exactly when it is
 * there for all others: see can_share. One that finds a message although no ring has
 * ended its sleep rings for all. One that leaves takes its stamp out and then rings for
 * two others; an heir that has to leave before it watches does the same. A receiver that
 * relies on watchers has read the doorbell before their stamps, so it does not sleep if
 * one has left since. So one kill leaves no message unnoticed for more than a tick or
 * two, whichever process it hits; with a second one before the end of a long sleep it may
 * be that long.
 *
 *   killed                         a survivor sees
 *   after `dead_checked` was noted the next tick's
 *   in mid-recovery                the rest still owned by the dead one: recovers it
 *   a watcher                      a stamp that gets old: watches in its place
 */
#include "shared/ring/wait.h"

#include "shared/ring/inner.h"

/* How long SPIN_THEN_WAIT spins; nanoseconds. */
#define SPIN_TIME ((int64_t)50000)

/* Attempts between two readings of the clock; and of how many one is a whole one: see
 * try_next. */
enum { ATTEMPTS = 64, WHOLE = 16 };

/* What comes when an attempt has failed. */
enum phase {
    BEGIN = 0, /* it was the first */
    TRYING,    /* more of this round */
    CHECKED,   /* it was the one after the check for the dead */
    WOKEN      /* it was the one after a sleep */
};

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
 * The dead.
 */

static bool
is_dead(const struct mmf_ring_wait *wait, uint64_t identity)
{
    return mmf_ring_is_dead(wait->ring, wait->ops, identity);
}

void
mmf_ring_recover_dead(const struct mmf_ring_wait *wait)
{
    if (!mmf_ring_recover_suspects(wait->ring, wait->sending, wait->may_write_slots,
                                   wait->ops))
        return;
    mmf_ring_notify_receivers(wait->ring, MMF_RING_ALL, wait->ops);
    mmf_ring_notify_senders(wait->ring, MMF_RING_ALL, wait->ops);
}

/*
 * A topic's reader at a reservation whose owner is dead: nothing will come of it. It
 * may not write the slot, but it can advance.
 */
static void
step_over_dead(const struct mmf_ring_wait *wait)
{
    struct mmf_ring *ring = wait->ring;
    uint64_t word = mmf_ring_word(ring, ring->cursor);
    uint32_t number = mmf_word_participant(word);
    const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t identity;

    MMF_ASSERT(ring->shape.kind == MMF_KIND_TOPIC && !wait->sending);
    if (!mmf_word_is_reservation(word, ring->cursor) || entry == NULL)
        return;
    identity = mmf_load_acquire_u64(&entry->identity);
    if (identity != 0 && is_dead(wait, identity))
        mmf_ring_step_over(ring, number, identity);
}

/*
 * The dead can block such a wait. A subscriber steps over what they have reserved, and
 * what a latest value's reader waits for has not been begun.
 */
static bool
can_be_blocked(const struct mmf_ring_wait *wait)
{
    return wait->sending || mmf_ring_is_mpmc(wait->ring);
}

/* No participant has checked for a tick, so it is for this one. */
static bool
is_our_turn(struct mmf_ring_shared *shared, int64_t now)
{
    uint32_t milliseconds = (uint32_t)(now / 1000000);
    uint32_t checked = mmf_load_relaxed_u32(&shared->dead_checked);

    return milliseconds - checked >= (uint32_t)(MMF_RING_TICK / 1000000) &&
           mmf_exchange_if_u32(&shared->dead_checked, &checked, milliseconds);
}

/* Once in a tick, by each participant that has to wait. */
static void
check_dead(const struct mmf_ring_wait *wait)
{
    struct mmf_ring *ring = wait->ring;

    ring->dead_checked = wait->now;
    /* The turn first: going through the tables costs more than all the rest. */
    if (can_be_blocked(wait) && is_our_turn(ring->shared, wait->now))
        mmf_ring_recover_dead(wait);
    if (wait->sending)
        return;
    if (ring->shape.is_spsc)
        mmf_ring_spsc_commit_decided(ring); /* its producer is no suspect */
    else if (mmf_ring_is_mpmc(ring))
        mmf_ring_rescan_returned(ring); /* a return may have died half-way */
    else if (ring->shape.kind == MMF_KIND_TOPIC)
        step_over_dead(wait);
}

/*
 * There was a peer, and none is left. With `ask`, the dead count as gone even before
 * they are recovered.
 */
static bool
are_peers_gone(const struct mmf_ring_wait *wait, bool ask)
{
    const struct mmf_ring *ring = wait->ring;
    const struct mmf_participant_shared *peers =
        wait->sending ? ring->receivers : ring->senders;
    uint32_t count =
        wait->sending ? ring->shape.max_receivers : ring->shape.max_senders;

    if (!mmf_load_relaxed_u64(wait->sending ? &ring->shared->receivers_ever
                                            : &ring->shared->senders_ever))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t identity = mmf_load_acquire_u64(&peers[i].identity);

        if (identity != 0 && identity != ring->identity &&
            (!ask || !is_dead(wait, identity)))
            return false;
    }
    return true;
}

bool
mmf_ring_wait_check(struct mmf_ring_wait *wait)
{
    bool is_time;

    wait->now = wait->ops->now(wait->ops->context);
    is_time = wait->now - wait->ring->dead_checked >= MMF_RING_TICK;
    if (is_time)
        check_dead(wait);
    wait->is_peer_closed = wait->wants_peer && are_peers_gone(wait, is_time);
    return is_time || wait->is_peer_closed;
}

/*
 * Spinning.
 */

/* A receiver whose next message, unless one was returned or skipped, is not there. */
static bool
is_next_missing(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring *ring = wait->ring;

    if (wait->sending || wait->doorbell != NULL || ring->shape.is_spsc ||
        ring->shape.kind == MMF_KIND_LATEST)
        return false;
    return mmf_ring_is_older(ring, ring->cursor);
}

/*
 * An attempt that finds nothing has read the tail, whose line the next sender would have
 * to fetch back. So most of them read no more than the next slot. False: the round is
 * over.
 */
static bool
try_next(struct mmf_ring_wait *wait)
{
    MMF_ASSERT(wait->phase == TRYING);
    while (wait->tried < wait->rounds) {
        bool is_full = wait->tried++ % WHOLE == WHOLE - 1;

        if (wait->is_pausing)
            mmf_pause();
        if (is_full || !is_next_missing(wait))
            return true;
    }
    return false;
}

static void
begin_round(struct mmf_ring_wait *wait, int rounds, bool is_pausing)
{
    wait->phase = TRYING;
    wait->tried = 0;
    wait->rounds = rounds;
    wait->is_pausing = is_pausing;
}

/* A first round goes without pauses: an answer that is under way is seen the sooner. */
static bool
spin_on(struct mmf_ring_wait *wait)
{
    MMF_ASSERT(wait->is_spinning && !wait->has_marked);
    if (wait->spins_since == 0)
        wait->spins_since = wait->now;
    else if (wait->strategy != MMF_STRATEGY_SPIN &&
             wait->now - wait->spins_since >= SPIN_TIME)
        return false;
    begin_round(wait, ATTEMPTS, true);
    return true;
}

/*
 * Sleeping.
 */

static mmf_atomic_u32 *
doorbell_of(const struct mmf_ring_wait *wait)
{
    struct mmf_ring_shared *shared = wait->ring->shared;

    if (wait->doorbell != NULL)
        return wait->doorbell;
    return wait->sending ? &shared->space_doorbell : &shared->message_doorbell;
}

void
mmf_ring_wait_mark(struct mmf_ring_wait *wait)
{
    wait->is_spinning = false;
    wait->mark.is_fresh = !wait->has_marked; /* others may just have marked it */
    wait->has_marked = true;
    mmf_doorbell_mark(doorbell_of(wait), &wait->mark);
}

/* Mark the doorbell, and try for as long as a ring can have missed the mark. */
static void
prepare_to_sleep(struct mmf_ring_wait *wait)
{
    mmf_ring_wait_mark(wait);
    begin_round(wait, wait->mark.is_fresh ? MMF_RING_ARRIVAL : 1, wait->mark.is_fresh);
}

/*
 * What is there for this receiver is there for all others that sleep on the doorbell, and
 * they are woken by nothing else. A subscriber may be kept by a reservation whose owner
 * is stopped, which others came after. A queue with one consumer has no others.
 */
static bool
can_share(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring *ring = wait->ring;

    if (wait->sending || wait->doorbell != NULL || wait->wants_peer ||
        ring->shape.is_spsc)
        return false;
    if (ring->shape.kind == MMF_KIND_LATEST)
        return wait->is_for_newer;
    return ring->shape.kind == MMF_KIND_QUEUE ||
           (mmf_ring_tail(ring) & MMF_INDEX_MASK) == ring->cursor;
}

/* The doorbell's value says nothing of that: a ring that dies has changed it. */
static bool
has_slept_out(const struct mmf_ring_wait *wait, int64_t now)
{
    return wait->slept_until != 0 && now >= wait->slept_until;
}

/* There may be sleepers without a mark: a ring that died has taken it off. */
static void
ring_in_any_case(const struct mmf_ring_wait *wait, int count)
{
    mmf_atomic_u32 *doorbell = &wait->ring->shared->message_doorbell;

    if (!mmf_doorbell_ring(doorbell, count, wait->ops))
        wait->ops->wake(wait->ops->context, doorbell, count);
}

/*
 * Take our stamp out and, if it was there or we were woken to take a place, wake others
 * for it.
 */
static void
stop_watching(struct mmf_ring_wait *wait)
{
    if (mmf_watch_leave(wait->ring->shared->watch, wait->watch) || wait->is_heir) {
        mmf_fence_full();
        ring_in_any_case(wait, MMF_WATCHERS);
    }
    wait->watch = 0;
    wait->is_heir = false;
}

/* True: others watch, and this one may sleep on. After a sleep that no ring has ended it
 * watches itself if it must. */
static bool
can_rely(struct mmf_ring_wait *wait)
{
    mmf_atomic_u64 *words = wait->ring->shared->watch;
    const struct mmf_watch_turn turn = {.ticket = mmf_ring_ticket(wait->ring->identity),
                                        .mine = wait->watch,
                                        .now = wait->now,
                                        .tick = MMF_RING_TICK};

    if (!can_share(wait)) {
        stop_watching(wait);
        return false;
    }
    /* pairs with the fence in stop_watching */
    mmf_fence_full();
    if (wait->watch == 0 && !has_slept_out(wait, wait->now)) {
        bool is_kept = mmf_watch_is_kept(words, &turn);

        wait->is_heir = !is_kept && (wait->is_heir || wait->has_relied);
        return is_kept;
    }
    wait->is_heir = false;
    wait->watch =
        mmf_watch_take(words, &turn) ? mmf_watch_stamp(turn.ticket, turn.now) : 0;
    return wait->watch == 0;
}

/*
 * A message was there, but no ring had ended the sleep, so its ring was missed, or has
 * died. The latter may have changed the doorbell, and taken the marks off. A queue's
 * message can have been rung for another receiver.
 */
static bool
is_unrung(const struct mmf_ring_wait *wait, uint32_t doorbell)
{
    if (wait->slept_until == 0 || wait->sending || wait->doorbell != NULL ||
        wait->ring->shape.is_spsc)
        return false;
    if (wait->ring->shape.kind == MMF_KIND_QUEUE)
        return wait->watch != 0 && doorbell == wait->slept_on;
    return has_slept_out(wait, wait->ops->now(wait->ops->context));
}

static void
sleep_for_long(struct mmf_ring_wait *wait)
{
    bool relies = can_rely(wait);
    int64_t until = wait->now + (relies ? MMF_RING_LONG_SLEEP : 1) * MMF_RING_TICK;

    MMF_ASSERT(wait->has_marked && !wait->is_spinning);
    wait->has_relied = relies;
    wait->slept_on = wait->mark.value;
    wait->slept_until = until < wait->deadline ? until : wait->deadline;
    wait->ops->sleep(wait->ops->context, doorbell_of(wait), wait->mark.value,
                     wait->slept_until);
    wait->phase = WOKEN;
}

/*
 * The wait.
 */

static void
begin(struct mmf_ring_wait *wait)
{
    MMF_ASSERT(wait->ring != NULL && wait->ops != NULL && !wait->has_marked);
    if (wait->deadline == MMF_RING_POLL) {
        begin_round(wait, 0, false);
    } else if (wait->strategy != MMF_STRATEGY_WAIT && wait->ops->may_spin) {
        wait->is_spinning = true;
        if (wait->doorbell == NULL) /* else it is not for a message of the ring */
            mmf_ring_slip(wait->ring, wait->sending);
        begin_round(wait, ATTEMPTS, false);
    } else {
        /* An answer that is under way then costs neither a mark nor a ring. */
        begin_round(wait, wait->ops->may_spin ? MMF_RING_ARRIVAL : 0, true);
    }
}

bool
mmf_ring_wait_more(struct mmf_ring_wait *wait)
{
    if (wait->phase == BEGIN)
        begin(wait);
    else if (wait->phase == WOKEN)
        prepare_to_sleep(wait);
    for (;;) {
        if (wait->phase == TRYING) {
            if (try_next(wait))
                return true;
            wait->phase = CHECKED;
            if (mmf_ring_wait_check(wait))
                return true;
        }
        MMF_ASSERT(wait->phase == CHECKED);
        if (wait->is_peer_closed || wait->now >= wait->deadline)
            return false;
        if (wait->has_marked) {
            sleep_for_long(wait);
            return true;
        }
        if (!wait->is_spinning || !spin_on(wait))
            prepare_to_sleep(wait);
    }
}

enum mmf_step
mmf_ring_wait_end(struct mmf_ring_wait *wait, enum mmf_step step)
{
    bool rings = step == MMF_STEP_DONE &&
                 is_unrung(wait, mmf_load_relaxed_u32(doorbell_of(wait)));

    MMF_ASSERT(step != MMF_STEP_AGAIN);
    if (wait->has_marked)
        mmf_doorbell_unmark(doorbell_of(wait), &wait->mark);
    if (wait->watch != 0 || wait->is_heir)
        stop_watching(wait);
    if (rings)
        ring_in_any_case(wait, MMF_RING_ALL);
    return step == MMF_STEP_WOULD_BLOCK && wait->is_peer_closed ? MMF_STEP_GONE : step;
}
