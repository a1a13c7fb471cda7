/*
 * work_queue.c - jobs in a queue, and three workers, one of which is killed every
 * second.
 *
 *     work_queue [JOBS [MILLISECONDS]]    100,000 jobs; milliseconds between two kills
 *
 * A worker takes a job, does it, records the result, and only then releases the message,
 * which acknowledges it. If the worker is killed before that, another one gets the job,
 * marked as redelivered: the job may have been done already, or in part. What that means
 * depends on the program; this one only counts it.
 */
#include <mmf/mmf.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 3, CAPACITY = 64 };

/* The result of each job, in a map. */
struct result {
    int32_t done;        /* how often */
    int32_t redelivered; /* how often it came marked as redelivered */
    uint64_t value;
};

static void
check(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "work_queue: %s\n", mmf_last_message());
        exit(EXIT_FAILURE);
    }
}

static struct result *
open_results(int64_t jobs, mmf_map **map)
{
    void *bytes;
    size_t size;

    check(mmf_map_create_or_open("Results", jobs * (int64_t)sizeof(struct result), NULL,
                                 NULL, map));
    check(mmf_map_bytes(*map, MMF_ACCESS_READ_WRITE, &bytes, &size));
    return bytes;
}

static mmf_queue *
open_queue(mmf_role role, uint32_t flags)
{
    mmf_channel_options options = {
        .size = sizeof(options), .role = role, .flags = flags};
    mmf_queue *queue;

    check(mmf_queue_create_or_open("Jobs", sizeof(int64_t), CAPACITY,
                                   MMF_OVERFLOW_BLOCK, &options, NULL, &queue));
    return queue;
}

/* A few microseconds of work. */
static uint64_t
work_on(int64_t job)
{
    uint64_t x = (uint64_t)job + 1;

    for (int i = 0; i < 20000; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

/* Job after job, until the worker is killed or the last producer has closed. */
static void
work(int64_t jobs)
{
    mmf_map *map;
    struct result *results = open_results(jobs, &map);
    mmf_queue *queue = open_queue(MMF_ROLE_RECEIVE, MMF_CHANNEL_PEER_CLOSED);
    mmf_message message;

    for (;;) {
        int64_t job;
        int rc = mmf_queue_take(queue, -1, &message);

        if (rc == MMF_E_PEER_CLOSED)
            break;
        check(rc);
        job = *(const int64_t *)message.bytes;
        if (message.flags & MMF_MESSAGE_REDELIVERED)
            results[job].redelivered++;
        results[job].value = work_on(job);
        results[job].done++;
        check(mmf_queue_release(queue, &message));
    }
    mmf_queue_close(queue);
    mmf_map_close(map);
}

static pid_t
start_worker(int64_t jobs)
{
    pid_t pid = fork();

    if (pid == 0) {
        work(jobs);
        _exit(EXIT_SUCCESS);
    }
    return pid;
}

static void
kill_worker(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Send all jobs, wait until they are done, and kill a worker every `interval` ms. */
static int
run(mmf_queue *queue, int64_t jobs, int64_t interval, pid_t *workers,
    const volatile struct result *results)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int64_t next_kill = now_ms() + interval;
    int64_t sent = 0;
    int64_t done = 0; /* all jobs before this one are done */
    int kills = 0;

    while (done < jobs) {
        if (sent < jobs) {
            int rc = mmf_queue_send(queue, &sent, sizeof(sent), 10, NULL);

            check(rc);
            sent += rc == MMF_OK;
        } else if (results[done].done > 0) {
            done++;
        } else {
            nanosleep(&pause, NULL);
        }
        if (now_ms() >= next_kill) {
            kill_worker(workers[kills % WORKERS]);
            workers[kills % WORKERS] = start_worker(jobs);
            kills++;
            next_kill += interval;
        }
    }
    return kills;
}

/* 0 if no job was lost. */
static int
report(const struct result *results, int64_t jobs, int kills)
{
    int64_t lost = 0, wrong = 0, redelivered = 0, twice = 0;

    for (int64_t job = 0; job < jobs; job++) {
        lost += results[job].done == 0;
        wrong += results[job].done > 0 && results[job].value != work_on(job);
        redelivered += results[job].redelivered > 0;
        twice += results[job].done > 1 && results[job].redelivered == 0;
    }
    printf("%lld jobs, %d workers, %d killed: %lld lost, %lld wrong, %lld redelivered, "
           "%lld done twice without a mark\n",
           (long long)jobs, WORKERS, kills, (long long)lost, (long long)wrong,
           (long long)redelivered, (long long)twice);
    return lost + wrong + twice != 0;
}

int
main(int argc, char **argv)
{
    int64_t jobs = argc > 1 ? strtoll(argv[1], NULL, 10) : 100000;
    int64_t interval = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000;
    pid_t workers[WORKERS];
    mmf_map *map;
    const struct result *results;
    mmf_queue *queue;
    int kills;
    int failed;

    if (jobs < 1 || interval < 1) {
        fprintf(stderr, "usage: work_queue [JOBS [MILLISECONDS]]\n");
        return EXIT_FAILURE;
    }
    results = open_results(jobs, &map);
    queue = open_queue(MMF_ROLE_SEND, 0);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker(jobs);
    kills = run(queue, jobs, interval, workers, results);
    for (int i = 0; i < WORKERS; i++)
        kill_worker(workers[i]);
    failed = report(results, jobs, kills);
    mmf_queue_close(queue);
    mmf_map_close(map);
    return failed;
}
