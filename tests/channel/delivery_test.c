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

static mmf_message
take(mmf_queue *queue, uint64_t number, uint32_t deliveries)
{
    mmf_message message = {.deliveries = 77};

    CHECK_STATUS(mmf_queue_take(queue, LONG_MS, &message), MMF_OK);
    CHECK_INT(*(const uint64_t *)message.bytes, number);
    CHECK_INT(message.deliveries, deliveries);
    CHECK_INT(message.flags, deliveries > 1 ? MMF_MESSAGE_REDELIVERED : 0);
    return message;
}

/* A consumer that closes with `taken` messages in flight. */
static void
take_and_close(uint32_t taken, uint32_t deliveries)
{
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);

    for (uint32_t i = 0; i < taken; i++)
        take(consumer, i, deliveries);
    mmf_queue_close(consumer);
}

/* Three consumers in turn: the second takes less than the first had, and what it has not
 * touched is marked all the same. */
static void
marks_stay(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 8);
    mmf_queue *consumer;

    for (uint64_t i = 0; i < 4; i++)
        send_number(sender, i);
    take_and_close(3, 1);
    take_and_close(1, 2);
    consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    take(consumer, 0, 3);
    take(consumer, 1, 2);
    take(consumer, 2, 2);
    take(consumer, 3, 1);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void
a_mark_is_not_lost(void **state)
{
    (void)state;
    for_each_kind(marks_stay);
}

static void
many_deliveries(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 2);

    send_number(sender, 0);
    for (uint32_t i = 1; i <= 300; i++)
        take_and_close(1, i < 255 ? i : 255);
    mmf_queue_close(sender);
}

static void
deliveries_are_counted_up_to_255(void **state)
{
    (void)state;
    for_each_kind(many_deliveries);
}

static void
a_copied_message_counts_as_well(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 2);
    mmf_queue *consumer;
    mmf_message message = {.deliveries = 77};
    uint64_t number;
    size_t length;

    (void)state;
    send_number(sender, 5);
    consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    message = take(consumer, 5, 1);
    CHECK_OK(mmf_queue_return(consumer, &message));
    CHECK_STATUS(mmf_queue_receive(consumer, &number, 8, LONG_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(message.deliveries, 2);
    CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
    send_number(sender, 6); /* in a slot of the same lap */
    take(consumer, 6, 1);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void
a_returned_message_goes_to_another_consumer(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *one = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue *other = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;

    (void)state;
    send_number(sender, 1);
    send_number(sender, 2);
    message = take(one, 1, 1);
    CHECK_OK(mmf_queue_return(one, &message));
    CHECK_FAILS(mmf_queue_return(one, &message), MMF_E_STATE);
    CHECK_FAILS(mmf_queue_release(one, &message), MMF_E_STATE);
    take(one, 2, 1); /* and not the one that it has returned */
    take(other, 1, 2);
    CHECK_INT(stats_of(sender).redelivered, 1);
    mmf_queue_close(one);
    mmf_queue_close(other);
    mmf_queue_close(sender);
}

static void
one_that_is_alone_gets_it_again(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;

    (void)state;
    send_number(sender, 1);
    message = take(consumer, 1, 1);
    CHECK_OK(mmf_queue_return(consumer, &message));
    message = take(consumer, 1, 2); /* it waits for it */
    CHECK_OK(mmf_queue_return(consumer, &message));
    /* One that polls gets it, too. */
    for (int64_t end = now_us() + LONG_MS * 1000; now_us() < end;) {
        int rc = mmf_queue_take(consumer, 0, &message);

        if (rc == MMF_OK)
            break;
        CHECK_STATUS(rc, MMF_TIMED_OUT);
        nap_us(1000);
    }
    CHECK_INT(message.deliveries, 3);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void *
take_in_a_thread(void *queue)
{
    take(queue, 7, 2);
    return NULL;
}

static void
a_sleeping_consumer_is_woken_by_a_return(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *one = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue *other = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;
    pthread_t thread;

    (void)state;
    send_number(sender, 7);
    message = take(one, 7, 1);
    CHECK_INT(pthread_create(&thread, NULL, take_in_a_thread, other), 0);
    nap_us(100000); /* most of the time it sleeps by now; it may not */
    CHECK_OK(mmf_queue_return(one, &message));
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_queue_close(one);
    mmf_queue_close(other);
    mmf_queue_close(sender);
}

static void
returning_checks_its_arguments(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message = {.sequence = 3};

    (void)state;
    CHECK_FAILS_PARAM(mmf_queue_return(NULL, &message), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_return(consumer, NULL), MMF_E_NULL, "message");
    CHECK_FAILS(mmf_queue_return(consumer, &message), MMF_E_STATE);
    CHECK_FAILS(mmf_queue_return(sender, &message), MMF_E_NOT_SUPPORTED);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
    sender = new_sender(MMF_CHANNEL_SPSC, 8, 4);
    consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    send_number(sender, 1);
    message = take(consumer, 1, 1);
    CHECK_FAILS(mmf_queue_return(consumer, &message), MMF_E_NOT_SUPPORTED);
    CHECK_OK(mmf_queue_release(consumer, &message));
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

/*
 * Draining.
 */

static void
drains(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 4);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;

    CHECK_OK(mmf_queue_drain(sender, 0)); /* nothing was ever sent */
    send_number(sender, 1);
    CHECK_STATUS(mmf_queue_drain(sender, 0), MMF_TIMED_OUT);
    message = take(consumer, 1, 1);
    CHECK_STATUS(mmf_queue_drain(sender, 0), MMF_TIMED_OUT); /* in flight */
    CHECK_STATUS(mmf_queue_drain(sender, 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_queue_release(consumer, &message));
    CHECK_OK(mmf_queue_drain(sender, 0));
    CHECK_FAILS(mmf_queue_drain(consumer, 0), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS_PARAM(mmf_queue_drain(sender, -2), MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_drain(NULL, 0), MMF_E_NULL, "queue");
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void
a_queue_is_drained_when_all_is_released(void **state)
{
    (void)state;
    for_each_kind(drains);
}

/* A queue with FAIL that is not drained is not full. */
static void
a_drain_times_out_under_fail(void **state)
{
    mmf_queue *queue = new_queue(MMF_ROLE_SEND, 0, 8, 4, MMF_OVERFLOW_FAIL);

    (void)state;
    send_number(queue, 1);
    CHECK_STATUS(mmf_queue_drain(queue, 1), MMF_TIMED_OUT);
    mmf_queue_close(queue);
}

static void
a_drain_ends_with_the_last_consumer(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, MMF_CHANNEL_PEER_CLOSED);
    mmf_queue *consumer = new_receiver(0, 8, 4);
    mmf_queue *sender;

    (void)state;
    CHECK_OK(mmf_queue_open_existing("Q", &options, &sender));
    send_number(sender, 1);
    mmf_queue_close(consumer);
    CHECK_FAILS(mmf_queue_drain(sender, -1), MMF_E_PEER_CLOSED);
    mmf_queue_close(sender);
}

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

static void
several_drain_at_once(void **state)
{
    mmf_queue *senders[3], *consumers[2];
    pthread_t sending[3], working[2];
    uint64_t last = UINT64_MAX;

    (void)state;
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

static void
check_item(const mmf_queue_item *item, mmf_queue_state state, uint32_t deliveries,
           int64_t length, int64_t pid)
{
    CHECK_INT(item->state, state);
    CHECK_INT(item->deliveries, deliveries);
    CHECK_INT(item->length, length);
    CHECK_INT(item->pid, pid);
    CHECK_INT(item->reserved, 0);
}

/* A peer takes one message, returns none and holds it. */
static void
what_is_in_a_queue(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue_item items[8];
    mmf_message message;
    size_t count = 77;
    void *bytes;

    (void)state;
    CHECK_OK(mmf_queue_browse("Q", items, 8, &count));
    CHECK_INT(count, 0);
    for (uint64_t i = 0; i < 3; i++)
        send_number(sender, i);
    CHECK_OK(mmf_queue_reserve(sender, 5, 0, &bytes));
    message = take(consumer, 0, 1);
    CHECK_OK(mmf_queue_return(consumer, &message));
    take(consumer, 1, 1);
    CHECK_OK(mmf_queue_browse("Q", items, 8, &count));
    CHECK_INT(count, 4 - 1); /* the reservation is the tail's, not yet in its slot */
    check_item(&items[0], MMF_QUEUE_WAITING, 1, 8, 0);
    check_item(&items[1], MMF_QUEUE_IN_FLIGHT, 1, 8, (int64_t)getpid());
    check_item(&items[2], MMF_QUEUE_WAITING, 0, 8, 0);
    CHECK_INT(items[0].age_ms, -1);
    CHECK(items[1].age_ms >= 0 && items[1].age_ms < LONG_MS);
    CHECK(items[1].sequence == items[0].sequence + 1);
    CHECK_OK(mmf_queue_browse("Q", items, 2, &count));
    CHECK_INT(count, 2);
    CHECK_INT(stats_of(sender).received, 0); /* nothing was changed by it */
    CHECK_FAILS_PARAM(mmf_queue_browse(NULL, items, 8, &count), MMF_E_NULL, "name");
    CHECK_FAILS_PARAM(mmf_queue_browse("Q", NULL, 8, &count), MMF_E_NULL, "items");
    CHECK_FAILS_PARAM(mmf_queue_browse("Q", items, 8, NULL), MMF_E_NULL, "count");
    CHECK_FAILS_PARAM(mmf_queue_browse_bytes("Q", items, 8, NULL, 1, &count),
                      MMF_E_NULL, "bytes");
    CHECK_FAILS(mmf_queue_browse("no such", items, 8, &count), MMF_E_NOT_FOUND);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void
what_is_in_an_spsc_queue(void **state)
{
    mmf_queue *sender = new_sender(MMF_CHANNEL_SPSC, 8, 4);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue_item items[8];
    mmf_message message;
    size_t count = 77;

    (void)state;
    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t i = 0; i < 3; i++)
            send_number(sender, i);
        message = take(consumer, 0, 1);
        CHECK_OK(mmf_queue_release(consumer, &message));
        message = take(consumer, 1, 1);
        CHECK_OK(mmf_queue_browse("Q", items, 8, &count));
        CHECK_INT(count, 2);
        check_item(&items[0], MMF_QUEUE_IN_FLIGHT, 1, 8, (int64_t)getpid());
        check_item(&items[1], MMF_QUEUE_WAITING, 0, 8, 0);
        CHECK_OK(mmf_queue_release(consumer, &message));
        message = take(consumer, 2, 1);
        CHECK_OK(mmf_queue_release(consumer, &message));
    }
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

/* Damaged indexes that each come before the next, in a circle: there is an order anyway. */
static void
what_is_in_a_damaged_queue(void **state)
{
    static const uint64_t shares[] = {8, 12, 2,
                                      7}; /* of a circle of 16, from its cut */
    static const int sorted[] = {2, 3, 0, 1};
    const uint64_t circle = (uint64_t)1 << 48;
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    uint64_t indexes[4];
    mmf_queue_item items[4];
    mmf_queue *sender;
    size_t count;

    (void)state;
    options.max_senders = options.max_receivers = 1;
    CHECK_OK(mmf_queue_create_new("Q", 8, 4, MMF_OVERFLOW_BLOCK, &options, &sender));
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

/* Short ones lie in their slot's first line, longer ones behind it. */
static void
bytes_are_shown(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 100, 8);
    mmf_queue *consumer = open_queue(MMF_ROLE_RECEIVE, 0);
    char bytes[4][64], longest[100];
    mmf_queue_item items[4];
    mmf_message message;
    size_t count;

    memset(longest, 'x', sizeof(longest));
    longest[99] = 'y';
    CHECK_OK(mmf_queue_send(sender, "short", 5, 0, NULL));
    CHECK_OK(mmf_queue_send(sender, longest, sizeof(longest), 0, NULL));
    CHECK_OK(mmf_queue_send(sender, NULL, 0, 0, NULL));
    CHECK_STATUS(mmf_queue_take(consumer, 0, &message), MMF_OK);
    CHECK_OK(mmf_queue_browse_bytes("Q", items, 4, bytes, sizeof(bytes[0]), &count));
    CHECK_INT(count, 3);
    CHECK_INT(items[0].state, MMF_QUEUE_IN_FLIGHT);
    CHECK_INT(items[0].copied, 5);
    CHECK(memcmp(items[0].bytes, "short", 5) == 0);
    CHECK_INT(items[1].length, sizeof(longest));
    CHECK_INT(items[1].copied, 64);
    CHECK(memcmp(items[1].bytes, longest, 64) == 0);
    CHECK(items[2].copied == 0 && items[2].bytes != NULL);
    CHECK_OK(mmf_queue_browse_bytes("Q", items, 4, longest, 1, &count));
    CHECK(items[1].copied == 1 && *(const char *)items[1].bytes == 'x');
    CHECK_OK(mmf_queue_browse("Q", items, 4, &count));
    CHECK(count == 3 && items[1].bytes == NULL && items[1].copied == 0);
    mmf_queue_close(consumer);
    mmf_queue_close(sender);
}

static void
what_bytes_are_in_a_queue(void **state)
{
    (void)state;
    for_each_kind(bytes_are_shown);
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

static void
bytes_are_those_of_one_message(void **state)
{
    (void)state;
    for_each_kind(what_is_shown_is_one_message);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_not_lost),
        cmocka_unit_test(deliveries_are_counted_up_to_255),
        cmocka_unit_test(a_copied_message_counts_as_well),
        cmocka_unit_test(a_returned_message_goes_to_another_consumer),
        cmocka_unit_test(one_that_is_alone_gets_it_again),
        cmocka_unit_test(a_sleeping_consumer_is_woken_by_a_return),
        cmocka_unit_test(returning_checks_its_arguments),
        cmocka_unit_test(a_queue_is_drained_when_all_is_released),
        cmocka_unit_test(a_drain_times_out_under_fail),
        cmocka_unit_test(a_drain_ends_with_the_last_consumer),
        cmocka_unit_test(several_drain_at_once),
        cmocka_unit_test(what_is_in_a_queue),
        cmocka_unit_test(what_is_in_an_spsc_queue),
        cmocka_unit_test(what_is_in_a_damaged_queue),
        cmocka_unit_test(what_bytes_are_in_a_queue),
        cmocka_unit_test(bytes_are_those_of_one_message),
    };

    return harness_main(argc, argv, "channel.delivery", tests, COUNT_OF(tests), NULL);
}
