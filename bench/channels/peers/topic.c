/*
 * topic.c - mmf's topic, with one subscriber for which the publisher waits.
 */
#include "channels/peers/mmf.h"
#include "channels/peers/peers.h"

#include <mmf/topic.h>

struct end {
    mmf_topic *out, *in;
    size_t size;
};

static void *
open_with(struct channel_job *job, enum channel_side side, uint32_t flags)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){.size = job->size};
    for (int direction = SIDE_A; direction <= SIDE_B; direction++) {
        mmf_channel_options options;
        char name[80];

        channel_mmf_choose(job, side, direction, flags, &options, name);
        channel_mmf_check(mmf_topic_create_or_open(
                              name, end->size, job->slots, MMF_OVERFLOW_BLOCK, &options,
                              NULL, (int)side == direction ? &end->out : &end->in),
                          "create a topic");
    }
    return end;
}

static void *
open_topic(struct channel_job *job, enum channel_side side)
{
    return open_with(job, side, 0);
}

static void *
open_single(struct channel_job *job, enum channel_side side)
{
    return open_with(job, side, MMF_CHANNEL_SINGLE_PRODUCER);
}

static void
send_topic(void *context, uint64_t seed)
{
    struct end *end = context;
    void *bytes;

    channel_mmf_check(mmf_topic_reserve(end->out, end->size, MMF_INFINITE, &bytes),
                      "reserve");
    channel_fill(bytes, end->size, seed);
    channel_mmf_check(mmf_topic_commit(end->out, end->size, NULL), "commit");
}

static uint64_t
receive_topic(void *context)
{
    struct end *end = context;
    mmf_message message;
    uint64_t sum;

    channel_mmf_check(mmf_topic_take(end->in, MMF_INFINITE, &message), "take");
    sum = channel_sum(message.bytes, message.length);
    channel_mmf_check(mmf_topic_release(end->in), "release");
    return sum;
}

static void
close_topic(void *context)
{
    struct end *end = context;

    mmf_topic_close(end->out);
    mmf_topic_close(end->in);
}

const struct channel_peer channel_mmf_topic_single = {
    .name = "mmf topic, single producer",
    .open = open_single,
    .send = send_topic,
    .receive = receive_topic,
    .close = close_topic,
};

const struct channel_peer channel_mmf_topic = {
    .name = "mmf topic",
    .open = open_topic,
    .send = send_topic,
    .receive = receive_topic,
    .close = close_topic,
};
