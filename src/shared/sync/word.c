/*
 * word.c - the single steps on the words of mutex, event and semaphore, with waiters,
 * pollers and reservations; the transitions themselves are in word.h.
 *
 * A mutex in three states with a mark for sleepers is Drepper's ("Futexes Are Tricky",
 * 2004, mutex 2 and 3); the owner's identity in the word, so that a dead owner can be
 * found, is the robust futex's idea, with tickets instead of thread ids.
 */
#include "shared/sync/word.h"

#include <limits.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"

uint32_t *
mmf_sync_futex(struct mmf_sync_shared *shared)
{
    uint32_t *halves = (uint32_t *)(void *)&shared->word;
    const uint16_t one = 1;
    uint8_t first_byte;

    memcpy(&first_byte, &one, 1); /* 1: the low half comes first */
    return first_byte == 1 ? halves : halves + 1;
}

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

/* The owner takes its mutex once more. */
static void
count_recursion(const struct mmf_sync_ref *ref)
{
    uint32_t recursion = mmf_load_relaxed_u32(&ref->shared->recursion);

    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX);
    mmf_store_relaxed_u32(&ref->shared->recursion, recursion + 1);
}

static void
begin_recursion(const struct mmf_sync_ref *ref)
{
    if (ref->kind == MMF_KIND_MUTEX)
        mmf_store_relaxed_u32(&ref->shared->recursion, 0);
}

enum mmf_step
mmf_sync_take(const struct mmf_sync_ref *ref, bool has_slept)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    for (;;) {
        uint64_t next;
        enum mmf_step step = after_take(ref, word, false, &next);

        if (!mmf_step_is_taken(step))
            return step;
        if (next == word) {
            if (ref->kind == MMF_KIND_MUTEX)
                count_recursion(ref);
            return step;
        }
        if (has_slept)
            next |= MMF_WORD_WAITERS;
        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            begin_recursion(ref);
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

enum mmf_step
mmf_sync_mark_waiting(const struct mmf_sync_ref *ref, uint32_t *expected)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    for (;;) {
        uint64_t ignored;
        enum mmf_step step = after_take(ref, word, false, &ignored);

        if (step != MMF_STEP_WOULD_BLOCK && step != MMF_STEP_RESERVED)
            return step;
        if ((word & MMF_WORD_WAITERS) ||
            mmf_exchange_if_u64(&ref->shared->word, &word, word | MMF_WORD_WAITERS)) {
            *expected = mmf_sync_low_half(word | MMF_WORD_WAITERS);
            return step;
        }
    }
}

uint64_t
mmf_sync_owner(const struct mmf_sync_ref *ref)
{
    if (ref->kind != MMF_KIND_MUTEX)
        return 0;
    return mmf_sync_value(mmf_load_acquire_u64(&ref->shared->word));
}

/*
 * Releasing. The word's WAITERS goes out with the change, so that a sleeper's futex no
 * longer has the value it sleeps on. If the releaser is killed between the exchange and
 * the wake, sleepers look again by themselves (watchers.c).
 */

/* After `word` was changed so that up to `count` threads can take. */
static struct mmf_sync_wake_set
wake_set(uint64_t word, int count)
{
    struct mmf_sync_wake_set to_wake = {.sleepers = word & MMF_WORD_WAITERS ? count : 0,
                                        .pollers = (word & MMF_WORD_POLLED) != 0};

    MMF_ASSERT(count > 0);
    return to_wake;
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

/* Release a mutex that its owner has taken more than once. MMF_E_NOT_OWNER. */
static int
release_recursion(const struct mmf_sync_ref *ref, uint64_t word, bool *is_last)
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

/* How many waiters can take after such a release. */
static int
most_takers(const struct mmf_sync_ref *ref, int32_t count)
{
    if (ref->kind == MMF_KIND_EVENT)
        return ref->shared->manual ? INT_MAX : 1;
    return ref->kind == MMF_KIND_SEMAPHORE ? count : 1;
}

int
mmf_sync_release(const struct mmf_sync_ref *ref, int32_t count, int32_t *previous,
                 struct mmf_sync_wake_set *to_wake)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    uint64_t next;

    MMF_ASSERT(count > 0);
    *to_wake = (struct mmf_sync_wake_set){0};
    if (ref->kind == MMF_KIND_MUTEX) {
        bool is_last;
        int rc = release_recursion(ref, word, &is_last);

        if (!is_last)
            return rc;
    }
    do {
        enum mmf_step step =
            mmf_sync_after_release(ref->shared, ref->kind, word, count, &next);

        if (step == MMF_STEP_WOULD_BLOCK)
            return mmf_fail(MMF_E_MAXIMUM,
                            "cannot add %d to a semaphore of count %d: its maximum is "
                            "%d",
                            count, (int)mmf_sync_value(word), ref->shared->maximum);
        if (step != MMF_STEP_DONE)
            return mmf_sync_fail_corrupt(ref->kind);
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
    if (ref->kind == MMF_KIND_SEMAPHORE)
        *previous = (int32_t)mmf_sync_value(word);
    *to_wake = wake_set(word, most_takers(ref, count));
    return MMF_OK;
}

bool
mmf_sync_free_from_dead(const struct mmf_sync_ref *ref, uint64_t dead,
                        struct mmf_sync_wake_set *to_wake)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);

    MMF_ASSERT(ref->kind == MMF_KIND_MUTEX && dead != 0);
    *to_wake = (struct mmf_sync_wake_set){0};
    while (mmf_sync_value(word) == dead) {
        uint64_t next =
            (word & (MMF_WORD_RESERVED | MMF_WORD_POLLED)) | MMF_WORD_ABANDONED;

        if (mmf_exchange_if_u64(&ref->shared->word, &word, next)) {
            *to_wake = wake_set(word, 1);
            return true;
        }
    }
    return false;
}

int
mmf_sync_reset_event(const struct mmf_sync_ref *ref)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    uint64_t next;

    MMF_ASSERT(ref->kind == MMF_KIND_EVENT);
    do {
        uint64_t ignored;

        if (after_take(ref, word, true, &ignored) == MMF_STEP_CORRUPT)
            return mmf_sync_fail_corrupt(MMF_KIND_EVENT);
        next = mmf_sync_with_value(mmf_sync_value(word) + 1,
                                   word & ~(uint64_t)MMF_WORD_SIGNALLED);
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
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
mmf_sync_unmark_reserved(const struct mmf_sync_ref *ref,
                         struct mmf_sync_wake_set *to_wake)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    uint64_t next;

    MMF_ASSERT(ref->identity != 0);
    *to_wake = (struct mmf_sync_wake_set){0};
    do {
        if (!(word & MMF_WORD_RESERVED))
            return false;
        next = word & ~(uint64_t)(MMF_WORD_RESERVED | MMF_WORD_WAITERS);
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
    *to_wake = wake_set(word, INT_MAX); /* each must look for itself */
    return true;
}

/*
 * All were marked and available at one moment, and that is when they were taken; what
 * came since comes after. So an event that was set or reset since stays as it is: a set
 * is another signal, for another thread.
 */
enum mmf_step
mmf_sync_take_reserved(const struct mmf_sync_ref *ref, uint64_t seen,
                       struct mmf_sync_wake_set *to_wake)
{
    uint64_t word = mmf_load_acquire_u64(&ref->shared->word);
    enum mmf_step step;
    uint64_t next;

    do {
        if (is_owned_by(ref, word)) {
            mmf_sync_unmark_reserved(ref, to_wake);
            count_recursion(ref);
            return MMF_STEP_DONE;
        }
        step = after_take(ref, word, true, &next);
        if (ref->kind == MMF_KIND_EVENT && mmf_sync_value(word) != mmf_sync_value(seen))
            next = word;
        next &= ~(uint64_t)(MMF_WORD_RESERVED | MMF_WORD_WAITERS);
    } while (!mmf_exchange_if_u64(&ref->shared->word, &word, next));
    begin_recursion(ref);
    *to_wake = wake_set(word, INT_MAX);
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
    mmf_store_relaxed_u64(&shared->word, mmf_sync_with_value((uint64_t)initial, 0));
    shared->maximum = maximum;
}
