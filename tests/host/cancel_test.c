/*
 * cancel_test.c - threads are cancelled (deferred, the default) while they call the
 * library: all others go on, and nothing is left behind.
 */
#include "../harness/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIALS = 50 };

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

/* Waits only: each of its calls begins with a point where it may end. */
static void *
take_from(void *queue)
{
    for (;;) {
        mmf_message message;

        CHECK_STATUS(mmf_queue_take(queue, 1, &message), MMF_TIMED_OUT);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

static void *
wait_for(void *event)
{
    for (;;) {
        CHECK_STATUS(mmf_event_wait(event, 1), MMF_TIMED_OUT);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

/* Cancel it somewhere in its rounds; it must end. */
static void
cancel_thread(void *(*run)(void *), void *argument, unsigned spins)
{
    pthread_t thread;
    struct timespec deadline;
    void *result;

    atomic_store(&rounds, 0);
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    while (atomic_load(&rounds) < 2)
        ;
    while (spins-- > 0)
        atomic_load(&rounds);
    CHECK(pthread_cancel(thread) == 0);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += harness_deadline_ms() / 1000;
    CHECK_INT(pthread_timedjoin_np(thread, &result, &deadline), 0);
    CHECK(result == PTHREAD_CANCELED);
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

static void
a_cancelled_thread_leaves_nothing(void **state)
{
    (void)state;
    if (HARNESS_TSAN)
        harness_skip("the thread sanitizer knows no cancelled threads");
    for (int i = 0; i < TRIALS; i++) {
        struct usage before;

        usage_take(&before);
        cancel_thread(open_and_close, NULL, (unsigned)rand() % 100000);
        usage_check_same(&before);
        check_all_goes_on();
    }
}

static void
a_waiting_thread_can_be_cancelled(void **state)
{
    mmf_queue *queue;
    mmf_event *event;

    (void)state;
    if (HARNESS_TSAN)
        harness_skip("the thread sanitizer knows no cancelled threads");
    CHECK_OK(mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    cancel_thread(take_from, queue, 1000);
    cancel_thread(wait_for, event, 1000);
    mmf_queue_close(queue);
    mmf_event_close(event);
    check_all_goes_on();
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_thread_leaves_nothing),
        cmocka_unit_test(a_waiting_thread_can_be_cancelled),
    };

    return harness_main(argc, argv, "host_cancel", tests,
                        sizeof(tests) / sizeof(tests[0]), NULL);
}
