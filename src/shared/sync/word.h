/*
 * word.h - the words of mutex, event and semaphore, and each single step on them.
 *
 * They lie in the control page's `state`. Any process may be killed between any two
 * instructions; a survivor then finds one of the states below, never one between,
 * because each step is one exchange of one word: of `word`, or of a sleeper's slot.
 *
 *   field        written by             read by     ordering
 *   word         all, by exchange       all         acquire when it was taken, release
 *                                                   when it was set or released
 *   reserver     a wait for all         the same    see wait.c
 *   recursion    the mutex's owner      the owner   relaxed: guarded by the ownership
 *   watch        sleepers, by exchange  sleepers    see watchers.c
 *   watch_epoch  a sleeper that leaves  sleepers    release after it has left `watch`,
 *                `watch`                            acquire before `watch` is read
 *   arrivals     who comes to sleep     the same    relaxed addition
 *   slots_used   who needs a new slot   all         by exchange; only grows
 *   pid_space    a process that opens   all         full fence: before it can own
 *   slots        sleepers, signallers   the same    see slots.h
 *   maximum, manual                     the creator, before the object has a name
 *
 * An identity is (ticket << 22 | thread): the ticket of a process at this object
 * (control.h) and the number that the kernel gave its thread, as that process sees it. 0
 * is no thread's.
 *
 * word, mutex:      content << 4 | flags; 0: free; an identity: its owner; or, with
 *                   ABANDONED, 12 ones, 16 zeros, 12 bits of a slot's number and 20 of its
 *                   version: handed to the sleeper that is in that slot
 * word, event:      changes << 34 | registrations << 4 | flags    each counts and wraps
 * word, semaphore:  registrations << 36 | count << 4 | flags
 *
 * A thread puts WAITERS in before it sleeps, in a slot, and counts `registrations` up, so
 * that a signaller that has seen the slots before it cannot exchange the word. WAITERS
 * goes out when a signaller finds no slot in use.
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
#include "shared/page/watch.h"

/* The slots in the control page, and those beyond it that an object can come to have. */
#ifndef MMF_SYNC_SLOTS_HERE
#define MMF_SYNC_SLOTS_HERE 10
#define MMF_SYNC_SLOTS_MORE 2048
#endif
#define MMF_SYNC_SLOTS_MAX (MMF_SYNC_SLOTS_HERE + MMF_SYNC_SLOTS_MORE)

/* A sleeper's sleeper; see slots.h. */
struct mmf_sync_slot {
    mmf_atomic_u64 state;   /* version, 20 bits; ticket, 40 bits; what it is, 4 bits */
    mmf_atomic_u64 arrival; /* the lowest has slept longest */
    mmf_atomic_u64 since;   /* the clock's nanoseconds */
    mmf_atomic_u64 thread;  /* the sleeper's number; 0 while CLAIMED */
};

struct mmf_sync_shared {
    mmf_atomic_u64 word;
    mmf_atomic_u64 reserver;
    mmf_atomic_u64 watch[2]; /* milliseconds, 24 bits; then the ticket, 38 bits */
    mmf_atomic_u32 recursion;
    int32_t maximum;            /* semaphore */
    int32_t manual;             /* event */
    mmf_atomic_u32 watch_epoch; /* how often a sleeper has left `watch`; wraps */
    mmf_atomic_u64 arrivals;    /* the next arrival */
    mmf_atomic_u32 slots_used;  /* those from here on have never been used */
    mmf_atomic_u32 pid_space;   /* all processes number their threads in this one */
    struct mmf_sync_slot slots[MMF_SYNC_SLOTS_HERE];
};

static_assert(sizeof(struct mmf_sync_slot) == 32, "layout 2");
static_assert(offsetof(struct mmf_sync_slot, arrival) == 8, "layout 2");
static_assert(offsetof(struct mmf_sync_slot, since) == 16, "layout 2");
static_assert(offsetof(struct mmf_sync_slot, thread) == 24, "layout 2");
static_assert(sizeof(struct mmf_sync_shared) == 64 + 32 * MMF_SYNC_SLOTS_HERE,
              "layout 2");
static_assert(offsetof(struct mmf_sync_shared, reserver) == 8, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, watch) == 16, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, recursion) == 32, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, maximum) == 36, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, manual) == 40, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, watch_epoch) == 44, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, arrivals) == 48, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, slots_used) == 56, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, pid_space) == 60, "layout 2");
static_assert(offsetof(struct mmf_sync_shared, slots) == 64, "layout 2");

/* Flags. */
#define MMF_WORD_WAITERS 1u   /* a thread may sleep */
#define MMF_WORD_SIGNALLED 2u /* event */
#define MMF_WORD_ABANDONED 2u /* mutex: free, and the last owner died */
#define MMF_WORD_RESERVED 4u  /* for the reserver alone */
#define MMF_WORD_POLLED 8u    /* a descriptor is polled; once set it stays */
#define MMF_WORD_FLAGS 15u

#define MMF_THREAD_BITS 22
#define MMF_THREAD_MAX ((1u << MMF_THREAD_BITS) - 1)

/* In `pid_space`: not one, or not known. Who is another's thread cannot be said. */
#define MMF_SYNC_NO_SPACE UINT32_MAX

#define MMF_REGISTRATION ((uint64_t)1 << 4)            /* event: one more */
#define MMF_CHANGE ((uint64_t)1 << 34)                 /* event: one more */
#define MMF_SEMAPHORE_REGISTRATION ((uint64_t)1 << 36) /* likewise */
#define MMF_HANDED ((uint64_t)0xfff << 48)             /* mutex, in the content */
#define MMF_SLOT_VERSION_MAX ((1u << 20) - 1)

/* How often its owner can take a mutex. */
#define MMF_RECURSION_MAX INT32_MAX

/* One thread's reference to one object. */
struct mmf_sync_ref {
    struct mmf_sync_shared *shared;
    uint64_t identity; /* of the calling thread at this object */
    uint64_t order[2]; /* which object: waits for all reserve in this order */
    void *context;     /* the back end's */
    mmf_kind kind;
    bool is_watched; /* its owners and sleepers can die without a word */
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

static inline uint32_t
mmf_sync_thread(uint64_t identity)
{
    return (uint32_t)(identity & MMF_THREAD_MAX);
}

/* `watch_epoch`, for the system to sleep on. */
static inline uint32_t *
mmf_sync_watch_epoch(struct mmf_sync_shared *shared)
{
    return (uint32_t *)(void *)&shared->watch_epoch;
}

/*
 * The transitions. `kind` is a constant in the fast paths, which leaves one case of
 * each.
 */

/* What is above the flags: a mutex's content. */
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

/* How often an event was set into the word, taken or reset. */
static inline uint64_t
mmf_sync_changes(uint64_t word)
{
    return word >> 34;
}

static inline uint64_t
mmf_sync_count(uint64_t word)
{
    return word >> 4 & UINT32_MAX;
}

/* A mutex, handed to a sleeper that does not own it yet. No owner's is abandoned. */
static inline bool
mmf_sync_is_handed(uint64_t word)
{
    return mmf_sync_value(word) >= MMF_HANDED && (word & MMF_WORD_ABANDONED) != 0;
}

static inline uint64_t
mmf_sync_handed(int slot, uint64_t version, uint64_t word)
{
    MMF_ASSERT(slot >= 0 && slot < MMF_SYNC_SLOTS_MAX &&
               version <= MMF_SLOT_VERSION_MAX);
    return mmf_sync_with_value(MMF_HANDED | (uint64_t)slot << 20 | version,
                               word | MMF_WORD_ABANDONED);
}

static inline int
mmf_sync_handed_slot(uint64_t word)
{
    return (int)(mmf_sync_value(word) >> 20 & 0xfff);
}

static inline uint64_t
mmf_sync_handed_version(uint64_t word)
{
    return mmf_sync_value(word) & MMF_SLOT_VERSION_MAX;
}

static inline bool
mmf_sync_is_sound_hand_over(uint64_t word)
{
    return (mmf_sync_value(word) >> 32 & 0xffff) == 0 &&
           mmf_sync_handed_slot(word) < MMF_SYNC_SLOTS_MAX;
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
    if (mmf_sync_is_handed(word))
        return mmf_sync_is_sound_hand_over(word) ? MMF_STEP_WOULD_BLOCK
                                                 : MMF_STEP_CORRUPT;
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
    *next = (word + MMF_CHANGE) & ~(uint64_t)MMF_WORD_SIGNALLED;
    return MMF_STEP_DONE;
}

static inline bool
mmf_sync_semaphore_is_sound(const struct mmf_sync_shared *shared, uint64_t word)
{
    return !(word & MMF_WORD_SIGNALLED) && shared->maximum >= 1 &&
           mmf_sync_count(word) <= (uint64_t)shared->maximum;
}

static inline enum mmf_step
mmf_sync_semaphore_after_take(const struct mmf_sync_shared *shared, uint64_t word,
                              bool is_reserved, uint64_t *next)
{
    uint64_t count = mmf_sync_count(word);

    if (!mmf_sync_semaphore_is_sound(shared, word))
        return MMF_STEP_CORRUPT;
    if (count == 0)
        return MMF_STEP_WOULD_BLOCK;
    /* The reserver needs one; what is beyond that is for others. */
    if (is_reserved && count == 1)
        return MMF_STEP_RESERVED;
    *next = word - ((uint64_t)1 << 4);
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
 * The state after an event was set, or `count` were added to a semaphore, without a
 * sleeper. WAITERS stays. WOULD_BLOCK: beyond the semaphore's maximum.
 */
static inline enum mmf_step
mmf_sync_after_signal(const struct mmf_sync_shared *shared, mmf_kind kind,
                      uint64_t word, int32_t count, uint64_t *next)
{
    if (kind == MMF_KIND_EVENT) {
        if (shared->manual != 0 && shared->manual != 1)
            return MMF_STEP_CORRUPT;
        *next = (word + MMF_CHANGE) | MMF_WORD_SIGNALLED;
        return MMF_STEP_DONE;
    }
    if (!mmf_sync_semaphore_is_sound(shared, word))
        return MMF_STEP_CORRUPT;
    if ((uint64_t)count > (uint64_t)shared->maximum - mmf_sync_count(word))
        return MMF_STEP_WOULD_BLOCK;
    *next = word + ((uint64_t)count << 4);
    return MMF_STEP_DONE;
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

    MMF_ASSERT(identity != 0);
    return mmf_exchange_if_u64(&shared->word, &word, 0);
}

static inline bool
mmf_sync_try_signal(struct mmf_sync_shared *shared, mmf_kind kind, int32_t count,
                    int32_t *previous)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);
    uint64_t next;

    if (!mmf_sync_is_quiet(word) ||
        mmf_sync_after_signal(shared, kind, word, count, &next) != MMF_STEP_DONE ||
        !mmf_exchange_if_u64(&shared->word, &word, next))
        return false;
    *previous = (int32_t)mmf_sync_count(word);
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
 * The whole steps on `word`. Those that look at the slots are in signal.h.
 */

/* What taking the object would answer, taking nothing; `*word` gets what was seen. */
enum mmf_step mmf_sync_probe(const struct mmf_sync_ref *ref, bool is_ours,
                             uint64_t *word);

/* A mutex was taken for the first time, or once more. */
void mmf_sync_begin_recursion(const struct mmf_sync_ref *ref);
void mmf_sync_count_recursion(const struct mmf_sync_ref *ref);

/* Take it from the word, if it is available there. `*seen` gets the word as it was. */
enum mmf_step mmf_sync_take_word(const struct mmf_sync_ref *ref, uint64_t *seen);

/*
 * About to sleep, in a slot: put WAITERS in and count the registration, if the object is
 * still not available. WOULD_BLOCK or RESERVED; any other answer: try again.
 */
enum mmf_step mmf_sync_register_word(const struct mmf_sync_ref *ref);

/* Put WAITERS in if it is not. */
void mmf_sync_mark_waiting(const struct mmf_sync_ref *ref);

/* The mutex's owner; 0 if it has none, if it is handed, or if the object is no mutex. */
uint64_t mmf_sync_owner(const struct mmf_sync_ref *ref);

/* Calls mmf_fail: a state that this version cannot make. MMF_KIND_UNKNOWN: of any kind. */
int mmf_sync_fail_corrupt(mmf_kind kind);

/*
 * The caller's release of a mutex: `*is_last` if the word must change now.
 * MMF_E_NOT_OWNER, MMF_E_CORRUPT.
 */
int mmf_sync_release_recursion(const struct mmf_sync_ref *ref, uint64_t word,
                               bool *is_last);

/*
 * For the reserver: mark the word, unmark it (true: it was marked), and take what was
 * marked; `seen` is the word when all were available.
 */
void mmf_sync_mark_reserved(const struct mmf_sync_ref *ref);
bool mmf_sync_unmark_reserved(const struct mmf_sync_ref *ref);
enum mmf_step mmf_sync_take_reserved(const struct mmf_sync_ref *ref, uint64_t seen);

/* A descriptor of the object will be polled from now on. */
void mmf_sync_mark_polled(const struct mmf_sync_ref *ref);

/* The state of a new object. */
void mmf_sync_init_mutex(struct mmf_sync_shared *shared, uint64_t owner);
void mmf_sync_init_event(struct mmf_sync_shared *shared, int signalled, int manual);
void mmf_sync_init_semaphore(struct mmf_sync_shared *shared, int32_t initial,
                             int32_t maximum);

#endif
