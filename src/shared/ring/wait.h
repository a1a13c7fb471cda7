/*
 * wait.h - waiting at a channel: for a message, or for room; waking those who do;
 * and clearing up after the dead who are in the way.
 */
#ifndef MMF_SHARED_RING_WAIT_H
#define MMF_SHARED_RING_WAIT_H

#include <stdint.h>

#include "shared/ring/ring.h"

/* A deadline that never comes; one that has come already: one look. */
#define MMF_RING_FOREVER INT64_MAX
#define MMF_RING_POLL ((int64_t)0)

/* Whoever waits looks after the dead this often; nanoseconds. */
#define MMF_RING_TICK ((int64_t)20000000)

/* Wake everybody. */
#define MMF_RING_ALL INT32_MAX

/*
 * What channels need of the system. A test passes in its own.
 */
struct mmf_ring_ops {
    /* The monotonic clock, nanoseconds. */
    int64_t (*now)(void *context);
    /* Sleep until the doorbell is not `expected`, is rung, or the clock is at `until`. */
    void (*sleep)(void *context, mmf_atomic_u32 *doorbell, uint32_t expected,
                  int64_t until);
    /* Wake up to `count` who sleep on the doorbell. How many there were. */
    int (*wake)(void *context, mmf_atomic_u32 *doorbell, int count);
    /* Tell those who poll a descriptor. */
    void (*touch)(void *context);
    /* 0 if the process that drew the ticket at this channel is dead. */
    int (*is_alive)(void *context, uint64_t ticket);
    void *context;
    int may_spin; /* others can run while we spin */
};

mmf_strategy {
    MMF_STRATEGY_SPIN_THEN_WAIT = 0,
    MMF_STRATEGY_SPIN = 1,
    MMF_STRATEGY_WAIT = 2
};

/* What a wait is for. */
struct mmf_ring_wait {
    struct mmf_ring *ring;
    const struct mmf_ring_ops *ops;
    /* Try to have it: an enum mmf_step. */
    enum mmf_step (*attempt)(void *payload);
    void *payload;
    int64_t deadline;
    mmf_strategy strategy;
    int sending;    /* for room; else for a message */
    int wants_peer; /* give up when the last counterpart is gone */
    int may_write_slots;
};

/*
 * Wait until the attempt answers anything but NOT_NOW. NOT_NOW: the deadline came.
 * MMF_STEP_GONE: the last counterpart is gone, and was when the attempt failed.
 */
enum mmf_step mmf_ring_wait(const struct mmf_ring_wait *wait);

/* Clear up after those of the suspects who are dead, whenever that was done last. */
void mmf_ring_recover_dead(const struct mmf_ring_wait *wait);

/*
 * Before one waits, or looks more than once: if it has had several in a row it goes
 * through a stream, and has caught up with its counterpart, which then gets a moment.
 */
void mmf_ring_slip(struct mmf_ring *ring, int sending);

/* A deadline, `timeout_ms` from now; -1: never. */
int64_t mmf_ring_deadline(const struct mmf_ring_ops *ops, int32_t timeout_ms);

/* Bits of a doorbell: somebody sleeps; more than one may. The rest counts its rings. */
#define MMF_DOORBELL_SLEEPER 1u
#define MMF_DOORBELL_SEVERAL 2u
#define MMF_DOORBELL_RING 4u

/* Wake up to `count` sleepers. */
void mmf_doorbell_ring(mmf_atomic_u32 *doorbell, int count, const struct mmf_ring_ops *ops);

/*
 * After a commit or a release: tell who waits for it. No fence between the store before
 * and this load, which costs much more than all the rest: see ring_wait.c for those who
 * are missed.
 */
static inline int
mmf_doorbell_is_marked(const mmf_atomic_u32 *doorbell)
{
    return (mmf_load_relaxed_u32(doorbell) & (MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL)) != 0;
}

/* Does anybody have to be told of a message? */
static inline int
mmf_ring_has_waiting_receivers(const struct mmf_ring *ring)
{
    return mmf_doorbell_is_marked(&ring->shared->message_doorbell) ||
           mmf_load_relaxed_u32(&ring->shared->polled) != 0;
}

/* Does anybody have to be told of a free slot? */
static inline int
mmf_ring_has_waiting_senders(const struct mmf_ring *ring)
{
    return mmf_doorbell_is_marked(&ring->shared->space_doorbell);
}

static inline void
mmf_ring_notify_receivers(const struct mmf_ring *ring, int count,
                        const struct mmf_ring_ops *ops)
{
    if (mmf_doorbell_is_marked(&ring->shared->message_doorbell))
        mmf_doorbell_ring(&ring->shared->message_doorbell, count, ops);
    if (mmf_load_relaxed_u32(&ring->shared->polled))
        ops->notify_pollers(ops->context);
}

static inline void
mmf_ring_notify_senders(const struct mmf_ring *ring, int count,
                      const struct mmf_ring_ops *ops)
{
    if (mmf_doorbell_is_marked(&ring->shared->space_doorbell))
        mmf_doorbell_ring(&ring->shared->space_doorbell, count, ops);
}

#endif
