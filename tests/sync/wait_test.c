/*
 * wait_test.c - WaitAny and WaitAll of many threads at once: what tests/scenarios/wait.scn
 * cannot say of rule 7.1.6.
 */
#include "support.h"

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
    struct worker *workers[TAKERS];
    int64_t until = now_us() + (harness_long() ? 20000000 : 150000);
    int late = 0, looks = 0;

    for (int i = 0; i < TAKERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_take_pairs, &takers[i]);
    }
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
    for (int i = 0; i < TAKERS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
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
    struct worker *workers[5];
    mmf_semaphore *forks[5];

    for (int i = 0; i < 5; i++)
        forks[i] = new_semaphore(with_suffix(name, suffixes[i]), 1, 1);
    for (int i = 0; i < 5; i++) {
        memcpy(rings[i].forks, forks, sizeof(forks));
        rings[i].first = i;
        rings[i].second = (i + 1) % 5;
        rings[i].rounds = harness_long() ? 100000 : 500;
        workers[i] = worker_start();
        worker_begin(workers[i], job_dine, &rings[i]);
    }
    for (int i = 0; i < 5; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
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
