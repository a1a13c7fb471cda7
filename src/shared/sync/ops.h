/*
 * ops.h - what mutex, event and semaphore need of the system. A test passes in its own,
 * to drive every interleaving and every death.
 */
#ifndef MMF_SHARED_SYNC_OPS_H
#define MMF_SHARED_SYNC_OPS_H

#include <stdint.h>

#include "shared/sync/word.h"

/* A deadline that never comes. */
#define MMF_SYNC_FOREVER INT64_MAX

/* The most objects that one wait can have. */
#ifndef MMF_SYNC_OBJECTS_MAX
#define MMF_SYNC_OBJECTS_MAX 64
#endif

/* Some of an object's sleepers check again after this long, at least; nanoseconds. */
#define MMF_SYNC_TICK ((int64_t)60000000)

/* Where a thread sleeps at one object: its slot, -1 if there was none to have. */
struct mmf_sync_sleeper {
    int slot;
    uint32_t version;
    uint32_t expected;  /* the slot's low half, for the sleep to begin */
    bool is_registered; /* in the object's word */
};

/* A sleep at `count` objects, until the clock is at `until`. */
struct mmf_sync_sleep {
    const struct mmf_sync_ref *objects;
    const struct mmf_sync_sleeper *sleepers; /* one for each object */
    const uint32_t *epochs;                  /* NULL, or likewise: a `watch_epoch` */
    int count;
    int64_t until;
    void (*give_up)(void *wait); /* the thread ends in its sleep */
    void *wait;
};

struct mmf_sync_ops {
    /* The monotonic clock, nanoseconds. */
    int64_t (*now)(void *context);
    /*
     * Sleep until one of the sleepers' slots does not have its expected value, is woken,
     * or the time is over. If `epochs` is not NULL, then until an object's `watch_epoch`
     * is another, too, and a sleeper without a slot sleeps on that alone. May return
     * early, or never: then `give_up` was called.
     */
    void (*sleep)(void *context, const struct mmf_sync_sleep *sleep);
    /* Wake the thread that sleeps in the slot. */
    void (*wake)(void *context, const struct mmf_sync_ref *object, int slot);
    /* Wake all that sleep on the object's `watch_epoch`. */
    void (*wake_watched)(void *context, const struct mmf_sync_ref *object);
    /* The slots beyond those in the page, at least `count`; NULL: there is no space. */
    struct mmf_sync_slot *(*more_slots)(void *context,
                                        const struct mmf_sync_ref *object, int count);
    /* Make the object's polled descriptors readable. */
    void (*notify_pollers)(void *context, const struct mmf_sync_ref *object);
    /*
     * 0 if the thread of that identity is dead, or its process, that drew the ticket at
     * this object. Without a thread's number it is the process alone.
     */
    int (*is_alive)(void *context, const struct mmf_sync_ref *object,
                    uint64_t identity);
    /*
     * NULL, or asked before each sleep of a wait for any: whether what the caller waits
     * for beside the objects is there. Then the wait has timed out.
     */
    bool (*is_over)(void *context);
    void *context;
};

#endif
