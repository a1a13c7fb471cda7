/*
 * raw.c - the limits: two cache lines that go to and fro, and a futex; and the
 * bare ring, which is as little as a stream between two processes can be.
 */
#include "channels/peers/peers.h"

#include <linux/futex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Two words, each in its own lines: A writes one, B the other. A
 * message is a number; there is no payload, whatever the size.
 */

struct words {
    alignas(128) _Atomic uint64_t ping;
    alignas(128) _Atomic uint64_t pong;
    alignas(128) _Atomic uint32_t ping_doorbell;
    alignas(128) _Atomic uint32_t pong_doorbell;
};

struct words_end {
    _Atomic uint64_t *mine, *theirs;
    _Atomic uint32_t *my_doorbell, *their_doorbell;
    uint64_t sent, received;
    size_t size;
};

static size_t
share_words(const struct channel_job *job)
{
    (void)job;
    return sizeof(struct words);
}

static void *
open_words(struct channel_job *job, enum channel_side side)
{
    struct words_end *end = channel_memory(sizeof(*end));
    struct words *words = job->shared;

    *end = (struct words_end){
        .mine = side == SIDE_A ? &words->ping : &words->pong,
        .theirs = side == SIDE_A ? &words->pong : &words->ping,
        .my_doorbell = side == SIDE_A ? &words->ping_doorbell : &words->pong_doorbell,
        .their_doorbell =
            side == SIDE_A ? &words->pong_doorbell : &words->ping_doorbell,
        .size = job->size,
    };
    return end;
}

static void
send_line(void *context, uint64_t seed)
{
    struct words_end *end = context;

    (void)seed;
    atomic_store_explicit(end->mine, ++end->sent, memory_order_release);
}

static uint64_t
receive_line(void *context)
{
    struct words_end *end = context;

    end->received++;
    while (atomic_load_explicit(end->theirs, memory_order_acquire) != end->received)
        continue;
    return channel_expected(end->size, end->received - 1);
}

const struct channel_peer channel_line = {
    .name = "raw: two cache lines",
    .load = CHANNEL_LOAD_SIGNAL,
    .share = share_words,
    .open = open_words,
    .send = send_line,
    .receive = receive_line,
};

static void
send_futex(void *context, uint64_t seed)
{
    struct words_end *end = context;

    (void)seed;
    atomic_store_explicit(end->my_doorbell, 1, memory_order_release);
    syscall(SYS_futex, end->my_doorbell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint64_t
receive_futex(void *context)
{
    struct words_end *end = context;

    end->received++;
    while (atomic_exchange_explicit(end->their_doorbell, 0, memory_order_acquire) == 0)
        syscall(SYS_futex, end->their_doorbell, FUTEX_WAIT, 0, NULL, NULL, 0);
    return channel_expected(end->size, end->received - 1);
}

const struct channel_peer channel_futex = {
    .name = "raw: futex",
    .load = CHANNEL_LOAD_SIGNAL,
    .share = share_words,
    .open = open_words,
    .send = send_futex,
    .receive = receive_futex,
};

/*
 * The bare ring: one writer and one reader; the indices in their own lines, the
 * payload inside, and each side keeps what it last saw of the other's index (Lamport's
 * queue with the cached indices of Lee, Bu and Chandranmenon's MCRingBuffer). A slot
 * has the geometry of mmf's slots: a line with the length, and the payload in it, too,
 * if it is short; else from the next line on. The packed ring has no lines, only
 * 8 bytes of length and then the payload: the densest there can be.
 */

enum { SHORT = 48, LINE = 64 };

struct ring {
    alignas(128) _Atomic uint64_t tail; /* messages ever written */
    alignas(128) _Atomic uint64_t head; /* messages ever read */
    alignas(128) unsigned char slots[];
};

struct ring_end {
    struct ring *out, *in;
    size_t size, stride, offset;
    uint64_t mask;
    alignas(128) uint64_t tail, seen_head; /* of `out` */
    alignas(128) uint64_t head, seen_tail; /* of `in` */
};

static size_t
packed_stride(const struct channel_job *job)
{
    return 8 + job->size;
}

static size_t
aligned_stride(const struct channel_job *job)
{
    return job->size <= SHORT ? LINE : LINE + (job->size + LINE - 1) / LINE * LINE;
}

static size_t
ring_size(const struct channel_job *job, size_t stride)
{
    return sizeof(struct ring) + (job->slots * stride + 4095) / 4096 * 4096;
}

static size_t
share_rings(const struct channel_job *job)
{
    return 2 * ring_size(job, aligned_stride(job));
}

static size_t
share_packed_rings(const struct channel_job *job)
{
    return 2 * ring_size(job, packed_stride(job));
}

/* What went before is continued: of a killed predecessor only the indices count. */
static void *
open_ring_end(struct channel_job *job, enum channel_side side, size_t stride,
              size_t offset)
{
    struct ring_end *end = channel_memory(sizeof(*end));
    unsigned char *rings = job->shared;
    struct ring *ping = (void *)rings, *pong = (void *)(rings + ring_size(job, stride));

    memset(end, 0, sizeof(*end));
    end->out = side == SIDE_A ? ping : pong;
    end->in = side == SIDE_A ? pong : ping;
    end->size = job->size;
    end->stride = stride;
    end->offset = offset;
    end->mask = job->slots - 1;
    end->tail = atomic_load(&end->out->tail);
    end->seen_head = atomic_load(&end->out->head);
    end->head = atomic_load(&end->in->head);
    end->seen_tail = end->head;
    return end;
}

static void *
open_ring(struct channel_job *job, enum channel_side side)
{
    return open_ring_end(job, side, aligned_stride(job), job->size <= SHORT ? 8 : LINE);
}

static void *
open_packed_ring(struct channel_job *job, enum channel_side side)
{
    return open_ring_end(job, side, packed_stride(job), 8);
}

static void
send_ring(void *context, uint64_t seed)
{
    struct ring_end *end = context;
    struct ring *ring = end->out;
    unsigned char *slot = ring->slots + (end->tail & end->mask) * end->stride;

    while (end->tail - end->seen_head > end->mask) {
        end->seen_head = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (end->tail - end->seen_head > end->mask)
            channel_pause();
    }
    *(channel_word *)slot = end->size;
    channel_fill(slot + end->offset, end->size, seed);
    atomic_store_explicit(&ring->tail, ++end->tail, memory_order_release);
}

static uint64_t
receive_ring(void *context)
{
    struct ring_end *end = context;
    struct ring *ring = end->in;
    const unsigned char *slot = ring->slots + (end->head & end->mask) * end->stride;
    uint64_t sum;

    while (end->seen_tail == end->head) {
        end->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (end->seen_tail == end->head)
            channel_pause();
    }
    sum = channel_sum(slot + end->offset, *(const channel_word *)slot);
    atomic_store_explicit(&ring->head, ++end->head, memory_order_release);
    return sum;
}

const struct channel_peer channel_bare = {
    .name = "bare ring",
    .share = share_rings,
    .open = open_ring,
    .send = send_ring,
    .receive = receive_ring,
};

const struct channel_peer channel_bare_packed = {
    .name = "bare ring, packed",
    .share = share_packed_rings,
    .open = open_packed_ring,
    .send = send_ring,
    .receive = receive_ring,
};
