/*
 * pace.c - keeping the two sides of a stream apart.
 *
 * A receiver that reads a slot while the sender writes the one after next takes away
 * lines that the sender needs again: both then go at the pace at which lines travel,
 * and never come to wait. After a moment there are several messages (Giacomoni and
 * others, "FastForward for Efficient Pipeline Parallelism", 2008: temporal slipping).
 */
#include "shared/ring/inner.h"

/* How many in a row are a stream, and how many pauses are a slip. */
enum { STREAM = 2, SLIP = 32 };

/* So few messages behind the senders is close to them. */
enum { CLOSE = 32 };

/* Pauses: less than half a microsecond. */
enum { HEAD_START = 16 };

/* A participant that waits for the answer to what it sent has no two in a row. */
void
mmf_ring_slip(struct mmf_ring *ring, bool sending)
{
    struct mmf_ring_side *side = sending ? &ring->out : &ring->in;
    uint64_t here = sending ? ring->reserved : ring->cursor;

    MMF_ASSERT((sending ? ring->sending : ring->receiving) != NULL);
    if (mmf_index_difference(here, side->waited) >= STREAM)
        mmf_pause_often(SLIP);
    side->waited = here;
}

void
mmf_ring_keep_distance(struct mmf_ring *ring)
{
    uint64_t cursor = ring->cursor;
    bool is_stream = mmf_index_difference(cursor, ring->in.waited) >= MMF_STREAM;
    bool is_depth =
        ring->shape.kind == MMF_KIND_QUEUE && (cursor & MMF_DEPTH_SAMPLES) == 0;
    int64_t depth;

    MMF_ASSERT(mmf_ring_is_sample(ring) && ring->shape.kind != MMF_KIND_LATEST);
    if (!is_stream && !is_depth)
        return; /* the senders keep the tail's line */
    ring->in.tail = mmf_ring_tail(ring) & MMF_INDEX_MASK;
    depth = mmf_index_difference(ring->in.tail, cursor);
    if (is_depth)
        mmf_ring_note_depth(ring, depth);
    if (is_stream && depth < CLOSE)
        mmf_pause_often(HEAD_START);
}
