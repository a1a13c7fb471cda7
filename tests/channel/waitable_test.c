/*
 * waitable_test.c - threads that wait for an event and a channel at once.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

static mmf_event *
new_event(void)
{
    mmf_event *event;

    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    return event;
}

/*
 * Two threads wait for an event and a queue, one for the queue alone: every signal and
 * every message arrives once, and no thread sleeps on beside one.
 */
enum { MIXED = 2, ROUNDS = HARNESS_TSAN ? 500 : 5000 };

struct office {
    mmf_event *event;
    mmf_semaphore *done;
    atomic_int signals;
    atomic_int messages;
};

static void
receive_one(struct office *office, mmf_queue *queue, int32_t timeout_ms)
{
    uint64_t number;
    size_t length;
    int rc = mmf_queue_receive(queue, &number, 8, timeout_ms, &length, NULL);

    if (rc == MMF_TIMED_OUT)
        return; /* another consumer was quicker */
    CHECK_STATUS(rc, MMF_OK);
    atomic_fetch_add(&office->messages, 1);
    CHECK_OK(mmf_semaphore_release(office->done, 1, NULL));
}

static int
is_open(struct office *office)
{
    return atomic_load(&office->messages) + atomic_load(&office->signals) < 2 * ROUNDS;
}

static void *
serve_both(void *argument)
{
    struct office *office = argument;
    mmf_queue *queue = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_waitable *objects[] = {mmf_event_waitable(office->event),
                               mmf_queue_waitable(queue)};

    while (is_open(office)) {
        int index;
        int rc = mmf_wait_any(objects, 2, 100, &index);

        if (rc == MMF_TIMED_OUT)
            continue;
        CHECK_STATUS(rc, MMF_OK);
        if (index == 1) {
            receive_one(office, queue, 0);
            continue;
        }
        atomic_fetch_add(&office->signals, 1);
        CHECK_OK(mmf_semaphore_release(office->done, 1, NULL));
    }
    mmf_queue_close(queue);
    return NULL;
}

static void *
serve_queue(void *argument)
{
    struct office *office = argument;
    mmf_queue *queue = open_queue(MMF_ROLE_RECEIVE, 0);

    while (is_open(office))
        receive_one(office, queue, 100);
    mmf_queue_close(queue);
    return NULL;
}

TEST(every_signal_and_every_message_arrives)
{
    struct office office = {.event = new_event()};
    mmf_queue *sender = new_sender(0, 8, 8);
    pthread_t threads[MIXED + 1];

    CHECK(mmf_queue_waitable(NULL) == NULL && mmf_topic_waitable(NULL) == NULL &&
          mmf_latest_waitable(NULL) == NULL);
    CHECK_OK(mmf_semaphore_create_new(NULL, 0, 4 * ROUNDS, NULL, &office.done));
    for (int i = 0; i <= MIXED; i++)
        CHECK_INT(pthread_create(&threads[i], NULL,
                                 i < MIXED ? serve_both : serve_queue, &office),
                  0);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        CHECK_OK(mmf_queue_send(sender, &i, 8, LONG_MS, NULL));
        CHECK_OK(mmf_event_set(office.event));
        for (int k = 0; k < 2; k++)
            CHECK_STATUS(mmf_semaphore_wait(office.done, LONG_MS), MMF_OK);
    }
    for (int i = 0; i <= MIXED; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(office.signals, ROUNDS);
    CHECK_INT(office.messages, ROUNDS);
    mmf_semaphore_close(office.done);
    mmf_event_close(office.event);
    mmf_queue_close(sender);
}
