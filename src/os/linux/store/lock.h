/*
 * lock.h - the locks that say which processes hold an object: asking, holding,
 * collecting.
 *
 * Open file description locks far beyond the data (shared/page/control.h has the
 * ranges). The kernel drops them however a process ends; no PID and no heartbeat is
 * involved.
 *
 *   an opener    asks for locks in HOLD and READERS    none: it is orphaned
 *                write-locks a byte of HOLD            "holds", if it is still linked
 *   a reader     (may not write-lock) read-locks a byte of READERS instead
 *   a collector  write-locks both ranges whole         fails while a process holds
 *
 * Only an opener that has seen a holder becomes one, so openers of an orphaned object
 * never take each other for holders. Between asking and holding an opener has no lock,
 * and a collector may unlink the file: that is why the opener checks afterwards whether
 * it still has a name. While it has one and we hold it, no process collects it.
 */
#ifndef MMF_OS_LINUX_STORE_LOCK_H
#define MMF_OS_LINUX_STORE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What the functions below return; system errors are -1 with errno. */
enum mmf_lock_answer {
    MMF_LOCK_DONE = 0,
    MMF_LOCK_BUSY = 1,    /* a process collects or holds it: see the function */
    MMF_LOCK_ORPHANED = 2 /* no process holds the object */
};

/* Which byte of the ranges a process holds. */
struct mmf_hold {
    int64_t byte;
    bool writable;   /* the descriptor may write-lock */
    bool of_process; /* the process has the lock, not the description: see below */
};

/*
 * Hold it, by a byte chosen at random: for reading if the descriptor is not `writable`.
 * BUSY: a process collects it. DONE says nothing about whether it is in use or linked.
 */
int mmf_lock_hold(int fd, bool writable, struct mmf_hold *hold);

/*
 * Hold it by a lock of the process instead (POSIX), which no child of a fork gets, even
 * if it maps the description. It takes the place of `hold`. The process loses it as
 * soon as it closes any descriptor of the file: lock_fd.h has the guard against that.
 * 0, or -1 with errno: the hold is as before.
 */
int mmf_lock_hold_by_process(int fd, struct mmf_hold *hold);

/* The lock of the process may be lost soon, by a close: have one of the description as
 * well; and afterwards only that of the process again. */
void mmf_lock_before_close(int fd, const struct mmf_hold *hold);
void mmf_lock_after_close(int fd, const struct mmf_hold *hold);

/* Stop holding it. 0, or -1 with errno: the lock is still there. */
int mmf_lock_release(int fd, const struct mmf_hold *hold);

/* The same of a description that has no other lock. */
void mmf_lock_release_only(int fd, const struct mmf_hold *hold);

/* DONE: another process holds it. ORPHANED: no process. BUSY: a process collects it. */
int mmf_lock_probe(int fd);

/* Become the collector; own locks do not count. BUSY: another process holds it. */
int mmf_lock_collect(int fd);

/* Drop everything that this description has locked in the ranges. */
void mmf_lock_release_all(int fd);

/*
 * Say that the drawer of a ticket lives, for as long as the description is open. BUSY:
 * another process has that ticket, which a sound counter does not give twice.
 */
int mmf_lock_self(int fd, uint64_t ticket);

/* Whether another description has that lock; true if the system cannot say. */
bool mmf_lock_is_self_alive(int fd, uint64_t ticket);

/*
 * How many hold the object, without this description; of more than the bound, or of so
 * many locks that counting takes too long, only some. -1 with errno.
 */
#define MMF_LOCK_COUNT_MOST 4096
int mmf_lock_count(int fd);

/* A number that no other process is likely to choose, 0 to MMF_LOCK_RANGE - 1. */
int64_t mmf_lock_choose(void);

/* At the start and in the child of a fork: choose other bytes than the relatives. */
void mmf_lock_salt(uint32_t salt);

#endif
