/*
 * system.c - the actor's calls on descriptors, lists of objects, and users.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

/*
 * Descriptors.
 */

/* The object's, or with "limit=N" if no more than N may be open. */
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
    int fd = UNTOUCHED, status = fd_of(call, &fd);

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

/*
 * Lists.
 */

static const char *
status_word(mmf_object_status status)
{
    static const char *const words[] = {"none", "in_use", "orphaned", "invalid",
                                        "inaccessible"};

    return words[status];
}

static void
say_object(struct call *call, const mmf_object_info *info)
{
    const mmf_sync_info *sync = info->sync;
    char mode[16];

    snprintf(mode, sizeof(mode), "%o", (unsigned)info->mode);
    say_text(call, "kind", mmf_kind_name(info->kind));
    say_text(call, "status", status_word(info->status));
    say_text(call, "path", info->path);
    say_text(call, "file", info->file);
    say_text(call, "mode", mode);
    say_number(call, "owner", info->owner);
    say_number(call, "holders", info->holders);
    say_number(call, "capacity", info->capacity);
    say_text(call, "creator",
             info->creator_pid == 0          ? "unknown"
             : info->creator_pid == getpid() ? "self"
                                             : "other");
    if (sync == NULL)
        return;
    say_number(call, "signalled", sync->signalled);
    say_number(call, "count", sync->count);
    say_number(call, "maximum", sync->maximum);
    say_number(call, "manual", sync->manual_reset);
    say_number(call, "abandoned", sync->abandoned);
    say_number(call, "owned", sync->owned);
}

/* How many objects there are; or one of them. */
static int
call_list(struct call *call)
{
    const char *name = plain_count(call) > 1 ? text_at(call, 1) : NULL;
    const char *flags = option_of(call, "flags");
    const mmf_object_info *info = NULL;
    mmf_list *list = NULL;
    int status =
        mmf_list_create(flags != NULL ? (mmf_list_flags)atoi(flags) : 0, &list);

    if (name == NULL)
        say_number(call, "total", mmf_list_count(list));
    for (int32_t i = 0; name != NULL && i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, name) == 0)
            info = mmf_list_get(list, i);
    if (name != NULL)
        say_number(call, "listed", info != NULL);
    if (info != NULL)
        say_object(call, info);
    mmf_list_close(list);
    return status;
}

static int
call_gc(struct call *call)
{
    mmf_gc_result result = {.removed = UNTOUCHED};
    int status = mmf_gc(0, unless_null(call, "result", &result));

    if (status >= 0 && result.removed != UNTOUCHED) {
        say_number(call, "removed", result.removed);
        say_number(call, "refused", result.refused);
        say_number(call, "in_use", result.in_use);
        say_number(call, "bytes", result.bytes);
    }
    return status;
}

#ifdef __linux__
/* The process becomes another user's; root may do that. */
static int
call_user(struct call *call)
{
    unsigned user = (unsigned)number_at(call, 1);

    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return CANNOT;
    return MMF_OK;
}
#else
static int
cannot(struct call *call)
{
    (void)call;
    return CANNOT;
}

#define call_poll cannot
#define call_poll_wait cannot
#define call_user cannot
#endif

const struct named_call system_calls[] = {
    {"fd", call_fd},     {"poll", call_poll}, {"poll_wait", call_poll_wait},
    {"user", call_user}, {"list", call_list}, {"gc", call_gc},
    {NULL, NULL}};
