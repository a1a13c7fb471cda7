/*
 * sys.c - the system calls themselves.
 *
 * None of them is a cancellation point, as some of libc's functions are: a thread that is
 * cancelled inside the library would leave descriptors, locks and half-made objects. See mmf_watch_forks for where
 * it may end.
 */
#include "os/linux/sys/sys.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/invariant.h"

/* `type` `result` = `call`, and the thread is not cancelled in it. */
#define WITHOUT_CANCELLATION(type, result, call)                                       \
    int cancel_state;                                                                  \
    type result;                                                                       \
                                                                                       \
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);                     \
    result = (call);                                                                   \
    pthread_setcancelstate(cancel_state, NULL)

/*
 * The same of a call with an offset, or a lock's range: where that is one argument, the
 * kernel is called without libc, which has the cancellation point.
 */
#ifdef __LP64__
#define CALL_WITH_OFFSET(type, result, number, function, ...)                          \
    type result = (type)syscall(number, __VA_ARGS__)
#else
#define CALL_WITH_OFFSET(type, result, number, function, ...)                          \
    WITHOUT_CANCELLATION(type, result, function(__VA_ARGS__))
#endif

/*
 * What a program prints goes to descriptors 1 and 2, whatever is open there: a library
 * that kept one of those in a program that had closed it had its objects written over.
 */
static int
avoid_standard_descriptors(int fd)
{
    int higher;
    int saved;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    saved = errno;
    mmf_sys_close(fd);
    errno = saved;
    return higher;
}

static int
open_without_links(const char *path, int flags)
{
    enum { OPENAT2 = 437, RESOLVE_NO_SYMLINKS = 4 };
    /* The kernel's struct open_how. */
    const struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_SYMLINKS};

    return (int)syscall(OPENAT2, AT_FDCWD, path, &how, sizeof(how));
}

int
mmf_sys_open(const char *path, int flags, mode_t mode)
{
    if (flags & MMF_SYS_NO_LINKS) {
        MMF_ASSERT(!(flags & O_CREAT));
        return avoid_standard_descriptors(
            open_without_links(path, (flags & ~MMF_SYS_NO_LINKS) | O_LARGEFILE));
    }
    return avoid_standard_descriptors(
        (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode));
}

int
mmf_sys_close(int fd)
{
    return (int)syscall(SYS_close, fd);
}

/*
 * The kernel's struct statx, as far as we read it: musl has no declaration before 1.2.5
 * and glibc none before 2.28. Its layout is the kernel's ABI.
 */
struct statx_bytes {
    uint32_t mask;
    uint32_t block_size;
    uint64_t attributes;
    uint32_t links;
    uint32_t user;
    uint32_t group;
    uint16_t mode;
    uint16_t padding;
    uint64_t inode;
    uint64_t size;
    uint64_t blocks;
    uint64_t attributes_mask;
    uint64_t access_time[2];
    int64_t birth_seconds;
    uint32_t birth_nanoseconds;
    uint32_t padding2;
    uint64_t change_time[2];
    uint64_t modification_time[2];
    uint32_t device_of_node[2];
    uint32_t device[2];
    uint64_t rest[14];
};

static_assert(sizeof(struct statx_bytes) == 256, "the kernel's ABI");

enum { AT_EMPTY = 0x1000, BASIC_STATS = 0x7ff };

/*
 * The kernel's own answer: fakeroot puts its own functions in the place of libc's, and
 * says that all files belong to root. Users are checked and compared here, so what the
 * kernel enforces counts. -1 with ENOSYS where libc must be asked.
 */
#if defined(__x86_64__) && defined(__LP64__)
/* Each open and create asks: the older calls are quicker, and fill libc's struct. */
static int
ask_kernel(int fd, const char *path, int flags, struct stat *status)
{
    if (flags & AT_EMPTY)
        return (int)syscall(SYS_fstat, fd, status);
    return (int)syscall(SYS_newfstatat, fd, path, status, flags);
}
#else
static int
ask_kernel(int fd, const char *path, int flags, struct stat *status)
{
    struct statx_bytes seen;

    if (syscall(SYS_statx, fd, path, flags, BASIC_STATS, &seen) < 0) {
        if (errno == EPERM) /* a filter that is older than the call */
            errno = ENOSYS;
        return -1;
    }
    memset(status, 0, sizeof(*status));
    status->st_dev = makedev(seen.device[0], seen.device[1]);
    status->st_rdev = makedev(seen.device_of_node[0], seen.device_of_node[1]);
    status->st_ino = (ino_t)seen.inode;
    status->st_mode = seen.mode;
    status->st_nlink = (nlink_t)seen.links;
    status->st_uid = seen.user;
    status->st_gid = seen.group;
    status->st_size = (off_t)seen.size;
    status->st_blocks = (blkcnt_t)seen.blocks;
    status->st_blksize = (blksize_t)seen.block_size;
    return 0;
}
#endif

int
mmf_sys_fstat(int fd, struct stat *status)
{
    int rc = ask_kernel(fd, "", AT_EMPTY, status);

    return rc < 0 && errno == ENOSYS ? fstat(fd, status) : rc;
}

int
mmf_sys_stat(const char *path, struct stat *status)
{
    int rc = ask_kernel(AT_FDCWD, path, 0, status);

    return rc < 0 && errno == ENOSYS ? stat(path, status) : rc;
}

int
mmf_sys_lstat(const char *path, struct stat *status)
{
    int rc = ask_kernel(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);

    return rc < 0 && errno == ENOSYS ? lstat(path, status) : rc;
}

int
mmf_sys_birth(int fd, int64_t *seconds, uint32_t *nanoseconds)
{
    enum { MASK_BIRTH = 0x800 };
    struct statx_bytes status = {0};

    *seconds = 0;
    *nanoseconds = 0;
    /* EPERM is what containers say whose filter is older than the call. */
    if (syscall(SYS_statx, fd, "", AT_EMPTY, MASK_BIRTH, &status) < 0)
        return errno == ENOSYS || errno == EPERM ? 0 : -1;
    if (status.mask & MASK_BIRTH) {
        *seconds = status.birth_seconds;
        *nanoseconds = status.birth_nanoseconds;
    }
    return 0;
}

int
mmf_sys_statfs(const char *path, struct statfs *status)
{
    return statfs(path, status);
}

ssize_t
mmf_sys_pread(int fd, void *bytes, size_t count, off_t offset)
{
    CALL_WITH_OFFSET(ssize_t, result, SYS_pread64, pread, fd, bytes, count, offset);

    return result;
}

ssize_t
mmf_sys_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    CALL_WITH_OFFSET(ssize_t, result, SYS_pwrite64, pwrite, fd, bytes, count, offset);

    return result;
}

ssize_t
mmf_sys_readlink(const char *path, char *target, size_t size)
{
    return readlink(path, target, size);
}

int
mmf_sys_ftruncate(int fd, off_t length)
{
    return ftruncate(fd, length);
}

int
mmf_sys_fallocate(int fd, off_t offset, off_t length)
{
    CALL_WITH_OFFSET(int, result, SYS_fallocate, fallocate, fd, 0, offset, length);

    return result;
}

int
mmf_sys_posix_fallocate(int fd, off_t offset, off_t length)
{
    WITHOUT_CANCELLATION(int, result, posix_fallocate(fd, offset, length));

    return result;
}

int
mmf_sys_linkat(int fd, const char *from, const char *to, int flags)
{
    return linkat(fd, from, AT_FDCWD, to, flags);
}

int
mmf_sys_rename_noreplace(const char *from, const char *to)
{
    enum { NOREPLACE = 1 };

    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, NOREPLACE);
}

int
mmf_sys_unlink(const char *path)
{
    return unlink(path);
}

int
mmf_sys_mkdir(const char *path, mode_t mode)
{
    return mkdir(path, mode);
}

int
mmf_sys_chmod(const char *path, mode_t mode)
{
    return chmod(path, mode);
}

int
mmf_sys_fchmod(int fd, mode_t mode)
{
    return fchmod(fd, mode);
}

int
mmf_sys_memfd_create(const char *name, unsigned flags)
{
    return avoid_standard_descriptors((int)syscall(SYS_memfd_create, name, flags));
}

int
mmf_sys_lock(int fd, int command, struct flock *lock)
{
    CALL_WITH_OFFSET(int, result, SYS_fcntl, fcntl, fd, command, lock);

    return result; /* no command waits */
}

int
mmf_sys_flock(int fd, int operation)
{
    return flock(fd, operation);
}

int
mmf_sys_fcntl(int fd, int command, int argument)
{
    return fcntl(fd, command, argument);
}

ssize_t
mmf_sys_getdents(int fd, void *records, size_t size)
{
    return syscall(SYS_getdents64, fd, records, size);
}

off_t
mmf_sys_lseek(int fd, off_t offset, int whence)
{
    return lseek(fd, offset, whence);
}

void *
mmf_sys_mmap(void *address, size_t length, int protection, int flags, int fd,
             off_t offset)
{
    return mmap(address, length, protection, flags, fd, offset);
}

int
mmf_sys_munmap(void *address, size_t length)
{
    return munmap(address, length);
}

int
mmf_sys_msync(void *address, size_t length, int flags)
{
    WITHOUT_CANCELLATION(int, result, msync(address, length, flags));

    return result;
}

int
mmf_sys_madvise(void *address, size_t length, int advice)
{
    return madvise(address, length, advice);
}

int
mmf_sys_mlock(const void *address, size_t length)
{
    return mlock(address, length);
}

uid_t
mmf_sys_geteuid(void)
{
#ifdef SYS_geteuid32
    return (uid_t)syscall(SYS_geteuid32);
#else
    return (uid_t)syscall(SYS_geteuid);
#endif
}

/* With no group: which the user is in is not known, and root's rights must not stay. */
void
mmf_sys_setfsuid(uid_t user)
{
    setfsgid(user == geteuid() ? getegid() : (gid_t)65534);
    setfsuid(user);
}

pid_t
mmf_sys_getpid(void)
{
    return getpid();
}

pid_t
mmf_sys_gettid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

bool
mmf_sys_is_thread(uint32_t number)
{
    return syscall(SYS_tkill, (pid_t)number, 0) == 0 || errno != ESRCH;
}

int
mmf_sys_getrlimit(int resource, struct rlimit *limit)
{
    /* glibc's parameter is an enum, musl's an int: only the constant suits both. */
    if (resource != RLIMIT_FSIZE) {
        errno = EINVAL;
        return -1;
    }
    return getrlimit(RLIMIT_FSIZE, limit);
}

int
mmf_sys_clock(clockid_t clock, struct timespec *now)
{
    return clock_gettime(clock, now);
}

int
mmf_sys_sleep(int64_t nanoseconds)
{
    struct timespec length = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                              .tv_nsec = (long)(nanoseconds % 1000000000)};

    WITHOUT_CANCELLATION(int, result, nanosleep(&length, NULL));

    return result;
}

ssize_t
mmf_sys_getrandom(void *bytes, size_t size)
{
    WITHOUT_CANCELLATION(ssize_t, result, getrandom(bytes, size, 0));

    return result;
}

int
mmf_sys_cpu_count(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/*
 * futex(2): the kernel's numbers, whose header musl does not come with. It takes the
 * old struct timespec, whose fields are longs whatever libc makes of time_t.
 */
enum { FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9 };
#define FUTEX_BITSET_MATCH_ANY 0xffffffffu

struct old_timespec {
    long seconds;
    long nanoseconds;
};

int
mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until)
{
    struct old_timespec deadline = {.seconds = (long)(until / 1000000000),
                                    .nanoseconds = (long)(until % 1000000000)};

    if (until / 1000000000 > INT32_MAX) /* forever; a long may have 32 bits */
        deadline.seconds = INT32_MAX;
    return (int)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &deadline, NULL,
                        FUTEX_BITSET_MATCH_ANY);
}

int
mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected, int count,
                    int64_t until)
{
    /* The kernel's ABI; not in the headers of every libc we build with. */
    enum { FUTEX_WAITV = 449, WORD_OF_32_BITS = 2, MOST = 128 };
    struct {
        uint64_t expected;
        uint64_t address;
        uint32_t flags;
        uint32_t reserved;
    } waiters[MOST];
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } deadline = {.seconds = until / 1000000000, .nanoseconds = until % 1000000000};

    for (int i = 0; i < count && i < MOST; i++) {
        waiters[i].expected = expected[i];
        waiters[i].address = (uintptr_t)words[i];
        waiters[i].flags = WORD_OF_32_BITS;
        waiters[i].reserved = 0;
    }
    return (int)syscall(FUTEX_WAITV, waiters, count, 0, &deadline, CLOCK_MONOTONIC);
}

int
mmf_sys_futex_wake(uint32_t *word, int count)
{
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

int
mmf_sys_inotify_init(void)
{
    return avoid_standard_descriptors(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
}

int
mmf_sys_inotify_watch(int fd, const char *path, uint32_t events)
{
    return inotify_add_watch(fd, path, events);
}

int
mmf_sys_eventfd(void)
{
    return avoid_standard_descriptors(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int
mmf_sys_inotify_unwatch(int fd, int watch)
{
    return inotify_rm_watch(fd, watch);
}

int
mmf_sys_epoll_create(void)
{
    return avoid_standard_descriptors(epoll_create1(EPOLL_CLOEXEC));
}

int
mmf_sys_epoll_add(int set, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int
mmf_sys_epoll_remove(int set, int fd)
{
    return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

int
mmf_sys_epoll_next(int set, uint64_t *data)
{
    struct epoll_event event = {0};
    WITHOUT_CANCELLATION(int, result, epoll_wait(set, &event, 1, 0));

    *data = event.data.u64;
    return result > 0;
}

int
mmf_sys_timer(void)
{
    return avoid_standard_descriptors(
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int
mmf_sys_timer_set(int fd, int64_t until)
{
    struct itimerspec time = {.it_value = {.tv_sec = (time_t)(until / 1000000000),
                                           .tv_nsec = (long)(until % 1000000000)}};

    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL);
}

ssize_t
mmf_sys_read(int fd, void *bytes, size_t count)
{
    WITHOUT_CANCELLATION(ssize_t, result, read(fd, bytes, count));

    return result;
}

ssize_t
mmf_sys_write(int fd, const void *bytes, size_t count)
{
    WITHOUT_CANCELLATION(ssize_t, result, write(fd, bytes, count));

    return result;
}

int
mmf_sys_set_times(int fd)
{
    return futimens(fd, NULL);
}
