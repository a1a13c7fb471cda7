/*
 * lock.c - see lock.h for the protocol.
 */
#include "os/linux/store/lock.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/atomic.h"
#include "base/invariant.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"
#include "shared/page/control.h"
#include "shared/sync/word.h"

/* Free bytes are found at once; more tries than this only meet a hostile locker. */
enum { MOST_TRIES = 16 };

static int
set_lock_by(int command, int fd, short type, int64_t start, int64_t length)
{
    struct flock lock;

    MMF_ASSERT(fd >= 0 && start >= MMF_LOCK_HOLD && length > 0);
    memset(&lock, 0, sizeof(lock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    if (mmf_sys_lock(fd, command, &lock) == 0)
        return MMF_LOCK_DONE;
    return errno == EAGAIN || errno == EACCES ? MMF_LOCK_BUSY : -1;
}

static int
set_lock(int fd, short type, int64_t start, int64_t length)
{
    return set_lock_by(F_OFD_SETLK, fd, type, start, length);
}

/* The first lock of another description that one of `type` would meet; or F_UNLCK. */
static int
get_lock(int fd, short type, int64_t start, int64_t length, struct flock *lock)
{
    MMF_ASSERT(fd >= 0 && start >= MMF_LOCK_HOLD && length > 0);
    memset(lock, 0, sizeof(*lock));
    lock->l_type = type;
    lock->l_whence = SEEK_SET;
    lock->l_start = start;
    lock->l_len = length;
    return mmf_sys_lock(fd, F_OFD_GETLK, lock);
}

static bool
is_collector(const struct flock *lock)
{
    return lock->l_type == F_WRLCK && lock->l_start == MMF_LOCK_HOLD &&
           lock->l_len == 2 * MMF_LOCK_RANGE;
}

/*
 * A byte that no other process is likely to choose: the kernel's random bytes for this
 * program, mixed with a counter (the finisher of Steele, Lea and Flood's SplitMix64).
 * A clash does no harm: the lock fails and another byte is tried.
 */
static mmf_atomic_u64 byte_seed;

static const uint64_t step = 0x9E3779B97F4A7C15u;

int64_t
mmf_lock_choose(void)
{
    uint64_t x = mmf_add_relaxed_u64(&byte_seed, step) + step;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return (int64_t)(x % (uint64_t)MMF_LOCK_RANGE);
}

void
mmf_lock_salt(uint32_t salt)
{
    const void *random_bytes = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t seed = 0;

    if (random_bytes != NULL)
        memcpy(&seed, random_bytes, sizeof(seed));
    mmf_store_relaxed_u64(&byte_seed, seed + ((uint64_t)salt << 32) * step);
}

int
mmf_lock_probe(int fd)
{
    struct flock other;

    /* Both ranges in one question: between two, a reader could become a writer. */
    if (get_lock(fd, F_WRLCK, MMF_LOCK_HOLD, 2 * MMF_LOCK_RANGE, &other) < 0)
        return -1;
    if (is_collector(&other))
        return MMF_LOCK_BUSY;
    return other.l_type != F_UNLCK ? MMF_LOCK_DONE : MMF_LOCK_ORPHANED;
}

static int64_t
choose_byte(bool writable)
{
    return (writable ? MMF_LOCK_HOLD : MMF_LOCK_READERS) + mmf_lock_choose();
}

static short
type_of(const struct mmf_hold *hold)
{
    return hold->writable ? F_WRLCK : F_RDLCK;
}

int
mmf_lock_hold(int fd, bool writable, struct mmf_hold *hold)
{
    struct flock other;

    MMF_ASSERT(hold != NULL);
    hold->writable = writable;
    hold->of_process = false;
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        int rc;

        hold->byte = choose_byte(writable);
        rc = set_lock(fd, type_of(hold), hold->byte, 1);
        if (rc != MMF_LOCK_BUSY)
            return rc;
        if (get_lock(fd, F_WRLCK, hold->byte, 1, &other) < 0)
            return -1;
        if (is_collector(&other))
            return MMF_LOCK_BUSY;
        /* A holder had chosen the same byte, or the collector has just ended. */
    }
    return MMF_LOCK_BUSY; /* a process has locked the whole range, in no way of ours */
}

int
mmf_lock_release(int fd, const struct mmf_hold *hold)
{
    MMF_ASSERT(hold->byte >= MMF_LOCK_HOLD && hold->byte < MMF_LOCK_SELF);
    return set_lock_by(hold->of_process ? F_SETLK : F_OFD_SETLK, fd, F_UNLCK,
                       hold->byte, 1) == MMF_LOCK_DONE
               ? 0
               : -1;
}

void
mmf_lock_release_only(int fd, const struct mmf_hold *hold)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    /* Nothing is left beside it, so the kernel needs no memory for that. */
    if (hold->of_process || mmf_sys_lock(fd, F_OFD_SETLK, &all) < 0)
        mmf_lock_release(fd, hold);
}

int
mmf_lock_hold_by_process(int fd, struct mmf_hold *hold)
{
    struct mmf_hold mine = {.writable = hold->writable, .of_process = true};
    int rc = MMF_LOCK_BUSY;

    MMF_ASSERT(!hold->of_process);
    for (int tries = 0; tries < MOST_TRIES && rc == MMF_LOCK_BUSY; tries++) {
        mine.byte = choose_byte(mine.writable);
        rc = set_lock_by(F_SETLK, fd, type_of(&mine), mine.byte, 1);
    }
    if (rc != MMF_LOCK_DONE)
        return -1;
    if (mmf_lock_release(fd, hold) < 0) {
        mmf_lock_release(fd, &mine);
        return -1;
    }
    *hold = mine;
    return 0;
}

/* Where the description's lock stands meanwhile: beside that of the process. */
static int64_t
byte_beside(const struct mmf_hold *hold)
{
    int64_t first = hold->writable ? MMF_LOCK_HOLD : MMF_LOCK_READERS;

    return hold->byte > first ? hold->byte - 1 : hold->byte + 1;
}

void
mmf_lock_before_close(int fd, const struct mmf_hold *hold)
{
    MMF_ASSERT(hold->of_process);
    set_lock(fd, type_of(hold), byte_beside(hold), 1);
}

void
mmf_lock_after_close(int fd, const struct mmf_hold *hold)
{
    MMF_ASSERT(hold->of_process);
    if (set_lock_by(F_SETLK, fd, type_of(hold), hold->byte, 1) == MMF_LOCK_DONE)
        set_lock(fd, F_UNLCK, byte_beside(hold), 1);
}

int
mmf_lock_collect(int fd)
{
    return set_lock(fd, F_WRLCK, MMF_LOCK_HOLD, 2 * MMF_LOCK_RANGE);
}

void
mmf_lock_release_all(int fd)
{
    set_lock(fd, F_UNLCK, MMF_LOCK_HOLD, 2 * MMF_LOCK_RANGE);
}

int
mmf_lock_self(int fd, uint64_t ticket)
{
    MMF_ASSERT(ticket > 0 && ticket <= MMF_TICKET_MAX);
    return set_lock(fd, F_WRLCK, MMF_LOCK_SELF + (int64_t)ticket, 1);
}

bool
mmf_lock_is_self_alive(int fd, uint64_t ticket)
{
    struct flock other;

    if (ticket > MMF_TICKET_MAX)
        return false; /* the number of no process */
    if (get_lock(fd, F_RDLCK, MMF_LOCK_SELF + (int64_t)ticket, 1, &other) < 0)
        return true;
    return other.l_type != F_UNLCK;
}

/*
 * Count the locks in a range. The kernel returns the first lock it finds, not the
 * lowest: what lies below is counted by recursion. The bytes are random, so it is as
 * deep as a random search tree; what is deeper is not of our making, and cut.
 *
 * Each question costs the kernel time in proportion to the locks that there are, and
 * their number is a stranger's choice: the count ends at MMF_LOCK_COUNT_MOST, or when
 * COUNT_TIME has passed.
 */
enum { DEEPEST_COUNT = 200 };
#define COUNT_TIME ((int64_t)100 * 1000 * 1000)

struct lock_count {
    int fd;
    int count;
    int64_t deadline;
    bool ended; /* by one of the bounds */
};

static bool
is_over(struct lock_count *count)
{
    if (count->count >= MMF_LOCK_COUNT_MOST || mmf_os_now() >= count->deadline)
        count->ended = true;
    return count->ended;
}

static int
count_range(struct lock_count *count, int64_t start, int64_t end, int depth)
{
    MMF_ASSERT(depth <= DEEPEST_COUNT);
    while (start < end && depth < DEEPEST_COUNT && !is_over(count)) {
        struct flock other;

        if (get_lock(count->fd, F_WRLCK, start, end - start, &other) < 0)
            return -1;
        if (other.l_type == F_UNLCK)
            return 0;
        if (!is_collector(&other))
            count->count++;
        if (count_range(count, start, other.l_start, depth + 1) < 0)
            return -1;
        if (other.l_len == 0)
            return 0;
        start = other.l_start + other.l_len;
    }
    return 0;
}

int
mmf_lock_count(int fd)
{
    struct lock_count count = {.fd = fd, .deadline = mmf_os_now() + COUNT_TIME};

    if (count_range(&count, MMF_LOCK_HOLD, MMF_LOCK_HOLD + 2 * MMF_LOCK_RANGE, 0) < 0)
        return -1;
    return count.count;
}
