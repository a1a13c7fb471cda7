/*
 * shape.h - what never changes in a channel: its kind and its sizes, as they lie
 * in the control page's `state`, and where its parts lie in the object's data.
 *
 *   data     struct mmf_ring_shared | senders | receivers | padding to 4,096 | slots
 *
 * The creator writes the shape before the name is published; whoever opens reads a copy
 * and checks it, for it is anybody's writing by then.
 */
#ifndef MMF_SHARED_RING_SHAPE_H
#define MMF_SHARED_RING_SHAPE_H

#include <stdint.h>

#include "shared/ring/ring.h"

struct mmf_ring_shape_shared {
    uint32_t kind;     /* enum mmf_ring_kind */
    uint32_t overflow; /* mmf_overflow */
    uint32_t participants;
    uint32_t reserved;
    uint64_t slots;
    uint64_t message_size;
};

static_assert(sizeof(struct mmf_ring_shape_shared) == 32, "layout 1");
static_assert(offsetof(struct mmf_ring_shape_shared, slots) == 16, "layout 1");
static_assert(offsetof(struct mmf_ring_shape_shared, message_size) == 24, "layout 1");

/* The slots begin at a multiple of this, so that they can be mapped by themselves. */
#define MMF_RING_PAGE 4096u

#define MMF_RING_SLOTS_MAX ((uint64_t)1 << 30)
#define MMF_RING_MESSAGE_MAX ((uint64_t)INT32_MAX)

/* Where the slots begin in the data. */
uint64_t mmf_ring_slots_offset(const struct mmf_ring_shape *shape);

/* Bytes of the data. The shape's numbers are in their ranges. */
uint64_t mmf_ring_capacity(const struct mmf_ring_shape *shape);

void mmf_ring_shape_write(const struct mmf_ring_shape *shape,
                          struct mmf_ring_shape_shared *shared);

/*
 * Check a copy against the object it came from. 0: no shape that this version can make.
 * `object_kind` is an mmf_kind.
 */
int mmf_ring_shape_read(const struct mmf_ring_shape_shared *shared,
                        uint32_t object_kind, int64_t capacity,
                        struct mmf_ring_shape *shape);

/* Point a ref at the mapped parts; it takes no part in the channel yet. */
void mmf_ring_attach(const struct mmf_ring_shape *shape, void *data, void *slots,
                     struct mmf_ring *ring);

#endif
