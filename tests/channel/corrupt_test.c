/*
 * corrupt_test.c - topics and latest values whose shared words another process has
 * overwritten: MMF_E_CORRUPT, or an answer that could be, and never a message from
 * outside the slots. tests/fuzz/ring_fuzz.c has arbitrary words; here they go through
 * the public calls.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* As docs/internals/layout.md says, for messages of 8 bytes. */
enum { TAIL = 0, NEWEST = 256, STRIDE = 64, LENGTH = 48, WORD = 56 };

enum state { RELEASED, RESERVED, COMMITTED, TAKEN };

static void
overwrite_word(const char *name, int64_t offset, uint64_t word)
{
    overwrite(name, IN_RING, offset, &word, sizeof(word));
}

static uint64_t
word(uint64_t index, enum state state)
{
    return index << 16 | (uint64_t)state;
}

static void
overwrite_slot(const char *name, int slot, uint64_t index, enum state state,
               uint32_t length)
{
    uint64_t value = word(index, state);
    int64_t at = slot * STRIDE;

    overwrite(name, IN_SLOTS, at + LENGTH, &length, sizeof(length));
    overwrite(name, IN_SLOTS, at + WORD, &value, sizeof(value));
}

static mmf_topic *
new_topic(mmf_overflow overflow)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open(
        "T", 8, 4, overflow,
        CHANNEL_OPTIONS(.role = MMF_ROLE_BOTH, .max_senders = 1, .max_receivers = 1),
        NULL, &topic));
    return topic;
}

static void
receive_fails(mmf_topic *topic)
{
    char buffer[8];
    size_t length = 77;
    mmf_message message;

    CHECK_FAILS(mmf_topic_receive(topic, buffer, 8, 100, &length, NULL), MMF_E_CORRUPT);
    CHECK_INT(length, 77);
    CHECK_FAILS(mmf_topic_take(topic, 100, &message), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_topic_release(topic), MMF_E_STATE);
}

TEST(a_message_longer_than_its_slot)
{
    mmf_topic *topic = new_topic(MMF_OVERFLOW_BLOCK);

    CHECK_OK(mmf_topic_send(topic, "12345678", 8, 0, NULL));
    overwrite_slot("T", 1, 1, COMMITTED, 9);
    receive_fails(topic);
    overwrite_slot("T", 1, 1, COMMITTED, UINT32_MAX);
    receive_fails(topic);
    overwrite("T", IN_SLOTS, STRIDE + LENGTH + 4, &(uint32_t){UINT32_MAX}, 4);
    receive_fails(topic);
    mmf_topic_close(topic);
}

TEST(words_that_no_version_writes)
{
    mmf_topic *topic = new_topic(MMF_OVERFLOW_DROP_OLDEST);

    CHECK_OK(mmf_topic_send(topic, "12345678", 8, 0, NULL));
    overwrite_slot("T", 1, 1, TAKEN, 8);
    receive_fails(topic);
    overwrite_slot("T", 1, 1, (enum state)7, 8);
    receive_fails(topic);
    overwrite_slot("T", 1, 2, COMMITTED, 8); /* at home elsewhere */
    receive_fails(topic);
    overwrite_slot("T", 1, 5, COMMITTED, 8); /* beyond the tail */
    receive_fails(topic);
    CHECK_OK(mmf_topic_send(topic, "12345678", 8, 0, NULL));
    overwrite_slot("T", 3, 7, COMMITTED, 8); /* where the next one is to go */
    CHECK_FAILS(mmf_topic_send(topic, "12345678", 8, 0, NULL), MMF_E_CORRUPT);
    mmf_topic_close(topic);
}

/* Whatever the tail says, each call ends. */
TEST(any_tail)
{
    static const uint64_t tails[] = {0,
                                     1,
                                     1000,
                                     (uint64_t)1 << 46,
                                     (uint64_t)1 << 47,
                                     ((uint64_t)1 << 48) - 1,
                                     UINT64_MAX};

    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        mmf_topic *topic = new_topic(MMF_OVERFLOW_DROP_OLDEST);
        mmf_channel_stats stats;
        char buffer[8];
        size_t length;

        CHECK_CONTEXT("tail %llu", (unsigned long long)tails[i]);
        CHECK_OK(mmf_topic_send(topic, "12345678", 8, 0, NULL));
        overwrite_word("T", TAIL, tails[i]);
        for (int often = 0; often < 20; often++) {
            int rc = mmf_topic_receive(topic, buffer, 8, 0, &length, NULL);

            CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT || rc == MMF_E_CORRUPT);
            rc = mmf_topic_send(topic, "12345678", 8, 0, NULL);
            CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT || rc == MMF_E_CORRUPT);
        }
        CHECK_OK(mmf_topic_stat(topic, &stats));
        CHECK(stats.depth >= 0 && stats.depth <= 4);
        mmf_topic_close(topic);
    }
}

TEST(an_invalid_latest_value)
{
    mmf_latest *latest;
    char buffer[8];
    size_t length = 77;
    uint64_t version = 7;
    mmf_message message;

    CHECK_OK(mmf_latest_create_or_open(
        "L", 8,
        CHANNEL_OPTIONS(.role = MMF_ROLE_BOTH, .max_senders = 1, .max_receivers = 1),
        NULL, &latest));
    CHECK_OK(mmf_latest_send(latest, "12345678", 8, NULL));
    overwrite_slot("L", 1, 1, COMMITTED, 9);
    CHECK_FAILS(mmf_latest_receive(latest, buffer, 8, &length, &version),
                MMF_E_CORRUPT);
    CHECK_FAILS(mmf_latest_take(latest, &message), MMF_E_CORRUPT);
    overwrite_slot("L", 1, 1, COMMITTED, 8);
    overwrite_word("L", NEWEST, 1000); /* above everything; not used yet */
    CHECK_OK(mmf_latest_wait(latest, 0, 0));
    overwrite_word("L", TAIL, 500); /* more than a lap above the value */
    CHECK_FAILS(mmf_latest_receive(latest, buffer, 8, &length, &version),
                MMF_E_CORRUPT);
    CHECK_FAILS(mmf_latest_wait(latest, 0, 100), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_latest_send(latest, "12345678", 8, NULL), MMF_E_CORRUPT);
    CHECK_INT(length, 77);
    CHECK_INT(version, 7);
    mmf_latest_close(latest);
}

/* Damage of a queue's message is said by each call, whatever else waits behind it. */
TEST(a_damaged_message_of_a_queue)
{
    char buffer[8];
    size_t length = 77, count = 77;
    mmf_message messages[2];
    mmf_queue *queue;

    for (uint32_t flags = 0; flags <= MMF_CHANNEL_SPSC; flags += MMF_CHANNEL_SPSC) {
        CHECK_CONTEXT("flags %u", flags);
        CHECK_OK(mmf_queue_create_new(
            "Q", 8, 4, MMF_OVERFLOW_BLOCK,
            CHANNEL_OPTIONS(.flags = flags, .max_senders = 1, .max_receivers = 1),
            &queue));
        CHECK_OK(mmf_queue_send(queue, "12345678", 8, 0, NULL));
        CHECK_OK(mmf_queue_send(queue, "abcdefgh", 8, 0, NULL));
        overwrite_slot("Q", 1, 1, COMMITTED, 9);
        for (int i = 0; i < 3; i++) {
            CHECK_FAILS(mmf_queue_receive(queue, buffer, 8, 0, &length, NULL),
                        MMF_E_CORRUPT);
            CHECK_FAILS(mmf_queue_receive(queue, buffer, 8, 100, &length, NULL),
                        MMF_E_CORRUPT);
            CHECK_FAILS(mmf_queue_take(queue, 0, &messages[0]), MMF_E_CORRUPT);
            CHECK_FAILS(mmf_queue_take_many(queue, 2, 0, messages, &count),
                        MMF_E_CORRUPT);
        }
        CHECK_INT(length, 77);
        CHECK_INT(count, 77);
        mmf_queue_close(queue);
    }
}

/*
 * Another process that goes on writing.
 */

/* {"hostile", NAME, FIRST, SIZE}: any values into these bytes of the ring. */
ROLE_UNTIL_KILLED(hostile)
{
    static const uint64_t values[] = {0, 1, 2, 7, UINT64_MAX};
    int64_t first = atoll(argv[2]), size = atoll(argv[3]);
    uint64_t seed = 20261130;

    CHECK_INT(argc, 4);
    for (int64_t i = 0;; i++) {
        uint64_t random = next_random(&seed);

        overwrite_word(argv[1], first + (int64_t)(random % (uint64_t)size) / 8 * 8,
                       random % 3 == 0 ? random : values[random % COUNT_OF(values)]);
        if (i == 10)
            role_say("begun");
    }
}

static struct process *
start_hostile(const char *name, const char *first, const char *size)
{
    const char *const args[] = {name, first, size, NULL};
    struct process *hostile = process_start("hostile", args);

    process_expect(hostile, "begun");
    return hostile;
}

static void
end_hostile(struct process *hostile)
{
    CHECK(!process_has_ended(hostile)); /* by a check of its own */
    process_kill(hostile);
    process_finish(hostile);
}

/* What can come of it; a failure says why. */
static int
check_possible(int rc, int other)
{
    mmf_error error;

    CHECK_CONTEXT("%s: %s", mmf_status_name(rc), mmf_last_message());
    CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT || rc == MMF_E_CORRUPT || rc == other);
    mmf_last_error(&error);
    CHECK(rc >= 0 || (error.status == rc && error.message[0] != '\0'));
    return rc;
}

enum { TIMES = 30000 };

/* Of a topic the number of its subscribers: each message is given whole, or not at all. */
TEST(subscribers_are_written)
{
    mmf_topic *topic = new_topic(MMF_OVERFLOW_BLOCK);
    struct process *hostile = start_hostile("T", "272", "8");
    char buffer[8];
    size_t length;

    for (int i = 0; i < TIMES; i++) {
        check_possible(mmf_topic_send(topic, "12345678", 8, 0, NULL), MMF_OK);
        if (i % 3 != 0 &&
            check_possible(mmf_topic_receive(topic, buffer, 8, 0, &length, NULL),
                           MMF_OK) == MMF_OK)
            CHECK_BYTES(buffer, "12345678", 8);
    }
    end_hostile(hostile);
    mmf_topic_close(topic);
}

/* Of a queue a source, but for its number: the messages are received whole, or not at all. */
TEST(a_source_is_written)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, 0, 8, 4, MMF_OVERFLOW_BLOCK);
    struct process *hostile = start_hostile("Q", "648", "56");
    uint64_t position = 0;
    size_t length;
    void *bytes;

    for (uint64_t i = 1; i <= TIMES; i++) {
        char buffer[8];
        int rc;

        CHECK_STATUS(mmf_queue_reserve(queue, 8, 0, &bytes), MMF_OK);
        memcpy(bytes, "12345678", 8);
        rc = mmf_queue_commit_from(queue, 8, 7, i, NULL);
        if (rc != MMF_E_EXISTS && rc != MMF_E_SHARING)
            check_possible(rc, MMF_E_STATE);
        if (rc != MMF_OK)
            CHECK_OK(mmf_queue_abandon(queue));
        check_possible(mmf_queue_applied(queue, 7, &position), MMF_OK);
        rc = mmf_queue_receive(queue, buffer, 8, 0, &length, NULL);
        if (check_possible(rc, MMF_OK) == MMF_OK)
            CHECK_BYTES(buffer, "12345678", 8);
    }
    end_hostile(hostile);
    mmf_queue_close(queue);
}
