/*
 * contending.c - four processes want one lock, again and again, for a microsecond of work
 * each: how many get it in a second, and how long one of them has to wait.
 *
 * A lock that any thread can take which comes by is quick, and starves those that sleep; one
 * that goes strictly in turn makes each pay for a switch. The ways run in turn, several times;
 * each figure is the median of the rounds.
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { PROCESSES = 4, ROUNDS = 5, WORK_NS = 1000, SPINS = 100 };

static const int64_t round_ns = 400000000;

/* What the processes share. */
struct table {
    uint32_t state; /* of the futex: 0 free, 1 taken, 2 with sleepers */
    uint32_t next, serving;
    pthread_mutex_t robust;
    uint32_t go;
    uint64_t sections[PROCESSES];
    uint64_t waits[PROCESSES]; /* those of a section's length, or longer */
    int64_t waited[PROCESSES];
    int64_t longest[PROCESSES];
};

static struct table *table;
static mmf_mutex *mutex;

static void
lock_futex(void)
{
    uint32_t state = 0;

    if (__atomic_compare_exchange_n(&table->state, &state, 1, 0, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(&table->state, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &table->state, FUTEX_WAIT, 2, NULL, NULL, 0);
}

static void
unlock_futex(void)
{
    if (__atomic_exchange_n(&table->state, 0, __ATOMIC_RELEASE) == 2)
        syscall(SYS_futex, &table->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void
lock_mmf(void)
{
    bench_mmf(mmf_mutex_wait(mutex, MMF_INFINITE), "wait");
}

static void
unlock_mmf(void)
{
    bench_mmf(mmf_mutex_release(mutex), "release");
}

static void
lock_robust(void)
{
    pthread_mutex_lock(&table->robust);
}

static void
unlock_robust(void)
{
    pthread_mutex_unlock(&table->robust);
}

static void
lock_ticket(void)
{
    uint32_t mine = __atomic_fetch_add(&table->next, 1, __ATOMIC_RELAXED);

    for (int spins = 0; __atomic_load_n(&table->serving, __ATOMIC_ACQUIRE) != mine;
         spins++) {
        if (spins >= SPINS)
            sched_yield();
    }
}

static void
unlock_ticket(void)
{
    __atomic_fetch_add(&table->serving, 1, __ATOMIC_RELEASE);
}

static const struct way {
    const char *name;
    void (*lock)(void);
    void (*unlock)(void);
} ways[] = {
    {"futex that only wakes, as 0.1", lock_futex, unlock_futex},
    {"mmf", lock_mmf, unlock_mmf},
    {"robust pthread mutex", lock_robust, unlock_robust},
    {"ticket lock", lock_ticket, unlock_ticket},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

struct result {
    double rate[ROUNDS];
    double longest[ROUNDS]; /* microseconds */
    double mean[ROUNDS];    /* of those that waited */
    double mean_of_all[ROUNDS];
};

static void
contend(const struct way *way, int me)
{
    int64_t end;

    while (!__atomic_load_n(&table->go, __ATOMIC_ACQUIRE))
        sched_yield();
    end = bench_now() + round_ns;
    for (;;) {
        int64_t begun = bench_now();
        int64_t since;

        if (begun >= end)
            return;
        way->lock();
        since = bench_now();
        while (bench_now() - since < WORK_NS) {
        }
        way->unlock();
        table->sections[me]++;
        if (since - begun >= WORK_NS) {
            table->waits[me]++;
            table->waited[me] += since - begun;
        }
        if (since - begun > table->longest[me])
            table->longest[me] = since - begun;
    }
}

static void
measure(const struct way *way, struct result *result, int round)
{
    uint64_t sections = 0, waits = 0;
    int64_t waited = 0, longest = 0;
    pid_t processes[PROCESSES];

    table->go = 0;
    fflush(NULL);
    for (int i = 0; i < PROCESSES; i++) {
        table->sections[i] = table->waits[i] = 0;
        table->waited[i] = table->longest[i] = 0;
        processes[i] = (pid_t)bench_system(fork(), "fork");
        if (processes[i] != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bench_leave_processor();
        bench_mmf(mmf_mutex_open_existing("contended", NULL, &mutex), "open");
        contend(way, i);
        _exit(0);
    }
    __atomic_store_n(&table->go, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < PROCESSES; i++) {
        waitpid(processes[i], NULL, 0);
        sections += table->sections[i];
        waits += table->waits[i];
        waited += table->waited[i];
        longest = table->longest[i] > longest ? table->longest[i] : longest;
    }
    result->rate[round] = (double)sections / ((double)round_ns / 1e9);
    result->longest[round] = (double)longest / 1000;
    result->mean[round] = (double)waited / 1000 / (double)(waits > 0 ? waits : 1);
    result->mean_of_all[round] = (double)waited / 1000 / (double)sections;
}

static int
compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

static double
median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), compare);
    return values[ROUNDS / 2];
}

static void
report(struct result results[WAYS])
{
    static const char title[] = "four contend, 1 us each";
    double first = 0;

    printf("\n%-37s %12s %12s %12s %12s %9s\n", title, "sections/s", "longest us",
           "mean us", "mean of all", "longest/mean");
    for (int i = 0; i < WAYS; i++) {
        double rate = median(results[i].rate);
        double longest = median(results[i].longest);
        double mean = median(results[i].mean);
        char name[128];

        first = i == 0 ? rate : first;
        printf("  %-35s %12.0f %12.1f %12.1f %12.2f %9.1f      %.3f\n", ways[i].name,
               rate, longest, mean, median(results[i].mean_of_all), longest / mean,
               rate / first);
        snprintf(name, sizeof(name), "%s: %s, sections per second", title,
                 ways[i].name);
        bench_note(name, "1/s", rate, ways[0].name, first);
        snprintf(name, sizeof(name), "%s: %s, longest wait of its mean", title,
                 ways[i].name);
        bench_note(name, "us", longest, "mean of those that waited", mean);
    }
    fflush(stdout);
}

void
sync_compare_contending(void)
{
    static struct result results[WAYS];
    pthread_mutexattr_t attributes;
    mmf_mutex *held;

    table = bench_share(sizeof(*table));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&table->robust, &attributes);
    bench_mmf(mmf_mutex_create_or_open("contended", 0, NULL, NULL, &held), "create");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WAYS; i++)
            measure(&ways[i], &results[i], round);
    }
    report(results);
    mmf_mutex_close(held);
}
