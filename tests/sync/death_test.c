/*
 * death_test.c - processes that are killed at random, and how soon the others notice: the
 * promise that no waiter hangs and that waiters are notified. tests/scenarios/death.scn has
 * the rules.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct process *
start_owner(const char *name)
{
    struct process *peer = peer_start();

    peer_does(peer, "m = open mutex %s", name);
    peer_does(peer, "wait m %d", LONG_MS);
    return peer;
}

static int
compare_times(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return a < b ? -1 : a > b;
}

/* A waiter by one of the ways to wait, and when it was notified. */
struct told {
    struct several wait;
    int way; /* 0: one, 1: any, 2: all */
    int64_t at;
};

static int
job_be_told(void *argument)
{
    struct told *told = argument;
    int rc;

    if (told->way == 0)
        rc = mmf_wait_one(told->wait.objects[0], MMF_INFINITE);
    else if (told->way == 1)
        rc = job_wait_any(&told->wait);
    else
        rc = job_wait_all(&told->wait);
    told->at = now_us();
    return rc;
}

/*
 * A sleeper learns of its owner's death within 100 ms after the kernel has closed the
 * dead process's descriptors, which it has when that process can be waited for. A busy
 * machine is slower, and now and then by any time: ten times that of most is a failure.
 */
TEST(told_within_100_ms)
{
    enum { MOST = 2000 };
    static int64_t times[3][MOST];
    mmf_mutex *mutex = new_mutex("Cat");
    mmf_event *quiet = auto_event("Quiet", 0), *ready = manual_event("Ready", 1);
    int rounds = harness_long() ? 300 : 12;
    uint64_t random = (uint64_t)now_us();
    struct worker *waiter = worker_start();

    for (int way = 0; way < 3; way++) {
        for (int round = 0; round < rounds; round++) {
            struct process *owner = start_owner("Cat");
            struct told told = {.way = way, .wait = {.timeout_ms = MMF_INFINITE}};
            int64_t dead;

            told.wait.objects[0] = W(mutex);
            told.wait.objects[1] = way == 1 ? W(quiet) : W(ready);
            told.wait.count = way == 0 ? 1 : 2;
            worker_begin(waiter, job_be_told, &told);
            worker_await_sleep(waiter);
            /* Not always at the same moment of its rounds. */
            usleep((useconds_t)(next_random(&random) % 100000));
            process_kill(owner);
            dead = now_us();
            CHECK_INT(worker_result(waiter), MMF_ABANDONED);
            CHECK_INT(worker_does(waiter, job_release, mutex), MMF_OK);
            times[way][round] = told.at > dead ? told.at - dead : 0;
        }
        qsort(times[way], (size_t)rounds, sizeof(int64_t), compare_times);
        if (times[way][rounds / 2] > 1000000)
            CHECK_FAIL("half are notified more than %lld ms after the death",
                       (long long)times[way][rounds / 2] / 1000);
        print_message(
            "notified after a kill, wait for %s: median %.1f ms, p99 %.1f ms, "
            "longest %.1f ms of %d\n",
            way == 0   ? "one"
            : way == 1 ? "any"
                       : "all",
            (double)times[way][rounds / 2] / 1000,
            (double)times[way][rounds * 99 / 100] / 1000,
            (double)times[way][rounds - 1] / 1000, rounds);
    }
    worker_end(waiter);
    mmf_mutex_close(mutex);
    mmf_event_close(quiet);
    mmf_event_close(ready);
}

/*
 * Killed at random under load.
 *
 * What they share lies in a map. The mutex guards two numbers that are equal whenever
 * no thread is between its lines; a thread that finds them different without
 * MMF_ABANDONED was let in while another was there, or was not notified.
 */
struct board {
    _Atomic int64_t inside; /* the process that is, or that was when it died */
    _Atomic int64_t first, second;
    _Atomic int64_t abandoned;
    _Atomic int64_t begun_gives, done_gives, begun_takes, done_takes;
    _Atomic int64_t progress;
};

static struct board *
open_board(mmf_map **map)
{
    return shared_bytes("Board", sizeof(struct board), map);
}

static void
go_inside(struct board *board, int rc)
{
    int64_t before = atomic_exchange(&board->inside, getpid());

    if (rc == MMF_ABANDONED)
        atomic_fetch_add(&board->abandoned, 1);
    else if (before != 0)
        CHECK_FAIL("process %lld is inside too", (long long)before);
    if (rc == MMF_OK && board->first != board->second)
        CHECK_FAIL("%lld and %lld, but nothing was abandoned", (long long)board->first,
                   (long long)board->second);
    if (rc == MMF_ABANDONED)
        atomic_store(&board->second, board->first);
    atomic_fetch_add(&board->first, 1);
    atomic_fetch_add(&board->second, 1);
    atomic_fetch_add(&board->progress, 1);
    if (atomic_exchange(&board->inside, 0) != getpid())
        CHECK_FAIL("another thread came inside");
}

/* How the worker waits: for the mutex alone, among others, together with another. */
ROLE(mutex)
{
    int way = argc > 1 ? atoi(argv[1]) : 0;
    mmf_map *map;
    struct board *board = open_board(&map);
    mmf_mutex *mutex = NULL;
    mmf_event *quiet = auto_event("Quiet", 0);
    mmf_semaphore *many = NULL;
    mmf_waitable *any[2], *all[2];

    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    CHECK_OK(mmf_semaphore_open_existing("Many", NULL, &many));
    any[0] = W(quiet);
    any[1] = W(mutex);
    all[0] = W(mutex);
    all[1] = W(many);
    role_say("ready");
    for (;;) {
        int index = 1;
        int rc;

        if (way == 0)
            rc = mmf_mutex_wait(mutex, LONG_MS);
        else if (way == 1)
            rc = mmf_wait_any(any, 2, LONG_MS, &index);
        else
            rc = mmf_wait_all(all, 2, LONG_MS);
        CHECK_OWNED(rc);
        CHECK_INT(index, 1);
        go_inside(board, rc);
        if (way == 2)
            CHECK_OK(mmf_semaphore_release(many, 1, NULL));
        CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    }
    return EXIT_FAILURE; /* it is killed */
}

/* A worker that found something wrong has ended by itself. */
static void
kill_living(struct process *process)
{
    if (process_has_ended(process))
        CHECK_FAIL("a worker has ended by itself");
    process_kill(process);
}

/* Those that live get on, whatever they wait for. */
static void
await_progress(const struct board *board)
{
    int64_t deadline = now_us() + LONG_MS * 1000;
    int64_t progress = board->progress;

    while (board->progress < progress + 100) {
        if (now_us() > deadline)
            CHECK_FAIL("those that are left do not get on");
        usleep(1000);
    }
}

enum { WORKERS = 5 };

/* All but the last one are killed; that one gets on. */
static void
leave_one(struct process **processes, const struct board *board)
{
    for (int i = 0; i < WORKERS - 1; i++)
        kill_living(processes[i]);
    await_progress(board);
    kill_living(processes[WORKERS - 1]);
}

/*
 * Start workers and kill one of them at a time, after a random while, and start another.
 * How many were killed.
 */
static int
kill_at_random(const char *role, const char *const ways[WORKERS],
               struct process *processes[WORKERS], const struct board *board)
{
    int64_t last = now_us(), until = last + (harness_long() ? 120000000 : 3000000);
    uint64_t random = (uint64_t)last;
    int64_t progress = 0;
    int kills = 0;

    for (int i = 0; i < WORKERS; i++)
        processes[i] = process_ready(role, "%s", ways[i]);
    while (now_us() < until) {
        int i = (int)(next_random(&random) % WORKERS);

        usleep((useconds_t)(next_random(&random) % 6000));
        kill_living(processes[i]);
        process_finish(processes[i]);
        kills++;
        processes[i] = process_ready(role, "%s", ways[i]);
        if (board->progress != progress) {
            progress = board->progress;
            last = now_us();
        } else if (now_us() - last > LONG_MS * 1000) {
            CHECK_FAIL("no thread makes progress");
        }
    }
    return kills;
}

TEST(owners_killed_at_random)
{
    static const char *const ways[WORKERS] = {"0", "0", "0", "1", "2"};
    mmf_mutex *mutex = new_mutex("Cat");
    mmf_semaphore *many = new_semaphore("Many", 1000000, INT32_MAX);
    struct process *workers[WORKERS];
    mmf_map *map;
    struct board *board = open_board(&map);
    int kills = kill_at_random("mutex", ways, workers, board) + WORKERS;
    int rc;

    leave_one(workers, board);
    CHECK_OWNED(rc = mmf_mutex_wait(mutex, LONG_MS));
    go_inside(board, rc);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    if (board->abandoned > kills)
        CHECK_FAIL("%lld times abandoned by %d kills", (long long)board->abandoned,
                   kills);
    print_message("%lld turns, %d kills, %lld times abandoned\n",
                  (long long)board->progress, kills, (long long)board->abandoned);
    mmf_map_close(map);
    mmf_mutex_close(mutex);
    mmf_semaphore_close(many);
}

/*
 * Semaphores and events have no owners: what the dead took stays taken. But nothing
 * else is lost, and nothing comes twice. Each notes before and after it gives or takes;
 * the difference is what a kill may have hidden.
 */
ROLE(givers)
{
    int gives = argc > 1 && argv[1][0] == 'g';
    mmf_map *map;
    struct board *board = open_board(&map);
    mmf_semaphore *semaphore = NULL;

    CHECK_OK(mmf_semaphore_open_existing("Cat", NULL, &semaphore));
    role_say("ready");
    for (;;) {
        if (gives) {
            int rc;

            atomic_fetch_add(&board->begun_gives, 1);
            rc = mmf_semaphore_release(semaphore, 1, NULL);
            if (rc == MMF_E_MAXIMUM) {
                atomic_fetch_sub(&board->begun_gives, 1);
                usleep(200);
                continue;
            }
            CHECK_STATUS(rc, MMF_OK);
            atomic_fetch_add(&board->done_gives, 1);
        } else {
            atomic_fetch_add(&board->begun_takes, 1);
            CHECK_STATUS(mmf_semaphore_wait(semaphore, LONG_MS), MMF_OK);
            atomic_fetch_add(&board->done_takes, 1);
        }
        atomic_fetch_add(&board->progress, 1);
    }
    return EXIT_FAILURE; /* it is killed */
}

TEST(givers_and_takers_killed_at_random)
{
    enum { MAXIMUM = 3 };
    static const char *const ways[WORKERS] = {"g", "g", "t", "t", "t"};
    mmf_semaphore *semaphore = new_semaphore("Cat", 1, MAXIMUM);
    struct process *workers[WORKERS];
    mmf_map *map;
    struct board *board = open_board(&map);
    int64_t least, most;
    int kills = kill_at_random("givers", ways, workers, board), left = 0;

    /* A giver and a taker get on together. */
    for (int i = 1; i < WORKERS - 1; i++)
        kill_living(workers[i]);
    await_progress(board);
    kill_living(workers[0]);
    kill_living(workers[WORKERS - 1]);
    process_finish(workers[0]); /* a giver that is still dying gives */
    process_finish(workers[WORKERS - 1]);
    while (mmf_semaphore_wait(semaphore, 0) == MMF_OK)
        left++;
    CHECK(left <= MAXIMUM);
    least = 1 + board->done_gives - board->begun_takes;
    most = 1 + board->begun_gives - board->done_takes;
    print_message("%lld steps, %d kills, of which at most %lld took a count along\n",
                  (long long)board->progress, kills, (long long)most - left);
    CHECK(left >= least && left <= most);
    CHECK(most - least <= kills + WORKERS);
    mmf_map_close(map);
    mmf_semaphore_close(semaphore);
}

/*
 * A giver killed between its store and its wake-up, or the taker that was woken: those
 * that sleep find the count by themselves. One count, several sleepers, and the dead
 * may have woken any of them.
 */
TEST(a_wake_up_that_died_is_recovered)
{
    enum { SLEEPERS = 4 };
    mmf_semaphore *semaphore = new_semaphore("Cat", 0, 10);
    int rounds = harness_long() ? 500 : 15;
    uint64_t random = (uint64_t)now_us();
    int taken_along = 0;

    for (int round = 0; round < rounds; round++) {
        struct process *sleepers[SLEEPERS], *giver = peer_start();
        struct worker *waiter = worker_start();
        int victims = 1 + (int)(next_random(&random) % SLEEPERS);

        CHECK_CONTEXT("round %d", round);
        peer_does(giver, "s = open semaphore Cat");
        for (int i = 0; i < SLEEPERS; i++) {
            sleepers[i] = peer_start();
            peer_does(sleepers[i], "s = open semaphore Cat");
            await_sleep(process_id(sleepers[i]), peer_begins(sleepers[i], "wait s -1"));
        }
        worker_begin(waiter, job_wait_forever, W(semaphore));
        worker_await_sleep(waiter);
        /* It dies somewhere on its way, and so do some of those that it may wake. */
        process_send(giver, "p release s 5"); /* SLEEPERS + 1 */
        if (round % 2 == 0) {
            int64_t until = now_us() + (int64_t)(next_random(&random) % 150);

            while (now_us() < until)
                continue;
            process_kill(giver);
        }
        for (int i = 0; i < victims; i++)
            process_kill(sleepers[i]);
        if (round % 2 != 0)
            process_kill(giver);
        /* If it came so far, there is enough for all living ones, and for the dead.
         * What the poll takes is returned: it may be the waiter's share. */
        if (!worker_is_busy(waiter)) {
            taken_along++;
        } else if (mmf_semaphore_wait(semaphore, 200) == MMF_OK) {
            taken_along++;
            CHECK_OK(mmf_semaphore_release(semaphore, 1, NULL));
        } else {
            CHECK_OK(mmf_semaphore_release(semaphore, SLEEPERS + 1, NULL));
        }
        CHECK_INT(worker_result(waiter), MMF_OK);
        for (int i = victims; i < SLEEPERS; i++) {
            /* A sleeper that was killed may have taken more than its share along. */
            mmf_semaphore_release(semaphore, 1, NULL);
            peer_answered(sleepers[i], "MMF_OK");
            process_kill(sleepers[i]);
        }
        worker_end(waiter);
        while (mmf_semaphore_wait(semaphore, 0) == MMF_OK)
            continue;
        process_finish(giver);
        for (int i = 0; i < SLEEPERS; i++)
            process_finish(sleepers[i]);
    }
    print_message("%d of %d givers had given before they died\n", taken_along, rounds);
    mmf_semaphore_close(semaphore);
}

/* Waits for all, killed at random: forks that the dead held come back, as mutexes do.
 */
ROLE(diner)
{
    int seat = argc > 1 ? atoi(argv[1]) : 0;
    mmf_map *map;
    struct board *board = open_board(&map);
    mmf_mutex *left = NULL, *right = NULL;
    mmf_waitable *forks[2];
    char name[16];

    snprintf(name, sizeof(name), "Fork %d", seat);
    CHECK_OK(mmf_mutex_open_existing(name, NULL, &left));
    snprintf(name, sizeof(name), "Fork %d", (seat + 1) % 5);
    CHECK_OK(mmf_mutex_open_existing(name, NULL, &right));
    forks[0] = W(left);
    forks[1] = W(right);
    role_say("ready");
    for (;;) {
        int rc = mmf_wait_all(forks, 2, LONG_MS);

        if (rc == MMF_ABANDONED)
            atomic_fetch_add(&board->abandoned, 1);
        else
            CHECK_STATUS(rc, MMF_OK);
        atomic_fetch_add(&board->progress, 1);
        CHECK_STATUS(mmf_mutex_release(left), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(right), MMF_OK);
    }
    return EXIT_FAILURE; /* it is killed */
}

TEST(philosophers_killed_at_random)
{
    enum { SEATS = WORKERS };
    static const char *const seats[SEATS] = {"0", "1", "2", "3", "4"};
    struct process *diners[SEATS];
    mmf_mutex *forks[SEATS];
    mmf_waitable *objects[SEATS];
    mmf_map *map;
    struct board *board = open_board(&map);
    int kills;

    for (int i = 0; i < SEATS; i++) {
        forks[i] = new_mutex(with_suffix("Fork ", seats[i]));
        objects[i] = W(forks[i]);
    }
    kills = kill_at_random("diner", seats, diners, board);
    /* In the midst of it, all five at once. */
    CHECK_OWNED(mmf_wait_all(objects, SEATS, LONG_MS));
    for (int i = 0; i < SEATS; i++)
        CHECK_OK(mmf_mutex_release(forks[i]));
    leave_one(diners, board);
    CHECK_OWNED(mmf_wait_all(objects, SEATS, LONG_MS));
    for (int i = 0; i < SEATS; i++) {
        CHECK_OK(mmf_mutex_release(forks[i]));
        CHECK_STATUS(mmf_mutex_wait(forks[i], 0), MMF_OK);
        CHECK_OK(mmf_mutex_release(forks[i]));
        mmf_mutex_close(forks[i]);
    }
    print_message("%lld meals, %d kills, %lld times abandoned\n",
                  (long long)board->progress, kills, (long long)board->abandoned);
    mmf_map_close(map);
}
