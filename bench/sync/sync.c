/*
 * sync.c - what mutex, event and semaphore cost, next to what Linux and others have:
 * pthread mutexes, raw futexes, POSIX named semaphores, eventfd, Boost.Interprocess.
 * This file has the uncontended cases; the other files have the rest.
 *
 *     bench_sync [FILE]      FILE gets the figures, default sync.json
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "sync/boost.h"

static char directory[] = "/dev/shm/mmf-bench-XXXXXX";

/*
 * A mutex: lock and unlock.
 */

static void
use_mmf_mutex(void *context, int times)
{
    mmf_mutex *mutex = context;

    while (times-- > 0) {
        mmf_mutex_wait(mutex, MMF_INFINITE);
        mmf_mutex_release(mutex);
    }
}

static void
use_pthread_mutex(void *context, int times)
{
    pthread_mutex_t *mutex = context;

    while (times-- > 0) {
        pthread_mutex_lock(mutex);
        pthread_mutex_unlock(mutex);
    }
}

static void
use_posix_semaphore(void *context, int times)
{
    sem_t *semaphore = context;

    while (times-- > 0) {
        sem_wait(semaphore);
        sem_post(semaphore);
    }
}

static void
use_boost_mutex(void *context, int times)
{
    (void)context;
    boost_mutex_lock_unlock(times);
}

static pthread_mutex_t *
make_pthread_mutex(int robustness)
{
    pthread_mutex_t *mutex = bench_share(sizeof(*mutex));
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, robustness);
    if (pthread_mutex_init(mutex, &attributes) != 0)
        bench_die("bench: pthread_mutex_init");
    return mutex;
}

static sem_t *
make_posix_semaphore(void)
{
    char name[64];
    sem_t *semaphore;

    snprintf(name, sizeof(name), "/mmf-bench-%d", (int)getpid());
    semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    bench_system(semaphore == SEM_FAILED ? -1 : 0, "sem_open");
    sem_unlink(name);
    return semaphore;
}

static void
compare_mutexes(void)
{
    static const struct bench_plan plan = {500, 4, 2000};
    mmf_mutex *named, *unnamed;
    sem_t *semaphore = make_posix_semaphore();
    char boost_name[64];
    struct bench_way ways[] = {
        {"robust pthread mutex, shared", use_pthread_mutex, NULL,
         make_pthread_mutex(PTHREAD_MUTEX_ROBUST)},
        {"mmf, named", use_mmf_mutex, NULL, NULL},
        {"mmf, unnamed", use_mmf_mutex, NULL, NULL},
        {"pthread mutex, shared, not robust", use_pthread_mutex, NULL,
         make_pthread_mutex(PTHREAD_MUTEX_STALLED)},
        {"POSIX named semaphore", use_posix_semaphore, NULL, semaphore},
        {"Boost.Interprocess named_mutex", use_boost_mutex, NULL, NULL},
    };

    bench_mmf(mmf_mutex_create_or_open("bench", 0, NULL, NULL, &named), "create");
    bench_mmf(mmf_mutex_create_or_open(NULL, 0, NULL, NULL, &unnamed), "create");
    ways[1].context = named;
    ways[2].context = unnamed;
    snprintf(boost_name, sizeof(boost_name), "mmf-bench-boost-%d", (int)getpid());
    if (boost_mutex_is_here())
        bench_system(boost_mutex_create(boost_name), "boost");

    bench_compare("lock + unlock a free mutex", ways, 5 + boost_mutex_is_here(), &plan);

    boost_mutex_remove(boost_name);
    sem_close(semaphore);
    mmf_mutex_close(unnamed);
    mmf_mutex_close(named);
}

/*
 * A signal that is there when the wait comes.
 */

static void
use_mmf_event(void *context, int times)
{
    mmf_event *event = context;

    while (times-- > 0) {
        mmf_event_set(event);
        mmf_event_wait(event, MMF_INFINITE);
    }
}

static void
use_mmf_semaphore(void *context, int times)
{
    mmf_semaphore *semaphore = context;

    while (times-- > 0) {
        mmf_semaphore_release(semaphore, 1, NULL);
        mmf_semaphore_wait(semaphore, MMF_INFINITE);
    }
}

static void
use_eventfd(void *context, int times)
{
    const int *fd = context;
    uint64_t count;

    while (times-- > 0) {
        eventfd_write(*fd, 1);
        eventfd_read(*fd, &count);
    }
}

static void
compare_signals(void)
{
    static const struct bench_plan plan = {500, 4, 500};
    int fd = (int)bench_system(eventfd(0, 0), "eventfd");
    sem_t *posix = make_posix_semaphore();
    mmf_semaphore *semaphore;
    mmf_event *event;
    struct bench_way ways[] = {
        {"POSIX named semaphore", use_posix_semaphore, NULL, posix},
        {"mmf semaphore", use_mmf_semaphore, NULL, NULL},
        {"mmf event, AUTO_RESET", use_mmf_event, NULL, NULL},
        {"eventfd", use_eventfd, NULL, &fd},
    };

    bench_mmf(mmf_semaphore_create_or_open("semaphore", 0, 1, NULL, NULL, &semaphore),
              "create");
    bench_mmf(
        mmf_event_create_or_open("event", 0, MMF_EVENT_AUTO_RESET, NULL, NULL, &event),
        "create");
    ways[1].context = semaphore;
    ways[2].context = event;
    bench_compare("signal, then wait", ways, 4, &plan);
    mmf_event_close(event);
    mmf_semaphore_close(semaphore);
    sem_close(posix);
    close(fd);
}

void
sync_compare_uncontended(void)
{
    compare_mutexes();
    compare_signals();
}

/* Objects of killed partners and empty directories may be left. */
static void
remove_directory(void)
{
    char path[128];

    mmf_gc(0, NULL);
    snprintf(path, sizeof(path), "%s/mmf-%u", directory, (unsigned)geteuid());
    rmdir(path);
    if (rmdir(directory) < 0)
        fprintf(stderr, "bench: %s was not removed\n", directory);
}

static void
report_goals(void)
{
    static const struct {
        const char *figure;
        enum bench_sense sense;
        double limit;
    } goals[] = {
        {"lock + unlock a free mutex: mmf, named, p50", BENCH_AT_MOST, 1.3},
        {"ping-pong of two processes: mmf event, AUTO_RESET, p50", BENCH_AT_MOST, 1.15},
        {"four contend, 1 us each: mmf, sections per second", BENCH_AT_LEAST, 0.8},
        {"four contend, 1 us each: mmf, longest wait of its mean", BENCH_AT_MOST, 10},
        {"any of 64: mmf_wait_any, the last set, p50", BENCH_AT_MOST, 2},
        {"1,000 processes wait, CPU use of all: mutex, 1 other holder, p50",
         BENCH_AT_MOST, 1},
        {"1,000 processes wait, CPU use of all: mutex, 1,000 other holders, p50",
         BENCH_AT_MOST, 1},
        {"1,000 processes wait, CPU use of all: event, 1,000 other holders, p50",
         BENCH_AT_MOST, 1},
    };

    printf("\ngoals: the ratio to the baseline\n");
    for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++)
        bench_goal(goals[i].figure, goals[i].sense, goals[i].limit);
}

int
main(int argc, char **argv)
{
    if (mkdtemp(directory) == NULL)
        bench_die("bench: cannot make %s", directory);
    setenv("MMF_DIR", directory, 1);

    bench_begin("sync");
    sync_compare_uncontended();
    sync_compare_ping_pong();
    sync_compare_wakes();
    sync_compare_contending();
    sync_measure_deaths();
    sync_measure_sleepers();
    report_goals();
    bench_end(argc > 1 ? argv[1] : "sync.json");
    remove_directory();
    return 0;
}
