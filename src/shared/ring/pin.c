/*
 * pin.c - keeping what a reader has taken from being overwritten.
 *
 * A reader in place, of a latest value or of a topic that drops, takes one of the
 * channel's pins: a word that names the reader and the index. A writer goes past a slot
 * whose index is pinned as past one that is owned (reserve.c). The two may meet:
 *
 *   reader   exchange of the pin;  load of the tail, then of the slot's word
 *   writer   exchange of the tail; load of the pins
 *
 * All but the last load of the word are in one order that all processes see. So either
 * the writer sees the pin, and gives up the index that it has just got; or the reader sees
 * a tail beyond that index. All indexes before the tail's last one are in their slots, or
 * were skipped; so if the slot still has the reader's value, and the last index is not of
 * that slot, no writer has got an index of the slot and missed the pin.
 *
 * A pin's word is index << 16 | receiver's number + 1 << 5 | times, without an index and a
 * number if it is free. `times` counts, modulo 32, how often the pin was freed: a process
 * that recovers a dead reader, and is stopped just before it frees the pin, does not free
 * a later reader's of the same number and index.
 *
 *   killed                      a survivor sees
 *   with a pin                  a dead receiver with `held` above 0: its pins are freed
 *                               by the next reader that finds none free, or recovers it
 */
#include "shared/ring/inner.h"

#define TIMES_MASK (((uint64_t)1 << MMF_SLOT_PARTICIPANT_SHIFT) - 1)

static uint32_t
number_of(uint64_t pin)
{
    return MMF_RECEIVERS_FROM + mmf_word_participant(pin) - 1;
}

static bool
is_free(uint64_t pin)
{
    return (pin & ~TIMES_MASK) == 0;
}

static uint64_t
freed(uint64_t pin)
{
    return (pin + 1) & TIMES_MASK;
}

uint64_t
mmf_ring_find_pins(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t found = 0;

    MMF_ASSERT(ring->shape.max_pins > 0);
    for (uint32_t i = 0; i < ring->shape.max_pins; i++) {
        uint64_t pin = mmf_load_ordered_u64(&ring->pins[i]);
        uint64_t ahead = (mmf_word_index(pin) - index) & (ring->shape.slots - 1);

        if (!is_free(pin) && ahead < MMF_PINS_AT_ONCE)
            found |= (uint64_t)1 << ahead;
    }
    return found;
}

uint64_t
mmf_ring_sum_pins(const struct mmf_ring *ring)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < ring->shape.max_pins; i++)
        sum += mmf_load_ordered_u64(&ring->pins[i]);
    return sum;
}

/* The pin is there for all to see: does the slot have the value, and will it stay? */
static bool
has_stayed(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t tail = mmf_load_ordered_u64(&ring->shared->tail);
    uint64_t last = (tail - 1) & MMF_INDEX_MASK;
    bool is_of_slot = ((last ^ index) & (ring->shape.slots - 1)) == 0;

    if (tail >> MMF_CLAIMANT_SHIFT != 0 && is_of_slot && last != index)
        return false;
    return mmf_word_is_value(mmf_ring_word(ring, index), index);
}

static bool
take_pin(struct mmf_ring *ring, uint64_t index)
{
    uint64_t taken =
        index << MMF_INDEX_SHIFT | (uint64_t)(ring->receiver - MMF_RECEIVERS_FROM + 1)
                                       << MMF_SLOT_PARTICIPANT_SHIFT;

    for (uint32_t i = 0; i < ring->shape.max_pins; i++) {
        uint64_t pin = mmf_load_relaxed_u64(&ring->pins[i]);

        if (is_free(pin) && mmf_exchange_if_ordered_u64(&ring->pins[i], &pin,
                                                        taken | (pin & TIMES_MASK))) {
            ring->pin = &ring->pins[i];
            return true;
        }
    }
    return false;
}

enum mmf_step
mmf_ring_pin(struct mmf_ring *ring, uint64_t index)
{
    mmf_atomic_u64 *held = &mmf_ring_receiver(ring)->held;

    MMF_ASSERT(ring->pin == NULL && ring->shape.max_pins > 0);
    /* Before the exchange: a reader that dies with a pin is never without it. */
    mmf_store_release_u64(held, 1);
    if (!take_pin(ring, index)) {
        mmf_store_release_u64(held, 0);
        return MMF_STEP_WOULD_BLOCK;
    }
    if (has_stayed(ring, index))
        return MMF_STEP_DONE;
    mmf_ring_unpin(ring);
    return MMF_STEP_AGAIN;
}

void
mmf_ring_unpin(struct mmf_ring *ring)
{
    MMF_ASSERT(ring->pin != NULL);
    /* pairs with the load in mmf_ring_find_pins: the payload has been read */
    mmf_store_release_u64(ring->pin, freed(mmf_load_relaxed_u64(ring->pin)));
    ring->pin = NULL;
    mmf_store_release_u64(&mmf_ring_receiver(ring)->held, 0);
}

void
mmf_ring_recover_pins(const struct mmf_ring *ring, const struct mmf_ring_dead *dead)
{
    MMF_ASSERT(dead->first >= MMF_RECEIVERS_FROM);
    for (uint32_t i = 0; i < ring->shape.max_pins; i++) {
        uint64_t pin = mmf_load_acquire_u64(&ring->pins[i]);

        if (!is_free(pin) && mmf_ring_is_one_of(ring, dead, number_of(pin)))
            mmf_exchange_if_u64(&ring->pins[i], &pin, freed(pin));
    }
}

uint32_t
mmf_ring_count_pins(const struct mmf_ring *ring)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ring->shape.max_pins; i++)
        count += !is_free(mmf_load_relaxed_u64(&ring->pins[i]));
    return count;
}
