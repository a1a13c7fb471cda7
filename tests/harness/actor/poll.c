/*
 * poll.c - the actor's calls on descriptors.
 */
#include "harness/actor/actor.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#endif

/* The object's; with the option "limit" no more may be open. */
static int
fd_of(const struct call *call, int *fd)
{
    mmf_waitable *object = waitable_at(call, 1);
    int status;
#ifdef __linux__
    struct rlimit before, limit;

    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    if (option_of(call, "limit") != NULL)
        limit.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &limit);
    status = mmf_waitable_fd(object, unless_null(call, "fd", fd));
    setrlimit(RLIMIT_NOFILE, &before);
#else
    status = mmf_waitable_fd(object, unless_null(call, "fd", fd));
#endif
    return status;
}

static int
call_fd(struct call *call)
{
    int fd = UNTOUCHED, status;

    if (is_channel(handle_of(text_at(call, 1)).kind))
        return channel_fd(call);
    status = fd_of(call, &fd);
    if (status < 0) {
        say_output(call, "fd", fd);
        return status;
    }
#ifdef __linux__
    say_number(call, "cloexec", (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    say_number(call, "nonblock", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
#endif
    return status;
}

#ifdef __linux__
static bool
is_readable(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int found;

    do
        found = poll(&poller, 1, timeout_ms);
    while (found < 0 && errno == EINTR);
    if (found < 0 || (found == 1 && poller.revents != POLLIN))
        complain("a descriptor that cannot be polled", "poll");
    return found == 1;
}

static int
call_poll(struct call *call)
{
    int fd, status = fd_of(call, &fd);

    if (status >= 0)
        say_number(call, "readable", is_readable(fd, (int)number_at(call, 2)));
    return status;
}

/* As documented: poll, look, poll again, until the object is had. */
static int
call_poll_wait(struct call *call)
{
    int fd, looks = 0, status = fd_of(call, &fd);

    if (status < 0)
        return status;
    do {
        if (!is_readable(fd, (int)number_at(call, 2)))
            return MMF_TIMED_OUT;
        looks++;
        status = mmf_wait_one(waitable_at(call, 1), 0);
    } while (status == MMF_TIMED_OUT);
    say_number(call, "looks", looks);
    return status;
}
#endif

#ifndef __linux__
static int
cannot(struct call *call)
{
    (void)call;
    return CANNOT;
}

#define call_poll cannot
#define call_poll_wait cannot
#endif

const struct named_call poll_calls[] = {
    CALL(fd), CALL(poll), CALL(poll_wait), {NULL, NULL}};
