/*
 * lock_fd.h - descriptors that carry locks, and the mutex that fork takes.
 *
 * A lock says that this process holds something, and the kernel lets it go when the
 * last descriptor of its open file is closed. So no child process may keep a copy:
 * every such descriptor is noted here from the moment it is opened, and the child of a
 * fork closes them all.
 */
#ifndef MMF_OS_LINUX_STORE_LOCK_FD_H
#define MMF_OS_LINUX_STORE_LOCK_FD_H

#include <sys/types.h>

/*
 * Open and note. Answers the descriptor, or -1 with errno. O_CLOEXEC, O_NOFOLLOW,
 * O_NONBLOCK and O_NOCTTY are added, so that nothing planted under a name can stop us.
 */
int mmf_claim_open(const char *path, int flags, mode_t mode);

/* Close and forget. -1 is fine. Keeps errno. */
void mmf_claim_close(int fd);

/* Forget without closing: it has no locks any more, or fork's child shall keep it. */
void mmf_claim_forget(int fd);

/*
 * The process's one mutex: the notes above and the table of objects. fork takes it, so
 * never wait for anything while you have it.
 */
void mmf_claim_lock(void);
void mmf_claim_unlock(void);

/* In the child of a fork, with the mutex: close all of them. */
void mmf_claim_close_all(void);

/* As above, for callers who have the mutex. */
int mmf_claim_open_locked(const char *path, int flags, mode_t mode);
void mmf_claim_close_locked(int fd);
void mmf_claim_forget_locked(int fd);

#endif
