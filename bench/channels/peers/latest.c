/*
 * latest.c - mmf's latest value. A message is a new version. A version that was not yet
 * read is replaced, so there are round trips and no stream.
 */
#include "channels/peers/mmf.h"
#include "channels/peers/peers.h"

#include <mmf/latest.h>

struct end {
    mmf_latest *out, *in;
    uint64_t version;
    size_t size;
    unsigned char *buffer;
};

static void *
open_latest(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){.size = job->size, .buffer = channel_memory(job->size)};
    for (int direction = SIDE_A; direction <= SIDE_B; direction++) {
        mmf_channel_options options;
        char name[80];

        channel_mmf_choose(job, side, direction, 0, &options, name);
        channel_mmf_check(
            mmf_latest_create_or_open(name, end->size, &options, NULL,
                                      (int)side == direction ? &end->out : &end->in),
            "create a latest value");
    }
    return end;
}

static void
send_latest(void *context, uint64_t seed)
{
    struct end *end = context;
    void *bytes;

    channel_mmf_check(mmf_latest_reserve(end->out, end->size, &bytes), "reserve");
    channel_fill(bytes, end->size, seed);
    channel_mmf_check(mmf_latest_commit(end->out, end->size, NULL), "commit");
}

static uint64_t
receive_latest(void *context)
{
    struct end *end = context;
    size_t length;

    channel_mmf_check(mmf_latest_wait(end->in, end->version, MMF_INFINITE), "wait");
    channel_mmf_check(
        mmf_latest_receive(end->in, end->buffer, end->size, &length, &end->version),
        "read");
    return channel_sum(end->buffer, length);
}

static void
close_latest(void *context)
{
    struct end *end = context;

    mmf_latest_close(end->out);
    mmf_latest_close(end->in);
}

const struct channel_peer channel_mmf_latest = {
    .name = "mmf latest",
    .load = CHANNEL_LOAD_NEWEST,
    .open = open_latest,
    .send = send_latest,
    .receive = receive_latest,
    .close = close_latest,
};
