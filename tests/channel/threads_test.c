/*
 * threads_test.c - threads of one process, each with a handle of its own on one queue:
 * they share the mapping, so that the thread sanitizer sees what they do.
 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 3, SHORT_COUNT = HARNESS_TSAN ? 5000 : 20000, LONG_COUNT = 1000000 };

struct worker {
    pthread_t thread;
    mmf_queue *queue;
    uint64_t number;  /* of the producer */
    uint64_t count;   /* messages to send */
    uint64_t got;     /* by a consumer */
    uint64_t *totals; /* of the numbers that came, one for each producer */
    int way;
};

struct message {
    uint64_t producer;
    uint64_t number;
    uint64_t check;
    uint64_t filler[8];
};

static void
make(uint64_t producer, uint64_t number, struct message *message)
{
    message->producer = producer;
    message->number = number;
    message->check = producer * 7919 ^ number * 104729;
    for (int i = 0; i < 8; i++)
        message->filler[i] = number + (uint64_t)i;
}

static size_t
length_of(uint64_t number)
{
    return number % 2 == 0 ? 24 : sizeof(struct message);
}

static void *
produce(void *argument)
{
    struct worker *worker = argument;
    struct message message;

    for (uint64_t i = 1; i <= worker->count; i++) {
        void *bytes;

        make(worker->number, i, &message);
        switch ((i + (uint64_t)worker->way) % 3) {
        case 0:
            CHECK_STATUS(mmf_queue_reserve(worker->queue, length_of(i), -1, &bytes),
                         MMF_OK);
            memcpy(bytes, &message, (size_t)length_of(i));
            CHECK_STATUS(mmf_queue_commit(worker->queue, length_of(i), NULL), MMF_OK);
            break;
        case 1:
            CHECK_STATUS(mmf_queue_reserve(worker->queue, 100, -1, &bytes), MMF_OK);
            memset(bytes, 0xee, 100);
            CHECK_STATUS(mmf_queue_abandon(worker->queue), MMF_OK);
            CHECK_STATUS(
                mmf_queue_send(worker->queue, &message, length_of(i), -1, NULL),
                MMF_OK);
            break;
        default:
            CHECK_STATUS(
                mmf_queue_send(worker->queue, &message, length_of(i), -1, NULL),
                MMF_OK);
        }
    }
    return NULL;
}

/* Checks each message, and that those of one producer come in their order. */
static void *
consume(void *argument)
{
    struct worker *worker = argument;
    uint64_t last[MOST] = {0};

    for (;;) {
        struct message expected;
        mmf_message messages[4];
        size_t count;
        int rc = mmf_queue_take_many(worker->queue, (size_t)worker->way + 1, -1,
                                     messages, &count);

        if (rc == MMF_E_PEER_CLOSED)
            return NULL;
        CHECK_STATUS(rc, MMF_OK);
        for (size_t i = 0; i < count; i++) {
            uint64_t producer, number;

            memcpy(&producer, messages[i].bytes, 8);
            memcpy(&number, (const uint8_t *)messages[i].bytes + 8, 8);
            CHECK(producer < MOST);
            CHECK(number > last[producer]);
            last[producer] = number;
            make(producer, number, &expected);
            CHECK_INT(messages[i].length, length_of(number));
            CHECK_BYTES(messages[i].bytes, &expected, messages[i].length);
            worker->totals[producer] += number;
            worker->got++;
        }
        CHECK_STATUS(mmf_queue_release_many(worker->queue, messages, count), MMF_OK);
    }
}

static mmf_queue *
open_with(mmf_role role, mmf_strategy strategy)
{
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Q",
                                     CHANNEL_OPTIONS(.role = role,
                                                     .flags = MMF_CHANNEL_PEER_CLOSED,
                                                     .strategy = strategy),
                                     &queue));
    return queue;
}

static void
pass(uint32_t flags, int producers, int consumers, size_t slots, mmf_strategy strategy)
{
    struct worker from[MOST] = {{.way = 0}}, to[MOST] = {{.way = 0}};
    uint64_t totals[MOST][MOST] = {{0}};
    uint64_t count = harness_long() ? LONG_COUNT : SHORT_COUNT;
    mmf_queue *first = new_sender(flags, sizeof(struct message) + 12, slots);
    uint64_t got = 0;

    for (int i = 0; i < consumers; i++) {
        to[i].queue = open_with(MMF_ROLE_RECEIVE, strategy);
        to[i].totals = totals[i];
        to[i].way = i;
    }
    for (int i = 0; i < producers; i++) {
        from[i].queue = i == 0 ? first : open_with(MMF_ROLE_SEND, strategy);
        from[i].number = (uint64_t)i;
        from[i].count = count;
        from[i].way = i;
    }
    for (int i = 0; i < consumers; i++)
        CHECK_INT(pthread_create(&to[i].thread, NULL, consume, &to[i]), 0);
    for (int i = 0; i < producers; i++)
        CHECK_INT(pthread_create(&from[i].thread, NULL, produce, &from[i]), 0);
    for (int i = 0; i < producers; i++)
        pthread_join(from[i].thread, NULL);
    for (int i = 0; i < producers; i++)
        mmf_queue_close(from[i].queue);
    for (int i = 0; i < consumers; i++) {
        pthread_join(to[i].thread, NULL);
        got += to[i].got;
    }
    CHECK_INT(got, count * (uint64_t)producers);
    for (int producer = 0; producer < producers; producer++) {
        uint64_t total = 0;

        for (int i = 0; i < consumers; i++)
            total += totals[i][producer];
        CHECK_INT(total, count * (count + 1) / 2);
    }
    CHECK_INT(stats_of(to[0].queue).sent, got);
    CHECK_INT(stats_of(to[0].queue).received, got);
    for (int i = 0; i < consumers; i++)
        mmf_queue_close(to[i].queue);
}

TEST(many_to_many)
{
    pass(0, 2, 2, 16, MMF_STRATEGY_SPIN_THEN_WAIT);
    pass(0, 3, 3, 4, MMF_STRATEGY_WAIT);
}

TEST(one_to_many)
{
    pass(0, 1, 3, 8, MMF_STRATEGY_WAIT);
}

TEST(many_to_one)
{
    pass(0, 3, 1, 8, MMF_STRATEGY_SPIN_THEN_WAIT);
}

TEST(one_to_one)
{
    pass(0, 1, 1, 1, MMF_STRATEGY_WAIT);
    pass(0, 1, 1, 64, MMF_STRATEGY_SPIN_THEN_WAIT);
}

TEST(single)
{
    pass(MMF_CHANNEL_SPSC, 1, 1, 1, MMF_STRATEGY_WAIT);
    pass(MMF_CHANNEL_SPSC, 1, 1, 64, MMF_STRATEGY_SPIN_THEN_WAIT);
}
