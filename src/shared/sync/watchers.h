/*
 * watchers.h - which of an object's sleepers look after the dead.
 */
#ifndef MMF_SHARED_SYNC_WATCHERS_H
#define MMF_SHARED_SYNC_WATCHERS_H

#include <stdint.h>

#include "shared/sync/wait.h"

/* A wait's part in watching what it sleeps on. All 0 before its first sleep. */
struct mmf_sync_watch {
    int64_t sleep;   /* how long it may sleep now */
    int64_t look_at; /* when it is time to look again */
    int64_t since;   /* what it has put into `watch`, as a time; 0: it does not watch */
    int relies;      /* 1: it sleeps longer, because others watch */
    uint32_t shifts[MMF_SYNC_MOST]; /* as they were when it found that */
};

/*
 * Before a sleep at the clock's `now`, which should last until `look_at` at most. 1:
 * ask after the dead first. So it is before the first sleep, and each tick while we
 * watch.
 */
int mmf_sync_watch_begin(struct mmf_sync_watch *watch, const struct mmf_sync *objects,
                         int count, int64_t now);

/* What the objects' `shifts` must be for the sleep to last; NULL: it is short anyway.
 */
const uint32_t *mmf_sync_watch_shifts(const struct mmf_sync_watch *watch);

/* The wait is over, or turns to another object: whoever relied on us shall wake. */
void mmf_sync_watch_end(const struct mmf_sync_watch *watch,
                        const struct mmf_sync *objects, int count,
                        const struct mmf_sync_ops *ops);

/* The identity if its process is dead, else 0. */
uint64_t mmf_sync_if_dead(const struct mmf_sync *object, uint64_t identity,
                          const struct mmf_sync_ops *ops);

/*
 * Who of the dead is in the way? `answer` is of a try to take. `*owner` gets the
 * mutex's owner if it is dead, else 0. Answers 1 if there was a reservation to undo:
 * then look again.
 */
int mmf_sync_find_dead(const struct mmf_sync *object, enum mmf_sync_answer answer,
                       const struct mmf_sync_ops *ops, uint64_t *owner);

#endif
