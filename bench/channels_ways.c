/*
 * channels_ways.c - the table of ways. What the build did not find is left out, and
 * named in channel_ways_absent.
 */
#include "channels_ways.h"

#include <stdio.h>

const struct channel_way channel_ways[] = {
    {"raw: two cache lines", &channel_line, CHANNEL_SPIN, 0, 0},
    {"bare ring", &channel_bare, CHANNEL_SPIN, 1, 0},
    {"bare ring, packed", &channel_bare_packed, CHANNEL_SPIN, 0, 0},
#ifdef BENCH_HAVE_QUEUE
    {"mmf queue, single, SPIN", &channel_mmf_single, CHANNEL_SPIN, 100, 0},
    {"mmf queue, SPIN", &channel_mmf_many, CHANNEL_SPIN, 100, 0},
    {"mmf queue, single, copying, SPIN", &channel_mmf_copy, CHANNEL_SPIN, 0, 0},
#endif
#ifdef BENCH_HAVE_TOPIC
    {"mmf topic, SPIN", &channel_mmf_topic, CHANNEL_SPIN, 100, 0},
#endif
#ifdef BENCH_HAVE_LATEST
    {"mmf latest, SPIN", &channel_mmf_latest, CHANNEL_SPIN, 100, 0},
#endif
#ifdef BENCH_HAVE_CK
    {"Concurrency Kit ring", &channel_ck, CHANNEL_SPIN, 1, 0},
#endif
#ifdef BENCH_HAVE_RTE
    {"DPDK rte_ring SP/SC", &channel_rte_single, CHANNEL_SPIN, 1, 0},
    {"DPDK rte_ring MP/MC", &channel_rte_many, CHANNEL_SPIN, 1, 0},
#endif
#ifdef BENCH_HAVE_ICEORYX
    {"iceoryx", &channel_iceoryx, CHANNEL_SPIN, 1, 0},
#endif
#ifdef BENCH_HAVE_BOOST
    {"Boost message_queue", &channel_boost, CHANNEL_SPIN, 1, 0},
#endif
    {"raw: futex", &channel_futex, CHANNEL_WAIT, 0, 0},
    {"raw: futex, 20 us between", &channel_futex, CHANNEL_WAIT, 0, 20},
#ifdef BENCH_HAVE_QUEUE
    {"mmf queue, single, SPIN_THEN_WAIT", &channel_mmf_single, CHANNEL_SPIN_THEN_WAIT,
     100, 0},
    {"mmf queue, SPIN_THEN_WAIT", &channel_mmf_many, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf queue, single, WAIT", &channel_mmf_single, CHANNEL_WAIT, 100, 0},
    {"mmf queue, WAIT", &channel_mmf_many, CHANNEL_WAIT, 100, 0},
    {"mmf queue, single, WAIT, 20 us between", &channel_mmf_single, CHANNEL_WAIT, 0,
     20},
    {"mmf queue, WAIT, 20 us between", &channel_mmf_many, CHANNEL_WAIT, 0, 20},
#endif
#ifdef BENCH_HAVE_TOPIC
    {"mmf topic, SPIN_THEN_WAIT", &channel_mmf_topic, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf topic, WAIT", &channel_mmf_topic, CHANNEL_WAIT, 100, 0},
#endif
#ifdef BENCH_HAVE_LATEST
    {"mmf latest, SPIN_THEN_WAIT", &channel_mmf_latest, CHANNEL_SPIN_THEN_WAIT, 100, 0},
    {"mmf latest, WAIT", &channel_mmf_latest, CHANNEL_WAIT, 100, 0},
#endif
#ifdef BENCH_HAVE_ICEORYX
    {"iceoryx, WaitSet", &channel_iceoryx, CHANNEL_WAIT, 1, 0},
#endif
#ifdef BENCH_HAVE_BOOST
    {"Boost message_queue, blocking", &channel_boost, CHANNEL_WAIT, 1, 0},
#endif
    {"pipe", &channel_pipe, CHANNEL_WAIT, 0, 0},
    {"Unix socket, stream", &channel_stream, CHANNEL_WAIT, 0, 0},
    {"Unix socket, seqpacket", &channel_seqpacket, CHANNEL_WAIT, 0, 0},
    {"POSIX message queue", &channel_mq, CHANNEL_WAIT, 1, 0},
#ifdef BENCH_HAVE_ZEROMQ
    {"ZeroMQ ipc PAIR", &channel_zeromq, CHANNEL_WAIT, 1, 0},
#endif
#ifdef BENCH_HAVE_NNG
    {"nng ipc pair0", &channel_nng, CHANNEL_WAIT, 1, 0},
#endif
};

const int channel_way_count = sizeof(channel_ways) / sizeof(channel_ways[0]);

const char channel_ways_absent[] = ""
#ifndef BENCH_HAVE_CK
                                   " Concurrency Kit (libck-dev);"
#endif
#ifndef BENCH_HAVE_RTE
                                   " rte_ring (libdpdk-dev);"
#endif
#ifndef BENCH_HAVE_ICEORYX
                                   " iceoryx (libiceoryx-binding-c-dev, iceoryx);"
#endif
#ifndef BENCH_HAVE_BOOST
                                   " Boost.Interprocess (libboost-dev);"
#endif
#ifndef BENCH_HAVE_ZEROMQ
                                   " ZeroMQ (libzmq3-dev);"
#endif
#ifndef BENCH_HAVE_NNG
                                   " nng (libnng-dev);"
#endif
    ;

const size_t channel_sizes[] = {8, 64, 1024, 65536, 1048576};
const int channel_size_count = sizeof(channel_sizes) / sizeof(channel_sizes[0]);

size_t
channel_slots(size_t size)
{
    if (size <= 1024)
        return 1024;
    return size <= 65536 ? 32 : 4;
}

const char *
channel_size_name(size_t size)
{
    static char names[4][24];
    static int next;
    char *name = names[next++ % 4];

    if (size < 1024)
        snprintf(name, sizeof(names[0]), "%zu B", size);
    else if (size < 1048576)
        snprintf(name, sizeof(names[0]), "%zu KiB", size / 1024);
    else
        snprintf(name, sizeof(names[0]), "%zu MiB", size / 1048576);
    return name;
}
