/*
 * watchers.c - which of an object's sleepers look after the dead.
 *
 * A sleeper is woken by whoever lets one through. That wake can die: with a releaser
 * killed between its store and its wake, or with a woken waiter killed before it took;
 * and an owner killed lets nobody through. So somebody must look again by itself after
 * a tick, at the word and at the owner, the latter by a system call whose cost grows
 * with the object's holders.
 *
 * A hundred sleepers need not all look; one is too few, since it can die with the owner
 * or on its way out. So two watch, of different processes. Each has put its process's
 * ticket and the time of its look into one of the object's two words `watch`, a tick
 * ago at most, and looks again every tick. Whose tick is over and who sees
 *
 *   somebody of its own process watch       is told by that one, whoever else is killed
 *   two others watch, of two processes      is told by one of them, whoever is killed
 *   anything else                           watches, by an exchange of one of the words
 *
 * The first two sleep four times as long as before, up to the longest. So one kill
 * leaves nobody to the longest sleep, whomever it hits.
 *
 * Relying on somebody holds until that one goes. Who goes takes itself out of `watch`,
 * then counts `shifts` up, then wakes all; who relies has read `shifts` before `watch`
 * and its sleep does not begin, or is woken, when they are others by then. Each then
 * looks a tick later. A watcher that is killed, or stopped, cannot do that, and is
 * missed after the longest sleep at the latest, one second. A second kill before that
 * can be noticed so late.
 */
#include "shared/sync/watchers.h"

#include <limits.h>
#include <stddef.h>

/* The longest sleep of those that do not watch. */
#define LONGEST_SLEEP (16 * MMF_SYNC_TICK)

/* A watcher is late after this time, and may be replaced; milliseconds. */
#define LATE_MS (int)((MMF_SYNC_TICK + MMF_SYNC_TICK / 8) / 1000000)

/*
 * The dead.
 */

uint64_t
mmf_sync_if_dead(const struct mmf_sync *object, uint64_t identity,
                 const struct mmf_sync_ops *ops)
{
    uint64_t ticket = mmf_sync_ticket(identity);

    /* Threads of our own that end see to their mutexes themselves. */
    if (identity == 0 || ticket == mmf_sync_ticket(object->identity))
        return 0;
    return ops->is_alive(ops->context, object, ticket) ? 0 : identity;
}

/*
 * Undo what a dead reserver has left. A mark without a reserver is nobody's: who leaves
 * unmarks first, so it was left by somebody who writes what is none of his. Answers 1
 * if there was a mark to undo.
 */
static int
rescue_reservation(const struct mmf_sync *object, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&object->shared->word);
    uint64_t reserver = mmf_load_acquire_u64(&object->shared->reserver);
    struct mmf_sync_alarm alarm;
    int undone;

    if (!(word & MMF_WORD_RESERVED) ||
        (reserver != 0 && mmf_sync_if_dead(object, reserver, ops) == 0) ||
        !mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity))
        return 0;
    undone = mmf_sync_unmark(object, &alarm);
    mmf_store_release_u64(&object->shared->reserver, 0);
    mmf_sync_tell(object, &alarm, ops);
    return undone;
}

int
mmf_sync_find_dead(const struct mmf_sync *object, enum mmf_sync_answer answer,
                   const struct mmf_sync_ops *ops, uint64_t *owner)
{
    int undone = 0;

    if (answer == MMF_SYNC_RESERVED)
        undone = rescue_reservation(object, ops);
    *owner = mmf_sync_if_dead(object, mmf_sync_owner(object), ops);
    return undone;
}

/*
 * The two words. The time is the clock's milliseconds, cut to 24 bits: after four hours
 * and a half it comes again, and then somebody sleeps too long once. A time to come is
 * of another clock, which a time namespace can have; it counts as long ago.
 */

static uint64_t
ticket_of(uint64_t stamp)
{
    return stamp & MMF_TICKET_MAX;
}

static uint64_t
make_stamp(const struct mmf_sync *object, int64_t time)
{
    uint64_t ms = (uint64_t)(time / 1000000);

    return ms << MMF_TICKET_BITS | mmf_sync_ticket(object->identity);
}

static int
is_current(uint64_t stamp, int64_t now)
{
    uint64_t ms = (uint64_t)(now / 1000000);
    uint64_t age = (ms - (stamp >> MMF_TICKET_BITS)) & MMF_WATCH_TIME_MAX;

    return ticket_of(stamp) != 0 && age <= LATE_MS;
}

/*
 * Which of the words is to be ours, if we are to watch? -1: others do. Both of one
 * other process: two of its threads took one each at the same moment.
 */
static int
choose_slot(const struct mmf_sync *object, uint64_t mine, const uint64_t stamps[2],
            int64_t now)
{
    for (int i = 0; i < 2; i++) {
        if (ticket_of(stamps[i]) == mmf_sync_ticket(object->identity))
            return stamps[i] != mine && is_current(stamps[i], now) ? -1 : i;
    }
    for (int i = 0; i < 2; i++) {
        if (!is_current(stamps[i], now))
            return i;
    }
    return ticket_of(stamps[0]) == ticket_of(stamps[1]) ? 1 : -1;
}

/* 1: we watch the object from now on; 0: others do. `mine`: our stamp so far, or 0. */
static int
watch_object(const struct mmf_sync *object, uint64_t mine, int64_t now)
{
    mmf_atomic_u64 *slots = object->shared->watch;
    uint64_t stamps[2] = {mmf_load_acquire_u64(&slots[0]),
                          mmf_load_acquire_u64(&slots[1])};
    int slot = choose_slot(object, mine, stamps, now);

    if (slot < 0)
        return 0;
    /* If somebody was quicker, we look this time, and leave it to him the next. */
    mmf_exchange_if_u64(&slots[slot], &stamps[slot], make_stamp(object, now));
    return 1;
}

/*
 * A wait's part.
 */

/* Watch what must be watched; if there is nothing, sleep longer. */
static void
choose_watch(struct mmf_sync_watch *watch, const struct mmf_sync *objects, int count,
             int64_t now)
{
    int watches = 0;

    for (int i = 0; i < count; i++) {
        uint64_t mine = watch->since != 0 ? make_stamp(&objects[i], watch->since) : 0;

        if (!objects[i].is_shared)
            continue;
        watch->shifts[i] = mmf_load_acquire_u32(&objects[i].shared->shifts);
        watches |= watch_object(&objects[i], mine, now);
    }
    watch->since = watches ? now : 0;
    watch->relies = !watches;
    watch->sleep = watches ? MMF_SYNC_TICK : 4 * watch->sleep;
    if (watch->sleep > LONGEST_SLEEP)
        watch->sleep = LONGEST_SLEEP;
}

/* Threads of one process are not killed alone. */
static int
can_somebody_die(const struct mmf_sync *objects, int count)
{
    for (int i = 0; i < count; i++) {
        if (objects[i].is_shared)
            return 1;
    }
    return 0;
}

int
mmf_sync_watch_begin(struct mmf_sync_watch *watch, const struct mmf_sync *objects,
                     int count, int64_t now)
{
    int is_first = watch->look_at == 0;

    if (is_first && !can_somebody_die(objects, count))
        watch->look_at = MMF_SYNC_FOREVER;
    if (watch->look_at == MMF_SYNC_FOREVER)
        return 0;
    if (!is_first && now >= watch->look_at) {
        choose_watch(watch, objects, count, now);
        watch->look_at = now + watch->sleep;
        return !watch->relies;
    }
    /* Woken early: something happens here, or a watcher has gone. */
    watch->sleep = MMF_SYNC_TICK;
    watch->relies = 0;
    if (is_first || watch->look_at > now + MMF_SYNC_TICK)
        watch->look_at = now + MMF_SYNC_TICK;
    return is_first;
}

const uint32_t *
mmf_sync_watch_shifts(const struct mmf_sync_watch *watch)
{
    return watch->relies ? watch->shifts : NULL;
}

/* Take the stamp out, if it is still in, and wake all. */
static void
vacate(const struct mmf_sync *object, mmf_atomic_u64 *slot, uint64_t stamp,
       const struct mmf_sync_ops *ops)
{
    if (!mmf_exchange_if_u64(slot, &stamp, 0))
        return;
    mmf_add_release_u32(&object->shared->shifts, 1);
    ops->wake(ops->context, object, INT_MAX);
}

void
mmf_sync_watch_end(const struct mmf_sync_watch *watch, const struct mmf_sync *objects,
                   int count, const struct mmf_sync_ops *ops)
{
    for (int i = 0; watch->since != 0 && i < count; i++) {
        uint64_t stamp = make_stamp(&objects[i], watch->since);

        for (int j = 0; objects[i].is_shared && j < 2; j++) {
            mmf_atomic_u64 *slot = &objects[i].shared->watch[j];

            if (mmf_load_acquire_u64(slot) == stamp)
                vacate(&objects[i], slot, stamp, ops);
        }
    }
}
