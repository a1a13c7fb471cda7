/*
 * waitable_test.c - channels among the objects of a wait for any.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static mmf_event *
new_event(void)
{
    mmf_event *event;

    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    return event;
}

/* The wait must give that index; -1: none, by its timeout. */
static void
expect_index(mmf_waitable *const *objects, int count, int32_t timeout_ms, int expected)
{
    int index = -1;
    int rc = mmf_wait_any(objects, count, timeout_ms, &index);

    CHECK_STATUS(rc, expected < 0 ? MMF_TIMED_OUT : MMF_OK);
    CHECK_INT(index, expected);
}

static void
beside_events(uint32_t flags)
{
    mmf_queue *receiver = new_receiver(flags, 8, 8);
    mmf_queue *sender = open_queue(MMF_ROLE_SEND, flags);
    mmf_event *first = new_event(), *last = new_event();
    mmf_waitable *objects[] = {mmf_event_waitable(first), mmf_queue_waitable(receiver),
                               mmf_event_waitable(last)};

    for (uint64_t i = 0; i < 20; i++) {
        expect_index(objects, 3, 0, -1);
        expect_index(objects, 3, 5, -1);
        send_number(sender, i);
        expect_index(objects, 3, LONG_MS, 1);
        CHECK_OK(mmf_event_set(last));
        expect_index(objects, 3, 0, 1); /* nothing was taken */
        CHECK_OK(mmf_event_set(first));
        expect_index(objects, 3, LONG_MS, 0);
        CHECK_OK(mmf_wait_one(objects[1], 0));
        expect_number(receiver, i);
        CHECK_STATUS(mmf_wait_one(objects[1], 0), MMF_TIMED_OUT);
        expect_index(objects, 3, LONG_MS, 2);
    }
    mmf_event_close(first);
    mmf_event_close(last);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
a_queue_is_waited_for_beside_events(void **state)
{
    (void)state;
    for_each_kind(beside_events);
}

static void
a_topic_and_a_latest_value_are_waited_for(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_waitable *objects[2];
    uint64_t number = 0, version;
    size_t length;

    (void)state;
    CHECK_OK(
        mmf_topic_create_new("T", 8, 4, MMF_OVERFLOW_DROP_OLDEST, &options, &topic));
    CHECK_OK(mmf_latest_create_new("L", 8, &options, &latest));
    objects[0] = mmf_topic_waitable(topic);
    objects[1] = mmf_latest_waitable(latest);
    for (uint64_t i = 0; i < 20; i++) {
        expect_index(objects, 2, 0, -1);
        CHECK_OK(mmf_latest_send(latest, &i, 8, NULL));
        expect_index(objects, 2, LONG_MS, 1);
        CHECK_OK(mmf_topic_send(topic, &i, 8, 0, NULL));
        expect_index(objects, 2, 0, 0);
        CHECK_OK(mmf_topic_receive(topic, &number, 8, 0, &length, NULL));
        CHECK_INT(number, i);
        expect_index(objects, 2, 0, 1);
        CHECK_OK(mmf_latest_receive(latest, &number, 8, &length, &version));
        CHECK_INT(number, i);
    }
    mmf_topic_close(topic);
    mmf_latest_close(latest);
}

static void
what_is_no_wait_for_any_is_refused(void **state)
{
    mmf_queue *receiver = new_receiver(0, 8, 8);
    mmf_queue *sender = open_queue(MMF_ROLE_SEND, 0);
    mmf_event *event = new_event();
    mmf_waitable *both[] = {mmf_event_waitable(event), mmf_queue_waitable(receiver)};
    mmf_waitable *deaf = mmf_queue_waitable(sender);
    int index = 7;

    (void)state;
    CHECK(mmf_queue_waitable(NULL) == NULL && mmf_topic_waitable(NULL) == NULL &&
          mmf_latest_waitable(NULL) == NULL);
    CHECK_STATUS(mmf_wait_all(both, 2, 0), MMF_E_NOT_SUPPORTED);
    CHECK(strstr(mmf_last_message(), "one of the objects is a queue") != NULL);
    CHECK_STATUS(mmf_signal_and_wait(both[0], both[1], 0), MMF_E_NOT_SUPPORTED);
    CHECK(strstr(mmf_last_message(), "the object to wait on is a queue") != NULL);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT); /* it was not signalled */
    CHECK_STATUS(mmf_signal_and_wait(both[1], both[0], 0), MMF_E_NOT_SUPPORTED);
    CHECK(strstr(mmf_last_message(), "the object to signal is a queue") != NULL);
    CHECK_STATUS(mmf_wait_any(&deaf, 1, 0, &index), MMF_E_NOT_SUPPORTED);
    CHECK_STATUS(mmf_wait_one(deaf, 0), MMF_E_NOT_SUPPORTED);
    CHECK_STATUS(mmf_wait_one(both[1], -2), MMF_E_RANGE);
    CHECK_INT(index, 7);
    mmf_event_close(event);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
a_dead_peer_ends_the_wait(void **state)
{
    mmf_queue *receiver = new_receiver(MMF_CHANNEL_PEER_CLOSED, 8, 8);
    mmf_event *event = new_event();
    mmf_waitable *objects[] = {mmf_event_waitable(event), mmf_queue_waitable(receiver)};
    uint64_t number;
    size_t length;

    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct process *sender = peer_start();

        peer_does(sender, "open %u 0 0", MMF_ROLE_SEND);
        peer_does(sender, "send %d 0", (int)i);
        expect_index(objects, 2, LONG_MS, 1);
        expect_number(receiver, i);
        process_kill(sender);
        expect_index(objects, 2, LONG_MS, 1);
        CHECK_STATUS(mmf_queue_receive(receiver, &number, 8, 0, &length, NULL),
                     MMF_E_PEER_CLOSED);
    }
    mmf_event_close(event);
    mmf_queue_close(receiver);
}

static void
what_a_dead_consumer_had_ends_the_wait(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_event *event = new_event();
    mmf_waitable *objects[] = {mmf_event_waitable(event), mmf_queue_waitable(receiver)};

    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct process *victim = peer_start();
        char answer[32];

        peer_does(victim, "open %u 0 0", MMF_ROLE_RECEIVE);
        send_number(sender, i);
        snprintf(answer, sizeof(answer), "MMF_OK %d 0", (int)i);
        peer_answers(victim, answer, "take %d", LONG_MS);
        expect_index(objects, 2, 0, -1);
        process_kill(victim);
        expect_index(objects, 2, LONG_MS, 1);
        expect_number(receiver, i);
    }
    mmf_event_close(event);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
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

static void
every_signal_and_every_message_arrives(void **state)
{
    struct office office = {.event = new_event()};
    mmf_queue *sender = new_sender(0, 8, 8);
    pthread_t threads[MIXED + 1];

    (void)state;
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

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_is_waited_for_beside_events),
        cmocka_unit_test(a_topic_and_a_latest_value_are_waited_for),
        cmocka_unit_test(what_is_no_wait_for_any_is_refused),
        cmocka_unit_test(a_dead_peer_ends_the_wait),
        cmocka_unit_test(what_a_dead_consumer_had_ends_the_wait),
        cmocka_unit_test(every_signal_and_every_message_arrives),
    };
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};

    return harness_main(argc, argv, "channel.waitable", tests, COUNT_OF(tests), roles);
}
