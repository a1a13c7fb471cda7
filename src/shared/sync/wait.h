/*
 * wait.h - waiting for one, any or all of several objects.
 */
#ifndef MMF_SHARED_SYNC_WAIT_H
#define MMF_SHARED_SYNC_WAIT_H

#include <stdint.h>

#include "shared/sync/word.h"

/* A deadline that never comes. */
#define MMF_SYNC_FOREVER INT64_MAX

/* No waiting: one attempt. */
#define MMF_SYNC_POLL ((int64_t)0)

/* The most objects that one wait can have. */
enum { MMF_SYNC_OBJECTS_MAX = 64 };

/* Some of an object's sleepers check again after this long, at least; nanoseconds. */
#define MMF_SYNC_TICK ((int64_t)60000000)

/*
 * What the waits need of the system. A test passes in its own, to drive every
 * interleaving and every death.
 */
struct mmf_sync_ops {
    /* The monotonic clock, nanoseconds. */
    int64_t (*now)(void *context);
    /*
     * Sleep until one of the objects' futexes does not have its expected value, is
     * woken, or the clock is at `until`. If `epochs` is not NULL, then each object's
     * `watch_epoch` is compared too, when the sleeper can be woken already. May return
     * early.
     */
    void (*sleep)(void *context, const struct mmf_sync_ref *objects,
                  const uint32_t *expected, const uint32_t *epochs, int count,
                  int64_t until);
    /* Wake up to `count` threads that sleep on the object. */
    void (*wake)(void *context, const struct mmf_sync_ref *object, int count);
    /* Make the object's polled descriptors readable. */
    void (*notify_pollers)(void *context, const struct mmf_sync_ref *object);
    /* 0 if the process that drew the ticket at this object is dead. */
    int (*is_alive)(void *context, const struct mmf_sync_ref *object, uint64_t ticket);
    void *context;
};

/* The deadline `timeout_ms` from now; -1: never. */
int64_t mmf_sync_deadline(const struct mmf_sync_ops *ops, int32_t timeout_ms);

/*
 * Take the first of the objects that is available, the lowest index if several are.
 * MMF_OK or MMF_ABANDONED and `*index`; MMF_TIMED_OUT; MMF_E_RECURSION, MMF_E_CORRUPT.
 */
int mmf_sync_wait_any(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops, int *index);

/*
 * Take all of them, at a moment when all are available. The objects are in ascending
 * order (`order`), each once. Status as above; MMF_ABANDONED if at least one mutex was.
 */
int mmf_sync_wait_all(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops);

/* mmf_sync_release, and wake. */
int mmf_sync_signal(const struct mmf_sync_ref *object, int32_t count, int32_t *previous,
                    const struct mmf_sync_ops *ops);

/* The owner is a thread of ours that ends: free the mutex, marked abandoned; wake. */
void mmf_sync_abandon_mutex(const struct mmf_sync_ref *mutex,
                            const struct mmf_sync_ops *ops);

/* Wake the waiters that a step on the object was for. */
void mmf_sync_notify(const struct mmf_sync_ref *object,
                     const struct mmf_sync_wake_set *to_wake,
                     const struct mmf_sync_ops *ops);

#endif
