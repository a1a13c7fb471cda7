/*
 * lock_fd.h - descriptors that carry locks.
 *
 * A lock says that this process holds an object, and the kernel drops it when the last
 * descriptor of its open file is closed. So no child process may keep a copy: every
 * such descriptor is noted here from the moment it is opened, and the child of a fork
 * closes them all.
 */
#ifndef MMF_OS_LINUX_STORE_LOCK_FD_H
#define MMF_OS_LINUX_STORE_LOCK_FD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Open and note. Returns the descriptor, or -1 with errno. O_CLOEXEC, O_NOFOLLOW,
 * O_NONBLOCK and O_NOCTTY are added, so that nothing planted under a name can stop us.
 */
int mmf_lock_fd_open(const char *path, int flags, mode_t mode);

/* Close and forget. -1 is fine. Keeps errno. */
void mmf_lock_fd_close(int fd);

/*
 * While this is on, a lock of the process may be lost by any close: `around` is called
 * before each (true) and after it (false), with the mutex. NULL: off.
 */
void mmf_lock_fd_guard_locked(void (*around)(bool before));

/* True: close such descriptors by mmf_lock_fd_close, whether they are noted or not. */
bool mmf_lock_fd_is_guarded(void);

/* Forget without closing: it has no locks any more, or fork's child is to keep it. */
void mmf_lock_fd_forget(int fd);

/* The same with the process's mutex. */
int mmf_lock_fd_open_locked(const char *path, int flags, mode_t mode);

/* Another description of what `fd` is open on, whatever has become of its path. */
int mmf_lock_fd_open_again_locked(int fd, int flags);
void mmf_lock_fd_close_locked(int fd);
void mmf_lock_fd_forget_locked(int fd);

/* In the child of a fork: close all of them. */
void mmf_lock_fd_close_all_locked(void);

#endif
