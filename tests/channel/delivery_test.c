/*
 * delivery_test.c - what becomes of a message that its consumer does not release: marks,
 * counts, mmf_queue_return; and mmf_queue_drain.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/*
 * Draining.
 */

enum { JOBS = 2000 };

static void *
work(void *queue)
{
    for (;;) {
        mmf_message message;

        CHECK_STATUS(mmf_queue_take(queue, LONG_MS, &message), MMF_OK);
        if (*(const uint64_t *)message.bytes == UINT64_MAX)
            break;
        CHECK_OK(mmf_queue_release(queue, &message));
    }
    return NULL;
}

/* With another drainer, and a sender that waits for space: none of them misses its
 * wake-up. */
static void *
send_and_drain(void *queue)
{
    for (uint64_t i = 0; i < JOBS; i++) {
        CHECK_STATUS(mmf_queue_send(queue, &i, 8, LONG_MS, NULL), MMF_OK);
        if (i % 100 == 99)
            CHECK_STATUS(mmf_queue_drain(queue, LONG_MS), MMF_OK);
    }
    return NULL;
}

TEST(several_drain_at_once)
{
    mmf_queue *senders[3], *consumers[2];
    pthread_t sending[3], working[2];
    uint64_t last = UINT64_MAX;

    senders[0] = new_sender(0, 8, 4);
    for (int i = 1; i < 3; i++)
        senders[i] = open_queue(MMF_ROLE_SEND, 0);
    for (int i = 0; i < 2; i++) {
        consumers[i] = open_queue(MMF_ROLE_RECEIVE, 0);
        CHECK_INT(pthread_create(&working[i], NULL, work, consumers[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        CHECK_INT(pthread_create(&sending[i], NULL, send_and_drain, senders[i]), 0);
    for (int i = 0; i < 3; i++)
        CHECK_INT(pthread_join(sending[i], NULL), 0);
    CHECK_OK(mmf_queue_drain(senders[0], 0));
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(mmf_queue_send(senders[0], &last, 8, LONG_MS, NULL), MMF_OK);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_join(working[i], NULL), 0);
    CHECK_INT(stats_of(senders[0]).received, 3 * JOBS);
    for (int i = 0; i < 3; i++)
        mmf_queue_close(senders[i]);
    for (int i = 0; i < 2; i++)
        mmf_queue_close(consumers[i]);
}

/*
 * Browsing.
 */

/* Damaged indexes that each come before the next, in a circle: there is an order anyway. */
TEST(what_is_in_a_damaged_queue)
{
    static const uint64_t shares[] = {8, 12, 2,
                                      7}; /* of a circle of 16, from its cut */
    static const int sorted[] = {2, 3, 0, 1};
    const uint64_t circle = (uint64_t)1 << 48;
    uint64_t indexes[4];
    mmf_queue_item items[4];
    mmf_queue *sender;
    size_t count;

    CHECK_OK(mmf_queue_create_new(
        "Q", 8, 4, MMF_OVERFLOW_BLOCK,
        CHANNEL_OPTIONS(.role = MMF_ROLE_SEND, .max_senders = 1, .max_receivers = 1),
        &sender));
    for (uint64_t i = 0; i < 4; i++)
        send_number(sender, i); /* 1 to 4, so the tail is 5 */
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t word;

        indexes[i] = (circle / 16 * shares[i] + circle / 2 + 8 + i) % circle;
        word = indexes[i] << 16 | 2;
        overwrite("Q", IN_SLOTS, (int64_t)(64 * i + 56), &word, sizeof(word));
    }
    CHECK_OK(mmf_queue_browse("Q", items, 4, &count));
    CHECK_INT(count, 4);
    for (int i = 0; i < 4; i++)
        CHECK(items[i].sequence == indexes[sorted[i]]);
    mmf_queue_close(sender);
}

/* Passes messages on, each of one byte many times, and keeps some in the queue. */
struct passing {
    mmf_queue *sender, *consumer;
    atomic_int ends;
};

enum { LONG_LENGTH = 3000, KEPT = 1 };

static void *
pass_messages(void *argument)
{
    struct passing *passing = argument;
    char bytes[LONG_LENGTH], got[LONG_LENGTH];
    size_t length;

    for (int i = 0; !atomic_load(&passing->ends); i++) {
        memset(bytes, i, sizeof(bytes));
        CHECK_OK(mmf_queue_send(passing->sender, bytes,
                                i % 3 == 0 ? 40 : (size_t)LONG_LENGTH, 0, NULL));
        if (i >= KEPT)
            CHECK_OK(mmf_queue_receive(passing->consumer, got, sizeof(got), 0, &length,
                                       NULL));
    }
    return NULL;
}

static bool
is_of_one_byte(const mmf_queue_item *item)
{
    const char *bytes = item->bytes;

    for (size_t i = 1; i < item->copied; i++)
        if (bytes[i] != bytes[0])
            return false;
    return item->length == 40 || item->length == LONG_LENGTH;
}

static void
what_is_shown_is_one_message(uint32_t flags)
{
    struct passing passing = {.sender = new_sender(flags, LONG_LENGTH, 8),
                              .consumer = open_queue(MMF_ROLE_RECEIVE, 0)};
    static char bytes[8][LONG_LENGTH];
    pthread_t thread;
    size_t seen = 0;

    CHECK_INT(pthread_create(&thread, NULL, pass_messages, &passing), 0);
    while (seen < 20000) {
        mmf_queue_item items[8];
        size_t count;

        CHECK_OK(
            mmf_queue_browse_bytes("Q", items, 8, bytes, sizeof(bytes[0]), &count));
        for (size_t i = 0; i < count; i++)
            CHECK(items[i].bytes == NULL || is_of_one_byte(&items[i]));
        seen += count;
    }
    atomic_store(&passing.ends, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_queue_close(passing.consumer);
    mmf_queue_close(passing.sender);
}

TEST(bytes_are_those_of_one_message)
{
    for_each_kind(what_is_shown_is_one_message);
}
