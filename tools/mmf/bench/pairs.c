/* bench_pairs.c - mmf's half of what is compared, see bench.h. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "os/os.h"

struct bench_stage bench_stage;

static mmf_accessor *view;
static mmf_mutex *mutex;
static mmf_event *event, *ping, *pong;

static void
accessor_values(int64_t count)
{
    int32_t value = 0;

    for (int64_t i = 0; i < count; i++) {
        mmf_accessor_read_int32(view, (i & 1023) * 4, &value);
        mmf_accessor_write_int32(view, (i & 1023) * 4, value + 1);
    }
}

static void
accessor_blocks(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        mmf_accessor_write_array(view, 0, bench_stage.block, 1, BENCH_BLOCK);
}

static void
own_mutex(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_mutex_wait(mutex, MMF_INFINITE);
        mmf_mutex_release(mutex);
    }
}

static void
own_event(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_event_set(event);
        mmf_event_wait(event, MMF_INFINITE);
    }
}

static void
own_ping_pong(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_event_set(ping);
        if (mmf_event_wait(pong, 10000) != MMF_OK)
            say_and_exit(TOOL_FAILED, "the partner does not reply");
    }
}

static void
own_open(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_map *map;

        say_check(mmf_map_open_existing(bench_stage.name, NULL, &map));
        mmf_map_close(map);
    }
}

static void
own_create(int64_t count)
{
    char name[80];

    snprintf(name, sizeof(name), "%s new", bench_stage.name);
    for (int64_t i = 0; i < count; i++) {
        mmf_map *map;

        say_check(mmf_map_create_new(name, 4096, NULL, &map));
        mmf_map_close(map);
    }
}

/*
 * Channels: one thread sends and receives.
 */

static mmf_queue *queue_in, *queue_out;
static mmf_topic *topic_in, *topic_out;
static mmf_latest *latest_in, *latest_out;

static void
own_queue(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};
    size_t length;

    for (int64_t i = 0; i < count; i++) {
        mmf_queue_send(queue_in, bytes, sizeof(bytes), MMF_INFINITE, NULL);
        mmf_queue_receive(queue_out, bytes, sizeof(bytes), MMF_INFINITE, &length, NULL);
    }
}

static void
own_topic(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};
    size_t length;

    for (int64_t i = 0; i < count; i++) {
        mmf_topic_send(topic_in, bytes, sizeof(bytes), MMF_INFINITE, NULL);
        mmf_topic_receive(topic_out, bytes, sizeof(bytes), MMF_INFINITE, &length, NULL);
    }
}

static void
own_latest(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};
    uint64_t version = 0;
    size_t length;

    for (int64_t i = 0; i < count; i++) {
        mmf_latest_send(latest_in, bytes, sizeof(bytes), NULL);
        mmf_latest_receive(latest_out, bytes, sizeof(bytes), &length, &version);
    }
}

static void
make_channels(void)
{
    mmf_channel_options in = {.size = sizeof(in), .role = MMF_ROLE_SEND};
    mmf_channel_options out = {.size = sizeof(out), .role = MMF_ROLE_RECEIVE};
    char name[80];

    snprintf(name, sizeof(name), "%s queue", bench_stage.name);
    say_check(mmf_queue_create_new(name, BENCH_MESSAGE, 64, MMF_OVERFLOW_BLOCK, &in,
                                   &queue_in));
    say_check(mmf_queue_open_existing(name, &out, &queue_out));
    snprintf(name, sizeof(name), "%s topic", bench_stage.name);
    say_check(mmf_topic_create_new(name, BENCH_MESSAGE, 64, MMF_OVERFLOW_BLOCK, &in,
                                   &topic_in));
    say_check(mmf_topic_open_existing(name, &out, &topic_out));
    snprintf(name, sizeof(name), "%s latest", bench_stage.name);
    say_check(mmf_latest_create_new(name, BENCH_MESSAGE, &in, &latest_in));
    say_check(mmf_latest_open_existing(name, &out, &latest_out));
}

static void
close_channels(void)
{
    mmf_queue_close(queue_in);
    mmf_queue_close(queue_out);
    mmf_topic_close(topic_in);
    mmf_topic_close(topic_out);
    mmf_latest_close(latest_in);
    mmf_latest_close(latest_out);
}

const struct bench_pair bench_pairs[BENCH_PAIRS] = {
    [BENCH_VALUES] = {"read and write an int32", accessor_values, 0},
    [BENCH_BLOCKS] = {"write an array of 1 MiB", accessor_blocks, BENCH_BLOCK},
    [BENCH_MUTEX] = {"take and release a mutex", own_mutex, 0},
    [BENCH_EVENT] = {"set and take an event", own_event, 0},
    [BENCH_ROUND_TRIP] = {"round trip of two processes", own_ping_pong, 0},
    [BENCH_OPEN] = {"open and close a name", own_open, 0},
    [BENCH_CREATE] = {"create and close a name", own_create, 0},
    [BENCH_QUEUE] = {"send and receive, a queue", own_queue, 0},
    [BENCH_TOPIC] = {"send and receive, a topic", own_topic, 0},
    [BENCH_LATEST] = {"send and receive, a latest value", own_latest, 0},
};

/*
 * The partner, another process, opens the names itself.
 */

static mmf_event *
open_event(const char *name, const char *which)
{
    char full[80];
    mmf_event *opened;

    snprintf(full, sizeof(full), "%s %s", name, which);
    say_check(mmf_event_open_existing(full, NULL, &opened));
    return opened;
}

void
bench_answer(const char *name)
{
    mmf_event *asked = open_event(name, "ping");
    mmf_event *answered = open_event(name, "pong");

    for (;;)
        if (mmf_event_wait(asked, MMF_INFINITE) == MMF_OK)
            mmf_event_set(answered);
}

/*
 * The stage.
 */

static mmf_event *
make_event(const char *which)
{
    char name[80];
    mmf_event *made;

    snprintf(name, sizeof(name), "%s %s", bench_stage.name, which);
    say_check(
        mmf_event_create_or_open(name, 0, MMF_EVENT_AUTO_RESET, NULL, NULL, &made));
    return made;
}

void
bench_begin(void)
{
    char name[80];
    void *bytes;

    snprintf(bench_stage.name, sizeof(bench_stage.name), "mmf-bench-%d", os_process());
    say_check(
        mmf_map_create_new(bench_stage.name, BENCH_BLOCK, NULL, &bench_stage.map));
    say_check(
        mmf_accessor_create(bench_stage.map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    say_check(mmf_accessor_pointer(view, &bytes, NULL));
    bench_stage.bytes = bytes;
    bench_stage.block = malloc(BENCH_BLOCK);
    if (bench_stage.block == NULL)
        say_no_memory();
    memset(bench_stage.block, 7, BENCH_BLOCK);
    snprintf(name, sizeof(name), "%s mutex", bench_stage.name);
    say_check(mmf_mutex_create_or_open(name, 0, NULL, NULL, &mutex));
    event = make_event("event");
    ping = make_event("ping");
    pong = make_event("pong");
    make_channels();
}

void
bench_end(void)
{
    mmf_accessor_close(view);
    mmf_map_close(bench_stage.map);
    mmf_mutex_close(mutex);
    mmf_event_close(event);
    mmf_event_close(ping);
    mmf_event_close(pong);
    close_channels();
    free(bench_stage.block);
}
