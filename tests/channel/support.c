/*
 * support.c - see support.h.
 */
#include "support.h"

#include <string.h>
#include <time.h>

int64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

mmf_channel_options
options_for(mmf_role role, uint32_t flags)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.flags = flags;
    return options;
}

void
for_each_kind(void (*run)(uint32_t flags))
{
    CHECK_CONTEXT("queue for many");
    run(0);
    CHECK_CONTEXT("queue for a single producer and consumer");
    run(MMF_CHANNEL_SINGLE);
}

mmf_queue *
new_queue(mmf_role role, uint32_t flags, int64_t size, int64_t count,
          mmf_overflow overflow)
{
    mmf_channel_options options = options_for(role, flags);
    mmf_queue *queue;

    CHECK_OK(mmf_queue_create("Q", size, count, overflow, &options, NULL, &queue));
    return queue;
}

mmf_queue *
new_sender(uint32_t flags, int64_t size, int64_t count)
{
    return new_queue(MMF_ROLE_SEND, flags, size, count, MMF_OVERFLOW_BLOCK);
}

mmf_queue *
new_receiver(uint32_t flags, int64_t size, int64_t count)
{
    return new_queue(MMF_ROLE_RECEIVE, flags, size, count, MMF_OVERFLOW_BLOCK);
}

mmf_queue *
open_queue(mmf_role role, uint32_t flags)
{
    mmf_channel_options options = options_for(role, flags);
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open("Q", &options, &queue));
    return queue;
}

void
send_number(mmf_queue *queue, uint64_t number)
{
    CHECK_STATUS(mmf_queue_send(queue, &number, sizeof(number), 0), MMF_OK);
}

void
expect_number(mmf_queue *queue, uint64_t number)
{
    uint64_t got = ~number;
    int64_t length = -1;

    CHECK_STATUS(mmf_queue_receive(queue, &got, sizeof(got), LONG_MS, &length, NULL),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
}

void
expect_none(mmf_queue *queue)
{
    mmf_message message;

    CHECK_STATUS(mmf_queue_peek(queue, 0, &message), MMF_TIMED_OUT);
}

mmf_message
peek_number(mmf_queue *queue, uint64_t number)
{
    mmf_message message;
    uint64_t got;

    CHECK_STATUS(mmf_queue_peek(queue, LONG_MS, &message), MMF_OK);
    CHECK_INT(message.length, sizeof(got));
    memcpy(&got, message.bytes, sizeof(got));
    CHECK_INT(got, number);
    return message;
}

mmf_channel_stats
stats_of(mmf_queue *queue)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_queue_stat(queue, &stats), MMF_OK);
    return stats;
}

/* Steele, Lea and Flood's SplitMix64. */
uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
