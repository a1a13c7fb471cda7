/*
 * deaths.c - an owner is killed while this process waits for its mutex: how long
 * until the wait ends with MMF_ABANDONED.
 *
 * Each round has a victim, a process that owns the mutex, and a thread that kills it at
 * a moment that falls anywhere between two polls of the sleeper. The victim also has
 * the one writing end of a pipe: its reader meets the end when the kernel closes the
 * victim's descriptors, which is when the promise begins.
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { ROUNDS = 150, OTHERS = MMF_WAIT_MAXIMUM - 1, TARGET_MS = 100 };

/* How to own and how to wait. */
struct way {
    const char *name;
    void (*own)(void);
    void (*wait)(void); /* dies if it does not learn of the death */
};

/*
 * The ways.
 */

static mmf_mutex *mutex;
static mmf_waitable *waitables[1 + OTHERS];
static mmf_event *others[OTHERS];
static pthread_mutex_t *robust;

static void
own_mmf(void)
{
    mmf_mutex *mine;

    bench_mmf(mmf_mutex_open_existing("deaths", NULL, &mine), "open");
    bench_mmf(mmf_mutex_wait(mine, MMF_INFINITE), "wait");
}

static void
wait_mmf(void)
{
    int rc = mmf_mutex_wait(mutex, MMF_INFINITE);

    bench_mmf(rc, "wait");
    if (rc != MMF_ABANDONED)
        bench_die("bench: the mutex was not abandoned");
    bench_mmf(mmf_mutex_release(mutex), "release");
}

static void
wait_any(void)
{
    int index;
    int rc = mmf_wait_any(waitables, 1 + OTHERS, MMF_INFINITE, &index);

    bench_mmf(rc, "wait");
    if (rc != MMF_ABANDONED)
        bench_die("bench: the mutex was not abandoned");
    bench_mmf(mmf_mutex_release(mutex), "release");
}

static void
own_robust(void)
{
    pthread_mutex_lock(robust);
}

static void
wait_robust(void)
{
    if (pthread_mutex_lock(robust) != EOWNERDEAD)
        bench_die("bench: the pthread mutex was not abandoned");
    pthread_mutex_consistent(robust);
    pthread_mutex_unlock(robust);
}

static const struct way ways[] = {
    {"mmf_mutex_wait", own_mmf, wait_mmf},
    {"mmf_wait_any with 63 idle events", own_mmf, wait_any},
    {"robust pthread mutex", own_robust, wait_robust},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void
open_all(void)
{
    pthread_mutexattr_t attributes;

    bench_mmf(mmf_mutex_create_or_open("deaths", 0, NULL, NULL, &mutex), "create");
    waitables[OTHERS] = mmf_mutex_waitable(mutex);
    for (int i = 0; i < OTHERS; i++) {
        bench_mmf(mmf_event_create_or_open(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, NULL,
                                           &others[i]),
                  "create");
        waitables[i] = mmf_event_waitable(others[i]);
    }
    robust = bench_share(sizeof(*robust));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(robust, &attributes);
}

static void
close_all(void)
{
    for (int i = 0; i < OTHERS; i++)
        mmf_event_close(others[i]);
    mmf_mutex_close(mutex);
}

/*
 * The victim and its killer.
 */

struct killing {
    pid_t victim;
    int life;        /* reading it ends when the victim's descriptors are closed */
    int after_ms;    /* how long the waiter sleeps before */
    int64_t at;      /* when the signal was sent */
    int64_t seen_at; /* when the descriptors were closed */
};

static pid_t
start_victim(const struct way *way, int *life)
{
    int ends[2];
    char byte;
    pid_t victim;

    bench_system(pipe(ends), "pipe");
    fflush(NULL);
    victim = (pid_t)bench_system(fork(), "fork");
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        way->own();
        if (write(ends[1], "", 1) == 1)
            pause();
        exit(1);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        bench_die("bench: a victim died too early");
    *life = ends[0];
    return victim;
}

static void *
kill_victim(void *context)
{
    struct killing *killing = context;
    const struct timespec length = {.tv_nsec = killing->after_ms * 1000000L};
    char byte;

    nanosleep(&length, NULL);
    killing->at = bench_now();
    kill(killing->victim, SIGKILL);
    if (read(killing->life, &byte, 1) != 0)
        bench_die("bench: the victim wrote");
    killing->seen_at = bench_now();
    return NULL;
}

/* Milliseconds since the signal, and since the descriptors were closed. */
static void
measure(const struct way *way, int after_ms, double *since_signal, double *since_close)
{
    struct killing killing = {.after_ms = after_ms};
    pthread_t killer;
    int64_t woken_at;

    killing.victim = start_victim(way, &killing.life);
    if (pthread_create(&killer, NULL, kill_victim, &killing) != 0)
        bench_die("bench: no thread");
    way->wait();
    woken_at = bench_now();
    pthread_join(killer, NULL);
    waitpid(killing.victim, NULL, 0);
    close(killing.life);
    *since_signal = (double)(woken_at - killing.at) / 1e6;
    *since_close = (double)(woken_at - killing.seen_at) / 1e6;
}

void
sync_measure_deaths(void)
{
    static double since_signal[WAYS][ROUNDS], since_close[WAYS][ROUNDS];
    struct bench_series signals[WAYS], closings[WAYS];

    open_all();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < WAYS; i++)
            measure(&ways[i], 5 + round * 37 % 90, &since_signal[i][round],
                    &since_close[i][round]);
    close_all();
    for (int i = 0; i < WAYS; i++) {
        signals[i] = (struct bench_series){ways[i].name, since_signal[i], ROUNDS};
        closings[i] = (struct bench_series){ways[i].name, since_close[i], ROUNDS};
    }
    bench_report("told of a killed owner, since kill(2)", "ms", signals, WAYS,
                 TARGET_MS);
    bench_report("since its descriptors were closed", "ms", closings, WAYS, TARGET_MS);
}
