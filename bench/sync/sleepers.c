/*
 * sleepers.c - what a thousand processes that wait use of a processor: for a mutex or an
 * event, whose sleepers check now and then whether an owner still lives, which costs more
 * the more processes hold the object; and at a channel, for a message.
 *
 * The first table is of the middle of the wait, by the kernel's count for each process
 * (/proc/PID/schedstat); the second has the begin and the end of a wait of five seconds
 * with it, of which a process that has just been forked pays most for its first pages.
 *
 * What one waking costs depends on what the machine does besides; so there is a last
 * line for processes that only sleep, a tenth of a second at a time.
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { WAITERS = 1000, WAIT_MS = 5000, ROUNDS = 2, MANY_HOLDERS = 1000 };

/* The middle of the wait. */
enum { IDLE_FROM_MS = 1000, IDLE_MS = 3000 };

/* Percent of one processor, for all waiters together. */
static const double target = 2;

/*
 * Objects and their holders. A process that holds a mutex also owns it.
 */

static void
hold_mutex(void *context)
{
    mmf_mutex *mutex;

    bench_mmf(mmf_mutex_create_or_open(context, 0, NULL, NULL, &mutex), "create");
}

static void
own_mutex(void *context)
{
    mmf_mutex *mutex;

    bench_mmf(mmf_mutex_create_or_open(context, 1, NULL, NULL, &mutex), "create");
}

static void
hold_event(void *context)
{
    mmf_event *event;

    bench_mmf(
        mmf_event_create_or_open(context, 0, MMF_EVENT_AUTO_RESET, NULL, NULL, &event),
        "create");
}

/* Channels, which the waiters open as receivers. */
static const mmf_channel_options channel_options = {.size = sizeof(mmf_channel_options),
                                                    .max_receivers = 1024};
static const mmf_channel_options receiver_options = {
    .size = sizeof(mmf_channel_options), .role = MMF_ROLE_RECEIVE};

static void
hold_queue(void *context)
{
    mmf_queue *queue;

    bench_mmf(mmf_queue_create_new(context, 8, 16, MMF_OVERFLOW_BLOCK, &channel_options,
                                   &queue),
              "create");
}

static void
hold_topic(void *context)
{
    mmf_topic *topic;

    bench_mmf(mmf_topic_create_new(context, 8, 16, MMF_OVERFLOW_BLOCK, &channel_options,
                                   &topic),
              "create");
}

static void
hold_latest(void *context)
{
    mmf_latest *latest;

    bench_mmf(mmf_latest_create_new(context, 8, &channel_options, &latest), "create");
}

/*
 * Waits of WAIT_MS, for what never comes.
 */

typedef int wait_function(void *object);

static int
wait_one(void *object)
{
    return mmf_wait_one(object, WAIT_MS);
}

static int
wait_at_queue(void *object)
{
    mmf_message message;

    return mmf_queue_take(object, WAIT_MS, &message);
}

static int
wait_at_topic(void *object)
{
    mmf_message message;

    return mmf_topic_take(object, WAIT_MS, &message);
}

static int
wait_at_latest(void *object)
{
    return mmf_latest_wait(object, 0, WAIT_MS);
}

static int
only_sleep(void *object)
{
    static const struct timespec nap = {.tv_nsec = 100000000};

    (void)object;
    for (int slept = 0; slept < WAIT_MS; slept += 100)
        nanosleep(&nap, NULL);
    return MMF_TIMED_OUT;
}

static void *
open_mutex(const char *name)
{
    mmf_mutex *mutex;

    bench_mmf(mmf_mutex_open_existing(name, NULL, &mutex), "open");
    return mmf_mutex_waitable(mutex);
}

static void *
open_event(const char *name)
{
    mmf_event *event;

    bench_mmf(mmf_event_open_existing(name, NULL, &event), "open");
    return mmf_event_waitable(event);
}

static void *
open_queue(const char *name)
{
    mmf_queue *queue;

    bench_mmf(mmf_queue_open_existing(name, &receiver_options, &queue), "open");
    return queue;
}

static void *
open_topic(const char *name)
{
    mmf_topic *topic;

    bench_mmf(mmf_topic_open_existing(name, &receiver_options, &topic), "open");
    return topic;
}

static void *
open_latest(const char *name)
{
    mmf_latest *latest;

    bench_mmf(mmf_latest_open_existing(name, &receiver_options, &latest), "open");
    return latest;
}

struct way {
    const char *name;
    char object[16];
    void (*first)(void *context);    /* the first holder's part */
    void (*hold)(void *context);     /* the others' */
    void *(*open)(const char *name); /* NULL: no object */
    wait_function *wait;
    int holders;
};

static struct way ways[] = {
    {"mutex, 1 other holder", "few", own_mutex, hold_mutex, open_mutex, wait_one, 1},
    {"mutex, 1,000 other holders", "many", own_mutex, hold_mutex, open_mutex, wait_one,
     MANY_HOLDERS},
    {"event, 1,000 other holders", "event", hold_event, hold_event, open_event,
     wait_one, MANY_HOLDERS},
    {"queue, receivers", "queue", hold_queue, NULL, open_queue, wait_at_queue, 1},
    {"topic, subscribers", "topic", hold_topic, NULL, open_topic, wait_at_topic, 1},
    {"latest value, readers", "latest", hold_latest, NULL, open_latest, wait_at_latest,
     1},
    {"nothing: sleeps of 100 ms", "nothing", NULL, NULL, NULL, only_sleep, 0},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/*
 * Waiters.
 */

static double
seconds_used(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Says when it is ready, waits for `go` to be closed, waits for the object, reports. */
static void
be_waiter(const struct way *way, int go, int report)
{
    void *object = way->open != NULL ? way->open(way->object) : NULL;
    double used = 0;
    char byte;

    if (write(report, &used, sizeof(used)) != sizeof(used) || read(go, &byte, 1) != 0)
        exit(1);
    used = seconds_used();
    if (way->wait(object) != MMF_TIMED_OUT)
        bench_die("bench: a wait for nothing ended");
    used = seconds_used() - used;
    if (write(report, &used, sizeof(used)) != sizeof(used))
        exit(1);
    exit(0);
}

static double
read_sum(int fd)
{
    double sum = 0, one;

    for (int i = 0; i < WAITERS; i++) {
        if (read(fd, &one, sizeof(one)) != sizeof(one))
            bench_die("bench: a waiter died");
        sum += one;
    }
    return sum;
}

static void
sleep_ms(int ms)
{
    const struct timespec length = {.tv_sec = ms / 1000,
                                    .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&length, NULL);
}

/* Seconds that the waiters have used since they were forked. */
static double
used_so_far(const pid_t waiters[WAITERS])
{
    double sum = 0;

    for (int i = 0; i < WAITERS; i++) {
        unsigned long long nanoseconds = 0;
        char path[64];
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)waiters[i]);
        file = fopen(path, "re");
        if (file == NULL || fscanf(file, "%llu", &nanoseconds) != 1)
            bench_die("bench: %s cannot be read", path);
        fclose(file);
        sum += (double)nanoseconds / 1e9;
    }
    return sum;
}

/* Percent of one processor: in the middle of the wait, and in the whole. */
static void
measure(const struct way *way, double *idle, double *whole)
{
    static pid_t waiters[WAITERS];
    int go[2], report[2];
    double used, begun;
    int64_t since;

    bench_system(pipe(go), "pipe");
    bench_system(pipe(report), "pipe");
    fflush(NULL);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (pid_t)bench_system(fork(), "fork");
        if (waiters[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(go[1]);
            bench_leave_processor();
            be_waiter(way, go[0], report[1]);
        }
    }
    close(go[0]);
    close(report[1]);
    read_sum(report[0]);
    close(go[1]);
    sleep_ms(IDLE_FROM_MS);
    begun = used_so_far(waiters);
    since = bench_now();
    sleep_ms(IDLE_MS);
    *idle =
        (used_so_far(waiters) - begun) / ((double)(bench_now() - since) / 1e9) * 100;
    used = read_sum(report[0]);
    close(report[0]);
    for (int i = 0; i < WAITERS; i++)
        wait(NULL);
    *whole = used / (WAIT_MS / 1000.0) * 100;
}

void
sync_measure_sleepers(void)
{
    static double idle[WAYS][ROUNDS], whole[WAYS][ROUNDS];
    struct bench_holders *first[WAYS], *others[WAYS];
    struct bench_series series[WAYS];

    for (int i = 0; i < WAYS && ways[i].holders > 0; i++) {
        first[i] = bench_hold(1, ways[i].first, ways[i].object);
        others[i] = bench_hold(ways[i].holders - 1, ways[i].hold, ways[i].object);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < WAYS; i++)
            measure(&ways[i], &idle[i][round], &whole[i][round]);
    for (int i = WAYS; i-- > 0;) {
        if (ways[i].holders == 0)
            continue;
        bench_release(others[i]);
        bench_release(first[i]);
    }
    for (int i = 0; i < WAYS; i++)
        series[i] = (struct bench_series){ways[i].name, idle[i], ROUNDS};
    bench_report("1,000 processes wait, CPU use of all", "% of one core", series, WAYS,
                 target);
    for (int i = 0; i < WAYS; i++)
        series[i] = (struct bench_series){ways[i].name, whole[i], ROUNDS};
    bench_report("the same with begin and end, of 5 s", "% of one core", series, WAYS,
                 target);
}
