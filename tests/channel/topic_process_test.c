/*
 * topic_process_test.c - topics and latest values between processes that are stopped
 * and killed.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A survivor goes on after 50 ms; this machine may have other things to do, too. */
enum { SOON_MS = 60000, WORDS = 100 };

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
join_topic(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("T", &options, &topic));
    return topic;
}

static mmf_topic *
new_topic(mmf_role role, size_t count, mmf_overflow overflow)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("T", sizeof(struct reading), count, overflow,
                                      &options, NULL, &topic));
    return topic;
}

static mmf_latest *
open_latest(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_open_existing("L", &options, &latest));
    return latest;
}

static mmf_latest *
new_latest(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_or_open("L", sizeof(struct reading), &options, NULL,
                                       &latest));
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
_Noreturn static int
run_publisher(int argc, char **argv)
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

/* reserver: reserve, and stay so. */
static int
run_reserver(int argc, char **argv)
{
    mmf_topic *topic = join_topic(MMF_ROLE_SEND);
    char line[16];
    void *bytes;

    (void)argc;
    (void)argv;
    CHECK_STATUS(mmf_topic_reserve(topic, 8, 0, &bytes), MMF_OK);
    role_say("reserved");
    if (!role_hear(line, sizeof(line)))
        return 0;
    memcpy(bytes, &(uint64_t){77}, 8);
    CHECK_STATUS(mmf_topic_commit(topic, 8, NULL), MMF_OK);
    role_say("committed");
    role_hear(line, sizeof(line));
    mmf_topic_close(topic);
    return 0;
}

/* subscriber: receive forever. */
_Noreturn static int
run_subscriber(int argc, char **argv)
{
    mmf_topic *topic = join_topic(MMF_ROLE_RECEIVE);
    struct reading reading;
    size_t length;

    (void)argc;
    (void)argv;
    role_say("ready");
    for (;;) {
        CHECK_STATUS(
            mmf_topic_receive(topic, &reading, sizeof(reading), LONG_MS, &length, NULL),
            MMF_OK);
        check_whole(&reading);
    }
}

/* writer FIRST STEP */
_Noreturn static int
run_writer(int argc, char **argv)
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

/* holder: reserve the value, and stay so. */
static int
run_holder(int argc, char **argv)
{
    mmf_latest *latest = open_latest(MMF_ROLE_SEND);
    char line[16];
    void *bytes;

    (void)argc;
    (void)argv;
    CHECK_STATUS(mmf_latest_reserve(latest, 8, &bytes), MMF_OK);
    role_say("reserved");
    role_hear(line, sizeof(line));
    mmf_latest_close(latest);
    return 0;
}

static const struct role roles[] = {
    {"publisher", run_publisher},   {"reserver", run_reserver},
    {"subscriber", run_subscriber}, {"writer", run_writer},
    {"holder", run_holder},         {NULL, NULL},
};

static struct process *
start(const char *role)
{
    struct process *process = process_start(role, NULL);

    process_expect(process, strcmp(role, "reserver") == 0 || strcmp(role, "holder") == 0
                                ? "reserved"
                                : "ready");
    return process;
}

static struct process *
start_from(const char *role, const char *first, const char *step)
{
    const char *args[] = {first, step, NULL};
    struct process *process = process_start(role, args);

    process_expect(process, "ready");
    return process;
}

/*
 * Tests.
 */

static void
a_killed_subscriber_holds_no_one(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 4, MMF_OVERFLOW_BLOCK);
    struct process *subscriber = start("subscriber");
    int64_t begin;

    (void)state;
    process_stop(subscriber);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_STATUS(publish(publisher, i, 0), MMF_OK);
    CHECK_STATUS(publish(publisher, 4, 60), MMF_TIMED_OUT); /* stopped is alive */
    process_kill(subscriber);
    begin = now_us();
    CHECK_STATUS(publish(publisher, 4, LONG_MS), MMF_OK);
    CHECK(now_us() - begin < SOON_MS * 1000);
    for (uint64_t i = 5; i < 50; i++)
        CHECK_STATUS(publish(publisher, i, 0), MMF_OK);
    mmf_topic_close(publisher);
}

static void
a_killed_publishers_reservation_is_stepped_over(void **state)
{
    mmf_overflow overflows[] = {MMF_OVERFLOW_BLOCK, MMF_OVERFLOW_FAIL,
                                MMF_OVERFLOW_DROP_OLDEST};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(overflows); i++) {
        mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, overflows[i]);
        mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE);
        struct process *reserver = start("reserver");
        mmf_message message;
        int64_t begin;

        CHECK_STATUS(publish(publisher, 1, 0), MMF_OK);
        CHECK_STATUS(mmf_topic_take(subscriber, 30, &message), MMF_TIMED_OUT);
        process_kill(reserver);
        begin = now_us();
        CHECK_STATUS(mmf_topic_take(subscriber, LONG_MS, &message), MMF_OK);
        CHECK(now_us() - begin < SOON_MS * 1000);
        CHECK_INT(((const struct reading *)message.bytes)->number, 1);
        CHECK_INT(message.lost, 0);
        CHECK_OK(mmf_topic_release(subscriber));
        for (uint64_t number = 2; number < 40; number++) {
            CHECK_STATUS(publish(publisher, number, LONG_MS), MMF_OK);
            CHECK_STATUS(mmf_topic_take(subscriber, LONG_MS, &message), MMF_OK);
            CHECK_INT(((const struct reading *)message.bytes)->number, number);
            CHECK_OK(mmf_topic_release(subscriber));
        }
        mmf_topic_close(subscriber);
        mmf_topic_close(publisher);
    }
}

static void
a_stopped_publisher_holds_only_what_it_must(void **state)
{
    mmf_topic *publisher = new_topic(MMF_ROLE_SEND, 8, MMF_OVERFLOW_BLOCK);
    mmf_topic *subscriber = join_topic(MMF_ROLE_RECEIVE);
    struct process *reserver = start("reserver");
    mmf_message message;

    (void)state;
    process_stop(reserver);
    CHECK_STATUS(publish(publisher, 1, 0), MMF_OK);
    CHECK_STATUS(mmf_topic_take(subscriber, 60, &message), MMF_TIMED_OUT);
    process_continue(reserver);
    process_send(reserver, "commit");
    CHECK_STATUS(mmf_topic_take(subscriber, LONG_MS, &message), MMF_OK);
    CHECK_INT(*(const uint64_t *)message.bytes, 77);
    CHECK_OK(mmf_topic_release(subscriber));
    CHECK_STATUS(mmf_topic_take(subscriber, LONG_MS, &message), MMF_OK);
    CHECK_INT(*(const uint64_t *)message.bytes, 1);
    CHECK_OK(mmf_topic_release(subscriber));
    process_expect(reserver, "committed");
    CHECK_INT(process_finish(reserver), 0);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

/* Each that starts has a number of its own, above its messages' numbers. */
static struct process *
start_numbered(const char *role, uint64_t number)
{
    char first[32];
    const char *args[] = {first, "1", NULL};
    struct process *process;

    snprintf(first, sizeof(first), "%llu", (unsigned long long)(number << 32 | 1));
    process = process_start(role, args);
    process_expect(process, "ready");
    return process;
}

/* Publishers and subscribers come and are killed; the survivors miss nothing. */
static void
who_stays_misses_nothing(void **state)
{
    enum { MOST = 400 };
    mmf_topic *subscriber = new_topic(MMF_ROLE_RECEIVE, 16, MMF_OVERFLOW_BLOCK);
    static uint64_t last[MOST];
    uint64_t seed = 1, started = 0;
    struct process *publishers[2];
    struct process *others[2];
    int rounds = harness_long() ? 300 : 20;

    (void)state;
    memset(last, 0, sizeof(last));
    for (int i = 0; i < 2; i++) {
        publishers[i] = start_numbered("publisher", started++);
        others[i] = start("subscriber");
    }
    for (int round = 0; round < rounds; round++) {
        uint64_t messages = next_random(&seed) % 2000;
        int victim = (int)(next_random(&seed) % 2);

        for (uint64_t i = 0; i < messages; i++) {
            struct reading reading;
            mmf_message message;
            size_t length;

            CHECK_STATUS(mmf_topic_receive(subscriber, &reading, sizeof(reading),
                                           LONG_MS, &length, &message),
                         MMF_OK);
            CHECK_INT(length, sizeof(reading));
            CHECK_INT(message.lost, 0);
            check_whole(&reading);
            CHECK(reading.number >> 32 < started);
            CHECK_INT(reading.number & UINT32_MAX, last[reading.number >> 32] + 1);
            last[reading.number >> 32]++;
        }
        process_kill(publishers[victim]);
        process_finish(publishers[victim]);
        process_kill(others[victim]);
        process_finish(others[victim]);
        publishers[victim] = start_numbered("publisher", started++);
        others[victim] = start("subscriber");
    }
    for (int i = 0; i < 2; i++) {
        process_kill(publishers[i]);
        process_kill(others[i]);
    }
    mmf_topic_close(subscriber);
}

/* A publisher as fast as it can, and a subscriber that copies: never a torn message. */
static void
no_one_sees_a_torn_message(void **state)
{
    mmf_topic *subscriber = new_topic(MMF_ROLE_RECEIVE, 2, MMF_OVERFLOW_DROP_OLDEST);
    struct process *publishers[2];
    uint64_t last[2] = {0, 0}, overwritten = 0, lost = 0;
    int often = harness_long() ? 2000000 : 20000;

    (void)state;
    publishers[0] = start_from("publisher", "2", "2");
    publishers[1] = start_from("publisher", "1", "2");
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

static void
no_one_sees_a_torn_or_older_value(void **state)
{
    mmf_latest *reader = new_latest(MMF_ROLE_RECEIVE);
    struct process *writers[2];
    uint64_t version = 0, changes = 0;
    int often = harness_long() ? 2000000 : 30000;

    (void)state;
    writers[0] = start_from("writer", "2", "2");
    writers[1] = start_from("writer", "1", "2");
    for (int i = 0; i < often; i++) {
        struct reading reading;
        uint64_t now;
        size_t length;

        if (i % 1000 == 999) {
            int victim = i / 1000 % 2;

            process_kill(writers[victim]);
            process_finish(writers[victim]);
            writers[victim] = start_from("writer", victim == 0 ? "2" : "1", "2");
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

static void
writers_do_not_wait_for_the_dead_and_the_stopped(void **state)
{
    mmf_latest *writer = new_latest(MMF_ROLE_BOTH);
    struct process *holders[7];
    struct reading reading;
    uint64_t got[1 + WORDS], version;
    size_t length;

    (void)state;
    fill(&reading, 1);
    CHECK_OK(mmf_latest_send(writer, &reading, sizeof(reading), NULL));
    for (size_t i = 0; i < COUNT_OF(holders); i++)
        holders[i] = start("holder");
    process_stop(holders[0]);
    CHECK_FAILS(mmf_latest_send(writer, &reading, sizeof(reading), NULL), MMF_E_BUSY);
    for (size_t i = 1; i < COUNT_OF(holders); i++)
        process_kill(holders[i]);
    for (uint64_t i = 2; i < 100; i++) {
        fill(&reading, i);
        CHECK_OK(mmf_latest_send(writer, &reading, sizeof(reading), NULL));
        CHECK_OK(mmf_latest_receive(writer, got, sizeof(got), &length, &version));
        CHECK_INT(got[0], i);
    }
    process_kill(holders[0]);
    mmf_latest_close(writer);
}

static void
a_sleeping_reader_is_woken(void **state)
{
    mmf_latest *reader = new_latest(MMF_ROLE_RECEIVE);
    struct process *writer;
    uint64_t version;
    size_t length;
    struct reading reading;

    (void)state;
    CHECK_STATUS(mmf_latest_wait(reader, 0, 20), MMF_TIMED_OUT);
    writer = start_from("writer", "1", "1");
    for (int i = 0; i < 100; i++) {
        CHECK_OK(
            mmf_latest_receive(reader, &reading, sizeof(reading), &length, &version));
        CHECK_STATUS(mmf_latest_wait(reader, version, LONG_MS), MMF_OK);
    }
    process_kill(writer);
    mmf_latest_close(reader);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_subscriber_holds_no_one),
        cmocka_unit_test(a_killed_publishers_reservation_is_stepped_over),
        cmocka_unit_test(a_stopped_publisher_holds_only_what_it_must),
        cmocka_unit_test(who_stays_misses_nothing),
        cmocka_unit_test(no_one_sees_a_torn_message),
        cmocka_unit_test(no_one_sees_a_torn_or_older_value),
        cmocka_unit_test(writers_do_not_wait_for_the_dead_and_the_stopped),
        cmocka_unit_test(a_sleeping_reader_is_woken),
    };

    return harness_main(argc, argv, "channel.topic_process", tests, COUNT_OF(tests),
                        roles);
}
