/*
 * poll_test.c - the descriptors of channels, which poll readable.
 */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

static int
is_readable(int fd, int timeout)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, timeout) == 1;
}

static struct process *
peer_with(mmf_role role)
{
    struct process *peer = peer_start();

    peer_does(peer, "open %u 0 0", role);
    return peer;
}

/* Receive everything: the descriptor is quiet then. */
static void
drain(mmf_queue *queue, int fd)
{
    uint64_t number;
    size_t length;

    for (int i = 0; i < 1000 && is_readable(fd, 0); i++)
        while (mmf_queue_receive(queue, &number, 8, 0, &length, NULL) == MMF_OK)
            ;
    CHECK(!is_readable(fd, 0));
}

static void
polling(uint32_t flags)
{
    mmf_queue *receiver = new_receiver(flags, 8, 8);
    struct process *peer = peer_with(MMF_ROLE_SEND);
    int fd = -1, again = -1;

    CHECK_OK(mmf_queue_fd(receiver, &fd));
    CHECK_OK(mmf_queue_fd(receiver, &again));
    CHECK_INT(again, fd);
    drain(receiver, fd);
    for (uint64_t i = 0; i < 5; i++) {
        peer_does(peer, "send %d 0", (int)i);
        CHECK(is_readable(fd, LONG_MS));
        expect_number(receiver, i);
        drain(receiver, fd);
    }
    /* One hint, several messages: it stays readable until all are there. */
    for (uint64_t i = 0; i < 3; i++)
        peer_does(peer, "send %d 0", (int)i);
    for (uint64_t i = 0; i < 3; i++) {
        CHECK(is_readable(fd, LONG_MS));
        expect_number(receiver, i);
    }
    drain(receiver, fd);
    peer_end(peer);
    mmf_queue_close(receiver);
}

static void
a_queues_descriptor_tells_of_messages(void **state)
{
    (void)state;
    for_each_kind(polling);
}

static void
a_queues_descriptor_tells_of_death(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    int fd = -1;

    (void)state;
    CHECK_OK(mmf_queue_fd(receiver, &fd));
    for (uint64_t i = 0; i < 5; i++) {
        struct process *victim = peer_with(MMF_ROLE_RECEIVE);
        mmf_message message;
        char expected[32];
        int rc;

        send_number(sender, i);
        snprintf(expected, sizeof(expected), "MMF_OK %d 0", (int)i);
        peer_answers(victim, expected, "take 0");
        drain(receiver, fd);
        kill(process_id(victim), SIGKILL);
        do {
            CHECK(is_readable(fd, LONG_MS));
            rc = mmf_queue_take(receiver, 0, &message);
        } while (rc == MMF_TIMED_OUT);
        CHECK_INT(rc, MMF_OK);
        CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
        CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
        process_kill(victim);
    }
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
expect(mmf_topic *topic, uint64_t number)
{
    uint64_t got = ~number;
    size_t length;

    CHECK_OK(mmf_topic_receive(topic, &got, 8, LONG_MS, &length, NULL));
    CHECK_INT(got, number);
}

static void
a_topics_descriptor_tells_of_messages(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_topic *publisher, *subscriber;
    mmf_message message;
    int fd, same;

    (void)state;
    CHECK_OK(mmf_topic_create_or_open("T", 8, 4, MMF_OVERFLOW_BLOCK, &options, NULL,
                                      &publisher));
    options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_topic_open_existing("T", &options, &subscriber));
    CHECK_OK(mmf_topic_fd(subscriber, &fd));
    CHECK_OK(mmf_topic_fd(subscriber, &same));
    CHECK_INT(same, fd);
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_TIMED_OUT);
        CHECK(!is_readable(fd, 0));
        CHECK_OK(mmf_topic_send(publisher, &(uint64_t){i}, 8, 0, NULL));
        CHECK_OK(mmf_topic_send(publisher, &(uint64_t){i + 1}, 8, 0, NULL));
        CHECK(is_readable(fd, LONG_MS));
        expect(subscriber, i);
        CHECK(is_readable(fd, LONG_MS));
        expect(subscriber, i + 1);
    }
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

static void
a_latest_values_descriptor_tells_of_values(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_latest *writer, *reader;
    uint64_t got, version;
    size_t length;
    int fd;

    (void)state;
    CHECK_OK(mmf_latest_create_or_open("L", 8, &options, NULL, &writer));
    options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_latest_open_existing("L", &options, &reader));
    CHECK_OK(mmf_latest_fd(reader, &fd));
    CHECK_OK(mmf_latest_receive(reader, &got, 8, &length, &version));
    for (uint64_t i = 0; i < 20; i++) {
        CHECK(!is_readable(fd, 0));
        CHECK_OK(mmf_latest_send(writer, &(uint64_t){i}, 8, NULL));
        CHECK_OK(mmf_latest_send(writer, &(uint64_t){i + 1}, 8, NULL));
        CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_latest_receive(reader, &got, 8, &length, &version));
        CHECK_INT(got, i + 1);
    }
    mmf_latest_close(writer);
    mmf_latest_close(reader);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queues_descriptor_tells_of_messages),
        cmocka_unit_test(a_queues_descriptor_tells_of_death),
        cmocka_unit_test(a_topics_descriptor_tells_of_messages),
        cmocka_unit_test(a_latest_values_descriptor_tells_of_values),
    };

    return harness_main(argc, argv, "channel.poll", tests, COUNT_OF(tests), roles);
}
