/*
 * cost_mmf.c - what one process pays for mmf alone: an idle read of a latest value, and
 * sending to subscribers that do not read, or that another process reads in turn.
 */
#include "channels/driver/cost_mmf.h"

#include <mmf/mmf.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "channels/channel.h"
#include "channels/driver/cost.h"
#include "channels/processes.h"
#include "channels/report/record.h"
#include "channels/sizes.h"

enum { MOST_SUBSCRIBERS = 16 };

/*
 * A read while no process writes.
 */

struct idle {
    mmf_latest *value;
    void *buffer;
    size_t size;
};

static void
read_idle(void *context)
{
    struct idle *idle = context;
    uint64_t version;
    size_t length;

    bench_mmf(
        mmf_latest_receive(idle->value, idle->buffer, idle->size, &length, &version),
        "read");
    BENCH_USED(idle->buffer);
}

static void
take_idle(void *context)
{
    struct idle *idle = context;
    mmf_message message;

    bench_mmf(mmf_latest_take(idle->value, &message), "take");
    memcpy(idle->buffer, message.bytes, message.length);
    bench_mmf(mmf_latest_release(idle->value), "release");
    BENCH_USED(idle->buffer);
}

void
channel_latest_costs(size_t size, void *buffer)
{
    struct idle idle = {NULL, buffer, size};

    bench_mmf(mmf_latest_create_or_open("idle", idle.size, NULL, NULL, &idle.value),
              "create a latest value");
    bench_mmf(mmf_latest_send(idle.value, buffer, idle.size, NULL), "write");
    channel_cost(SINGLE_LATEST_READ, size, read_idle, &idle);
    channel_cost(SINGLE_LATEST_TAKE, size, take_idle, &idle);
    mmf_latest_close(idle.value);
}

/*
 * Sending to a topic.
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

    bench_mmf(mmf_topic_reserve(publisher->topic, publisher->size, 0, &bytes),
              "reserve");
    channel_fill(bytes, publisher->size, publisher->seed++);
    bench_mmf(mmf_topic_commit(publisher->topic, publisher->size, NULL), "commit");
}

static mmf_topic *
join(size_t size, mmf_role role)
{
    mmf_channel_options options;
    mmf_topic *topic;

    mmf_channel_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_SPIN;
    bench_mmf(mmf_topic_create_or_open("audience", size, channel_slots(size),
                                       MMF_OVERFLOW_DROP_OLDEST, &options, NULL,
                                       &topic),
              "create");
    return topic;
}

/* Subscribe several times, then read for each in turn, or not at all. */
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
        BENCH_USED(channel_sum(message.bytes, message.length));
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
