/*
 * shape.c - writing, checking and laying out a channel's shape.
 */
#include "shared/ring/shape.h"

#include <string.h>

/* The kinds as they are written. */
enum written_kind {
    WRITTEN_QUEUE,
    WRITTEN_SPSC,
    WRITTEN_TOPIC,
    WRITTEN_LATEST,
    WRITTEN_SERVICE
};

static uint64_t
pins_offset(const struct mmf_ring_shape *shape)
{
    return sizeof(struct mmf_ring_shared) +
           ((uint64_t)shape->max_senders + shape->max_receivers) *
               sizeof(struct mmf_participant_shared);
}

uint32_t
mmf_ring_shape_flags(const struct mmf_ring_shape *shape)
{
    return shape->is_spsc              ? MMF_CHANNEL_SPSC
           : shape->is_single_producer ? MMF_CHANNEL_SINGLE_PRODUCER
                                       : 0;
}

uint64_t
mmf_ring_slots_offset(const struct mmf_ring_shape *shape)
{
    uint64_t tables = pins_offset(shape) + shape->max_pins * sizeof(mmf_atomic_u64);

    return (tables + MMF_RING_PAGE - 1) / MMF_RING_PAGE * MMF_RING_PAGE;
}

uint64_t
mmf_ring_capacity(const struct mmf_ring_shape *shape)
{
    return mmf_ring_slots_offset(shape) + mmf_ring_slots_size(shape);
}

uint64_t
mmf_ring_slots_size(const struct mmf_ring_shape *shape)
{
    if (!mmf_ring_is_service(shape))
        return shape->slots * shape->stride;
    return mmf_service_parts_at(shape) +
           shape->max_senders * mmf_service_part_size(shape);
}

/*
 * A service's clients.
 */

static uint64_t
pad(uint64_t size)
{
    return (size + 127) / 128 * 128;
}

/* One that does not fit before what lies in the first line begins behind that. */
uint64_t
mmf_service_stride(uint64_t size)
{
    return mmf_ring_stride(size <= MMF_SERVICE_SHORT ? size
                           : size <= MMF_SLOT_SHORT  ? MMF_SLOT_SHORT + 1
                                                     : size);
}

uint64_t
mmf_service_slots_at(const struct mmf_ring_shape *shape)
{
    return pad(sizeof(struct mmf_client_shared) +
               shape->calls * sizeof(struct mmf_lane_shared));
}

uint64_t
mmf_service_part_size(const struct mmf_ring_shape *shape)
{
    uint64_t answers = (uint64_t)shape->calls * shape->answers;

    MMF_ASSERT(mmf_ring_is_service(shape));
    return mmf_service_slots_at(shape) +
           pad(answers * mmf_service_stride(shape->answer_size));
}

uint64_t
mmf_service_parts_at(const struct mmf_ring_shape *shape)
{
    return pad(shape->slots * shape->stride);
}

static enum written_kind
written_kind(mmf_kind kind, bool is_spsc)
{
    if (kind == MMF_KIND_SERVICE)
        return WRITTEN_SERVICE;
    if (kind == MMF_KIND_TOPIC)
        return WRITTEN_TOPIC;
    if (kind == MMF_KIND_LATEST)
        return WRITTEN_LATEST;
    return is_spsc ? WRITTEN_SPSC : WRITTEN_QUEUE;
}

void
mmf_ring_shape_write(const struct mmf_ring_shape *shape,
                     struct mmf_ring_shape_shared *shared)
{
    MMF_ASSERT(shape->kind >= MMF_KIND_QUEUE && shape->kind <= MMF_KIND_LATEST);
    MMF_ASSERT(shape->slots >= 1 && (shape->slots & (shape->slots - 1)) == 0);
    MMF_ASSERT(shape->max_senders >= 1 && shape->max_receivers >= 1);
    memset(shared, 0, sizeof(*shared));
    shared->kind = (uint32_t)written_kind(mmf_ring_object_kind(shape), shape->is_spsc);
    shared->overflow = (uint32_t)shape->overflow;
    shared->max_senders = shape->max_senders;
    shared->max_receivers = shape->max_receivers;
    shared->slots = shape->slots;
    shared->message_size = shape->message_size;
    memcpy(shared->identity, shape->identity, sizeof(shared->identity));
    shared->answer_size = shape->answer_size;
    shared->calls = shape->calls;
    shared->answers = shape->answers;
    shared->max_pins = shape->max_pins;
    shared->is_single_producer = shape->is_single_producer;
}

/* The kind and the overflow fit each other and the object. */
static bool
has_sound_kind(const struct mmf_ring_shape_shared *shared, uint32_t object_kind)
{
    bool is_spsc = shared->kind == WRITTEN_SPSC;

    if (shared->overflow < MMF_OVERFLOW_BLOCK ||
        shared->overflow > MMF_OVERFLOW_DROP_OLDEST ||
        (is_spsc && shared->overflow == MMF_OVERFLOW_DROP_OLDEST) ||
        (shared->kind == WRITTEN_SERVICE && shared->overflow != MMF_OVERFLOW_BLOCK))
        return false;
    return object_kind >= MMF_KIND_QUEUE && object_kind <= MMF_KIND_SERVICE &&
           shared->kind == (uint32_t)written_kind((mmf_kind)object_kind, is_spsc);
}

static bool
has_sound_limits(const struct mmf_ring_shape_shared *shared)
{
    uint32_t most = shared->kind == WRITTEN_SPSC ? 1 : MMF_PARTICIPANTS_MAX;

    return shared->max_senders >= 1 && shared->max_senders <= most &&
           shared->max_receivers >= 1 && shared->max_receivers <= most;
}

/* Queues have neither pins nor this flag, and only topics that drop have pins. */
static bool
has_sound_options(const struct mmf_ring_shape_shared *shared)
{
    bool may_have_pins =
        shared->kind >= WRITTEN_TOPIC && shared->overflow == MMF_OVERFLOW_DROP_OLDEST;

    return shared->max_pins <= (may_have_pins ? MMF_PARTICIPANTS_MAX : 0) &&
           (shared->max_pins == 0 || shared->max_pins + 2 <= shared->slots) &&
           (shared->is_single_producer == 0 ||
            (shared->is_single_producer == 1 && shared->kind >= WRITTEN_TOPIC &&
             shared->max_senders == 1));
}

static bool
has_sound_sizes(const struct mmf_ring_shape_shared *shared)
{
    return shared->slots >= 1 && shared->slots <= MMF_RING_SLOTS_MAX &&
           (shared->slots & (shared->slots - 1)) == 0 && shared->message_size >= 1 &&
           shared->message_size <= MMF_RING_MESSAGE_MAX;
}

/* All 0, but for a service. */
static bool
has_sound_answers(const struct mmf_ring_shape_shared *shared)
{
    if (shared->kind != WRITTEN_SERVICE)
        return shared->answer_size == 0 && shared->calls == 0 && shared->answers == 0;
    return shared->is_single_producer == 0 && shared->answer_size >= 1 &&
           shared->answer_size <= MMF_RING_MESSAGE_MAX && shared->calls >= 1 &&
           shared->calls <= MMF_CALLS_MAX && shared->answers >= 1 &&
           shared->answers <= MMF_ANSWERS_MAX / shared->calls &&
           (shared->answers & (shared->answers - 1)) == 0;
}

bool
mmf_ring_shape_read(const struct mmf_ring_shape_shared *shared, uint32_t object_kind,
                    int64_t capacity, struct mmf_ring_shape *shape)
{
    if (!has_sound_kind(shared, object_kind) || !has_sound_limits(shared) ||
        !has_sound_sizes(shared) || !has_sound_options(shared) ||
        !has_sound_answers(shared))
        return false;
    shape->kind =
        shared->kind == WRITTEN_SERVICE ? MMF_KIND_QUEUE : (mmf_kind)object_kind;
    shape->is_spsc = shared->kind == WRITTEN_SPSC;
    shape->overflow = (mmf_overflow)shared->overflow;
    shape->max_senders = shared->max_senders;
    shape->max_receivers = shared->max_receivers;
    shape->max_pins = shared->max_pins;
    shape->is_single_producer = shared->is_single_producer != 0;
    shape->slots = shared->slots;
    shape->message_size = shared->message_size;
    shape->stride = shared->kind == WRITTEN_SERVICE
                        ? mmf_service_stride(shared->message_size)
                        : mmf_ring_stride(shared->message_size);
    shape->calls = shared->calls;
    shape->answers = shared->answers;
    shape->answer_size = shared->answer_size;
    memcpy(shape->identity, shared->identity, sizeof(shape->identity));
    return capacity >= 0 && mmf_ring_capacity(shape) == (uint64_t)capacity;
}

void
mmf_ring_attach(const struct mmf_ring_shape *shape, void *data, void *slots,
                struct mmf_ring *ring)
{
    MMF_ASSERT(data != NULL && slots != NULL);
    memset(ring, 0, sizeof(*ring));
    ring->shape = *shape;
    ring->shared = data;
    ring->senders = (void *)((uint8_t *)data + sizeof(struct mmf_ring_shared));
    ring->receivers = ring->senders + shape->max_senders;
    ring->pins = (void *)((uint8_t *)data + pins_offset(shape));
    ring->slots = slots;
    ring->slots_end = ring->slots + shape->slots * shape->stride;
    ring->sender = UINT32_MAX;
    ring->receiver = UINT32_MAX;
}
