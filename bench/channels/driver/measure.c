/*
 * measure.c - one measurement: two processes on two processors open a channel, play
 * round trips, then one streams to the other. Before and after they send two bare cache
 * lines to and fro, which measures the distance of the two processors at that moment: a
 * host moves virtual processors about.
 */
#include "channels/driver/measure.h"

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "channels/processes.h"

enum { RAW_TRIPS = 20000, TIMEOUT_MS = 30000, MESSAGES_PER_CHECK = 16 };

/* What the two have in common besides their channel. */
struct slot {
    alignas(128) _Atomic uint64_t ping;
    alignas(128) _Atomic uint64_t pong;
    alignas(128) _Atomic uint32_t arrived; /* at the barriers, by both together */
    alignas(128) _Atomic uint64_t last;    /* number of the stream's last message */
    alignas(128) struct channel_histogram raw[3];
    struct channel_result result;
    int64_t stream_start;
    const struct channel_peer *peer;
    struct channel_job *job;
    const struct channel_plan *plan;
};

struct seat {
    struct slot *slot;
    enum channel_side side;
};

/*
 * The two at work.
 */

static void
meet(struct slot *slot)
{
    uint32_t number = atomic_fetch_add(&slot->arrived, 1);

    while (atomic_load(&slot->arrived) < number / 2 * 2 + 2)
        sched_yield();
}

static void
play_raw(struct slot *slot, enum channel_side side, struct channel_histogram *trips,
         int times)
{
    meet(slot);
    for (uint64_t i = 1; i <= (uint64_t)times; i++) {
        uint64_t start = channel_ticks();

        if (side == SIDE_A)
            atomic_store_explicit(&slot->ping, i, memory_order_release);
        while (atomic_load_explicit(side == SIDE_A ? &slot->pong : &slot->ping,
                                    memory_order_acquire) != i)
            continue;
        if (side == SIDE_B)
            atomic_store_explicit(&slot->pong, i, memory_order_release);
        else
            histogram_add(trips, channel_ticks() - start);
    }
    meet(slot);
    atomic_store(side == SIDE_A ? &slot->pong : &slot->ping, 0);
    meet(slot);
}

static void
check_sum(const struct slot *slot, uint64_t sum, uint64_t seed)
{
    if (sum != channel_expected(slot->job->size, seed))
        channel_die("bench: %s: message %llu is not what was sent", slot->peer->name,
                    (unsigned long long)seed);
}

/* Be busy with something else for `ticks`. */
static void
work(uint64_t ticks)
{
    uint64_t start = channel_ticks();

    while (channel_ticks() - start < ticks)
        continue;
}

static uint64_t
work_ticks(const struct slot *slot)
{
    return (uint64_t)(slot->plan->work_us * 1000 / channel_ns_per_tick());
}

static void
ask(struct slot *slot, void *end, int times, struct channel_histogram *trips)
{
    const struct channel_peer *peer = slot->peer;
    uint64_t ticks = work_ticks(slot);

    for (uint64_t i = 0; i < (uint64_t)times; i++) {
        uint64_t start, sum;

        work(ticks);
        start = channel_ticks();
        peer->send(end, i);
        sum = peer->receive(end);
        histogram_add(trips, channel_ticks() - start - ticks);
        check_sum(slot, sum, i);
    }
}

static void
reply(struct slot *slot, void *end, int times)
{
    const struct channel_peer *peer = slot->peer;
    uint64_t ticks = work_ticks(slot);

    for (uint64_t i = 0; i < (uint64_t)times; i++) {
        uint64_t sum = peer->receive(end);

        work(ticks);
        peer->send(end, i);
        check_sum(slot, sum, i);
    }
}

/* A signal has no payload, and counts by itself: one game only, from 0. */
static void
play_round_trips(struct slot *slot, void *end, enum channel_side side)
{
    int warm_up =
        slot->peer->load == CHANNEL_LOAD_SIGNAL ? 0 : slot->plan->round_trips / 10;

    if (side == SIDE_A) {
        ask(slot, end, warm_up, &slot->result.round_trips);
        memset(&slot->result.round_trips, 0, sizeof(slot->result.round_trips));
        ask(slot, end, slot->plan->round_trips, &slot->result.round_trips);
    } else {
        reply(slot, end, warm_up);
        reply(slot, end, slot->plan->round_trips);
    }
}

/* The last message's number is written before it is sent, so that the reader sees it. */
static void
stream_out(struct slot *slot, void *end)
{
    void (*send)(void *, uint64_t) = slot->peer->send;
    int64_t start = bench_now(), stop = start + slot->plan->stream_ms * 1000000LL;
    uint64_t i = 0;

    slot->stream_start = start;
    do {
        for (int k = 0; k < MESSAGES_PER_CHECK; k++)
            send(end, i++);
    } while (bench_now() < stop);
    atomic_store_explicit(&slot->last, i, memory_order_release);
    send(end, i);
}

static void
stream_in(struct slot *slot, void *end)
{
    uint64_t (*receive)(void *) = slot->peer->receive;
    uint64_t i = 0;

    do
        check_sum(slot, receive(end), i);
    while (i++ != atomic_load_explicit(&slot->last, memory_order_acquire));
    slot->result.stream_ns = bench_now() - slot->stream_start;
    slot->result.messages = i;
}

static void
take_part(void *context)
{
    struct seat *seat = context;
    struct slot *slot = seat->slot;
    const struct channel_peer *peer = slot->peer;
    void *end;

    channel_pin(seat->side);
    end = peer->open(slot->job, seat->side);
    meet(slot);
    play_raw(slot, seat->side, &slot->raw[0], RAW_TRIPS);
    if (slot->plan->round_trips > 0)
        play_round_trips(slot, end, seat->side);
    play_raw(slot, seat->side, &slot->raw[1], RAW_TRIPS);
    if (slot->plan->stream_ms > 0 && seat->side == SIDE_A)
        stream_out(slot, end);
    else if (slot->plan->stream_ms > 0)
        stream_in(slot, end);
    play_raw(slot, seat->side, &slot->raw[2], RAW_TRIPS);
    if (peer->close != NULL)
        peer->close(end);
}

/*
 * From the outside.
 */

static int
run_both(struct slot *slot)
{
    struct seat seats[2] = {{slot, SIDE_A}, {slot, SIDE_B}};
    pid_t a = channel_start(take_part, &seats[0]),
          b = channel_start(take_part, &seats[1]);
    int rc = channel_await(a, TIMEOUT_MS);

    return channel_await(b, rc < 0 ? 100 : TIMEOUT_MS) < 0 ? -1 : rc;
}

static double
raw_ns(const struct slot *slot, int which)
{
    return histogram_quantile(&slot->raw[which], 0.5) * channel_ns_per_tick();
}

static int
measure_prepared(const struct channel_peer *peer, struct channel_job *job,
                 const struct channel_plan *plan, struct channel_result *result)
{
    struct slot *slot = bench_share(sizeof(*slot));
    int rc;

    atomic_store(&slot->last, UINT64_MAX);
    slot->peer = peer;
    slot->job = job;
    slot->plan = plan;
    rc = run_both(slot);
    for (int i = 0; i < 3; i++)
        slot->result.raw_ns[i] = raw_ns(slot, i);
    *result = slot->result;
    munmap(slot, sizeof(*slot));
    return rc;
}

int
channel_measure(const struct channel_peer *peer, struct channel_job *job,
                const struct channel_plan *plan, struct channel_result *result)
{
    size_t shared = peer->share != NULL ? peer->share(job) : 0;
    int rc = -1;

    job->shared = shared > 0 ? bench_share(shared) : NULL;
    if (shared > 0)
        memset(job->shared, 0, shared); /* its pages are there from now on */
    if (peer->prepare == NULL || peer->prepare(job) == 0)
        rc = measure_prepared(peer, job, plan, result);
    if (peer->clean != NULL)
        peer->clean(job);
    if (shared > 0)
        munmap(job->shared, shared);
    if (rc < 0)
        fprintf(stderr, "bench: %s, %zu bytes: no figure\n", peer->name, job->size);
    return rc;
}
