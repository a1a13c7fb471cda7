/*
 * stopped_test.c - participants that SIGSTOP holds, under every overflow: they are
 * alive, keep what they have taken or reserved and nothing else, and go on where they stood.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { SEND = MMF_ROLE_SEND, RECEIVE = MMF_ROLE_RECEIVE, SLOTS = 8 };

/* A sleeper that is not woken checks again after 20 ms; the machine may be busy. */
enum { SOON_MS = 60000 };

static const mmf_overflow overflows[] = {MMF_OVERFLOW_BLOCK, MMF_OVERFLOW_FAIL,
                                         MMF_OVERFLOW_DROP_OLDEST};

static void
for_each_overflow(void (*run)(mmf_overflow overflow))
{
    for (size_t i = 0; i < COUNT_OF(overflows); i++) {
        CHECK_CONTEXT("overflow %d", overflows[i]);
        run(overflows[i]);
    }
}

/* What a send returns that finds no free slot. */
static int
answer_when_full(mmf_overflow overflow)
{
    return overflow == MMF_OVERFLOW_FAIL ? MMF_E_FULL : MMF_TIMED_OUT;
}

static struct process *
queue_peer(mmf_role role)
{
    struct process *peer = peer_start();

    peer_does(peer, "open %u 0 %d", role, MMF_STRATEGY_WAIT);
    return peer;
}

/*
 * Queues.
 */

static void
stopped_producer(mmf_overflow overflow)
{
    mmf_queue *sender = new_queue(SEND, 0, 8, SLOTS, overflow);
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    struct process *peer = queue_peer(SEND);
    uint64_t number = 99;

    peer_does(peer, "reserve 0");
    process_stop(peer);
    /* Lap after lap without its slot, which stops no sender. */
    for (uint64_t i = 0; i < 5 * SLOTS; i++) {
        send_number(sender, i);
        expect_number(receiver, i);
    }
    for (uint64_t i = 0; i < SLOTS - 1; i++)
        send_number(sender, i);
    CHECK_INT(mmf_queue_send(sender, &number, 8, 50, NULL),
              overflow == MMF_OVERFLOW_DROP_OLDEST ? MMF_OK
                                                   : answer_when_full(overflow));
    process_continue(peer);
    peer_does(peer, "commit 77");
    /* The message that waits longest first: the one that was reserved before all. */
    expect_number(receiver, 77);
    for (uint64_t i = overflow == MMF_OVERFLOW_DROP_OLDEST ? 1 : 0; i < SLOTS - 1; i++)
        expect_number(receiver, i);
    if (overflow == MMF_OVERFLOW_DROP_OLDEST)
        expect_number(receiver, 99);
    expect_none(receiver);
    peer_end(peer);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
a_stopped_producer_keeps_one_slot(void **state)
{
    (void)state;
    for_each_overflow(stopped_producer);
}

/* All other participants are stopped; nothing is taken from them. */
static void
stopped_with_all(mmf_overflow overflow)
{
    mmf_queue *sender = new_queue(SEND, 0, 8, SLOTS, overflow);
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    struct process *peers[SLOTS];
    uint64_t number = 99;

    for (int i = 0; i < SLOTS; i++) {
        peers[i] = queue_peer(SEND);
        peer_does(peers[i], "reserve 0");
        process_stop(peers[i]);
    }
    CHECK_INT(mmf_queue_send(sender, &number, 8, 50, NULL), answer_when_full(overflow));
    expect_none(receiver);
    CHECK_INT(stats_of(receiver).senders, SLOTS + 1);
    for (int i = SLOTS - 1; i >= 0; i--) {
        process_continue(peers[i]);
        peer_does(peers[i], "commit %d", i);
    }
    for (uint64_t i = 0; i < SLOTS; i++)
        expect_number(receiver, i);
    CHECK_STATUS(mmf_queue_send(sender, &number, 8, 0, NULL), MMF_OK);
    expect_number(receiver, number);
    for (int i = 0; i < SLOTS; i++)
        peer_end(peers[i]);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
stopped_producers_may_have_all_slots(void **state)
{
    (void)state;
    for_each_overflow(stopped_with_all);
}

/* A wake-up may go to a stopped process, which does nothing with it. */
static void
a_stopped_sleeper_keeps_no_message_from_others(void **state)
{
    mmf_queue *sender = new_sender(0, 8, SLOTS);
    struct process *stopped = queue_peer(RECEIVE), *other = queue_peer(RECEIVE);
    char expected[32];

    (void)state;
    peer_begins(stopped, "receive -1");
    peer_await_sleep(stopped);
    process_stop(stopped);
    for (uint64_t i = 0; i < 20; i++) {
        int64_t begin;

        peer_begins(other, "receive -1");
        peer_await_sleep(other);
        begin = now_us();
        send_number(sender, i);
        snprintf(expected, sizeof(expected), "MMF_OK %d 0", (int)i);
        process_expect(other, expected);
        CHECK(now_us() - begin < SOON_MS * 1000);
    }
    process_continue(stopped);
    send_number(sender, 20);
    process_expect(stopped, "MMF_OK 20 0");
    peer_end(stopped);
    peer_end(other);
    mmf_queue_close(sender);
}

static void
a_stopped_sleeper_keeps_no_slot_from_others(void **state)
{
    mmf_queue *receiver = new_receiver(0, 8, 2);
    struct process *stopped = queue_peer(SEND), *other = queue_peer(SEND);

    (void)state;
    peer_does(other, "send 0 0");
    peer_does(other, "send 1 0");
    peer_begins(stopped, "send 77 -1");
    peer_await_sleep(stopped);
    process_stop(stopped);
    for (uint64_t i = 2; i < 20; i++) {
        int64_t begin;

        peer_begins(other, "send %d -1", (int)i);
        peer_await_sleep(other);
        begin = now_us();
        expect_number(receiver, i - 2);
        process_expect(other, "MMF_OK");
        CHECK(now_us() - begin < SOON_MS * 1000);
    }
    process_continue(stopped);
    expect_number(receiver, 18);
    process_expect(stopped, "MMF_OK");
    expect_number(receiver, 19);
    expect_number(receiver, 77);
    peer_end(stopped);
    peer_end(other);
    mmf_queue_close(receiver);
}

/* Stopped is alive: its place is taken, and what it has stays its own. */
static void
stopped_single(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_queue *ours = new_queue(role == SEND ? RECEIVE : SEND, MMF_CHANNEL_SPSC, 8, 2,
                                MMF_OVERFLOW_BLOCK);
    struct process *peer = queue_peer(role);
    mmf_channel_stats stats;
    mmf_queue *taken;

    if (role == RECEIVE)
        send_number(ours, 5);
    peer_answers(peer, role == SEND ? "MMF_OK" : "MMF_OK 5 0",
                 role == SEND ? "reserve 0" : "take 0");
    process_stop(peer);
    CHECK_FAILS(mmf_queue_open_existing("Q", &options, &taken), MMF_E_SHARING);
    stats = stats_of(ours);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    if (role == SEND) {
        expect_none(ours);
    } else {
        uint64_t number = 7;

        send_number(ours, 6);
        CHECK_STATUS(mmf_queue_send(ours, &number, 8, 50, NULL), MMF_TIMED_OUT);
    }
    process_continue(peer);
    peer_does(peer, role == SEND ? "commit 5" : "release");
    if (role == SEND)
        expect_number(ours, 5);
    else
        send_number(ours, 7);
    peer_end(peer);
    mmf_queue_close(ours);
}

static void
a_stopped_single_one_keeps_its_entry(void **state)
{
    (void)state;
    stopped_single(SEND);
    stopped_single(RECEIVE);
}

/*
 * Topics.
 */

static mmf_topic *
new_topic(mmf_role role, mmf_overflow overflow)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    CHECK_OK(
        mmf_topic_create_or_open("T", 300, SLOTS, overflow, &options, NULL, &topic));
    return topic;
}

static mmf_topic *
join_topic(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("T", &options, &topic));
    return topic;
}

static int
publish(mmf_topic *topic, uint64_t number, int32_t timeout_ms)
{
    return mmf_topic_send(topic, &number, 8, timeout_ms, NULL);
}

/* The next one; how many were lost before it. */
static uint64_t
receive(mmf_topic *topic, uint64_t *lost)
{
    mmf_message message;
    uint64_t number;
    size_t length;

    CHECK_STATUS(mmf_topic_receive(topic, &number, 8, LONG_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(length, 8);
    *lost = message.lost;
    return number;
}

static void
expect_on_topic(mmf_topic *topic, uint64_t number)
{
    uint64_t lost;

    CHECK_INT(receive(topic, &lost), number);
    CHECK_INT(lost, 0);
}

/* A subscriber that is stopped in its sleep. It says a message's number and its loss. */
static struct process *
stopped_subscriber(void)
{
    struct process *peer = peer_start();

    peer_does(peer, "topic open %u", RECEIVE);
    peer_begins(peer, "topic receive -1");
    peer_await_sleep(peer);
    process_stop(peer);
    return peer;
}

static void
a_stopped_subscriber(mmf_overflow overflow)
{
    mmf_topic *publisher = new_topic(SEND, overflow);
    struct process *peer = stopped_subscriber();
    uint64_t sent = 0, number, lost;
    char line[64];

    while (sent < SLOTS)
        CHECK_STATUS(publish(publisher, sent++, 0), MMF_OK);
    if (overflow == MMF_OVERFLOW_DROP_OLDEST)
        while (sent < 5 * SLOTS)
            CHECK_STATUS(publish(publisher, sent++, 0), MMF_OK);
    else
        CHECK_INT(publish(publisher, sent, 50), answer_when_full(overflow));
    process_continue(peer);
    CHECK(process_read_line(peer, line, sizeof(line)) != NULL);
    CHECK_INT(sscanf(line, "MMF_OK %*u %lu", &lost), 1);
    number = lost; /* its first message: all before it are lost */
    if (overflow == MMF_OVERFLOW_DROP_OLDEST) {
        CHECK(lost >= 4 * SLOTS && lost < sent);
    } else {
        CHECK_INT(lost, 0);
        CHECK_STATUS(publish(publisher, sent++, LONG_MS), MMF_OK);
    }
    /* The rest comes one after the other. */
    for (number++; number < sent; number++) {
        process_send(peer, "topic receive 0");
        CHECK(process_read_line(peer, line, sizeof(line)) != NULL);
        CHECK_INT(sscanf(line, "MMF_OK %*u %lu", &lost), 1);
        CHECK_INT(lost, 0);
    }
    peer_answers(peer, "MMF_TIMED_OUT", "topic receive 0");
    peer_end(peer);
    mmf_topic_close(publisher);
}

static void
a_stopped_subscriber_holds_those_who_wait_for_it(void **state)
{
    (void)state;
    for_each_overflow(a_stopped_subscriber);
}

/*
 * There is one order, so an uncommitted reservation blocks others: publishers
 * that wait or fail for good, of others until they are most of a lap ahead.
 */
static void
a_stopped_publisher(mmf_overflow overflow)
{
    mmf_topic *publisher = new_topic(SEND, overflow);
    mmf_topic *subscriber = join_topic(RECEIVE);
    struct process *peer = peer_start();
    uint64_t number = 1, got, lost;
    size_t length;

    peer_does(peer, "topic open %u", SEND);
    peer_does(peer, "topic reserve");
    process_stop(peer);
    CHECK_STATUS(publish(publisher, number++, 0), MMF_OK);
    CHECK_STATUS(mmf_topic_receive(subscriber, &got, 8, 50, &length, NULL),
                 MMF_TIMED_OUT);
    while (number < SLOTS)
        CHECK_STATUS(publish(publisher, number++, 0), MMF_OK);
    if (overflow == MMF_OVERFLOW_DROP_OLDEST) {
        CHECK_INT(receive(subscriber, &lost), 1);
        CHECK_INT(lost, 1);
    } else {
        CHECK_INT(publish(publisher, number, 50), answer_when_full(overflow));
    }
    process_continue(peer);
    peer_does(peer, "topic commit 77");
    if (overflow != MMF_OVERFLOW_DROP_OLDEST) {
        expect_on_topic(subscriber, 77);
        expect_on_topic(subscriber, 1);
    }
    for (uint64_t i = 2; i < number; i++)
        expect_on_topic(subscriber, i);
    for (uint64_t i = 0; i < 3 * SLOTS; i++) {
        CHECK_STATUS(publish(publisher, i, LONG_MS), MMF_OK);
        expect_on_topic(subscriber, i);
    }
    peer_end(peer);
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

static void
a_stopped_publisher_stands_in_the_way(void **state)
{
    (void)state;
    for_each_overflow(a_stopped_publisher);
}

/*
 * Latest values: no participant waits for another.
 */

static void
a_stopped_writer_and_a_stopped_reader_hold_no_one(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    struct process *writer = peer_start(), *reader = peer_start();
    mmf_latest *latest;
    uint64_t version = 0;

    (void)state;
    CHECK_OK(mmf_latest_create_or_open("L", 300, &options, NULL, &latest));
    peer_does(writer, "latest open %u", SEND);
    peer_does(writer, "latest reserve");
    process_stop(writer);
    peer_does(reader, "latest open %u", RECEIVE);
    peer_begins(reader, "latest receive 0 -1");
    peer_await_sleep(reader);
    process_stop(reader);
    for (uint64_t i = 0; i < 50; i++) {
        uint64_t got, before = version;
        size_t length;

        CHECK_OK(mmf_latest_send(latest, &i, 8, NULL));
        CHECK_STATUS(mmf_latest_wait(latest, before, 0), MMF_OK);
        CHECK_OK(mmf_latest_receive(latest, &got, 8, &length, &version));
        CHECK_INT(got, i);
        CHECK(version > before);
    }
    process_continue(reader);
    {
        char line[64];
        uint64_t seen;

        /* It was asleep, and sees the newest now. */
        CHECK(process_read_line(reader, line, sizeof(line)) != NULL);
        CHECK_INT(sscanf(line, "MMF_OK %*u %lu", &seen), 1);
        CHECK_INT(seen, version);
    }
    process_continue(writer);
    peer_end(writer);
    peer_end(reader);
    mmf_latest_close(latest);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_producer_keeps_one_slot),
        cmocka_unit_test(stopped_producers_may_have_all_slots),
        cmocka_unit_test(a_stopped_sleeper_keeps_no_message_from_others),
        cmocka_unit_test(a_stopped_sleeper_keeps_no_slot_from_others),
        cmocka_unit_test(a_stopped_single_one_keeps_its_entry),
        cmocka_unit_test(a_stopped_subscriber_holds_those_who_wait_for_it),
        cmocka_unit_test(a_stopped_publisher_stands_in_the_way),
        cmocka_unit_test(a_stopped_writer_and_a_stopped_reader_hold_no_one),
    };
    const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};

    return harness_main(argc, argv, "channel.stopped", tests, COUNT_OF(tests), roles);
}
