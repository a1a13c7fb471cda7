/*
 * source_test.c - messages of a source, committed with their positions: damage, and a
 * process that is killed while it commits, again and again: each message comes once. The
 * statuses are in tests/scenarios/queue.scn.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The message is its source and its position. */
struct numbers {
    uint64_t source;
    uint64_t position;
};

static void
reserve(mmf_queue *queue, uint64_t source, uint64_t position)
{
    const struct numbers numbers = {source, position};
    void *bytes;

    CHECK_STATUS(mmf_queue_reserve(queue, sizeof(numbers), LONG_MS, &bytes), MMF_OK);
    memcpy(bytes, &numbers, sizeof(numbers));
}

static int
commit(mmf_queue *queue, uint64_t source, uint64_t position)
{
    return mmf_queue_commit_from(queue, sizeof(struct numbers), source, position, NULL);
}

static void
send(mmf_queue *queue, uint64_t source, uint64_t position)
{
    reserve(queue, source, position);
    CHECK_STATUS(commit(queue, source, position), MMF_OK);
}

static void
expect(mmf_queue *queue, uint64_t source, uint64_t position)
{
    struct numbers got;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, sizeof(got), LONG_MS, &length, NULL),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got.source, source);
    CHECK_INT(got.position, position);
}

static uint64_t
applied_of(mmf_queue *queue, uint64_t source)
{
    uint64_t position = 77;

    CHECK_STATUS(mmf_queue_applied(queue, source, &position), MMF_OK);
    return position;
}

/*
 * Damage.
 */

/* docs/internals/layout.md: the first source. */
enum { SOURCE_AT = 640, OWNER_AT = 648, VERSION_AT = 656, RECORD_AT = 680 };

static void
overwrite_word(int64_t at, uint64_t value)
{
    overwrite("Q", IN_RING, at, &value, sizeof(value));
}

static void
both_fail(mmf_queue *queue)
{
    uint64_t position = 77, sequence = 77;

    CHECK_FAILS(mmf_queue_applied(queue, 1, &position), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_queue_commit_from(queue, 16, 1, 100, &sequence), MMF_E_CORRUPT);
    CHECK_INT(position, 77);
    CHECK_INT(sequence, 77);
}

static void
damage(uint32_t flags)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, flags, 16, 8, MMF_OVERFLOW_BLOCK);
    const uint64_t reserved_1 = 1 << 16 | 1; /* index 1, the first sender */

    send(queue, 1, 5);
    reserve(queue, 1, 6);
    overwrite_word(RECORD_AT, 0); /* its position */
    both_fail(queue);
    overwrite_word(RECORD_AT, 5);
    overwrite_word(RECORD_AT + 8, 0); /* of no slot */
    both_fail(queue);
    overwrite_word(RECORD_AT + 8, reserved_1 + 1); /* of one in another state */
    both_fail(queue);
    overwrite_word(RECORD_AT + 8, reserved_1 + (1023 << 5)); /* of a sender too many */
    both_fail(queue);
    overwrite_word(RECORD_AT + 8, reserved_1);
    overwrite_word(VERSION_AT, 0); /* with no position, but it has one */
    overwrite_word(RECORD_AT - 16, 5);
    both_fail(queue);
    overwrite_word(RECORD_AT - 16, 0);
    overwrite_word(VERSION_AT, 1);
    overwrite_word(OWNER_AT, UINT64_MAX); /* no handle's: it has gone */
    CHECK_INT(applied_of(queue, 1), 5);
    CHECK_STATUS(commit(queue, 1, 6), MMF_OK);
    expect(queue, 1, 5);
    expect(queue, 1, 6);
    overwrite_word(SOURCE_AT, 0); /* forgotten */
    CHECK_INT(applied_of(queue, 1), 0);
    mmf_queue_close(queue);
}

TEST(a_damaged_source)
{
    damage(0);
    damage(MMF_CHANNEL_SPSC);
}

/*
 * Kills.
 */

enum { BRIDGED = 2, SHORT_KILLS = 40, LONG_KILLS = 2000, LONG_MESSAGE = 200 };

/* Commits for all sources in turn, from what is applied on, until it is killed. */
ROLE(bridge)
{
    mmf_queue *queue = open_queue(MMF_ROLE_SEND, 0);
    uint64_t applied[BRIDGED];

    CHECK_INT(argc, 1);
    for (uint64_t i = 0; i < BRIDGED; i++)
        applied[i] = applied_of(queue, i + 1);
    role_say("ready");
    for (uint64_t i = 0; applied[i] < UINT64_MAX; i = (i + 1) % BRIDGED) {
        const struct numbers numbers = {i + 1, ++applied[i]};
        size_t length = numbers.position % 3 == 0 ? LONG_MESSAGE : sizeof(numbers);
        void *bytes;

        CHECK_STATUS(mmf_queue_reserve(queue, length, -1, &bytes), MMF_OK);
        memset(bytes, 0, length);
        memcpy(bytes, &numbers, sizeof(numbers));
        CHECK_STATUS(mmf_queue_commit_from(queue, length, i + 1, applied[i], NULL),
                     MMF_OK);
    }
    return EXIT_FAILURE;
}

/* Receive for so long, one at least; 0: until there is nothing more. */
static void
receive_for(mmf_queue *queue, int64_t us, uint64_t *seen)
{
    int64_t end = now_us() + us;
    int32_t timeout_ms = us == 0 ? 0 : LONG_MS;

    do {
        uint8_t bytes[LONG_MESSAGE];
        struct numbers numbers;
        size_t length;

        int rc =
            mmf_queue_receive(queue, bytes, sizeof(bytes), timeout_ms, &length, NULL);

        CHECK(rc == MMF_OK || (rc == MMF_TIMED_OUT && timeout_ms == 0));
        timeout_ms = 0;
        if (rc == MMF_TIMED_OUT && us == 0)
            return;
        if (rc == MMF_TIMED_OUT)
            continue;
        memcpy(&numbers, bytes, sizeof(numbers));
        CHECK(length >= sizeof(numbers) && numbers.source <= BRIDGED);
        CHECK_INT(numbers.position, seen[numbers.source] + 1);
        seen[numbers.source]++;
    } while (us == 0 || now_us() < end);
}

static struct process *
start_bridge(void)
{
    struct process *bridge = process_ready("bridge", " ");
    return bridge;
}

/* What is applied has come, and no more. */
static void
check_all(mmf_queue *receiver, uint64_t *seen)
{
    uint64_t applied[BRIDGED + 1];

    for (uint64_t source = 1; source <= BRIDGED; source++)
        applied[source] = applied_of(receiver, source);
    receive_for(receiver, 0, seen);
    for (uint64_t source = 1; source <= BRIDGED; source++)
        CHECK_INT(seen[source], applied[source]);
}

/* A producer of this process sends as source 0, if the queue has place for one. */
static void
kill_bridges(uint32_t flags)
{
    mmf_queue *receiver =
        new_queue(MMF_ROLE_RECEIVE, flags, LONG_MESSAGE, 16, MMF_OVERFLOW_BLOCK);
    mmf_queue *local = flags == 0 ? open_queue(MMF_ROLE_SEND, 0) : NULL;
    int kills = harness_long() ? LONG_KILLS : SHORT_KILLS;
    uint64_t seed = 4711, seen[BRIDGED + 1] = {0}, sent = 0;
    struct process *bridge = start_bridge();

    for (int i = 0; i < kills; i++) {
        CHECK_CONTEXT("kill %d of flags %u", i, flags);
        if (local != NULL) {
            const struct numbers numbers = {0, sent + 1};

            sent += mmf_queue_send(local, &numbers, sizeof(numbers), 0, NULL) == MMF_OK;
        }
        receive_for(receiver, 1 + (int64_t)(next_random(&seed) % 3000), seen);
        end_victim(bridge);
        if (next_random(&seed) % 2 == 0)
            check_all(receiver, seen);
        bridge = start_bridge();
    }
    end_victim(bridge);
    check_all(receiver, seen);
    CHECK_INT(seen[0], sent);
    CHECK(seen[1] > 0 && seen[2] > 0);
    printf("%d kills, %llu messages of two sources: none twice, none missing\n",
           kills + 1, (unsigned long long)(seen[1] + seen[2]));
    mmf_queue_close(local);
    mmf_queue_close(receiver);
}

/* Sends position 1, and reserves for 2. */
ROLE(undecided)
{
    mmf_queue *queue = open_queue(MMF_ROLE_SEND, 0);
    char line[8];

    send(queue, 1, 1);
    reserve(queue, 1, 2);
    role_say("reserved");
    role_hear(line, sizeof(line));
    return EXIT_FAILURE;
}

/* It is killed right after it has decided: a consumer that only receives gets the message. */
static void
decide_and_die(uint32_t flags)
{
    mmf_queue *receiver = new_queue(MMF_ROLE_RECEIVE, flags | MMF_CHANNEL_PEER_CLOSED,
                                    sizeof(struct numbers), 4, MMF_OVERFLOW_BLOCK);
    struct process *sender = process_start("undecided", NULL);
    struct numbers numbers;
    size_t length;

    CHECK_CONTEXT("flags %u", flags);
    process_expect(sender, "reserved");
    overwrite_word(RECORD_AT - 16, 2);
    overwrite_word(RECORD_AT - 8, 2 << 16 | 1); /* index 2, the first sender */
    overwrite_word(VERSION_AT, 2);
    end_victim(sender);
    expect(receiver, 1, 1);
    CHECK_STATUS(
        mmf_queue_receive(receiver, &numbers, sizeof(numbers), LONG_MS, &length, NULL),
        MMF_OK); /* its length was not written */
    CHECK_FAILS(
        mmf_queue_receive(receiver, &numbers, sizeof(numbers), LONG_MS, &length, NULL),
        MMF_E_PEER_CLOSED);
    CHECK_INT(applied_of(receiver, 1), 2);
    mmf_queue_close(receiver);
}

TEST(what_a_dead_sender_has_decided_is_received)
{
    decide_and_die(0);
    decide_and_die(MMF_CHANNEL_SPSC);
}

TEST(each_message_comes_once_whatever_is_killed)
{
    kill_bridges(0);
}

TEST(each_message_of_a_single_queue_comes_once)
{
    kill_bridges(MMF_CHANNEL_SPSC);
}
