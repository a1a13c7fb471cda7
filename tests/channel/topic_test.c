/*
 * topic_test.c - as many subscribers as there may be; what they have mapped; readers beside
 * a writer that is quicker than they. The rest is in tests/scenarios/topic.scn.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static mmf_topic *
new_topic(mmf_role role, size_t size, size_t count, mmf_overflow overflow)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("T", size, count, overflow,
                                      CHANNEL_OPTIONS(.role = role), NULL, &topic));
    return topic;
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

static mmf_channel_stats
topic_stats(mmf_topic *topic)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_topic_stat(topic, &stats), MMF_OK);
    return stats;
}

TEST(a_thousand_and_twenty_four_subscribers)
{
    enum { MOST = 1024 };
    static mmf_topic *subscribers[MOST];
    mmf_topic *publisher, *one_more = UNTOUCHED;

    CHECK_OK(mmf_topic_create_or_open("T", 8, 4, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = MMF_ROLE_SEND,
                                                      .max_senders = MOST,
                                                      .max_receivers = MOST),
                                      NULL, &publisher));
    for (int i = 0; i < MOST; i++)
        subscribers[i] = join_topic(MMF_ROLE_RECEIVE);
    CHECK_FAILS(mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                        &one_more),
                MMF_E_TOO_MANY);
    CHECK(one_more == UNTOUCHED);
    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t i = 0; i < 4; i++)
            send_number(publisher, lap * 10 + i);
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

/* Writing into the message must end a process that only subscribes. */
TEST(messages_are_read_only_for_subscribers)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, 4, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE);
    mmf_message message;

    need_separate_slots();
    send_number(publisher, 1);
    CHECK_OK(mmf_topic_take(subscriber, 0, &message));
    CHECK(is_mapped_read_only(message.bytes));
    CHECK_OK(mmf_topic_release(subscriber));
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

/*
 * Readers beside a quick writer: it overwrites a message in less time than a copy takes.
 */

enum { LARGE = 16 << 20, QUICK_WRITER_MS = 10000 };

static atomic_int is_over;

static void *
write_quickly(void *argument)
{
    mmf_topic *topic = argument;
    int64_t end = now_us() + QUICK_WRITER_MS * 1000;
    void *bytes;

    while (!atomic_load(&is_over) && now_us() < end) {
        CHECK_STATUS(mmf_topic_reserve(topic, LARGE, LONG_MS, &bytes), MMF_OK);
        ((volatile uint64_t *)bytes)[0]++;
        CHECK_STATUS(mmf_topic_commit(topic, LARGE, NULL), MMF_OK);
    }
    return NULL;
}

static mmf_latest *
reader_of_latest(void)
{
    mmf_latest *latest;

    CHECK_OK(mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                      &latest));
    return latest;
}

static void *
write_latest_quickly(void *argument)
{
    mmf_latest *latest = argument;
    int64_t end = now_us() + QUICK_WRITER_MS * 1000;
    void *bytes;

    while (!atomic_load(&is_over) && now_us() < end) {
        CHECK_STATUS(mmf_latest_reserve(latest, LARGE, &bytes), MMF_OK);
        ((volatile uint64_t *)bytes)[0]++;
        CHECK_STATUS(mmf_latest_commit(latest, LARGE, NULL), MMF_OK);
    }
    return NULL;
}

TEST(a_copy_keeps_to_its_timeout)
{
    static uint8_t buffer[LARGE];
    mmf_topic *publisher;
    mmf_topic *subscriber;
    pthread_t thread;
    int64_t begin;
    size_t length;
    int rc;

    atomic_store(&is_over, 0);
    CHECK_OK(mmf_topic_create_new("T", LARGE, 2, MMF_OVERFLOW_DROP_OLDEST, NULL,
                                  &publisher));
    subscriber = join_topic(MMF_ROLE_RECEIVE);
    CHECK_INT(pthread_create(&thread, NULL, write_quickly, publisher), 0);
    begin = now_us();
    rc = mmf_topic_receive(subscriber, buffer, LARGE, 100, &length, NULL);
    CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT);
    CHECK(now_us() - begin < (QUICK_WRITER_MS - 1000) * 1000);
    atomic_store(&is_over, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

/* A latest value has pins, so there is an answer whatever the writer does. */
TEST(the_newest_can_be_copied_beside_any_writer)
{
    static uint8_t buffer[LARGE];
    mmf_latest *writer;
    mmf_latest *reader;
    pthread_t thread;
    int64_t begin;
    uint64_t version;
    size_t length;

    atomic_store(&is_over, 0);
    CHECK_OK(mmf_latest_create_new("L", LARGE, NULL, &writer));
    reader = reader_of_latest();
    CHECK_INT(pthread_create(&thread, NULL, write_latest_quickly, writer), 0);
    while (mmf_latest_wait(reader, 0, LONG_MS) != MMF_OK)
        ;
    begin = now_us();
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(mmf_latest_receive(reader, buffer, LARGE, &length, &version),
                     MMF_OK);
        CHECK_INT(length, LARGE);
    }
    CHECK(now_us() - begin < (QUICK_WRITER_MS - 1000) * 1000);
    atomic_store(&is_over, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_latest_close(reader);
    mmf_latest_close(writer);
}
