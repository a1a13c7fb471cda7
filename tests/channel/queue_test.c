/*
 * queue_test.c - what a queue does with messages, in one process.
 */
#include "support.h"

#include <string.h>

static void
order(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 16);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);

    for (uint64_t lap = 0; lap < 100; lap++) {
        for (uint64_t i = 0; i < 13; i++)
            send_number(sender, lap * 1000 + i);
        for (uint64_t i = 0; i < 13; i++)
            expect_number(receiver, lap * 1000 + i);
        expect_none(receiver);
    }
    CHECK_INT(stats_of(sender).sent, 1300);
    CHECK_INT(stats_of(sender).received, 1300);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
messages_come_in_order(void **state)
{
    (void)state;
    for_each_kind(order);
}

static void
lengths(uint32_t flags)
{
    static const size_t sizes[] = {1, 8, 47, 48, 49, 63, 64, 65, 127, 128, 1000, 5000};
    uint8_t bytes[5000], got[5000];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        mmf_queue *sender = new_sender(flags, sizes[i], 4);
        mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);

        for (size_t length = 0; length <= sizes[i]; length += 1 + length / 20) {
            size_t got_length = 77;
            mmf_message message;

            memset(bytes, (int)length + 1, sizeof(bytes));
            memset(got, 0, sizeof(got));
            CHECK_STATUS(mmf_queue_send(sender, bytes, length, 0, NULL), MMF_OK);
            CHECK_STATUS(
                mmf_queue_receive(receiver, got, sizes[i], 0, &got_length, &message),
                MMF_OK);
            CHECK_INT(got_length, length);
            CHECK_INT(message.length, length);
            CHECK(message.bytes == got);
            CHECK_BYTES(got, bytes, length);
            CHECK_INT(got[length < 5000 ? length : 0], length < 5000 ? 0 : got[0]);
        }
        mmf_queue_close(sender);
        mmf_queue_close(receiver);
    }
}

static void
every_length_goes_through(void **state)
{
    (void)state;
    for_each_kind(lengths);
}

static void
read_and_written_directly(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 1000, 4);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;
    void *bytes;

    for (size_t i = 0; i < 100; i++) {
        CHECK_STATUS(mmf_queue_reserve(sender, 1000 - i * 10, 0, &bytes), MMF_OK);
        CHECK_INT((uintptr_t)bytes % 64, 0);
        memset(bytes, (int)i, (size_t)(1000 - i * 10));
        expect_none(receiver);
        CHECK_STATUS(mmf_queue_commit(sender, i % 2 ? 0 : 1000 - i * 10, NULL), MMF_OK);
        CHECK_STATUS(mmf_queue_take(receiver, 0, &message), MMF_OK);
        CHECK_INT(message.length, i % 2 ? 0 : 1000 - i * 10);
        CHECK_INT(message.flags, 0);
        for (size_t at = 0; at < message.length; at++)
            CHECK_INT(((const uint8_t *)message.bytes)[at], i);
        CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
    }
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
messages_are_written_and_read_directly(void **state)
{
    (void)state;
    for_each_kind(read_and_written_directly);
}

static void
abandoned(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 2);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    void *bytes;

    for (uint64_t i = 0; i < 50; i++) {
        CHECK_STATUS(mmf_queue_reserve(sender, 8, 0, &bytes), MMF_OK);
        CHECK_STATUS(mmf_queue_abandon(sender), MMF_OK);
        expect_none(receiver);
        send_number(sender, i);
        expect_number(receiver, i);
    }
    CHECK_INT(stats_of(sender).sent, 50);
    CHECK_INT(stats_of(sender).dropped, 0);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
what_is_abandoned_never_comes(void **state)
{
    (void)state;
    for_each_kind(abandoned);
}

static void
full(uint32_t flags)
{
    static const size_t counts[] = {1, 2, 3, 8};

    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        mmf_queue *sender = new_sender(flags, 8, counts[c]);
        mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
        uint64_t room = (uint64_t)stats_of(sender).capacity;

        CHECK_INT(room, counts[c] == 3 ? 4 : counts[c]);
        for (uint64_t lap = 0; lap < 20; lap++) {
            uint64_t number = 7;
            int64_t begin;

            for (uint64_t i = 0; i < room; i++)
                send_number(sender, lap + i);
            CHECK_STATUS(mmf_queue_send(sender, &number, 8, 0, NULL), MMF_TIMED_OUT);
            begin = now_us();
            CHECK_STATUS(mmf_queue_send(sender, &number, 8, 3, NULL), MMF_TIMED_OUT);
            CHECK(now_us() - begin >= 2900);
            CHECK_INT(stats_of(sender).depth, room);
            for (uint64_t i = 0; i < room; i++)
                expect_number(receiver, lap + i);
            expect_none(receiver);
        }
        CHECK_INT(stats_of(sender).high_water, room);
        mmf_queue_close(sender);
        mmf_queue_close(receiver);
    }
}

static void
a_full_queue_makes_senders_wait(void **state)
{
    (void)state;
    for_each_kind(full);
}

static void
fails(uint32_t flags)
{
    mmf_queue *sender = new_queue(MMF_ROLE_SEND, flags, 8, 2, MMF_OVERFLOW_FAIL);
    uint64_t number = 7;
    void *bytes = UNTOUCHED;

    send_number(sender, 1);
    send_number(sender, 2);
    CHECK_FAILS(mmf_queue_send(sender, &number, 8, -1, NULL), MMF_E_FULL);
    CHECK_FAILS(mmf_queue_reserve(sender, 8, -1, &bytes), MMF_E_FULL);
    CHECK(bytes == UNTOUCHED);
    mmf_queue_close(sender);
}

static void
overflow_fail_fails_at_once(void **state)
{
    (void)state;
    for_each_kind(fails);
}

static void
overflow_drop_oldest_drops(void **state)
{
    mmf_queue *sender = new_queue(MMF_ROLE_SEND, 0, 8, 4, MMF_OVERFLOW_DROP_OLDEST);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message held;

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        send_number(sender, i);
    CHECK_INT(stats_of(sender).dropped, 6);
    for (uint64_t i = 6; i < 10; i++)
        expect_number(receiver, i);
    expect_none(receiver);

    /* A message in flight is not dropped, and its slot is skipped. */
    send_number(sender, 100);
    held = take_number(receiver, 100);
    for (uint64_t i = 0; i < 10; i++)
        send_number(sender, 200 + i);
    CHECK_BYTES(held.bytes, (uint64_t[]){100}, 8);
    for (uint64_t i = 7; i < 10; i++)
        expect_number(receiver, 200 + i);
    expect_none(receiver);
    CHECK_STATUS(mmf_queue_release(receiver, &held), MMF_OK);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
many(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    uint64_t numbers[20];
    mmf_buffer buffers[20];
    mmf_message messages[20];
    size_t count;

    for (uint64_t i = 0; i < 20; i++) {
        numbers[i] = 100 + i;
        buffers[i].bytes = &numbers[i];
        buffers[i].length = 8;
    }
    for (int lap = 0; lap < 20; lap++) {
        count = 77;
        CHECK_STATUS(mmf_queue_send_many(sender, buffers, 20, 0, &count), MMF_OK);
        CHECK_INT(count, 8);
        CHECK_STATUS(mmf_queue_send_many(sender, buffers, 20, 0, &count),
                     MMF_TIMED_OUT);
        CHECK_INT(count, 0);
        CHECK_STATUS(mmf_queue_take_many(receiver, 3, 0, messages, &count), MMF_OK);
        CHECK_INT(count, 3);
        CHECK_STATUS(mmf_queue_take_many(receiver, 20, 0, messages + 3, &count),
                     MMF_OK);
        CHECK_INT(count, 5);
        for (int i = 0; i < 8; i++)
            CHECK_BYTES(messages[i].bytes, &numbers[i], 8);
        CHECK_STATUS(mmf_queue_take_many(receiver, 20, 0, messages, &count),
                     MMF_TIMED_OUT);
        CHECK_STATUS(mmf_queue_release_many(receiver, messages, 8), MMF_OK);
        CHECK_STATUS(mmf_queue_release_many(receiver, messages, 0), MMF_OK);
        CHECK_FAILS(mmf_queue_release_many(receiver, messages, 1), MMF_E_STATE);
    }
    CHECK_STATUS(mmf_queue_send_many(sender, buffers, 0, 0, &count), MMF_OK);
    CHECK_INT(count, 0);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
batches_go_as_far_as_there_is_room(void **state)
{
    (void)state;
    for_each_kind(many);
}

static void
small_buffer(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 100, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    uint8_t bytes[100] = {1, 2, 3}, got[100];
    size_t length = 77;
    mmf_error error;

    CHECK_STATUS(mmf_queue_send(sender, bytes, 100, 0, NULL), MMF_OK);
    send_number(sender, 2);
    for (int i = 0; i < 3; i++) {
        CHECK_FAILS_PARAM(mmf_queue_receive(receiver, got, 99, 0, &length, NULL),
                          MMF_E_RANGE, "capacity");
        CHECK_INT(length, 77);
        mmf_last_error(&error);
        CHECK(strstr(error.message, "100") != NULL);
        CHECK(strstr(error.message, "99") != NULL);
    }
    CHECK_STATUS(mmf_queue_receive(receiver, got, 100, 0, &length, NULL), MMF_OK);
    CHECK_INT(length, 100);
    CHECK_BYTES(got, bytes, 100);
    expect_number(receiver, 2);
    /* Closing with such a message redelivers it. */
    send_number(sender, 3);
    CHECK_FAILS(mmf_queue_receive(receiver, got, 7, 0, &length, NULL), MMF_E_RANGE);
    mmf_queue_close(receiver);
    receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    expect_number(receiver, 3);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
a_message_too_long_for_the_buffer_stays_first(void **state)
{
    (void)state;
    for_each_kind(small_buffer);
}

static void
closing(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message;
    void *bytes;

    for (uint64_t i = 0; i < 4; i++)
        send_number(sender, i);
    message = take_number(receiver, 0);
    CHECK_INT(message.flags, 0);
    CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
    take_number(receiver, 1);
    take_number(receiver, 2);
    mmf_queue_close(receiver);

    receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    for (uint64_t i = 1; i < 4; i++) {
        message = take_number(receiver, i);
        CHECK_INT(message.flags, i < 3 ? MMF_MESSAGE_REDELIVERED : 0);
        CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
    }
    CHECK_INT(stats_of(receiver).redelivered, 2);
    CHECK_INT(stats_of(receiver).received, 4);

    /* A producer's reservation goes with it. */
    CHECK_STATUS(mmf_queue_reserve(sender, 8, 0, &bytes), MMF_OK);
    mmf_queue_close(sender);
    sender = open_queue(MMF_ROLE_SEND, 0);
    for (uint64_t i = 0; i < 20; i++) {
        send_number(sender, i);
        expect_number(receiver, i);
    }
    CHECK_INT(stats_of(sender).senders, 1);
    CHECK_INT(stats_of(sender).receivers, 1);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
closing_redelivers_what_was_not_released(void **state)
{
    (void)state;
    for_each_kind(closing);
}

/* Of two consumers one holds a message; the other one goes on past it, lap after lap.
 */
static void
a_message_in_flight_stops_no_one(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *slow = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue *quick = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message held[3];

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        send_number(sender, 1000 + i);
        held[i] = take_number(slow, 1000 + i);
    }
    for (uint64_t i = 0; i < 100; i++) {
        send_number(sender, i);
        expect_number(quick, i);
    }
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_BYTES(held[i].bytes, (uint64_t[]){1000 + i}, 8);
        CHECK_STATUS(mmf_queue_release(slow, &held[2 - i]), MMF_OK);
    }
    CHECK_INT(stats_of(sender).received, 103);
    mmf_queue_close(sender);
    mmf_queue_close(slow);
    mmf_queue_close(quick);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order),
        cmocka_unit_test(every_length_goes_through),
        cmocka_unit_test(messages_are_written_and_read_directly),
        cmocka_unit_test(what_is_abandoned_never_comes),
        cmocka_unit_test(a_full_queue_makes_senders_wait),
        cmocka_unit_test(overflow_fail_fails_at_once),
        cmocka_unit_test(overflow_drop_oldest_drops),
        cmocka_unit_test(batches_go_as_far_as_there_is_room),
        cmocka_unit_test(a_message_too_long_for_the_buffer_stays_first),
        cmocka_unit_test(closing_redelivers_what_was_not_released),
        cmocka_unit_test(a_message_in_flight_stops_no_one),
    };

    return harness_main(argc, argv, "channel_queue", tests, COUNT_OF(tests), NULL);
}
