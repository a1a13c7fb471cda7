/*
 * lock.h - the locks that say who is there: asking, holding, reaping.
 *
 * Open file description locks far beyond the data (shared/control.h has the ranges).
 * The kernel lets go of them however a process ends; no PID and no heartbeat is
 * involved.
 *
 *   an opener    asks for locks in HOLD and READERS    none: nobody holds it
 *                write-locks a byte of HOLD            "holds", if it is still linked
 *   a reader     (may not write-lock) read-locks a byte of READERS instead
 *   a reaper     write-locks both ranges whole         fails while anybody holds
 *
 * Only who has seen a holder becomes one, so openers of a dead object never take each
 * other for holders. Between asking and holding an opener has no lock, and a reaper may
 * come and unlink: that is why the opener looks afterwards whether the file has a name.
 * While it has one and we hold it, nobody reaps it.
 */
#ifndef MMF_OS_LINUX_STORE_LOCK_H
#define MMF_OS_LINUX_STORE_LOCK_H

#include <stdint.h>

/* Answers of the functions below; system errors are -1 with errno. */
enum mmf_lock_answer {
    MMF_LOCK_DONE = 0,
    MMF_LOCK_BUSY = 1, /* somebody reaps or holds: see the function */
    MMF_LOCK_DEAD = 2  /* nobody holds the object */
};

/* A claim's place in the ranges. */
struct mmf_hold {
    int64_t byte;
    int writable; /* the descriptor may write-lock */
};

/*
 * Hold it, by a byte chosen at random: for reading if the descriptor is not
 * `writable`. BUSY: somebody reaps it. Says nothing about whether it is alive or
 * linked.
 */
int mmf_lock_hold(int fd, int writable, struct mmf_hold *hold);

/* Let go. 0, or -1 with errno: the lock is still there. */
int mmf_lock_release(int fd, const struct mmf_hold *hold);

/* DONE: somebody else holds it. DEAD: nobody. BUSY: somebody reaps it. */
int mmf_lock_probe(int fd);

/* Become the reaper; own locks are no hindrance. BUSY: somebody else holds it. */
int mmf_lock_reap(int fd);

/* Let go of everything that this description has locked in the ranges. */
void mmf_lock_release_all(int fd);

/*
 * Say that the drawer of a ticket lives, for as long as the description is open. BUSY:
 * somebody else has that ticket, which a sound counter does not give twice.
 */
int mmf_lock_self(int fd, uint64_t ticket);

/* 1 while another description has that lock; also if the system cannot tell. */
int mmf_lock_is_self_alive(int fd, uint64_t ticket);

/* How many hold the object, without this description. -1 with errno. */
int mmf_lock_count(int fd);

/* A number that nobody else is likely to choose, 0 to MMF_LOCK_RANGE - 1. */
int64_t mmf_lock_choose(void);

/* In the child of a fork: choose other bytes than the parent from now on. */
void mmf_lock_salt(uint32_t salt);

#endif
