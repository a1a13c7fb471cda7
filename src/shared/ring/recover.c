/*
 * recover.c - which participants' deaths can block, and recovering what they owned.
 *
 * Any number of processes may recover at once, and be killed or stopped over it: each
 * step is one exchange from a word of the dead participant's, and its entry is freed
 * last.
 */
#include "shared/ring/inner.h"

/* Its death may be what blocks a caller. */
static bool
is_suspect(const struct mmf_ring *ring, const struct mmf_participant_shared *entry,
           bool sending, bool is_receiver)
{
    uint64_t cursor;

    if (mmf_load_relaxed_u64(&entry->held) != 0)
        return true;
    return sending && is_receiver && ring->shape.kind == MMF_KIND_TOPIC &&
           mmf_cursor_read(entry, &cursor) &&
           mmf_index_difference(mmf_ring_tail(ring), cursor) >=
               (int64_t)ring->shape.slots;
}

uint32_t
mmf_ring_suspects(const struct mmf_ring *ring, bool sending, uint32_t *numbers,
                  uint32_t most)
{
    uint32_t senders = ring->shape.max_senders;
    uint32_t found = 0;

    MMF_ASSERT(most > 0);
    for (uint32_t i = 0; i < senders + ring->shape.max_receivers && found < most; i++) {
        bool is_receiver = i >= senders;
        uint32_t number = is_receiver ? i - senders + MMF_RECEIVERS_FROM : i;
        const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
        uint64_t identity = mmf_load_acquire_u64(&entry->identity);

        if (identity != 0 && identity != ring->identity &&
            is_suspect(ring, entry, sending, is_receiver))
            numbers[found++] = number;
    }
    return found;
}

void
mmf_ring_return_word(const struct mmf_ring *ring, uint64_t word)
{
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, mmf_word_index(word))->word;
    uint64_t returned = mmf_word_with(word, MMF_NO_PARTICIPANT, MMF_SLOT_RETURNED);

    MMF_ASSERT(!ring->shape.is_spsc);
    mmf_add_release_u64(&ring->shared->return_epoch, MMF_RETURN_BEGINS);
    mmf_exchange_if_u64(slot_word, &word, mmf_word_count_up(returned));
    mmf_add_release_u64(&ring->shared->return_epoch, MMF_RETURN_ENDS);
}

void
mmf_ring_rescan_returned(struct mmf_ring *ring)
{
    uint64_t epoch = mmf_load_relaxed_u64(&ring->shared->return_epoch);

    MMF_ASSERT(mmf_ring_is_mpmc(ring));
    if (epoch >> 32 != (epoch & UINT32_MAX) || ring->has_returned)
        ring->seen_return_epoch = epoch - 1;
    ring->has_returned = false;
}

/* The dead sender of this reservation either had decided to commit it, or had not. */
static void
end_reservation(const struct mmf_ring *ring, mmf_atomic_u64 *slot_word, uint64_t word)
{
    bool is_decided = mmf_ring_is_decided(ring, word);
    uint64_t end = is_decided
                       ? mmf_word_with(word, MMF_NO_PARTICIPANT, MMF_SLOT_COMMITTED)
                       : mmf_word_released(mmf_word_index(word));

    if (mmf_exchange_if_u64(slot_word, &word, end))
        mmf_add_relaxed_u64(is_decided ? &ring->shared->retired_sent
                                       : &ring->shared->retired_dropped,
                            1);
}

/* Recover the slot of the index, if its word says that the dead participant owns it. */
static void
recover_slot(const struct mmf_ring *ring, uint64_t index, uint32_t number,
             const struct mmf_participant_shared *entry, uint64_t identity)
{
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, index)->word;
    uint64_t word = mmf_load_acquire_u64(slot_word);

    MMF_ASSERT(index < ring->shape.slots && identity != 0);
    if (mmf_word_participant(word) != number || !mmf_word_is_owned(word))
        return;
    /* The number is still the dead one's, so the word, read before, is too. */
    if (mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    if (mmf_word_state(word) != MMF_SLOT_RESERVED)
        mmf_ring_return_word(ring, word);
    else
        end_reservation(ring, slot_word, word);
}

/* Free the entry, and keep its counters. */
static void
retire(const struct mmf_ring *ring, struct mmf_participant_shared *entry,
       uint64_t identity, bool is_receiver)
{
    uint64_t sent = is_receiver ? 0 : mmf_ring_sent_by(ring, entry);
    uint64_t received = is_receiver ? mmf_ring_received_by(ring, entry) : 0;
    uint64_t dropped = mmf_load_relaxed_u64(&entry->dropped);
    uint64_t lost = mmf_load_relaxed_u64(&entry->lost);
    uint64_t redelivered = mmf_load_relaxed_u64(&entry->redelivered);
    bool had_counted = (identity & MMF_IDENTITY_JOINING) == 0;

    MMF_ASSERT(identity != 0);
    if (!mmf_exchange_if_u64(&entry->identity, &identity, 0) || !had_counted)
        return;
    mmf_add_relaxed_u64(&ring->shared->retired_sent, sent);
    mmf_add_relaxed_u64(&ring->shared->retired_received, received);
    mmf_add_relaxed_u64(&ring->shared->retired_dropped, dropped);
    mmf_add_relaxed_u64(&ring->shared->retired_lost, lost);
    mmf_add_relaxed_u64(&ring->shared->retired_redelivered, redelivered);
}

void
mmf_ring_recover(struct mmf_ring *ring, uint32_t number, uint64_t identity,
                 bool may_write_slots)
{
    struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);

    MMF_ASSERT(entry != NULL);
    MMF_ASSERT(may_write_slots || number >= MMF_RECEIVERS_FROM);
    if (mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    /* `held` is raised before the exchange that takes a slot. */
    if (may_write_slots && !ring->shape.is_spsc &&
        mmf_load_acquire_u64(&entry->held) != 0) {
        mmf_ring_name_claim(ring, mmf_ring_tail(ring));
        for (uint64_t i = 0; i < ring->shape.slots; i++)
            recover_slot(ring, i, number, entry, identity);
    }
    if (ring->shape.is_spsc && number < MMF_RECEIVERS_FROM)
        mmf_ring_spsc_commit_decided(ring);
    if (number >= MMF_RECEIVERS_FROM)
        mmf_ring_recover_pins(ring, number, entry, identity);
    retire(ring, entry, identity, number >= MMF_RECEIVERS_FROM);
}
