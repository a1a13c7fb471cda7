/*
 * stat.c - sums over the participants that are there and those that have left.
 */
#include "shared/ring/stat.h"

#include <string.h>

#include "shared/ring/inner.h"
#include "shared/ring/shape.h"

static void
add_entry(const struct mmf_ring *ring, const struct mmf_participant_shared *entry,
          mmf_channel_stats *stats, bool is_receiver)
{
    if (is_receiver)
        stats->received += mmf_ring_received_by(ring, entry);
    else
        stats->sent += mmf_ring_sent_by(ring, entry);
    stats->dropped += mmf_load_relaxed_u64(&entry->dropped);
    stats->lost += mmf_load_relaxed_u64(&entry->lost);
    stats->redelivered += mmf_load_relaxed_u64(&entry->redelivered);
}

/* How many of a table live. */
static int32_t
add_table(const struct mmf_ring *ring, const struct mmf_participant_shared *entries,
          uint32_t count, const struct mmf_ring_ops *ops, mmf_channel_stats *stats)
{
    int32_t living = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t identity = mmf_load_acquire_u64(&entries[i].identity);

        if (identity == 0)
            continue;
        if (!(identity & MMF_IDENTITY_JOINING))
            add_entry(ring, &entries[i], stats, entries == ring->receivers);
        if (ops->is_alive(ops->context, mmf_ring_ticket(identity)))
            living++;
    }
    return living;
}

/* Messages in a queue that no consumer has taken. */
static int64_t
count_waiting(const struct mmf_ring *ring)
{
    int64_t count = 0;

    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        enum mmf_slot_state state =
            mmf_word_state(mmf_load_relaxed_u64(&mmf_ring_slot(ring, i)->word));

        count += state == MMF_SLOT_COMMITTED || state == MMF_SLOT_RETURNED;
    }
    return count;
}

static int64_t
find_depth(const struct mmf_ring *ring, const struct mmf_ring_ops *ops)
{
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail);

    switch (ring->shape.kind) {
    case MMF_KIND_QUEUE:
        if (!ring->shape.is_spsc)
            return ops->count_waiting != NULL
                       ? (int64_t)ops->count_waiting(ops->context)
                       : count_waiting(ring);
        return mmf_index_difference(tail, mmf_load_relaxed_u64(&ring->shared->head));
    case MMF_KIND_TOPIC:
        return mmf_index_difference(tail, mmf_ring_find_min_cursor(ring));
    default:
        return 0;
    }
}

/* What consumers have; a dead one, until it is recovered. */
static uint64_t
find_in_flight(const struct mmf_ring *ring)
{
    const struct mmf_ring_shared *shared = ring->shared;
    uint64_t most = ring->shape.slots;
    uint64_t count = 0;
    int64_t taken;

    if (ring->shape.kind != MMF_KIND_QUEUE)
        return 0;
    taken = mmf_index_difference(mmf_load_relaxed_u64(&shared->taken),
                                 mmf_load_relaxed_u64(&shared->head));
    if (ring->shape.is_spsc)
        return taken > 0 ? (uint64_t)taken : 0;
    for (uint32_t i = 0; i < ring->shape.max_receivers; i++) {
        uint64_t held = mmf_load_relaxed_u64(&ring->receivers[i].held);

        if (mmf_load_acquire_u64(&ring->receivers[i].identity) != 0)
            count += held < most ? held : most;
    }
    return count;
}

/* The words may say anything: `least` to `most` is what can be. */
static int64_t
limit(int64_t value, int64_t least, int64_t most)
{
    MMF_ASSERT(least <= most);
    return value < least ? least : value < most ? value : most;
}

static void
fill_shape(const struct mmf_ring_shape *shape, mmf_channel_stats *stats)
{
    memcpy(stats->identity, shape->identity, sizeof(stats->identity));
    stats->message_size = (int64_t)shape->message_size;
    stats->capacity = (int64_t)shape->slots;
    stats->max_senders = (int32_t)shape->max_senders;
    stats->max_receivers = (int32_t)shape->max_receivers;
    stats->overflow = shape->overflow;
    stats->max_pins = (int32_t)shape->max_pins;
    stats->flags = mmf_ring_shape_flags(shape);
    stats->answer_size = (int64_t)shape->answer_size;
    stats->max_calls = (int32_t)shape->calls;
    stats->max_answers = (int32_t)shape->answers;
}

void
mmf_ring_sum_up(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
                mmf_channel_stats *stats)
{
    const struct mmf_ring_shared *shared = ring->shared;

    MMF_ASSERT(ring->shared != NULL && ops->is_alive != NULL);
    memset(stats, 0, sizeof(*stats));
    fill_shape(&ring->shape, stats);
    stats->sent = mmf_load_relaxed_u64(&shared->retired_sent);
    stats->received = mmf_load_relaxed_u64(&shared->retired_received);
    stats->dropped = mmf_load_relaxed_u64(&shared->retired_dropped);
    stats->lost = mmf_load_relaxed_u64(&shared->retired_lost);
    stats->redelivered = mmf_load_relaxed_u64(&shared->retired_redelivered);
    stats->senders =
        add_table(ring, ring->senders, ring->shape.max_senders, ops, stats);
    stats->receivers =
        add_table(ring, ring->receivers, ring->shape.max_receivers, ops, stats);
    stats->pins = (int32_t)mmf_ring_count_pins(ring);
    stats->in_flight = limit((int64_t)find_in_flight(ring), 0, stats->capacity);
    stats->depth = limit(find_depth(ring, ops), 0, stats->capacity);
    if (ops->count_waiting != NULL && mmf_ring_is_mpmc(ring) &&
        ring->shape.slots > MMF_RING_COUNTED_MOST)
        stats->flags |= MMF_CHANNEL_DEPTH_IN_PART;
    stats->high_water = limit((int64_t)mmf_load_relaxed_u64(&shared->high_water),
                              stats->depth, stats->capacity);
}
