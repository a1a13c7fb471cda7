/*
 * watchers.h - which of an object's sleepers check for dead owners.
 */
#ifndef MMF_SHARED_SYNC_WATCHERS_H
#define MMF_SHARED_SYNC_WATCHERS_H

#include <stdint.h>

#include "shared/sync/ops.h"

/* A wait's part in watching what it sleeps on. All 0 before its first sleep. */
struct mmf_sync_watch {
    int64_t sleep;    /* how long it may sleep now */
    int64_t check_at; /* when it is time to check again */
    int64_t since; /* what it has put into `watch`, as a time; 0: it does not watch */
    bool relies;   /* it sleeps longer, because others watch */
    uint32_t epochs[MMF_SYNC_OBJECTS_MAX]; /* of the moment at which it found that */
};

/*
 * Before a sleep at the clock's `now`, which should last until `check_at` at most.
 * True: check for dead owners first. So it is before the first sleep, and each tick
 * while this wait watches.
 */
bool mmf_sync_watch_begin(struct mmf_sync_watch *watch,
                          const struct mmf_sync_ref *objects,
                          const struct mmf_sync_sleeper *sleepers, int count,
                          int64_t now);

/* What the objects' `watch_epoch` must be for the sleep to last; NULL: it is short. */
const uint32_t *mmf_sync_watch_epochs(const struct mmf_sync_watch *watch);

/* The wait is over, or turns to another object: wake the sleepers that rely on it. */
void mmf_sync_watch_end(const struct mmf_sync_watch *watch,
                        const struct mmf_sync_ref *objects, int count,
                        const struct mmf_sync_ops *ops);

/* The identity if its process is dead, else 0. */
uint64_t mmf_sync_if_dead(const struct mmf_sync_ref *object, uint64_t identity,
                          const struct mmf_sync_ops *ops);

/*
 * Undo what dead processes have left at an object whose take answered `step`: a dead
 * owner's mutex becomes free, for the thread that comes first, and a dead reserver's
 * reservation ends; their slots are freed, and their signals passed on. AGAIN: there was
 * something to undo, so try again. WOULD_BLOCK: there was not. CORRUPT.
 */
enum mmf_step mmf_sync_recover(const struct mmf_sync_ref *object, enum mmf_step step,
                               const struct mmf_sync_ops *ops);

#endif
