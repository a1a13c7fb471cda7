/*
 * nng.c - nng: pair0 over ipc://, filled and read in its own messages.
 */
#include "channels/peers/peers.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <unistd.h>

struct end {
    nng_socket socket;
    size_t size;
};

static void
check(int rc, const char *what)
{
    if (rc != 0)
        channel_die("bench: nng: %s: %s", what, nng_strerror(rc));
}

static void
clean(struct channel_job *job)
{
    char path[96];

    snprintf(path, sizeof(path), "/tmp/%s.nng", job->name);
    unlink(path);
}

static void *
open_end(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));
    int most = job->slots < 128 ? (int)job->slots : 128; /* nng's limit */
    char name[96];

    snprintf(name, sizeof(name), "ipc:///tmp/%s.nng", job->name);
    check(nng_pair0_open(&end->socket), "open");
    check(nng_socket_set_int(end->socket, NNG_OPT_SENDBUF, most), "buffer");
    check(nng_socket_set_int(end->socket, NNG_OPT_RECVBUF, most), "buffer");
    check(nng_socket_set_size(end->socket, NNG_OPT_RECVMAXSZ, 0), "size");
    if (side == SIDE_A)
        check(nng_listen(end->socket, name, NULL, 0), "listen");
    else
        check(nng_dial(end->socket, name, NULL, NNG_FLAG_NONBLOCK), "dial");
    end->size = job->size;
    return end;
}

static void
send_end(void *context, uint64_t seed)
{
    struct end *end = context;
    nng_msg *message;

    check(nng_msg_alloc(&message, end->size), "memory");
    channel_fill(nng_msg_body(message), end->size, seed);
    check(nng_sendmsg(end->socket, message, 0), "send");
}

static uint64_t
receive_end(void *context)
{
    struct end *end = context;
    nng_msg *message;
    uint64_t sum;

    check(nng_recvmsg(end->socket, &message, 0), "receive");
    sum = channel_sum(nng_msg_body(message), nng_msg_len(message));
    nng_msg_free(message);
    return sum;
}

static void
close_end(void *context)
{
    struct end *end = context;

    nng_close(end->socket);
}

const struct channel_peer channel_nng = {
    .name = "nng ipc pair0",
    .clean = clean,
    .open = open_end,
    .send = send_end,
    .receive = receive_end,
    .close = close_end,
};
