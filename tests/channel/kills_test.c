/*
 * kills_test.c - processes are killed at random moments while they send, receive, create
 * and close; the survivors, or those that join afterwards, account for every message.
 *
 * What a process is about to do, and what it has done, it notes in a map, the ledger. Of
 * every message that was committed:
 *
 *   - it is received and released; if its consumer died before that, it comes again, marked
 *   - no message is received that was not begun, or that was released before
 *   - unmarked messages come in the order of their producer's commits
 *   - every subscriber sees the same, in the same order, and none is told of a lost one
 *
 * and afterwards every slot carries a message again.
 */
#include "support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEND = MMF_ROLE_SEND,
    RECEIVE = MMF_ROLE_RECEIVE,
    SLOTS = 8,
    SIDES = 2,      /* participants of each role */
    MOST = 200000,  /* messages of one producer: more than it ever gets to */
    AT_ONCE = 3,    /* messages of one call */
    TURN_MS = 20,   /* a wait after which a participant looks whether it shall end */
    ENOUGH_MS = 100 /* what a dead one was releasing has come again by then */
};

enum sent { NEVER, COMMITTING, COMMITTED };
enum released { NOT_YET, RELEASING, RELEASED };

/* Each byte has one writer at a time: the process that has the message. */
struct ledger {
    volatile uint8_t sent[SIDES][MOST];
    volatile uint8_t taken[SIDES][MOST]; /* 1: a consumer has noted that it has it */
    volatile uint8_t released[SIDES][MOST];
    volatile uint64_t order[SIDES][SIDES * MOST]; /* to each subscriber they came so */
    volatile uint64_t seen[SIDES];                /* so many */
    volatile uint64_t written;                    /* versions of the latest value */
    volatile uint32_t no_more;                    /* producers end */
    volatile uint32_t done; /* consumers end, when nothing comes any more */
};

struct message {
    uint64_t number; /* the producer, and how many it sent before */
    uint64_t check[11];
};

static uint64_t seed = 20261127;

static int
rounds(void)
{
    return harness_long() ? 1000 : 15;
}

static struct message
make(uint64_t producer, uint64_t i)
{
    struct message message = {.number = producer << 32 | i};

    for (size_t k = 0; k < COUNT_OF(message.check); k++)
        message.check[k] = message.number * 0x9E3779B97F4A7C15u + k;
    return message;
}

static uint64_t
producer_of(const struct message *message)
{
    uint64_t producer = message->number >> 32, i = message->number & UINT32_MAX;
    struct message whole = make(producer, i);

    CHECK_BYTES(message, &whole, sizeof(whole));
    CHECK(producer < SIDES);
    return producer;
}

/*
 * The ledger.
 */

static mmf_map *ledger_map;
static mmf_accessor *ledger_view;
static struct ledger *ledger;

static void
open_ledger(void)
{
    void *bytes;

    CHECK_OK(mmf_map_create_or_open("Ledger", sizeof(struct ledger), NULL, NULL,
                                    &ledger_map));
    CHECK_OK(mmf_accessor_create(ledger_map, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &ledger_view));
    CHECK_OK(mmf_accessor_pointer(ledger_view, &bytes, NULL));
    ledger = bytes;
}

static void
close_ledger(void)
{
    mmf_accessor_close(ledger_view);
    mmf_map_close(ledger_map);
}

/*
 * Participants, each with its number. A queue's and a topic's producers do the same.
 */

static mmf_queue *queue;
static mmf_topic *topic;

#define SENDS(function, ...)                                                           \
    (topic != NULL ? mmf_topic_##function(topic, __VA_ARGS__)                          \
                   : mmf_queue_##function(queue, __VA_ARGS__))

static void
note_sent(uint64_t producer, uint64_t first, size_t count, enum sent sent)
{
    for (uint64_t i = first; i < first + count; i++)
        ledger->sent[producer][i] = (uint8_t)sent;
}

/* Now and then, so that a kill finds something in its hands. */
static void
hesitate(void)
{
    if (next_random(&seed) % 64 == 0)
        nap_us(100);
}

static int
send_directly(const struct message *message)
{
    void *bytes;
    int rc = SENDS(reserve, 100, TURN_MS, &bytes);

    if (rc != MMF_OK)
        return rc;
    memcpy(bytes, message, sizeof(*message));
    hesitate();
    return SENDS(commit, sizeof(*message), NULL);
}

/* A reservation that comes to nothing, before a message. */
static int
send_after_all(const struct message *message)
{
    void *bytes;

    if (SENDS(reserve, 1, TURN_MS, &bytes) == MMF_OK)
        CHECK_OK(topic != NULL ? mmf_topic_abandon(topic) : mmf_queue_abandon(queue));
    return SENDS(send, message, sizeof(*message), TURN_MS, NULL);
}

/* The messages from `first` on, in one way or another. How many they were. */
static size_t
send_some(uint64_t producer, uint64_t first)
{
    struct message messages[AT_ONCE];
    mmf_buffer buffers[AT_ONCE];
    uint64_t way = next_random(&seed) % 4;
    size_t sent = 0;
    int rc;

    for (uint64_t i = 0; i < AT_ONCE; i++) {
        messages[i] = make(producer, first + i);
        buffers[i] = (mmf_buffer){&messages[i], sizeof(messages[i])};
    }
    note_sent(producer, first, way == 3 ? AT_ONCE : 1, COMMITTING);
    if (way == 3)
        rc = SENDS(send_many, buffers, AT_ONCE, TURN_MS, &sent);
    else if (way == 2)
        rc = send_after_all(&messages[0]);
    else if (way == 1)
        rc = send_directly(&messages[0]);
    else
        rc = SENDS(send, &messages[0], sizeof(messages[0]), TURN_MS, NULL);
    CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT);
    if (way != 3)
        sent = rc == MMF_OK;
    note_sent(producer, first, sent, COMMITTED);
    note_sent(producer, first + sent, AT_ONCE - sent, NEVER);
    return sent;
}

static int
produce(uint64_t producer)
{
    open_ledger();
    seed += producer;
    role_say("ready");
    for (uint64_t i = 0; i + AT_ONCE < MOST && !ledger->no_more;)
        i += send_some(producer, i);
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    return 0;
}

ROLE(producer)
{
    queue = open_queue(SEND, 0);
    return produce(strtoull(argv[1], NULL, 10));
}

ROLE(publisher)
{
    topic = join_topic(SEND);
    return produce(strtoull(argv[1], NULL, 10));
}

/* `next` is what is expected of each producer, but for what is redelivered. */
static void
note_taken(const mmf_message *message, uint64_t next[SIDES])
{
    struct message got;
    uint64_t i, producer;

    CHECK_INT(message->length, sizeof(got));
    memcpy(&got, message->bytes, sizeof(got));
    producer = producer_of(&got);
    i = got.number & UINT32_MAX;
    CHECK(i < MOST && ledger->sent[producer][i] != NEVER);
    CHECK(ledger->released[producer][i] != RELEASED);
    if (!(message->flags & MMF_MESSAGE_REDELIVERED)) {
        CHECK_INT(ledger->taken[producer][i], 0);
        CHECK(i >= next[producer]);
        next[producer] = i + 1;
    }
    ledger->taken[producer][i] = 1;
}

static void
note_released(const uint64_t *numbers, size_t count, enum released released)
{
    for (size_t i = 0; i < count; i++)
        ledger->released[numbers[i] >> 32][numbers[i] & UINT32_MAX] = (uint8_t)released;
}

/* Take some, and release them, one by one or together. 0: none came. */
static size_t
take_some(mmf_queue *receiver, size_t most, uint64_t next[SIDES])
{
    mmf_message held[AT_ONCE];
    uint64_t numbers[AT_ONCE];
    size_t count = 1;
    int rc = most == 1 ? mmf_queue_take(receiver, TURN_MS, held)
                       : mmf_queue_take_many(receiver, most, TURN_MS, held, &count);

    if (rc == MMF_TIMED_OUT)
        return 0;
    CHECK_STATUS(rc, MMF_OK);
    for (size_t i = 0; i < count; i++) {
        note_taken(&held[i], next);
        memcpy(&numbers[i], held[i].bytes, sizeof(numbers[i]));
    }
    hesitate();
    if (most == AT_ONCE) {
        note_released(numbers, count, RELEASING);
        CHECK_OK(mmf_queue_release_many(receiver, held, count));
        note_released(numbers, count, RELEASED);
    }
    for (size_t i = 0; most != AT_ONCE && i < count; i++) {
        note_released(&numbers[i], 1, RELEASING);
        CHECK_OK(mmf_queue_release(receiver, &held[i]));
        note_released(&numbers[i], 1, RELEASED);
    }
    return count;
}

/* It looks once more after it has seen that it shall end. */
ROLE(consumer)
{
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    uint64_t next[SIDES] = {0};
    bool is_done = false;

    open_ledger();
    role_say("ready");
    for (size_t i = 0, count = 1; count > 0 || !is_done; i++) {
        is_done = ledger->done;
        count = take_some(receiver, 1 + i % AT_ONCE, next);
    }
    mmf_queue_close(receiver);
    return 0;
}

/* Each of a publisher's is there, one after the other, and none is told of as lost. */
ROLE(subscriber)
{
    mmf_topic *subscriber = join_topic(RECEIVE);
    uint64_t self = strtoull(argv[1], NULL, 10), next[SIDES] = {0};
    struct message got;
    mmf_message message;
    size_t length;
    int rc;

    open_ledger();
    role_say("ready");
    while ((rc = mmf_topic_receive(subscriber, &got, sizeof(got), TURN_MS, &length,
                                   &message)) == MMF_OK ||
           !ledger->done) {
        if (rc == MMF_TIMED_OUT)
            continue;
        CHECK_STATUS(rc, MMF_OK);
        CHECK_INT(length, sizeof(got));
        CHECK_INT(message.lost, 0);
        CHECK_INT(got.number & UINT32_MAX, next[producer_of(&got)]++);
        ledger->order[self][ledger->seen[self]] = got.number;
        ledger->seen[self]++;
    }
    CHECK_STATUS(rc, MMF_TIMED_OUT);
    mmf_topic_close(subscriber);
    return 0;
}

ROLE_UNTIL_KILLED(writer)
{
    mmf_latest *latest;

    open_ledger();
    CHECK_OK(mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = SEND), &latest));
    role_say("ready");
    for (uint64_t i = 1;; i++) {
        struct message message = make(strtoull(argv[1], NULL, 10), i);

        CHECK_OK(mmf_latest_send(latest, &message, sizeof(message), NULL));
        ledger->written = i;
    }
}

/* Makes the queue or finds it, and closes it. */
ROLE_UNTIL_KILLED(creator)
{
    role_say("ready");
    for (;;)
        mmf_queue_close(new_queue(MMF_ROLE_BOTH, 0, 8, SLOTS, MMF_OVERFLOW_BLOCK));
}

/*
 * Accounts.
 */

/* How many committed ones were not released, nor lost their consumer in a release. */
static uint64_t
count_missing(uint64_t *producer, uint64_t *number)
{
    uint64_t count = 0;

    for (uint64_t p = 0; p < SIDES; p++) {
        for (uint64_t i = 0; i < MOST && ledger->sent[p][i] != NEVER; i++) {
            if (ledger->sent[p][i] == COMMITTED && ledger->released[p][i] == NOT_YET) {
                *producer = p;
                *number = i;
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
    uint64_t producer = 0, number = 0;

    while (count_missing(&producer, &number) > 0) {
        if (now_us() > end)
            CHECK_FAIL("message %llu of producer %llu is lost",
                       (unsigned long long)number, (unsigned long long)producer);
        nap_us(1000);
    }
}

/* No consumer has survived: a new one gets what there is. */
static void
consume_the_rest(void)
{
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    uint64_t next[SIDES] = {0};
    int64_t now, end = now_us() + ENOUGH_MS * 1000;

    do
        now = now_us();
    while (take_some(receiver, AT_ONCE, next) > 0 || now < end);
    mmf_queue_close(receiver);
}

static uint64_t all_sent, all_redelivered;

/* Nothing comes any more; and every slot carries a message. */
static void
queue_goes_on(void)
{
    mmf_queue *sender = open_queue(SEND, 0), *receiver = open_queue(RECEIVE, 0);
    mmf_channel_stats stats;

    expect_none(receiver);
    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t i = 0; i < SLOTS; i++)
            CHECK_STATUS(mmf_queue_send(sender, &i, 8, LONG_MS, NULL), MMF_OK);
        for (uint64_t i = 0; i < SLOTS; i++)
            expect_number(receiver, i);
    }
    expect_none(receiver);
    stats = stats_of(receiver);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    CHECK_INT(stats.depth, 0);
    all_sent += stats.sent;
    all_redelivered += stats.redelivered;
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static uint64_t
count_sent(enum sent at_least)
{
    uint64_t count = 0;

    for (int p = 0; p < SIDES; p++)
        for (int i = 0; i < MOST && ledger->sent[p][i] != NEVER; i++)
            count += ledger->sent[p][i] >= (uint8_t)at_least;
    return count;
}

static void
await_all_seen(int subscriber)
{
    int64_t end = now_us() + (int64_t)harness_deadline_ms() * 1000;

    while (ledger->seen[subscriber] < count_sent(COMMITTED)) {
        if (now_us() > end)
            CHECK_FAIL("a subscriber has seen %llu of %llu messages",
                       (unsigned long long)ledger->seen[subscriber],
                       (unsigned long long)count_sent(COMMITTED));
        nap_us(1000);
    }
}

/* The survivor has seen all, and the dead one the same, as far as it came. */
static void
check_order(int survivor)
{
    uint64_t all = ledger->seen[survivor], others = ledger->seen[1 - survivor];

    CHECK(all >= count_sent(COMMITTED) && all <= count_sent(COMMITTING));
    CHECK(others <= all);
    for (uint64_t i = 0; i < others; i++)
        CHECK_INT(ledger->order[1 - survivor][i], ledger->order[survivor][i]);
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

/*
 * Who dies.
 */

enum deaths { PRODUCER = 1, CONSUMER = 2, ONE_OF_EACH = 3, ALL = 7 };

static struct process *producers[SIDES], *consumers[SIDES]; /* NULL: it is dead */

/* Up to ten milliseconds: some thousand messages, or none. */
static void
wait_at_random(void)
{
    nap_us((int64_t)(next_random(&seed) % 10000));
}

static void
start_crowd(const char *producer, const char *consumer, int count)
{
    for (int i = 0; i < SIDES; i++)
        producers[i] = consumers[i] = NULL;
    for (int i = 0; i < count; i++)
        consumers[i] = process_ready(consumer, "%d", i);
    for (int i = 0; i < count; i++)
        producers[i] = process_ready(producer, "%d", i);
}

static void
kill_one(struct process **process)
{
    if (*process != NULL)
        end_victim(*process);
    *process = NULL;
}

/* Of both kinds the victims have one number; which kind dies first is random. */
static void
kill_some(enum deaths deaths, int victim)
{
    bool is_producer_first = next_random(&seed) % 2 == 0;

    wait_at_random();
    for (int i = 0; i < 2; i++) {
        bool is_producer = is_producer_first == (i == 0);

        if ((deaths & (is_producer ? PRODUCER : CONSUMER)) == 0)
            continue;
        kill_one(is_producer ? &producers[victim] : &consumers[victim]);
        if (deaths != ALL)
            wait_at_random();
    }
    for (int i = 0; i < SIDES && deaths == ALL; i++) {
        kill_one(&producers[i]);
        kill_one(&consumers[i]);
    }
}

static void
end_all(struct process **processes)
{
    for (int i = 0; i < SIDES; i++)
        if (processes[i] != NULL)
            CHECK_INT(process_finish(processes[i]), 0);
}

/* The survivors are told to end. */
static void
kill_around_a_queue(uint32_t flags, enum deaths deaths)
{
    mmf_queue *first = new_queue(SEND, flags, 100, SLOTS, MMF_OVERFLOW_BLOCK);
    struct hold *hold = hold_channel("Q");

    mmf_queue_close(first);
    open_ledger();
    start_crowd("producer", "consumer", flags & MMF_CHANNEL_SPSC ? 1 : SIDES);
    kill_some(deaths, flags & MMF_CHANNEL_SPSC ? 0 : (int)(next_random(&seed) % 2));
    ledger->no_more = 1;
    end_all(producers);
    if (consumers[0] == NULL && consumers[1] == NULL)
        consume_the_rest();
    await_all_released();
    if (consumers[0] != NULL || consumers[1] != NULL)
        nap_us(ENOUGH_MS * 1000);
    ledger->done = 1;
    end_all(consumers);
    queue_goes_on();
    release_hold(hold);
    close_ledger();
    mmf_gc(0, NULL);
}

static void
kill_around_each_queue(uint32_t flags)
{
    static const enum deaths many[] = {ONE_OF_EACH, ALL, PRODUCER},
                             single[] = {PRODUCER, CONSUMER, ALL};

    for (int round = 0; round < rounds(); round++) {
        CHECK_CONTEXT("queue with flags %u, round %d", flags, round);
        seed = (uint64_t)round + 1;
        kill_around_a_queue(flags,
                            (flags & MMF_CHANNEL_SPSC ? single : many)[round % 3]);
    }
}

TEST(every_message_of_a_queue_is_accounted_for)
{
    for_each_kind(kill_around_each_queue);
    printf("%llu messages, %llu of them given out again\n",
           (unsigned long long)all_sent, (unsigned long long)all_redelivered);
}

static void
kill_around_a_topic(enum deaths deaths)
{
    int victim = (int)(next_random(&seed) % 2), survivor = 1 - victim;
    struct hold *hold;
    mmf_topic *first;

    CHECK_OK(mmf_topic_create_new("T", 100, SLOTS, MMF_OVERFLOW_BLOCK,
                                  CHANNEL_OPTIONS(.role = SEND), &first));
    hold = hold_channel("T");
    mmf_topic_close(first);
    open_ledger();
    start_crowd("publisher", "subscriber", SIDES);
    kill_some(deaths, victim);
    ledger->no_more = 1;
    end_all(producers);
    if (deaths != ALL)
        await_all_seen(survivor);
    ledger->done = 1;
    end_all(consumers);
    if (deaths != ALL)
        check_order(survivor);
    topic_goes_on();
    release_hold(hold);
    close_ledger();
    mmf_gc(0, NULL);
}

TEST(who_stays_misses_nothing)
{
    static const enum deaths deaths[] = {ONE_OF_EACH, ALL, PRODUCER, CONSUMER};

    for (int round = 0; round < rounds(); round++) {
        CHECK_CONTEXT("topic, round %d", round);
        seed = (uint64_t)round + 1;
        kill_around_a_topic(deaths[round % 4]);
    }
}

/* The newest that was written is there, or the one that the victim was writing. */
TEST(what_a_killed_writer_committed_is_there)
{
    mmf_latest *latest;

    open_ledger();
    CHECK_OK(
        mmf_latest_create_or_open("L", sizeof(struct message), NULL, NULL, &latest));
    for (uint64_t round = 0; round < (uint64_t)rounds(); round++) {
        struct process *victim;
        struct message got;
        uint64_t version;
        int64_t moment;
        size_t length;

        ledger->written = 0;
        victim = process_ready("writer", "%d", (int)round % SIDES);
        moment = random_moment(&seed);
        while (now_us() < moment || ledger->written == 0)
            CHECK_OK(mmf_latest_receive(latest, &got, sizeof(got), &length, &version));
        end_victim(victim);
        CHECK_OK(mmf_latest_receive(latest, &got, sizeof(got), &length, &version));
        CHECK_INT(producer_of(&got), round % SIDES);
        CHECK((got.number & UINT32_MAX) - ledger->written <= 1);
    }
    mmf_latest_close(latest);
    close_ledger();
}

/* A killed creator leaves no half-made queue, and no name. */
TEST(creators_may_be_killed)
{
    int news = 0;

    for (int round = 0; round < rounds(); round++) {
        struct process *victims[SIDES];
        mmf_queue *made;
        int created;

        for (int i = 0; i < SIDES; i++)
            victims[i] = process_ready("creator", " ");
        for (int i = 0; i < SIDES; i++) {
            int64_t moment = random_moment(&seed);

            while (now_us() < moment) {
                CHECK_OK(mmf_queue_create_or_open("Q", 8, SLOTS, MMF_OVERFLOW_BLOCK,
                                                  NULL, &created, &made));
                news += created;
                mmf_queue_close(made);
            }
            end_victim(victims[i]);
        }
        CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &made), MMF_E_NOT_FOUND);
    }
    printf("%d queues were made anew\n", news); /* a slow machine may be too slow */
}
