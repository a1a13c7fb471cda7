/*
 * kills_test.c - processes are killed at random moments while they send, receive,
 * create and close; the survivors account for every message.
 *
 * What a victim has done it notes in a map, the ledger: a sender after each message
 * that it has committed, a consumer before it releases what it has read. So of a killed
 * sender every message must come that is in the ledger, and no more than those of one
 * call besides; and of those that a killed consumer had, each is in the ledger or comes
 * again.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEND = MMF_ROLE_SEND,
    RECEIVE = MMF_ROLE_RECEIVE,
    VICTIMS = 2,
    AT_ONCE = 3, /* messages of one call */
    SLOTS = 8,
    MOST = 1 << 20 /* numbers in the ledger */
};

struct ledger {
    _Atomic uint64_t done[VICTIMS];
    _Atomic uint8_t seen[MOST];
};

struct message {
    uint64_t victim;
    uint64_t number;
    uint64_t check;
};

static uint64_t seed = 20261127;

static int
rounds(void)
{
    return harness_long() ? 1000 : 20;
}

static struct message
make(uint64_t victim, uint64_t number)
{
    return (struct message){victim, number, victim * 7919 ^ number * 104729};
}

static void
check_message(const struct message *message)
{
    struct message whole = make(message->victim, message->number);

    CHECK_BYTES(message, &whole, sizeof(whole));
}

/*
 * The ledger.
 */

static mmf_map *ledger_map;
static mmf_accessor *ledger_view;

static struct ledger *
show_ledger(void)
{
    void *bytes;

    CHECK_OK(mmf_accessor_create(ledger_map, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &ledger_view));
    CHECK_OK(mmf_accessor_pointer(ledger_view, &bytes, NULL));
    return bytes;
}

static struct ledger *
new_ledger(void)
{
    CHECK_OK(mmf_map_create_new("Ledger", sizeof(struct ledger), NULL, &ledger_map));
    return show_ledger();
}

static struct ledger *
open_ledger(void)
{
    CHECK_OK(mmf_map_open_existing("Ledger", NULL, &ledger_map));
    return show_ledger();
}

static void
close_ledger(void)
{
    mmf_accessor_close(ledger_view);
    mmf_map_close(ledger_map);
}

/*
 * Victims. Each is told its number, and goes on until it is killed.
 */

static void
send_one(mmf_queue *queue, const struct message *message, int directly)
{
    void *bytes;

    if (!directly) {
        CHECK_STATUS(mmf_queue_send(queue, message, sizeof(*message), LONG_MS, NULL),
                     MMF_OK);
        return;
    }
    CHECK_STATUS(mmf_queue_reserve(queue, sizeof(*message), LONG_MS, &bytes), MMF_OK);
    memcpy(bytes, message, sizeof(*message));
    CHECK_STATUS(mmf_queue_commit(queue, sizeof(*message), NULL), MMF_OK);
}

/* The messages from `first` on, in one way or another. How many they were. */
static uint64_t
send_some(mmf_queue *queue, uint64_t victim, uint64_t first)
{
    struct message messages[AT_ONCE];
    mmf_buffer buffers[AT_ONCE];
    size_t sent;
    void *bytes;
    uint64_t way = next_random(&seed) % 4;

    for (uint64_t i = 0; i < AT_ONCE; i++) {
        messages[i] = make(victim, first + i);
        buffers[i] = (mmf_buffer){&messages[i], sizeof(messages[i])};
    }
    if (way == 3) {
        CHECK_STATUS(mmf_queue_send_many(queue, buffers, AT_ONCE, LONG_MS, &sent),
                     MMF_OK);
        return (uint64_t)sent;
    }
    if (way == 2) {
        CHECK_STATUS(mmf_queue_reserve(queue, 1, LONG_MS, &bytes), MMF_OK);
        CHECK_STATUS(mmf_queue_abandon(queue), MMF_OK);
    }
    send_one(queue, &messages[0], way == 1);
    return 1;
}

ROLE_UNTIL_KILLED(sender)
{
    uint64_t victim = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct ledger *ledger = open_ledger();
    mmf_queue *queue = open_queue(SEND, 0);
    uint64_t number = 1;

    seed += victim;
    role_say("ready");
    for (;;) {
        number += send_some(queue, victim, number);
        ledger->done[victim % VICTIMS] = number - 1;
    }
}

/* Reads, notes, releases; up to AT_ONCE messages at a time. */
ROLE_UNTIL_KILLED(consumer)
{
    struct ledger *ledger = open_ledger();
    mmf_queue *queue = open_queue(RECEIVE, 0);

    seed += argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    role_say("ready");
    for (;;) {
        mmf_message messages[AT_ONCE];
        size_t most = 1 + (size_t)(next_random(&seed) % AT_ONCE);
        size_t count;

        CHECK_STATUS(mmf_queue_take_many(queue, most, LONG_MS, messages, &count),
                     MMF_OK);
        for (size_t i = 0; i < count; i++) {
            const struct message *message = (const void *)messages[i].bytes;

            check_message(message);
            ledger->seen[message->number] = 1;
        }
        CHECK_STATUS(mmf_queue_release_many(queue, messages, count), MMF_OK);
    }
}

static uint64_t
publish_some(mmf_topic *topic, uint64_t victim, uint64_t first)
{
    struct message messages[AT_ONCE];
    mmf_buffer buffers[AT_ONCE];
    size_t published;
    void *bytes;

    for (uint64_t i = 0; i < AT_ONCE; i++) {
        messages[i] = make(victim, first + i);
        buffers[i] = (mmf_buffer){&messages[i], sizeof(messages[i])};
    }
    switch (next_random(&seed) % 3) {
    case 0:
        CHECK_STATUS(mmf_topic_send_many(topic, buffers, AT_ONCE, LONG_MS, &published),
                     MMF_OK);
        return (uint64_t)published;
    case 1:
        CHECK_STATUS(mmf_topic_reserve(topic, sizeof(messages[0]), LONG_MS, &bytes),
                     MMF_OK);
        memcpy(bytes, &messages[0], sizeof(messages[0]));
        CHECK_STATUS(mmf_topic_commit(topic, sizeof(messages[0]), NULL), MMF_OK);
        return 1;
    default:
        CHECK_STATUS(mmf_topic_reserve(topic, 1, LONG_MS, &bytes), MMF_OK);
        CHECK_STATUS(mmf_topic_abandon(topic), MMF_OK);
        CHECK_STATUS(
            mmf_topic_send(topic, &messages[0], sizeof(messages[0]), LONG_MS, NULL),
            MMF_OK);
        return 1;
    }
}

ROLE_UNTIL_KILLED(publisher)
{
    uint64_t victim = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct ledger *ledger = open_ledger();
    uint64_t number = 1;
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = SEND), &topic));
    seed += victim;
    role_say("ready");
    for (;;) {
        number += publish_some(topic, victim, number);
        ledger->done[victim % VICTIMS] = number - 1;
    }
}

ROLE_UNTIL_KILLED(writer)
{
    uint64_t victim = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct ledger *ledger = open_ledger();
    mmf_latest *latest;

    CHECK_OK(mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = SEND), &latest));
    role_say("ready");
    for (uint64_t number = 1;; number++) {
        struct message message = make(victim, number);

        CHECK_OK(mmf_latest_send(latest, &message, sizeof(message), NULL));
        ledger->done[0] = number;
    }
}

/* Makes the queue or finds it, and closes it. */
ROLE_UNTIL_KILLED(creator)
{
    role_say("ready");
    for (;;)
        mmf_queue_close(new_queue(MMF_ROLE_BOTH, 0, 8, SLOTS, MMF_OVERFLOW_BLOCK));
}

static struct process *
begin(const char *role, uint64_t victim)
{
    char number[24];
    const char *const args[] = {number, NULL};

    snprintf(number, sizeof(number), "%llu", (unsigned long long)victim);
    return process_start(role, args);
}

static void
await(struct process *const *victims, int count)
{
    for (int i = 0; i < count; i++)
        process_expect(victims[i], "ready");
}

/*
 * Senders. `come` has how many messages have come of each, in their order.
 */

static void
count_message(const struct message *message, uint64_t first_victim,
              uint64_t come[VICTIMS])
{
    uint64_t which = message->victim - first_victim;

    check_message(message);
    CHECK(which < VICTIMS);
    CHECK_INT(message->number, come[which] + 1);
    come[which]++;
}

static int
receive_one(mmf_queue *queue, int32_t timeout_ms, uint64_t first_victim,
            uint64_t come[VICTIMS])
{
    struct message message;
    size_t length;
    int rc =
        mmf_queue_receive(queue, &message, sizeof(message), timeout_ms, &length, NULL);

    if (rc == MMF_TIMED_OUT)
        return 0;
    CHECK_STATUS(rc, MMF_OK);
    count_message(&message, first_victim, come);
    return 1;
}

static void
check_account(const struct ledger *ledger, const uint64_t come[VICTIMS], int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t done = ledger->done[i];

        CHECK_CONTEXT("victim %d: %llu in the ledger, %llu came", i,
                      (unsigned long long)done, (unsigned long long)come[i]);
        CHECK(come[i] >= done && come[i] <= done + AT_ONCE);
    }
}

static void
kill_senders(uint32_t flags, int count)
{
    struct ledger *ledger = new_ledger();
    mmf_queue *queue =
        new_queue(RECEIVE, flags, sizeof(struct message), SLOTS, MMF_OVERFLOW_BLOCK);

    for (int round = 0; round < rounds(); round++) {
        uint64_t first = (uint64_t)round * VICTIMS;
        struct process *victims[VICTIMS];
        uint64_t come[VICTIMS] = {0};
        int64_t moment;

        for (int i = 0; i < count; i++) {
            ledger->done[i] = 0;
            victims[i] = begin("sender", first + (uint64_t)i);
        }
        await(victims, count);
        for (int i = 0; i < count; i++) {
            moment = random_moment(&seed);
            while (now_us() < moment)
                receive_one(queue, 1, first, come);
            end_victim(victims[i]);
        }
        while (receive_one(queue, 0, first, come))
            ;
        check_account(ledger, come, count);
        CHECK_INT(stats_of(queue).senders, 0);
    }
    mmf_queue_close(queue);
    close_ledger();
}

TEST(what_a_killed_sender_committed_comes)
{
    kill_senders(0, VICTIMS);
}

TEST(what_a_killed_single_sender_committed_comes)
{
    kill_senders(MMF_CHANNEL_SPSC, 1);
}

/*
 * Consumers.
 */

/* Numbers from `*next` on, until the moment. */
static void
send_until(mmf_queue *queue, int64_t moment, uint64_t *next)
{
    while (now_us() < moment && *next < MOST) {
        struct message message = make(0, *next);
        int rc = mmf_queue_send(queue, &message, sizeof(message), 1, NULL);

        CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT);
        *next += rc == MMF_OK;
    }
}

/*
 * What the killed left comes to us: all that is not in the ledger, and what they had
 * noted but not released.
 */
static void
take_the_rest(struct ledger *ledger, mmf_queue *queue, uint64_t next)
{
    enum { TICKS_MS = 100 };
    uint64_t missing = 0;

    for (uint64_t number = 0; number < next; number++)
        missing += ledger->seen[number] == 0;
    for (;;) {
        struct message got;
        mmf_message message;
        size_t length;
        int rc = mmf_queue_receive(queue, &got, sizeof(got),
                                   missing > 0 ? LONG_MS : TICKS_MS, &length, &message);

        if (rc == MMF_TIMED_OUT)
            break;
        CHECK_STATUS(rc, MMF_OK);
        check_message(&got);
        CHECK(got.number < next);
        if (ledger->seen[got.number])
            CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
        else
            missing--;
        ledger->seen[got.number] = 1;
    }
    CHECK_INT(missing, 0);
}

static void
kill_consumers(uint32_t flags, int count)
{
    struct ledger *ledger = new_ledger();
    mmf_queue *queue =
        new_queue(SEND, flags, sizeof(struct message), SLOTS, MMF_OVERFLOW_BLOCK);
    uint64_t next = 0;

    for (int round = 0; round < rounds(); round++) {
        struct process *victims[VICTIMS];
        mmf_queue *receiver;

        for (int i = 0; i < count; i++)
            victims[i] = begin("consumer", (uint64_t)(round * VICTIMS + i));
        await(victims, count);
        for (int i = 0; i < count; i++) {
            send_until(queue, random_moment(&seed), &next);
            end_victim(victims[i]);
        }
        receiver = open_queue(RECEIVE, 0);
        take_the_rest(ledger, receiver, next);
        CHECK_INT(stats_of(queue).receivers, 1);
        mmf_queue_close(receiver);
    }
    CHECK(next > 0);
    mmf_queue_close(queue);
    close_ledger();
}

TEST(what_a_killed_consumer_had_comes_again)
{
    kill_consumers(0, VICTIMS);
}

TEST(what_a_killed_single_consumer_had_comes_again)
{
    kill_consumers(MMF_CHANNEL_SPSC, 1);
}

/*
 * Topics and latest values.
 */

static int
read_one(mmf_topic *topic, int32_t timeout_ms, uint64_t first_victim,
         uint64_t come[VICTIMS])
{
    struct message got;
    mmf_message message;
    size_t length;
    int rc = mmf_topic_receive(topic, &got, sizeof(got), timeout_ms, &length, &message);

    if (rc == MMF_TIMED_OUT)
        return 0;
    CHECK_STATUS(rc, MMF_OK);
    CHECK_INT(message.lost, 0);
    count_message(&got, first_victim, come);
    return 1;
}

/* A dead one's reservation is stepped over within a tick or two. */
TEST(what_a_killed_publisher_committed_is_seen)
{
    enum { TICKS_MS = 100 };
    struct ledger *ledger = new_ledger();
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("T", sizeof(struct message), SLOTS,
                                      MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = RECEIVE), NULL, &topic));
    for (int round = 0; round < rounds(); round++) {
        uint64_t first = (uint64_t)round * VICTIMS;
        struct process *victims[VICTIMS];
        uint64_t come[VICTIMS] = {0};

        for (int i = 0; i < VICTIMS; i++) {
            ledger->done[i] = 0;
            victims[i] = begin("publisher", first + (uint64_t)i);
        }
        await(victims, VICTIMS);
        for (int i = 0; i < VICTIMS; i++) {
            int64_t moment = random_moment(&seed);

            while (now_us() < moment)
                read_one(topic, 1, first, come);
            end_victim(victims[i]);
        }
        while (read_one(topic, TICKS_MS, first, come))
            ;
        check_account(ledger, come, VICTIMS);
    }
    mmf_topic_close(topic);
    close_ledger();
}

TEST(what_a_killed_writer_committed_is_there)
{
    struct ledger *ledger = new_ledger();
    mmf_latest *latest;

    CHECK_OK(
        mmf_latest_create_or_open("L", sizeof(struct message), NULL, NULL, &latest));
    for (int round = 0; round < rounds(); round++) {
        struct process *victim;
        struct message got;
        uint64_t version;
        int64_t moment;
        size_t length;

        ledger->done[0] = 0;
        victim = begin("writer", (uint64_t)round);
        await(&victim, 1);
        moment = random_moment(&seed);
        while (now_us() < moment || ledger->done[0] == 0)
            CHECK_OK(mmf_latest_receive(latest, &got, sizeof(got), &length, &version));
        end_victim(victim);
        CHECK_OK(mmf_latest_receive(latest, &got, sizeof(got), &length, &version));
        check_message(&got);
        CHECK_INT(got.victim, round);
        CHECK(got.number == ledger->done[0] || got.number == ledger->done[0] + 1);
        got = make(0, 0);
        CHECK_OK(mmf_latest_send(latest, &got, sizeof(got), NULL));
    }
    mmf_latest_close(latest);
    close_ledger();
}

/*
 * Names.
 */

/* A killed creator leaves no half-made queue, and no name. */
TEST(creators_may_be_killed)
{
    int news = 0;

    for (int round = 0; round < rounds(); round++) {
        struct process *victims[VICTIMS];
        mmf_queue *queue;
        int created;

        for (int i = 0; i < VICTIMS; i++)
            victims[i] = begin("creator", 0);
        await(victims, VICTIMS);
        for (int i = 0; i < VICTIMS; i++) {
            int64_t moment = random_moment(&seed);

            while (now_us() < moment) {
                CHECK_OK(mmf_queue_create_or_open("Q", 8, SLOTS, MMF_OVERFLOW_BLOCK,
                                                  NULL, &created, &queue));
                news += created;
                mmf_queue_close(queue);
            }
            end_victim(victims[i]);
        }
        CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &queue), MMF_E_NOT_FOUND);
    }
    printf("%d queues were made anew\n", news); /* a slow machine may be too slow */
}

/* The last holder is killed while it has a message: nothing is left. */
TEST(names_go_with_the_last)
{
    for (int round = 0; round < rounds(); round++) {
        struct process *peer = peer_start();
        mmf_queue *queue = UNTOUCHED;

        peer_answers(peer, "MMF_OK new", "create 3 0 0 8 4 1");
        peer_does(peer, "send 1 0");
        peer_answers(peer, "MMF_OK 1 0", "take 0");
        peer_does(peer, "reserve 0");
        process_kill(peer);
        CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &queue), MMF_E_NOT_FOUND);
        queue = new_queue(MMF_ROLE_BOTH, 0, 100, 2, MMF_OVERFLOW_FAIL);
        CHECK_INT(stats_of(queue).message_size, 100);
        expect_none(queue);
        mmf_queue_close(queue);
    }
}
