/*
 * shape.h - what never changes in a channel: its kind and its sizes, as they lie
 * in the control page's `state`, and where its parts lie in the object's data.
 *
 *   data     struct mmf_ring_shared | senders | receivers | pins | padding to 4,096 |
 *            slots | service: padding to 128 | the clients' parts (lanes.h)
 *
 * The creator writes the shape before the name is published; a process that opens reads
 * a copy and checks it, for any process may have written it by then.
 */
#ifndef MMF_SHARED_RING_SHAPE_H
#define MMF_SHARED_RING_SHAPE_H

#include <stdint.h>

#include "shared/ring/lanes.h"
#include "shared/ring/ring.h"

struct mmf_ring_shape_shared {
    uint32_t kind;     /* 0 queue, 1 queue with MMF_CHANNEL_SPSC, 2 topic, 3 latest,
                          4 service */
    uint32_t overflow; /* mmf_overflow */
    uint32_t max_senders;
    uint32_t max_receivers;
    uint64_t slots;
    uint64_t message_size;
    uint8_t identity[16]; /* random, of this channel alone */
    uint32_t max_pins;
    uint32_t is_single_producer; /* 1 or 0 */
    uint64_t answer_size;        /* service; else 0, as what follows */
    uint32_t calls;
    uint32_t answers;
};

static_assert(sizeof(struct mmf_ring_shape_shared) == 72, "layout 2");
static_assert(offsetof(struct mmf_ring_shape_shared, slots) == 16, "layout 2");
static_assert(offsetof(struct mmf_ring_shape_shared, message_size) == 24, "layout 2");
static_assert(offsetof(struct mmf_ring_shape_shared, identity) == 32, "layout 2");
static_assert(offsetof(struct mmf_ring_shape_shared, answer_size) == 56, "layout 2");

/* The slots begin at a multiple of this, so that they can be mapped by themselves. */
#define MMF_RING_PAGE 4096u

#define MMF_RING_SLOTS_MAX ((uint64_t)1 << 30)
#define MMF_RING_MESSAGE_MAX ((uint64_t)INT32_MAX)

/* The MMF_CHANNEL_... flags that its creator gave. */
uint32_t mmf_ring_shape_flags(const struct mmf_ring_shape *shape);

/* Where the slots begin in the data. */
uint64_t mmf_ring_slots_offset(const struct mmf_ring_shape *shape);

/* Bytes of the data. The shape's numbers are in their ranges. */
uint64_t mmf_ring_capacity(const struct mmf_ring_shape *shape);

/* Bytes from the first slot to the end of the data. */
uint64_t mmf_ring_slots_size(const struct mmf_ring_shape *shape);

static inline bool
mmf_ring_is_service(const struct mmf_ring_shape *shape)
{
    return shape->calls != 0;
}

/* What the channel is to its users. */
static inline mmf_kind
mmf_ring_object_kind(const struct mmf_ring_shape *shape)
{
    return mmf_ring_is_service(shape) ? MMF_KIND_SERVICE : shape->kind;
}

/*
 * A service: bytes of a slot for a request or an answer of up to `size`; of a client's part;
 * and where, behind the first slot, the first client's part begins.
 */
uint64_t mmf_service_stride(uint64_t size);
uint64_t mmf_service_part_size(const struct mmf_ring_shape *shape);
uint64_t mmf_service_parts_at(const struct mmf_ring_shape *shape);

/* Where in a client's part its first answer's slot is. */
uint64_t mmf_service_slots_at(const struct mmf_ring_shape *shape);

void mmf_ring_shape_write(const struct mmf_ring_shape *shape,
                          struct mmf_ring_shape_shared *shared);

/*
 * Check a copy against the object it came from. False: a shape that this version cannot
 * make. `object_kind` is an mmf_kind.
 */
bool mmf_ring_shape_read(const struct mmf_ring_shape_shared *shared,
                         uint32_t object_kind, int64_t capacity,
                         struct mmf_ring_shape *shape);

/* Point a handle at the mapped parts; it takes no part in the channel yet. */
void mmf_ring_attach(const struct mmf_ring_shape *shape, void *data, void *slots,
                     struct mmf_ring *ring);

#endif
