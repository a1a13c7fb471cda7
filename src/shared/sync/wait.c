/*
 * wait.c - waiting for one, any or all.
 *
 * A sleeper is woken by whoever lets one through. That wake can die with a process;
 * sync_watch.c says who looks again by itself, and when.
 *
 * A wake can also be eaten: by one who slept on several objects and takes another, or
 * whose time is over. Such a one hands it on when it leaves.
 *
 * Waiting for all. Take nothing until all can be had at one moment:
 *
 *   reserve   in the objects' order, so that two never wait for each other: write
 *             oneself into `reserver`, then mark the word RESERVED. Marked, nobody else
 *             takes what the reserver needs; letting through goes on.
 *   check     all can be had; events, which anybody may reset, are read twice and must
 *             not have changed between (a double collect: Afek, Attiya, Dolev, Gafni,
 *             Merritt and Shavit, "Atomic Snapshots of Shared Memory", 1993). Between
 *             the two readings lies the moment at which all could be had.
 *   commit    take each and unmark it; then leave `reserver`.
 *
 * If one cannot be had, all is unmarked again and the wait sleeps on that one. Manual
 * events are not reserved, since nothing of them is taken.
 *
 *   killed                      a survivor sees
 *   before the mark             a dead reserver of an unmarked word: replaces it
 *   marked                      replaces the dead reserver, then unmarks
 *   in mid-commit               some taken, as by a wait for one; the rest as above
 */
#include "shared/sync/wait.h"

#include <limits.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "shared/sync/watchers.h"

/* A poll that meets a reservation waits so long for its end; nanoseconds. */
#define RESERVATION_GRACE ((int64_t)1000000)

static int
fail_answer(enum mmf_sync_answer answer)
{
    if (answer == MMF_SYNC_TOO_OFTEN)
        return mmf_fail(MMF_E_RECURSION, "this thread has taken the mutex %d times",
                        MMF_RECURSION_MAX);
    return mmf_fail(MMF_E_CORRUPT, "the object's shared words make no sense: another "
                                   "program has written to them");
}

void
mmf_sync_tell(const struct mmf_sync *object, const struct mmf_sync_alarm *alarm,
              const struct mmf_sync_ops *ops)
{
    if (alarm->sleepers > 0)
        ops->wake(ops->context, object, alarm->sleepers);
    if (alarm->pollers)
        ops->touch(ops->context, object);
}

/*
 * Any.
 */

/* A wait in progress. */
struct waiting {
    const struct mmf_sync *objects;
    int count;
    int64_t deadline;
    const struct mmf_sync_ops *ops;
    int slept;
    int met_reservation;
    int undid_reservation; /* in the last look at the dead */
    struct mmf_sync_watch watch;
};

/* Answers 1 when the wait is over, with `*rc`. */
static int
try_each(struct waiting *wait, int *index, int *rc)
{
    wait->met_reservation = 0;
    for (int i = 0; i < wait->count; i++) {
        enum mmf_sync_answer answer = mmf_sync_take(&wait->objects[i], wait->slept, 0);

        switch (answer) {
        case MMF_SYNC_NOT_NOW:
            break;
        case MMF_SYNC_RESERVED:
            wait->met_reservation = 1;
            break;
        case MMF_SYNC_TAKEN:
        case MMF_SYNC_TAKEN_ABANDONED:
            *index = i;
            *rc = answer == MMF_SYNC_TAKEN ? MMF_OK : MMF_ABANDONED;
            return 1;
        default:
            *rc = fail_answer(answer);
            return 1;
        }
    }
    return 0;
}

/* Answers 1 if a dead owner's mutex is ours now. */
static int
try_the_dead(struct waiting *wait, int *index)
{
    for (int i = 0; i < wait->count; i++) {
        const struct mmf_sync *object = &wait->objects[i];
        uint64_t dead;

        wait->undid_reservation |= mmf_sync_find_dead(
            object, wait->met_reservation ? MMF_SYNC_RESERVED : MMF_SYNC_NOT_NOW,
            wait->ops, &dead);
        if (dead != 0 && mmf_sync_take_from_dead(object, dead)) {
            *index = i;
            return 1;
        }
    }
    return 0;
}

/*
 * Before leaving: a wake meant for one who waits for another of these objects may have
 * come to us. What can be had, somebody else shall look at; else the next one to let
 * through shall know of the sleepers.
 */
static void
hand_on(const struct mmf_sync *object, const struct mmf_sync_ops *ops)
{
    uint32_t ignored;
    enum mmf_sync_answer answer = mmf_sync_announce(object, &ignored);

    if (answer == MMF_SYNC_TAKEN || answer == MMF_SYNC_TAKEN_ABANDONED)
        ops->wake(ops->context, object, 1);
}

/*
 * Leave, with the object of index `taken`, or none if it is -1.
 *
 * Of a semaphore there may be more: two releases of one each wake one sleeper, if the
 * second comes before the first one's sleeper has put WAITERS back.
 */
static void
leave(const struct waiting *wait, int taken)
{
    if (!wait->slept)
        return;
    for (int i = 0; i < wait->count; i++) {
        if (i != taken || wait->objects[i].kind == MMF_SYNC_SEMAPHORE)
            hand_on(&wait->objects[i], wait->ops);
    }
    mmf_sync_watch_end(&wait->watch, wait->objects, wait->count, wait->ops);
}

static int64_t
earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Sleep on all objects, unless one can be had after all. */
static void
sleep_on_all(struct waiting *wait, int64_t now)
{
    uint32_t expected[MMF_SYNC_MOST];
    int64_t until = earlier(wait->deadline, wait->watch.look_at);

    if (wait->met_reservation)
        until = earlier(until > now ? until : INT64_MAX, now + RESERVATION_GRACE);
    for (int i = 0; i < wait->count; i++) {
        enum mmf_sync_answer answer =
            mmf_sync_announce(&wait->objects[i], &expected[i]);

        wait->slept = 1; /* announced: there is something to hand on */
        if (answer != MMF_SYNC_NOT_NOW && answer != MMF_SYNC_RESERVED)
            return;
    }
    wait->ops->sleep(wait->ops->context, wait->objects, expected,
                     mmf_sync_watch_shifts(&wait->watch), wait->count, until);
}

int
mmf_sync_wait_any(const struct mmf_sync *objects, int count, int64_t deadline,
                  const struct mmf_sync_ops *ops, int *index)
{
    struct waiting wait = {
        .objects = objects, .count = count, .deadline = deadline, .ops = ops};
    int rc;

    for (;;) {
        int64_t now;

        if (try_each(&wait, index, &rc)) {
            leave(&wait, rc >= 0 ? *index : -1);
            return rc;
        }
        now = ops->now(ops->context);
        if (wait.deadline == MMF_SYNC_POLL)
            wait.deadline = now;
        wait.undid_reservation = 0;
        if (mmf_sync_watch_begin(&wait.watch, objects, count, now) ||
            now >= wait.deadline) {
            if (try_the_dead(&wait, index)) {
                leave(&wait, *index);
                return MMF_ABANDONED;
            }
        }
        if (wait.undid_reservation)
            continue;
        if (now >= wait.deadline &&
            !(wait.met_reservation && now < wait.deadline + RESERVATION_GRACE)) {
            leave(&wait, -1);
            return MMF_TIMED_OUT;
        }
        sleep_on_all(&wait, now);
    }
}

/*
 * All.
 */

static int
is_reservable(const struct mmf_sync *object)
{
    return object->kind != MMF_SYNC_EVENT || !object->shared->manual;
}

/* Become the object's reserver. 0: somebody living is. */
static int
reserve(const struct mmf_sync *object, const struct mmf_sync_ops *ops)
{
    uint64_t reserver = 0;

    while (
        !mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity)) {
        uint64_t dead = mmf_sync_if_dead(object, reserver, ops);

        if (dead == 0)
            return 0;
        if (mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity))
            break; /* its mark, if there is one, is ours now */
        reserver = 0;
    }
    mmf_sync_mark(object);
    return 1;
}

static void
unreserve(const struct mmf_sync *object, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_alarm alarm;

    mmf_sync_unmark(object, &alarm);
    mmf_store_release_u64(&object->shared->reserver, 0);
    mmf_sync_tell(object, &alarm, ops);
}

static void
unreserve_first(const struct mmf_sync *objects, int count,
                const struct mmf_sync_ops *ops)
{
    for (int i = 0; i < count; i++) {
        if (is_reservable(&objects[i]))
            unreserve(&objects[i], ops);
    }
}

/* What a look at all of them has found. */
struct look {
    uint64_t words[MMF_SYNC_MOST]; /* as they were when all could be had */
    int obstacle;                  /* else: the index of what stands in the way */
    enum mmf_sync_answer answer;   /* RESERVED: somebody else is the reserver */
};

/* Nothing changed but sleepers coming and going. */
static int
is_same_state(uint64_t one, uint64_t other)
{
    uint64_t ignored = MMF_WORD_WAITERS | MMF_WORD_RESERVED;

    return (one & ~ignored) == (other & ~ignored);
}

static int
is_to_be_had(enum mmf_sync_answer answer)
{
    return answer == MMF_SYNC_TAKEN || answer == MMF_SYNC_TAKEN_ABANDONED;
}

/* Read all. 1: all could be had at one moment; 0: `look` says what not. */
static int
collect_twice(const struct mmf_sync *objects, int count, struct look *look)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
            uint64_t word;
            enum mmf_sync_answer answer = mmf_sync_peek(&objects[i], 1, &word);

            look->obstacle = i;
            look->answer = answer;
            if (!is_to_be_had(answer))
                return 0;
            if (pass == 1 && objects[i].kind == MMF_SYNC_EVENT &&
                !is_same_state(word, look->words[i])) {
                look->answer = MMF_SYNC_RESERVED; /* changing: try again soon */
                return 0;
            }
            look->words[i] = word;
        }
    }
    return 1;
}

/* Reserve all and see that they can be had. 0: `look` says what not; none reserved. */
static int
reserve_all(const struct mmf_sync *objects, int count, const struct mmf_sync_ops *ops,
            struct look *look)
{
    for (int i = 0; i < count; i++) {
        if (is_reservable(&objects[i]) && !reserve(&objects[i], ops)) {
            look->obstacle = i;
            look->answer = MMF_SYNC_RESERVED;
            unreserve_first(objects, i, ops);
            return 0;
        }
    }
    if (collect_twice(objects, count, look))
        return 1;
    unreserve_first(objects, count, ops);
    return 0;
}

/*
 * Take all. Semaphores first: a release answers their count, and so shows whether they
 * have been taken, while the others look the same until they are unmarked.
 */
static int
commit_all(const struct mmf_sync *objects, int count, const struct look *look,
           const struct mmf_sync_ops *ops)
{
    int rc = MMF_OK;

    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
            struct mmf_sync_alarm alarm;

            if (!is_reservable(&objects[i]) ||
                (objects[i].kind == MMF_SYNC_SEMAPHORE) != (pass == 0))
                continue;
            if (mmf_sync_take_marked(&objects[i], look->words[i], &alarm) ==
                MMF_SYNC_TAKEN_ABANDONED)
                rc = MMF_ABANDONED;
            mmf_store_release_u64(&objects[i].shared->reserver, 0);
            mmf_sync_tell(&objects[i], &alarm, ops);
        }
    }
    return rc;
}

/* Without reserving: is there an object that cannot be had? */
static int
find_obstacle(const struct mmf_sync *objects, int count, struct look *look)
{
    for (int i = 0; i < count; i++) {
        uint64_t word;
        enum mmf_sync_answer answer = mmf_sync_peek(&objects[i], 0, &word);

        if (!is_to_be_had(answer)) {
            look->obstacle = i;
            look->answer = answer;
            return 1;
        }
    }
    return 0;
}

/*
 * A dead owner's mutex becomes free, for whoever comes first, and a dead reserver's
 * reservation is undone. Answers 1 if there was something of the kind: look again.
 */
static int
free_from_dead(const struct mmf_sync *object, enum mmf_sync_answer answer,
               const struct mmf_sync_ops *ops)
{
    struct mmf_sync_alarm alarm;
    uint64_t dead;
    int undone = mmf_sync_find_dead(object, answer, ops, &dead);

    if (dead == 0 || !mmf_sync_free_from_dead(object, dead, &alarm))
        return undone;
    mmf_sync_tell(object, &alarm, ops);
    return 1;
}

/* Sleep on the object in the way, unless it can be had after all. */
static void
sleep_on_one(const struct mmf_sync *object, enum mmf_sync_answer answer, int64_t now,
             int64_t deadline, const struct mmf_sync_watch *watch,
             const struct mmf_sync_ops *ops)
{
    int64_t until = earlier(deadline, watch->look_at);
    uint32_t expected;
    enum mmf_sync_answer again = mmf_sync_announce(object, &expected);

    if (answer == MMF_SYNC_RESERVED) {
        /* Another wait for all is at work; it does not wait for anybody. */
        uint64_t word;

        mmf_sync_peek(object, 0, &word);
        expected = mmf_sync_low_half(word);
        until = now + RESERVATION_GRACE / 10;
    } else if (again != MMF_SYNC_NOT_NOW && again != MMF_SYNC_RESERVED) {
        return;
    }
    ops->sleep(ops->context, object, &expected, mmf_sync_watch_shifts(watch), 1, until);
}

/* Sleep on it no more. */
static void
leave_object(const struct mmf_sync *object, struct mmf_sync_watch *watch,
             const struct mmf_sync_ops *ops)
{
    static const struct mmf_sync_watch none;

    hand_on(object, ops);
    mmf_sync_watch_end(watch, object, 1, ops);
    *watch = none;
}

int
mmf_sync_wait_all(const struct mmf_sync *objects, int count, int64_t deadline,
                  const struct mmf_sync_ops *ops)
{
    struct look look = {0};
    struct mmf_sync_watch watch = {0};
    int last = -1; /* the object that we slept on */

    for (;;) {
        const struct mmf_sync *obstacle;
        int64_t now;

        if (!find_obstacle(objects, count, &look) &&
            reserve_all(objects, count, ops, &look)) {
            int rc = commit_all(objects, count, &look, ops);

            /* Others may sleep on it still, without WAITERS in the word. */
            if (last >= 0)
                leave_object(&objects[last], &watch, ops);
            return rc;
        }
        if (last >= 0 && last != look.obstacle)
            leave_object(&objects[last], &watch, ops);
        if (look.answer == MMF_SYNC_TOO_OFTEN || look.answer == MMF_SYNC_CORRUPT)
            return fail_answer(look.answer);
        obstacle = &objects[look.obstacle];
        now = ops->now(ops->context);
        if (deadline == MMF_SYNC_POLL)
            deadline = now;
        if ((mmf_sync_watch_begin(&watch, obstacle, 1, now) || now >= deadline) &&
            free_from_dead(obstacle, look.answer, ops)) {
            last = look.obstacle;
            continue;
        }
        if (now >= deadline &&
            !(look.answer == MMF_SYNC_RESERVED && now < deadline + RESERVATION_GRACE)) {
            if (last == look.obstacle)
                leave_object(obstacle, &watch, ops);
            return MMF_TIMED_OUT;
        }
        last = look.obstacle;
        sleep_on_one(obstacle, look.answer, now, deadline, &watch, ops);
    }
}
