/*
 * stat.c - sums over the participants that are there and those that have left.
 */
#include "shared/ring/stat.h"

#include <string.h>

#include "shared/ring/inner.h"

static void
add_entry(const struct mmf_ring *ring, const struct mmf_participant_shared *entry,
          struct mmf_ring_totals *totals, bool is_receiver)
{
    if (is_receiver)
        totals->received += mmf_ring_received_by(ring, entry);
    else
        totals->sent += mmf_ring_sent_by(ring, entry);
    totals->dropped += mmf_load_relaxed_u64(&entry->dropped);
    totals->lost += mmf_load_relaxed_u64(&entry->lost);
    totals->redelivered += mmf_load_relaxed_u64(&entry->redelivered);
}

/* How many of a table live. */
static uint32_t
add_table(const struct mmf_ring *ring, const struct mmf_participant_shared *entries,
          uint32_t count, const struct mmf_ring_ops *ops,
          struct mmf_ring_totals *totals)
{
    uint32_t living = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t identity = mmf_load_acquire_u64(&entries[i].identity);

        if (identity == 0)
            continue;
        if (!(identity & MMF_IDENTITY_JOINING))
            add_entry(ring, &entries[i], totals, entries == ring->receivers);
        if (ops->is_alive(ops->context, mmf_ring_ticket(identity)))
            living++;
    }
    return living;
}

/* Messages in a queue that no consumer has taken. */
static uint64_t
count_waiting(const struct mmf_ring *ring)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        enum mmf_slot_state state =
            mmf_word_state(mmf_load_relaxed_u64(&mmf_ring_slot(ring, i)->word));

        count += state == MMF_SLOT_COMMITTED || state == MMF_SLOT_RETURNED;
    }
    return count;
}

static uint64_t
find_depth(const struct mmf_ring *ring)
{
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail);
    int64_t depth;

    switch (ring->shape.kind) {
    case MMF_KIND_QUEUE:
        if (!ring->shape.is_spsc)
            return count_waiting(ring);
        depth = mmf_index_difference(tail, mmf_load_relaxed_u64(&ring->shared->head));
        break;
    case MMF_KIND_TOPIC:
        depth = mmf_index_difference(tail, mmf_ring_find_min_cursor(ring));
        break;
    default:
        return 0;
    }
    if (depth < 0)
        return 0;
    return (uint64_t)depth < ring->shape.slots ? (uint64_t)depth : ring->shape.slots;
}

void
mmf_ring_sum_up(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
                struct mmf_ring_totals *totals)
{
    const struct mmf_ring_shared *shared = ring->shared;

    MMF_ASSERT(ring->shared != NULL && ops->is_alive != NULL);
    memset(totals, 0, sizeof(*totals));
    totals->sent = mmf_load_relaxed_u64(&shared->retired_sent);
    totals->received = mmf_load_relaxed_u64(&shared->retired_received);
    totals->dropped = mmf_load_relaxed_u64(&shared->retired_dropped);
    totals->lost = mmf_load_relaxed_u64(&shared->retired_lost);
    totals->redelivered = mmf_load_relaxed_u64(&shared->retired_redelivered);
    totals->senders =
        add_table(ring, ring->senders, ring->shape.max_senders, ops, totals);
    totals->receivers =
        add_table(ring, ring->receivers, ring->shape.max_receivers, ops, totals);
    totals->depth = find_depth(ring);
    totals->high_water = mmf_load_relaxed_u64(&shared->high_water);
    if (totals->high_water > ring->shape.slots)
        totals->high_water = ring->shape.slots;
    if (totals->high_water < totals->depth)
        totals->high_water = totals->depth;
}
