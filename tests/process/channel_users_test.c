/*
 * channel_users_test.c - a poller of a user who may not write to what it is to watch. What
 * else users of a channel may is in tests/scenarios/user.scn. Run as root: the other user is
 * a child that has become 65534.
 */
#include "children.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 65534, SOON_MS = 10000 };

/* The test's directory as /dev/shm is: every user may create in it, and only that. */
static int
share_directory(void **state)
{
    (void)state;
    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    return chmod(harness_dir(), 01777);
}

/* What was open before stays open; only a watch, and its notification, ask again. */
static void
poll_without_permission(struct child *self, void *argument)
{
    mmf_message message;
    mmf_poller *poller;
    mmf_queue *queue;
    mmf_event *event;
    size_t length;
    char byte = 0;

    (void)argument;
    become_user(STRANGER);
    CHECK_OK(mmf_queue_open_existing("Global\\Jobs", NULL, &queue));
    CHECK_OK(mmf_event_open_existing("Global\\Stop", NULL, &event));
    CHECK_OK(mmf_poller_create(&poller));
    child_send(self, 'o');
    child_expect(self, 'g');
    CHECK_FAILS(mmf_poller_add(poller, mmf_queue_waitable(queue), queue), MMF_E_ACCESS);
    check_says("which notifies its pollers");
    check_says("Jobs");
    CHECK_FAILS(mmf_poller_add(poller, mmf_event_waitable(event), event), MMF_E_IO);
    check_says("the file's mode has changed");
    check_says("Stop");
    CHECK_FAILS(mmf_poller_remove(poller, mmf_queue_waitable(queue)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(poller, mmf_event_waitable(event)), MMF_E_NOT_FOUND);
    CHECK_STATUS(mmf_queue_receive(queue, &byte, 1, SOON_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(byte, '1');
    CHECK_STATUS(mmf_event_wait(event, SOON_MS), MMF_OK);
    mmf_poller_close(poller);
    mmf_queue_close(queue);
    mmf_event_close(event);
}

TEST_WITH(a_poller_says_which_file_it_may_not_watch, share_directory)
{
    struct child stranger;
    char path[512];
    mmf_queue *queue;
    mmf_event *event;

    CHECK_OK(mmf_queue_create_new("Global\\Jobs", 1, 4, MMF_OVERFLOW_BLOCK,
                                  CHANNEL_OPTIONS(.mode = 0666), &queue));
    CHECK_OK(mmf_event_create_new("Global\\Stop", 1, MMF_EVENT_AUTO_RESET,
                                  SYNC_OPTIONS(.mode = 0666), &event));
    CHECK_STATUS(mmf_queue_send(queue, "1", 1, SOON_MS, NULL), MMF_OK);
    child_start(&stranger, poll_without_permission, NULL);
    child_expect(&stranger, 'o');
    snprintf(path, sizeof(path), "%s/mmf.Jobs", harness_dir());
    CHECK(chmod(path, 0600) == 0);
    snprintf(path, sizeof(path), "%s/mmf.Stop", harness_dir());
    CHECK(chmod(path, 0600) == 0);
    child_send(&stranger, 'g');
    child_finish(&stranger);
    mmf_queue_close(queue);
    mmf_event_close(event);
}
