/*
 * word.c - the single steps on the words of mutex, event and semaphore; the transitions
 * themselves are in word.h, and what concerns sleepers in signal.c.
 *
 * The owner's identity in the word, so that a dead owner can be found, is the robust
 * futex's idea, with tickets instead of thread ids.
 */
#include "shared/sync/word.h"

#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"

static enum mmf_step
after_take(const struct mmf_sync_ref *ref, uint64_t word, bool is_ours, uint64_t *next)
{
    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX || ref->kind == MMF_KIND_EVENT ||
               ref->kind == MMF_KIND_SEMAPHORE);
    MMF_ASSERT(ref->kind != MMF_KIND_MUTEX || mmf_sync_ticket(ref->identity) != 0);
    return mmf_sync_after_take(ref->shared, ref->kind, word, ref->identity, is_ours,
                               next);
}

static bool
is_owned_by(const struct mmf_sync_ref *ref, uint64_t word)
{
    return ref->kind == MMF_KIND_MUTEX && mmf_sync_value(word) == ref->identity;
}

void
mmf_sync_count_recursion(const struct mmf_sync_ref *ref)
{
    uint32_t recursion = mmf_load_relaxed_u32(&ref->shared->recursion);

    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX);
    mmf_store_relaxed_u32(&ref->shared->recursion, recursion + 1);
}

void
mmf_sync_begin_recursion(const struct mmf_sync_ref *ref)
{
    if (ref->kind == MMF_KIND_MUTEX)
        mmf_store_relaxed_u32(&ref->shared->recursion, 0);
}

enum mmf_step
mmf_sync_take_word(const struct mmf_sync_ref *ref, uint64_t *seen)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    for (;;) {
        uint64_t next;
        enum mmf_step step = after_take(ref, word, false, &next);

        *seen = word;
        if (!mmf_step_is_taken(step))
            return step;
        if (next == word) {
            if (ref->kind == MMF_KIND_MUTEX)
                mmf_sync_count_recursion(ref);
            return step;
        }
        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            mmf_sync_begin_recursion(ref);
            return step;
        }
    }
}

enum mmf_step
mmf_sync_probe(const struct mmf_sync_ref *ref, bool is_ours, uint64_t *word)
{
    uint64_t ignored;

    *word = mmf_load_acquire_u64(&ref->shared->word);
    return after_take(ref, *word, is_ours, &ignored);
}

/* The count of registrations tells a signaller that the slots have changed. */
static uint64_t
after_registration(const struct mmf_sync_ref *ref, uint64_t word)
{
    uint64_t first = MMF_REGISTRATION;
    uint64_t all = MMF_CHANGE - MMF_REGISTRATION;

    word |= MMF_WORD_WAITERS;
    if (ref->kind == MMF_KIND_EVENT)
        return (word & ~all) | ((word + first) & all);
    return ref->kind == MMF_KIND_SEMAPHORE ? word + MMF_SEMAPHORE_REGISTRATION : word;
}

enum mmf_step
mmf_sync_register_word(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    for (;;) {
        uint64_t next;
        enum mmf_step step = after_take(ref, word, false, &next);

        if (step != MMF_STEP_WOULD_BLOCK && step != MMF_STEP_RESERVED)
            return step;
        next = after_registration(ref, word);
        if (next == word || mmf_exchange_if_u64(&ref->shared->word, &word, next))
            return step;
    }
}

void
mmf_sync_mark_waiting(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    while (!(word & MMF_WORD_WAITERS) &&
           !mmf_exchange_if_u64(&ref->shared->word, &word, word | MMF_WORD_WAITERS)) {
    }
}

uint64_t
mmf_sync_owner(const struct mmf_sync_ref *ref)
{
    uint64_t word;

    if (ref->kind != MMF_KIND_MUTEX)
        return 0;
    word = mmf_load_acquire_u64(&ref->shared->word);
    return mmf_sync_is_handed(word) ? 0 : mmf_sync_value(word);
}

static const char *
kind_name(mmf_kind kind)
{
    switch (kind) {
    case MMF_KIND_MUTEX:
        return "mutex";
    case MMF_KIND_EVENT:
        return "event";
    case MMF_KIND_SEMAPHORE:
        return "semaphore";
    default:
        return "object";
    }
}

int
mmf_sync_fail_corrupt(mmf_kind kind)
{
    return mmf_fail(MMF_E_CORRUPT,
                    "the %s's shared words make no sense: another program "
                    "has written to them",
                    kind_name(kind));
}

int
mmf_sync_release_recursion(const struct mmf_sync_ref *ref, uint64_t word, bool *is_last)
{
    uint32_t recursion;

    *is_last = false;
    if (!is_owned_by(ref, word))
        return mmf_fail(MMF_E_NOT_OWNER, "this thread does not own the mutex");
    recursion = mmf_load_relaxed_u32(&ref->shared->recursion);
    if (recursion > MMF_RECURSION_MAX)
        return mmf_sync_fail_corrupt(MMF_KIND_MUTEX);
    *is_last = recursion == 0;
    if (recursion > 0)
        mmf_store_relaxed_u32(&ref->shared->recursion, recursion - 1);
    return MMF_OK;
}

/*
 * Reserving.
 */

void
mmf_sync_mark_reserved(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    MMF_ASSERT(ref->identity != 0);
    while (!(word & MMF_WORD_RESERVED) &&
           !mmf_exchange_if_u64(&ref->shared->word, &word, word | MMF_WORD_RESERVED)) {
    }
}

bool
mmf_sync_unmark_reserved(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    MMF_ASSERT(ref->identity != 0);
    do {
        if (!(word & MMF_WORD_RESERVED))
            return false;
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word,
                                  word & ~(uint64_t)MMF_WORD_RESERVED));
    return true;
}

/*
 * All were marked and available at one moment, and that is when they were taken; what
 * came since comes after. So an event that was set or reset since stays as it is: a set
 * is another signal, for another thread.
 */
enum mmf_step
mmf_sync_take_reserved(const struct mmf_sync_ref *ref, uint64_t seen)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    enum mmf_step step;
    uint64_t next;

    do {
        if (is_owned_by(ref, word)) {
            mmf_sync_unmark_reserved(ref);
            mmf_sync_count_recursion(ref);
            return MMF_STEP_DONE;
        }
        step = after_take(ref, word, true, &next);
        if (ref->kind == MMF_KIND_EVENT &&
            mmf_sync_changes(word) != mmf_sync_changes(seen))
            next = word;
        next &= ~(uint64_t)MMF_WORD_RESERVED;
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
    mmf_sync_begin_recursion(ref);
    return step == MMF_STEP_ABANDONED ? step : MMF_STEP_DONE;
}

void
mmf_sync_mark_polled(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    while (!(word & MMF_WORD_POLLED) &&
           !mmf_exchange_if_u64(&ref->shared->word, &word, word | MMF_WORD_POLLED)) {
    }
}

/*
 * New objects, which no other process sees yet.
 */

void
mmf_sync_init_mutex(struct mmf_sync_shared *shared, uint64_t owner)
{
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, mmf_sync_with_value(owner, 0));
}

void
mmf_sync_init_event(struct mmf_sync_shared *shared, int signalled, int manual)
{
    MMF_ASSERT((signalled & ~1) == 0 && (manual & ~1) == 0);
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, signalled ? MMF_WORD_SIGNALLED : 0);
    shared->manual = manual;
}

void
mmf_sync_init_semaphore(struct mmf_sync_shared *shared, int32_t initial,
                        int32_t maximum)
{
    MMF_ASSERT(initial >= 0 && maximum >= 1 && initial <= maximum);
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, (uint64_t)initial << 4);
    shared->maximum = maximum;
}
