/*
 * ring_support.h - a ring in the test's own memory. Its handle is the first sender; the
 * other participants are whatever the test writes.
 */
#ifndef RING_SUPPORT_H
#define RING_SUPPORT_H

#include "shared/ring/inner.h"
#include "shared/ring/shape.h"
#include "shared/ring/wait.h"

enum { SLOTS = 4096, FIRST = SLOTS * 16 };

extern struct mmf_ring ring;

/* Of this shape; without numbers of its own SLOTS slots, two senders, one receiver. Its
 * next index is FIRST. */
void make_ring(struct mmf_ring_shape shape);
void free_ring(void);

/* The i-th slot says so, without a step of the model's. */
void set_slot(uint64_t i, uint64_t index, uint32_t participant,
              enum mmf_slot_state state);

#endif
