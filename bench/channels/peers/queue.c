/*
 * queue.c - mmf's queue, one object for each direction. Filled and read in
 * place, but for the copying one.
 */
#include "channels/peers/mmf.h"
#include "channels/peers/peers.h"

#include <mmf/queue.h>

struct end {
    mmf_queue *out, *in;
    size_t size;
    unsigned char *buffer;
};

static void *
open_queue(struct channel_job *job, enum channel_side side, uint32_t flags)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){.size = job->size, .buffer = channel_memory(job->size)};
    for (int direction = SIDE_A; direction <= SIDE_B; direction++) {
        mmf_channel_options options;
        char name[80];

        channel_mmf_choose(job, side, direction, flags, &options, name);
        channel_mmf_check(mmf_queue_create_or_open(
                              name, end->size, job->slots, MMF_OVERFLOW_BLOCK, &options,
                              NULL, (int)side == direction ? &end->out : &end->in),
                          "create a queue");
    }
    return end;
}

static void *
open_single(struct channel_job *job, enum channel_side side)
{
    return open_queue(job, side, MMF_CHANNEL_SPSC);
}

static void *
open_many(struct channel_job *job, enum channel_side side)
{
    return open_queue(job, side, 0);
}

static void
send_queue(void *context, uint64_t seed)
{
    struct end *end = context;
    void *bytes;

    channel_mmf_check(mmf_queue_reserve(end->out, end->size, MMF_INFINITE, &bytes),
                      "reserve");
    channel_fill(bytes, end->size, seed);
    channel_mmf_check(mmf_queue_commit(end->out, end->size, NULL), "commit");
}

static uint64_t
receive_queue(void *context)
{
    struct end *end = context;
    mmf_message message;
    uint64_t sum;

    channel_mmf_check(mmf_queue_take(end->in, MMF_INFINITE, &message), "take");
    sum = channel_sum(message.bytes, message.length);
    channel_mmf_check(mmf_queue_release(end->in, &message), "release");
    return sum;
}

static void
send_copy(void *context, uint64_t seed)
{
    struct end *end = context;

    channel_fill(end->buffer, end->size, seed);
    channel_mmf_check(
        mmf_queue_send(end->out, end->buffer, end->size, MMF_INFINITE, NULL), "send");
}

static uint64_t
receive_copy(void *context)
{
    struct end *end = context;
    size_t length;

    channel_mmf_check(
        mmf_queue_receive(end->in, end->buffer, end->size, MMF_INFINITE, &length, NULL),
        "receive");
    return channel_sum(end->buffer, length);
}

static void
close_queue(void *context)
{
    struct end *end = context;

    mmf_queue_close(end->out);
    mmf_queue_close(end->in);
}

const struct channel_peer channel_mmf_single = {
    .name = "mmf queue, SPSC",
    .open = open_single,
    .send = send_queue,
    .receive = receive_queue,
    .close = close_queue,
};

const struct channel_peer channel_mmf_many = {
    .name = "mmf queue",
    .open = open_many,
    .send = send_queue,
    .receive = receive_queue,
    .close = close_queue,
};

const struct channel_peer channel_mmf_copy = {
    .name = "mmf queue, SPSC, copying",
    .open = open_single,
    .send = send_copy,
    .receive = receive_copy,
    .close = close_queue,
};
