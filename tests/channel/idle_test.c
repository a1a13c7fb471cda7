/*
 * idle_test.c - many receivers that have nothing to do: two of them tick, for all.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { RECEIVERS = 12, WATCHERS = 2 };

/* In half a second one that ticks wakes 25 times, one that relies on others once. */
enum { INTERVAL_US = 500000, TICKS = 8 };

struct crowd {
    void *(*join)(void);
    void (*receive)(void *channel);
    void *channel; /* of a child */
    pid_t receivers[RECEIVERS];
    long wakes[RECEIVERS]; /* in the last interval */
};

static void
join(void *argument)
{
    struct crowd *crowd = argument;

    crowd->channel = crowd->join();
}

static void
receive(void *argument)
{
    struct crowd *crowd = argument;

    crowd->receive(crowd->channel);
}

/* How often it has slept until now; 0 if it is dead. */
static long
sleeps_of(pid_t pid)
{
    char path[64], line[128];
    long count = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    file = fopen(path, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
            break;
    }
    fclose(file);
    return count;
}

/* How many have ticked in an interval, and which. */
static int
count_ticking(struct crowd *crowd)
{
    long before[RECEIVERS];
    int ticking = 0;

    for (int i = 0; i < RECEIVERS; i++)
        before[i] = sleeps_of(crowd->receivers[i]);
    nap_us(INTERVAL_US);
    for (int i = 0; i < RECEIVERS; i++) {
        crowd->wakes[i] = sleeps_of(crowd->receivers[i]) - before[i];
        ticking += crowd->wakes[i] >= TICKS;
    }
    return ticking;
}

/* On a busy machine a watcher comes late, and another may join in for a while. */
static void
await_watchers(struct crowd *crowd)
{
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;
    int ticking;

    do {
        ticking = count_ticking(crowd);
        CHECK_CONTEXT("%d of %d receivers tick", ticking, RECEIVERS);
        CHECK(now_us() < deadline);
    } while (ticking != WATCHERS);
}

/* Two watch; if both are killed two others do. */
static void
check_crowd(struct crowd *crowd)
{
    for (int i = 0; i < RECEIVERS; i++)
        crowd->receivers[i] = fork_until_killed(join, receive, crowd);
    await_watchers(crowd);
    for (int i = 0; i < RECEIVERS; i++) {
        if (crowd->wakes[i] < TICKS)
            continue;
        fork_kill(crowd->receivers[i]);
        crowd->receivers[i] = fork_until_killed(join, receive, crowd);
    }
    await_watchers(crowd);
    for (int i = 0; i < RECEIVERS; i++)
        fork_kill(crowd->receivers[i]);
}

static void *
join_queue(void)
{
    return open_queue(MMF_ROLE_RECEIVE, 0);
}

static void
receive_number(void *channel)
{
    mmf_message message;

    mmf_queue_take(channel, -1, &message);
}

TEST(of_a_queues_receivers_two_tick)
{
    mmf_queue *queue = new_queue(MMF_ROLE_SEND, 0, 8, 8, MMF_OVERFLOW_BLOCK);
    struct crowd crowd = {.join = join_queue, .receive = receive_number};

    check_crowd(&crowd);
    mmf_queue_close(queue);
}

static void *
subscribe(void)
{
    return join_topic(MMF_ROLE_RECEIVE);
}

static void
receive_topic(void *channel)
{
    mmf_message message;

    mmf_topic_take(channel, -1, &message);
}

TEST(of_a_topics_subscribers_two_tick)
{
    struct crowd crowd = {.join = subscribe, .receive = receive_topic};
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_new("T", 8, 8, MMF_OVERFLOW_BLOCK,
                                  CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), &topic));
    check_crowd(&crowd);
    mmf_topic_close(topic);
}
