/*
 * doorbell.c - marking, ringing and unmarking.
 *
 * A sleeper marks the doorbell, tries again, and sleeps on the doorbell's value. A
 * participant that commits or releases reads the doorbell afterwards, without a fence,
 * since that would cost a third of the rate at which messages go. So its store may still
 * be on its way while it reads a doorbell without a mark, and the sleeper's attempt may
 * miss the store: nothing is rung. A store leaves its processor by itself, in much less
 * than a microsecond. So when the sleeper comes, and after a new mark, it tries for a
 * microsecond or two (also if others have marked the doorbell: they may just have done
 * so); what it should still miss it sees after the next tick. A short first sleep would
 * do as well, but the timer that is so near makes a round trip between two sleepers a
 * third longer.
 *
 *   killed                     a survivor sees
 *   with the mark set          one ring too many, which takes the mark off
 *   before the ring            a sleeper that wakes at its next tick
 */
#include "shared/ring/doorbell.h"

#include "base/invariant.h"

#define MARKS (MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL)

/* After so many exchanges in vain it is no sleeper who writes the word: a sleep on a
 * value that it does not have ends at once. */
enum { ROUNDS = 1000 };

bool
mmf_doorbell_ring(mmf_atomic_u32 *doorbell, int count, const struct mmf_ring_ops *ops)
{
    uint32_t value = mmf_load_acquire_u32(doorbell);
    uint32_t next = value;
    int rounds = ROUNDS;

    MMF_ASSERT(count > 0);
    do {
        if (!(value & MARKS))
            return false;
        next = value + MMF_DOORBELL_RING;
        if (!(value & MMF_DOORBELL_SEVERAL) || count == MMF_RING_ALL)
            next &= ~MARKS;
    } while (!mmf_exchange_if_u32(doorbell, &value, next) && --rounds > 0);
    /* Fewer than asked for: only those still sleep that have begun to since. */
    if (ops->wake(ops->context, doorbell, count) < count && (next & MARKS) &&
        mmf_exchange_if_u32(doorbell, &next, next & ~MARKS))
        ops->wake(ops->context, doorbell, MMF_RING_ALL);
    return true;
}

void
mmf_doorbell_mark(mmf_atomic_u32 *doorbell, struct mmf_doorbell_mark *mark)
{
    uint32_t value = mmf_load_acquire_u32(doorbell);
    int rounds = ROUNDS;

    do {
        mark->value = value;
        if ((value & MMF_DOORBELL_SEVERAL) || ((value & MARKS) && value == mark->alone))
            return;
        mark->value |= value & MARKS ? MMF_DOORBELL_SEVERAL : MMF_DOORBELL_SLEEPER;
    } while (!mmf_exchange_if_u32(doorbell, &value, mark->value) && --rounds > 0);
    mark->alone = value & MARKS ? 0 : mark->value;
    mark->is_fresh = true;
}

void
mmf_doorbell_unmark(mmf_atomic_u32 *doorbell, const struct mmf_doorbell_mark *mark)
{
    uint32_t alone = mark->alone;

    if (alone != 0 && mmf_load_relaxed_u32(doorbell) == alone)
        mmf_exchange_if_u32(doorbell, &alone, (alone & ~MARKS) + MMF_DOORBELL_RING);
}
