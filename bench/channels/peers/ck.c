/*
 * ck.c - Concurrency Kit's ring for one producer and one consumer. It carries
 * pointers, here the numbers of slots in a pool that both have mapped. The slots are
 * used in turn: as many as the ring holds, one that the consumer reads, one that the
 * producer writes; so none has to be returned, which is the best case for it.
 */
#include "channels/peers/peers.h"

#include <ck_ring.h>
#include <stdalign.h>
#include <string.h>

struct direction {
    alignas(128) ck_ring_t ring;
    alignas(128) ck_ring_buffer_t buffer[1024];
    alignas(128) unsigned char pool[];
};

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

static int
prepare(struct channel_job *job)
{
    for (int i = 0; i < 2; i++)
        ck_ring_init(&direction(job, i)->ring, (unsigned)job->slots);
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
    end->next = end->out->ring.p_tail % end->slots;
    return end;
}

static void
send_end(void *context, uint64_t seed)
{
    struct end *end = context;
    struct direction *out = end->out;

    channel_fill(out->pool + end->next * end->stride, end->size, seed);
    while (!ck_ring_enqueue_spsc(&out->ring, out->buffer, (void *)(end->next + 1)))
        channel_pause();
    end->next = end->next + 1 == end->slots ? 0 : end->next + 1;
}

static uint64_t
receive_end(void *context)
{
    struct end *end = context;
    struct direction *in = end->in;
    void *entry;

    while (!ck_ring_dequeue_spsc(&in->ring, in->buffer, &entry))
        channel_pause();
    return channel_sum(in->pool + ((size_t)entry - 1) * end->stride, end->size);
}

const struct channel_peer channel_ck = {
    .name = "Concurrency Kit ring",
    .share = share,
    .prepare = prepare,
    .open = open_end,
    .send = send_end,
    .receive = receive_end,
};
