/*
 * spsc.c - the rare steps of a queue for one producer and one consumer: its beginning,
 * and reading where the consumer is.
 */
#include "shared/ring/spsc.h"

void
mmf_ring_spsc_begin_sending(struct mmf_ring *ring)
{
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail) & MMF_INDEX_MASK;

    MMF_ASSERT(ring->shape.is_spsc && !ring->has_reserved);
    ring->reserved = tail;
    ring->out = (struct mmf_ring_side){
        .slot = (void *)mmf_ring_slot(ring, tail), .waited = tail, .next = tail};
}

void
mmf_ring_spsc_begin_taking(struct mmf_ring *ring)
{
    uint64_t head = mmf_load_acquire_u64(&ring->shared->head) & MMF_INDEX_MASK;

    MMF_ASSERT(ring->shape.is_spsc);
    ring->cursor = head;
    ring->redelivered_until = mmf_load_relaxed_u64(&ring->shared->taken);
    ring->in = (struct mmf_ring_side){.slot = (void *)mmf_ring_slot(ring, head),
                                      .waited = head};
}

bool
mmf_ring_spsc_find_space(struct mmf_ring *ring)
{
    /* pairs with the release in mmf_ring_spsc_release: the payload has been read */
    uint64_t head = mmf_load_acquire_u64(&ring->shared->head);
    int64_t used = mmf_index_difference(ring->out.next, head);
    int64_t slots = (int64_t)ring->shape.slots;

    MMF_ASSERT(ring->out.ahead == 0);
    ring->out.ahead = used < 0 ? slots : used < slots ? slots - used : 0;
    return ring->out.ahead != 0;
}
