/*
 * topic_test.c - what a topic does with messages, and every way in which its calls
 * refuse, in one process.
 */
#include "support.h"

#include <string.h>

static mmf_topic *
new_topic(mmf_role role, size_t size, size_t count, mmf_overflow overflow)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    CHECK_OK(
        mmf_topic_create_or_open("T", size, count, overflow, &options, NULL, &topic));
    return topic;
}

static mmf_topic *
join_topic(mmf_role role, int32_t replay)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    options.replay = replay;
    CHECK_OK(mmf_topic_open_existing("T", &options, &topic));
    return topic;
}

static void
publish(mmf_topic *topic, uint64_t number)
{
    CHECK_STATUS(mmf_topic_send(topic, &number, sizeof(number), 0, NULL), MMF_OK);
}

static mmf_message
expect(mmf_topic *topic, uint64_t number)
{
    mmf_message message;
    uint64_t got = ~number;
    size_t length = 77;

    CHECK_STATUS(
        mmf_topic_receive(topic, &got, sizeof(got), LONG_MS, &length, &message),
        MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
    CHECK(message.bytes == &got);
    CHECK_INT(message.length, sizeof(got));
    CHECK_INT(message.flags, 0);
    return message;
}

static void
expect_nothing(mmf_topic *topic)
{
    mmf_message message;

    CHECK_STATUS(mmf_topic_take(topic, 0, &message), MMF_TIMED_OUT);
}

static mmf_channel_stats
topic_stats(mmf_topic *topic)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_topic_stat(topic, &stats), MMF_OK);
    return stats;
}

static void
every_subscriber_sees_every_message(void **state)
{
    enum { SUBSCRIBERS = 5 };
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 16, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscribers[SUBSCRIBERS];

    (void)state;
    for (int i = 0; i < SUBSCRIBERS; i++)
        subscribers[i] = join_topic(MMF_ROLE_RECEIVE, 0);
    for (uint64_t lap = 0; lap < 100; lap++) {
        uint64_t before = 0;

        for (uint64_t i = 0; i < 13; i++)
            publish(publisher, lap * 1000 + i);
        for (int s = 0; s < SUBSCRIBERS; s++) {
            for (uint64_t i = 0; i < 13; i++) {
                mmf_message message = expect(subscribers[s], lap * 1000 + i);

                CHECK_INT(message.lost, 0);
                CHECK(i == 0 || message.sequence > before);
                before = message.sequence;
            }
            expect_nothing(subscribers[s]);
        }
    }
    CHECK_INT(topic_stats(publisher).sent, 1300);
    CHECK_INT(topic_stats(publisher).received, 1300 * SUBSCRIBERS);
    CHECK_INT(topic_stats(publisher).lost, 0);
    CHECK_INT(topic_stats(publisher).receivers, SUBSCRIBERS);
    for (int i = 0; i < SUBSCRIBERS; i++)
        mmf_topic_close(subscribers[i]);
    CHECK_INT(topic_stats(publisher).received, 1300 * SUBSCRIBERS);
    CHECK_INT(topic_stats(publisher).receivers, 0);
    mmf_topic_close(publisher);
}

static void
a_thousand_and_twenty_four_subscribers(void **state)
{
    enum { MOST = 1024 };
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    static mmf_topic *subscribers[MOST];
    mmf_topic *publisher, *one_more = UNTOUCHED;

    (void)state;
    options.max_senders = options.max_receivers = MOST;
    CHECK_OK(mmf_topic_create_or_open("T", 8, 4, MMF_OVERFLOW_BLOCK, &options, NULL,
                                      &publisher));
    for (int i = 0; i < MOST; i++)
        subscribers[i] = join_topic(MMF_ROLE_RECEIVE, 0);
    options.role = MMF_ROLE_RECEIVE;
    CHECK_FAILS(mmf_topic_open_existing("T", &options, &one_more), MMF_E_TOO_MANY);
    CHECK(one_more == UNTOUCHED);
    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t i = 0; i < 4; i++)
            publish(publisher, lap * 10 + i);
        CHECK_STATUS(mmf_topic_send(publisher, "x", 1, 0, NULL), MMF_TIMED_OUT);
        for (int s = 0; s < MOST; s++) {
            for (uint64_t i = 0; i < 4; i++)
                expect(subscribers[s], lap * 10 + i);
        }
    }
    CHECK_INT(topic_stats(publisher).receivers, MOST);
    for (int i = 0; i < MOST; i++)
        mmf_topic_close(subscribers[i]);
    mmf_topic_close(publisher);
}

static void
who_joins_sees_what_comes_after(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 8, MMF_OVERFLOW_DROP_OLDEST);
    mmf_topic *none, *three, *all;

    (void)state;
    three = join_topic(MMF_ROLE_RECEIVE, 3);
    expect_nothing(three);
    mmf_topic_close(three);
    publish(publisher, 0);
    three = join_topic(MMF_ROLE_RECEIVE, 3);
    expect(three, 0);
    expect_nothing(three);
    mmf_topic_close(three);
    for (uint64_t i = 1; i < 20; i++)
        publish(publisher, i);
    none = join_topic(MMF_ROLE_RECEIVE, 0);
    three = join_topic(MMF_ROLE_RECEIVE, 3);
    all = join_topic(MMF_ROLE_RECEIVE, INT32_MAX);
    expect_nothing(none);
    for (uint64_t i = 17; i < 20; i++)
        CHECK_INT(expect(three, i).lost, 0);
    for (uint64_t i = 12; i < 20; i++)
        CHECK_INT(expect(all, i).lost, 0);
    publish(publisher, 20);
    expect(none, 20);
    expect(three, 20);
    expect(all, 20);
    mmf_topic_close(none);
    mmf_topic_close(three);
    mmf_topic_close(all);
    mmf_topic_close(publisher);
}

static void
the_slowest_holds_publishers_that_block(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *fast = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_topic *slow = join_topic(MMF_ROLE_RECEIVE, 0);
    uint64_t number = 99;

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        publish(publisher, i);
        expect(fast, i);
    }
    CHECK_INT(topic_stats(publisher).depth, 4);
    CHECK_STATUS(mmf_topic_send(publisher, &number, 8, 0, NULL), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_topic_send(publisher, &number, 8, 30, NULL), MMF_TIMED_OUT);
    expect(slow, 0);
    publish(publisher, 4);
    CHECK_STATUS(mmf_topic_send(publisher, &number, 8, 0, NULL), MMF_TIMED_OUT);
    mmf_topic_close(slow); /* no publisher waits for a closed subscriber */
    publish(publisher, 5);
    expect(fast, 4);
    expect(fast, 5);
    CHECK_INT(topic_stats(publisher).high_water, 4);
    mmf_topic_close(fast);
    for (uint64_t i = 0; i < 20; i++)
        publish(publisher, i);
    mmf_topic_close(publisher);
}

static void
a_full_topic_that_fails_says_so(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 2, MMF_OVERFLOW_FAIL);
    mmf_topic *slow = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_buffer buffers[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
    void *bytes = UNTOUCHED;
    size_t published = 77;

    (void)state;
    CHECK_STATUS(mmf_topic_send_many(publisher, buffers, 3, -1, &published), MMF_OK);
    CHECK_INT(published, 2);
    published = 77;
    CHECK_FAILS(mmf_topic_send(publisher, "d", 1, -1, NULL), MMF_E_FULL);
    CHECK_FAILS(mmf_topic_reserve(publisher, 1, -1, &bytes), MMF_E_FULL);
    CHECK_FAILS(mmf_topic_send_many(publisher, buffers, 3, -1, &published), MMF_E_FULL);
    CHECK(bytes == UNTOUCHED);
    CHECK_INT(published, 77);
    mmf_topic_close(slow);
    CHECK_STATUS(mmf_topic_send(publisher, "d", 1, -1, NULL), MMF_OK);
    mmf_topic_close(publisher);
}

static void
a_slow_subscriber_learns_how_many_it_lost(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 8, MMF_OVERFLOW_DROP_OLDEST);
    mmf_topic *slow = join_topic(MMF_ROLE_RECEIVE, 0);
    uint64_t next = 0, lost_in_all = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        publish(publisher, i);
    while (next < 1000) {
        uint64_t got;
        size_t length;
        mmf_message message;

        CHECK_STATUS(mmf_topic_receive(slow, &got, 8, 0, &length, &message), MMF_OK);
        CHECK_INT(got, next + message.lost);
        CHECK_INT(got + 1, message.sequence);
        lost_in_all += message.lost;
        next = got + 1;
    }
    expect_nothing(slow);
    CHECK(lost_in_all >= 992 && lost_in_all < 1000);
    CHECK_INT(topic_stats(slow).lost, lost_in_all);
    CHECK_INT(topic_stats(slow).received, 1000 - lost_in_all);
    CHECK_INT(topic_stats(slow).sent, 1000);
    publish(publisher, 1000);
    CHECK_INT(expect(slow, 1000).lost, 0);
    mmf_topic_close(slow);
    mmf_topic_close(publisher);
}

static void
a_release_tells_what_was_overwritten(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_DROP_OLDEST);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_message message;

    (void)state;
    publish(publisher, 0);
    CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_OK);
    for (uint64_t i = 1; i < 4; i++)
        publish(publisher, i);
    CHECK_STATUS(mmf_topic_release(subscriber), MMF_OK);
    CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_OK);
    publish(publisher, 4);
    publish(publisher, 5); /* in the slot of 1 */
    CHECK_STATUS(mmf_topic_release(subscriber), MMF_OVERWRITTEN);
    CHECK_TEXT(mmf_status_name(MMF_OVERWRITTEN), "MMF_OVERWRITTEN");
    expect(subscriber, 2);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

static void
read_and_written_directly(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 1000, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_message message;
    void *bytes;

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        size_t length = i % 2 ? 0 : 1000 - i * 10;

        CHECK_STATUS(mmf_topic_reserve(publisher, 1000 - i * 10, 0, &bytes), MMF_OK);
        CHECK_INT((uintptr_t)bytes % 64, 0);
        memset(bytes, (int)i, (size_t)(1000 - i * 10));
        expect_nothing(subscriber);
        CHECK_STATUS(mmf_topic_commit(publisher, length, NULL), MMF_OK);
        CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_OK);
        CHECK_INT(message.length, length);
        CHECK_INT((uintptr_t)message.bytes % 64, 0);
        for (size_t at = 0; at < length; at++)
            CHECK_INT(((const uint8_t *)message.bytes)[at], i);
        CHECK_STATUS(mmf_topic_release(subscriber), MMF_OK);
        CHECK_STATUS(mmf_topic_reserve(publisher, 8, 0, &bytes), MMF_OK);
        CHECK_STATUS(mmf_topic_abandon(publisher), MMF_OK);
        expect_nothing(subscriber);
    }
    CHECK_INT(topic_stats(publisher).sent, 100);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

static void
publishers_take_turns(void **state)
{
    mmf_topic *first = new_topic(MMF_ROLE_SEND, 8, 8, MMF_OVERFLOW_BLOCK);
    mmf_topic *second = join_topic(MMF_ROLE_SEND, 0);
    mmf_topic *both = join_topic(MMF_ROLE_BOTH, 0);
    void *bytes;
    uint64_t number = 1;

    (void)state;
    CHECK_STATUS(mmf_topic_reserve(first, 8, 0, &bytes), MMF_OK);
    memcpy(bytes, &number, 8);
    publish(second, 2);
    expect_nothing(both); /* one order: the first comes first */
    CHECK_STATUS(mmf_topic_commit(first, 8, NULL), MMF_OK);
    publish(both, 3);
    for (uint64_t i = 1; i <= 3; i++)
        expect(both, i);
    mmf_topic_close(first);
    CHECK_STATUS(mmf_topic_reserve(second, 8, 0, &bytes), MMF_OK);
    publish(both, 4);
    mmf_topic_close(second); /* abandons */
    expect(both, 4);
    mmf_topic_close(both);
}

/* A stopped publisher keeps a slot, and stops no publisher that drops. */
static void
no_one_waits_for_a_reservation_for_long(void **state)
{
    mmf_topic *stopped = new_topic(MMF_ROLE_SEND, 8, 8, MMF_OVERFLOW_DROP_OLDEST);
    mmf_topic *publisher = join_topic(MMF_ROLE_SEND, 0);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    void *bytes;
    uint64_t next = 0, lost = 0;

    (void)state;
    CHECK_STATUS(mmf_topic_reserve(stopped, 8, 0, &bytes), MMF_OK);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t got;
        size_t length;
        mmf_message message;

        publish(publisher, i);
        while (mmf_topic_receive(subscriber, &got, 8, 0, &length, &message) == MMF_OK) {
            CHECK(got >= next);
            CHECK(got - next <= message.lost);
            lost += message.lost;
            next = got + 1;
        }
    }
    CHECK_INT(next, 100);
    CHECK_INT(lost, 1); /* the one that never came */
    CHECK_STATUS(mmf_topic_commit(stopped, 8, NULL), MMF_OK);
    expect_nothing(subscriber);
    publish(stopped, 7);
    expect(subscriber, 7);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
    mmf_topic_close(stopped);
}

static void
a_message_too_large_for_the_buffer_stays(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 100, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    char sent[100], got[100];
    size_t length = 77;

    (void)state;
    memset(sent, 'x', sizeof(sent));
    CHECK_STATUS(mmf_topic_send(publisher, sent, 100, 0, NULL), MMF_OK);
    CHECK_FAILS_PARAM(mmf_topic_receive(subscriber, got, 99, 0, &length, NULL),
                      MMF_E_RANGE, "capacity");
    CHECK_INT(length, 77);
    CHECK_STATUS(mmf_topic_receive(subscriber, got, 100, 0, &length, NULL), MMF_OK);
    CHECK_INT(length, 100);
    CHECK_BYTES(got, sent, 100);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

static void
creating_checks_its_arguments(void **state)
{
    mmf_channel_options single = options_for(MMF_ROLE_BOTH, MMF_CHANNEL_SPSC);
    mmf_topic *topic = UNTOUCHED;
    mmf_channel_stats stats;
    mmf_queue *queue;
    mmf_map *map;
    int created = -7;

    (void)state;
#define REFUSE(name, size, count, overflow, options, status, parameter)                \
    do {                                                                               \
        CHECK_FAILS_PARAM(mmf_topic_create_or_open(name, size, count, overflow,        \
                                                   options, &created, &topic),         \
                          status, parameter);                                          \
        CHECK(topic == UNTOUCHED);                                                     \
        CHECK_INT(created, -7);                                                        \
    } while (0)
    REFUSE(NULL, 8, 8, MMF_OVERFLOW_BLOCK, NULL, MMF_E_NULL, "name");
    REFUSE("", 8, 8, MMF_OVERFLOW_BLOCK, NULL, MMF_E_INVALID, "name");
    REFUSE("T", 0, 8, MMF_OVERFLOW_BLOCK, NULL, MMF_E_RANGE, "message_size");
    REFUSE("T", 8, 0, MMF_OVERFLOW_BLOCK, NULL, MMF_E_RANGE, "capacity");
    REFUSE("T", 8, 8, 0, NULL, MMF_E_INVALID, "overflow");
    REFUSE("T", 8, 8, MMF_OVERFLOW_BLOCK, &single, MMF_E_INVALID, "flags");
    CHECK_FAILS_PARAM(
        mmf_topic_create_or_open("T", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, NULL),
        MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_topic_open_existing("T", NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_topic_open_existing(NULL, NULL, &topic), MMF_E_NULL, "name");
    CHECK_FAILS(mmf_topic_open_existing("T", NULL, &topic), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_map_create_new("T", 4096, NULL, &map));
    CHECK_FAILS(mmf_topic_open_existing("T", NULL, &topic), MMF_E_WRONG_KIND);
    mmf_map_close(map);
    CHECK_OK(mmf_queue_create_or_open("T", 8, 8, MMF_OVERFLOW_DROP_OLDEST, NULL, NULL,
                                      &queue));
    REFUSE("T", 8, 8, MMF_OVERFLOW_BLOCK, NULL, MMF_E_WRONG_KIND, "");
    CHECK_FAILS(mmf_topic_open_existing("T", NULL, &topic), MMF_E_WRONG_KIND);
    CHECK(topic == UNTOUCHED);
    mmf_queue_close(queue);
#undef REFUSE
    CHECK_OK(mmf_topic_create_or_open("T", 8, 1, MMF_OVERFLOW_BLOCK, NULL, &created,
                                      &topic));
    CHECK_INT(created, 1);
    CHECK_OK(mmf_channel_stat("T", &stats));
    CHECK_INT(stats.capacity, 2);
    CHECK_INT(stats.message_size, 8);
    CHECK_INT(stats.overflow, MMF_OVERFLOW_BLOCK);
    mmf_topic_close(topic);
    mmf_topic_close(NULL);
}

static void
calls_check_their_arguments(void **state)
{
    mmf_topic *topic = new_topic(MMF_ROLE_BOTH, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_buffer buffers[2] = {{"a", 1}, {NULL, 1}};
    char buffer[8];
    mmf_message message;
    mmf_channel_stats stats;
    void *bytes = UNTOUCHED;
    size_t length = 77;
    size_t published = 77;
    int fd = -7;

    (void)state;
    CHECK_FAILS_PARAM(mmf_topic_reserve(NULL, 8, 0, &bytes), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_commit(NULL, 8, NULL), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_abandon(NULL), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_send(NULL, "a", 1, 0, NULL), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_send_many(NULL, buffers, 1, 0, &published), MMF_E_NULL,
                      "topic");
    CHECK_FAILS_PARAM(mmf_topic_take(NULL, 0, &message), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_release(NULL), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_receive(NULL, buffer, 8, 0, &length, NULL), MMF_E_NULL,
                      "topic");
    CHECK_FAILS_PARAM(mmf_topic_fd(NULL, &fd), MMF_E_NULL, "topic");
    CHECK_FAILS_PARAM(mmf_topic_stat(NULL, &stats), MMF_E_NULL, "topic");

    CHECK_FAILS_PARAM(mmf_topic_reserve(topic, 9, 0, &bytes), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_topic_reserve(topic, SIZE_MAX, 0, &bytes), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_topic_reserve(topic, 8, -2, &bytes), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_topic_reserve(topic, 8, 0, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS(mmf_topic_commit(topic, 8, NULL), MMF_E_STATE);
    CHECK_FAILS(mmf_topic_abandon(topic), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_topic_send(topic, NULL, 1, 0, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_topic_send(topic, "123456789", 9, 0, NULL), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_topic_send(topic, "a", 1, -2, NULL), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_topic_send_many(topic, buffers, 2, 0, &published), MMF_E_NULL,
                      "bytes");
    CHECK_FAILS_PARAM(mmf_topic_send_many(topic, NULL, 1, 0, &published), MMF_E_NULL,
                      "messages");
    CHECK_FAILS_PARAM(mmf_topic_send_many(topic, buffers, 1, 0, NULL), MMF_E_NULL,
                      "sent");
    CHECK_FAILS_PARAM(mmf_topic_take(topic, 0, NULL), MMF_E_NULL, "message");
    CHECK_FAILS_PARAM(mmf_topic_take(topic, -2, &message), MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS(mmf_topic_release(topic), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_topic_receive(topic, NULL, 8, 0, &length, NULL), MMF_E_NULL,
                      "buffer");
    CHECK_FAILS_PARAM(mmf_topic_receive(topic, buffer, 8, 0, NULL, NULL), MMF_E_NULL,
                      "length");
    CHECK_FAILS_PARAM(mmf_topic_fd(topic, NULL), MMF_E_NULL, "fd");
    CHECK_FAILS_PARAM(mmf_topic_stat(topic, NULL), MMF_E_NULL, "stats");
    expect_nothing(topic);

    CHECK_OK(mmf_topic_reserve(topic, 4, 0, &bytes));
    CHECK_FAILS(mmf_topic_reserve(topic, 4, 0, &bytes), MMF_E_STATE);
    CHECK_FAILS(mmf_topic_send(topic, "a", 1, 0, NULL), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_topic_commit(topic, 5, NULL), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_topic_commit(topic, SIZE_MAX, NULL), MMF_E_RANGE, "length");
    CHECK_OK(mmf_topic_commit(topic, 4, NULL));
    CHECK_OK(mmf_topic_take(topic, 0, &message));
    CHECK_FAILS(mmf_topic_take(topic, 0, &message), MMF_E_STATE);
    CHECK_FAILS(mmf_topic_receive(topic, buffer, 8, 0, &length, NULL), MMF_E_STATE);
    CHECK_OK(mmf_topic_release(topic));
    CHECK_INT(length, 77);
    CHECK_INT(published, 77);
    CHECK_INT(fd, -7);
    mmf_topic_close(topic);
}

static void
roles_are_kept(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_buffer buffer = {"a", 1};
    char got[8];
    mmf_message message;
    void *bytes;
    size_t length;
    size_t published;
    int fd;

    (void)state;
    CHECK_FAILS(mmf_topic_take(publisher, 0, &message), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_release(publisher), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_receive(publisher, got, 8, 0, &length, NULL),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_fd(publisher, &fd), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_reserve(subscriber, 8, 0, &bytes), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_commit(subscriber, 8, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_abandon(subscriber), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_send(subscriber, "a", 1, 0, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_topic_send_many(subscriber, &buffer, 1, 0, &published),
                MMF_E_NOT_SUPPORTED);
    CHECK_INT(topic_stats(subscriber).senders, 1);
    CHECK_INT(topic_stats(subscriber).receivers, 1);
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

static void
peers_that_have_gone_are_told(void **state)
{
    mmf_channel_options options =
        options_for(MMF_ROLE_RECEIVE, MMF_CHANNEL_PEER_CLOSED);
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber;
    mmf_message message;

    (void)state;
    CHECK_OK(mmf_topic_open_existing("T", &options, &subscriber));
    CHECK_STATUS(mmf_topic_take(subscriber, 1, &message), MMF_TIMED_OUT);
    publish(publisher, 1);
    mmf_topic_close(publisher);
    expect(subscriber, 1);
    CHECK_FAILS(mmf_topic_take(subscriber, -1, &message), MMF_E_PEER_CLOSED);
    publisher = join_topic(MMF_ROLE_SEND, 0);
    CHECK_STATUS(mmf_topic_take(subscriber, 1, &message), MMF_TIMED_OUT);
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

/* Writing into the message must end a process that only subscribes. */
static void
messages_are_read_only_for_subscribers(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE, 0);
    mmf_message message;

    (void)state;
    need_separate_slots();
    publish(publisher, 1);
    CHECK_OK(mmf_topic_take(subscriber, 0, &message));
    CHECK(is_mapped_read_only(message.bytes));
    CHECK_OK(mmf_topic_release(subscriber));
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subscriber_sees_every_message),
        cmocka_unit_test(a_thousand_and_twenty_four_subscribers),
        cmocka_unit_test(who_joins_sees_what_comes_after),
        cmocka_unit_test(the_slowest_holds_publishers_that_block),
        cmocka_unit_test(a_full_topic_that_fails_says_so),
        cmocka_unit_test(a_slow_subscriber_learns_how_many_it_lost),
        cmocka_unit_test(a_release_tells_what_was_overwritten),
        cmocka_unit_test(read_and_written_directly),
        cmocka_unit_test(publishers_take_turns),
        cmocka_unit_test(no_one_waits_for_a_reservation_for_long),
        cmocka_unit_test(a_message_too_large_for_the_buffer_stays),
        cmocka_unit_test(creating_checks_its_arguments),
        cmocka_unit_test(calls_check_their_arguments),
        cmocka_unit_test(roles_are_kept),
        cmocka_unit_test(peers_that_have_gone_are_told),
        cmocka_unit_test(messages_are_read_only_for_subscribers),
    };

    return harness_main(argc, argv, "channel.topic", tests, COUNT_OF(tests), NULL);
}
