/*
 * watch.h - two words that say which of many sleepers watch for the others.
 *
 * A sleeper that watches wakes every tick, and checks what a wake-up that died would have
 * said. One watcher is too few: it can die with the process whose wake-up it was to make
 * up for. So two watch, of different processes, and the others rely on them: on one of
 * their own process, which dies when they do, or on two others. One kill then leaves no
 * sleeper without a watcher.
 *
 * A word is 0 or a stamp: the ticket of the watcher's process, and above it when it last
 * checked, in milliseconds cut to 24 bits: after four hours and a half it comes again,
 * and then a sleeper sleeps too long once. A time to come is of another clock, which a
 * time namespace can have; it counts as long ago.
 */
#ifndef MMF_SHARED_PAGE_WATCH_H
#define MMF_SHARED_PAGE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

#define MMF_TICKET_BITS 38
#define MMF_TICKET_MAX (((uint64_t)1 << MMF_TICKET_BITS) - 1)
#define MMF_WATCH_TIME_MAX ((1u << 24) - 1)

enum { MMF_WATCHERS = 2 };

/* A sleeper's side of it. */
struct mmf_watch_turn {
    uint64_t ticket; /* of its process */
    uint64_t mine;   /* its stamp so far; 0: it does not watch */
    int64_t now;
    int64_t tick; /* how often a watcher checks; nanoseconds */
};

/* What a watcher of that process writes at the clock's `time`. */
uint64_t mmf_watch_stamp(uint64_t ticket, int64_t time);

/* Others watch: the sleeper may rely on them. */
bool mmf_watch_is_kept(const mmf_atomic_u64 words[MMF_WATCHERS],
                       const struct mmf_watch_turn *turn);

/* Watch, or go on; the stamp is of `now` then. False: others do. */
bool mmf_watch_take(mmf_atomic_u64 words[MMF_WATCHERS],
                    const struct mmf_watch_turn *turn);

/* Watch no more. False: another had taken the word over, or none was taken. */
bool mmf_watch_leave(mmf_atomic_u64 words[MMF_WATCHERS], uint64_t mine);

#endif
