/*
 * sleepers.h - how many sleep at a doorbell, for a system that cannot sleep on a word:
 * its sleepers wait for tokens, which the participant that rings releases from a
 * semaphore.
 *
 *   field   written by                     read by   ordering
 *   count   sleepers, upwards before they  both      a full fence between its change
 *           sleep; the waker, downwards              and the reading of the doorbell, or
 *                                                    the doorbell's change and its
 *                                                    reading
 *
 * One of the two sees the other: a sleeper counts itself and then reads the doorbell; a
 * waker changes the doorbell and then reads the count. The waker takes as many off the
 * count as it releases tokens. A sleeper that leaves without one takes itself off; if
 * the count is 0, its token is on the way, and it takes that.
 *
 * There are two counts for a doorbell, and two semaphores: of those that sleep on an even
 * number of rings, and on an odd one. So a token is not taken by a sleeper that came
 * after the ring that it is of, and had nothing to be woken for. (But if its sleeper is
 * kept from waiting for two rings, it may be; then that one sleeps until its tick.)
 *
 *   killed                           a survivor sees
 *   a sleeper that was counted       one token too many: a sleeper wakes once in vain
 *   a waker, before the tokens       sleepers that are not counted, until their tick
 */
#ifndef MMF_SHARED_RING_SLEEPERS_H
#define MMF_SHARED_RING_SLEEPERS_H

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>

#include "base/atomic.h"
#include "shared/ring/doorbell.h"

enum { MMF_SLEEPERS_TURNS = 2 };

struct mmf_sleepers_shared {
    alignas(64) mmf_atomic_u32 count[MMF_SLEEPERS_TURNS];
};

static_assert(sizeof(struct mmf_sleepers_shared) == 64, "layout 2");

/* Which of the two a sleeper on this value of the doorbell belongs to. */
static inline uint32_t
mmf_sleepers_turn(uint32_t doorbell)
{
    return doorbell / MMF_DOORBELL_RING % MMF_SLEEPERS_TURNS;
}

/* Before sleeping. True: the doorbell is still `expected`: a ring will bring a token. */
bool mmf_sleepers_enter(mmf_atomic_u32 *count, const mmf_atomic_u32 *doorbell,
                        uint32_t expected);

/* Going without a token. False: it was taken off, and a token is on the way. */
bool mmf_sleepers_leave(mmf_atomic_u32 *count);

/* After ringing: take up to `most` off. How many tokens to release. */
uint32_t mmf_sleepers_claim(mmf_atomic_u32 *count, uint32_t most);

#endif
