/*
 * lanes.h - the bytes of a service beside its requests, which are a queue's messages
 * (layout.h). Each client, by its number as a sender, has a part; and in it, for each
 * call that it may have open, a lane: slots for the answers of the server that has the
 * request.
 *
 *   part   doorbells | lanes | padding to 128 | slots of lane 0 | of lane 1 | ...
 *
 *   field            written by                    read by     ordering
 *   *_doorbell       sleepers, and who wakes       both        doorbell.c
 *   *_sleepers       Windows: the same             both        sleepers.h
 *   call             the client: the request's     servers     relaxed; before the
 *                    index; bit 63: it wants the               request's COMMITTED
 *                    answers
 *   head             the client: the oldest answer the server  release after the last
 *                    that is not released                      read
 *   slot             the server that has the       the client  the word: release after
 *                    request; its word is                      the payload, acquire
 *                    COMMITTED or old                          before it
 *
 * A request is a message, and behind its short payload, in the slot's first line, lies
 * struct mmf_request_shared. An answer likewise has struct mmf_answer_shared.
 */
#ifndef MMF_SHARED_RING_LANES_H
#define MMF_SHARED_RING_LANES_H

#include <assert.h>
#include <stdalign.h>

#include "shared/ring/layout.h"
#include "shared/ring/sleepers.h"

#define MMF_CALLS_MAX 1024u
#define MMF_ANSWERS_MAX 65536u /* of all calls of a client together */

struct mmf_client_shared {
    alignas(128) mmf_atomic_u32 answer_doorbell; /* the client sleeps on it */
    mmf_atomic_u32 space_doorbell; /* servers sleep on it, for a slot of its lanes */
    struct mmf_sleepers_shared answer_sleepers;
    struct mmf_sleepers_shared space_sleepers;
};

static_assert(sizeof(struct mmf_client_shared) == 256, "layout 2");
static_assert(offsetof(struct mmf_client_shared, answer_sleepers) == 64, "layout 2");
static_assert(offsetof(struct mmf_client_shared, space_sleepers) == 128, "layout 2");

struct mmf_lane_shared {
    alignas(64) mmf_atomic_u64 call;
    mmf_atomic_u64 head;
};

static_assert(sizeof(struct mmf_lane_shared) == 64, "layout 2");

/* Of `call`: the client waits for answers. */
#define MMF_CALL_WANTED ((uint64_t)1 << 63)

struct mmf_request_shared {
    uint32_t lane; /* client * calls + the number of its lane */
    uint32_t reserved;
    uint64_t first; /* index of the first answer in the lane */
};

struct mmf_answer_shared {
    uint64_t request; /* its index */
    uint32_t deliveries;
    uint32_t flags; /* MMF_ANSWER_IS_LAST */
};

#define MMF_ANSWER_IS_LAST 1u

static_assert(sizeof(struct mmf_request_shared) == 16, "layout 2");
static_assert(sizeof(struct mmf_answer_shared) == 16, "layout 2");

/* A payload up to this size lies in the slot's first line, before those. */
#define MMF_SERVICE_SHORT ((MMF_SLOT_SHORT - 16) & ~7)

#endif
