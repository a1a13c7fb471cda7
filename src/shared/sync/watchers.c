/*
 * watchers.c - which of an object's sleepers check for dead owners.
 *
 * A sleeper is woken by the thread that signals. That wake-up can die: with a signaller
 * killed between its exchange and its wake, or with a sleeper killed that was given a
 * signal; and an owner that is killed releases nothing. So some sleepers must check by
 * themselves after a tick, at the slots and at the owner, the latter by a system call
 * whose cost grows with the object's holders.
 *
 * A hundred sleepers need not all check: two watch, of different processes, whose
 * stamps the object's two words `watch` have (page/watch.h). A sleeper whose tick is over
 * and that sees
 *
 *   a watcher of its own process            is woken by that one, if any other is killed
 *   two others watch, of two processes      is woken by one of them, if either is killed
 *   anything else                           watches, by an exchange of one of the words
 *
 * The first two sleep four times as long as before, up to the longest; one that comes when
 * others watch relies on them at once, without its first check. So one kill
 * leaves no sleeper to the longest sleep, whichever process it hits. The longest sleep grows
 * with the number of the slot, for a thousand sleepers must not wake each second: those in
 * the first slots look for the others, too.
 *
 * Relying on a watcher holds until it leaves. A watcher that leaves takes itself out of
 * `watch`, then counts `watch_epoch` up, then wakes all; a sleeper that relies on it has
 * read `watch_epoch` before `watch`, and its sleep does not begin, or is woken, when
 * the epoch has changed by then. Each then checks a tick later. A watcher that is killed
 * or stopped cannot do that, and is missed after the longest sleep at the latest, one
 * second. A second kill before that can be noticed so late.
 */
#include "shared/sync/watchers.h"

#include <stddef.h>

#include "shared/sync/signal.h"
#include "shared/sync/slots.h"

/* The longest sleep of those that do not watch; of those in the first slots. */
#define LONGEST_SLEEP (16 * MMF_SYNC_TICK)
#define FIRST_SLOTS 16

/*
 * Dead owners and reservers.
 */

uint64_t
mmf_sync_if_dead(const struct mmf_sync_ref *object, uint64_t identity,
                 const struct mmf_sync_ops *ops)
{
    if (identity == 0 || identity == object->identity)
        return 0;
    return ops->is_alive(ops->context, object, identity) ? 0 : identity;
}

/*
 * Undo what a dead reserver has left. A mark without a reserver belongs to no thread: a
 * reserver unmarks before it leaves, so a foreign program has written it. True if there
 * was a mark to undo.
 */
static bool
recover_reservation(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&object->shared->word);
    uint64_t reserver = mmf_load_acquire_u64(&object->shared->reserver);
    bool undone;

    MMF_ASSERT(object->identity != 0);
    if (!(word & MMF_WORD_RESERVED) ||
        (reserver != 0 && mmf_sync_if_dead(object, reserver, ops) == 0) ||
        !mmf_exchange_if_u64(&object->shared->reserver, &reserver, object->identity))
        return false;
    undone = mmf_sync_unmark_reserved(object);
    mmf_store_release_u64(&object->shared->reserver, 0);
    if (undone)
        mmf_sync_notify(object, ops);
    return undone;
}

/*
 * Slots of the dead, and wake-ups that died.
 */

/* One that is CLAIMED has no thread's number yet, or an old one. */
static bool
is_of_dead(const struct mmf_sync_ref *object, int slot, uint64_t state,
           const struct mmf_sync_ops *ops)
{
    uint64_t ticket = mmf_sync_slot_ticket(state);
    uint64_t thread = 0;

    if (mmf_sync_slot_kind(state) != MMF_SLOT_CLAIMED)
        thread = mmf_load_guarded_u64(&mmf_sync_slot(object, slot, ops)->thread);
    return ticket != 0 &&
           mmf_sync_if_dead(
               object, mmf_sync_identity(ticket, (uint32_t)thread & MMF_THREAD_MAX),
               ops) != 0;
}

/* Free the slots of that ticket that are of the dead; their signals are passed on. */
static void
clear_dead(const struct mmf_sync_ref *object, uint64_t ticket,
           const struct mmf_sync_ops *ops)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(object, ops);

    for (int i = 0; i < slots.count; i++) {
        const struct mmf_sync_slot *slot = mmf_sync_slot_of(&slots, i);
        uint64_t state = mmf_load_acquire_u64(&slot->state);

        while (mmf_sync_slot_ticket(state) == ticket &&
               mmf_sync_slot_kind(state) != MMF_SLOT_FREE &&
               is_of_dead(object, i, state, ops)) {
            if (mmf_sync_slot_kind(state) == MMF_SLOT_GRANTED)
                mmf_sync_decline(object, i, state, ops);
            else
                mmf_sync_slot_change(object, i, state, MMF_SLOT_FREE, ops);
            state = mmf_load_acquire_u64(&slot->state);
        }
    }
    mmf_sync_end_void(object, ops);
    mmf_sync_notify(object, ops);
}

/* The thread in the slot has been given something, or nudged: it may be of the dead, or
 * the wake-up may have died. True: it was of the dead. */
static bool
check_slot(const struct mmf_sync_ref *object, int slot, uint64_t state,
           const struct mmf_sync_ops *ops)
{
    if (is_of_dead(object, slot, state, ops)) {
        clear_dead(object, mmf_sync_slot_ticket(state), ops);
        return true;
    }
    if (mmf_sync_slot_kind(state) != MMF_SLOT_CLAIMED &&
        mmf_sync_slot_ticket(state) != mmf_sync_ticket(object->identity))
        ops->wake(ops->context, object, slot);
    return false;
}

/* The sleeper to whom a mutex was handed. */
static bool
settle_handed(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&object->shared->word);
    int slot = mmf_sync_handed_slot(word);

    if (object->kind != MMF_KIND_MUTEX || !mmf_sync_is_handed(word) ||
        !mmf_sync_is_sound_hand_over(word))
        return false;
    if (mmf_sync_end_void(object, ops))
        return true;
    return slot < mmf_sync_slots(object, ops).count &&
           check_slot(object, slot,
                      mmf_load_acquire_u64(&mmf_sync_slot(object, slot, ops)->state),
                      ops);
}

/* The longest sleeper has not taken what is there for it. */
static bool
settle_oldest(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_scan scan;
    uint64_t word = mmf_load_acquire_u64(&object->shared->word);

    if (!mmf_sync_has_tokens(object) && !mmf_sync_is_available(object, ops))
        return false;
    mmf_sync_scan(object, ops, &scan);
    if (scan.oldest < 0 || (scan.tokens == 0 && !mmf_sync_is_available(object, ops)))
        return false;
    if (object->kind == MMF_KIND_MUTEX && mmf_sync_value(word) != 0)
        return false;
    return check_slot(object, scan.oldest, scan.oldest_state, ops);
}

/* Those that have been given something, or nudged, or are not in their slots yet. */
static bool
settle_busy(const struct mmf_sync_ref *object, const struct mmf_sync_ops *ops)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(object, ops);
    bool is_changed = false;

    for (int i = 0; i < slots.count; i++) {
        uint64_t state = mmf_load_acquire_u64(&mmf_sync_slot_of(&slots, i)->state);
        enum mmf_sync_slot_kind kind = mmf_sync_slot_kind(state);

        if (kind == MMF_SLOT_CLAIMED || kind == MMF_SLOT_GRANTED ||
            (state & MMF_SLOT_NUDGED))
            is_changed |= check_slot(object, i, state, ops);
    }
    return is_changed;
}

/* With the slots as they were. True: slots of the dead were freed. */
static bool
settle(const struct mmf_sync_ref *object, const struct mmf_sync_scan *scan,
       const struct mmf_sync_ops *ops)
{
    bool is_changed = scan->is_busy && settle_busy(object, ops);

    is_changed |= settle_handed(object, ops);
    while (settle_oldest(object, ops))
        is_changed = true;
    mmf_sync_pass_on(object, ops);
    return is_changed;
}

enum mmf_step
mmf_sync_recover(const struct mmf_sync_ref *object, enum mmf_step step,
                 const struct mmf_sync_ops *ops)
{
    bool undone = step == MMF_STEP_RESERVED ? recover_reservation(object, ops) : false;
    uint64_t dead = mmf_sync_if_dead(object, mmf_sync_owner(object), ops);

    struct mmf_sync_scan scan;

    mmf_sync_scan(object, ops, &scan);
    if (scan.is_corrupt)
        return MMF_STEP_CORRUPT;
    if (dead != 0)
        undone |= mmf_sync_free_from_dead(object, dead, ops);
    if (scan.is_used)
        undone |= settle(object, &scan, ops);
    return undone ? MMF_STEP_AGAIN : MMF_STEP_WOULD_BLOCK;
}

static struct mmf_watch_turn
make_turn(const struct mmf_sync_ref *object, uint64_t mine, int64_t now)
{
    return (struct mmf_watch_turn){.ticket = mmf_sync_ticket(object->identity),
                                   .mine = mine,
                                   .now = now,
                                   .tick = MMF_SYNC_TICK};
}

static uint64_t
make_stamp(const struct mmf_sync_ref *object, int64_t time)
{
    return mmf_watch_stamp(mmf_sync_ticket(object->identity), time);
}

/*
 * A wait's part.
 */

/* A sleeper that relies on others, by the lowest of its slots; `next` in the first ones. */
static int64_t
longest_sleep(const struct mmf_sync_sleeper *sleepers, int count, int64_t next)
{
    int slot = MMF_SYNC_SLOTS_MAX;

    for (int i = 0; i < count; i++) {
        if (sleepers[i].slot < slot)
            slot = sleepers[i].slot;
    }
    if (slot >= FIRST_SLOTS)
        return LONGEST_SLEEP * (slot / FIRST_SLOTS);
    return next < LONGEST_SLEEP ? next : LONGEST_SLEEP;
}

/* Watch what must be watched; if there is nothing, sleep longer. */
static void
choose_watch(struct mmf_sync_watch *watch, const struct mmf_sync_ref *objects,
             const struct mmf_sync_sleeper *sleepers, int count, int64_t now)
{
    bool watches = false;

    MMF_ASSERT(count >= 1 && count <= MMF_SYNC_OBJECTS_MAX);
    for (int i = 0; i < count; i++) {
        uint64_t mine = watch->since != 0 ? make_stamp(&objects[i], watch->since) : 0;
        const struct mmf_watch_turn turn = make_turn(&objects[i], mine, now);

        if (!objects[i].is_watched)
            continue;
        watch->epochs[i] = mmf_load_acquire_u32(&objects[i].shared->watch_epoch);
        watches |= mmf_watch_take(objects[i].shared->watch, &turn);
    }
    watch->since = watches ? now : 0;
    watch->relies = !watches;
    watch->sleep =
        watches ? MMF_SYNC_TICK : longest_sleep(sleepers, count, 4 * watch->sleep);
}

static bool
has_watched(const struct mmf_sync_ref *objects, int count)
{
    for (int i = 0; i < count; i++) {
        if (objects[i].is_watched)
            return true;
    }
    return false;
}

/* Before the first sleep: others watch, so this wait need not check. It has no slots yet. */
static bool
can_rely_at_once(struct mmf_sync_watch *watch, const struct mmf_sync_ref *objects,
                 int count, int64_t now)
{
    for (int i = 0; i < count; i++) {
        const struct mmf_watch_turn turn = make_turn(&objects[i], 0, now);

        if (!objects[i].is_watched)
            continue;
        watch->epochs[i] = mmf_load_acquire_u32(&objects[i].shared->watch_epoch);
        if (!mmf_watch_is_kept(objects[i].shared->watch, &turn))
            return false;
    }
    return true;
}

bool
mmf_sync_watch_begin(struct mmf_sync_watch *watch, const struct mmf_sync_ref *objects,
                     const struct mmf_sync_sleeper *sleepers, int count, int64_t now)
{
    bool is_first = watch->check_at == 0;

    MMF_ASSERT(!is_first || (watch->since == 0 && !watch->relies));
    if (is_first && !has_watched(objects, count))
        watch->check_at = MMF_SYNC_FOREVER;
    if (watch->check_at == MMF_SYNC_FOREVER)
        return false;
    if (is_first && can_rely_at_once(watch, objects, count, now)) {
        watch->relies = true;
        watch->sleep = LONGEST_SLEEP;
        watch->check_at = now + LONGEST_SLEEP;
        return false;
    }
    if (!is_first && now >= watch->check_at) {
        choose_watch(watch, objects, sleepers, count, now);
        watch->check_at = now + watch->sleep;
        return !watch->relies;
    }
    /* Woken early: the object is in use, or a watcher has left. */
    watch->sleep = MMF_SYNC_TICK;
    watch->relies = false;
    if (is_first || watch->check_at > now + MMF_SYNC_TICK)
        watch->check_at = now + MMF_SYNC_TICK;
    return is_first;
}

const uint32_t *
mmf_sync_watch_epochs(const struct mmf_sync_watch *watch)
{
    MMF_ASSERT(!watch->relies || watch->since == 0);
    return watch->relies ? watch->epochs : NULL;
}

void
mmf_sync_watch_end(const struct mmf_sync_watch *watch,
                   const struct mmf_sync_ref *objects, int count,
                   const struct mmf_sync_ops *ops)
{
    for (int i = 0; watch->since != 0 && i < count; i++) {
        if (!objects[i].is_watched ||
            !mmf_watch_leave(objects[i].shared->watch,
                             make_stamp(&objects[i], watch->since)))
            continue;
        mmf_add_release_u32(&objects[i].shared->watch_epoch, 1);
        ops->wake_watched(ops->context, &objects[i]);
    }
}
