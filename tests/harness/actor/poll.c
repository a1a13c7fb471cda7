/*
 * poll.c - the actor's calls on descriptors.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <string.h>

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
    struct handle handle = handle_of(text_at(call, 1));
    mmf_waitable *object = waitable_at(call, 1);
    int status;
#ifdef __linux__
    struct rlimit before, limit;

    if (is_channel(handle.kind))
        return fd_of_channel(&handle, fd);
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    if (option_of(call, "limit") != NULL)
        limit.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &limit);
    status = mmf_waitable_fd(object, unless_null(call, "fd", fd));
    setrlimit(RLIMIT_NOFILE, &before);
#else
    (void)handle;
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
bool
descriptor_is_readable(int fd, int timeout_ms)
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
        say_number(call, "readable",
                   descriptor_is_readable(fd, (int)number_at(call, 2)));
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
        if (!descriptor_is_readable(fd, (int)number_at(call, 2)))
            return MMF_TIMED_OUT;
        looks++;
        status = mmf_wait_one(waitable_at(call, 1), 0);
    } while (status == MMF_TIMED_OUT);
    say_number(call, "looks", looks);
    return status;
}

/*
 * Pollers.
 */

/* The name that a poller answers with for what was added. */
static char *
kept_name(const char *name)
{
    enum { MOST = 512 };
    static char names[MOST][32];

    for (int i = 0; i < MOST; i++) {
        if (names[i][0] == '\0')
            snprintf(names[i], sizeof(names[i]), "%s", name);
        if (strcmp(names[i], name) == 0)
            return names[i];
    }
    complain("too many names in pollers", name);
}

static int
call_poller(struct call *call)
{
    mmf_poller *poller = NO_HANDLE;
    int status = mmf_poller_create(unless_null(call, "out", &poller));

    keep_handle(call, POLLER, status, poller);
    return status;
}

/* poller_add POLLER OBJECT; poller_remove POLLER OBJECT */
static int
call_poller_add(struct call *call)
{
    mmf_poller *poller = object_at(call, 1);
    mmf_waitable *object = waitable_at(call, 2);

    if (strcmp(call->words[0], "poller_remove") == 0)
        return mmf_poller_remove(poller, object);
    return mmf_poller_add(poller, object,
                          object != NULL ? kept_name(text_at(call, 2)) : NULL);
}

/* poller_ready POLLER MOST */
static int
call_poller_ready(struct call *call)
{
    enum { MOST = 16 };
    void *found[MOST];
    size_t count = (size_t)UNTOUCHED;
    char text[MOST * 32] = "";
    int status = mmf_poller_ready(object_at(call, 1), unless_null(call, "data", found),
                                  size_at(call, 2), unless_null(call, "count", &count));

    for (size_t i = 0; status == MMF_OK && i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                 i > 0 ? "," : "", (const char *)found[i]);
    say_size(call, "count", count);
    if (status == MMF_OK)
        say_text(call, "ready", text);
    return status;
}

/* poller_wait POLLER MOST MS: as an event loop does, until something is ready */
static int
call_poller_wait(struct call *call)
{
    int fd, status = mmf_poller_fd(object_at(call, 1), unless_null(call, "fd", &fd));

    while (status == MMF_OK) {
        call->length = 0;
        call->answer[0] = '\0';
        if (!descriptor_is_readable(fd, (int)number_at(call, 3)))
            return MMF_TIMED_OUT;
        status = call_poller_ready(call);
        if (strstr(call->answer, " count=0") == NULL)
            break;
    }
    return status;
}
#else
bool
descriptor_is_readable(int fd, int timeout_ms)
{
    (void)fd;
    (void)timeout_ms;
    complain("there are no descriptors", "poll");
}

static int
cannot(struct call *call)
{
    (void)call;
    return CANNOT;
}

#define call_poll cannot
#define call_poll_wait cannot
#define call_poller cannot
#define call_poller_add cannot
#define call_poller_ready cannot
#define call_poller_wait cannot
#endif

const struct named_call poll_calls[] = {
    CALL(fd),           CALL(poll),        CALL(poll_wait),
    CALL(poller),       CALL(poller_add),  ALIAS(poller_remove, poller_add),
    CALL(poller_ready), CALL(poller_wait), {NULL, NULL}};
