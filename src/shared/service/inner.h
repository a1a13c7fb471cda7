/*
 * inner.h - what client and server both know of lanes and slots.
 */
#ifndef MMF_SHARED_SERVICE_INNER_H
#define MMF_SHARED_SERVICE_INNER_H

#include "shared/ring/inner.h"
#include "shared/service/service.h"

/* What lies behind a short payload, in the slot's first line. */
static inline void *
mmf_service_head(struct mmf_slot_shared *slot)
{
    return slot->payload + MMF_SERVICE_SHORT;
}

/* Where a payload of up to `length` bytes begins in its slot. */
static inline uint32_t
mmf_service_offset(uint64_t length)
{
    return length <= MMF_SERVICE_SHORT ? 0 : sizeof(struct mmf_slot_shared);
}

static inline struct mmf_lane_shared *
mmf_lanes_lane(const struct mmf_lanes *lanes, uint32_t client, uint32_t number)
{
    struct mmf_lane_shared *first = (void *)(mmf_lanes_client(lanes, client) + 1);

    MMF_ASSERT(number < lanes->ring->shape.calls);
    return first + number;
}

/* The slot of an answer in a lane. */
static inline struct mmf_slot_shared *
mmf_lanes_slot(const struct mmf_lanes *lanes, uint32_t client, uint32_t number,
               uint64_t index)
{
    const struct mmf_ring_shape *shape = &lanes->ring->shape;
    uint64_t slot = (uint64_t)number * shape->answers + (index & (shape->answers - 1));

    return (void *)((uint8_t *)mmf_lanes_client(lanes, client) + lanes->slots_at +
                    slot * lanes->stride);
}

/* The word of an answer that is there. */
static inline uint64_t
mmf_answer_word(uint64_t index)
{
    return mmf_word_make(index & MMF_INDEX_MASK, 0, MMF_SLOT_COMMITTED);
}

/* The slot's sizes, checked. */
static inline enum mmf_step
mmf_service_read(const struct mmf_slot_shared *slot, uint64_t stride, uint64_t most,
                 struct mmf_service_message *message)
{
    uint32_t sizes = *(const volatile uint32_t *)&slot->length;
    uint32_t length = sizes & ~MMF_SLOT_IS_LONG;
    bool is_long = (sizes & MMF_SLOT_IS_LONG) != 0;

    if (length > most ||
        (is_long ? stride == sizeof(*slot) : length > MMF_SERVICE_SHORT))
        return MMF_STEP_CORRUPT;
    message->bytes = is_long ? (const uint8_t *)(slot + 1) : slot->payload;
    message->length = length;
    return MMF_STEP_DONE;
}

#endif
