/*
 * rte.c - DPDK's rte_ring, for one and for many at each end: its headers only,
 * without its environment. It carries pointers, here the numbers of slots in a pool, as
 * channels_ck.c explains.
 */
#include "channels/peers/peers.h"

#include <rte_config.h>
#include <rte_ring.h>

#include <stdalign.h>
#include <string.h>

struct direction {
    alignas(128) struct rte_ring ring;
    void *entries[1024]; /* rte_ring has them right after itself */
    alignas(128) unsigned char pool[];
};

_Static_assert(offsetof(struct direction, entries) == sizeof(struct rte_ring),
               "the entries follow the ring");

struct end {
    struct direction *out, *in;
    size_t size, stride, slots;
    size_t next; /* slot of the pool to write */
};

static size_t
stride_of(const struct channel_job *job)
{
    return (job->size + 63) / 64 * 64;
}

static size_t
direction_size(const struct channel_job *job)
{
    return sizeof(struct direction) +
           ((job->slots + 1) * stride_of(job) + 4095) / 4096 * 4096;
}

static size_t
share(const struct channel_job *job)
{
    return 2 * direction_size(job);
}

static struct direction *
direction(const struct channel_job *job, int which)
{
    unsigned char *shared = job->shared;

    return (void *)(shared + (size_t)which * direction_size(job));
}

/* As rte_ring_init does, which is in a library that needs all of DPDK's. */
static void
init_ring(struct rte_ring *ring, size_t slots, enum rte_ring_sync_type type)
{
    memset(ring, 0, sizeof(*ring));
    ring->size = (uint32_t)slots;
    ring->mask = (uint32_t)slots - 1;
    ring->capacity = ring->mask;
    ring->prod.sync_type = type;
    ring->cons.sync_type = type;
}

static int
prepare_single(struct channel_job *job)
{
    for (int i = 0; i < 2; i++)
        init_ring(&direction(job, i)->ring, job->slots, RTE_RING_SYNC_ST);
    return 0;
}

static int
prepare_many(struct channel_job *job)
{
    for (int i = 0; i < 2; i++)
        init_ring(&direction(job, i)->ring, job->slots, RTE_RING_SYNC_MT);
    return 0;
}

static void *
open_end(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){
        .out = direction(job, side == SIDE_A ? 0 : 1),
        .in = direction(job, side == SIDE_A ? 1 : 0),
        .size = job->size,
        .stride = stride_of(job),
        .slots = job->slots + 1,
    };
    end->next = end->out->ring.prod.tail % end->slots;
    return end;
}

static inline unsigned char *
fill_next(struct end *end, uint64_t seed)
{
    unsigned char *slot = end->out->pool + end->next * end->stride;

    channel_fill(slot, end->size, seed);
    end->next = end->next + 1 == end->slots ? 0 : end->next + 1;
    return slot;
}

/* A slot goes as its distance from the pool's start, and one more, to differ from 0. */
static inline void *
to_entry(const struct direction *direction, const unsigned char *slot)
{
    return (void *)(uintptr_t)(slot - direction->pool + 1);
}

static inline uint64_t
sum_entry(const struct end *end, const void *entry)
{
    return channel_sum(end->in->pool + (uintptr_t)entry - 1, end->size);
}

static void
send_single(void *context, uint64_t seed)
{
    struct end *end = context;
    void *entry = to_entry(end->out, fill_next(end, seed));

    while (rte_ring_sp_enqueue(&end->out->ring, entry) != 0)
        channel_pause();
}

static uint64_t
receive_single(void *context)
{
    struct end *end = context;
    void *entry;

    while (rte_ring_sc_dequeue(&end->in->ring, &entry) != 0)
        channel_pause();
    return sum_entry(end, entry);
}

static void
send_many(void *context, uint64_t seed)
{
    struct end *end = context;
    void *entry = to_entry(end->out, fill_next(end, seed));

    while (rte_ring_mp_enqueue(&end->out->ring, entry) != 0)
        channel_pause();
}

static uint64_t
receive_many(void *context)
{
    struct end *end = context;
    void *entry;

    while (rte_ring_mc_dequeue(&end->in->ring, &entry) != 0)
        channel_pause();
    return sum_entry(end, entry);
}

const struct channel_peer channel_rte_single = {
    .name = "DPDK rte_ring, SP/SC",
    .share = share,
    .prepare = prepare_single,
    .open = open_end,
    .send = send_single,
    .receive = receive_single,
};

const struct channel_peer channel_rte_many = {
    .name = "DPDK rte_ring, MP/MC",
    .share = share,
    .prepare = prepare_many,
    .open = open_end,
    .send = send_many,
    .receive = receive_many,
};
