/*
 * channels_topic.c - mmf's topic: beside queues with one subscriber who holds the
 * publisher; and what publishing costs by itself, to subscribers who do not read, or
 * who are read in turn by another process.
 */
#include "channels_mmf.h"

#include <mmf/topic.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "channels_slot.h"
#include "channels_single.h"
#include "channels_ways.h"

enum { MOST_SUBSCRIBERS = 16 };

struct end {
    mmf_topic *out, *in;
    int64_t size;
};

static void *
open_topic(struct channel_job *job, enum channel_side side)
{
    struct end *end = channel_memory(sizeof(*end));

    *end = (struct end){.size = (int64_t)job->size};
    for (int direction = SIDE_A; direction <= SIDE_B; direction++) {
        mmf_channel_options options;
        char name[80];

        channel_mmf_choose(job, side, direction, 0, &options, name);
        channel_mmf_check(
            mmf_topic_create_or_open(name, end->size, (int64_t)job->slots, MMF_OVERFLOW_BLOCK,
                             &options, NULL,
                             (int)side == direction ? &end->out : &end->in),
            "create a topic");
    }
    return end;
}

static void
send_topic(void *context, uint64_t seed)
{
    struct end *end = context;
    void *bytes;

    channel_mmf_check(mmf_topic_reserve(end->out, end->size, MMF_INFINITE, &bytes),
                      "reserve");
    channel_fill(bytes, (size_t)end->size, seed);
    channel_mmf_check(mmf_topic_commit(end->out, end->size, NULL), "commit");
}

static uint64_t
receive_topic(void *context)
{
    struct end *end = context;
    mmf_message message;
    uint64_t sum;

    channel_mmf_check(mmf_topic_take(end->in, MMF_INFINITE, &message), "peek");
    sum = channel_sum(message.bytes, (size_t)message.length);
    channel_mmf_check(mmf_topic_release(end->in), "release");
    return sum;
}

static void
close_topic(void *context)
{
    struct end *end = context;

    mmf_topic_close(end->out);
    mmf_topic_close(end->in);
}

const struct channel_peer channel_mmf_topic = {
    .name = "mmf topic",
    .open = open_topic,
    .send = send_topic,
    .receive = receive_topic,
    .close = close_topic,
};

/*
 * Publishing.
 */

struct audience {
    const char *name;
    int subscribers;
    size_t size;
    int ready;
};

struct publisher {
    mmf_topic *topic;
    size_t size;
    uint64_t seed;
};

static void
publish(void *context)
{
    struct publisher *publisher = context;
    void *bytes;

    bench_mmf(mmf_topic_reserve(publisher->topic, (int64_t)publisher->size, 0, &bytes),
              "reserve");
    channel_fill(bytes, publisher->size, publisher->seed++);
    bench_mmf(mmf_topic_commit(publisher->topic, (int64_t)publisher->size, NULL), "commit");
}

static mmf_topic *
join(size_t size, mmf_role role)
{
    mmf_channel_options options;
    mmf_topic *topic;

    mmf_channel_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_SPIN;
    bench_mmf(mmf_topic_create_or_open("audience", (int64_t)size, (int64_t)channel_slots(size),
                               MMF_OVERFLOW_DROP_OLDEST, &options, NULL, &topic),
              "create");
    return topic;
}

/* Subscribe so many times, then read for each in turn, or not at all. */
static void
be_audience(void *context, int reading)
{
    const struct audience *audience = context;
    mmf_topic *topics[MOST_SUBSCRIBERS];
    mmf_message message;

    channel_pin(SIDE_B);
    for (int i = 0; i < audience->subscribers; i++)
        topics[i] = join(audience->size, MMF_ROLE_RECEIVE);
    if (write(audience->ready, "", 1) != 1)
        return;
    while (!reading)
        pause();
    for (int i = 0;; i = (i + 1) % audience->subscribers) {
        if (mmf_topic_take(topics[i], 0, &message) != MMF_OK)
            continue;
        BENCH_USED(channel_sum(message.bytes, (size_t)message.length));
        bench_mmf(mmf_topic_release(topics[i]), "release");
    }
}

static void
be_idle_audience(void *context)
{
    be_audience(context, 0);
}

static void
be_reading_audience(void *context)
{
    be_audience(context, 1);
}

static void
publish_to(const char *name, int subscribers, size_t size, int reading)
{
    struct audience audience = {.subscribers = subscribers, .size = size};
    struct publisher publisher = {.size = size};
    int ready[2];
    char byte;
    pid_t process;

    bench_system(pipe(ready), "pipe");
    audience.ready = ready[1];
    publisher.topic = join(size, MMF_ROLE_SEND);
    process =
        channel_start(reading ? be_reading_audience : be_idle_audience, &audience);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        bench_die("bench: no audience");
    channel_cost(name, size, publish, &publisher);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    mmf_topic_close(publisher.topic);
    close(ready[0]);
}

void
channel_topic_costs(size_t size)
{
    publish_to(SINGLE_TOPIC_1, 1, size, 0);
    publish_to(SINGLE_TOPIC_16, 16, size, 0);
    publish_to(SINGLE_TOPIC_1_READING, 1, size, 1);
    publish_to(SINGLE_TOPIC_16_READING, 16, size, 1);
}
