/*
 * signal.c - see signal.h, and docs/internals/sync.md for the design.
 */
#include "shared/sync/signal.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "shared/sync/slots.h"

bool
mmf_sync_has_tokens(const struct mmf_sync_ref *ref)
{
    return ref->kind == MMF_KIND_SEMAPHORE ||
           (ref->kind == MMF_KIND_EVENT && !ref->shared->manual);
}

/* A thread that owns nothing could take from the word. */
static bool
is_free(const struct mmf_sync_ref *ref, uint64_t word)
{
    uint64_t ignored;

    if (ref->kind == MMF_KIND_MUTEX)
        return mmf_sync_value(word) == 0 && !(word & MMF_WORD_RESERVED);
    return mmf_step_is_taken(
        mmf_sync_after_take(ref->shared, ref->kind, word, 0, false, &ignored));
}

bool
mmf_sync_is_available(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    struct mmf_sync_scan scan;

    if (is_free(ref, word) ||
        (ref->kind == MMF_KIND_MUTEX && mmf_sync_value(word) == ref->identity))
        return true;
    if (!(word & MMF_WORD_WAITERS) || !mmf_sync_has_tokens(ref))
        return false;
    mmf_sync_scan(ref, ops, &scan);
    return scan.tokens > 0 && scan.oldest < 0;
}

/*
 * Passing on.
 */

/*
 * An auto-reset event without a sleeper is signalled or not: a second signal is one too
 * many. Both must have been there at one moment, and no sleeper: the word has not
 * changed meanwhile, so none has come. False: something has changed.
 */
static bool
drop_second(const struct mmf_sync_ref *ref, uint64_t word,
            const struct mmf_sync_scan *scan, const struct mmf_sync_ops *ops)
{
    bool is_signalled = (word & MMF_WORD_SIGNALLED) != 0;

    if (ref->kind != MMF_KIND_EVENT || scan->tokens + is_signalled < 2)
        return true;
    if (!is_signalled) {
        const struct mmf_sync_slot *first = mmf_sync_slot(ref, scan->first_token, ops);

        if (mmf_load_acquire_u64(&first->state) != scan->first_token_state)
            return false;
    }
    if (mmf_load_acquire_u64(&ref->shared->word) == word)
        mmf_sync_slot_change(ref, scan->token, scan->token_state, MMF_SLOT_FREE, ops);
    return false;
}

void
mmf_sync_pass_on(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    for (;;) {
        uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
        struct mmf_sync_scan scan;

        /* Nothing is there for a sleeper: a thousand slots need not be looked at. */
        if ((word & MMF_WORD_WAITERS) && !mmf_sync_has_tokens(ref) &&
            !is_free(ref, word))
            return;
        mmf_sync_scan(ref, ops, &scan);
        if (!scan.is_used || scan.is_corrupt)
            return;
        if (!(word & MMF_WORD_WAITERS))
            mmf_sync_mark_waiting(ref);
        if (scan.tokens == 0 && !is_free(ref, word))
            return;
        if (scan.oldest >= 0) {
            if (mmf_sync_slot_nudge(ref, scan.oldest, scan.oldest_state, ops))
                return;
            continue;
        }
        if (!drop_second(ref, word, &scan, ops))
            continue;
        if (scan.has_probers)
            mmf_sync_nudge_probers(ref, ops);
        return;
    }
}

static void
notify_if_polled(const struct mmf_sync_ref *ref, uint64_t word,
                 const struct mmf_sync_ops *ops)
{
    if (word & MMF_WORD_POLLED)
        ops->notify_pollers(ops->context, ref);
}

void
mmf_sync_notify(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    if (word & MMF_WORD_WAITERS)
        mmf_sync_pass_on(ref, ops);
    notify_if_polled(ref, word, ops);
}

void
mmf_sync_decline(const struct mmf_sync_ref *ref, int slot, uint64_t granted,
                 const struct mmf_sync_ops *ops)
{
    MMF_ASSERT(mmf_sync_slot_kind(granted) == MMF_SLOT_GRANTED);
    if (!mmf_sync_has_tokens(ref)) {
        mmf_sync_slot_change(ref, slot, granted, MMF_SLOT_FREE, ops);
        return;
    }
    if (!mmf_sync_slot_change(ref, slot, granted, MMF_SLOT_TOKEN, ops))
        return;
    mmf_fence_full(); /* who comes to sleep sees the token, or we see that one */
    mmf_sync_notify(ref, ops);
}

/*
 * A mutex that is handed over.
 */

static bool
is_mine(uint64_t word, const struct mmf_sync_sleeper *sleeper)
{
    return sleeper != NULL && sleeper->slot >= 0 &&
           word == mmf_sync_handed(sleeper->slot, sleeper->version, word);
}

bool
mmf_sync_take_handed(const struct mmf_sync_ref *ref,
                     const struct mmf_sync_sleeper *sleeper)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX);
    while (is_mine(word, sleeper)) {
        uint64_t next =
            mmf_sync_with_value(ref->identity, word & ~(uint64_t)MMF_WORD_ABANDONED);

        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            mmf_sync_begin_recursion(ref);
            return true;
        }
    }
    return false;
}

/* The sleeper that the mutex was handed to is in its slot. */
static bool
is_still_there(const struct mmf_sync_ref *ref, uint64_t word,
               const struct mmf_sync_ops *ops)
{
    int slot = mmf_sync_handed_slot(word);
    uint64_t state;

    if (slot >= mmf_sync_slots(ref, ops).count)
        return false;
    state = mmf_load_acquire_u64(&mmf_sync_slot(ref, slot, ops)->state);
    return mmf_sync_slot_kind(state) == MMF_SLOT_WAITING &&
           mmf_sync_slot_version(state) == mmf_sync_handed_version(word);
}

/* The longest sleeper of a mutex has been patient for long enough. */
static bool
has_waited_long(const struct mmf_sync_ref *ref, const struct mmf_sync_scan *scan,
                const struct mmf_sync_ops *ops)
{
    int64_t since;
    int64_t now;

    if (scan->oldest < 0)
        return false;
    since =
        (int64_t)mmf_load_guarded_u64(&mmf_sync_slot(ref, scan->oldest, ops)->since);
    now = ops->now(ops->context);
    /* A time to come is of another clock, which a time namespace can have. */
    return since > now || now - since >= MMF_SYNC_HAND_OVER_AFTER;
}

/* The word that a signaller leaves which has seen these slots. */
static uint64_t
keep_waiters(uint64_t word, const struct mmf_sync_scan *scan)
{
    return scan->is_used ? word | MMF_WORD_WAITERS : word & ~(uint64_t)MMF_WORD_WAITERS;
}

/*
 * Free a mutex whose word was `word`, or hand it over. False: the word is another by now,
 * and is in `*word`.
 */
static bool
pass_mutex(const struct mmf_sync_ref *ref, uint64_t *word,
           const struct mmf_sync_ops *ops)
{
    uint64_t before = *word & ~(uint64_t)MMF_WORD_ABANDONED;
    struct mmf_sync_scan scan;
    uint64_t next;
    bool is_handed;

    mmf_sync_scan(ref, ops, &scan);
    is_handed = has_waited_long(ref, &scan, ops);
    next = keep_waiters(mmf_sync_with_value(0, before), &scan);
    if (is_handed)
        next = mmf_sync_handed(scan.oldest, mmf_sync_slot_version(scan.oldest_state),
                               next);
    if (!mmf_exchange_if_u64(&ref->shared->word, word, next))
        return false;
    mmf_fence_full(); /* who comes to sleep sees this word, or we see that one */
    if (!is_handed) {
        mmf_sync_pass_on(ref, ops);
        notify_if_polled(ref, next, ops);
    } else if (!mmf_sync_slot_nudge(ref, scan.oldest, scan.oldest_state, ops)) {
        mmf_sync_end_void(ref, ops);
    }
    return true;
}

bool
mmf_sync_end_void(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    uint64_t handed = mmf_sync_value(word);

    if (ref->kind != MMF_KIND_MUTEX || !mmf_sync_is_handed(word) ||
        !mmf_sync_is_sound_hand_over(word) || is_still_there(ref, word, ops))
        return false;
    while (!pass_mutex(ref, &word, ops)) {
        if (mmf_sync_value(word) != handed)
            break;
    }
    return true;
}

/*
 * Taking.
 */

static bool
take_token(const struct mmf_sync_ref *ref, const struct mmf_sync_sleeper *sleeper,
           const struct mmf_sync_ops *ops)
{
    for (;;) {
        struct mmf_sync_scan scan;

        mmf_sync_scan(ref, ops, &scan);
        if (scan.tokens == 0 ||
            (scan.oldest >= 0 && (sleeper == NULL || sleeper->slot != scan.oldest)))
            return false;
        if (mmf_sync_slot_change(ref, scan.token, scan.token_state, MMF_SLOT_FREE, ops))
            return true;
    }
}

enum mmf_step
mmf_sync_take(const struct mmf_sync_ref *ref, const struct mmf_sync_sleeper *sleeper,
              const struct mmf_sync_ops *ops)
{
    for (;;) {
        uint64_t word;
        enum mmf_step step = mmf_sync_take_word(ref, &word);

        if (step != MMF_STEP_WOULD_BLOCK && step != MMF_STEP_RESERVED)
            return step;
        if (!(word & MMF_WORD_WAITERS))
            return step;
        if (mmf_sync_has_tokens(ref))
            return take_token(ref, sleeper, ops) ? MMF_STEP_DONE : step;
        if (!mmf_sync_is_handed(word) || ref->kind != MMF_KIND_MUTEX)
            return step;
        if (mmf_sync_take_handed(ref, sleeper))
            return MMF_STEP_DONE;
        if (!mmf_sync_end_void(ref, ops))
            return step;
    }
}

/*
 * Signalling.
 */

/* Give the signal to the longest sleeper of the scan. False: it has changed. */
static bool
grant(const struct mmf_sync_ref *ref, int slot, uint64_t seen,
      const struct mmf_sync_ops *ops)
{
    if (!mmf_sync_slot_change(ref, slot, seen, MMF_SLOT_GRANTED, ops))
        return false;
    ops->wake(ops->context, ref, slot);
    return true;
}

/* After the word was changed to be available, with these slots seen before. */
static void
after_signal(const struct mmf_sync_ref *ref, uint64_t word,
             const struct mmf_sync_scan *scan, const struct mmf_sync_ops *ops)
{
    if (scan->has_probers)
        mmf_sync_nudge_probers(ref, ops);
    notify_if_polled(ref, word, ops);
}

static int
set_auto(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    for (;;) {
        uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
        struct mmf_sync_scan scan;
        uint64_t next;

        mmf_sync_scan(ref, ops, &scan);
        if (scan.is_corrupt || mmf_sync_after_signal(ref->shared, ref->kind, word, 1,
                                                     &next) != MMF_STEP_DONE)
            return mmf_sync_fail_corrupt(MMF_KIND_EVENT);
        if (scan.oldest >= 0) {
            if (grant(ref, scan.oldest, scan.oldest_state, ops))
                return MMF_OK;
            continue;
        }
        /* It is signalled already, by a token, and no sleeper has come since. */
        if (scan.tokens > 0 && !(word & MMF_WORD_SIGNALLED)) {
            if (mmf_load_acquire_u64(&ref->shared->word) == word)
                return MMF_OK;
            continue;
        }
        next = keep_waiters(next, &scan);
        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            after_signal(ref, word, &scan, ops);
            return MMF_OK;
        }
    }
}

/* Let all through that came to sleep before `arrivals`. */
static void
grant_all(const struct mmf_sync_ref *ref, uint64_t arrivals,
          const struct mmf_sync_ops *ops)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(ref, ops);

    for (int i = 0; i < slots.count; i++) {
        const struct mmf_sync_slot *slot = mmf_sync_slot_of(&slots, i);
        uint64_t state = mmf_load_acquire_u64(&slot->state);

        /* The exchange fails if the sleeper is nudged meanwhile, or goes. */
        while (mmf_sync_slot_kind(state) == MMF_SLOT_WAITING &&
               mmf_load_guarded_u64(&slot->arrival) < arrivals &&
               !grant(ref, i, state, ops))
            state = mmf_load_acquire_u64(&slot->state);
    }
}

static int
set_manual(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    for (;;) {
        uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
        uint64_t arrivals = mmf_load_acquire_u64(&ref->shared->arrivals);
        struct mmf_sync_scan scan;
        uint64_t next;

        mmf_sync_scan(ref, ops, &scan);
        if (scan.is_corrupt || mmf_sync_after_signal(ref->shared, ref->kind, word, 1,
                                                     &next) != MMF_STEP_DONE)
            return mmf_sync_fail_corrupt(MMF_KIND_EVENT);
        /* A sleeper that has come since has changed the word. */
        next = keep_waiters(next, &scan);
        if (!mmf_exchange_if_u64(&ref->shared->word, &word, next))
            continue;
        if (scan.oldest >= 0)
            grant_all(ref, arrivals, ops);
        after_signal(ref, word, &scan, ops);
        return MMF_OK;
    }
}

static int
fail_maximum(const struct mmf_sync_ref *ref, int32_t count, uint64_t there)
{
    return mmf_fail(MMF_E_MAXIMUM,
                    "cannot add %d to a semaphore of count %d: its maximum is %d",
                    count, (int)there, ref->shared->maximum);
}

/*
 * Sleepers get theirs one by one, the rest goes into the word. Of several releases at
 * once whose sum is beyond the maximum, each can have found room: the count stops there.
 */
static int
release_semaphore(const struct mmf_sync_ref *ref, int32_t count, int32_t *previous,
                  const struct mmf_sync_ops *ops)
{
    int32_t left = count;
    int32_t before = 0;

    for (;;) {
        uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
        uint64_t there = mmf_sync_count(word);
        uint64_t maximum = (uint64_t)ref->shared->maximum;
        struct mmf_sync_scan scan;
        uint64_t added = (uint64_t)left;

        mmf_sync_scan(ref, ops, &scan);
        if (scan.is_corrupt || !mmf_sync_semaphore_is_sound(ref->shared, word))
            return mmf_sync_fail_corrupt(MMF_KIND_SEMAPHORE);
        if (left == count) {
            uint64_t all = there + (uint64_t)scan.tokens;

            if (all + (uint64_t)count > maximum)
                return fail_maximum(ref, count, all);
            before = (int32_t)all;
        }
        if (scan.oldest >= 0) {
            left -= grant(ref, scan.oldest, scan.oldest_state, ops);
            if (left > 0)
                continue;
            *previous = before;
            return MMF_OK;
        }
        if (added > maximum - there)
            added = maximum - there;
        if (mmf_exchange_if_u64(&ref->shared->word, &word,
                                keep_waiters(word + (added << 4), &scan))) {
            *previous = before;
            after_signal(ref, word, &scan, ops);
            return MMF_OK;
        }
    }
}

static int
release_mutex(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    bool is_last;
    int rc = mmf_sync_release_recursion(ref, word, &is_last);

    while (is_last && !pass_mutex(ref, &word, ops)) {
        if (mmf_sync_value(word) != ref->identity)
            return mmf_sync_fail_corrupt(MMF_KIND_MUTEX);
    }
    return rc;
}

int
mmf_sync_signal(const struct mmf_sync_ref *ref, int32_t count, int32_t *previous,
                const struct mmf_sync_ops *ops)
{
    MMF_ASSERT(count > 0);
    if (ref->kind == MMF_KIND_MUTEX)
        return release_mutex(ref, ops);
    if (ref->kind == MMF_KIND_SEMAPHORE)
        return release_semaphore(ref, count, previous, ops);
    return ref->shared->manual ? set_manual(ref, ops) : set_auto(ref, ops);
}

/* A token is the event's signal if no sleeper is there to take it. */
static void
drop_tokens(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_scan scan;

    do {
        mmf_sync_scan(ref, ops, &scan);
        if (scan.tokens > 0 && scan.oldest < 0)
            mmf_sync_slot_change(ref, scan.token, scan.token_state, MMF_SLOT_FREE, ops);
    } while (scan.tokens > 1 && scan.oldest < 0);
}

int
mmf_sync_reset_event(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    uint64_t next;

    MMF_ASSERT(ref->kind == MMF_KIND_EVENT);
    if (ref->shared->manual != 0 && ref->shared->manual != 1)
        return mmf_sync_fail_corrupt(MMF_KIND_EVENT);
    do {
        next = (word + MMF_CHANGE) & ~(uint64_t)MMF_WORD_SIGNALLED;
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
    if ((word & MMF_WORD_WAITERS) && mmf_sync_has_tokens(ref))
        drop_tokens(ref, ops);
    return MMF_OK;
}

bool
mmf_sync_free_from_dead(const struct mmf_sync_ref *ref, uint64_t dead,
                        const struct mmf_sync_ops *ops)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX && dead != 0);
    while (mmf_sync_value(word) == dead) {
        uint64_t next = mmf_sync_with_value(0, word) | MMF_WORD_ABANDONED;

        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            mmf_fence_full();
            mmf_sync_notify(ref, ops);
            return true;
        }
    }
    return false;
}

void
mmf_sync_abandon_mutex(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    mmf_sync_free_from_dead(ref, ref->identity, ops);
}
