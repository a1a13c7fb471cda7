/*
 * boost.cpp - Boost.Interprocess's message_queue, one for each direction. It
 * copies in and out.
 */
#include "channels/peers/peers.h"

#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

using boost::interprocess::message_queue;

namespace
{

struct End {
    End(const std::string &out_name, const std::string &in_name, const channel_job &job)
        : out(boost::interprocess::open_only, out_name.c_str()),
          in(boost::interprocess::open_only, in_name.c_str()), buffer(job.size),
          spin(job.mode == CHANNEL_SPIN)
    {
    }

    message_queue out, in;
    std::vector<unsigned char> buffer;
    bool spin;
};

std::string
queue_name(const channel_job &job, int direction)
{
    return std::string(job.name) + "-" + std::to_string(direction);
}

void
clean(channel_job *job)
{
    for (int i = 0; i < 2; i++)
        message_queue::remove(queue_name(*job, i).c_str());
}

int
prepare(channel_job *job)
{
    try {
        for (int i = 0; i < 2; i++)
            message_queue(boost::interprocess::create_only, queue_name(*job, i).c_str(),
                          job->slots, job->size);
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bench: boost: %s\n", error.what());
        clean(job);
        return -1;
    }
}

void *
open_end(channel_job *job, channel_side side)
{
    try {
        return new End(queue_name(*job, side == SIDE_A ? 0 : 1),
                       queue_name(*job, side == SIDE_A ? 1 : 0), *job);
    } catch (const std::exception &error) {
        channel_die("bench: boost: %s", error.what());
    }
}

void
send_end(void *context, uint64_t seed)
{
    End &end = *static_cast<End *>(context);

    channel_fill(end.buffer.data(), end.buffer.size(), seed);
    if (!end.spin) {
        end.out.send(end.buffer.data(), end.buffer.size(), 0);
        return;
    }
    while (!end.out.try_send(end.buffer.data(), end.buffer.size(), 0))
        channel_pause();
}

uint64_t
receive_end(void *context)
{
    End &end = *static_cast<End *>(context);
    message_queue::size_type size;
    unsigned priority;

    if (!end.spin) {
        end.in.receive(end.buffer.data(), end.buffer.size(), size, priority);
        return channel_sum(end.buffer.data(), size);
    }
    while (!end.in.try_receive(end.buffer.data(), end.buffer.size(), size, priority))
        channel_pause();
    return channel_sum(end.buffer.data(), size);
}

void
close_end(void *context)
{
    delete static_cast<End *>(context);
}

} // namespace

extern "C" const channel_peer channel_boost = {"Boost message_queue",
                                               0,
                                               CHANNEL_LOAD_ALL,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               prepare,
                                               clean,
                                               open_end,
                                               send_end,
                                               receive_end,
                                               close_end};
