/* ring_support.c - see ring_support.h. */
#include "ring_support.h"

#include <stdlib.h>
#include <string.h>

#include "harness/check.h"

struct mmf_ring ring;

static void
complete(struct mmf_ring_shape *shape)
{
    if (shape->slots == 0)
        shape->slots = SLOTS;
    if (shape->max_senders == 0)
        shape->max_senders = 2;
    if (shape->max_receivers == 0)
        shape->max_receivers = 1;
    if (shape->overflow == 0)
        shape->overflow = MMF_OVERFLOW_BLOCK;
    shape->stride = sizeof(struct mmf_slot_shared);
    shape->message_size = 8;
}

void
make_ring(struct mmf_ring_shape shape)
{
    uint8_t *memory;
    size_t size;

    complete(&shape);
    size = ((size_t)mmf_ring_capacity(&shape) + 4095) / 4096 * 4096;
    memory = aligned_alloc(4096, size);
    CHECK(memory != NULL);
    memset(memory, 0, size);
    mmf_ring_init((void *)memory, FIRST);
    mmf_ring_attach(&shape, memory, memory + mmf_ring_slots_offset(&shape), &ring);
    ring.identity = (uint64_t)1 << MMF_IDENTITY_HANDLE_BITS;
    mmf_ring_be_sender(&ring, 0);
    ring.free_at = FIRST;
}

void
free_ring(void)
{
    free(ring.shared);
}

void
set_slot(uint64_t i, uint64_t index, uint32_t participant, enum mmf_slot_state state)
{
    mmf_store_relaxed_u64(&mmf_ring_slot(&ring, i)->word,
                          mmf_word_make(index, participant, state));
}
