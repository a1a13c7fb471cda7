/*
 * poll_test.c - the descriptors of channels and pollers, when there are more events than the
 * system keeps; and that a look never sleeps. The rest is in tests/scenarios/poll.scn and
 * poller.scn.
 */
#include "support.h"

#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

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

static long
most_events(void)
{
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    long most = 0;

    if (file == NULL || fscanf(file, "%ld", &most) != 1 || most > 100000)
        harness_skip("the system does not say how many events it keeps, or too many");
    fclose(file);
    return most;
}

/* In a child, which is killed with it. */
static void
take_one(void *unused)
{
    (void)unused;
    take_number(open_queue(MMF_ROLE_RECEIVE, 0), 0);
}

/*
 * More events than the system keeps: a message comes, and then a process dies with another
 * one, of neither of which there is an event.
 */
TEST(a_queues_descriptor_tells_of_what_has_no_event)
{
    long most = most_events();
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_queue *other = open_queue(MMF_ROLE_RECEIVE, 0);
    int seen[2] = {0, 0};
    int fd = -1, bytes = 0;
    pid_t victim;

    send_number(sender, 0);
    victim = fork_until_killed(take_one, NULL, NULL);
    CHECK_OK(mmf_queue_fd(receiver, &fd));
    for (long i = 0; i <= most; i += 2) { /* two that are not alike are not one */
        send_number(sender, 2);
        mmf_queue_close(open_queue(MMF_ROLE_SEND, 0));
        expect_number(other, 2);
    }
    CHECK_INT(ioctl(fd, FIONREAD, &bytes), 0);
    CHECK_INT(bytes, (most + 1) * (long)sizeof(struct inotify_event));
    send_number(sender, 1);
    fork_kill(victim);
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

/* Nothing is available: the descriptor becomes quiet. */
static void
expect_quiet(mmf_poller *poller, int fd)
{
    int64_t deadline = now_us() + LONG_MS * INT64_C(1000);
    void *found[4];
    size_t count;

    while (is_readable(fd, 10) && now_us() < deadline) {
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
        CHECK_INT(count, 0);
    }
    CHECK(now_us() < deadline);
}

TEST(what_the_system_has_dropped_is_found)
{
    mmf_event *last, *busy[2];
    mmf_poller *poller;
    int fd, is_found = 0;

    CHECK_OK(mmf_poller_create(&poller));
    CHECK_OK(mmf_poller_fd(poller, &fd));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mmf_event_create_new(i == 0 ? "First" : "Second", 0,
                                      MMF_EVENT_AUTO_RESET, NULL, &busy[i]));
        CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(busy[i]), busy[i]));
    }
    CHECK_OK(mmf_event_create_new("Last", 0, MMF_EVENT_AUTO_RESET, NULL, &last));
    CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(last), last));
    expect_quiet(poller, fd);
    for (long i = most_events() + 1; i >= 0; i--) { /* equal ones in a row are one */
        CHECK_OK(mmf_event_set(busy[i % 2]));
        CHECK_STATUS(mmf_event_wait(busy[i % 2], 0), MMF_OK);
    }
    CHECK_OK(mmf_event_set(last));
    while (!is_found) {
        void *found[4];
        size_t count;

        CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
        is_found = count > 0 && found[0] == last;
    }
    CHECK_STATUS(mmf_event_wait(last, 0), MMF_OK);
    expect_quiet(poller, fd);
    mmf_poller_close(poller);
    mmf_event_close(last);
    for (int i = 0; i < 2; i++)
        mmf_event_close(busy[i]);
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
