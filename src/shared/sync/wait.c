/*
 * wait.c - waiting for one, any or all.
 *
 * A thread that must wait takes a slot at each object (slots.h), looks once more, and
 * sleeps on its slots. A signal is given to it there, or it is nudged to look again; see
 * signal.c. When it leaves, by a timeout or with another object, a signal in its hand is
 * taken after all, or passed on. A thread that found no slot tries again each tick.
 *
 * Waiting for all. Take nothing until all are available at one moment:
 *
 *   reserve   in the objects' order, so that two never wait for each other: write
 *             one's identity into `reserver`, then mark the word RESERVED. Once it is
 *             marked, no other thread takes what the reserver needs; releases go on.
 *   check     all are available; events, which any thread may reset, are read twice and
 *             must not have changed between (a double collect: Afek, Attiya, Dolev,
 *             Gafni, Merritt and Shavit, "Atomic Snapshots of Shared Memory", 1993).
 *             Between the two readings lies the moment at which all were available.
 *   commit    take each and unmark it; then leave `reserver`.
 *
 * A signal that lies in a slot as a token is taken into the reserver's hand when it marks:
 * that slot is GRANTED to it then, and is freed by the commit or made a token again.
 *
 * If one is not available, all are unmarked again and the wait sleeps on that one.
 * Manual events are not reserved, since nothing of them is taken.
 *
 *   killed                      a survivor sees
 *   before the mark             a dead reserver of an unmarked word: replaces it
 *   marked                      replaces the dead reserver, then unmarks
 *   in mid-commit               some taken, as by a wait for one; the rest as above
 */
#include "shared/sync/wait.h"

#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "shared/sync/signal.h"
#include "shared/sync/slots.h"
#include "shared/sync/watchers.h"

/* A poll that meets a reservation waits this long for its end; nanoseconds. */
#define RESERVATION_GRACE ((int64_t)1000000)

/* A wait in progress. */
struct waiting {
    const struct mmf_sync_ref *objects;
    int count;
    bool is_for_all;
    const struct mmf_sync_ops *ops;
    int64_t deadline;
    int taken; /* any: the index of the object taken, or -1 */
    /* What it is blocked on: all the objects, or for all the one in the way. */
    int blocked_first;
    int blocked_count;
    enum mmf_step step; /* why */
    bool has_slots;     /* `sleepers` are those of what it is blocked on */
    struct mmf_sync_sleeper sleepers[MMF_SYNC_OBJECTS_MAX];
    struct mmf_sync_watch watch;
};

/* A token that a reserver has in its hand; `slot` -1: none. */
struct adopted {
    int slot;
    uint64_t granted; /* the slot's state */
    uint64_t word;    /* of before */
};

int64_t
mmf_sync_deadline(const struct mmf_sync_ops *ops, int32_t timeout_ms)
{
    if (timeout_ms < 0)
        return MMF_SYNC_FOREVER;
    if (timeout_ms == 0)
        return MMF_SYNC_POLL;
    return ops->now(ops->context) + (int64_t)timeout_ms * 1000000;
}

/*
 * Places.
 */

/*
 * Leave the slot. What was given there is taken if `wants`, else passed on, and so is
 * the duty to look at what is available. True: it was taken.
 */
static bool
leave_slot(const struct mmf_sync_ref *object, struct mmf_sync_sleeper *sleeper,
           bool wants, const struct mmf_sync_ops *ops)
{
    int slot = sleeper->slot;
    uint64_t state;

    if (slot < 0)
        return false;
    sleeper->slot = -1;
    do {
        state = mmf_load_acquire_u64(&mmf_sync_slot(object, slot, ops)->state);
        if (mmf_sync_slot_version(state) != sleeper->version)
            return false; /* written by a foreign program */
        if (mmf_sync_slot_kind(state) != MMF_SLOT_GRANTED)
            continue;
        if (wants)
            return mmf_sync_slot_change(object, slot, state, MMF_SLOT_FREE, ops);
        mmf_sync_decline(object, slot, state, ops);
        return false;
    } while (!mmf_sync_slot_change(object, slot, state, MMF_SLOT_FREE, ops));
    mmf_fence_full(); /* who hands a mutex to the slot sees it free, or we see that */
    if (object->kind == MMF_KIND_MUTEX) {
        struct mmf_sync_sleeper left = {.slot = slot, .version = sleeper->version};

        if (wants && mmf_sync_take_handed(object, &left))
            return true;
        mmf_sync_end_void(object, ops);
    }
    mmf_sync_pass_on(object, ops);
    return false;
}

/* Sleep on these objects no more. True: one has been taken, if `wants`. */
static bool
leave(struct waiting *wait, bool wants)
{
    const struct mmf_sync_ref *blocked = &wait->objects[wait->blocked_first];

    for (int i = 0; wait->has_slots && i < wait->blocked_count; i++) {
        bool wanted = wants && wait->taken < 0;

        if (leave_slot(&blocked[i], &wait->sleepers[i], wanted, wait->ops))
            wait->taken = i;
    }
    mmf_sync_watch_end(&wait->watch, blocked, wait->blocked_count, wait->ops);
    wait->has_slots = false;
    memset(&wait->watch, 0, sizeof(wait->watch));
    return wants && wait->taken >= 0;
}

/* False: the object is available after all, maybe. */
static bool
take_slot(const struct mmf_sync_ref *object, enum mmf_sync_slot_kind kind, int64_t now,
          struct mmf_sync_sleeper *sleeper, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_scan scan;
    enum mmf_step step;

    if (sleeper->slot < 0)
        mmf_sync_slot_claim(object, kind, now, ops, sleeper);
    if (sleeper->slot < 0)
        return true;
    step = mmf_sync_register_word(object);
    if (step != MMF_STEP_WOULD_BLOCK && step != MMF_STEP_RESERVED)
        return false;
    sleeper->is_registered = true;
    if (!mmf_sync_has_tokens(object))
        return true;
    mmf_sync_scan(object, ops, &scan);
    return scan.tokens == 0 || (scan.oldest >= 0 && scan.oldest != sleeper->slot);
}

/* Have a slot at each object that the wait is blocked on. False: try again first. */
static bool
take_slots(struct waiting *wait, int64_t now)
{
    enum mmf_sync_slot_kind kind =
        wait->is_for_all ? MMF_SLOT_PROBING : MMF_SLOT_WAITING;
    bool may_sleep = true;

    for (int i = 0; i < wait->blocked_count; i++) {
        if (!wait->has_slots)
            wait->sleepers[i].slot = -1;
    }
    wait->has_slots = true;
    for (int i = 0; i < wait->blocked_count && may_sleep; i++) {
        if (wait->sleepers[i].slot < 0 || !wait->sleepers[i].is_registered)
            may_sleep = take_slot(&wait->objects[wait->blocked_first + i], kind, now,
                                  &wait->sleepers[i], wait->ops);
    }
    return may_sleep;
}

/* Nudged sleepers look now: then they may be nudged again. */
static void
begin_probe(const struct waiting *wait, int index)
{
    const struct mmf_sync_ref *object = &wait->objects[wait->blocked_first + index];
    int slot = wait->sleepers[index].slot;
    uint64_t state;

    if (slot < 0)
        return;
    state = mmf_load_acquire_u64(&mmf_sync_slot(object, slot, wait->ops)->state);
    if ((state & MMF_SLOT_NUDGED) &&
        mmf_sync_slot_change(object, slot, state, mmf_sync_slot_kind(state), wait->ops))
        mmf_fence_full(); /* who finds us nudged has made available what we see now */
}

/*
 * Any.
 */

/* The first object of which a signal has been given to the wait, or -1. */
static int
find_granted(const struct waiting *wait)
{
    for (int i = 0; wait->has_slots && i < wait->count; i++) {
        const struct mmf_sync_sleeper *sleeper = &wait->sleepers[i];
        uint64_t state;

        if (sleeper->slot < 0)
            continue;
        state = mmf_load_acquire_u64(
            &mmf_sync_slot(&wait->objects[i], sleeper->slot, wait->ops)->state);
        if (mmf_sync_slot_kind(state) == MMF_SLOT_GRANTED &&
            mmf_sync_slot_version(state) == sleeper->version)
            return i;
        begin_probe(wait, i);
    }
    return -1;
}

/*
 * A signal has been given to the wait. The objects before that one come first, if they
 * are available once the wait has left them: what was kept for it there it takes, or any
 * other thread can.
 */
static enum mmf_step
take_granted(struct waiting *wait)
{
    int granted = find_granted(wait);

    for (int i = 0; i <= granted; i++) {
        enum mmf_step step = MMF_STEP_DONE;

        if (!leave_slot(&wait->objects[i], &wait->sleepers[i], true, wait->ops))
            step = mmf_sync_take(&wait->objects[i], NULL, wait->ops);
        if (!mmf_step_is_taken(step))
            continue;
        wait->taken = i;
        return step;
    }
    return MMF_STEP_WOULD_BLOCK;
}

static enum mmf_step
try_any(struct waiting *wait)
{
    enum mmf_step blocked = take_granted(wait);

    MMF_ASSERT(!wait->is_for_all);
    MMF_ASSERT(wait->blocked_first == 0 && wait->blocked_count == wait->count);
    if (wait->taken >= 0)
        return blocked;
    for (int i = 0; i < wait->count; i++) {
        enum mmf_step step = mmf_sync_take(
            &wait->objects[i], wait->has_slots ? &wait->sleepers[i] : NULL, wait->ops);

        if (mmf_step_is_taken(step))
            wait->taken = i;
        if (step == MMF_STEP_RESERVED)
            blocked = step;
        else if (step != MMF_STEP_WOULD_BLOCK)
            return step;
    }
    return blocked;
}

/*
 * All.
 */

static bool
is_reservable(const struct mmf_sync_ref *object)
{
    return object->kind != MMF_KIND_EVENT || !object->shared->manual;
}

/* Become the object's reserver. False: a living thread is. */
static bool
reserve(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    uint64_t reserver = 0;

    MMF_ASSERT(is_reservable(object) && object->identity != 0);
    while (
        !mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity)) {
        uint64_t dead = mmf_sync_if_dead(object, reserver, ops);

        if (dead == 0)
            return false;
        if (mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity))
            break; /* its mark, if there is one, is ours now */
        reserver = 0;
    }
    mmf_sync_mark_reserved(object);
    return true;
}

/* Take a token of the object into the hand, if there is one for us. */
static void
adopt(const struct mmf_sync_ref *object, struct adopted *adopted,
      const struct mmf_sync_ops *ops)
{
    uint64_t ticket = mmf_sync_ticket(object->identity);
    struct mmf_sync_scan scan;
    uint64_t state;

    adopted->slot = -1;
    adopted->word = mmf_load_acquire_u64(&object->shared->word);
    if (!mmf_sync_has_tokens(object) || !(adopted->word & MMF_WORD_WAITERS))
        return;
    mmf_sync_scan(object, ops, &scan);
    if (scan.tokens == 0 || scan.oldest >= 0)
        return;
    state = scan.token_state;
    adopted->granted =
        mmf_sync_slot_state(mmf_sync_slot_version(state), ticket, MMF_SLOT_GRANTED);
    if (mmf_exchange_if_u64(&mmf_sync_slot(object, scan.token, ops)->state, &state,
                            adopted->granted))
        adopted->slot = scan.token;
}

/* The token goes back; not if the event was set or reset since, for it was before that. */
static void
return_token(const struct mmf_sync_ref *object, const struct adopted *adopted,
             const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&object->shared->word);

    if (object->kind == MMF_KIND_EVENT &&
        mmf_sync_changes(word) != mmf_sync_changes(adopted->word))
        mmf_sync_slot_change(object, adopted->slot, adopted->granted, MMF_SLOT_FREE,
                             ops);
    else
        mmf_sync_decline(object, adopted->slot, adopted->granted, ops);
}

static void
unreserve_first(const struct waiting *wait, const struct adopted *adopted, int count)
{
    MMF_ASSERT(count <= wait->count);
    for (int i = 0; i < count; i++) {
        const struct mmf_sync_ref *object = &wait->objects[i];
        bool was_marked;

        if (!is_reservable(object))
            continue;
        if (adopted[i].slot >= 0)
            return_token(object, &adopted[i], wait->ops);
        was_marked = mmf_sync_unmark_reserved(object);
        mmf_store_release_u64(&object->shared->reserver, 0);
        if (was_marked)
            mmf_sync_notify(object, wait->ops);
    }
}

/* Nothing changed but sleepers coming and going. */
static bool
is_same_state(uint64_t one, uint64_t other)
{
    uint64_t ignored = MMF_WORD_WAITERS | MMF_WORD_RESERVED | MMF_WORD_POLLED;

    MMF_ASSERT(MMF_WORD_FLAGS < MMF_REGISTRATION);
    return mmf_sync_changes(one) == mmf_sync_changes(other) &&
           (one & MMF_WORD_FLAGS & ~ignored) == (other & MMF_WORD_FLAGS & ~ignored);
}

/* Answer why an object is not available, and block on it. */
static enum mmf_step
block_on(struct waiting *wait, int index, enum mmf_step step)
{
    MMF_ASSERT(index >= 0 && index < wait->count);
    if (index != wait->blocked_first || wait->blocked_count == 0) {
        leave(wait, false);
        wait->blocked_first = index;
        wait->blocked_count = 1;
    }
    return step;
}

/* Without reserving: the first object that is not available. DONE: all are. */
static enum mmf_step
find_obstacle(const struct waiting *wait, int *obstacle)
{
    enum mmf_step step = MMF_STEP_DONE;

    for (int i = 0; i < wait->count && mmf_step_is_taken(step); i++) {
        uint64_t ignored;

        *obstacle = i;
        step = mmf_sync_probe(&wait->objects[i], false, &ignored);
        if (step == MMF_STEP_WOULD_BLOCK &&
            (mmf_sync_end_void(&wait->objects[i], wait->ops) ||
             (mmf_sync_has_tokens(&wait->objects[i]) &&
              mmf_sync_is_available(&wait->objects[i], wait->ops))))
            step =
                MMF_STEP_DONE; /* a token; or look at the mutex once it is reserved */
    }
    return mmf_step_is_taken(step) ? MMF_STEP_DONE : step;
}

/* Read all reserved objects. DONE: all were available at one moment, with `words`. */
static enum mmf_step
collect_twice(const struct waiting *wait, const struct adopted *adopted,
              uint64_t *words, int *obstacle)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < wait->count; i++) {
            uint64_t word;
            enum mmf_step step;

            if (adopted[i].slot >= 0)
                continue;
            step = mmf_sync_probe(&wait->objects[i], true, &word);
            *obstacle = i;
            if (!mmf_step_is_taken(step))
                return step;
            if (pass == 1 && wait->objects[i].kind == MMF_KIND_EVENT &&
                !is_same_state(word, words[i]))
                return MMF_STEP_RESERVED; /* changing: try again soon */
            words[i] = word;
        }
    }
    return MMF_STEP_DONE;
}

/* Reserve all and see that they are available. If one is not, none is reserved. */
static enum mmf_step
reserve_all(const struct waiting *wait, struct adopted *adopted, uint64_t *words,
            int *obstacle)
{
    enum mmf_step step;

    for (int i = 0; i < wait->count; i++) {
        uint64_t ignored;

        adopted[i].slot = -1;
        if (!is_reservable(&wait->objects[i]))
            continue;
        if (!reserve(&wait->objects[i], wait->ops)) {
            unreserve_first(wait, adopted, i);
            *obstacle = i;
            return MMF_STEP_RESERVED;
        }
        if (!mmf_step_is_taken(mmf_sync_probe(&wait->objects[i], true, &ignored)))
            adopt(&wait->objects[i], &adopted[i], wait->ops);
    }
    step = collect_twice(wait, adopted, words, obstacle);
    if (step != MMF_STEP_DONE)
        unreserve_first(wait, adopted, wait->count);
    return step;
}

static enum mmf_step
take_one_of_all(const struct mmf_sync_ref *object, const struct adopted *adopted,
                uint64_t seen, const struct mmf_sync_ops *ops)
{
    enum mmf_step step = MMF_STEP_DONE;

    if (adopted->slot >= 0) {
        mmf_sync_slot_change(object, adopted->slot, adopted->granted, MMF_SLOT_FREE,
                             ops);
        mmf_sync_unmark_reserved(object);
    } else {
        step = mmf_sync_take_reserved(object, seen);
    }
    mmf_store_release_u64(&object->shared->reserver, 0);
    mmf_sync_notify(object, ops);
    return step;
}

/*
 * Take all. Semaphores first: a release answers their count, and so shows whether they
 * have been taken, while the others look the same until they are unmarked.
 */
static enum mmf_step
commit_all(const struct waiting *wait, const struct adopted *adopted,
           const uint64_t *words)
{
    enum mmf_step step = MMF_STEP_DONE;

    MMF_ASSERT(wait->is_for_all);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < wait->count; i++) {
            const struct mmf_sync_ref *object = &wait->objects[i];

            if (!is_reservable(object) ||
                (object->kind == MMF_KIND_SEMAPHORE) != (pass == 0))
                continue;
            if (take_one_of_all(object, &adopted[i], words[i], wait->ops) ==
                MMF_STEP_ABANDONED)
                step = MMF_STEP_ABANDONED;
        }
    }
    return step;
}

static enum mmf_step
try_all(struct waiting *wait)
{
    struct adopted adopted[MMF_SYNC_OBJECTS_MAX];
    uint64_t words[MMF_SYNC_OBJECTS_MAX] = {0};
    int obstacle = 0;
    enum mmf_step step;

    if (wait->has_slots)
        begin_probe(wait, 0);
    step = find_obstacle(wait, &obstacle);
    if (step == MMF_STEP_DONE)
        step = reserve_all(wait, adopted, words, &obstacle);
    return step == MMF_STEP_DONE ? commit_all(wait, adopted, words)
                                 : block_on(wait, obstacle, step);
}

/*
 * The wait.
 */

static int64_t
earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Another wait for all is at work; it does not wait for any thread. */
static int64_t
end_of_nap(const struct waiting *wait, int64_t now, int64_t until)
{
    if (wait->is_for_all)
        return now + RESERVATION_GRACE / 10;
    return earlier(until > now ? until : INT64_MAX, now + RESERVATION_GRACE);
}

static bool
lacks_slot(const struct waiting *wait)
{
    for (int i = 0; i < wait->blocked_count; i++) {
        if (wait->sleepers[i].slot < 0)
            return true;
    }
    return false;
}

/* The thread was cancelled in its sleep. What it was given is passed on. */
static void
give_up(void *wait)
{
    leave(wait, false);
}

/* Sleep on what the wait is blocked on. */
static void
sleep_until_changed(struct waiting *wait, int64_t now)
{
    struct mmf_sync_sleep sleep = {.objects = &wait->objects[wait->blocked_first],
                                   .sleepers = wait->sleepers,
                                   .epochs = mmf_sync_watch_epochs(&wait->watch),
                                   .count = wait->blocked_count,
                                   .give_up = give_up,
                                   .wait = wait};
    int64_t until = earlier(wait->deadline, wait->watch.check_at);

    MMF_ASSERT(wait->blocked_count >= 1 &&
               wait->blocked_first + wait->blocked_count <= wait->count);
    if (lacks_slot(wait))
        until = earlier(until, now + MMF_SYNC_TICK);
    if (wait->step == MMF_STEP_RESERVED)
        until = end_of_nap(wait, now, until);
    sleep.until = until;
    wait->ops->sleep(wait->ops->context, &sleep);
}

/* AGAIN if a dead process was in the way and is no more. */
static enum mmf_step
recover(const struct waiting *wait)
{
    enum mmf_step answer = MMF_STEP_WOULD_BLOCK;

    for (int i = 0; i < wait->blocked_count; i++) {
        enum mmf_step step = mmf_sync_recover(&wait->objects[wait->blocked_first + i],
                                              wait->step, wait->ops);

        if (step == MMF_STEP_CORRUPT)
            return step;
        if (step == MMF_STEP_AGAIN)
            answer = step;
    }
    return answer;
}

static bool
is_over(const struct waiting *wait, int64_t now)
{
    if (now < wait->deadline)
        return false;
    return wait->step != MMF_STEP_RESERVED || now >= wait->deadline + RESERVATION_GRACE;
}

static int
end_wait(struct waiting *wait, enum mmf_step step)
{
    MMF_ASSERT(step != MMF_STEP_AGAIN && step != MMF_STEP_RESERVED);
    if (leave(wait, !wait->is_for_all && step == MMF_STEP_WOULD_BLOCK))
        return MMF_OK; /* given at the last moment */
    switch (step) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_ABANDONED:
        return MMF_ABANDONED;
    case MMF_STEP_RECURSION:
        return mmf_fail(MMF_E_RECURSION, "this thread has taken the mutex %d times",
                        MMF_RECURSION_MAX);
    case MMF_STEP_CORRUPT:
        return mmf_sync_fail_corrupt(MMF_KIND_UNKNOWN);
    default:
        return MMF_TIMED_OUT;
    }
}

static int
wait_for(struct waiting *wait)
{
    MMF_ASSERT(wait->count >= 1 && wait->count <= MMF_SYNC_OBJECTS_MAX);
    for (;;) {
        int64_t now;

        wait->step = wait->is_for_all ? try_all(wait) : try_any(wait);
        if (wait->step != MMF_STEP_WOULD_BLOCK && wait->step != MMF_STEP_RESERVED)
            return end_wait(wait, wait->step);
        now = wait->ops->now(wait->ops->context);
        if (wait->deadline == MMF_SYNC_POLL)
            wait->deadline = now;
        if (mmf_sync_watch_begin(&wait->watch, &wait->objects[wait->blocked_first],
                                 wait->sleepers, wait->blocked_count, now) ||
            now >= wait->deadline) {
            enum mmf_step step = recover(wait);

            if (step == MMF_STEP_CORRUPT)
                return end_wait(wait, step);
            if (step == MMF_STEP_AGAIN)
                continue;
        }
        if (is_over(wait, now))
            return end_wait(wait, MMF_STEP_WOULD_BLOCK);
        if (take_slots(wait, now)) {
            if (wait->ops->is_over != NULL && wait->ops->is_over(wait->ops->context))
                return end_wait(wait, MMF_STEP_WOULD_BLOCK);
            sleep_until_changed(wait, now);
        } else if (wait->is_for_all && wait->step == MMF_STEP_RESERVED) {
            /* A wait for all naps until the other reserver has marked it, or has gone. */
            sleep_until_changed(wait, now);
        }
    }
}

int
mmf_sync_wait_any(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                  const struct mmf_sync_ops *ops, int *index)
{
    struct waiting wait = {.objects = objects,
                           .count = count,
                           .blocked_count = count,
                           .taken = -1,
                           .deadline = deadline,
                           .ops = ops};
    int rc = wait_for(&wait);

    if (wait.taken >= 0)
        *index = wait.taken;
    return rc;
}

int
mmf_sync_wait_all(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                  const struct mmf_sync_ops *ops)
{
    struct waiting wait = {.objects = objects,
                           .count = count,
                           .is_for_all = true,
                           .taken = -1,
                           .deadline = deadline,
                           .ops = ops};

    return wait_for(&wait);
}
