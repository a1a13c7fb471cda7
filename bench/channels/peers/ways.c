/*
 * ways.c - the table of ways, including those whose peers the build did not find.
 */
#include "channels/peers/ways.h"

#include <stdio.h>

#include "channels/peers/peers.h"

const struct channel_way channel_ways[] = {
    {"raw: two cache lines", &channel_line, CHANNEL_SPIN, 0, 0},
    {"bare ring", &channel_bare, CHANNEL_SPIN, 1, 0},
    {"bare ring, packed", &channel_bare_packed, CHANNEL_SPIN, 0, 0},
    {"mmf queue, SPSC, SPIN", &channel_mmf_single, CHANNEL_SPIN, 100, 0},
    {"mmf queue, SPIN", &channel_mmf_many, CHANNEL_SPIN, 100, 0},
    {"mmf queue, SPSC, copying, SPIN", &channel_mmf_copy, CHANNEL_SPIN, 0, 0},
    {"mmf topic, SPIN", &channel_mmf_topic, CHANNEL_SPIN, 100, 0},
    {"mmf topic, single producer, SPIN", &channel_mmf_topic_single, CHANNEL_SPIN, 100,
     0},
    {"mmf latest, SPIN", &channel_mmf_latest, CHANNEL_SPIN, 100, 0},
    {"mmf service, SPIN", &channel_mmf_service, CHANNEL_SPIN, 0, 0},
    {"Concurrency Kit ring", &channel_ck, CHANNEL_SPIN, 1, 0},
    {"DPDK rte_ring SP/SC", &channel_rte_single, CHANNEL_SPIN, 1, 0},
    {"DPDK rte_ring MP/MC", &channel_rte_many, CHANNEL_SPIN, 1, 0},
    {"iceoryx", &channel_iceoryx, CHANNEL_SPIN, 1, 0},
    {"Boost message_queue", &channel_boost, CHANNEL_SPIN, 1, 0},
    {"raw: futex", &channel_futex, CHANNEL_WAIT, 0, 0},
    {"raw: futex, 20 us between", &channel_futex, CHANNEL_WAIT, 0, 20},
    {"mmf queue, SPSC, SPIN_THEN_WAIT", &channel_mmf_single, CHANNEL_SPIN_THEN_WAIT,
     100, 0},
    {"mmf queue, SPIN_THEN_WAIT", &channel_mmf_many, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf queue, SPSC, WAIT", &channel_mmf_single, CHANNEL_WAIT, 100, 0},
    {"mmf queue, WAIT", &channel_mmf_many, CHANNEL_WAIT, 100, 0},
    {"mmf queue, SPSC, WAIT, 20 us between", &channel_mmf_single, CHANNEL_WAIT, 0, 20},
    {"mmf queue, WAIT, 20 us between", &channel_mmf_many, CHANNEL_WAIT, 0, 20},
    {"mmf topic, SPIN_THEN_WAIT", &channel_mmf_topic, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf topic, WAIT", &channel_mmf_topic, CHANNEL_WAIT, 100, 0},
    {"mmf latest, SPIN_THEN_WAIT", &channel_mmf_latest, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf latest, WAIT", &channel_mmf_latest, CHANNEL_WAIT, 100, 0},
    {"mmf service, SPIN_THEN_WAIT", &channel_mmf_service, CHANNEL_SPIN_THEN_WAIT, 0, 0},
    {"mmf service, WAIT", &channel_mmf_service, CHANNEL_WAIT, 0, 0},
    {"iceoryx, WaitSet", &channel_iceoryx, CHANNEL_WAIT, 1, 0},
    {"Boost message_queue, blocking", &channel_boost, CHANNEL_WAIT, 1, 0},
    {"pipe", &channel_pipe, CHANNEL_WAIT, 0, 0},
    {"Unix socket, stream", &channel_stream, CHANNEL_WAIT, 0, 0},
    {"Unix socket, seqpacket", &channel_seqpacket, CHANNEL_WAIT, 0, 0},
    {"POSIX message queue", &channel_mq, CHANNEL_WAIT, 1, 0},
    {"ZeroMQ ipc PAIR", &channel_zeromq, CHANNEL_WAIT, 1, 0},
    {"nng ipc pair0", &channel_nng, CHANNEL_WAIT, 1, 0},
};

const int channel_way_count = sizeof(channel_ways) / sizeof(channel_ways[0]);

int
channel_way_is_there(const struct channel_way *way)
{
    return way->peer != NULL;
}

static const struct package {
    const char *name;
    const struct channel_peer *peer;
} packages[] = {
    {"Concurrency Kit (libck-dev)", &channel_ck},
    {"rte_ring (libdpdk-dev)", &channel_rte_single},
    {"iceoryx (libiceoryx-binding-c-dev, iceoryx)", &channel_iceoryx},
    {"Boost.Interprocess (libboost-dev)", &channel_boost},
    {"ZeroMQ (libzmq3-dev)", &channel_zeromq},
    {"nng (libnng-dev)", &channel_nng},
};

void
channel_ways_print_absent(void)
{
    int absent = 0;

    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
        if (packages[i].peer == NULL)
            printf("%s %s",
                   absent++ ? ";" : "\nSKIPPED, not installed:", packages[i].name);
    if (absent)
        printf("\n");
}
