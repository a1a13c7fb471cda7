/*
 * poll_test.c - the descriptors of channels, which poll readable.
 */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

    int64_t deadline = now_us() + LONG_MS * INT64_C(1000);

    while (is_readable(fd, 0) && now_us() < deadline)
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
    CHECK_OK(mmf_queue_fd(receiver, &again)); /* as a loop does that asks each time */
    CHECK(!is_readable(fd, 0));
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

TEST(a_queues_descriptor_tells_of_messages)
{
    for_each_kind(polling);
}

TEST(a_queues_descriptor_tells_of_death)
{
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    int fd = -1;

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

static long
read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    long number = 0;

    if (file == NULL || fscanf(file, "%ld", &number) != 1)
        harness_skip("the system does not say how many events wait at most");
    fclose(file);
    return number;
}

/*
 * More events than the system keeps: a message comes, and then a process dies with another
 * one, of neither of which there is an event.
 */
TEST(a_queues_descriptor_tells_of_what_has_no_event)
{
    long most = read_number("/proc/sys/fs/inotify/max_queued_events");
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue *other = open_queue(MMF_ROLE_RECEIVE, 0);
    struct process *victim = peer_with(MMF_ROLE_RECEIVE);
    int seen[2] = {0, 0};
    int fd = -1, bytes = 0;

    if (most > 100000)
        harness_skip("the system keeps too many events");
    send_number(sender, 0);
    peer_answers(victim, "MMF_OK 0 0", "take 0");
    CHECK_OK(mmf_queue_fd(receiver, &fd));
    for (long i = 0; i <= most; i += 2) { /* two that are not alike are not one */
        send_number(sender, 2);
        mmf_queue_close(open_queue(MMF_ROLE_SEND, 0));
        expect_number(other, 2);
    }
    CHECK_INT(ioctl(fd, FIONREAD, &bytes), 0);
    CHECK_INT(bytes, (most + 1) * (long)sizeof(struct inotify_event));
    send_number(sender, 1);
    process_kill(victim);
    while (!seen[0] || !seen[1]) {
        uint64_t number = 7;
        size_t length;
        int rc;

        CHECK(is_readable(fd, LONG_MS));
        rc = mmf_queue_receive(receiver, &number, 8, 0, &length, NULL);
        CHECK(rc == MMF_TIMED_OUT || (rc == MMF_OK && number < 2 && !seen[number]));
        if (rc == MMF_OK)
            seen[number] = 1;
    }
    drain(receiver, fd);
    send_number(sender, 3);
    CHECK(is_readable(fd, LONG_MS));
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
    mmf_queue_close(other);
}

/* The last sender dies at any moment after the look that found nothing. */
static void
last_sender_dies(uint32_t flags)
{
    uint64_t random = 7;

    for (uint64_t i = 0; i < 10; i++) {
        mmf_queue *receiver = new_receiver(flags | MMF_CHANNEL_PEER_CLOSED, 8, 8);
        struct process *sender = peer_with(MMF_ROLE_SEND);
        uint64_t number;
        size_t length;
        int fd, rc;

        CHECK_OK(mmf_queue_fd(receiver, &fd));
        peer_does(sender, "send %d 0", (int)i);
        CHECK(is_readable(fd, LONG_MS));
        expect_number(receiver, i);
        drain(receiver, fd);
        nap_us((int64_t)(next_random(&random) % 10000));
        process_kill(sender);
        do {
            CHECK(is_readable(fd, LONG_MS));
            rc = mmf_queue_receive(receiver, &number, 8, 0, &length, NULL);
        } while (rc == MMF_TIMED_OUT);
        CHECK_STATUS(rc, MMF_E_PEER_CLOSED);
        mmf_queue_close(receiver);
    }
}

TEST(a_queues_descriptor_tells_of_the_last_senders_death)
{
    for_each_kind(last_sender_dies);
}

/* Participants come and go beside an event loop: no receive of it sleeps. */
TEST(a_receive_with_timeout_0_never_sleeps)
{
    mmf_queue *receiver = new_receiver(0, 8, 8);
    struct rusage before, after;
    uint64_t number;
    size_t length;
    int fd;

    CHECK_OK(mmf_queue_fd(receiver, &fd));
    for (int i = 0; i < 50; i++) {
        mmf_queue *other = open_queue(MMF_ROLE_BOTH, 0);

        send_number(other, 1);
        expect_number(receiver, 1);
        mmf_queue_close(other);
        CHECK(is_readable(fd, LONG_MS));
        CHECK_INT(getrusage(RUSAGE_THREAD, &before), 0);
        CHECK_STATUS(mmf_queue_receive(receiver, &number, 8, 0, &length, NULL),
                     MMF_TIMED_OUT);
        CHECK_INT(getrusage(RUSAGE_THREAD, &after), 0);
        CHECK_INT(after.ru_nvcsw, before.ru_nvcsw);
    }
    mmf_queue_close(receiver);
}

TEST(a_topics_descriptor_tells_of_messages)
{
    mmf_topic *publisher, *subscriber;
    mmf_message message;
    int fd, same;

    CHECK_OK(mmf_topic_create_or_open("T", 8, 4, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), NULL,
                                      &publisher));
    CHECK_OK(mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                     &subscriber));
    CHECK_OK(mmf_topic_fd(subscriber, &fd));
    CHECK_OK(mmf_topic_fd(subscriber, &same));
    CHECK_INT(same, fd);
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_TIMED_OUT);
        CHECK(!is_readable(fd, 0));
        send_number(publisher, i);
        CHECK_OK(mmf_topic_send(publisher, &(uint64_t){i + 1}, 8, 0, NULL));
        CHECK(is_readable(fd, LONG_MS));
        expect_number(subscriber, i);
        CHECK(is_readable(fd, LONG_MS));
        expect_number(subscriber, i + 1);
    }
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

/* In a child, which is killed with a reservation in hand. */
static void
reserve(void *unused)
{
    mmf_topic *topic;
    void *bytes;

    (void)unused;
    CHECK_OK(
        mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), &topic));
    CHECK_STATUS(mmf_topic_reserve(topic, 8, 0, &bytes), MMF_OK);
}

TEST(a_topics_descriptor_tells_of_a_dead_publisher)
{
    mmf_topic *publisher, *subscriber;

    CHECK_OK(mmf_topic_create_or_open("T", 8, 16, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), NULL,
                                      &publisher));
    CHECK_OK(mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                     &subscriber));
    for (uint64_t i = 0; i < 10; i++) {
        mmf_message message;
        int fd, rc;
        pid_t victim = fork_until_killed(reserve, NULL, NULL);

        CHECK_OK(mmf_topic_fd(subscriber, &fd));
        send_number(publisher, i); /* behind the reservation */
        CHECK(is_readable(fd, LONG_MS));
        CHECK_STATUS(mmf_topic_take(subscriber, 0, &message), MMF_TIMED_OUT);
        kill(victim, SIGKILL);
        do {
            CHECK(is_readable(fd, LONG_MS));
            rc = mmf_topic_take(subscriber, 0, &message);
        } while (rc == MMF_TIMED_OUT);
        CHECK_STATUS(rc, MMF_OK);
        CHECK_INT(*(const uint64_t *)message.bytes, i);
        CHECK_OK(mmf_topic_release(subscriber));
        CHECK_INT(waitpid(victim, NULL, 0), victim);
    }
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

TEST(a_latest_values_descriptor_tells_of_values)
{
    mmf_latest *writer, *reader;
    uint64_t got, version;
    size_t length;
    int fd;

    CHECK_OK(mmf_latest_create_or_open("L", 8, CHANNEL_OPTIONS(.role = MMF_ROLE_SEND),
                                       NULL, &writer));
    CHECK_OK(mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                      &reader));
    CHECK_OK(mmf_latest_fd(reader, &fd));
    CHECK_OK(mmf_latest_receive(reader, &got, 8, &length, &version));
    for (uint64_t i = 0; i < 20; i++) {
        CHECK(!is_readable(fd, 0));
        CHECK_OK(mmf_latest_send(writer, &(uint64_t){i}, 8, NULL));
        CHECK_OK(mmf_latest_send(writer, &(uint64_t){i + 1}, 8, NULL));
        CHECK(is_readable(fd, LONG_MS));
        expect_at_once(reader, i + 1);
    }
    mmf_latest_close(writer);
    mmf_latest_close(reader);
}
