/*
 * process_test.c - queues between processes that wait, stop and die.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { SEND = MMF_ROLE_SEND, RECEIVE = MMF_ROLE_RECEIVE };

/* A survivor goes on after 50 ms; this machine may have other things to do, too. */
enum { SOON_MS = 5000 };

static struct process *
peer_with(mmf_role role, uint32_t flags, mmf_strategy strategy)
{
    struct process *peer = peer_start();

    peer_does(peer, "open %u %u %d", role, flags, strategy);
    return peer;
}

/*
 * Waiting.
 */

static void
wake_receiver(uint32_t flags)
{
    for (mmf_strategy strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++) {
        mmf_queue *sender = new_sender(flags, 8, 8);
        struct process *peer = peer_with(RECEIVE, 0, strategy);

        for (uint64_t i = 0; i < 5; i++) {
            char expected[32];

            peer_begins(peer, "receive -1");
            if (strategy != MMF_STRATEGY_SPIN)
                peer_await_sleep(peer);
            send_number(sender, i);
            snprintf(expected, sizeof(expected), "MMF_OK %d 0", (int)i);
            process_expect(peer, expected);
        }
        peer_answers(peer, "MMF_TIMED_OUT", "receive 30");
        peer_end(peer);
        mmf_queue_close(sender);
    }
}

static void
a_message_wakes_who_waits_for_it(void **state)
{
    (void)state;
    for_each_kind(wake_receiver);
}

static void
wake_sender(uint32_t flags)
{
    for (mmf_strategy strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++) {
        mmf_queue *receiver = new_receiver(flags, 8, 2);
        struct process *peer = peer_with(SEND, 0, strategy);

        peer_does(peer, "send 0 0");
        peer_does(peer, "send 1 0");
        for (uint64_t i = 0; i < 5; i++) {
            peer_begins(peer, "send %d -1", (int)i + 2);
            if (strategy != MMF_STRATEGY_SPIN)
                peer_await_sleep(peer);
            expect_number(receiver, i);
            process_expect(peer, "MMF_OK");
        }
        peer_answers(peer, "MMF_TIMED_OUT", "send 9 30");
        peer_answers(peer, "MMF_TIMED_OUT", "reserve 30");
        peer_end(peer);
        mmf_queue_close(receiver);
    }
}

static void
a_release_wakes_who_waits_for_room(void **state)
{
    (void)state;
    for_each_kind(wake_sender);
}

static void
several_sleepers_are_woken_one_by_one(void **state)
{
    enum { SLEEPERS = 4 };
    mmf_queue *sender = new_sender(0, 8, 8);
    struct process *peers[SLEEPERS];
    uint64_t sum = 0;

    (void)state;
    for (int i = 0; i < SLEEPERS; i++)
        peers[i] = peer_with(RECEIVE, 0, MMF_STRATEGY_WAIT);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < SLEEPERS; i++) {
            peer_begins(peers[i], "receive -1");
            peer_await_sleep(peers[i]);
        }
        for (uint64_t i = 0; i < SLEEPERS; i++)
            send_number(sender, i + 1);
        for (int i = 0; i < SLEEPERS; i++) {
            char line[64];

            CHECK(process_read_line(peers[i], line, sizeof(line)) != NULL);
            CHECK(strncmp(line, "MMF_OK ", 7) == 0);
            sum += (uint64_t)(line[7] - '0');
        }
    }
    CHECK_INT(sum, 10 * (1 + 2 + 3 + 4));
    for (int i = 0; i < SLEEPERS; i++)
        peer_end(peers[i]);
    mmf_queue_close(sender);
}

/*
 * Death.
 */

/* Of a queue with one slot: nothing goes while it is reserved. */
static void
dead_producer(uint32_t flags)
{
    mmf_queue *receiver = new_receiver(flags, 8, 1);
    struct process *victim = peer_with(SEND, 0, 0);
    struct process *other = NULL;
    mmf_queue *sender = NULL;

    peer_does(victim, "send 1 0");
    expect_number(receiver, 1);
    peer_does(victim, "reserve 0");
    if (flags == 0) {
        other = peer_with(SEND, 0, MMF_STRATEGY_WAIT);
        peer_answers(other, "MMF_TIMED_OUT", "send 2 50");
        peer_begins(other, "send 2 -1");
        peer_await_sleep(other);
        process_kill(victim);
        process_expect(other, "MMF_OK");
        peer_end(other);
        expect_number(receiver, 2);
        CHECK_INT(stats_of(receiver).dropped, 1);
    } else {
        process_kill(victim);
    }
    sender = open_queue(SEND, 0);
    CHECK_INT(stats_of(receiver).senders, 1);
    for (uint64_t i = 0; i < 10; i++) {
        mmf_message message;

        send_number(sender, i);
        CHECK_INT(stats_of(receiver).in_flight, 0);
        CHECK_STATUS(mmf_queue_take(receiver, 0, &message), MMF_OK);
        CHECK_BYTES(message.bytes, &i, sizeof(i));
        CHECK_INT(stats_of(receiver).in_flight, 1);
        CHECK_OK(mmf_queue_release(receiver, &message));
        CHECK_INT(stats_of(receiver).in_flight, 0);
    }
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
what_a_dead_producer_had_reserved_is_dropped(void **state)
{
    (void)state;
    for_each_kind(dead_producer);
}

static void
dead_consumer(uint32_t flags)
{
    mmf_queue *sender = new_sender(flags, 8, 4);
    struct process *victim = peer_with(RECEIVE, 0, 0);
    mmf_queue *receiver = NULL;

    for (uint64_t i = 0; i < 4; i++)
        send_number(sender, i);
    peer_answers(victim, "MMF_OK 0 0", "receive 0");
    peer_answers(victim, "MMF_OK 1 0", "take 0");
    peer_answers(victim, "MMF_OK 2 0", "take 0");
    if (flags == 0) {
        struct process *other = peer_with(RECEIVE, 0, MMF_STRATEGY_WAIT);
        int64_t begin;

        peer_answers(other, "MMF_OK 3 0", "receive 0");
        peer_answers(other, "MMF_TIMED_OUT", "receive 50");
        peer_begins(other, "receive -1");
        peer_await_sleep(other);
        process_kill(victim);
        begin = now_us();
        process_expect(other, "MMF_OK 1 1");
        CHECK(now_us() - begin < SOON_MS * 1000);
        peer_answers(other, "MMF_OK 2 1", "receive 0");
        peer_answers(other, "MMF_TIMED_OUT", "receive 0");
        peer_end(other);
        receiver = open_queue(RECEIVE, 0);
    } else {
        process_kill(victim);
        receiver = open_queue(RECEIVE, 0);
        for (uint64_t i = 1; i < 4; i++) {
            mmf_message message = take_number(receiver, i);

            CHECK_INT(message.flags, i < 3 ? MMF_MESSAGE_REDELIVERED : 0);
            CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
        }
    }
    expect_none(receiver);
    CHECK_INT(stats_of(sender).redelivered, 2);
    CHECK_INT(stats_of(sender).received, 4);
    CHECK_INT(stats_of(sender).receivers, 1);
    for (uint64_t i = 0; i < 4; i++)
        send_number(sender, i);
    for (uint64_t i = 0; i < 4; i++)
        expect_number(receiver, i);
    mmf_queue_close(receiver);
    mmf_queue_close(sender);
}

static void
what_a_dead_consumer_had_goes_to_another(void **state)
{
    (void)state;
    for_each_kind(dead_consumer);
}

/* A poll finds it too, and so does a full queue that fails or drops. */
static void
no_one_needs_to_sleep_to_learn_of_a_death(void **state)
{
    static const mmf_overflow overflows[] = {MMF_OVERFLOW_FAIL,
                                             MMF_OVERFLOW_DROP_OLDEST};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(overflows); i++) {
        mmf_queue *sender = new_queue(SEND, 0, 8, 1, overflows[i]);
        struct process *victim = peer_with(SEND, 0, 0);
        uint64_t number = 7;
        int64_t begin;
        int rc;

        peer_does(victim, "reserve 0");
        CHECK_INT(mmf_queue_send(sender, &number, 8, 0, NULL),
                  overflows[i] == MMF_OVERFLOW_FAIL ? MMF_E_FULL : MMF_TIMED_OUT);
        process_kill(victim);
        /* No participant checks for dead ones more often than once per tick. */
        begin = now_us();
        do
            rc = mmf_queue_send(sender, &number, 8, 0, NULL);
        while (rc != MMF_OK && now_us() - begin < SOON_MS * 1000);
        CHECK_STATUS(rc, MMF_OK);
        mmf_queue_close(sender);
    }
}

static void
all_at_once(uint32_t flags)
{
    mmf_queue *look = new_sender(flags, 8, 8);
    struct process *producer, *consumers[2];
    int count = flags == 0 ? 2 : 1;

    for (uint64_t i = 0; i < 6; i++)
        send_number(look, i);
    for (int i = 0; i < count; i++) {
        char expected[32];

        consumers[i] = peer_with(RECEIVE, 0, 0);
        snprintf(expected, sizeof(expected), "MMF_OK %d 0", i);
        peer_answers(consumers[i], expected, "take 0");
    }
    if (flags == MMF_CHANNEL_SPSC)
        mmf_queue_close(look); /* the consumer holds the queue */
    producer = peer_with(SEND, 0, 0);
    peer_does(producer, "reserve 0");
    for (int i = 0; i < count; i++)
        process_stop(consumers[i]);
    process_stop(producer);
    if (flags == MMF_CHANNEL_SPSC) {
        mmf_queue *fresh;
        mmf_channel_options options = options_for(SEND, 0);

        /* Stopped is alive. */
        CHECK_FAILS(mmf_queue_open_existing("Q", &options, &fresh), MMF_E_SHARING);
        process_kill(producer);
        look = open_queue(SEND, 0);
    }
    for (int i = 0; i < count; i++)
        process_kill(consumers[i]);
    if (flags == 0)
        process_kill(producer);
    {
        mmf_queue *fresh = open_queue(RECEIVE, 0);
        int seen = 0;

        for (int i = 0; i < 6; i++) {
            uint64_t number = 99;
            size_t length;

            CHECK_STATUS(mmf_queue_receive(fresh, &number, 8, LONG_MS, &length, NULL),
                         MMF_OK);
            CHECK(number < 6);
            seen |= 1 << number;
        }
        CHECK_INT(seen, 63);
        expect_none(fresh);
        for (uint64_t i = 0; i < 8; i++)
            send_number(look, i);
        for (uint64_t i = 0; i < 8; i++)
            expect_number(fresh, i);
        mmf_queue_close(fresh);
    }
    mmf_queue_close(look);
}

static void
everybody_may_die_at_once(void **state)
{
    (void)state;
    for_each_kind(all_at_once);
}

static void
the_dead_leave_their_entries(void **state)
{
    mmf_channel_options options = options_for(SEND, 0);
    mmf_queue *queue, *more;

    (void)state;
    options.max_senders = options.max_receivers = 2;
    CHECK_OK(mmf_queue_create_or_open("Q", 8, 8, MMF_OVERFLOW_BLOCK, &options, NULL,
                                      &queue));
    for (int i = 0; i < 5; i++) {
        struct process *victim = peer_start();

        peer_does(victim, "open 3 0 0");
        peer_fails(victim, MMF_E_TOO_MANY, "open 1 0 0");
        process_kill(victim);
        CHECK_INT(stats_of(queue).senders, 1);
    }
    CHECK_OK(mmf_queue_open_existing("Q", &options, &more));
    mmf_queue_close(more);
    mmf_queue_close(queue);
}

/*
 * Stopped ones.
 */

static void
a_stopped_consumer_keeps_what_it_has(void **state)
{
    static const mmf_overflow overflows[] = {MMF_OVERFLOW_BLOCK, MMF_OVERFLOW_FAIL,
                                             MMF_OVERFLOW_DROP_OLDEST};

    (void)state;
    for (size_t o = 0; o < COUNT_OF(overflows); o++) {
        mmf_queue *sender = new_queue(SEND, 0, 8, 4, overflows[o]);
        mmf_queue *receiver = open_queue(RECEIVE, 0);
        struct process *peer = peer_with(RECEIVE, 0, 0);
        uint64_t number = 7;
        int rc;

        send_number(sender, 100);
        peer_answers(peer, "MMF_OK 100 0", "take 0");
        process_stop(peer);
        for (uint64_t i = 0; i < 20; i++) {
            send_number(sender, i);
            expect_number(receiver, i);
        }
        for (uint64_t i = 0; i < 3; i++)
            send_number(sender, i);
        rc = mmf_queue_send(sender, &number, 8, 50, NULL);
        if (overflows[o] == MMF_OVERFLOW_BLOCK)
            CHECK_INT(rc, MMF_TIMED_OUT);
        else if (overflows[o] == MMF_OVERFLOW_FAIL)
            CHECK_INT(rc, MMF_E_FULL);
        else
            CHECK_INT(rc, MMF_OK);
        process_continue(peer);
        peer_does(peer, "release");
        /* The ring goes round in order: the oldest must go before the next comes. */
        expect_number(receiver, overflows[o] == MMF_OVERFLOW_DROP_OLDEST ? 1 : 0);
        CHECK_STATUS(mmf_queue_send(sender, &number, 8, 0, NULL), MMF_OK);
        peer_end(peer);
        mmf_queue_close(sender);
        mmf_queue_close(receiver);
    }
}

static void
a_stopped_producer_keeps_its_reservation(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 4);
    mmf_queue *receiver = open_queue(RECEIVE, 0);
    struct process *peer = peer_with(SEND, 0, 0);

    (void)state;
    peer_does(peer, "reserve 0");
    process_stop(peer);
    for (uint64_t i = 0; i < 50; i++) {
        send_number(sender, i);
        expect_number(receiver, i);
    }
    expect_none(receiver);
    process_continue(peer);
    peer_does(peer, "commit 77");
    expect_number(receiver, 77);
    send_number(sender, 1);
    peer_does(peer, "send 78 0");
    expect_number(receiver, 1);
    expect_number(receiver, 78);
    peer_end(peer);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/*
 * Peers that have closed or died.
 */

static void
gone(uint32_t flags)
{
    mmf_queue *receiver = new_receiver(flags | MMF_CHANNEL_PEER_CLOSED, 8, 4);
    struct process *peer = NULL;
    mmf_message message;

    /* None has come yet: that is not gone. */
    CHECK_STATUS(mmf_queue_take(receiver, 50, &message), MMF_TIMED_OUT);
    for (int death = 0; death < 2; death++) {
        peer = peer_with(SEND, 0, 0);
        CHECK_STATUS(mmf_queue_take(receiver, 50, &message), MMF_TIMED_OUT);
        peer_does(peer, "send 1 0");
        peer_does(peer, "send 2 0");
        if (death)
            process_kill(peer);
        else
            peer_end(peer);
        expect_number(receiver, 1);
        expect_number(receiver, 2);
        CHECK_FAILS(mmf_queue_take(receiver, LONG_MS, &message), MMF_E_PEER_CLOSED);
        CHECK_FAILS(mmf_queue_take(receiver, -1, &message), MMF_E_PEER_CLOSED);
    }
    mmf_queue_close(receiver);
}

static void
a_consumer_may_ask_to_be_told_of_the_last_producers_end(void **state)
{
    (void)state;
    for_each_kind(gone);
}

static void
gone_while_waiting(uint32_t flags)
{
    for (int death = 0; death < 2; death++) {
        for (mmf_strategy strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++) {
            mmf_queue *sender = new_sender(flags, 8, 4);
            struct process *peer =
                peer_with(RECEIVE, MMF_CHANNEL_PEER_CLOSED, strategy);
            struct process *producer;
            char line[256];

            send_number(sender, 5);
            peer_answers(peer, "MMF_OK 5 0", "receive 0");
            if (flags == MMF_CHANNEL_SPSC)
                mmf_queue_close(sender);
            producer = peer_with(SEND, 0, 0);
            if (flags == 0)
                mmf_queue_close(sender);
            peer_begins(peer, "receive -1");
            if (strategy != MMF_STRATEGY_SPIN)
                peer_await_sleep(peer);
            if (death)
                process_kill(producer);
            else
                peer_end(producer);
            CHECK(process_read_line(peer, line, sizeof(line)) != NULL);
            CHECK(strncmp(line, "MMF_E_PEER_CLOSED ", 16) == 0);
            peer_end(peer);
        }
    }
}

static void
a_waiting_consumer_is_told(void **state)
{
    (void)state;
    for_each_kind(gone_while_waiting);
}

static void
full_and_gone(uint32_t flags)
{
    for (int death = 0; death < 2; death++) {
        mmf_queue *sender = new_sender(flags | MMF_CHANNEL_PEER_CLOSED, 8, 2);
        struct process *peer = peer_with(RECEIVE, 0, 0);
        uint64_t number = 3;

        send_number(sender, 1);
        peer_answers(peer, "MMF_OK 1 0", "receive 0");
        send_number(sender, 1);
        send_number(sender, 2);
        CHECK_STATUS(mmf_queue_send(sender, &number, 8, 50, NULL), MMF_TIMED_OUT);
        if (death)
            process_kill(peer);
        else
            peer_end(peer);
        CHECK_FAILS(mmf_queue_send(sender, &number, 8, -1, NULL), MMF_E_PEER_CLOSED);
        /* Another one: all is well. */
        peer = peer_with(RECEIVE, 0, 0);
        CHECK_STATUS(mmf_queue_send(sender, &number, 8, 50, NULL), MMF_TIMED_OUT);
        peer_answers(peer, "MMF_OK 1 0", "receive 0");
        CHECK_STATUS(mmf_queue_send(sender, &number, 8, 0, NULL), MMF_OK);
        peer_end(peer);
        mmf_queue_close(sender);
    }
}

static void
a_producer_may_ask_to_be_told_of_the_last_consumers_end(void **state)
{
    (void)state;
    for_each_kind(full_and_gone);
}

/* A handle that sends and receives is not its own peer. */
static void
a_handle_is_not_its_own_peer(void **state)
{
    mmf_queue *queue =
        new_queue(MMF_ROLE_BOTH, MMF_CHANNEL_PEER_CLOSED, 8, 2, MMF_OVERFLOW_BLOCK);
    mmf_queue *other;
    mmf_message message;

    (void)state;
    CHECK_FAILS(mmf_queue_take(queue, -1, &message), MMF_E_PEER_CLOSED);
    other = open_queue(MMF_ROLE_SEND, 0);
    CHECK_STATUS(mmf_queue_take(queue, 10, &message), MMF_TIMED_OUT);
    mmf_queue_close(other);
    mmf_queue_close(queue);
}

/*
 * Counters.
 */

static void
stat_by_name(void **state)
{
    struct process *peer = peer_start();
    mmf_channel_stats stats;

    (void)state;
    peer_answers(peer, "MMF_OK new", "create 1 1 0 100 10 2");
    for (int i = 0; i < 7; i++)
        peer_does(peer, "send %d 0", i);
    memset(&stats, 0xff, sizeof(stats));
    CHECK_OK(mmf_channel_stat("Q", &stats));
    CHECK_INT(stats.message_size, 100);
    CHECK_INT(stats.capacity, 16);
    CHECK_INT(stats.sent, 7);
    CHECK_INT(stats.received, 0);
    CHECK_INT(stats.dropped, 0);
    CHECK_INT(stats.lost, 0);
    CHECK_INT(stats.redelivered, 0);
    CHECK_INT(stats.depth, 7);
    CHECK_INT(stats.high_water, 7);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 0);
    CHECK_INT(stats.overflow, MMF_OVERFLOW_FAIL);
    CHECK_INT(stats.flags, MMF_CHANNEL_SPSC);
    peer_answers(peer, "MMF_OK 7 0 7", "stat");
    peer_end(peer);
    CHECK_FAILS(mmf_channel_stat("Q", &stats), MMF_E_NOT_FOUND);
}

/* What the killed had counted is not lost, nor counted twice. */
static void
counters_outlive_participants(void **state)
{
    mmf_queue *queue = new_receiver(0, 8, 8);

    (void)state;
    for (uint64_t round = 1; round <= 10; round++) {
        struct process *peer = peer_with(MMF_ROLE_BOTH, 0, 0);

        peer_does(peer, "send 1 0");
        peer_does(peer, "send 2 0");
        peer_answers(peer, "MMF_OK 1 0", "receive 0");
        peer_answers(peer, "MMF_OK 2 0", "receive 0");
        if (round % 2)
            process_kill(peer);
        else
            peer_end(peer);
        CHECK_INT(stats_of(queue).sent, 2 * round);
        CHECK_INT(stats_of(queue).received, 2 * round);
    }
    mmf_queue_close(queue);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_wakes_who_waits_for_it),
        cmocka_unit_test(a_release_wakes_who_waits_for_room),
        cmocka_unit_test(several_sleepers_are_woken_one_by_one),
        cmocka_unit_test(what_a_dead_producer_had_reserved_is_dropped),
        cmocka_unit_test(what_a_dead_consumer_had_goes_to_another),
        cmocka_unit_test(no_one_needs_to_sleep_to_learn_of_a_death),
        cmocka_unit_test(everybody_may_die_at_once),
        cmocka_unit_test(the_dead_leave_their_entries),
        cmocka_unit_test(a_stopped_consumer_keeps_what_it_has),
        cmocka_unit_test(a_stopped_producer_keeps_its_reservation),
        cmocka_unit_test(a_consumer_may_ask_to_be_told_of_the_last_producers_end),
        cmocka_unit_test(a_waiting_consumer_is_told),
        cmocka_unit_test(a_producer_may_ask_to_be_told_of_the_last_consumers_end),
        cmocka_unit_test(a_handle_is_not_its_own_peer),
        cmocka_unit_test(stat_by_name),
        cmocka_unit_test(counters_outlive_participants),
    };

    return harness_main(argc, argv, "channel_process", tests, COUNT_OF(tests), roles);
}
