/*
 * poller.c - one epoll set: an inotify instance for all files, the counters of unnamed
 * objects, and a timer that makes it readable once more.
 *
 * A counter is never read: it is in the set by its edges, so that each poller, and the
 * counter's own users, see every signal.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/poll_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

struct mmf_os_poller {
    int set;
    int inotify; /* a watch's key is its number */
    int timer;
    size_t filled, read; /* of the events that inotify gave */
    _Alignas(struct inotify_event) char events[1024];
};

/* What the set answers for the two; a counter's key is its descriptor, below 0. */
#define OF_INOTIFY ((uint64_t)1 << 32)
#define OF_TIMER ((uint64_t)2 << 32)

void
mmf_os_poller_close(struct mmf_os_poller *poller)
{
    if (poller->set >= 0)
        mmf_sys_close(poller->set);
    if (poller->inotify >= 0)
        mmf_sys_close(poller->inotify);
    if (poller->timer >= 0)
        mmf_sys_close(poller->timer);
    free(poller);
}

static int
open_all(struct mmf_os_poller *poller)
{
    poller->inotify = mmf_poll_fd_open_inotify();
    if (poller->inotify < 0)
        return poller->inotify;
    poller->timer = mmf_sys_timer();
    poller->set = mmf_sys_epoll_create();
    if (poller->timer < 0 || poller->set < 0 ||
        mmf_sys_epoll_add(poller->set, poller->inotify, EPOLLIN, OF_INOTIFY) < 0 ||
        mmf_sys_epoll_add(poller->set, poller->timer, EPOLLIN, OF_TIMER) < 0)
        return mmf_error_fail("make a poller");
    return MMF_OK;
}

int
mmf_os_poller_create(struct mmf_os_poller **out)
{
    struct mmf_os_poller *poller = calloc(1, sizeof(*poller));
    int rc;

    if (poller == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a poller");
    poller->set = poller->timer = -1;
    rc = open_all(poller);
    if (rc < 0) {
        mmf_error before;

        mmf_last_error(&before);
        mmf_os_poller_close(poller);
        return mmf_fail_settle(rc, &before);
    }
    *out = poller;
    return MMF_OK;
}

int
mmf_os_poller_fd(const struct mmf_os_poller *poller)
{
    return poller->set;
}

static int
add_counter(struct mmf_os_poller *poller, int counter, int *key)
{
    /* Another handle's: the set has it. */
    if (mmf_sys_epoll_add(poller->set, counter, EPOLLIN | EPOLLET, (uint64_t)counter) <
            0 &&
        errno != EEXIST)
        return mmf_error_fail("add an object to a poller");
    *key = -counter;
    return MMF_OK;
}

int
mmf_os_poller_add(struct mmf_os_poller *poller, const struct mmf_os_watch *watch,
                  int *key)
{
    int number;

    if (watch->counter >= 0)
        return add_counter(poller, watch->counter, key);
    number = mmf_poll_fd_watch(poller->inotify, watch->file, watch->path);
    if (number < 0)
        return number;
    *key = number;
    return MMF_OK;
}

void
mmf_os_poller_remove(struct mmf_os_poller *poller, int key)
{
    MMF_ASSERT(key != 0);
    if (key < 0)
        mmf_sys_epoll_remove(poller->set, -key);
    else
        mmf_sys_inotify_unwatch(poller->inotify, key);
}

/* An event of a watch; false: the buffer is empty. */
static bool
next_of_file(struct mmf_os_poller *poller, int *key, bool *may_be_dead)
{
    const struct inotify_event *event = (const void *)(poller->events + poller->read);

    if (poller->read >= poller->filled)
        return false;
    poller->read += sizeof(*event) + event->len;
    *key = event->mask & IN_Q_OVERFLOW ? 0 : event->wd;
    *may_be_dead = (event->mask & (IN_CLOSE_WRITE | IN_Q_OVERFLOW)) != 0;
    return true;
}

bool
mmf_os_poller_next(struct mmf_os_poller *poller, int *key, bool *may_be_dead)
{
    uint64_t which;

    while (!next_of_file(poller, key, may_be_dead)) {
        ssize_t count;

        if (!mmf_sys_epoll_next(poller->set, &which))
            return false;
        if (which == OF_TIMER) {
            if (mmf_sys_timer_set(poller->timer, 0) < 0)
                return false; /* it stays readable */
            continue;
        }
        if (which != OF_INOTIFY) {
            *key = -(int)which;
            *may_be_dead = false;
            return true;
        }
        count = mmf_sys_read(poller->inotify, poller->events, sizeof(poller->events));
        if (count <= 0)
            return false;
        poller->filled = (size_t)count;
        poller->read = 0;
    }
    return true;
}

int
mmf_os_poller_again(struct mmf_os_poller *poller, int64_t at)
{
    if (mmf_sys_timer_set(poller->timer, at > 0 ? at : 1) < 0)
        return mmf_error_fail("set the timer of a poller");
    return MMF_OK;
}
