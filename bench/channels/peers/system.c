/*
 * system.c - what the kernel has: pipe, Unix sockets, POSIX message queue.
 * They copy: the payload is written into a buffer and read from one.
 */
#include "channels/peers/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel takes so much by default; more slots need a privilege. */
enum { MQ_SLOTS = 10, MQ_SIZE = 8192, PIPE_SIZE = 1 << 20, SEQPACKET_SIZE = 65536 };

struct end {
    int out, in;
    size_t size;
    unsigned char *buffer;
};

static struct end *
make_end(const struct channel_job *job, int out, int in)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){out, in, job->size, channel_memory(job->size)};
    return end;
}

/*
 * What is a stream of bytes.
 */

static void
send_bytes(void *context, uint64_t seed)
{
    struct end *end = context;
    size_t done = 0;

    channel_fill(end->buffer, end->size, seed);
    while (done < end->size) {
        ssize_t n = write(end->out, end->buffer + done, end->size - done);

        if (n < 0 && errno != EINTR)
            channel_die("bench: write: %s", strerror(errno));
        done += n < 0 ? 0 : (size_t)n;
    }
}

static uint64_t
receive_bytes(void *context)
{
    struct end *end = context;
    size_t done = 0;

    while (done < end->size) {
        ssize_t n = read(end->in, end->buffer + done, end->size - done);

        if (n == 0 || (n < 0 && errno != EINTR))
            channel_die("bench: read: %s", n == 0 ? "the end" : strerror(errno));
        done += n < 0 ? 0 : (size_t)n;
    }
    return channel_sum(end->buffer, end->size);
}

static void
close_ends(struct channel_job *job)
{
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            if (job->pipes[i][k] > 0)
                close(job->pipes[i][k]);
}

static int
prepare_pipes(struct channel_job *job)
{
    for (int i = 0; i < 2; i++) {
        if (pipe(job->pipes[i]) < 0) {
            perror("bench: pipe");
            return -1;
        }
        fcntl(job->pipes[i][1], F_SETPIPE_SZ, PIPE_SIZE);
    }
    return 0;
}

static void *
open_pipe(struct channel_job *job, enum channel_side side)
{
    return make_end(job, job->pipes[side][1], job->pipes[1 - side][0]);
}

const struct channel_peer channel_pipe = {
    .name = "pipe",
    .prepare = prepare_pipes,
    .clean = close_ends,
    .open = open_pipe,
    .send = send_bytes,
    .receive = receive_bytes,
};

static int
prepare_pair(struct channel_job *job, int type)
{
    if (socketpair(AF_UNIX, type, 0, job->pipes[0]) < 0) {
        perror("bench: socketpair");
        return -1;
    }
    return 0;
}

static int
prepare_stream(struct channel_job *job)
{
    return prepare_pair(job, SOCK_STREAM);
}

static int
prepare_seqpacket(struct channel_job *job)
{
    return prepare_pair(job, SOCK_SEQPACKET);
}

static void *
open_socket(struct channel_job *job, enum channel_side side)
{
    return make_end(job, job->pipes[0][side], job->pipes[0][side]);
}

const struct channel_peer channel_stream = {
    .name = "Unix socket, stream",
    .prepare = prepare_stream,
    .clean = close_ends,
    .open = open_socket,
    .send = send_bytes,
    .receive = receive_bytes,
};

const struct channel_peer channel_seqpacket = {
    .name = "Unix socket, seqpacket",
    .largest = SEQPACKET_SIZE,
    .prepare = prepare_seqpacket,
    .clean = close_ends,
    .open = open_socket,
    .send = send_bytes,
    .receive = receive_bytes,
};

/*
 * POSIX message queues, one for each direction.
 */

static void
name_mq(const struct channel_job *job, int direction, char *name, size_t space)
{
    snprintf(name, space, "/%s-%d", job->name, direction);
}

static int
prepare_mq(struct channel_job *job)
{
    struct mq_attr attributes = {.mq_maxmsg = MQ_SLOTS, .mq_msgsize = (long)job->size};
    char name[80];

    for (int i = 0; i < 2; i++) {
        mqd_t queue;

        name_mq(job, i, name, sizeof(name));
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
        if (queue < 0) {
            perror("bench: mq_open");
            return -1;
        }
        mq_close(queue);
    }
    return 0;
}

static void
clean_mq(struct channel_job *job)
{
    char name[80];

    for (int i = 0; i < 2; i++) {
        name_mq(job, i, name, sizeof(name));
        mq_unlink(name);
    }
}

static void *
open_mq(struct channel_job *job, enum channel_side side)
{
    char out[80], in[80];
    struct end *end;

    name_mq(job, side == SIDE_A ? 0 : 1, out, sizeof(out));
    name_mq(job, side == SIDE_A ? 1 : 0, in, sizeof(in));
    end = make_end(job, mq_open(out, O_WRONLY), mq_open(in, O_RDONLY));
    if (end->out < 0 || end->in < 0)
        channel_die("bench: mq_open: %s", strerror(errno));
    return end;
}

static void
send_mq(void *context, uint64_t seed)
{
    struct end *end = context;

    channel_fill(end->buffer, end->size, seed);
    if (mq_send(end->out, (const char *)end->buffer, end->size, 0) < 0)
        channel_die("bench: mq_send: %s", strerror(errno));
}

static uint64_t
receive_mq(void *context)
{
    struct end *end = context;

    if (mq_receive(end->in, (char *)end->buffer, end->size, NULL) < 0)
        channel_die("bench: mq_receive: %s", strerror(errno));
    return channel_sum(end->buffer, end->size);
}

const struct channel_peer channel_mq = {
    .name = "POSIX message queue",
    .largest = MQ_SIZE,
    .prepare = prepare_mq,
    .clean = clean_mq,
    .open = open_mq,
    .send = send_mq,
    .receive = receive_mq,
};
