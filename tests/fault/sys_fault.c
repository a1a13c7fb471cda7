/*
 * sys_fault.c - the system calls, the Nth of which fails.
 *
 * A call that gives something back (close, munmap) does so even when it fails: so does
 * Linux. Time passes by sleeping only, so that no test has to wait for a deadline to
 * pass.
 */
#include "os/linux/sys/sys.h"

#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* src/os/linux/sys/sys.c under other names, for the calls that are more than one
 * line. */
int real_mmf_sys_birth(int fd, int64_t *seconds, uint32_t *nanoseconds);
int real_mmf_sys_cpu_count(void);
int real_mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until);
int real_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected,
                             int count, int64_t until);
int real_mmf_sys_futex_wake(uint32_t *word, int count);
pid_t real_mmf_sys_gettid(void);
bool real_mmf_sys_is_thread(uint32_t number);
int real_mmf_sys_getrlimit(int resource, struct rlimit *limit);

static unsigned host;
static int has_removed; /* a file */
static int last_notified = -1;

void
fault_set_host(unsigned flags)
{
    host = flags;
    has_removed = 0;
}

static int
strikes(const char *function)
{
    return fault_strikes(FAULT_SYSTEM, function);
}

static int
fail(int error)
{
    errno = error;
    return -1;
}

/*
 * Files that the host has otherwise than this machine.
 */
static const struct {
    unsigned host;
    const char *path;
    const char *text;
} host_files[] = {
    {HOST_HUGE_PAGES, "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
     "always within_size [advise] never deny force\n"},
    {HOST_FORCED_HUGE_PAGES, "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
     "always within_size advise never deny [force]\n"},
    {HOST_CGROUP, "/proc/self/cgroup", "1:name=other:/x\n0::/outer/inner\n"},
    {HOST_CGROUP, "/sys/fs/cgroup/outer/inner/memory.max", "max\n"},
    {HOST_CGROUP, "/sys/fs/cgroup/outer/memory.max", "1073741824\n"},
    {HOST_CGROUP, "/sys/fs/cgroup/outer/memory.current", "1000000000\n"},
    {HOST_CGROUP, "/sys/fs/cgroup/outer/memory.stat",
     "anon 1\ninactive_file 50000000\n"},
};

static int
open_text(const char *text)
{
    int fd = memfd_create("host", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    return fd;
}

static int
is_name(const char *path)
{
    const char *root = getenv("MMF_DIR");

    return root != NULL && strncmp(path, root, strlen(root)) == 0;
}

int
mmf_sys_open(const char *path, int flags, mode_t mode)
{
    int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;

    if (strikes(makes ? "create" : "open"))
        return -1;
    if ((host & HOST_NO_TMPFILE) && (flags & O_TMPFILE) == O_TMPFILE)
        return fail(EOPNOTSUPP);
    if ((host & HOST_NO_PROC) && strncmp(path, "/proc/", 6) == 0)
        return fail(ENOENT);
    if ((host & HOST_READ_ONLY) && (flags & O_ACCMODE) == O_RDWR && !makes &&
        is_name(path))
        return fail(EACCES);
    for (size_t i = 0; i < sizeof(host_files) / sizeof(host_files[0]); i++) {
        if ((host & host_files[i].host) && strcmp(path, host_files[i].path) == 0)
            return open_text(host_files[i].text);
    }
    return open(path, flags, mode);
}

int
mmf_sys_close(int fd)
{
    int struck = strikes("close");
    int error = errno;
    int rc = close(fd);

    if (rc < 0) {
        /* Closing what is not open closes another thread's file one day. */
        fprintf(stderr, "close(%d): %s\n", fd, strerror(errno));
        abort();
    }
    return struck ? fail(error) : rc;
}

int
mmf_sys_fstat(int fd, struct stat *status)
{
    return strikes("fstat") ? -1 : fstat(fd, status);
}

int
mmf_sys_stat(const char *path, struct stat *status)
{
    return strikes("stat") ? -1 : stat(path, status);
}

int
mmf_sys_lstat(const char *path, struct stat *status)
{
    return strikes("lstat") ? -1 : lstat(path, status);
}

int
mmf_sys_birth(int fd, int64_t *seconds, uint32_t *nanoseconds)
{
    *seconds = 0;
    *nanoseconds = 0;
    return strikes("statx") ? -1 : real_mmf_sys_birth(fd, seconds, nanoseconds);
}

int
mmf_sys_statfs(const char *path, struct statfs *status)
{
    return strikes("statfs") ? -1 : statfs(path, status);
}

ssize_t
mmf_sys_pread(int fd, void *bytes, size_t count, off_t offset)
{
    if (fault_strikes_transfer("pread", &count))
        return -1;
    return pread(fd, bytes, count, offset);
}

ssize_t
mmf_sys_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (fault_strikes_transfer("pwrite", &count))
        return -1;
    return pwrite(fd, bytes, count, offset);
}

ssize_t
mmf_sys_readlink(const char *path, char *target, size_t size)
{
    if (strikes("readlink"))
        return -1;
    if (host & HOST_NO_PROC)
        return fail(ENOENT);
    return readlink(path, target, size);
}

int
mmf_sys_ftruncate(int fd, off_t length)
{
    return strikes("ftruncate") ? -1 : ftruncate(fd, length);
}

int
mmf_sys_fallocate(int fd, off_t offset, off_t length)
{
    if (strikes("fallocate"))
        return -1;
    if (host & HOST_NO_FALLOCATE)
        return fail(EOPNOTSUPP);
    if ((host & HOST_FULL) || ((host & HOST_FULL_OF_DEAD) && !has_removed))
        return fail(ENOSPC);
    return fallocate(fd, 0, offset, length);
}

int
mmf_sys_posix_fallocate(int fd, off_t offset, off_t length)
{
    return strikes("posix_fallocate") ? errno : posix_fallocate(fd, offset, length);
}

int
mmf_sys_linkat(int fd, const char *from, const char *to, int flags)
{
    if (strikes("linkat"))
        return -1;
    if (host & HOST_NO_LINK)
        return fail(EPERM);
    if ((host & HOST_NO_EMPTY_PATH) && (flags & AT_EMPTY_PATH))
        return fail(ENOENT);
    if ((host & HOST_NO_PROC) && (flags & AT_SYMLINK_FOLLOW))
        return fail(ENOENT);
    return linkat(fd, from, AT_FDCWD, to, flags);
}

int
mmf_sys_rename_noreplace(const char *from, const char *to)
{
    if (strikes("renameat2"))
        return -1;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int
mmf_sys_unlink(const char *path)
{
    if (strikes("unlink"))
        return -1;
    has_removed = 1;
    return unlink(path);
}

int
mmf_sys_mkdir(const char *path, mode_t mode)
{
    return strikes("mkdir") ? -1 : mkdir(path, mode);
}

int
mmf_sys_chmod(const char *path, mode_t mode)
{
    return strikes("chmod") ? -1 : chmod(path, mode);
}

int
mmf_sys_fchmod(int fd, mode_t mode)
{
    return strikes("fchmod") ? -1 : fchmod(fd, mode);
}

int
mmf_sys_memfd_create(const char *name, unsigned flags)
{
    if (strikes("memfd_create"))
        return -1;
    if ((host & HOST_OLD_MEMFD) && (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING)))
        return fail(EINVAL);
    return (int)syscall(SYS_memfd_create, name, flags);
}

int
mmf_sys_lock(int fd, int command, struct flock *lock)
{
    const char *function = command == F_OFD_GETLK    ? "getlock"
                           : lock->l_type == F_UNLCK ? "unlock"
                                                     : "setlock";

    return strikes(function) ? -1 : fcntl(fd, command, lock);
}

int
mmf_sys_flock(int fd, int operation)
{
    return strikes("flock") ? -1 : flock(fd, operation);
}

int
mmf_sys_fcntl(int fd, int command, int argument)
{
    return strikes("fcntl") ? -1 : fcntl(fd, command, argument);
}

ssize_t
mmf_sys_getdents(int fd, void *records, size_t size)
{
    return strikes("getdents") ? -1 : syscall(SYS_getdents64, fd, records, size);
}

off_t
mmf_sys_lseek(int fd, off_t offset, int whence)
{
    return strikes("lseek") ? -1 : lseek(fd, offset, whence);
}

void *
mmf_sys_mmap(void *address, size_t length, int protection, int flags, int fd,
             off_t offset)
{
    if (strikes("mmap"))
        return MAP_FAILED;
    return mmap(address, length, protection, flags, fd, offset);
}

int
mmf_sys_munmap(void *address, size_t length)
{
    int struck = strikes("munmap");
    int error = errno;
    int rc = munmap(address, length);

    return struck ? fail(error) : rc;
}

int
mmf_sys_msync(void *address, size_t length, int flags)
{
    return strikes("msync") ? -1 : msync(address, length, flags);
}

int
mmf_sys_madvise(void *address, size_t length, int advice)
{
    if (strikes("madvise"))
        return -1;
    if ((host & (HOST_HUGE_PAGES | HOST_FORCED_HUGE_PAGES)) && advice == MADV_HUGEPAGE)
        return 0; /* whatever this machine's kernel is able to */
    return madvise(address, length, advice);
}

int
mmf_sys_mlock(const void *address, size_t length)
{
    return strikes("mlock") ? -1 : mlock(address, length);
}

uid_t
mmf_sys_geteuid(void)
{
    return geteuid();
}

void
mmf_sys_setfsuid(uid_t user)
{
    setfsuid(user);
}

pid_t
mmf_sys_getpid(void)
{
    return host & HOST_PID_OF_COLLECTOR ? 8 : getpid();
}

pid_t
mmf_sys_gettid(void)
{
    return real_mmf_sys_gettid();
}

bool
mmf_sys_is_thread(uint32_t number)
{
    return real_mmf_sys_is_thread(number);
}

int
mmf_sys_getrlimit(int resource, struct rlimit *limit)
{
    return strikes("getrlimit") ? -1 : real_mmf_sys_getrlimit(resource, limit);
}

/* Nanoseconds slept so far. A pause is long, or each would be one of hundreds. */
enum { PAUSE = 400000000 };
static int64_t slept;

int
mmf_sys_clock(clockid_t clock, struct timespec *now)
{
    int rc = clock_gettime(clock, now);

    now->tv_sec += (time_t)(slept / 1000000000);
    return rc;
}

int
mmf_sys_sleep(int64_t nanoseconds)
{
    slept += nanoseconds > PAUSE ? nanoseconds : PAUSE;
    return 0;
}

ssize_t
mmf_sys_getrandom(void *bytes, size_t size)
{
    return strikes("getrandom") ? -1 : getrandom(bytes, size, 0);
}

int
mmf_sys_cpu_count(void)
{
    return real_mmf_sys_cpu_count();
}

int
mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until)
{
    if (strikes("futex_wait"))
        return -1;
    return real_mmf_sys_futex_wait(word, expected, until - slept);
}

int
mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected, int count,
                    int64_t until)
{
    if (strikes("futex_waitv"))
        return -1;
    return real_mmf_sys_futex_waitv(words, expected, count, until - slept);
}

int
mmf_sys_futex_wake(uint32_t *word, int count)
{
    return strikes("futex_wake") ? -1 : real_mmf_sys_futex_wake(word, count);
}

int
mmf_sys_inotify_init(void)
{
    return strikes("inotify_init") ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

int
mmf_sys_inotify_watch(int fd, const char *path, uint32_t events)
{
    return strikes("inotify_watch") ? -1 : inotify_add_watch(fd, path, events);
}

int
mmf_sys_eventfd(void)
{
    return strikes("eventfd") ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int
mmf_sys_inotify_unwatch(int fd, int watch)
{
    return strikes("inotify_rm_watch") ? -1 : inotify_rm_watch(fd, watch);
}

int
mmf_sys_epoll_create(void)
{
    return strikes("epoll_create1") ? -1 : epoll_create1(EPOLL_CLOEXEC);
}

int
mmf_sys_epoll_add(int set, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return strikes("epoll_ctl") ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int
mmf_sys_epoll_remove(int set, int fd)
{
    return strikes("epoll_ctl") ? -1 : epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

int
mmf_sys_epoll_next(int set, uint64_t *data)
{
    struct epoll_event event = {0};
    int result = strikes("epoll_wait") ? -1 : epoll_wait(set, &event, 1, 0);

    *data = event.data.u64;
    return result > 0;
}

int
mmf_sys_timer(void)
{
    return strikes("timerfd_create")
               ? -1
               : timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

int
mmf_sys_timer_set(int fd, int64_t until)
{
    struct itimerspec time = {.it_value = {.tv_sec = (time_t)(until / 1000000000),
                                           .tv_nsec = (long)(until % 1000000000)}};

    return strikes("timerfd_settime")
               ? -1
               : timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL);
}

ssize_t
mmf_sys_read(int fd, void *bytes, size_t count)
{
    ssize_t result = strikes("read") ? -1 : read(fd, bytes, count);

    if (result > 0 && (host & HOST_BUSY))
        futimens(last_notified, NULL);
    return result;
}

ssize_t
mmf_sys_write(int fd, const void *bytes, size_t count)
{
    return strikes("write") ? -1 : write(fd, bytes, count);
}

int
mmf_sys_set_times(int fd)
{
    last_notified = fd;
    return strikes("futimens") ? -1 : futimens(fd, NULL);
}
