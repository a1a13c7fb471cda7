/*
 * wait.h - waiting at a channel: for a message, or for space; waking the participants
 * that wait; and recovering the dead that block them.
 */
#ifndef MMF_SHARED_RING_WAIT_H
#define MMF_SHARED_RING_WAIT_H

#include <stdint.h>

#include "shared/ring/doorbell.h"
#include "shared/ring/ring.h"

/* A deadline that never comes; one that has come already: one attempt. */
#define MMF_RING_FOREVER INT64_MAX
#define MMF_RING_POLL ((int64_t)0)

/* How often a participant that waits checks for the dead; nanoseconds. One that relies
 * on others, which do, sleeps for so many ticks. */
#define MMF_RING_TICK ((int64_t)20000000)
#define MMF_RING_LONG_SLEEP 32

/*
 * A wait is a loop of the caller's:
 *
 *     struct mmf_ring_wait wait = {.ring = ring, .ops = ops, ...};
 *
 *     do
 *         step = mmf_ring_take(ring, &message);
 *     while (step == MMF_STEP_WOULD_BLOCK && mmf_ring_wait_more(&wait));
 *     step = mmf_ring_wait_end(&wait, step);
 *
 * The fields after `doorbell` are the wait's own, 0 at first.
 */
struct mmf_ring_wait {
    struct mmf_ring *ring;
    const struct mmf_ring_ops *ops;
    int64_t deadline;
    mmf_strategy strategy;
    bool sending;    /* for space; else for a message */
    bool wants_peer; /* give up when the last peer is gone */
    bool may_write_slots;
    bool is_for_newer;        /* latest: than the newest there is */
    mmf_atomic_u32 *doorbell; /* to sleep on; NULL: the ring's own */
    uint8_t phase;            /* what to do when an attempt has failed; wait.c */
    bool is_spinning;
    bool is_pausing;
    bool is_peer_closed; /* it was before the last attempt */
    bool has_marked;
    int tried;  /* attempts of this round, with those that only read the next slot */
    int rounds; /* attempts that it has */
    int64_t now;
    int64_t spins_since; /* 0: a first round without pauses */
    int64_t slept_until; /* unless a ring has ended its last sleep; 0: it had none */
    uint32_t slept_on;   /* this value of the doorbell */
    bool has_relied;     /* the last sleep was long */
    bool is_heir;   /* was woken from one, to watch in the place of one that left */
    uint64_t watch; /* its stamp in the ring's `watch`; 0: it does not watch */
    struct mmf_doorbell_mark mark;
};

/*
 * An attempt has answered WOULD_BLOCK: wait until another may succeed. False: the
 * deadline has come, or the last peer is gone.
 */
bool mmf_ring_wait_more(struct mmf_ring_wait *wait);

/* The wait is over, with the last attempt's answer; GONE instead of WOULD_BLOCK if the
 * last peer was gone before that attempt. */
enum mmf_step mmf_ring_wait_end(struct mmf_ring_wait *wait, enum mmf_step step);

/*
 * A receiver that waits for other things, too, looks and sleeps by itself: it marks the
 * doorbell, looks `MMF_RING_ARRIVAL` times if the mark is fresh and once if not, checks, and
 * sleeps for a tick at most on the value of `mark`. mmf_ring_wait_end ends this as well.
 */
#define MMF_RING_ARRIVAL 64

void mmf_ring_wait_mark(struct mmf_ring_wait *wait);

/*
 * Check for the dead if it is time. True: something may have changed, so look again: what
 * the last peer did before it went comes first. If `is_peer_closed` then, there is no
 * more to wait for.
 */
bool mmf_ring_wait_check(struct mmf_ring_wait *wait);

/* The participant of this identity is no handle of this process, and its own has died. */
static inline bool
mmf_ring_is_dead(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
                 uint64_t identity)
{
    uint64_t ticket = mmf_ring_ticket(identity);

    return ticket != mmf_ring_ticket(ring->identity) &&
           !ops->is_alive(ops->context, ticket);
}

/* Recover those of the suspects that are dead, whenever that was done last. */
void mmf_ring_recover_dead(const struct mmf_ring_wait *wait);

/* The deadline `timeout_ms` from now; -1: never. */
int64_t mmf_ring_deadline(const struct mmf_ring_ops *ops, int32_t timeout_ms);

/*
 * A receiver waits for a message. `polled` needs no fence: its receiver notifies itself
 * after setting it, so a message whose sender saw the old value is found by that look.
 * A sender that is stopped (not killed) before it notifies delays pollers until it goes
 * on; sleepers look by themselves.
 */
static inline bool
mmf_ring_has_waiting_receivers(const struct mmf_ring *ring)
{
    return mmf_doorbell_is_marked(&ring->shared->message_doorbell) ||
           mmf_load_relaxed_u32(&ring->shared->polled) != 0;
}

/* A sender waits for a free slot. */
static inline bool
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
    if (!mmf_doorbell_is_marked(&ring->shared->space_doorbell))
        return;
    if (mmf_load_relaxed_u32(&ring->shared->drainers) != 0)
        count = MMF_RING_ALL;
    mmf_doorbell_ring(&ring->shared->space_doorbell, count, ops);
}

#endif
