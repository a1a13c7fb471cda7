/*
 * wait.h - waiting for one, any or all of several objects.
 */
#ifndef MMF_SHARED_SYNC_WAIT_H
#define MMF_SHARED_SYNC_WAIT_H

#include <stdint.h>

#include "shared/sync/word.h"

/* A deadline that never comes. */
#define MMF_SYNC_FOREVER INT64_MAX

/* No waiting: one look. */
#define MMF_SYNC_POLL ((int64_t)0)

/* The most objects that one wait can have. */
enum { MMF_SYNC_MOST = 64 };

/* Some of an object's sleepers look again after this long, at least; nanoseconds. */
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
     * woken, or the clock is at `until`. If `shifts` is not NULL, then each object's
     * `shifts` is compared too, when the sleeper can be woken already. May come back
     * early.
     */
    void (*sleep)(void *context, const struct mmf_sync *objects,
                  const uint32_t *expected, const uint32_t *shifts, int count,
                  int64_t until);
    /* Wake up to `count` who sleep on the object. */
    void (*wake)(void *context, const struct mmf_sync *object, int count);
    /* Tell those who poll a descriptor of the object. */
    void (*touch)(void *context, const struct mmf_sync *object);
    /* 0 if the process that drew the ticket at this object is dead. */
    int (*is_alive)(void *context, const struct mmf_sync *object, uint64_t ticket);
    void *context;
};

/*
 * Take the first of the objects that can be had, the lowest index if several can.
 * MMF_OK or MMF_ABANDONED and `*index`; MMF_TIMED_OUT; MMF_E_RECURSION, MMF_E_CORRUPT.
 */
int mmf_sync_wait_any(const struct mmf_sync *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops, int *index);

/*
 * Take all of them, at a moment when all can be had. The objects are in ascending order
 * (`order`), each once. Status as above; MMF_ABANDONED if at least one mutex was.
 */
int mmf_sync_wait_all(const struct mmf_sync *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops);

/* Tell whom a step on the object let through. */
void mmf_sync_tell(const struct mmf_sync *object, const struct mmf_sync_alarm *alarm,
                   const struct mmf_sync_ops *ops);

#endif
