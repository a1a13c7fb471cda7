/*
 * wakes.c - how long a sleeper takes from the set of an event to the end of its
 * wait, when it waits for one event and when it waits for any of 64.
 *
 * The sleeper is a partner on another processor. This process asks it for a wait of one
 * way, leaves it the time to fall asleep, notes the time and signals; the sleeper notes
 * the time at which it is back.
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { OBJECTS = MMF_WAIT_MAXIMUM, ROUNDS = 1000, WARM_UP = 50 };

enum way { MMF_ONE, ANY_FIRST, ANY_LAST, RAW_ONE, RAW_LAST, WAYS };

static const char *const way_names[WAYS] = {
    "mmf_event_wait",
    "mmf_wait_any of 64, the first set",
    "mmf_wait_any of 64, the last set",
    "raw futex",
    "raw futex_waitv of 64, the last set",
};

/* What the two processes share. */
struct table {
    uint32_t asked; /* the way + 1; 0 when the sleeper is back */
    uint32_t words[OBJECTS];
    int64_t back_at;
};

static struct table *table;
static mmf_event *events[OBJECTS];
static mmf_waitable *waitables[OBJECTS];
static int waitv_is_here = 1;

static void
open_events(void)
{
    char name[16];

    for (int i = 0; i < OBJECTS; i++) {
        snprintf(name, sizeof(name), "idle-%d", i);
        bench_mmf(mmf_event_create_or_open(name, 0, MMF_EVENT_AUTO_RESET, NULL, NULL,
                                           &events[i]),
                  "create");
        waitables[i] = mmf_event_waitable(events[i]);
    }
}

static void
close_events(void)
{
    for (int i = 0; i < OBJECTS; i++)
        mmf_event_close(events[i]);
}

/*
 * Raw futexes.
 */

static int
is_signalled(int i)
{
    return __atomic_exchange_n(&table->words[i], 0, __ATOMIC_ACQUIRE) != 0;
}

static void
signal_word(int i)
{
    __atomic_store_n(&table->words[i], 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &table->words[i], FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* futex_waitv(2), which no libc has. -1 with ENOSYS or EPERM where it is not. */
static long
wait_for_words(void)
{
    enum { FUTEX_WAITV_CALL = 449, SIZE_OF_32_BITS = 2 };
    struct {
        uint64_t value;
        uint64_t address;
        uint32_t flags;
        uint32_t reserved;
    } waiters[OBJECTS];

    for (int i = 0; i < OBJECTS; i++) {
        waiters[i].value = 0;
        waiters[i].address = (uintptr_t)&table->words[i];
        waiters[i].flags = SIZE_OF_32_BITS;
        waiters[i].reserved = 0;
    }
    return syscall(FUTEX_WAITV_CALL, waiters, OBJECTS, 0, NULL, CLOCK_MONOTONIC);
}

/*
 * The sleeper.
 */

static void
sleep_in(enum way way)
{
    int index;

    switch (way) {
    case RAW_ONE:
        while (!is_signalled(0))
            syscall(SYS_futex, &table->words[0], FUTEX_WAIT, 0, NULL, NULL, 0);
        break;
    case RAW_LAST:
        while (!is_signalled(OBJECTS - 1))
            wait_for_words();
        break;
    case MMF_ONE:
        bench_mmf(mmf_event_wait(events[0], MMF_INFINITE), "wait");
        break;
    default:
        bench_mmf(mmf_wait_any(waitables, OBJECTS, MMF_INFINITE, &index), "wait");
        break;
    }
}

static void
be_sleeper(void *context)
{
    (void)context;
    open_events();
    for (;;) {
        uint32_t asked = __atomic_load_n(&table->asked, __ATOMIC_ACQUIRE);

        if (asked == 0) {
            sched_yield();
            continue;
        }
        sleep_in((enum way)(asked - 1));
        table->back_at = bench_now();
        __atomic_store_n(&table->asked, 0, __ATOMIC_RELEASE);
    }
}

/*
 * The process that signals.
 */

static void
signal_in(enum way way)
{
    switch (way) {
    case RAW_ONE:
        signal_word(0);
        break;
    case RAW_LAST:
        signal_word(OBJECTS - 1);
        break;
    case ANY_LAST:
        bench_mmf(mmf_event_set(events[OBJECTS - 1]), "set");
        break;
    default:
        bench_mmf(mmf_event_set(events[0]), "set");
        break;
    }
}

static void
leave_time_to_fall_asleep(void)
{
    static const struct timespec length = {.tv_nsec = 200000};

    nanosleep(&length, NULL);
}

/* Microseconds. */
static double
measure(enum way way)
{
    int64_t signalled_at;

    __atomic_store_n(&table->asked, (uint32_t)way + 1, __ATOMIC_RELEASE);
    leave_time_to_fall_asleep();
    signalled_at = bench_now();
    signal_in(way);
    while (__atomic_load_n(&table->asked, __ATOMIC_ACQUIRE) != 0)
        sched_yield();
    return (double)(table->back_at - signalled_at) / 1000;
}

void
sync_compare_wakes(void)
{
    struct bench_series series[WAYS];
    pid_t sleeper;

    table = bench_share(sizeof(*table));
    open_events();
    memset(table->words, 0, sizeof(table->words));
    table->words[0] = 1; /* no sleep: only whether there is such a call */
    if (wait_for_words() < 0 && (errno == ENOSYS || errno == EPERM))
        waitv_is_here = 0;
    table->words[0] = 0;
    sleeper = bench_start_partner(be_sleeper, NULL);
    for (int i = 0; i < WAYS; i++) {
        series[i] = (struct bench_series){way_names[i], NULL, ROUNDS};
        series[i].samples = calloc(ROUNDS, sizeof(double));
        if (series[i].samples == NULL)
            bench_die("bench: no memory");
    }
    for (int round = -WARM_UP; round < ROUNDS; round++) {
        for (int i = 0; i < WAYS - !waitv_is_here; i++) {
            double length = measure((enum way)i);

            if (round >= 0)
                series[i].samples[round] = length;
        }
    }
    bench_end_partner(sleeper);
    close_events();
    bench_report("from the set to the end of the wait", "us", series,
                 WAYS - !waitv_is_here, 0);
    if (waitv_is_here) {
        const struct bench_series any[] = {
            {"raw futex_waitv, the last set", series[RAW_LAST].samples, ROUNDS},
            {"mmf_wait_any, the last set", series[ANY_LAST].samples, ROUNDS},
            {"mmf_wait_any, the first set", series[ANY_FIRST].samples, ROUNDS},
        };

        bench_report("any of 64", "us", any, 3, 0);
    }
    for (int i = 0; i < WAYS; i++)
        free(series[i].samples);
}
