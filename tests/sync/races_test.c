/*
 * races_test.c - what many threads do at once, and what the ends of threads do: of rules 7.1
 * and 7.2 what tests/scenarios cannot say.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* An event that is set while a thread waits for it at every index. */
struct everywhere {
    mmf_event *event;
    mmf_semaphore *seen;
    int highest;
};

/*
 * Without futex_waitv each round takes a nap of five milliseconds; and the thread sanitizer
 * watches each of the thousands of looks at 64 slots.
 */
#if defined(NO_WAITV) || HARNESS_TSAN
enum { OFTEN = 100 };
#else
enum { OFTEN = 3000 };
#endif

static int
job_wait_everywhere(void *argument)
{
    struct everywhere *wait = argument;
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    int rc = MMF_OK;

    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        objects[i] = W(wait->event);
    for (int i = 0; rc == MMF_OK && i < OFTEN; i++) {
        int index = -1;

        rc = mmf_wait_any(objects, MMF_WAIT_MAXIMUM, MMF_INFINITE, &index);
        if (index > wait->highest)
            wait->highest = index;
        mmf_semaphore_release(wait->seen, 1, NULL);
    }
    return rc;
}

static void
lowest_of_the_same(const char *name)
{
    struct everywhere wait = {.event = auto_event(with_suffix(name, " event"), 0),
                              .seen = new_semaphore(with_suffix(name, " seen"), 0, 1)};
    struct worker *waiter = worker_start();

    worker_begin(waiter, job_wait_everywhere, &wait);
    for (int i = 0; i < OFTEN; i++) {
        int64_t deadline = now_us() + LONG_MS * 1000;

        /* A little later each time, so that some come in the middle of its looks. */
        for (atomic_int k = 0; k < i % 500 * 4; k++)
            continue;
        CHECK_OK(mmf_event_set(wait.event));
        while (mmf_semaphore_wait(wait.seen, 0) == MMF_TIMED_OUT)
            CHECK(now_us() < deadline);
    }
    CHECK_INT(worker_result(waiter), MMF_OK);
    CHECK_INT(wait.highest, 0);
    worker_end(waiter);
    mmf_event_close(wait.event);
    mmf_semaphore_close(wait.seen);
}

TEST(rule_7_1_6_wait_any_of_the_same_takes_the_lowest_index)
{
    for_each_name(lowest_of_the_same);
}

/*
 * All or nothing, watched by others.
 *
 * Takers wait for both and release the first, then the second. So a thread that has got
 * the second knows that the first is there, or will be soon, if no thread takes one of
 * them while the other is missing. A taker that holds the first and waits for the
 * second would keep the watcher waiting forever.
 */
struct pair {
    struct object first, second;
    atomic_int stop;
    atomic_int takes;
    int backwards; /* this taker names them in the other order */
    struct pair *shared;
};

static int
job_take_pairs(void *argument)
{
    struct pair *pair = argument;
    struct pair *shared = pair->shared;
    mmf_waitable *objects[2] = {object_waitable(&shared->first),
                                object_waitable(&shared->second)};

    if (pair->backwards) {
        mmf_waitable *swapped = objects[0];

        objects[0] = objects[1];
        objects[1] = swapped;
    }
    while (!atomic_load(&shared->stop)) {
        int rc = mmf_wait_all(objects, 2, 5);

        if (rc == MMF_TIMED_OUT)
            continue;
        CHECK_STATUS(rc, MMF_OK);
        atomic_fetch_add(&shared->takes, 1);
        CHECK_STATUS(object_signal(&shared->first), MMF_OK);
        CHECK_STATUS(object_signal(&shared->second), MMF_OK);
    }
    return MMF_OK;
}

static void
watch_pairs(const char *name, mmf_kind kind)
{
    enum { TAKERS = 3 };
    struct pair shared = {.first = new_object(kind, with_suffix(name, " first")),
                          .second = new_object(kind, with_suffix(name, " second"))};
    struct pair takers[TAKERS] = {
        {.shared = &shared}, {.shared = &shared, .backwards = 1}, {.shared = &shared}};
    struct crew crew = {0};
    int64_t until = now_us() + (harness_long() ? 20000000 : 150000);
    int late = 0, looks = 0;

    crew_begin(&crew, TAKERS, job_take_pairs, takers, sizeof(takers[0]));
    while (now_us() < until || looks < 10 || atomic_load(&shared.takes) < 10) {
        CHECK_STATUS(object_wait(&shared.second, LONG_MS), MMF_OK);
        if (object_wait(&shared.first, 0) == MMF_TIMED_OUT) {
            late++;
            CHECK_STATUS(object_wait(&shared.first, LONG_MS / 4), MMF_OK);
        }
        looks++;
        CHECK_STATUS(object_signal(&shared.first), MMF_OK);
        CHECK_STATUS(object_signal(&shared.second), MMF_OK);
        CHECK(now_us() < until + LONG_MS * 1000);
    }
    atomic_store(&shared.stop, 1);
    crew_end(&crew);
    print_message("%s %s: %d looks, %d of them a moment late, %d pairs taken\n",
                  name == NULL ? "unnamed" : name, mmf_kind_name(kind), looks, late,
                  atomic_load(&shared.takes));
    object_close(&shared.first);
    object_close(&shared.second);
}

TEST(rule_7_1_6_no_thread_sees_half_of_a_wait_all)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        watch_pairs(NULL, kind);
        watch_pairs("Cat", kind);
    }
}

/* Many waits for all over the same objects in every order get on. */
struct ring {
    mmf_semaphore *forks[5];
    int first, second, rounds;
};

static int
job_dine(void *argument)
{
    struct ring *ring = argument;
    mmf_waitable *objects[2] = {W(ring->forks[ring->first]),
                                W(ring->forks[ring->second])};

    for (int i = 0; i < ring->rounds; i++) {
        CHECK_STATUS(mmf_wait_all(objects, 2, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_semaphore_release(ring->forks[ring->first], 1, NULL), MMF_OK);
        CHECK_STATUS(mmf_semaphore_release(ring->forks[ring->second], 1, NULL), MMF_OK);
    }
    return MMF_OK;
}

static void
dine(const char *name)
{
    static const char *const suffixes[] = {" 0", " 1", " 2", " 3", " 4"};
    struct ring rings[5];
    struct crew crew = {0};
    mmf_semaphore *forks[5];

    for (int i = 0; i < 5; i++)
        forks[i] = new_semaphore(with_suffix(name, suffixes[i]), 1, 1);
    for (int i = 0; i < 5; i++) {
        memcpy(rings[i].forks, forks, sizeof(forks));
        rings[i].first = i;
        rings[i].second = (i + 1) % 5;
        rings[i].rounds = harness_long() ? 100000 : 500;
    }
    crew_begin(&crew, 5, job_dine, rings, sizeof(rings[0]));
    crew_end(&crew);
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(mmf_semaphore_wait(forks[i], 0), MMF_OK);
        mmf_semaphore_close(forks[i]);
    }
}

TEST(waits_for_all_in_any_order_get_on)
{
    dine(NULL);
    dine("Cat");
}

/*
 * Of many threads that create at once exactly one has created. And all have handles on
 * one object: an owner may release by any of them, and no wait for all takes two.
 */
enum { RACERS = 4 };

struct race {
    mmf_kind kind;
    atomic_int *start, *created;
    struct object object;
};

static int
job_create(void *argument)
{
    struct race *race = argument;
    int created = -7;

    atomic_fetch_sub(race->start, 1);
    while (atomic_load(race->start) > 0)
        continue;
    CHECK_STATUS(object_create(&race->object, race->kind, "Cat", NULL, &created),
                 MMF_OK);
    atomic_fetch_add(race->created, created);
    return MMF_OK;
}

TEST(rule_7_1_1_one_of_many_creates)
{
    struct crew crew = {0};
    int rounds = harness_long() ? 20000 : 300;

    for (int round = 0; round < rounds; round++) {
        atomic_int start = RACERS, created = 0;
        struct race races[RACERS];
        mmf_waitable *two[2];

        CHECK_CONTEXT("round %d", round);
        for (int i = 0; i < RACERS; i++)
            races[i] = (struct race){
                .kind = FIRST_KIND + round % 3, .start = &start, .created = &created};
        crew_begin(&crew, RACERS, job_create, races, sizeof(races[0]));
        crew_await(&crew);
        CHECK_INT(created, 1);
        two[0] = object_waitable(&races[0].object);
        CHECK_STATUS(mmf_wait_one(two[0], 0), MMF_OK);
        for (int i = 1; i < RACERS; i++) {
            two[1] = object_waitable(&races[i].object);
            CHECK_FAILS_PARAM(mmf_wait_all(two, 2, 0), MMF_E_INVALID, "waitHandles");
        }
        CHECK_OK(object_signal(&races[round % RACERS].object));
        for (int i = 0; i < RACERS; i++)
            object_close(&races[i].object);
        CHECK_INT(count_files(), 0);
    }
    crew_end(&crew);
}

/*
 * The end of a thread runs the destructors of its keys, some of which use mutexes.
 */
struct last_will {
    mmf_mutex *mutex;
    pthread_key_t key;
    int rounds; /* how often the destructor is called */
    int idle;   /* how many of these rounds it does nothing */
    int what;   /* 0: take and release; 1: release; 2: take */
    int done;
};

static void
execute_will(void *argument)
{
    struct last_will *will = argument;

    will->done++;
    if (--will->rounds > 0)
        CHECK_INT(pthread_setspecific(will->key, will), 0);
    if (will->done <= will->idle)
        return;
    if (will->what == 1) {
        CHECK_OK(mmf_mutex_release(will->mutex));
        return;
    }
    /* What the thread left in an earlier round may have been given up since. */
    CHECK_OWNED(mmf_mutex_wait(will->mutex, 0));
    if (will->what == 0)
        CHECK_OK(mmf_mutex_release(will->mutex));
}

static int
job_make_will(void *argument)
{
    struct last_will *will = argument;

    CHECK_INT(pthread_setspecific(will->key, will), 0);
    if (will->what == 1)
        for (int i = 0; i < will->rounds; i++)
            CHECK_STATUS(mmf_mutex_wait(will->mutex, 0), MMF_OK);
    return MMF_OK;
}

/* Keys are made before the library makes its own, and after. */
static pthread_key_t early_key, late_key;

__attribute__((constructor)) static void
make_early_key(void)
{
    pthread_key_create(&early_key, execute_will);
}

static void
end_by_will(int late, int named, int what, int rounds, int idle)
{
    mmf_mutex *mutex = new_mutex(named ? "Cat" : NULL);
    struct last_will will = {.mutex = mutex,
                             .key = late ? late_key : early_key,
                             .what = what,
                             .idle = idle,
                             .rounds = rounds};
    struct worker *worker = worker_start();

    CHECK_CONTEXT("%s key, named %d, what %d, %d rounds", late ? "late" : "early",
                  named, what, rounds);
    CHECK_INT(worker_does(worker, job_make_will, &will), MMF_OK);
    worker_end(worker);
    CHECK_INT(will.done, rounds);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), what == 2 ? MMF_ABANDONED : MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    mmf_mutex_close(mutex);
}

TEST(rule_7_2_4_another_key_s_destructor_uses_it)
{
    /* In the last round the thread sanitizer ends a thread. */
    int rounds = HARNESS_TSAN ? 2 : 3;
    mmf_mutex *mutex = owned_mutex(NULL); /* the library has its key now */

    mmf_mutex_close(mutex);
    CHECK_INT(pthread_key_create(&late_key, execute_will), 0);
    for (int row = 0; row < 4; row++) {
        int late = row & 1, named = row >> 1;

        /* A thread that used mutexes before keeps them for its first destructors. */
        end_by_will(late, named, 1, 1, 0);
        /* A destructor that takes one can release it, or leave it. */
        for (int count = 1; count <= rounds; count++) {
            end_by_will(late, named, 0, count, 0);
            end_by_will(late, named, 2, count, 0);
        }
        /* Also if the thread has not used one before. */
        if (!HARNESS_TSAN)
            end_by_will(late, named, 2, 2, 1);
    }
    CHECK_INT(pthread_key_delete(late_key), 0);
}

/*
 * .NET's two stress tests: mutexes made, taken and closed by many threads at once.
 */

struct churn {
    const char *name;
    int rounds;
    int owned;
};

static int
job_churn(void *argument)
{
    const struct churn *churn = argument;

    for (int i = 0; i < churn->rounds; i++) {
        mmf_mutex *mutex = NULL;
        int created = 0;

        CHECK_OK(mmf_mutex_create_or_open(churn->name, churn->owned, NULL, &created,
                                          &mutex));
        if (!(created && churn->owned))
            CHECK_OWNED(mmf_mutex_wait(mutex, LONG_MS));
        if (i % 3 != 0)
            CHECK_OK(mmf_mutex_release(mutex));
        mmf_mutex_close(mutex);
        /* Left owned: the next wait takes it again, or the name's next life begins. */
        if (i % 3 == 0) {
            mutex = NULL;
            CHECK_OK(mmf_mutex_create_or_open(churn->name, 0, NULL, NULL, &mutex));
            while (mmf_mutex_release(mutex) == MMF_OK)
                continue;
            mmf_mutex_close(mutex);
        }
    }
    return MMF_OK;
}

static void
churn_by_threads(const char *name)
{
    enum { THREADS = 8 };
    struct churn churns[THREADS];
    struct crew crew = {0};
    struct usage before;

    usage_take(&before);
    for (int i = 0; i < THREADS; i++)
        churns[i] = (struct churn){
            .name = name, .rounds = harness_long() ? 5000 : 150, .owned = i % 2};
    crew_begin(&crew, THREADS, job_churn, churns, sizeof(churns[0]));
    crew_end(&crew);
    usage_check_same(&before);
}

TEST(rule_7_2_6_closing_has_no_races)
{
    churn_by_threads(NULL);
    churn_by_threads("Cat");
}

/* A child that is started while others use mutexes sees nothing half done. */
struct busy {
    mmf_mutex *named, *unnamed;
    atomic_int stop;
};

static int
job_be_busy(void *argument)
{
    struct busy *busy = argument;

    while (!atomic_load(&busy->stop)) {
        mmf_mutex *own = NULL;

        CHECK_STATUS(mmf_mutex_wait(busy->named, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_mutex_wait(busy->unnamed, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(busy->named), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(busy->unnamed), MMF_OK);
        CHECK_OK(mmf_mutex_create_or_open("Dog", 1, NULL, NULL, &own));
        mmf_mutex_release(own);
        mmf_mutex_close(own);
    }
    return MMF_OK;
}

static void
use_in_child_of_many_threads(void *argument)
{
    struct busy *busy = argument;
    mmf_mutex *mutex = NULL;

    CHECK_FAILS(mmf_mutex_wait(busy->named, 0), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_mutex_wait(busy->unnamed, 0), MMF_E_DISPOSED);
    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    mmf_mutex_close(mutex);
    mutex = owned_mutex(NULL);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    mmf_mutex_close(busy->named);
    mmf_mutex_close(busy->unnamed);
}

TEST(forks_among_busy_threads)
{
    enum { THREADS = 3 };
    struct crew crew = {0};
    int rounds = harness_long() ? 2000 : 60;
    struct busy busy;

    need_fork();
    if (HARNESS_TSAN)
        harness_skip("the thread sanitizer knows no threads after a fork of threads");
    busy = (struct busy){.named = new_mutex("Cat"), .unnamed = new_mutex(NULL)};
    crew_begin(&crew, THREADS, job_be_busy, &busy, 0);
    for (int round = 0; round < rounds; round++)
        in_child(use_in_child_of_many_threads, &busy);
    atomic_store(&busy.stop, 1);
    crew_end(&crew);
    mmf_mutex_close(busy.named);
    mmf_mutex_close(busy.unnamed);
    CHECK_INT(count_files(), 0);
}
