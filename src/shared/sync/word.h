/*
 * word.h - the words of mutex, event and semaphore, and each single step on them.
 *
 * They lie in the control page's `state`. Any process may be killed between any two
 * instructions; a survivor then finds one of the states below, never one between,
 * because each step is one exchange of `word`.
 *
 *   field        written by             read by     ordering
 *   word         all, by exchange       all         acquire when it was taken, release
 *                                                   when it was set or released
 *   reserver     a wait for all         the same    see wait.c
 *   recursion    the mutex's owner      the owner   relaxed: guarded by the ownership
 *   watch        sleepers, by exchange  sleepers    see watchers.c
 *   watch_epoch  a sleeper that leaves  sleepers    release after it has left `watch`,
 *                `watch`                            acquire before `watch` is read
 *   maximum, manual                     the creator, before the object has a name
 *
 * An identity is (ticket << 20 | thread): the ticket of a process at this object
 * (control.h) and the number that the process gave its thread. 0 is no thread's.
 *
 * word, mutex:      identity << 4 | flags       identity 0: free
 * word, event:      changes << 4 | flags        counts sets and resets, wraps
 * word, semaphore:  count << 4 | flags
 *
 * The low half is the futex. A thread puts WAITERS in before it sleeps; the thread that
 * releases takes it out, so the half changes, and wakes. A thread that has slept puts
 * it back when it takes, since others may still sleep.
 */
#ifndef MMF_SHARED_SYNC_WORD_H
#define MMF_SHARED_SYNC_WORD_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/list.h>

#include "base/atomic.h"
#include "base/invariant.h"
#include "base/step.h"

struct mmf_sync_shared {
    mmf_atomic_u64 word;
    mmf_atomic_u64 reserver;
    mmf_atomic_u64 watch[2]; /* milliseconds, 24 bits; then the ticket, 40 bits */
    mmf_atomic_u32 recursion;
    int32_t maximum;            /* semaphore */
    int32_t manual;             /* event */
    mmf_atomic_u32 watch_epoch; /* how often a sleeper has left `watch`; wraps */
};

static_assert(sizeof(struct mmf_sync_shared) == 48, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, reserver) == 8, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, watch) == 16, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, recursion) == 32, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, maximum) == 36, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, manual) == 40, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, watch_epoch) == 44, "layout 2");

/* Flags. */
#define MMF_WORD_WAITERS 1u   /* a thread may sleep */
#define MMF_WORD_SIGNALLED 2u /* event */
#define MMF_WORD_ABANDONED 2u /* mutex: free, and the last owner died */
#define MMF_WORD_RESERVED 4u  /* for the reserver alone */
#define MMF_WORD_POLLED 8u    /* a descriptor is polled; once set it stays */
#define MMF_WORD_FLAGS 15u

#define MMF_THREAD_BITS 20
#define MMF_THREAD_MAX ((1u << MMF_THREAD_BITS) - 1)
#define MMF_TICKET_BITS 40
#define MMF_TICKET_MAX (((uint64_t)1 << MMF_TICKET_BITS) - 1)
#define MMF_WATCH_TIME_MAX ((1u << 24) - 1)

/* How often its owner can take a mutex. */
#define MMF_RECURSION_MAX INT32_MAX

/* One thread's reference to one object. */
struct mmf_sync_ref {
    struct mmf_sync_shared *shared;
    uint64_t identity; /* of the calling thread at this object */
    uint64_t order[2]; /* which object: waits for all reserve in this order */
    void *context;     /* the back end's */
    mmf_kind kind;
    bool is_shared; /* by several processes, each of which may be killed */
};

/* Which waiters to wake after a release. */
struct mmf_sync_wake_set {
    int sleepers; /* how many to wake, 0 for none */
    bool pollers; /* a descriptor may be polled */
};

static inline uint64_t
mmf_sync_identity(uint64_t ticket, uint32_t thread)
{
    MMF_ASSERT(thread <= MMF_THREAD_MAX);
    return ticket << MMF_THREAD_BITS | thread;
}

static inline uint64_t
mmf_sync_ticket(uint64_t identity)
{
    return identity >> MMF_THREAD_BITS;
}

/* The half of a word that a futex sleeps on. */
static inline uint32_t
mmf_sync_low_half(uint64_t word)
{
    return (uint32_t)word;
}

uint32_t *mmf_sync_futex(struct mmf_sync_shared *shared);

/* `watch_epoch`, for the system to compare. */
static inline uint32_t *
mmf_sync_watch_epoch(struct mmf_sync_shared *shared)
{
    return (uint32_t *)(void *)&shared->watch_epoch;
}

/*
 * The transitions. `kind` is a constant in the fast paths, which leaves one case of
 * each.
 */

/* The owner, the count, or the number of changes. */
static inline uint64_t
mmf_sync_value(uint64_t word)
{
    return word >> 4;
}

static inline uint64_t
mmf_sync_with_value(uint64_t value, uint64_t word)
{
    return value << 4 | (word & MMF_WORD_FLAGS);
}

static inline enum mmf_step
mmf_sync_mutex_after_take(const struct mmf_sync_shared *shared, uint64_t word,
                          uint64_t identity, bool is_reserved, uint64_t *next)
{
    uint64_t owner = mmf_sync_value(word);

    if (owner == 0) {
        if (is_reserved)
            return MMF_STEP_RESERVED;
        *next = mmf_sync_with_value(identity, word & ~(uint64_t)MMF_WORD_ABANDONED);
        return word & MMF_WORD_ABANDONED ? MMF_STEP_ABANDONED : MMF_STEP_DONE;
    }
    if (mmf_sync_ticket(owner) == 0 || (word & MMF_WORD_ABANDONED))
        return MMF_STEP_CORRUPT;
    if (owner != identity)
        return MMF_STEP_WOULD_BLOCK;
    /* RESERVED, if set, is of a wait that waits for this owner. */
    return mmf_load_relaxed_u32(&shared->recursion) >= MMF_RECURSION_MAX - 1
               ? MMF_STEP_RECURSION
               : MMF_STEP_DONE;
}

static inline enum mmf_step
mmf_sync_event_after_take(const struct mmf_sync_shared *shared, uint64_t word,
                          bool is_reserved, uint64_t *next)
{
    if (shared->manual != 0 && shared->manual != 1)
        return MMF_STEP_CORRUPT;
    if (!(word & MMF_WORD_SIGNALLED))
        return MMF_STEP_WOULD_BLOCK;
    if (shared->manual)
        return MMF_STEP_DONE;
    if (is_reserved)
        return MMF_STEP_RESERVED;
    *next = mmf_sync_with_value(mmf_sync_value(word) + 1,
                                word & ~(uint64_t)MMF_WORD_SIGNALLED);
    return MMF_STEP_DONE;
}

static inline bool
mmf_sync_semaphore_is_sound(const struct mmf_sync_shared *shared, uint64_t word)
{
    return !(word & MMF_WORD_SIGNALLED) && shared->maximum >= 1 &&
           mmf_sync_value(word) <= (uint64_t)shared->maximum;
}

static inline enum mmf_step
mmf_sync_semaphore_after_take(const struct mmf_sync_shared *shared, uint64_t word,
                              bool is_reserved, uint64_t *next)
{
    uint64_t count = mmf_sync_value(word);

    if (!mmf_sync_semaphore_is_sound(shared, word))
        return MMF_STEP_CORRUPT;
    if (count == 0)
        return MMF_STEP_WOULD_BLOCK;
    /* The reserver needs one; what is beyond that is for others. */
    if (is_reserved && count == 1)
        return MMF_STEP_RESERVED;
    *next = mmf_sync_with_value(count - 1, word);
    return MMF_STEP_DONE;
}

/*
 * What taking the object finds in a state. `*next` is the state after it: the same if
 * it cannot be taken, and if taking leaves it (the owner's recursion, a manual event).
 * `is_ours`: the caller is the reserver.
 */
static inline enum mmf_step
mmf_sync_after_take(const struct mmf_sync_shared *shared, mmf_kind kind, uint64_t word,
                    uint64_t identity, bool is_ours, uint64_t *next)
{
    bool is_reserved = (word & MMF_WORD_RESERVED) && !is_ours;

    *next = word;
    switch (kind) {
    case MMF_KIND_MUTEX:
        return mmf_sync_mutex_after_take(shared, word, identity, is_reserved, next);
    case MMF_KIND_EVENT:
        return mmf_sync_event_after_take(shared, word, is_reserved, next);
    default:
        return mmf_sync_semaphore_after_take(shared, word, is_reserved, next);
    }
}

/*
 * The state after the owner's last release, after a set, or after `count` were added.
 * WAITERS goes out. WOULD_BLOCK: beyond the semaphore's maximum.
 */
static inline enum mmf_step
mmf_sync_after_release(const struct mmf_sync_shared *shared, mmf_kind kind,
                       uint64_t word, int32_t count, uint64_t *next)
{
    uint64_t value = mmf_sync_value(word);
    uint64_t quiet = word & ~(uint64_t)MMF_WORD_WAITERS;

    switch (kind) {
    case MMF_KIND_MUTEX:
        *next = mmf_sync_with_value(0, quiet & ~(uint64_t)MMF_WORD_ABANDONED);
        return MMF_STEP_DONE;
    case MMF_KIND_EVENT:
        if (shared->manual != 0 && shared->manual != 1)
            return MMF_STEP_CORRUPT;
        *next = mmf_sync_with_value(value + 1, quiet | MMF_WORD_SIGNALLED);
        return MMF_STEP_DONE;
    default:
        if (!mmf_sync_semaphore_is_sound(shared, word))
            return MMF_STEP_CORRUPT;
        if ((uint64_t)count > (uint64_t)shared->maximum - value)
            return MMF_STEP_WOULD_BLOCK;
        *next = mmf_sync_with_value(value + (uint64_t)count, quiet);
        return MMF_STEP_DONE;
    }
}

/*
 * The fast paths. Without a waiter, a poller and a reservation in the word there is no
 * thread to wake and nothing to undo. False: nothing was done; the functions below know
 * what to do.
 */

static inline bool
mmf_sync_is_quiet(uint64_t word)
{
    return (word & (MMF_WORD_WAITERS | MMF_WORD_RESERVED | MMF_WORD_POLLED)) == 0;
}

static inline bool
mmf_sync_try_take_kind(struct mmf_sync_shared *shared, mmf_kind kind, uint64_t identity)
{
    /* A free mutex is known without a look, which would cost a transfer of its line. */
    uint64_t word = kind == MMF_KIND_MUTEX ? 0 : mmf_load_acquire_u64(&shared->word);
    uint64_t next;

    if (!mmf_sync_is_quiet(word) || mmf_sync_after_take(shared, kind, word, identity,
                                                        false, &next) != MMF_STEP_DONE)
        return false;
    if (kind == MMF_KIND_EVENT && next == word)
        return true;
    if (!mmf_exchange_if_u64(&shared->word, &word, next))
        return false;
    if (kind == MMF_KIND_MUTEX)
        mmf_store_relaxed_u32(&shared->recursion, 0);
    return true;
}

/* Take the object. `identity` is needed for a mutex alone. */
static inline bool
mmf_sync_try_take(struct mmf_sync_shared *shared, mmf_kind kind, uint64_t identity)
{
    switch (kind) {
    case MMF_KIND_MUTEX:
        MMF_ASSERT(identity != 0);
        return mmf_sync_try_take_kind(shared, MMF_KIND_MUTEX, identity);
    case MMF_KIND_EVENT:
        return mmf_sync_try_take_kind(shared, MMF_KIND_EVENT, 0);
    default:
        return mmf_sync_try_take_kind(shared, MMF_KIND_SEMAPHORE, 0);
    }
}

/* The caller owns the mutex, and the next release is the last. */
static inline bool
mmf_sync_is_owned_once(const struct mmf_sync_shared *shared, uint64_t identity)
{
    return mmf_sync_value(mmf_load_relaxed_u64(&shared->word)) == identity &&
           mmf_load_relaxed_u32(&shared->recursion) == 0;
}

/* The caller owns the mutex once. */
static inline bool
mmf_sync_try_release_mutex(struct mmf_sync_shared *shared, uint64_t identity)
{
    uint64_t word = mmf_sync_with_value(identity, 0);
    uint64_t next;

    MMF_ASSERT(identity != 0);
    mmf_sync_after_release(shared, MMF_KIND_MUTEX, word, 1, &next);
    return mmf_exchange_if_u64(&shared->word, &word, next);
}

static inline bool
mmf_sync_try_signal(struct mmf_sync_shared *shared, mmf_kind kind, int32_t count,
                    int32_t *previous)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);
    uint64_t next;

    if (!mmf_sync_is_quiet(word) ||
        mmf_sync_after_release(shared, kind, word, count, &next) != MMF_STEP_DONE ||
        !mmf_exchange_if_u64(&shared->word, &word, next))
        return false;
    *previous = (int32_t)mmf_sync_value(word);
    return true;
}

static inline bool
mmf_sync_try_set_event(struct mmf_sync_shared *shared)
{
    int32_t ignored;

    return mmf_sync_try_signal(shared, MMF_KIND_EVENT, 1, &ignored);
}

static inline bool
mmf_sync_try_release_semaphore(struct mmf_sync_shared *shared, int32_t count,
                               int32_t *previous)
{
    MMF_ASSERT(count > 0);
    return mmf_sync_try_signal(shared, MMF_KIND_SEMAPHORE, count, previous);
}

/*
 * The whole steps.
 */

/*
 * Take the object if it is available. `has_slept`: the caller has slept, others may
 * still sleep.
 */
enum mmf_step mmf_sync_take(const struct mmf_sync_ref *ref, bool has_slept);

/* What mmf_sync_take would answer, taking nothing; `*word` gets what was seen. */
enum mmf_step mmf_sync_probe(const struct mmf_sync_ref *ref, bool is_ours,
                             uint64_t *word);

/*
 * About to sleep: put WAITERS in, if the object is still not available. WOULD_BLOCK or
 * RESERVED: `*expected` is the futex's value to sleep on. Any other answer: try again.
 */
enum mmf_step mmf_sync_mark_waiting(const struct mmf_sync_ref *ref, uint32_t *expected);

/* The mutex's owner; 0 if it has none or the object is not a mutex. */
uint64_t mmf_sync_owner(const struct mmf_sync_ref *ref);

/* Free a mutex of `dead`, marked abandoned. False: another process has done it. */
bool mmf_sync_free_from_dead(const struct mmf_sync_ref *ref, uint64_t dead,
                             struct mmf_sync_wake_set *to_wake);

/*
 * Release a mutex, set an event, or add `count` to a semaphore; `*previous` gets the
 * semaphore's count before. MMF_E_NOT_OWNER; MMF_E_MAXIMUM; MMF_E_CORRUPT. Calls
 * mmf_fail.
 */
int mmf_sync_release(const struct mmf_sync_ref *ref, int32_t count, int32_t *previous,
                     struct mmf_sync_wake_set *to_wake);

/* MMF_E_CORRUPT. */
int mmf_sync_reset_event(const struct mmf_sync_ref *ref);

/* Calls mmf_fail: a state that this version cannot make. MMF_KIND_UNKNOWN: of any kind. */
int mmf_sync_fail_corrupt(mmf_kind kind);

/*
 * For the reserver: mark the word, unmark it (true: it was marked), and take what was
 * marked; `seen` is the word when all were available.
 */
void mmf_sync_mark_reserved(const struct mmf_sync_ref *ref);
bool mmf_sync_unmark_reserved(const struct mmf_sync_ref *ref,
                              struct mmf_sync_wake_set *to_wake);
enum mmf_step mmf_sync_take_reserved(const struct mmf_sync_ref *ref, uint64_t seen,
                                     struct mmf_sync_wake_set *to_wake);

/* A descriptor of the object will be polled from now on. */
void mmf_sync_mark_polled(const struct mmf_sync_ref *ref);

/* The state of a new object. */
void mmf_sync_init_mutex(struct mmf_sync_shared *shared, uint64_t owner);
void mmf_sync_init_event(struct mmf_sync_shared *shared, int signalled, int manual);
void mmf_sync_init_semaphore(struct mmf_sync_shared *shared, int32_t initial,
                             int32_t maximum);

#endif
