/*
 * topic_process_test.c - publishers and writers as fast as they can, some of which are killed:
 * none sees a torn message or an older value.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 100 };

/* A message whose parts all follow from its number. */
struct reading {
    uint64_t number;
    uint64_t words[WORDS];
};

static void
fill(struct reading *reading, uint64_t number)
{
    reading->number = number;
    for (uint64_t i = 0; i < WORDS; i++)
        reading->words[i] = number * 0x9E3779B97F4A7C15u + i;
}

static void
check_whole(const struct reading *reading)
{
    for (uint64_t i = 0; i < WORDS; i++) {
        if (reading->words[i] != reading->number * 0x9E3779B97F4A7C15u + i)
            CHECK_FAIL("message %llu is torn at word %llu",
                       (unsigned long long)reading->number, (unsigned long long)i);
    }
}

static mmf_topic *
new_topic(mmf_role role, size_t count, mmf_overflow overflow)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("T", sizeof(struct reading), count, overflow,
                                      CHANNEL_OPTIONS(.role = role), NULL, &topic));
    return topic;
}

static mmf_latest *
open_latest(mmf_role role)
{
    mmf_latest *latest;

    CHECK_OK(mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = role), &latest));
    return latest;
}

static mmf_latest *
new_latest(mmf_role role)
{
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_or_open("L", sizeof(struct reading),
                                       CHANNEL_OPTIONS(.role = role), NULL, &latest));
    return latest;
}

static int
publish(mmf_topic *topic, uint64_t number, int32_t timeout_ms)
{
    struct reading reading;

    fill(&reading, number);
    return mmf_topic_send(topic, &reading, sizeof(reading), timeout_ms, NULL);
}

/*
 * Roles.
 */

/* publisher FIRST STEP: publish forever, or till the end of input. */
ROLE_UNTIL_KILLED(publisher)
{
    uint64_t number = argc > 2 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t step = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    mmf_topic *topic = join_topic(MMF_ROLE_SEND);

    role_say("ready");
    for (;; number += step) {
        int rc = publish(topic, number, LONG_MS);

        if (rc != MMF_OK && rc != MMF_TIMED_OUT)
            CHECK_OK(rc);
    }
}

/* writer FIRST STEP */
ROLE_UNTIL_KILLED(writer)
{
    uint64_t number = argc > 2 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t step = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    mmf_latest *latest = open_latest(MMF_ROLE_SEND);

    role_say("ready");
    for (;; number += step) {
        struct reading reading;

        fill(&reading, number);
        CHECK_STATUS(mmf_latest_send(latest, &reading, sizeof(reading), NULL), MMF_OK);
    }
}

/*
 * Tests.
 */

/* A publisher as fast as it can, and a subscriber that copies: never a torn message. */
TEST(no_one_sees_a_torn_message)
{
    mmf_topic *subscriber = new_topic(MMF_ROLE_RECEIVE, 2, MMF_OVERFLOW_DROP_OLDEST);
    struct process *publishers[2];
    uint64_t last[2] = {0, 0}, overwritten = 0, lost = 0;
    int often = harness_long() ? 2000000 : 20000;

    publishers[0] = process_ready("publisher", "2 2");
    publishers[1] = process_ready("publisher", "1 2");
    for (int i = 0; i < often; i++) {
        struct reading reading;
        mmf_message message;
        size_t length;
        int rc;

        if (i % 2 == 0) {
            CHECK_STATUS(mmf_topic_receive(subscriber, &reading, sizeof(reading),
                                           LONG_MS, &length, &message),
                         MMF_OK);
        } else {
            CHECK_STATUS(mmf_topic_take(subscriber, LONG_MS, &message), MMF_OK);
            memcpy(&reading, message.bytes, sizeof(reading));
            rc = mmf_topic_release(subscriber);
            CHECK(rc == MMF_OK || rc == MMF_OVERWRITTEN);
            if (rc == MMF_OVERWRITTEN) {
                overwritten++;
                continue;
            }
        }
        check_whole(&reading);
        CHECK(reading.number > last[reading.number % 2]);
        last[reading.number % 2] = reading.number;
        lost += message.lost;
    }
    printf("%llu overwritten while they were looked at, %llu lost\n",
           (unsigned long long)overwritten, (unsigned long long)lost);
    process_kill(publishers[0]);
    process_kill(publishers[1]);
    mmf_topic_close(subscriber);
}

TEST(no_one_sees_a_torn_or_older_value)
{
    mmf_latest *reader = new_latest(MMF_ROLE_RECEIVE);
    struct process *writers[2];
    uint64_t version = 0, changes = 0;
    int often = harness_long() ? 2000000 : 30000;

    writers[0] = process_ready("writer", "2 2");
    writers[1] = process_ready("writer", "1 2");
    for (int i = 0; i < often; i++) {
        struct reading reading;
        uint64_t now;
        size_t length;

        if (i % 1000 == 999) {
            int victim = i / 1000 % 2;

            end_victim(writers[victim]);
            writers[victim] = process_ready("writer", "%d 2", victim == 0 ? 2 : 1);
        }
        CHECK_STATUS(
            mmf_latest_receive(reader, &reading, sizeof(reading), &length, &now),
            MMF_OK);
        if (now == 0 && version == 0)
            continue;
        CHECK_INT(length, sizeof(reading));
        check_whole(&reading);
        CHECK(now >= version);
        changes += now != version;
        version = now;
    }
    CHECK(changes > 0);
    process_kill(writers[0]);
    process_kill(writers[1]);
    /* What the last one left is intact, and stays. */
    for (int i = 0; i < 2; i++) {
        struct reading reading;
        uint64_t now;
        size_t length;

        CHECK_OK(mmf_latest_receive(reader, &reading, sizeof(reading), &length, &now));
        check_whole(&reading);
        CHECK(i == 0 ? now >= version : now == version);
        version = now;
    }
    mmf_latest_close(reader);
}
