/*
 * ping_pong.c - two processes on two processors wake each other in turn: this one
 * says ping, its partner pong. Each way has its own partner, which sleeps while
 * the others play.
 */
#include "sync/sync.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* The two sides of a game: what the one signals the other waits for. */
enum side { PING, PONG };

/* A way of signalling. `open` is called in both processes. */
struct game {
    const char *name;
    void (*open)(void);
    void (*signal)(enum side side);
    void (*wait)(enum side side);
};

/*
 * The least that can be: a word each, and futex(2).
 */

static uint32_t *words;

static void
open_futexes(void)
{
}

static void
signal_futex(enum side side)
{
    __atomic_store_n(&words[side], 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &words[side], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void
wait_futex(enum side side)
{
    while (__atomic_exchange_n(&words[side], 0, __ATOMIC_ACQUIRE) == 0)
        syscall(SYS_futex, &words[side], FUTEX_WAIT, 0, NULL, NULL, 0);
}

/*
 * mmf.
 */

static mmf_event *events[2];
static mmf_semaphore *semaphores[2];
static const char *const event_names[2] = {"ping event", "pong event"};
static const char *const semaphore_names[2] = {"ping semaphore", "pong semaphore"};

static void
open_events(void)
{
    for (int i = 0; i < 2; i++)
        bench_mmf(mmf_event_create_or_open(event_names[i], 0, MMF_EVENT_AUTO_RESET,
                                           NULL, NULL, &events[i]),
                  "create");
}

static void
signal_event(enum side side)
{
    bench_mmf(mmf_event_set(events[side]), "set");
}

static void
wait_event(enum side side)
{
    bench_mmf(mmf_event_wait(events[side], MMF_INFINITE), "wait");
}

static void
open_semaphores(void)
{
    for (int i = 0; i < 2; i++)
        bench_mmf(mmf_semaphore_create_or_open(semaphore_names[i], 0, 1, NULL, NULL,
                                               &semaphores[i]),
                  "create");
}

static void
signal_semaphore(enum side side)
{
    bench_mmf(mmf_semaphore_release(semaphores[side], 1, NULL), "release");
}

static void
wait_semaphore(enum side side)
{
    bench_mmf(mmf_semaphore_wait(semaphores[side], MMF_INFINITE), "wait");
}

/*
 * Others.
 */

static int counters[2];

static void
open_eventfds(void)
{
}

static void
signal_eventfd(enum side side)
{
    bench_system(eventfd_write(counters[side], 1), "eventfd_write");
}

static void
wait_eventfd(enum side side)
{
    uint64_t count;

    bench_system(eventfd_read(counters[side], &count), "eventfd_read");
}

static sem_t *posix[2];
static char posix_names[2][64];

static void
open_posix(void)
{
    for (int i = 0; i < 2; i++) {
        posix[i] = sem_open(posix_names[i], O_CREAT, 0600, 0);
        bench_system(posix[i] == SEM_FAILED ? -1 : 0, "sem_open");
    }
}

static void
signal_posix(enum side side)
{
    sem_post(posix[side]);
}

static void
wait_posix(enum side side)
{
    while (sem_wait(posix[side]) < 0 && errno == EINTR)
        continue;
}

/*
 * The match.
 */

static const struct game games[] = {
    {"raw futex", open_futexes, signal_futex, wait_futex},
    {"mmf event, AUTO_RESET", open_events, signal_event, wait_event},
    {"mmf semaphore", open_semaphores, signal_semaphore, wait_semaphore},
    {"eventfd", open_eventfds, signal_eventfd, wait_eventfd},
    {"POSIX named semaphore", open_posix, signal_posix, wait_posix},
};

enum { GAMES = sizeof(games) / sizeof(games[0]) };

static void
be_partner(void *context)
{
    const struct game *game = context;

    game->open();
    for (;;) {
        game->wait(PING);
        game->signal(PONG);
    }
}

static void
play(void *context, int times)
{
    const struct game *game = context;

    while (times-- > 0) {
        game->signal(PING);
        game->wait(PONG);
    }
}

void
sync_compare_ping_pong(void)
{
    static const struct bench_plan plan = {200, 50, 1};
    struct bench_way ways[GAMES];
    pid_t partners[GAMES];

    words = bench_share(4096);
    for (int i = 0; i < 2; i++) {
        counters[i] = (int)bench_system(eventfd(0, 0), "eventfd");
        snprintf(posix_names[i], sizeof(posix_names[i]), "/mmf-bench-%d-%d",
                 (int)getpid(), i);
    }
    for (int i = 0; i < GAMES; i++) {
        /* The ways' context is not const, for those that need to write. */
        void *game = (void *)(uintptr_t)&games[i];

        ways[i] = (struct bench_way){games[i].name, play, NULL, game};
        games[i].open();
        partners[i] = bench_start_partner(be_partner, game);
    }
    bench_compare("ping-pong of two processes", ways, GAMES, &plan);
    for (int i = 0; i < GAMES; i++)
        bench_end_partner(partners[i]);
    for (int i = 0; i < 2; i++) {
        mmf_event_close(events[i]);
        mmf_semaphore_close(semaphores[i]);
        close(counters[i]);
        sem_close(posix[i]);
        sem_unlink(posix_names[i]);
    }
}
