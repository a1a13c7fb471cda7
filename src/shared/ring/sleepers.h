/*
 * sleepers.h - how many sleep at a doorbell, for a system that has no sleeping on a
 * word: its sleepers wait for tokens, which whoever rings lets out of a semaphore.
 *
 *   field   written by                     read by   ordering
 *   count   sleepers, upwards before they  both      a full fence between its change
 *           sleep; who wakes, downwards              and the look at the doorbell, or the
 *                                                    doorbell's change and its reading
 *
 * One of the two sees the other: a sleeper counts itself and then looks at the doorbell;
 * whoever rings changes the doorbell and then looks at the count. Who wakes takes as many
 * off the count as it lets out tokens. A sleeper that leaves without one takes itself
 * off; if there is nobody to take off, its token is on the way, and it takes that.
 *
 * There are two counts for a doorbell, and two semaphores: of those who sleep on an even
 * number of rings, and on an odd one. So a token is not taken by one who came to sleep
 * after the ring that it is of, and found nothing to be woken for. (But if its sleeper
 * is kept from waiting for two rings, it may be; then that one sleeps until its tick.)
 *
 *   killed                           a survivor sees
 *   a sleeper that was counted       one token too many: somebody looks once in vain
 *   who wakes, before the tokens     sleepers that nobody counts, until their tick
 */
#ifndef MMF_SHARED_RING_SLEEPERS_H
#define MMF_SHARED_RING_SLEEPERS_H

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>

#include "base/atomic.h"
#include "shared/ring/wait.h"

enum { MMF_SLEEPERS_TURNS = 2 };

struct mmf_sleepers_shared {
    alignas(64) mmf_atomic_u32 count[MMF_SLEEPERS_TURNS];
};

static_assert(sizeof(struct mmf_sleepers_shared) == 64, "layout 1");

/* Which of the two a sleeper on this value of the doorbell belongs to. */
static inline uint32_t
mmf_sleepers_turn(uint32_t doorbell)
{
    return doorbell / MMF_DOORBELL_RING % MMF_SLEEPERS_TURNS;
}

/* Before sleeping. 1: the doorbell is `expected` still, so a token will come for a ring. */
int mmf_sleepers_enter(mmf_atomic_u32 *count, const mmf_atomic_u32 *doorbell,
                       uint32_t expected);

/* Going without a token. 0: we were counted off, and a token is on the way. */
int mmf_sleepers_leave(mmf_atomic_u32 *count);

/* After ringing: count up to `most` off. So many tokens are to be let out. */
uint32_t mmf_sleepers_claim(mmf_atomic_u32 *count, uint32_t most);

#endif
