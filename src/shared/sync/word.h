/*
 * word.h - the words of mutex, event and semaphore, and each single step on them.
 *
 * They lie in the control page's `state`. Any process may be killed between any two
 * instructions; a survivor then finds one of the states below, never one between,
 * because each step is one exchange of `word`.
 *
 *   field      written by               read by     ordering
 *   word       everybody, by exchange   everybody   acquire when it lets one through,
 *                                                   release when it was set or released
 *   reserver   a wait for all           the same    see sync_wait.c
 *   recursion  the mutex's owner        the owner   relaxed: guarded by the ownership
 *   watch      sleepers, by exchange    sleepers    see sync_watch.c
 *   shifts     who leaves `watch`       sleepers    release after that, acquire before
 *   maximum, manual                     the creator, before the object has a name
 *
 * Who: an identity is (ticket << 20 | thread): the ticket of a process at this object
 * (control.h) and the number that the process gave its thread. 0 is nobody.
 *
 * word, mutex:      identity << 4 | flags       0 identity: free
 * word, event:      changes << 4 | flags        counts sets and resets, wraps
 * word, semaphore:  count << 4 | flags
 *
 * The low half is the futex. Whoever sleeps has put WAITERS in; whoever lets through
 * takes it out, so the half changes, and wakes. One who has slept puts it back when it
 * takes, since others may sleep still.
 */
#ifndef MMF_SHARED_SYNC_WORD_H
#define MMF_SHARED_SYNC_WORD_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

struct mmf_sync_shared {
    mmf_atomic_u64 word;
    mmf_atomic_u64 reserver;
    mmf_atomic_u64 watch[2]; /* milliseconds, 24 bits; then the ticket, 40 bits */
    mmf_atomic_u32 recursion;
    int32_t maximum;       /* semaphore */
    int32_t manual;        /* event */
    mmf_atomic_u32 shifts; /* how often somebody has left `watch`; wraps */
};

static_assert(sizeof(struct mmf_sync_shared) == 48, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, reserver) == 8, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, watch) == 16, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, recursion) == 32, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, maximum) == 36, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, manual) == 40, "layout 1");
static_assert(offsetof(struct mmf_sync_shared, shifts) == 44, "layout 1");

/* Flags. */
#define MMF_WORD_WAITERS 1u   /* somebody may sleep */
#define MMF_WORD_SIGNALLED 2u /* event */
#define MMF_WORD_ABANDONED 2u /* mutex: free, and the last owner died */
#define MMF_WORD_RESERVED 4u  /* for the reserver alone */
#define MMF_WORD_POLLED 8u    /* somebody polls a descriptor; once set it stays */
#define MMF_WORD_FLAGS 15u

#define MMF_THREAD_BITS 20
#define MMF_THREAD_MAX ((1u << MMF_THREAD_BITS) - 1)
#define MMF_TICKET_BITS 40
#define MMF_TICKET_MAX (((uint64_t)1 << MMF_TICKET_BITS) - 1)
#define MMF_WATCH_TIME_MAX ((1u << 24) - 1)

/* A mutex can be taken so often by its owner. */
#define MMF_RECURSION_MAX INT32_MAX

enum mmf_sync_kind { MMF_SYNC_MUTEX = 2, MMF_SYNC_EVENT = 3, MMF_SYNC_SEMAPHORE = 4 };

/* One participant's grip on one object. */
struct mmf_sync {
    struct mmf_sync_shared *shared;
    uint64_t identity; /* of the calling thread at this object */
    uint64_t order[2]; /* which object: waits for all reserve in this order */
    void *context;     /* the back end's */
    enum mmf_sync_kind kind;
    int is_shared; /* 1: by several processes, each of which may be killed */
};

/* Whom to tell after letting through. */
struct mmf_sync_alarm {
    int sleepers; /* how many to wake, 0 for none */
    int pollers;  /* 1: somebody may poll */
};

/* What a try to take found. */
enum mmf_sync_answer {
    MMF_SYNC_TAKEN = 0,
    MMF_SYNC_TAKEN_ABANDONED = 1, /* a mutex whose last owner died */
    MMF_SYNC_NOT_NOW = 2,         /* owned, not signalled, or count 0 */
    MMF_SYNC_RESERVED = 3,        /* could be had, but for a wait for all */
    MMF_SYNC_TOO_OFTEN = 4,       /* MMF_RECURSION_MAX */
    MMF_SYNC_CORRUPT = 5          /* no state that this version can make */
};

static inline uint64_t
mmf_sync_identity(uint64_t ticket, uint32_t thread)
{
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

/* `shifts`, for the system to compare. */
static inline uint32_t *
mmf_sync_shifts(struct mmf_sync_shared *shared)
{
    return (uint32_t *)(void *)&shared->shifts;
}

/*
 * The usual steps in short: with no flag in the word there is nobody to tell and
 * nothing to undo. 0: it is not so, and nothing was done; the functions below know what
 * to do.
 */

static inline int
mmf_sync_take_free_mutex(struct mmf_sync_shared *shared, uint64_t identity)
{
    uint64_t word = 0;

    if (!mmf_exchange_if_u64(&shared->word, &word, identity << 4))
        return 0;
    mmf_store_relaxed_u32(&shared->recursion, 0);
    return 1;
}

/* 1: the caller owns it, and the next release is the last. */
static inline int
mmf_sync_is_owned_once(const struct mmf_sync_shared *shared, uint64_t identity)
{
    return mmf_load_relaxed_u64(&shared->word) >> 4 == identity &&
           mmf_load_relaxed_u32(&shared->recursion) == 0;
}

/* The caller is the owner, and owns it once. */
static inline int
mmf_sync_free_mutex(struct mmf_sync_shared *shared, uint64_t identity)
{
    uint64_t word = identity << 4;

    return mmf_exchange_if_u64(&shared->word, &word, 0);
}

static inline int
mmf_sync_take_set_event(struct mmf_sync_shared *shared)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);

    if ((word & MMF_WORD_FLAGS) != MMF_WORD_SIGNALLED)
        return 0;
    if (shared->manual == 1)
        return 1;
    return shared->manual == 0 &&
           mmf_exchange_if_u64(&shared->word, &word, ((word >> 4) + 1) << 4);
}

/* Set an event that nobody sleeps on. */
static inline int
mmf_sync_set_quietly(struct mmf_sync_shared *shared)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);

    if ((word & MMF_WORD_FLAGS & ~MMF_WORD_SIGNALLED) != 0 ||
        (shared->manual & ~1) != 0)
        return 0;
    return mmf_exchange_if_u64(&shared->word, &word,
                               ((word >> 4) + 1) << 4 | MMF_WORD_SIGNALLED);
}

/* Add to such a semaphore; `count` is positive. */
static inline int
mmf_sync_add_quietly(struct mmf_sync_shared *shared, int32_t count, int32_t *previous)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);
    int64_t maximum = shared->maximum;

    if ((word & MMF_WORD_FLAGS) != 0 || word >> 4 > (uint64_t)maximum ||
        (int64_t)(word >> 4) + count > maximum)
        return 0;
    if (!mmf_exchange_if_u64(&shared->word, &word,
                             ((word >> 4) + (uint64_t)count) << 4))
        return 0;
    *previous = (int32_t)(word >> 4);
    return 1;
}

static inline int
mmf_sync_take_semaphore(struct mmf_sync_shared *shared)
{
    uint64_t word = mmf_load_acquire_u64(&shared->word);

    if ((word & MMF_WORD_FLAGS) != 0 || word == 0 || shared->maximum < 1 ||
        word >> 4 > (uint64_t)shared->maximum)
        return 0;
    return mmf_exchange_if_u64(&shared->word, &word, ((word >> 4) - 1) << 4);
}

/*
 * Take it if it can be had. `slept`: the caller has slept, others may sleep still.
 * `ours`: the caller is the reserver.
 */
enum mmf_sync_answer mmf_sync_take(const struct mmf_sync *sync, int slept, int ours);

/* What mmf_sync_take would answer, taking nothing; `*word` gets what was seen. */
enum mmf_sync_answer mmf_sync_peek(const struct mmf_sync *sync, int ours,
                                   uint64_t *word);

/*
 * About to sleep: put WAITERS in, if it still cannot be had. NOT_NOW or RESERVED:
 * `*expected` is the futex to sleep on. Any other answer: look again.
 */
enum mmf_sync_answer mmf_sync_announce(const struct mmf_sync *sync, uint32_t *expected);

/* The mutex's owner; 0 if it has none or the object is no mutex. */
uint64_t mmf_sync_owner(const struct mmf_sync *sync);

/* Take a mutex from `dead`. 1: it is ours, abandoned; 0: somebody was quicker. */
int mmf_sync_take_from_dead(const struct mmf_sync *sync, uint64_t dead);

/* Free a mutex of `dead`, marked abandoned. 0: it was somebody else's meanwhile. */
int mmf_sync_free_from_dead(const struct mmf_sync *sync, uint64_t dead,
                            struct mmf_sync_alarm *alarm);

/*
 * The ways to let through. `*alarm` says whom to tell.
 */

/* 0; MMF_E_NOT_OWNER; MMF_E_CORRUPT. Calls mmf_fail. */
int mmf_sync_release_mutex(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm);

/* The owner is a thread of ours that ends: free the mutex, marked abandoned. */
void mmf_sync_abandon_mutex(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm);

/* MMF_E_CORRUPT. */
int mmf_sync_set_event(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm);
int mmf_sync_reset_event(const struct mmf_sync *sync);

/* MMF_E_MAXIMUM, MMF_E_CORRUPT. */
int mmf_sync_release_semaphore(const struct mmf_sync *sync, int32_t count,
                               int32_t *previous, struct mmf_sync_alarm *alarm);

/*
 * For the reserver: mark the word, unmark it (1: it was marked), and take what was
 * marked; `seen` is the word when all could be had.
 */
void mmf_sync_mark(const struct mmf_sync *sync);
int mmf_sync_unmark(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm);
enum mmf_sync_answer mmf_sync_take_marked(const struct mmf_sync *sync, uint64_t seen,
                                          struct mmf_sync_alarm *alarm);

/* Somebody will poll a descriptor from now on. */
void mmf_sync_mark_polled(const struct mmf_sync *sync);

/* The state of a new object. */
void mmf_sync_init_mutex(struct mmf_sync_shared *shared, uint64_t owner);
void mmf_sync_init_event(struct mmf_sync_shared *shared, int signalled, int manual);
void mmf_sync_init_semaphore(struct mmf_sync_shared *shared, int32_t initial,
                             int32_t maximum);

#endif
