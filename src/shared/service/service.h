/*
 * service.h - the steps of a service's clients and servers. The bytes are in
 * ring/lanes.h; waiting, and what a call may ask for, are the caller's.
 *
 * Requests are the messages of a queue (ring/take.c): one server has a request at a time,
 * and if it dies before it has released it, the request is returned to the queue. Which
 * server has it, the request's slot says; and only that one writes the lane that the
 * request names. So a lane is a ring of one producer and one consumer, and needs no
 * reservation: the right to write it comes and goes with the request.
 *
 *   client                                  server
 *   find a free lane; reserve a request     take the request
 *   open: lane.call = index, wanted         write answers into the lane
 *   commit                                  commit the last, and then
 *   read the answers; head moves            release the request
 *   close: lane.call = index
 *
 * A lane whose call has ended is used again only when its request's slot says that no
 * server has the request any more. So a server that is slow, stopped or killed never
 * writes an answer that another call could take for its own. A client that gives up takes
 * its request out of the queue if no server has it, by an exchange of the slot's word.
 *
 *   killed                                  a survivor sees
 *   client, before the commit               a reservation of a dead one: dropped
 *   client, open and committed              a request that is served in vain, unless a new
 *                                           client with its number comes first, which
 *                                           gives up what its predecessor has left
 *   client, while it gives up               the same
 *   client, reading an answer               a lane of a dead client: a server that waits
 *                                           for space in it is told so
 *   server, writing an answer               a slot without the word: the next server
 *                                           writes it
 *   server, between answers                 a returned request, and some of its answers:
 *                                           the next server goes on behind them
 *   server, after the last answer           a returned request with all its answers: the
 *                                           next server releases it
 *   server, before it rings                 a client that wakes at its next tick
 */
#ifndef MMF_SHARED_SERVICE_SERVICE_H
#define MMF_SHARED_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/ring/shape.h"
#include "shared/ring/wait.h"

/* Where the parts are; of a handle that has joined. */
struct mmf_lanes {
    struct mmf_ring *ring; /* of the requests */
    uint8_t *parts;        /* the first client's */
    uint64_t part_size;
    uint64_t slots_at;
    uint64_t stride; /* of an answer's slot */
};

struct mmf_lanes mmf_lanes_of(struct mmf_ring *ring);

static inline struct mmf_client_shared *
mmf_lanes_client(const struct mmf_lanes *lanes, uint32_t client)
{
    MMF_ASSERT(client < lanes->ring->shape.max_senders);
    return (void *)(lanes->parts + client * lanes->part_size);
}

/* An answer that the client has found; or a request's payload. */
struct mmf_service_message {
    const uint8_t *bytes;
    uint64_t length;
    uint32_t deliveries;
    bool is_last;
};

/*
 * Client: private, one for each of its lanes.
 */
enum mmf_call_state {
    MMF_CALL_LEFT, /* its request may still be with a server */
    MMF_CALL_FREE,
    MMF_CALL_OPEN
};

struct mmf_call {
    uint64_t request; /* its index */
    uint64_t next;    /* index of the next answer */
    enum mmf_call_state state;
    bool has_taken; /* an answer, which the caller reads */
    bool is_last;   /* and it is the last */
};

/* The handle has become the client `ring->sender`: its predecessor's calls are left. */
void mmf_calls_begin(const struct mmf_lanes *lanes, struct mmf_call *calls);

/* No server has the request any more; one that waits is taken out of the queue. */
bool mmf_call_settle(const struct mmf_lanes *lanes, struct mmf_call *call);

/*
 * Requests: reserve a slot for one of `length` bytes. Then, before mmf_ring_commit,
 * mmf_call_open puts the call of lane `number` into it.
 */
enum mmf_step mmf_call_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes);
void mmf_call_open(const struct mmf_lanes *lanes, struct mmf_call *calls,
                   uint32_t number);

/* The next answer. WOULD_BLOCK: none yet. */
enum mmf_step mmf_call_next(const struct mmf_lanes *lanes, const struct mmf_call *calls,
                            uint32_t number, struct mmf_service_message *answer);

/* Poll for it up to `times` times. */
bool mmf_call_poll(const struct mmf_lanes *lanes, const struct mmf_call *calls,
                   uint32_t number, int times);

/* The answer that was found has been read. With the last one the call is left. */
void mmf_call_release(const struct mmf_lanes *lanes, struct mmf_call *calls,
                      uint32_t number, bool is_last);

/* Give the open call up. */
void mmf_call_leave(const struct mmf_lanes *lanes, struct mmf_call *calls,
                    uint32_t number);

/*
 * Server: private, one for each request that it has taken.
 */
struct mmf_request {
    uint64_t index;
    uint64_t next;  /* index of the next answer */
    uint64_t ahead; /* so many slots from there on are surely free */
    uint64_t reserved_size;
    uint32_t lane; /* as the request has it; checked */
    uint32_t deliveries;
    bool has_reserved;
};

/*
 * Take the next request. `message` is its payload. Requests that are answered, or were
 * given up after a server died with them, are released on the way.
 */
enum mmf_step mmf_request_take(const struct mmf_lanes *lanes,
                               struct mmf_request *request,
                               struct mmf_service_message *message);

/* The client has neither ended the call nor, by what its words say, gone. */
bool mmf_request_is_wanted(const struct mmf_lanes *lanes,
                           const struct mmf_request *request);

/* The client's identity; 0: it has left. */
uint64_t mmf_request_client(const struct mmf_lanes *lanes,
                            const struct mmf_request *request);

/* Where to write an answer of up to `length` bytes. WOULD_BLOCK: the lane is full. */
enum mmf_step mmf_request_reserve(const struct mmf_lanes *lanes,
                                  struct mmf_request *request, uint64_t length,
                                  uint8_t **bytes);

/* Send it. The last one does not yet release the request. */
void mmf_request_commit(const struct mmf_lanes *lanes, struct mmf_request *request,
                        uint64_t length, bool is_last);

/* The request goes back to the queue. */
void mmf_request_return(const struct mmf_lanes *lanes,
                        const struct mmf_request *request);

#endif
