/*
 * busy_fault.c - other processes that notify all the time: what is read of them comes to an
 * end all the same, and the rest is there for the next call.
 */
#include "round.h"

#include <poll.h>

enum { CALLS = 3 };

TEST(a_poller_answers)
{
    mmf_poller *poller;
    mmf_event *event;
    int fd;

    CHECK_OK(mmf_event_create_new("Cat", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_poller_create(&poller));
    CHECK_OK(mmf_poller_fd(poller, &fd));
    CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(event), event));
    CHECK_OK(mmf_event_set(event));
    fault_set_host(HOST_BUSY);
    for (int i = 0; i < CALLS; i++) {
        void *found = NULL;
        size_t count = 0;

        CHECK(is_readable(fd, 0));
        CHECK_OK(mmf_poller_ready(poller, &found, 1, &count));
        CHECK_INT(count, 1);
        CHECK(found == event);
    }
    fault_set_host(0);
    mmf_poller_close(poller);
    mmf_event_close(event);
}

TEST(a_receiver_answers)
{
    mmf_queue *queue;
    size_t length;
    char byte;
    int fd;

    CHECK_OK(mmf_queue_create_new("Jobs", 1, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_fd(queue, &fd));
    fault_set_host(HOST_BUSY);
    for (int i = 0; i < CALLS; i++) {
        CHECK(is_readable(fd, 0));
        CHECK_STATUS(mmf_queue_receive(queue, &byte, 1, 0, &length, NULL),
                     MMF_TIMED_OUT);
        CHECK_STATUS(mmf_queue_send(queue, "1", 1, 0, NULL), MMF_OK);
        CHECK_STATUS(mmf_queue_receive(queue, &byte, 1, 0, &length, NULL), MMF_OK);
    }
    fault_set_host(0);
    mmf_queue_close(queue);
}
