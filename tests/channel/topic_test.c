/*
 * topic_test.c - as many subscribers as there may be; what they have mapped. The rest is in
 * tests/scenarios/topic.scn.
 */
#include "support.h"

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
