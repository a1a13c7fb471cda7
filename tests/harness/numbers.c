/*
 * numbers.c - see numbers.h.
 */
#include "numbers.h"

void
queue_send_number(mmf_queue *queue, uint64_t number)
{
    CHECK_STATUS(mmf_queue_send(queue, &number, sizeof(number), 0, NULL), MMF_OK);
}

void
topic_send_number(mmf_topic *topic, uint64_t number)
{
    CHECK_STATUS(mmf_topic_send(topic, &number, sizeof(number), 0, NULL), MMF_OK);
}

void
latest_send_number(mmf_latest *latest, uint64_t number)
{
    CHECK_STATUS(mmf_latest_send(latest, &number, sizeof(number), NULL), MMF_OK);
}

void
queue_expect_within(mmf_queue *queue, int32_t timeout_ms, uint64_t number)
{
    uint64_t got = ~number;
    size_t length = 77;

    CHECK_STATUS(mmf_queue_receive(queue, &got, sizeof(got), timeout_ms, &length, NULL),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
}

void
topic_expect_within(mmf_topic *topic, int32_t timeout_ms, uint64_t number)
{
    uint64_t got = ~number;
    size_t length = 77;

    CHECK_STATUS(mmf_topic_receive(topic, &got, sizeof(got), timeout_ms, &length, NULL),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
}

void
latest_expect_within(mmf_latest *latest, int32_t timeout_ms, uint64_t number)
{
    uint64_t got = ~number, version;
    size_t length = 77;

    CHECK_STATUS(mmf_latest_wait(latest, 0, timeout_ms), MMF_OK);
    CHECK_STATUS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
}

void
queue_expect_none(mmf_queue *queue)
{
    mmf_message message;

    CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_TIMED_OUT);
}

void
topic_expect_none(mmf_topic *topic)
{
    mmf_message message;

    CHECK_STATUS(mmf_topic_take(topic, 0, &message), MMF_TIMED_OUT);
}

void
latest_expect_none(mmf_latest *latest)
{
    CHECK_STATUS(mmf_latest_wait(latest, 0, 0), MMF_TIMED_OUT);
}
