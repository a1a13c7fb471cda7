/*
 * shape.c - writing, checking and laying out a channel's shape.
 */
#include "shared/ring/shape.h"

#include <string.h>

#include <mmf/list.h>

uint64_t
mmf_ring_slots_offset(const struct mmf_ring_shape *shape)
{
    uint64_t tables =
        sizeof(struct mmf_ring_shared) +
        2 * (uint64_t)shape->participants * sizeof(struct mmf_participant_shared);

    return (tables + MMF_RING_PAGE - 1) / MMF_RING_PAGE * MMF_RING_PAGE;
}

uint64_t
mmf_ring_capacity(const struct mmf_ring_shape *shape)
{
    return mmf_ring_slots_offset(shape) + shape->slots * shape->stride;
}

void
mmf_ring_shape_write(const struct mmf_ring_shape *shape,
                     struct mmf_ring_shape_shared *shared)
{
    memset(shared, 0, sizeof(*shared));
    shared->kind = (uint32_t)shape->kind;
    shared->overflow = (uint32_t)shape->overflow;
    shared->participants = shape->participants;
    shared->slots = shape->slots;
    shared->message_size = shape->message_size;
}

static int
has_sound_kind(const struct mmf_ring_shape_shared *shared, uint32_t object_kind)
{
    switch (object_kind) {
    case MMF_KIND_QUEUE:
        return shared->kind == MMF_KIND_QUEUE ||
               (shared->kind == MMF_RING_SPSC && shared->overflow != MMF_OVERFLOW_DROP_OLDEST);
    case MMF_KIND_TOPIC:
        return shared->kind == MMF_KIND_TOPIC;
    case MMF_KIND_LATEST:
        return shared->kind == MMF_KIND_LATEST;
    default:
        return 0;
    }
}

int
mmf_ring_shape_read(const struct mmf_ring_shape_shared *shared, uint32_t object_kind,
                    int64_t capacity, struct mmf_ring_shape *shape)
{
    if (!has_sound_kind(shared, object_kind) || shared->overflow < MMF_OVERFLOW_BLOCK ||
        shared->overflow > MMF_OVERFLOW_DROP_OLDEST || shared->participants < 1 ||
        shared->participants > MMF_PARTICIPANTS_MAX || shared->slots < 1 ||
        shared->slots > MMF_RING_SLOTS_MAX || (shared->slots & (shared->slots - 1)) ||
        shared->message_size < 1 || shared->message_size > MMF_RING_MESSAGE_MAX)
        return 0;
    shape->kind = (enum mmf_ring_kind)shared->kind;
    shape->overflow = (mmf_overflow)shared->overflow;
    shape->participants = shared->participants;
    shape->slots = shared->slots;
    shape->message_size = shared->message_size;
    shape->stride = mmf_ring_stride(shared->message_size);
    return capacity >= 0 && mmf_ring_capacity(shape) == (uint64_t)capacity;
}

void
mmf_ring_attach(const struct mmf_ring_shape *shape, void *data, void *slots,
                struct mmf_ring *ring)
{
    memset(ring, 0, sizeof(*ring));
    ring->shape = *shape;
    ring->shared = data;
    ring->senders = (void *)((uint8_t *)data + sizeof(struct mmf_ring_shared));
    ring->receivers = ring->senders + shape->participants;
    ring->slots = slots;
    ring->slots_end = ring->slots + shape->slots * shape->stride;
    ring->sender = UINT32_MAX;
    ring->receiver = UINT32_MAX;
}
