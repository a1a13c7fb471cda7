/*
 * lock.h - the locks that say who is there: entering, holding, reaping.
 *
 * Open file description locks far beyond the data (shared/control.h has the ranges).
 * The kernel lets go of them when the description's last descriptor is closed, however
 * the process ends; no PID and no heartbeat is involved.
 *
 *   an opener    read-locks a byte of HOLD     "entering"; says nothing about life
 *                asks for write locks in HOLD  none, and no reader: nobody holds it
 *                upgrades its byte             "holds"
 *   a reader     (may not write-lock)          keeps the read lock, and read-locks
 *                                              the same byte of READERS: "holds"
 *   a reaper     write-locks both ranges whole fails while anybody enters or holds
 *
 * So two openers of a dead object never take each other for a holder, and entering and
 * reaping exclude each other. docs/architecture.md compares this with a door byte.
 */
#ifndef MMF_OS_LINUX_LOCK_H
#define MMF_OS_LINUX_LOCK_H

#include <stdint.h>

/* Answers of the functions below; system errors are -1 with errno. */
enum mmf_lock_answer {
    MMF_LOCK_DONE = 0,
    MMF_LOCK_BUSY = 1, /* somebody reaps, or enters, or holds: see the function */
    MMF_LOCK_DEAD = 2  /* nobody holds the object */
};

/* A claim's place in the ranges. */
struct mmf_hold {
    int64_t byte;
    int writable; /* the descriptor may write-lock */
};

/* Read-lock a free byte. BUSY: a reaper is at work. */
int mmf_lock_enter(int fd, int writable, struct mmf_hold *hold);

/* After enter: become a holder. DEAD: nobody else holds it; still entering. */
int mmf_lock_settle(int fd, struct mmf_hold *hold);

/* Choose a place at random, for mmf_lock_hold without entering. */
void mmf_lock_choose(struct mmf_hold *hold, int writable);

/*
 * Hold an object that nobody can reap: it has no name yet, we hold it already, or we
 * have entered and seen a holder. BUSY: it was reaped for all that.
 */
int mmf_lock_hold(int fd, struct mmf_hold *hold);

/* Let go, whether entering or holding. 0, or -1 with errno: the lock is still there. */
int mmf_lock_release(int fd, const struct mmf_hold *hold);

/* DONE: somebody else holds it. DEAD: nobody. BUSY: somebody reaps it. */
int mmf_lock_probe(int fd);

/* Become the reaper; own locks are no hindrance. BUSY: somebody enters or holds. */
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

/* In the child of a fork: choose other bytes than the parent from now on. */
void mmf_lock_salt(uint32_t salt);

#endif
