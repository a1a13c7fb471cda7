/*
 * zeromq.c - ZeroMQ: a PAIR of sockets over ipc://, that is a Unix socket and
 * a thread that serves it in either process. Messages beyond 64 bytes are filled in
 * ZeroMQ's own memory.
 */
#include "channels/peers/peers.h"

#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

struct end {
    void *context, *socket;
    size_t size;
};

static void
name_endpoint(const struct channel_job *job, char *name, size_t space)
{
    snprintf(name, space, "ipc:///tmp/%s.zmq", job->name);
}

static void
clean(struct channel_job *job)
{
    char path[96];

    snprintf(path, sizeof(path), "/tmp/%s.zmq", job->name);
    unlink(path);
}

static void *
open_end(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));
    int most = (int)job->slots, linger = 0;
    char name[96];

    name_endpoint(job, name, sizeof(name));
    end->context = zmq_ctx_new();
    end->socket = zmq_socket(end->context, ZMQ_PAIR);
    end->size = job->size;
    zmq_setsockopt(end->socket, ZMQ_SNDHWM, &most, sizeof(most));
    zmq_setsockopt(end->socket, ZMQ_RCVHWM, &most, sizeof(most));
    zmq_setsockopt(end->socket, ZMQ_LINGER, &linger, sizeof(linger));
    if ((side == SIDE_A ? zmq_bind : zmq_connect)(end->socket, name) < 0)
        channel_die("bench: zeromq: %s: %s", name, zmq_strerror(zmq_errno()));
    return end;
}

static void
send_end(void *context, uint64_t seed)
{
    struct end *end = context;
    zmq_msg_t message;

    if (zmq_msg_init_size(&message, end->size) < 0)
        channel_die("bench: zeromq: no memory");
    channel_fill(zmq_msg_data(&message), end->size, seed);
    if (zmq_msg_send(&message, end->socket, 0) < 0)
        channel_die("bench: zeromq: send: %s", zmq_strerror(zmq_errno()));
}

static uint64_t
receive_end(void *context)
{
    struct end *end = context;
    zmq_msg_t message;
    uint64_t sum;

    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, end->socket, 0) < 0)
        channel_die("bench: zeromq: receive: %s", zmq_strerror(zmq_errno()));
    sum = channel_sum(zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
    return sum;
}

static void
close_end(void *context)
{
    struct end *end = context;

    zmq_close(end->socket);
    zmq_ctx_term(end->context);
}

const struct channel_peer channel_zeromq = {
    .name = "ZeroMQ ipc PAIR",
    .clean = clean,
    .open = open_end,
    .send = send_end,
    .receive = receive_end,
    .close = close_end,
};
