/*
 * survivors_test.c - participants that are killed at random and not replaced; the
 * survivors, or those that join afterwards, account for every message.
 *
 * Two producers and two consumers run until one of each is killed, or all at once. They
 * record in memory that outlives them what they are about to do and what they have done. Of every message that was committed:
 *
 *   - it is received and released; if its consumer died before that, it comes again, marked
 *   - no message is received that was not begun, or that was released before
 *   - unmarked messages come in the order of their producer's commits
 *
 * and afterwards every slot carries a message again.
 */
#include "support.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SEND = MMF_ROLE_SEND,
    RECEIVE = MMF_ROLE_RECEIVE,
    SLOTS = 8,
    PRODUCERS = 2,
    CONSUMERS = 2,
    MOST = 200000, /* messages of one producer: more than it ever gets to */
    SHORT_ROUNDS = 12,
    LONG_ROUNDS = 1000,
    TURN_MS = 20,   /* a wait after which a participant looks whether it shall end */
    ENOUGH_MS = 100 /* what a dead one was releasing has come again by then */
};

enum sent { NEVER, COMMITTING, COMMITTED };
enum released { NOT_YET, RELEASING, RELEASED };

/* Shared by all. Each byte has one writer at a time: the process that has the message. */
struct ledger {
    volatile uint8_t sent[PRODUCERS][MOST];
    volatile uint8_t taken[PRODUCERS]
                          [MOST]; /* 1: a consumer has noted that it has it */
    volatile uint8_t released[PRODUCERS][MOST];
    volatile uint64_t order[CONSUMERS][PRODUCERS * MOST]; /* topic: as they came */
    volatile uint64_t seen[CONSUMERS];                    /* so many */
    volatile uint32_t no_more;                            /* producers end */
    volatile uint32_t done; /* consumers end, when nothing comes any more */
};

static struct ledger *ledger;

/* A message's number has its sender, and how many it sent before. */
static uint64_t
number_of(int producer, uint64_t i)
{
    return (uint64_t)producer << 32 | i;
}

static int
producer_of(uint64_t number)
{
    CHECK(number >> 32 < PRODUCERS && (number & UINT32_MAX) < MOST);
    return (int)(number >> 32);
}

static void
forget_all(void)
{
    if (ledger != NULL)
        munmap(ledger, sizeof(*ledger));
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(ledger != MAP_FAILED);
}

/*
 * Participants.
 */

/* Fork; the child says by closing a pipe that it has joined. */
static pid_t
start(void (*live)(int number, int ready), int number)
{
    int ready[2];
    char byte;
    pid_t pid;

    CHECK_INT(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        live(number, ready[1]);
        _exit(0);
    }
    close(ready[1]);
    CHECK_INT(read(ready[0], &byte, 1), 0);
    close(ready[0]);
    return pid;
}

static void
end_by_itself(pid_t pid)
{
    int status;

    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
}

/* Reserve; now and then think better of it, and reserve again; commit. */
static int
send_directly(mmf_queue *queue, uint64_t number)
{
    void *bytes;
    int rc = mmf_queue_reserve(queue, 100, TURN_MS, &bytes);

    if (rc != MMF_OK)
        return rc;
    if (number % 4 == 3) {
        CHECK_STATUS(mmf_queue_abandon(queue), MMF_OK);
        rc = mmf_queue_reserve(queue, 8, TURN_MS, &bytes);
        if (rc != MMF_OK)
            return rc;
    }
    memcpy(bytes, &number, 8);
    CHECK_STATUS(mmf_queue_commit(queue, 8, NULL), MMF_OK);
    return MMF_OK;
}

static void
produce(int producer, int ready)
{
    mmf_queue *queue = open_queue(SEND, 0);

    close(ready);
    for (uint64_t i = 0; i < MOST && !ledger->no_more;) {
        uint64_t number = number_of(producer, i);
        int rc;

        ledger->sent[producer][i] = COMMITTING;
        rc = i % 2 == 0 ? mmf_queue_send(queue, &number, 8, TURN_MS, NULL)
                        : send_directly(queue, number);
        if (rc != MMF_TIMED_OUT)
            CHECK_STATUS(rc, MMF_OK);
        ledger->sent[producer][i] = rc == MMF_OK ? COMMITTED : NEVER;
        i += rc == MMF_OK;
    }
    mmf_queue_close(queue);
}

/* What a consumer expects next of each producer, but for what is redelivered. */
struct expected {
    uint64_t next[PRODUCERS];
};

static void
note_taken(const mmf_message *message, struct expected *expected)
{
    uint64_t number;
    uint64_t i;
    int producer;

    CHECK_INT(message->length, 8);
    memcpy(&number, message->bytes, 8);
    producer = producer_of(number);
    i = number & UINT32_MAX;
    CHECK(ledger->sent[producer][i] != NEVER);
    CHECK(ledger->released[producer][i] != RELEASED);
    if (!(message->flags & MMF_MESSAGE_REDELIVERED)) {
        CHECK_INT(ledger->taken[producer][i], 0);
        CHECK(i >= expected->next[producer]);
        expected->next[producer] = i + 1;
    }
    ledger->taken[producer][i] = 1;
}

static void
release_noted(mmf_queue *queue, const mmf_message *message)
{
    uint64_t number;

    memcpy(&number, message->bytes, 8);
    ledger->released[producer_of(number)][number & UINT32_MAX] = RELEASING;
    CHECK_STATUS(mmf_queue_release(queue, message), MMF_OK);
    ledger->released[producer_of(number)][number & UINT32_MAX] = RELEASED;
}

/* Take some, and release them in their order. 0: none came. */
static int
take_some(mmf_queue *queue, int most, struct expected *expected)
{
    mmf_message held[3];
    int count = 0;

    while (count < most) {
        int rc = mmf_queue_take(queue, count == 0 ? TURN_MS : 0, &held[count]);

        if (rc == MMF_TIMED_OUT)
            break;
        CHECK_STATUS(rc, MMF_OK);
        note_taken(&held[count++], expected);
    }
    for (int i = 0; i < count; i++)
        release_noted(queue, &held[i]);
    return count;
}

static void
consume(int number, int ready)
{
    mmf_queue *queue = open_queue(RECEIVE, 0);
    struct expected expected = {{0}};

    bool is_done = false;

    (void)number;
    close(ready);
    /* It looks once more after it has seen that it shall end. */
    for (int i = 1, count = 1; count > 0 || !is_done; i++) {
        is_done = ledger->done;
        count = take_some(queue, 1 + i % 3, &expected);
    }
    mmf_queue_close(queue);
}

/*
 * Accounts.
 */

/* How many committed ones were not released, nor lost their consumer in a release. */
static uint64_t
count_missing(uint64_t *missing)
{
    uint64_t count = 0;

    for (int producer = 0; producer < PRODUCERS; producer++) {
        for (uint64_t i = 0; i < MOST && ledger->sent[producer][i] != NEVER; i++) {
            if (ledger->sent[producer][i] == COMMITTED &&
                ledger->released[producer][i] == NOT_YET) {
                *missing = number_of(producer, i);
                count++;
            }
        }
    }
    return count;
}

static void
await_all_released(void)
{
    int64_t end = now_us() + (int64_t)harness_deadline_ms() * 1000;
    uint64_t missing = 0;

    while (count_missing(&missing) > 0) {
        if (now_us() > end)
            CHECK_FAIL("message %llu of producer %llu is lost",
                       (unsigned long long)(missing & UINT32_MAX),
                       (unsigned long long)(missing >> 32));
        nap_us(1000);
    }
}

/* Nothing comes any more; and every slot carries a message. */
static void
check_slots(mmf_queue *sender, mmf_queue *receiver)
{
    expect_none(receiver);
    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t i = 0; i < SLOTS; i++)
            CHECK_STATUS(mmf_queue_send(sender, &i, 8, LONG_MS, NULL), MMF_OK);
        for (uint64_t i = 0; i < SLOTS; i++)
            expect_number(receiver, i);
    }
    expect_none(receiver);
}

static uint64_t all_sent, all_redelivered;

static void
go_on_afterwards(void)
{
    mmf_queue *sender = open_queue(SEND, 0);
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    mmf_channel_stats stats;

    check_slots(sender, receiver);
    stats = stats_of(receiver);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    CHECK_INT(stats.depth, 0);
    all_sent += stats.sent;
    all_redelivered += stats.redelivered;
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/*
 * Queues.
 */

static uint64_t seed;

/* Up to three milliseconds: some hundred messages, or none. */
static void
wait_at_random(void)
{
    nap_us((int64_t)(next_random(&seed) % 3000));
}

struct crowd {
    pid_t producers[PRODUCERS];
    pid_t consumers[CONSUMERS];
    int count; /* of each */
};

static void
start_crowd(struct crowd *crowd, int count, void (*first)(int, int),
            void (*second)(int, int))
{
    crowd->count = count;
    for (int i = 0; i < count; i++)
        crowd->consumers[i] = start(first, i);
    for (int i = 0; i < count; i++)
        crowd->producers[i] = start(second, i);
}

/* One of each; the other one is told to end. */
static void
one_of_each_dies(void)
{
    int victim = (int)(next_random(&seed) % 2);
    struct crowd crowd;

    start_crowd(&crowd, 2, consume, produce);
    wait_at_random();
    if (next_random(&seed) % 2 == 0) {
        fork_kill(crowd.producers[victim]);
        wait_at_random();
        fork_kill(crowd.consumers[victim]);
    } else {
        fork_kill(crowd.consumers[victim]);
        wait_at_random();
        fork_kill(crowd.producers[victim]);
    }
    wait_at_random();
    ledger->no_more = 1;
    end_by_itself(crowd.producers[1 - victim]);
    await_all_released();
    nap_us(ENOUGH_MS * 1000);
    ledger->done = 1;
    end_by_itself(crowd.consumers[1 - victim]);
    go_on_afterwards();
}

/* A new participant accounts for all of it. */
static void
all_die_at_once(int count)
{
    struct expected expected = {{0}};
    struct crowd crowd;
    mmf_queue *receiver;
    int64_t now, end;

    start_crowd(&crowd, count, consume, produce);
    wait_at_random();
    for (int i = 0; i < count; i++) {
        kill(crowd.producers[i], SIGKILL);
        kill(crowd.consumers[i], SIGKILL);
    }
    for (int i = 0; i < count; i++) {
        CHECK_INT(waitpid(crowd.producers[i], NULL, 0), crowd.producers[i]);
        CHECK_INT(waitpid(crowd.consumers[i], NULL, 0), crowd.consumers[i]);
    }
    receiver = open_queue(RECEIVE, 0);
    end = now_us() + ENOUGH_MS * 1000;
    do
        now = now_us();
    while (take_some(receiver, 3, &expected) > 0 || now < end);
    mmf_queue_close(receiver);
    await_all_released();
    go_on_afterwards();
}

static int
rounds(void)
{
    return harness_long() ? LONG_ROUNDS : SHORT_ROUNDS;
}

static void
kill_in_rounds(uint32_t flags)
{
    for (int round = 0; round < rounds(); round++) {
        mmf_queue *queue;

        seed = (uint64_t)round + 1;
        CHECK_CONTEXT("queue with flags %u, round %d", flags, round);
        for (int at_once = flags & MMF_CHANNEL_SPSC ? 1 : 0; at_once < 2; at_once++) {
            struct hold *hold;

            forget_all();
            queue = new_queue(SEND, flags, 100, SLOTS, MMF_OVERFLOW_BLOCK);
            hold = hold_channel("Q");
            mmf_queue_close(queue);
            if (at_once)
                all_die_at_once(flags & MMF_CHANNEL_SPSC ? 1 : 2);
            else
                one_of_each_dies();
            release_hold(hold);
            mmf_gc(0, NULL);
        }
    }
}

TEST(survivors_account_for_every_message)
{
    harness_expect_dead();
    for_each_kind(kill_in_rounds);
    printf("%llu messages, %llu of them given out again\n",
           (unsigned long long)all_sent, (unsigned long long)all_redelivered);
}

/*
 * Topics.
 */

static void
publish_on(int publisher, int ready)
{
    mmf_topic *topic = join_topic(SEND);

    close(ready);
    for (uint64_t i = 0; i < MOST && !ledger->no_more;) {
        uint64_t number = number_of(publisher, i);
        int rc;

        ledger->sent[publisher][i] = COMMITTING;
        rc = mmf_topic_send(topic, &number, 8, TURN_MS, NULL);
        if (rc != MMF_TIMED_OUT)
            CHECK_STATUS(rc, MMF_OK);
        ledger->sent[publisher][i] = rc == MMF_OK ? COMMITTED : NEVER;
        i += rc == MMF_OK;
    }
    mmf_topic_close(topic);
}

/* Each of a publisher's is there, one after the other, and none is told of as lost. */
static void
subscribe(int subscriber, int ready)
{
    mmf_topic *topic = join_topic(RECEIVE);
    uint64_t next[PRODUCERS] = {0};

    close(ready);
    for (;;) {
        mmf_message message;
        uint64_t number;
        size_t length;
        int rc = mmf_topic_receive(topic, &number, 8, TURN_MS, &length, &message);

        if (rc == MMF_TIMED_OUT && ledger->done)
            break;
        if (rc == MMF_TIMED_OUT)
            continue;
        CHECK_STATUS(rc, MMF_OK);
        CHECK_INT(length, 8);
        CHECK_INT(message.lost, 0);
        CHECK_INT(number & UINT32_MAX, next[producer_of(number)]);
        next[producer_of(number)]++;
        ledger->order[subscriber][ledger->seen[subscriber]] = number;
        ledger->seen[subscriber]++;
    }
    mmf_topic_close(topic);
}

static uint64_t
count_sent(int publisher, enum sent at_least)
{
    uint64_t count = 0;

    while (count < MOST && ledger->sent[publisher][count] >= (uint8_t)at_least)
        count++;
    return count;
}

/* The survivor has seen all, and the dead one the same, as far as it came. */
static void
check_order(int survivor)
{
    uint64_t all = ledger->seen[survivor];

    CHECK(all >= count_sent(0, COMMITTED) + count_sent(1, COMMITTED));
    CHECK(all <= count_sent(0, COMMITTING) + count_sent(1, COMMITTING));
    CHECK(ledger->seen[1 - survivor] <= all);
    for (uint64_t i = 0; i < ledger->seen[1 - survivor]; i++)
        CHECK_INT(ledger->order[1 - survivor][i], ledger->order[survivor][i]);
}

static void
await_all_seen(int subscriber)
{
    int64_t end = now_us() + (int64_t)harness_deadline_ms() * 1000;

    while (ledger->seen[subscriber] <
           count_sent(0, COMMITTED) + count_sent(1, COMMITTED)) {
        if (now_us() > end)
            CHECK_FAIL("a subscriber has seen %llu of %llu messages",
                       (unsigned long long)ledger->seen[subscriber],
                       (unsigned long long)(count_sent(0, COMMITTED) +
                                            count_sent(1, COMMITTED)));
        nap_us(1000);
    }
}

static void
topic_goes_on(void)
{
    mmf_topic *publisher = join_topic(SEND), *subscriber = join_topic(RECEIVE);
    mmf_channel_stats stats;

    for (uint64_t i = 0; i < 3 * SLOTS; i++) {
        CHECK_STATUS(mmf_topic_send(publisher, &i, 8, LONG_MS, NULL), MMF_OK);
        expect_number(subscriber, i);
    }
    CHECK_OK(mmf_topic_stat(subscriber, &stats));
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

static void
one_of_each_of_a_topic_dies(void)
{
    int victim = (int)(next_random(&seed) % 2);
    struct crowd crowd;

    start_crowd(&crowd, 2, subscribe, publish_on);
    wait_at_random();
    fork_kill(crowd.consumers[victim]);
    wait_at_random();
    fork_kill(crowd.producers[victim]);
    wait_at_random();
    ledger->no_more = 1;
    end_by_itself(crowd.producers[1 - victim]);
    await_all_seen(1 - victim);
    ledger->done = 1;
    end_by_itself(crowd.consumers[1 - victim]);
    check_order(1 - victim);
    topic_goes_on();
}

static void
all_of_a_topic_die_at_once(void)
{
    struct crowd crowd;

    start_crowd(&crowd, 2, subscribe, publish_on);
    wait_at_random();
    for (int i = 0; i < 2; i++) {
        kill(crowd.producers[i], SIGKILL);
        kill(crowd.consumers[i], SIGKILL);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_INT(waitpid(crowd.producers[i], NULL, 0), crowd.producers[i]);
        CHECK_INT(waitpid(crowd.consumers[i], NULL, 0), crowd.consumers[i]);
    }
    topic_goes_on();
}

TEST(surviving_subscribers_miss_nothing)
{
    harness_expect_dead();
    for (int round = 0; round < rounds(); round++) {
        seed = (uint64_t)round + 1;
        CHECK_CONTEXT("topic, round %d", round);
        for (int at_once = 0; at_once < 2; at_once++) {
            mmf_topic *topic;
            struct hold *hold;

            forget_all();
            CHECK_OK(mmf_topic_create_or_open("T", 8, SLOTS, MMF_OVERFLOW_BLOCK,
                                              CHANNEL_OPTIONS(.role = SEND), NULL,
                                              &topic));
            hold = hold_channel("T");
            mmf_topic_close(topic);
            if (at_once)
                all_of_a_topic_die_at_once();
            else
                one_of_each_of_a_topic_dies();
            release_hold(hold);
            mmf_gc(0, NULL);
        }
    }
}
