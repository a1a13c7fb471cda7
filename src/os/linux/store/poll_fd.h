/*
 * poll_fd.h - a descriptor that polls readable when an object may have changed.
 *
 * For a named object it is an inotify watch on its file, whose times its users change
 * with every step that wakes pollers; for an unnamed one it is a counter (eventfd). A
 * kill closes the descriptors of its victim, which the watch shows too: so the death of
 * an owner or a participant makes it readable as well.
 *
 * It is made when it is first asked for, by any thread, and stays until it is closed.
 */
#ifndef MMF_OS_LINUX_STORE_POLL_FD_H
#define MMF_OS_LINUX_STORE_POLL_FD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

/* All zero: not made yet. */
struct mmf_poll_fd {
    mmf_atomic_u32 fd_plus_one;
};

/* The descriptor; -1: not made yet. */
static inline int
mmf_poll_fd_get(const struct mmf_poll_fd *poll)
{
    return (int)mmf_load_acquire_u32(&poll->fd_plus_one) - 1;
}

/* Make it, if it is not made yet: a watch on the open `file`, which had `path`, or a
 * counter. */
int mmf_poll_fd_make_watch(struct mmf_poll_fd *poll, int file, const char *path);
int mmf_poll_fd_make_counter(struct mmf_poll_fd *poll);

/* Its parts, for several files: an instance, and the number of a watch in it. A status. */
int mmf_poll_fd_open_inotify(void);
int mmf_poll_fd_watch(int inotify, int file, const char *path);

/* Close it, if it was made. */
void mmf_poll_fd_close(struct mmf_poll_fd *poll);

/* Make all watches on a file readable; `fd` is open on it. 0, or -1 with errno. */
int mmf_poll_fd_notify_watches(int fd);

/* Make a counter readable, if it was made. */
void mmf_poll_fd_notify_counter(const struct mmf_poll_fd *poll);

/*
 * Use up what made a watch readable so far. True if a descriptor of the file was closed
 * that may have been written through: a process may have died just now.
 */
bool mmf_poll_fd_consume_watch(const struct mmf_poll_fd *poll);

/* The same for a counter. */
void mmf_poll_fd_consume_counter(const struct mmf_poll_fd *poll);

#endif
