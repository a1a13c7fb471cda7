/*
 * doorbell.h - the words on which a channel's participants sleep: event counts, whose
 * low bits say whether there is a sleeper. doorbell.c has the protocol.
 */
#ifndef MMF_SHARED_RING_DOORBELL_H
#define MMF_SHARED_RING_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

/* Wake all sleepers. */
#define MMF_RING_ALL INT32_MAX

/* Bits of a doorbell: a participant sleeps; more than one may. The rest counts rings. */
#define MMF_DOORBELL_SLEEPER 1u
#define MMF_DOORBELL_SEVERAL 2u
#define MMF_DOORBELL_RING 4u

/*
 * What channels need of the system. A test passes in its own.
 */
struct mmf_ring_ops {
    /* The monotonic clock, nanoseconds. */
    int64_t (*now)(void *context);
    /* Sleep until the doorbell is not `expected`, is rung, or the clock is at `until`. */
    void (*sleep)(void *context, mmf_atomic_u32 *doorbell, uint32_t expected,
                  int64_t until);
    /*
     * For a system that does not sleep on words: what to sleep on beside other things
     * until the doorbell is not `expected` or is rung; NULL: it is not. Then end it;
     * `woken`: by that. NULL where words can be slept on.
     */
    void *(*begin_sleep)(void *context, mmf_atomic_u32 *doorbell, uint32_t expected);
    void (*end_sleep)(void *context, mmf_atomic_u32 *doorbell, uint32_t expected,
                      bool woken);
    /* Wake up to `count` that sleep on the doorbell. How many there were. */
    int (*wake)(void *context, mmf_atomic_u32 *doorbell, int count);
    /* Make the channel's polled descriptors readable. */
    void (*notify_pollers)(void *context);
    /* 0 if the process that drew the ticket at this channel is dead. */
    int (*is_alive)(void *context, uint64_t ticket);
    /* How many messages of a queue for many wait, where the slots are not mapped; NULL:
     * they are. */
    uint64_t (*count_waiting)(void *context);
    void *context;
    int may_spin; /* others can run while we spin */
};

/* A sleeper's mark on a doorbell. All 0 before the first. */
struct mmf_doorbell_mark {
    uint32_t value; /* to sleep on */
    uint32_t alone; /* the same if no other sleeper has marked the doorbell, else 0 */
    bool is_fresh;  /* the mark is new: a ring may have missed it */
};

/* Say that we are about to sleep. */
void mmf_doorbell_mark(mmf_atomic_u32 *doorbell, struct mmf_doorbell_mark *mark);

/* We sleep no more: spare the next ring a system call. */
void mmf_doorbell_unmark(mmf_atomic_u32 *doorbell,
                         const struct mmf_doorbell_mark *mark);

/* Wake up to `count` sleepers. False: there is no mark. */
bool mmf_doorbell_ring(mmf_atomic_u32 *doorbell, int count,
                       const struct mmf_ring_ops *ops);

/* There is a sleeper. See doorbell.c for those that this misses, for want of a fence. */
static inline bool
mmf_doorbell_is_marked(const mmf_atomic_u32 *doorbell)
{
    return (mmf_load_relaxed_u32(doorbell) &
            (MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL)) != 0;
}

#endif
