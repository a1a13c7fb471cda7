/*
 * wait.c - waiting for one, any or all.
 *
 * A sleeper is woken by the thread that releases. That wake-up can die with a process;
 * watchers.c says which sleepers check by themselves, and when.
 *
 * A wake-up can also be lost to a thread that slept on several objects and takes
 * another, or whose time is over. Such a thread passes it on when it leaves.
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
 * If one is not available, all are unmarked again and the wait sleeps on that one.
 * Manual events are not reserved, since nothing of them is taken.
 *
 *   killed                      a survivor sees
 *   before the mark             a dead reserver of an unmarked word: replaces it
 *   marked                      replaces the dead reserver, then unmarks
 *   in mid-commit               some taken, as by a wait for one; the rest as above
 */
#include "shared/sync/wait.h"

#include <limits.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
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
    bool has_slept;     /* WAITERS was put into what it is blocked on */
    struct mmf_sync_watch watch;
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
 * Releasing.
 */

void
mmf_sync_notify(const struct mmf_sync_ref *object,
                const struct mmf_sync_wake_set *to_wake, const struct mmf_sync_ops *ops)
{
    MMF_ASSERT(to_wake->sleepers >= 0);
    if (to_wake->sleepers > 0)
        ops->wake(ops->context, object, to_wake->sleepers);
    if (to_wake->pollers)
        ops->notify_pollers(ops->context, object);
}

int
mmf_sync_signal(const struct mmf_sync_ref *object, int32_t count, int32_t *previous,
                const struct mmf_sync_ops *ops)
{
    struct mmf_sync_wake_set to_wake;
    int rc = mmf_sync_release(object, count, previous, &to_wake);

    if (rc == MMF_OK)
        mmf_sync_notify(object, &to_wake, ops);
    return rc;
}

void
mmf_sync_abandon_mutex(const struct mmf_sync_ref *mutex, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_wake_set to_wake;

    mmf_sync_free_from_dead(mutex, mutex->identity, &to_wake);
    mmf_sync_notify(mutex, &to_wake, ops);
}

/*
 * Leaving what the wait is blocked on.
 */

/*
 * A wake-up meant for a thread that waits for another of these objects may have come to
 * this one. Wake another sleeper for what is available; mark the others, so that the
 * next release knows of their sleepers.
 */
static void
pass_wake(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    uint32_t ignored;

    if (mmf_step_is_taken(mmf_sync_mark_waiting(object, &ignored)))
        ops->wake(ops->context, object, 1);
}

/*
 * Sleep on these objects no more. The object that was taken keeps its sleepers' mark, but
 * of a semaphore there may be more: two releases of one each wake one sleeper, if the
 * second comes before the first one's sleeper has put WAITERS back. A wait for all takes
 * the mark out.
 */
static void
leave(struct waiting *wait)
{
    const struct mmf_sync_ref *blocked = &wait->objects[wait->blocked_first];

    for (int i = 0; wait->has_slept && i < wait->blocked_count; i++) {
        if (i != wait->taken || blocked[i].kind == MMF_KIND_SEMAPHORE)
            pass_wake(&blocked[i], wait->ops);
    }
    mmf_sync_watch_end(&wait->watch, blocked, wait->blocked_count, wait->ops);
    wait->has_slept = false;
    memset(&wait->watch, 0, sizeof(wait->watch));
}

/*
 * Any.
 */

static enum mmf_step
try_any(struct waiting *wait)
{
    enum mmf_step blocked = MMF_STEP_WOULD_BLOCK;

    MMF_ASSERT(!wait->is_for_all && wait->taken < 0);
    MMF_ASSERT(wait->blocked_first == 0 && wait->blocked_count == wait->count);
    for (int i = 0; i < wait->count; i++) {
        enum mmf_step step = mmf_sync_take(&wait->objects[i], wait->has_slept);

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

static void
unreserve_first(const struct waiting *wait, int count)
{
    MMF_ASSERT(count <= wait->count);
    for (int i = 0; i < count; i++) {
        const struct mmf_sync_ref *object = &wait->objects[i];
        struct mmf_sync_wake_set to_wake;

        if (!is_reservable(object))
            continue;
        mmf_sync_unmark_reserved(object, &to_wake);
        mmf_store_release_u64(&object->shared->reserver, 0);
        mmf_sync_notify(object, &to_wake, wait->ops);
    }
}

/* Nothing changed but sleepers coming and going. */
static bool
is_same_state(uint64_t one, uint64_t other)
{
    uint64_t ignored = MMF_WORD_WAITERS | MMF_WORD_RESERVED;

    return (one & ~ignored) == (other & ~ignored);
}

/* Answer why an object is not available, and block on it. */
static enum mmf_step
block_on(struct waiting *wait, int index, enum mmf_step step)
{
    MMF_ASSERT(index >= 0 && index < wait->count);
    if (index != wait->blocked_first || wait->blocked_count == 0) {
        leave(wait);
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
    }
    return mmf_step_is_taken(step) ? MMF_STEP_DONE : step;
}

/* Read all reserved objects. DONE: all were available at one moment, with `words`. */
static enum mmf_step
collect_twice(const struct waiting *wait, uint64_t *words, int *obstacle)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < wait->count; i++) {
            uint64_t word;
            enum mmf_step step = mmf_sync_probe(&wait->objects[i], true, &word);

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
reserve_all(const struct waiting *wait, uint64_t *words, int *obstacle)
{
    enum mmf_step step;

    for (int i = 0; i < wait->count; i++) {
        if (is_reservable(&wait->objects[i]) &&
            !reserve(&wait->objects[i], wait->ops)) {
            unreserve_first(wait, i);
            *obstacle = i;
            return MMF_STEP_RESERVED;
        }
    }
    step = collect_twice(wait, words, obstacle);
    if (step != MMF_STEP_DONE)
        unreserve_first(wait, wait->count);
    return step;
}

/*
 * Take all. Semaphores first: a release answers their count, and so shows whether they
 * have been taken, while the others look the same until they are unmarked.
 */
static enum mmf_step
commit_all(const struct waiting *wait, const uint64_t *words)
{
    enum mmf_step step = MMF_STEP_DONE;

    MMF_ASSERT(wait->is_for_all);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < wait->count; i++) {
            const struct mmf_sync_ref *object = &wait->objects[i];
            struct mmf_sync_wake_set to_wake;

            if (!is_reservable(object) ||
                (object->kind == MMF_KIND_SEMAPHORE) != (pass == 0))
                continue;
            if (mmf_sync_take_reserved(object, words[i], &to_wake) ==
                MMF_STEP_ABANDONED)
                step = MMF_STEP_ABANDONED;
            mmf_store_release_u64(&object->shared->reserver, 0);
            mmf_sync_notify(object, &to_wake, wait->ops);
        }
    }
    return step;
}

static enum mmf_step
try_all(struct waiting *wait)
{
    uint64_t words[MMF_SYNC_OBJECTS_MAX] = {0};
    int obstacle = 0;
    enum mmf_step step = find_obstacle(wait, &obstacle);

    if (step == MMF_STEP_DONE)
        step = reserve_all(wait, words, &obstacle);
    return step == MMF_STEP_DONE ? commit_all(wait, words)
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

/* Sleep on what the wait is blocked on, unless it is available after all. */
static void
sleep_until_changed(struct waiting *wait, int64_t now)
{
    const struct mmf_sync_ref *blocked = &wait->objects[wait->blocked_first];
    int64_t until = earlier(wait->deadline, wait->watch.check_at);
    uint32_t expected[MMF_SYNC_OBJECTS_MAX];

    MMF_ASSERT(wait->blocked_count >= 1 &&
               wait->blocked_first + wait->blocked_count <= wait->count);
    if (wait->step == MMF_STEP_RESERVED)
        until = end_of_nap(wait, now, until);
    for (int i = 0; i < wait->blocked_count; i++) {
        enum mmf_step step = mmf_sync_mark_waiting(&blocked[i], &expected[i]);

        wait->has_slept = true; /* marked: there is a wake-up to pass on */
        if (step == MMF_STEP_WOULD_BLOCK || step == MMF_STEP_RESERVED)
            continue;
        if (!wait->is_for_all || wait->step != MMF_STEP_RESERVED)
            return;
        /* Available, but another reserver is about to mark it, or an event changes. */
        expected[i] = mmf_sync_low_half(mmf_load_acquire_u64(&blocked[i].shared->word));
    }
    wait->ops->sleep(wait->ops->context, blocked, expected,
                     mmf_sync_watch_epochs(&wait->watch), wait->blocked_count, until);
}

/* True if a dead process was in the way and is no more. */
static bool
recover(const struct waiting *wait)
{
    bool recovered = false;

    for (int i = 0; i < wait->blocked_count; i++)
        recovered |= mmf_sync_recover(&wait->objects[wait->blocked_first + i],
                                      wait->step, wait->ops);
    return recovered;
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
    leave(wait);
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
        if ((mmf_sync_watch_begin(&wait->watch, &wait->objects[wait->blocked_first],
                                  wait->blocked_count, now) ||
             now >= wait->deadline) &&
            recover(wait))
            continue;
        if (is_over(wait, now))
            return end_wait(wait, MMF_STEP_WOULD_BLOCK);
        sleep_until_changed(wait, now);
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
