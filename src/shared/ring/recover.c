/*
 * recover.c - whom to ask after, and clearing up after the dead.
 *
 * Any number may clear up at once, and be killed or stopped over it: each step is one
 * exchange from a word of the dead one's, and its entry is freed last.
 */
#include "shared/ring/ring.h"

#include "shared/ring/slot.h"

/* May its death be what holds us up? */
static int
is_suspect(const struct mmf_ring *ring, const struct mmf_participant_shared *entry,
           int sending, int is_receiver)
{
    uint64_t cursor;

    if (mmf_load_relaxed_u64(&entry->held) != 0)
        return 1;
    return sending && is_receiver && ring->shape.kind == MMF_KIND_TOPIC &&
           mmf_cursor_read(entry, &cursor) &&
           mmf_index_difference(mmf_ring_tail(ring), cursor) >=
               (int64_t)ring->shape.slots;
}

uint32_t
mmf_ring_suspects(const struct mmf_ring *ring, int sending, uint32_t *numbers,
                  uint32_t most)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < 2 * ring->shape.participants && found < most; i++) {
        int is_receiver = i >= ring->shape.participants;
        uint32_t number =
            is_receiver ? i - ring->shape.participants + MMF_RECEIVERS_FROM : i;
        const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
        uint64_t identity = mmf_load_acquire_u64(&entry->identity);

        if (identity != 0 && identity != ring->identity &&
            is_suspect(ring, entry, sending, is_receiver))
            numbers[found++] = number;
    }
    return found;
}

/*
 * Two steps of the hint, before and after: a consumer that looks between them looks
 * again. One who is killed between them leaves the two halves different, and then those
 * who wait look without a hint.
 */
#define RETURN_BEGINS ((uint64_t)1 << 32)
#define RETURN_ENDS ((uint64_t)1)

int
mmf_ring_return_word(const struct mmf_ring *ring, uint64_t word)
{
    mmf_atomic_u64 *place = &mmf_ring_slot(ring, mmf_word_index(word))->word;
    uint64_t again = mmf_word_with(word, MMF_NO_PARTICIPANT, MMF_SLOT_RETURNED);
    int done;

    mmf_add_release_u64(&ring->shared->returned, RETURN_BEGINS);
    done = mmf_exchange_if_u64(place, &word, mmf_word_count_up(again));
    mmf_add_release_u64(&ring->shared->returned, RETURN_ENDS);
    return done;
}

/* What the dead one has in hand, if the word says so. */
static void
clear_slot(const struct mmf_ring *ring, uint64_t index, uint32_t number,
           const struct mmf_participant_shared *entry, uint64_t identity)
{
    mmf_atomic_u64 *place = &mmf_ring_slot(ring, index)->word;
    uint64_t word = mmf_load_acquire_u64(place);

    if (mmf_word_participant(word) != number || !mmf_word_is_owned(word))
        return;
    /* The number is still the dead one's, so the word, read before, is too. */
    if (mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    if (mmf_word_state(word) != MMF_SLOT_RESERVED)
        mmf_ring_return_word(ring, word);
    else if (mmf_exchange_if_u64(
                 place, &word,
                 mmf_word_make(mmf_word_index(word), MMF_NO_PARTICIPANT, MMF_SLOT_RELEASED)))
        mmf_add_relaxed_u64(&ring->shared->retired_dropped, 1);
}

static void
retire(const struct mmf_ring *ring, struct mmf_participant_shared *entry,
       uint64_t identity, int is_receiver)
{
    uint64_t sent = is_receiver ? 0 : mmf_ring_sent_by(ring, entry);
    uint64_t received = is_receiver ? mmf_ring_received_by(ring, entry) : 0;
    uint64_t dropped = mmf_load_relaxed_u64(&entry->dropped);
    uint64_t lost = mmf_load_relaxed_u64(&entry->lost);
    uint64_t redelivered = mmf_load_relaxed_u64(&entry->redelivered);
    int had_counted = (identity & MMF_IDENTITY_JOINING) == 0;

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
                  int may_write_slots)
{
    struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);

    if (entry == NULL || mmf_load_acquire_u64(&entry->identity) != identity)
        return;
    /* `held` is raised before the exchange that takes a slot. */
    if (may_write_slots && !ring->shape.is_spsc &&
        mmf_load_acquire_u64(&entry->held) != 0) {
        mmf_ring_name_claim(ring, number);
        for (uint64_t i = 0; i < ring->shape.slots; i++)
            clear_slot(ring, i, number, entry, identity);
    }
    retire(ring, entry, identity, number >= MMF_RECEIVERS_FROM);
}
