/*
 * numbers.h - channels whose messages are numbers of 8 bytes: queues, topics, latest values.
 */
#ifndef MMF_TESTS_HARNESS_NUMBERS_H
#define MMF_TESTS_HARNESS_NUMBERS_H

#include "harness/check.h"

#define NUMBERS_OF(channel, function)                                                  \
    _Generic((channel), mmf_queue *                                                    \
             : queue_##function, mmf_topic *                                           \
             : topic_##function, mmf_latest *                                          \
             : latest_##function)

/* Sends at once. */
#define send_number(channel, number) NUMBERS_OF(channel, send_number)(channel, number)

/* Receives just this number: that is there, or that comes some time. */
#define expect_at_once(channel, number)                                                \
    NUMBERS_OF(channel, expect_within)(channel, 0, number)
#define expect_number(channel, number)                                                 \
    NUMBERS_OF(channel, expect_within)(channel, LONG_MS, number)

/* Nothing is to be received. */
#define expect_none(channel) NUMBERS_OF(channel, expect_none)(channel)

void queue_send_number(mmf_queue *queue, uint64_t number);
void topic_send_number(mmf_topic *topic, uint64_t number);
void latest_send_number(mmf_latest *latest, uint64_t number);
void queue_expect_within(mmf_queue *queue, int32_t timeout_ms, uint64_t number);
void topic_expect_within(mmf_topic *topic, int32_t timeout_ms, uint64_t number);
void latest_expect_within(mmf_latest *latest, int32_t timeout_ms, uint64_t number);
void queue_expect_none(mmf_queue *queue);
void topic_expect_none(mmf_topic *topic);
void latest_expect_none(mmf_latest *latest);

#endif
