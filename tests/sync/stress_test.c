/*
 * stress_test.c - many threads and processes at the same objects. Nothing is lost,
 * nothing comes twice, no waiter sleeps forever.
 *
 * The program is built three times: as users have it; with a system that has no
 * futex_waitv; and with sleeps that do not end by themselves (own_sys.c), so that one
 * wake-up too few is one sleeper forever, not one that is a moment late.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the build says: sleeps have no end of their own. */
#ifndef SLEEPS_FOREVER
#define SLEEPS_FOREVER 0
#endif

static int
scaled(int usual, int full)
{
    if (harness_long())
        return full;
    return HARNESS_TSAN || HARNESS_ASAN ? (usual + 3) / 4 : usual;
}

/*
 * A counter that is no atomic one, guarded by a mutex.
 */

struct guarded {
    mmf_mutex *mutex;
    int64_t *number;
    int way; /* how it waits: one, any, all */
    int count;
    mmf_event *never, *always;
};

static int
job_count(void *argument)
{
    struct guarded *guarded = argument;
    mmf_waitable *any[2] = {W(guarded->never), W(guarded->mutex)};
    mmf_waitable *all[2] = {W(guarded->always), W(guarded->mutex)};

    for (int i = 0; i < guarded->count; i++) {
        int index = 1;
        int rc;

        switch ((guarded->way + i) % 4) {
        case 0:
        case 1:
            rc = mmf_mutex_wait(guarded->mutex, LONG_MS);
            break;
        case 2:
            rc = mmf_wait_any(any, 2, LONG_MS, &index);
            break;
        default:
            rc = mmf_wait_all(all, 2, LONG_MS);
            break;
        }
        CHECK_STATUS(rc, MMF_OK);
        CHECK_INT(index, 1);
        ++*guarded->number;
        CHECK_STATUS(mmf_mutex_release(guarded->mutex), MMF_OK);
    }
    return MMF_OK;
}

enum { MOST_THREADS = 64 };

static void
count_by_threads(const struct guarded *guarded, int threads)
{
    struct guarded each[MOST_THREADS];
    struct crew crew = {0};

    for (int i = 0; i < threads; i++) {
        each[i] = *guarded;
        each[i].way = i;
    }
    crew_begin(&crew, threads, job_count, each, sizeof(each[0]));
    crew_end(&crew);
}

static void
open_guarded(struct guarded *guarded, int is_named)
{
    guarded->mutex = new_mutex(is_named ? "Cat" : NULL);
    guarded->never = auto_event(is_named ? "Never" : NULL, 0);
    guarded->always = manual_event(is_named ? "Always" : NULL, 1);
}

static void
close_guarded(const struct guarded *guarded)
{
    mmf_mutex_close(guarded->mutex);
    mmf_event_close(guarded->never);
    mmf_event_close(guarded->always);
}

/* count THREADS COUNT */
ROLE(count)
{
    struct guarded guarded = {.count = argc > 2 ? atoi(argv[2]) : 0};
    mmf_map *map;
    char line[16];

    guarded.number = shared_bytes("Number", sizeof(int64_t), &map);
    open_guarded(&guarded, 1);
    role_say("ready");
    role_hear(line, sizeof(line));
    count_by_threads(&guarded, atoi(argv[1]));
    close_guarded(&guarded);
    mmf_map_close(map);
    return 0;
}

TEST(threads_count)
{
    for (int named = 0; named < 2; named++) {
        for (int threads = 2; threads <= MOST_THREADS; threads *= 4) {
            int64_t number = 0;
            struct guarded guarded = {.number = &number,
                                      .count = scaled(8000, 800000) / threads};

            open_guarded(&guarded, named);
            count_by_threads(&guarded, threads);
            CHECK_INT(number, (int64_t)guarded.count * threads);
            close_guarded(&guarded);
        }
    }
}

TEST(processes_count)
{
    static const struct {
        int processes, threads;
    } rows[] = {{2, 1}, {4, 4}, {16, 1}, {64, 1}};

    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        int processes = rows[row].processes, threads = rows[row].threads;
        int count = scaled(8000, 800000) / processes / threads;
        struct guarded guarded;
        struct process *all[64];
        mmf_map *map;

        if ((HARNESS_TSAN || HARNESS_ASAN) && processes > 16)
            continue; /* which would take all the memory there is */
        guarded.number = shared_bytes("Number", sizeof(int64_t), &map);
        open_guarded(&guarded, 1);
        for (int i = 0; i < processes; i++)
            all[i] = process_ready("count", "%d %d", threads, count);
        for (int i = 0; i < processes; i++)
            process_send(all[i], "go");
        for (int i = 0; i < processes; i++)
            CHECK_INT(process_finish(all[i]), 0);
        CHECK_INT(*guarded.number, (int64_t)count * processes * threads);
        close_guarded(&guarded);
        mmf_map_close(map);
    }
}

/*
 * The hunt for a lost wake-up: hand-overs, each with a deadline.
 */

static void
check_woken(int rc)
{
    if (rc == MMF_TIMED_OUT)
        CHECK_FAIL("a wake-up was lost");
    CHECK_STATUS(rc, MMF_OK);
}

/* What two players have; each signals the other's. */
enum { MOST_OBJECTS = 5 };

struct game {
    struct object mine[MOST_OBJECTS], other[MOST_OBJECTS];
    int objects;
    int way; /* 0: any; 1: all; 2: signal and wait */
    int rounds;
    uint64_t random;
};

static void
signal_in_turn(struct object *objects, int count, int first)
{
    for (int i = 0; i < count; i++)
        CHECK_STATUS(object_signal(&objects[(first + i) % count]), MMF_OK);
}

static int
await(struct game *game)
{
    mmf_waitable *objects[MOST_OBJECTS];
    int index = 0;
    int rc;

    for (int i = 0; i < game->objects; i++)
        objects[i] = object_waitable(&game->mine[i]);
    if (game->objects == 1)
        rc = mmf_wait_one(objects[0], LONG_MS);
    else if (game->way == 1)
        rc = mmf_wait_all(objects, game->objects, LONG_MS);
    else
        rc = mmf_wait_any(objects, game->objects, LONG_MS, &index);
    check_woken(rc);
    return index;
}

/* The side that answers. */
static int
job_answer(void *argument)
{
    struct game *game = argument;

    for (int i = 0; i < game->rounds; i++) {
        int index = await(game);

        if (game->way == 1)
            signal_in_turn(game->other, game->objects, i % game->objects);
        else
            CHECK_STATUS(object_signal(&game->other[index]), MMF_OK);
    }
    return MMF_OK;
}

/* The side that serves. */
static int
job_serve(void *argument)
{
    struct game *game = argument;

    for (int i = 0; i < game->rounds; i++) {
        int choice = (int)(next_random(&game->random) % (unsigned)game->objects);

        if (game->way == 1) {
            signal_in_turn(game->other, game->objects, choice);
            await(game);
        } else if (game->way == 2) {
            check_woken(mmf_signal_and_wait(object_waitable(&game->other[choice]),
                                            object_waitable(&game->mine[choice]),
                                            LONG_MS));
        } else {
            CHECK_STATUS(object_signal(&game->other[choice]), MMF_OK);
            CHECK_INT(await(game), choice);
        }
    }
    return MMF_OK;
}

static struct object
make_ball(mmf_kind kind, const char *name)
{
    struct object object = {.kind = kind};

    if (kind == MMF_KIND_EVENT)
        object.event = auto_event(name, 0);
    else
        object.semaphore = new_semaphore(name, 0, 10);
    return object;
}

static void
make_game(struct game *game, mmf_kind kind, const char *mine, const char *other)
{
    char number[16];

    for (int i = 0; i < game->objects; i++) {
        snprintf(number, sizeof(number), " %d", i);
        game->mine[i] = make_ball(kind, with_suffix(mine, number));
        game->other[i] = make_ball(kind, with_suffix(other, number));
    }
}

static void
close_game(struct game *game)
{
    for (int i = 0; i < game->objects; i++) {
        object_close(&game->mine[i]);
        object_close(&game->other[i]);
    }
}

/* When both have played to the end nothing is left. */
static void
end_game(struct game *game)
{
    for (int i = 0; i < game->objects; i++) {
        CHECK_STATUS(object_wait(&game->mine[i], 0), MMF_TIMED_OUT);
        CHECK_STATUS(object_wait(&game->other[i], 0), MMF_TIMED_OUT);
    }
    close_game(game);
}

/* answer KIND OBJECTS WAY ROUNDS */
ROLE(answer)
{
    struct game game = {0};

    if (argc != 5)
        return EXIT_FAILURE;
    game.objects = atoi(argv[2]);
    game.way = atoi(argv[3]);
    game.rounds = atoi(argv[4]);
    make_game(&game, (mmf_kind)atoi(argv[1]), "there", "back");
    role_say("ready");
    job_answer(&game);
    close_game(&game);
    return 0;
}

static void
hunt_between_threads(const char *mine, const char *other, mmf_kind kind, int objects,
                     int way, int rounds)
{
    struct game serve = {.objects = objects, .way = way, .rounds = rounds};
    struct worker *worker = worker_start();
    struct game answer;

    make_game(&serve, kind, mine, other);
    answer = serve;
    memcpy(answer.mine, serve.other, sizeof(serve.other));
    memcpy(answer.other, serve.mine, sizeof(serve.mine));
    worker_begin(worker, job_answer, &answer);
    job_serve(&serve);
    CHECK_INT(worker_result(worker), MMF_OK);
    worker_end(worker);
    end_game(&serve);
}

static void
hunt_between_processes(mmf_kind kind, int objects, int way, int rounds)
{
    struct game game = {.objects = objects, .way = way, .rounds = rounds};
    struct process *process;

    make_game(&game, kind, "back", "there");
    process = process_ready("answer", "%d %d %d %d", (int)kind, objects, way, rounds);
    job_serve(&game);
    CHECK_INT(process_finish(process), 0);
    end_game(&game);
}

/* One, any of several, all of several, signal-and-wait; events and semaphores. */
static const struct {
    mmf_kind kind;
    int objects, way;
} games[] = {{MMF_KIND_EVENT, 1, 0},     {MMF_KIND_EVENT, 5, 0},
             {MMF_KIND_EVENT, 3, 1},     {MMF_KIND_EVENT, 3, 2},
             {MMF_KIND_SEMAPHORE, 1, 0}, {MMF_KIND_SEMAPHORE, 5, 0},
             {MMF_KIND_SEMAPHORE, 3, 1}, {MMF_KIND_SEMAPHORE, 1, 2}};

/* Without futex_waitv a wait for several naps, five milliseconds at a time. */
#ifdef NO_WAITV
static const int naps = 1;
#else
static const int naps = 0;
#endif

static int
rounds_of(size_t game, int usual, int full)
{
    int rounds = scaled(usual, full);

    return naps && games[game].objects > 1 && games[game].way != 1 ? rounds / 50
                                                                   : rounds;
}

static void
print_hand_overs(long overs, int64_t begun)
{
    print_message("%ld hand-overs, %.1f us each\n", overs,
                  (double)(now_us() - begun) / (double)overs);
}

TEST(no_wake_up_is_lost_between_threads)
{
    int64_t begun = now_us();
    long overs = 0;

    for (size_t i = 0; i < COUNT_OF(games); i++) {
        int rounds = rounds_of(i, 1000, 50000);

        CHECK_CONTEXT("game %zu", i);
        hunt_between_threads(NULL, NULL, games[i].kind, games[i].objects, games[i].way,
                             rounds);
        hunt_between_threads("back", "there", games[i].kind, games[i].objects,
                             games[i].way, rounds);
        overs += 4L * rounds;
    }
    print_hand_overs(overs, begun);
}

TEST(no_wake_up_is_lost_between_processes)
{
    int64_t begun = now_us();
    long overs = 0;

    for (size_t i = 0; i < COUNT_OF(games); i++) {
        int rounds = rounds_of(i, 1500, 75000);

        CHECK_CONTEXT("game %zu", i);
        hunt_between_processes(games[i].kind, games[i].objects, games[i].way, rounds);
        overs += 2L * rounds;
    }
    print_hand_overs(overs, begun);
}

/*
 * Counts that go round: what is taken is given again.
 */

struct pool {
    mmf_semaphore *semaphore;
    uint64_t random;
    int rounds;
    int impatient; /* some waits end before */
};

static int
job_take_and_give(void *argument)
{
    struct pool *pool = argument;

    for (int i = 0; i < pool->rounds; i++) {
        int want = 1 + (int)(next_random(&pool->random) % 3), have = 0;

        while (have < want) {
            int32_t timeout =
                pool->impatient ? (int32_t)(next_random(&pool->random) % 4) : LONG_MS;
            int rc = mmf_semaphore_wait(pool->semaphore, timeout);

            if (rc == MMF_OK)
                have++;
            else if (!pool->impatient)
                CHECK_FAIL("a wake-up was lost");
            else if (have > 0)
                break; /* to hold some and wait for more could be a deadlock */
            if (!pool->impatient && have == 1)
                break;
        }
        if (have > 0)
            CHECK_OK(mmf_semaphore_release(pool->semaphore, have, NULL));
    }
    return MMF_OK;
}

/* pool ROUNDS IMPATIENT */
ROLE(pool)
{
    struct pool pool = {.random = (uint64_t)getpid()};

    if (argc != 3)
        return EXIT_FAILURE;
    pool.rounds = atoi(argv[1]);
    pool.impatient = atoi(argv[2]);
    pool.semaphore = new_semaphore("Pool", 1, 1);
    role_say("ready");
    job_take_and_give(&pool);
    mmf_semaphore_close(pool.semaphore);
    return 0;
}

TEST(counts_are_conserved)
{
    enum { THREADS = 6, PROCESSES = 3, COUNT = 3 };

    for (int row = 0; row < 4; row++) {
        int named = row & 1, impatient = row >> 1;
        mmf_semaphore *semaphore = new_semaphore(named ? "Pool" : NULL, COUNT, COUNT);
        struct pool pools[THREADS];
        struct crew crew = {0};
        struct process *processes[PROCESSES];
        int rounds = scaled(2000, 100000);

        for (int i = 0; named && i < PROCESSES; i++)
            processes[i] = process_ready("pool", "%d %d", rounds, impatient);
        for (int i = 0; i < THREADS; i++)
            pools[i] = (struct pool){semaphore, (uint64_t)i + 1, rounds, impatient};
        crew_begin(&crew, THREADS, job_take_and_give, pools, sizeof(pools[0]));
        crew_end(&crew);
        for (int i = 0; named && i < PROCESSES; i++)
            CHECK_INT(process_finish(processes[i]), 0);
        for (int i = 0; i < COUNT; i++)
            CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
        CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
        mmf_semaphore_close(semaphore);
    }
}

/*
 * Producers at several semaphores, consumers that wait for any, each in its own order.
 */

enum { LANES = 4 };

struct market {
    mmf_semaphore *lanes[LANES];
    mmf_event *closed;
    atomic_int *consumed;
    int rounds;
    int first; /* the consumer's order */
    uint64_t random;
};

static int
job_produce(void *argument)
{
    struct market *market = argument;

    for (int i = 0; i < market->rounds; i++) {
        uint64_t random = next_random(&market->random);
        int32_t count = 1 + (int32_t)(random >> 8 & 1);

        CHECK_OK(mmf_semaphore_release(market->lanes[random % LANES], count, NULL));
        atomic_fetch_sub(market->consumed, count);
    }
    return MMF_OK;
}

static int
job_consume(void *argument)
{
    struct market *market = argument;
    mmf_waitable *objects[LANES + 1];

    for (int i = 0; i < LANES; i++)
        objects[i] = W(market->lanes[(market->first + i) % LANES]);
    objects[LANES] = W(market->closed); /* when there is nothing else */
    for (;;) {
        int index = -7;

        check_woken(mmf_wait_any(objects, LANES + 1, LONG_MS, &index));
        if (index == LANES)
            return MMF_OK;
        atomic_fetch_add(market->consumed, 1);
    }
}

static void
trade(const char *name)
{
    enum { PRODUCERS = 3, CONSUMERS = 4 };
    static const char *const suffixes[] = {" 0", " 1", " 2", " 3"};
    struct crew producers = {0}, consumers = {0};
    struct market markets[PRODUCERS + CONSUMERS];
    atomic_int consumed = 0;
    struct market market = {.consumed = &consumed,
                            .rounds = scaled(naps ? 100 : 2000, 50000),
                            .closed = manual_event(with_suffix(name, " closed"), 0)};

    for (int i = 0; i < LANES; i++)
        market.lanes[i] = new_semaphore(with_suffix(name, suffixes[i]), 0, INT32_MAX);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        markets[i] = market;
        markets[i].first = i;
        markets[i].random = (uint64_t)i;
    }
    crew_begin(&consumers, CONSUMERS, job_consume, &markets[PRODUCERS], sizeof(market));
    crew_begin(&producers, PRODUCERS, job_produce, markets, sizeof(market));
    crew_end(&producers);
    CHECK_OK(mmf_event_set(market.closed));
    crew_end(&consumers);
    CHECK_INT(consumed, 0);
    for (int i = 0; i < LANES; i++) {
        CHECK_STATUS(mmf_semaphore_wait(market.lanes[i], 0), MMF_TIMED_OUT);
        mmf_semaphore_close(market.lanes[i]);
    }
    mmf_event_close(market.closed);
}

TEST(what_is_produced_is_consumed)
{
    trade(NULL);
    trade("Cat");
}

/*
 * Everything at once: threads that wait for one, any and all of the same objects, with
 * mutexes among them; some leave before. In the end all is where it was.
 */
struct crowd {
    mmf_mutex *mutexes[2];
    mmf_semaphore *semaphores[2];
    mmf_event *token; /* one, for its current owner */
    int rounds;
    uint64_t random;
};

static void
take_and_give(struct crowd *crowd, mmf_waitable *const *chosen, const int *which,
              int count, int all, int32_t timeout)
{
    int index = 0;
    int rc = all ? mmf_wait_all(chosen, count, timeout)
                 : mmf_wait_any(chosen, count, timeout, &index);

    if (rc == MMF_TIMED_OUT && timeout < LONG_MS)
        return;
    check_woken(rc);
    for (int i = all ? 0 : index; i <= (all ? count - 1 : index); i++) {
        if (which[i] < 2)
            CHECK_STATUS(mmf_mutex_release(crowd->mutexes[which[i]]), MMF_OK);
        else if (which[i] < 4)
            CHECK_OK(mmf_semaphore_release(crowd->semaphores[which[i] - 2], 1, NULL));
        else
            CHECK_OK(mmf_event_set(crowd->token));
    }
}

static int
job_crowd(void *argument)
{
    struct crowd *crowd = argument;
    mmf_waitable *objects[5] = {W(crowd->mutexes[0]), W(crowd->mutexes[1]),
                                W(crowd->semaphores[0]), W(crowd->semaphores[1]),
                                W(crowd->token)};

    for (int round = 0; round < crowd->rounds; round++) {
        uint64_t random = next_random(&crowd->random);
        int32_t timeout = random & 3 ? LONG_MS : (int32_t)(random >> 2 & 3);
        int all = (random >> 4 & 1) != 0;
        mmf_waitable *chosen[5];
        int which[5];
        int count = 0;

        for (int i = 0; i < 5; i++) {
            int object = (int)(((random >> 12) + (unsigned)i) % 5);

            if (random >> (5 + i) & 1 || (i == 4 && count == 0)) {
                which[count] = object;
                chosen[count++] = objects[object];
            }
        }
        take_and_give(crowd, chosen, which, count, all, timeout);
    }
    return MMF_OK;
}

static void
open_crowd(struct crowd *crowd, const char *name)
{
    crowd->mutexes[0] = new_mutex(with_suffix(name, " m0"));
    crowd->mutexes[1] = new_mutex(with_suffix(name, " m1"));
    crowd->semaphores[0] = new_semaphore(with_suffix(name, " s0"), 1, 1);
    crowd->semaphores[1] = new_semaphore(with_suffix(name, " s1"), 2, 2);
    crowd->token = auto_event(with_suffix(name, " token"), 1);
}

static void
close_crowd(struct crowd *crowd)
{
    for (int i = 0; i < 2; i++) {
        mmf_mutex_close(crowd->mutexes[i]);
        mmf_semaphore_close(crowd->semaphores[i]);
    }
    mmf_event_close(crowd->token);
}

/* crowd ROUNDS */
ROLE(crowd)
{
    struct crowd crowd = {.random = (uint64_t)getpid()};

    if (argc != 2)
        return EXIT_FAILURE;
    crowd.rounds = atoi(argv[1]);
    open_crowd(&crowd, "Cat");
    role_say("ready");
    job_crowd(&crowd);
    close_crowd(&crowd);
    return 0;
}

TEST(a_crowd_leaves_all_as_it_was)
{
    enum { THREADS = 6, PROCESSES = 3 };

    for (int named = 0; named < 2; named++) {
        struct crowd crowd = {.rounds = scaled(naps ? 300 : 1500, 50000)};
        struct crowd crowds[THREADS];
        struct crew crew = {0};
        struct process *processes[PROCESSES];

        open_crowd(&crowd, named ? "Cat" : NULL);
        for (int i = 0; named && i < PROCESSES; i++)
            processes[i] = process_ready("crowd", "%d", crowd.rounds);
        for (int i = 0; i < THREADS; i++) {
            crowds[i] = crowd;
            crowds[i].random = (uint64_t)i + 1;
        }
        crew_begin(&crew, THREADS, job_crowd, crowds, sizeof(crowds[0]));
        crew_end(&crew);
        for (int i = 0; named && i < PROCESSES; i++)
            CHECK_INT(process_finish(processes[i]), 0);
        for (int i = 0; i < 2; i++) {
            CHECK_STATUS(mmf_mutex_wait(crowd.mutexes[i], 0), MMF_OK);
            CHECK_STATUS(mmf_mutex_release(crowd.mutexes[i]), MMF_OK);
            CHECK_FAILS(mmf_mutex_release(crowd.mutexes[i]), MMF_E_NOT_OWNER);
        }
        for (int i = 0; i < 3; i++)
            CHECK_STATUS(mmf_semaphore_wait(crowd.semaphores[i > 0], 0), MMF_OK);
        CHECK_STATUS(mmf_semaphore_wait(crowd.semaphores[0], 0), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_semaphore_wait(crowd.semaphores[1], 0), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_event_wait(crowd.token, 0), MMF_OK);
        CHECK_STATUS(mmf_event_wait(crowd.token, 0), MMF_TIMED_OUT);
        close_crowd(&crowd);
    }
}

/*
 * Manual events: all waiters pass each barrier, round after round.
 */
struct gates {
    mmf_event *open[2];
    mmf_semaphore *arrived;
    int rounds;
};

static int
job_walk(void *argument)
{
    struct gates *gates = argument;

    for (int i = 0; i < gates->rounds; i++) {
        check_woken(mmf_event_wait(gates->open[i % 2], LONG_MS));
        CHECK_OK(mmf_semaphore_release(gates->arrived, 1, NULL));
    }
    return MMF_OK;
}

TEST(all_go_through_each_gate)
{
    enum { WALKERS = 8 };

    for (int named = 0; named < 2; named++) {
        struct gates gates = {.open = {manual_event(named ? "even" : NULL, 0),
                                       manual_event(named ? "odd" : NULL, 0)},
                              .arrived =
                                  new_semaphore(named ? "arrived" : NULL, 0, WALKERS),
                              .rounds = scaled(600, 30000)};
        struct crew crew = {0};

        crew_begin(&crew, WALKERS, job_walk, &gates, 0);
        for (int i = 0; i < gates.rounds; i++) {
            CHECK_OK(mmf_event_set(gates.open[i % 2]));
            for (int k = 0; k < WALKERS; k++)
                CHECK_STATUS(mmf_semaphore_wait(gates.arrived, LONG_MS), MMF_OK);
            CHECK_OK(mmf_event_reset(gates.open[i % 2]));
        }
        crew_end(&crew);
        mmf_event_close(gates.open[0]);
        mmf_event_close(gates.open[1]);
        mmf_semaphore_close(gates.arrived);
    }
}
