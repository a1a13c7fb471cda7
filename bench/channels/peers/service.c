/*
 * service.c - mmf's service: side A calls, side B answers. Filled and read in place.
 */
#include "channels/peers/mmf.h"
#include "channels/peers/peers.h"

#include <mmf/service.h>

struct end {
    mmf_service *service;
    size_t size;
    int is_client;
    uint64_t call;
    mmf_message request;
};

static void *
open_service(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));
    mmf_service_options options = {.size = sizeof(options)};
    mmf_channel_options channel;
    char name[80];

    channel_mmf_choose(job, side, SIDE_A, 0, &channel, name);
    options.role = channel.role;
    options.strategy = channel.strategy;
    options.max_clients = options.max_servers = 1;
    *end = (struct end){.size = job->size, .is_client = side == SIDE_A};
    channel_mmf_check(mmf_service_create_or_open(name, job->size, job->size, job->slots,
                                                 &options, NULL, &end->service),
                      "create a service");
    return end;
}

static void
send_part(void *context, uint64_t seed)
{
    struct end *end = context;
    void *bytes;

    if (end->is_client) {
        channel_mmf_check(
            mmf_service_reserve(end->service, end->size, MMF_INFINITE, &bytes),
            "reserve");
        channel_fill(bytes, end->size, seed);
        channel_mmf_check(mmf_service_commit(end->service, end->size, &end->call),
                          "commit");
        return;
    }
    channel_mmf_check(mmf_service_reserve_answer(end->service, &end->request, end->size,
                                                 MMF_INFINITE, &bytes),
                      "reserve an answer");
    channel_fill(bytes, end->size, seed);
    channel_mmf_check(mmf_service_commit_answer(end->service, &end->request, end->size,
                                                MMF_ANSWER_LAST),
                      "commit an answer");
}

static uint64_t
receive_part(void *context)
{
    struct end *end = context;
    mmf_message answer;
    uint64_t sum;

    if (!end->is_client) {
        channel_mmf_check(mmf_service_take(end->service, MMF_INFINITE, &end->request),
                          "take");
        return channel_sum(end->request.bytes, end->request.length);
    }
    channel_mmf_check(
        mmf_service_take_answer(end->service, end->call, MMF_INFINITE, &answer),
        "take an answer");
    sum = channel_sum(answer.bytes, answer.length);
    channel_mmf_check(mmf_service_release_answer(end->service, &answer),
                      "release an answer");
    return sum;
}

static void
close_service(void *context)
{
    struct end *end = context;

    mmf_service_close(end->service);
}

const struct channel_peer channel_mmf_service = {
    .name = "mmf service",
    .load = CHANNEL_LOAD_NEWEST,
    .open = open_service,
    .send = send_part,
    .receive = receive_part,
    .close = close_service,
};
