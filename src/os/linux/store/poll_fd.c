/*
 * poll_fd.c - see poll_fd.h.
 */
#include "os/linux/store/poll_fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

/* One errno for two limits. A descriptor that is still available says which. */
static int
fail_instance(void)
{
    int system_error = errno;
    int other = system_error == EMFILE ? mmf_sys_eventfd() : -1;

    if (other < 0) {
        errno = system_error;
        return mmf_error_fail("make an inotify instance");
    }
    mmf_sys_close(other);
    return mmf_fail_system(
        MMF_E_IO, system_error,
        "make an inotify instance: this user has as many as allowed: "
        "raise the sysctl fs.inotify.max_user_instances");
}

/* So often one call reads a watch's events. */
enum { MOST_READS = 1000 };

enum { WATCHED = IN_ATTRIB | IN_CLOSE_WRITE };

/* There is no /proc: whether the path still leads to the file. Sets errno if not. */
static bool
is_path_of(int file, const char *path)
{
    struct stat mine;
    struct stat named;

    if (mmf_sys_fstat(file, &mine) < 0 || mmf_sys_lstat(path, &named) < 0)
        return false;
    errno = ENOENT;
    return mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

int
mmf_poll_fd_open_inotify(void)
{
    int fd = mmf_sys_inotify_init();

    return fd < 0 ? fail_instance() : fd;
}

int
mmf_poll_fd_watch(int inotify, int file, const char *path)
{
    char self[64];
    int watch;

    MMF_ASSERT(inotify >= 0 && file >= 0 && path != NULL);
    /* By what is open: the path may lead elsewhere, or nowhere, by now. */
    snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
    watch = mmf_sys_inotify_watch(inotify, self, WATCHED);
    if (watch < 0 && errno == ENOENT && is_path_of(file, path))
        watch = mmf_sys_inotify_watch(inotify, path, WATCHED);
    if (watch >= 0)
        return watch;
    if (errno == ENOENT || errno == EACCES)
        return mmf_fail_system(
            MMF_E_IO, errno,
            "watch %s: this process cannot reach the file any more, since its user, "
            "its "
            "root or the file's mode has changed; watch it before that",
            path);
    if (errno == ENOSPC)
        return mmf_fail_system(
            MMF_E_NO_SPACE, errno,
            "watch %s: this user has as many watches as allowed: raise the sysctl "
            "fs.inotify.max_user_watches",
            path);
    return mmf_error_fail("watch %s", path);
}

static int
open_watch(int file, const char *path)
{
    int fd = mmf_poll_fd_open_inotify();
    int rc;

    if (fd < 0)
        return fd;
    rc = mmf_poll_fd_watch(fd, file, path);
    if (rc < 0)
        mmf_sys_close(fd);
    return rc < 0 ? rc : fd;
}

static int
open_counter(void)
{
    int fd = mmf_sys_eventfd();

    return fd < 0 ? mmf_error_fail("make an event descriptor") : fd;
}

/* `path` NULL: a counter. Two threads may ask at once. */
static int
make(struct mmf_poll_fd *poll, int file, const char *path)
{
    int fd;

    mmf_process_lock();
    fd = mmf_poll_fd_get(poll);
    if (fd < 0) {
        fd = path == NULL ? open_counter() : open_watch(file, path);
        if (fd >= 0)
            mmf_store_release_u32(&poll->fd_plus_one, (uint32_t)fd + 1);
    }
    mmf_process_unlock();
    return fd < 0 ? fd : MMF_OK;
}

int
mmf_poll_fd_make_watch(struct mmf_poll_fd *poll, int file, const char *path)
{
    MMF_ASSERT(file >= 0 && path != NULL);
    return make(poll, file, path);
}

int
mmf_poll_fd_make_counter(struct mmf_poll_fd *poll)
{
    return make(poll, -1, NULL);
}

void
mmf_poll_fd_close(struct mmf_poll_fd *poll)
{
    int fd = mmf_poll_fd_get(poll);

    if (fd < 0)
        return;
    mmf_store_release_u32(&poll->fd_plus_one, 0);
    mmf_sys_close(fd);
}

int
mmf_poll_fd_notify_watches(int fd)
{
    struct stat status;

    MMF_ASSERT(fd >= 0);
    if (mmf_sys_set_times(fd) == 0)
        return 0;
    /* A filter that refuses that may let the file's owner set the mode, to what it is. */
    return mmf_sys_fstat(fd, &status) < 0 ? -1
                                          : mmf_sys_fchmod(fd, status.st_mode & 07777);
}

void
mmf_poll_fd_notify_counter(const struct mmf_poll_fd *poll)
{
    uint64_t one = 1;
    int fd = mmf_poll_fd_get(poll);

    if (fd >= 0 && mmf_sys_write(fd, &one, sizeof(one)) < 0)
        return; /* the counter is full: readable anyway */
}

bool
mmf_poll_fd_consume_watch(const struct mmf_poll_fd *poll)
{
    _Alignas(struct inotify_event) char events[512];
    int fd = mmf_poll_fd_get(poll);
    bool closed = false;
    ssize_t count = 1;

    MMF_ASSERT(fd >= 0);
    /* Others may go on all the time; what is left keeps it readable. */
    for (int rounds = MOST_READS; count > 0 && rounds > 0; rounds--) {
        count = mmf_sys_read(fd, events, sizeof(events));
        for (ssize_t at = 0; at < count;) {
            const struct inotify_event *event = (const void *)(events + at);

            if (event->mask & (IN_CLOSE_WRITE | IN_Q_OVERFLOW))
                closed = true;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return closed;
}

void
mmf_poll_fd_consume_counter(const struct mmf_poll_fd *poll)
{
    uint64_t ignored;
    int fd = mmf_poll_fd_get(poll);

    MMF_ASSERT(fd >= 0);
    if (mmf_sys_read(fd, &ignored, sizeof(ignored)) < 0)
        return; /* it was not readable */
}
