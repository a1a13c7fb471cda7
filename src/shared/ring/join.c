/*
 * join.c - taking and leaving an entry in a channel's tables.
 *
 *   killed                      a survivor sees
 *   before the exchange         nothing
 *   after it                    an entry of a dead participant that was JOINING: its
 *                               counters are its predecessor's, already counted
 *   after the entry is reset    a dead participant that owns nothing
 */
#include "shared/ring/join.h"

#include "shared/ring/spsc.h"

/* SPSC: where it joins, so that the indexes say what it has sent or received. */
static uint64_t
find_begin(const struct mmf_ring *ring, bool is_receiver)
{
    if (!ring->shape.is_spsc)
        return 0;
    return mmf_load_relaxed_u64(is_receiver ? &ring->shared->head
                                            : &ring->shared->tail);
}

static void
reset_entry(const struct mmf_ring *ring, struct mmf_participant_shared *entry,
            bool is_receiver)
{
    MMF_ASSERT(entry >= ring->senders);
    mmf_store_relaxed_u64(&entry->cursor, find_begin(ring, is_receiver));
    mmf_store_relaxed_u64(&entry->held, 0);
    mmf_store_relaxed_u64(&entry->sent, 0);
    mmf_store_relaxed_u64(&entry->received, 0);
    mmf_store_relaxed_u64(&entry->dropped, 0);
    mmf_store_relaxed_u64(&entry->lost, 0);
    mmf_store_relaxed_u64(&entry->redelivered, 0);
    mmf_store_relaxed_u64(&entry->pid, ring->pid);
}

/* False: it is another participant's. */
static bool
try_entry(const struct mmf_ring *ring, uint32_t number)
{
    struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t identity = 0;

    MMF_ASSERT(ring->identity != 0 && !(ring->identity & MMF_IDENTITY_JOINING));
    if (!mmf_exchange_if_u64(&entry->identity, &identity,
                             ring->identity | MMF_IDENTITY_JOINING))
        return false;
    reset_entry(ring, entry, number >= MMF_RECEIVERS_FROM);
    mmf_store_release_u64(&entry->identity, ring->identity);
    return true;
}

/*
 * The number of the entry; UINT32_MAX: all `count` are taken. The first dead one has all
 * of the table recovered, so it is done once.
 */
static uint32_t
take_entry(struct mmf_ring *ring, uint32_t first, uint32_t count, bool may_write_slots,
           const struct mmf_ring_ops *ops)
{
    bool has_recovered = false;

    for (uint32_t i = first; i - first < count; i++) {
        uint64_t identity =
            mmf_load_acquire_u64(&mmf_ring_participant(ring, i)->identity);

        if (identity != 0 && !has_recovered && mmf_ring_is_dead(ring, ops, identity)) {
            mmf_ring_recover_all(ring, first, count, may_write_slots, ops);
            has_recovered = true;
            identity = 0;
        }
        if (identity == 0 && try_entry(ring, i))
            return i;
    }
    return UINT32_MAX;
}

/* SPSC: a producer may have died between its commit and moving the tail. */
static void
repair_tail(struct mmf_ring *ring)
{
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail) & MMF_INDEX_MASK;

    MMF_ASSERT(ring->shape.is_spsc && ring->sender == 0);
    for (uint64_t i = 0; i < ring->shape.slots; i++) {
        if (mmf_load_acquire_u64(&mmf_ring_slot(ring, tail)->word) !=
            mmf_word_make(tail, 0, MMF_SLOT_COMMITTED))
            break;
        tail = mmf_index_next(tail);
    }
    mmf_store_relaxed_u64(&ring->shared->tail, tail);
}

enum mmf_step
mmf_ring_join_sender(struct mmf_ring *ring, const struct mmf_ring_ops *ops)
{
    uint32_t number = take_entry(ring, 0, ring->shape.max_senders, true, ops);

    if (number == UINT32_MAX)
        return MMF_STEP_WOULD_BLOCK;
    mmf_ring_be_sender(ring, number);
    mmf_store_relaxed_u64(&ring->shared->senders_ever, 1);
    MMF_ASSERT(ring->sending != NULL && !ring->has_reserved);
    if (ring->shape.is_spsc) {
        repair_tail(ring);
        mmf_ring_spsc_begin_sending(ring);
        mmf_ring_notify_receivers(ring, MMF_RING_ALL, ops); /* of what was repaired */
    } else {
        ring->free_at = mmf_ring_tail(ring) & MMF_INDEX_MASK;
        ring->min_cursor = mmf_ring_oldest(ring, ring->free_at);
    }
    return MMF_STEP_DONE;
}

enum mmf_step
mmf_ring_join_receiver(struct mmf_ring *ring, bool may_write_slots,
                       const struct mmf_ring_ops *ops)
{
    uint32_t number = take_entry(ring, MMF_RECEIVERS_FROM, ring->shape.max_receivers,
                                 may_write_slots, ops);

    if (number == UINT32_MAX)
        return MMF_STEP_WOULD_BLOCK;
    mmf_ring_be_receiver(ring, number);
    mmf_store_relaxed_u64(&ring->shared->receivers_ever, 1);
    if (ring->shape.is_spsc)
        mmf_ring_spsc_begin_taking(ring);
    else if (ring->shape.kind == MMF_KIND_QUEUE)
        mmf_ring_begin(ring);
    return MMF_STEP_DONE;
}

void
mmf_ring_leave(struct mmf_ring *ring, bool may_write_slots,
               const struct mmf_ring_ops *ops)
{
    uint64_t identity = ring->identity;

    MMF_ASSERT(ring->sender == UINT32_MAX || may_write_slots);
    if (ring->has_reserved)
        mmf_ring_abandon(ring);
    if (ring->pin != NULL)
        mmf_ring_unpin(ring);
    if (ring->sender != UINT32_MAX)
        mmf_ring_recover(ring, &(struct mmf_ring_dead){ring->sender, 1, &identity},
                         may_write_slots);
    if (ring->receiver != UINT32_MAX)
        mmf_ring_recover(ring, &(struct mmf_ring_dead){ring->receiver, 1, &identity},
                         may_write_slots);
    ring->sender = UINT32_MAX;
    ring->receiver = UINT32_MAX;
    mmf_ring_notify_receivers(ring, MMF_RING_ALL, ops);
    mmf_ring_notify_senders(ring, MMF_RING_ALL, ops);
}
