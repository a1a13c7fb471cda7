/*
 * cancel_test.c - threads are cancelled (deferred, the default) while they call the
 * library: all others go on, nothing is left behind, and a signal that a cancelled thread
 * was given goes to another.
 */
#include "../harness/check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIALS = 1000 };

static atomic_int rounds;

static void *
open_and_close(void *unused)
{
    for (;;) {
        mmf_map *map;
        mmf_mutex *mutex;

        CHECK_OK(mmf_map_create_or_open("Cat", 4096, NULL, NULL, &map));
        mmf_map_close(map);
        CHECK_OK(mmf_mutex_create_or_open("Lock", 0, NULL, NULL, &mutex));
        mmf_mutex_close(mutex);
        atomic_fetch_add(&rounds, 1);
    }
    return unused;
}

/*
 * Waits.
 */

static mmf_queue *queue;
static mmf_mutex *mutex;
static mmf_event *event, *other_event;
static mmf_semaphore *semaphore;

static void *
take_from_queue(void *timeout_ms)
{
    for (;;) {
        mmf_message message;

        if (mmf_queue_take(queue, (int32_t)(intptr_t)timeout_ms, &message) == MMF_OK)
            CHECK_OK(mmf_queue_release(queue, &message));
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

static void *
wait_for_event(void *timeout_ms)
{
    for (;;) {
        atomic_fetch_add(&rounds, 1);
        mmf_event_wait(event, (int32_t)(intptr_t)timeout_ms);
    }
    return NULL;
}

static void *
wait_for_any(void *timeout_ms)
{
    mmf_waitable *objects[2] = {mmf_event_waitable(event),
                                mmf_semaphore_waitable(semaphore)};
    int index;

    for (;;) {
        atomic_fetch_add(&rounds, 1);
        mmf_wait_any(objects, 2, (int32_t)(intptr_t)timeout_ms, &index);
    }
    return NULL;
}

static void *
wait_for_all(void *timeout_ms)
{
    mmf_waitable *objects[2] = {mmf_event_waitable(event),
                                mmf_event_waitable(other_event)};

    for (;;) {
        atomic_fetch_add(&rounds, 1);
        mmf_wait_all(objects, 2, (int32_t)(intptr_t)timeout_ms);
    }
    return NULL;
}

static void *
lock_and_unlock(void *timeout_ms)
{
    for (;;) {
        atomic_fetch_add(&rounds, 1);
        if (mmf_mutex_wait(mutex, (int32_t)(intptr_t)timeout_ms) >= 0)
            mmf_mutex_release(mutex);
    }
    return NULL;
}

static void
join_cancelled(pthread_t thread)
{
    struct timespec deadline;
    void *result;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += harness_deadline_ms() / 1000;
    CHECK_INT(pthread_timedjoin_np(thread, &result, &deadline), 0);
    CHECK(result == PTHREAD_CANCELED);
}

/* Cancel it somewhere in its rounds; it must end. */
static void
cancel_thread(void *(*run)(void *), void *argument, unsigned spins)
{
    pthread_t thread;

    atomic_store(&rounds, 0);
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    while (atomic_load(&rounds) < 2)
        ;
    while (spins-- > 0)
        atomic_load(&rounds);
    CHECK(pthread_cancel(thread) == 0);
    join_cancelled(thread);
}

static void
check_all_goes_on(void)
{
    mmf_map *map;
    pid_t child;
    int status;

    CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map)); /* nothing holds it */
    mmf_map_close(map);
    child = fork();
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

TEST(a_cancelled_thread_leaves_nothing)
{
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs threads that return");
    for (int i = 0; i < TRIALS; i++) {
        struct usage before;

        if (i % 20 == 0)
            usage_take(&before);
        cancel_thread(open_and_close, NULL, (unsigned)rand() % 100000);
        if (i % 20 == 19) {
            usage_check_same(&before);
            check_all_goes_on();
        }
    }
}

static void
make_objects(void)
{
    CHECK_OK(mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(
        mmf_event_create_new("Other", 0, MMF_EVENT_AUTO_RESET, NULL, &other_event));
    CHECK_OK(mmf_semaphore_create_new("Semaphore", 0, 1000, NULL, &semaphore));
    CHECK_OK(mmf_mutex_create_new("Mutex", 0, NULL, &mutex));
}

static void
close_objects(void)
{
    mmf_queue_close(queue);
    mmf_event_close(event);
    mmf_event_close(other_event);
    mmf_semaphore_close(semaphore);
    mmf_mutex_close(mutex);
}

/* Up to some 20 us. Not by yielding, which beside busy processes takes seconds. */
static void
spin_a_little(void)
{
    for (int spins = rand() % 20000; spins > 0; spins--)
        atomic_load(&rounds);
}

/* In its sleep, which does not end by itself, and between short ones. */
TEST(a_waiting_thread_can_be_cancelled)
{
    static void *(*const waits[])(void *) = {
        take_from_queue, wait_for_event, wait_for_any, wait_for_all, lock_and_unlock};

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs threads that return");
    make_objects();
    CHECK_OK(mmf_mutex_wait(mutex, 0));
    for (int i = 0; i < TRIALS; i++) {
        void *(*wait)(void *) = waits[i % 5];
        pthread_t thread;

        if (i / 5 % 2 == 0) {
            cancel_thread(wait, (void *)1, wait == take_from_queue ? 1000 : 0);
            continue;
        }
        atomic_store(&rounds, 0);
        CHECK(pthread_create(&thread, NULL, wait, (void *)-1) == 0);
        while (wait != take_from_queue && atomic_load(&rounds) < 1)
            sched_yield();
        spin_a_little();
        CHECK(pthread_cancel(thread) == 0);
        join_cancelled(thread);
    }
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    close_objects();
    check_all_goes_on();
}

static void *
wait_for_event_once(void *unused)
{
    atomic_fetch_add(&rounds, 1);
    if (mmf_event_wait(event, MMF_INFINITE) == MMF_OK)
        atomic_fetch_sub(&rounds, 1);
    return unused;
}

/* It may take the signal, or be cancelled with it in hand: then the next one has it. */
TEST(a_cancelled_thread_s_signal_is_not_lost)
{
    int taken = 0;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs threads that return");
    make_objects();
    for (int i = 0; i < TRIALS; i++) {
        pthread_t thread;
        void *result;
        bool is_taken;

        atomic_store(&rounds, 0);
        CHECK(pthread_create(&thread, NULL, wait_for_event_once, NULL) == 0);
        while (atomic_load(&rounds) < 1)
            sched_yield();
        spin_a_little();
        CHECK_OK(mmf_event_set(event));
        CHECK(pthread_cancel(thread) == 0);
        CHECK_INT(pthread_join(thread, &result), 0);
        is_taken = atomic_load(&rounds) == 0;
        CHECK_STATUS(mmf_event_wait(event, 0), is_taken ? MMF_TIMED_OUT : MMF_OK);
        taken += is_taken;
    }
    print_message("%d signals were taken, %d passed on\n", taken, TRIALS - taken);
    close_objects();
    check_all_goes_on();
}

static mmf_service *client;

static void *
call_forever(void *unused)
{
    uint64_t number;
    size_t length;

    atomic_fetch_add(&rounds, 1);
    mmf_service_call(client, "12345678", 8, &number, 8, MMF_INFINITE, &length);
    atomic_fetch_sub(&rounds, 1);
    return unused;
}

enum { A_SERVER_HAS_IT, NO_SERVER_HAS_IT, THERE_IS_NO_SPACE, PLACES };

/* No request, no place and no answer is left of its call. */
TEST(a_cancelled_thread_s_call_is_cancelled)
{
    mmf_service_options options = {.size = sizeof(options), .max_calls = 1};
    mmf_service *server, *filler;
    mmf_channel_stats stats;
    mmf_message request;
    uint64_t call;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs threads that return");
    options.role = MMF_ROLE_SERVER;
    CHECK_OK(mmf_service_create_new("Service", 8, 8, 1, &options, &server));
    options.role = MMF_ROLE_CLIENT;
    CHECK_OK(mmf_service_open_existing("Service", &options, &client));
    CHECK_OK(mmf_service_open_existing("Service", &options, &filler));
    for (int i = 0; i < TRIALS / 10; i++) {
        int where = i % PLACES;
        pthread_t thread;

        atomic_store(&rounds, 0);
        if (where == THERE_IS_NO_SPACE)
            CHECK_OK(mmf_service_send(filler, "other", 5, 0, &call));
        CHECK_INT(pthread_create(&thread, NULL, call_forever, NULL), 0);
        if (where == A_SERVER_HAS_IT) {
            CHECK_STATUS(mmf_service_take(server, MMF_INFINITE, &request), MMF_OK);
        } else {
            while (atomic_load(&rounds) < 1)
                sched_yield();
        }
        CHECK_INT(pthread_cancel(thread), 0);
        join_cancelled(thread);
        CHECK_STATUS(mmf_wait_one(mmf_service_waitable(client), 0), MMF_E_STATE);
        if (where == A_SERVER_HAS_IT)
            CHECK_OK(
                mmf_service_answer(server, &request, "old", 3, MMF_ANSWER_LAST, 0));
        if (where == THERE_IS_NO_SPACE)
            CHECK_OK(mmf_service_cancel(filler, call));
        CHECK_FAILS(mmf_service_take_answer(client, 0, 0, &request), MMF_E_STATE);
        CHECK_OK(mmf_service_send(client, "new", 3, MMF_INFINITE, &call));
        CHECK_STATUS(mmf_service_take(server, 0, &request), MMF_OK);
        CHECK_INT(request.sequence, call);
        CHECK_OK(mmf_service_answer(server, &request, "new", 3, MMF_ANSWER_LAST, 0));
        CHECK_STATUS(mmf_service_take_answer(client, 0, 0, &request), MMF_OK);
        CHECK_INT(request.sequence, call);
        CHECK_OK(mmf_service_release_answer(client, &request));
    }
    CHECK_OK(mmf_service_stat(server, &stats));
    CHECK_INT(stats.in_flight, 0);
    CHECK_INT(stats.depth, 0);
    mmf_service_close(client);
    mmf_service_close(filler);
    mmf_service_close(server);
    check_all_goes_on();
}
