/*
 * sys.h - every system call the Linux back end makes, one wrapper each.
 *
 * They return what the call returns, with errno set; nothing is retried or explained
 * here. Tests link their own sys.c to make the Nth call fail.
 */
#ifndef MMF_OS_LINUX_SYS_SYS_H
#define MMF_OS_LINUX_SYS_SYS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <time.h>

/* statfs: what <linux/magic.h> calls TMPFS_MAGIC. */
#define MMF_TMPFS_MAGIC 0x01021994u

/*
 * Files by path and by descriptor. With the flag MMF_SYS_NO_LINKS an open follows no
 * symbolic link anywhere in the path: ELOOP; ENOSYS or EPERM where the kernel or a filter
 * does not know that (openat2, Linux 5.6).
 */
#define MMF_SYS_NO_LINKS (1 << 30)

int mmf_sys_open(const char *path, int flags, mode_t mode);
int mmf_sys_close(int fd);
int mmf_sys_fstat(int fd, struct stat *status);
int mmf_sys_stat(const char *path, struct stat *status);
int mmf_sys_lstat(const char *path, struct stat *status);
int mmf_sys_birth(int fd, int64_t *seconds, uint32_t *nanoseconds);
int mmf_sys_statfs(const char *path, struct statfs *status);
ssize_t mmf_sys_pread(int fd, void *bytes, size_t count, off_t offset);
ssize_t mmf_sys_pwrite(int fd, const void *bytes, size_t count, off_t offset);
ssize_t mmf_sys_readlink(const char *path, char *target, size_t size);
int mmf_sys_ftruncate(int fd, off_t length);
int mmf_sys_fallocate(int fd, off_t offset, off_t length);
int mmf_sys_posix_fallocate(int fd, off_t offset, off_t length); /* returns errno */
int mmf_sys_linkat(int fd, const char *from, const char *to, int flags);
int mmf_sys_rename_noreplace(const char *from, const char *to);
int mmf_sys_unlink(const char *path);
int mmf_sys_mkdir(const char *path, mode_t mode);
int mmf_sys_chmod(const char *path, mode_t mode);
int mmf_sys_fchmod(int fd, mode_t mode);
int mmf_sys_memfd_create(const char *name, unsigned flags);

/* Descriptors. */
int mmf_sys_lock(int fd, int command, struct flock *lock); /* F_OFD_... */
int mmf_sys_flock(int fd, int operation);
int mmf_sys_fcntl(int fd, int command, int argument);

/* Directories: records as the kernel writes them (struct linux_dirent64). */
ssize_t mmf_sys_getdents(int fd, void *records, size_t size);
off_t mmf_sys_lseek(int fd, off_t offset, int whence);

/* Memory. */
void *mmf_sys_mmap(void *address, size_t length, int protection, int flags, int fd,
                   off_t offset);
int mmf_sys_munmap(void *address, size_t length);
int mmf_sys_msync(void *address, size_t length, int flags);
int mmf_sys_madvise(void *address, size_t length, int advice);
int mmf_sys_mlock(const void *address, size_t length);

/* Sleeping and waking; `until` is monotonic, in nanoseconds. */
int mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until);
int mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected, int count,
                        int64_t until);
int mmf_sys_futex_wake(uint32_t *word, int count);

/* Descriptors to poll. */
int mmf_sys_inotify_init(void);
int mmf_sys_inotify_watch(int fd, const char *path, uint32_t events);
int mmf_sys_eventfd(void);
int mmf_sys_inotify_unwatch(int fd, int watch);
int mmf_sys_epoll_create(void);
int mmf_sys_epoll_add(int set, int fd, uint32_t events, uint64_t data);
int mmf_sys_epoll_remove(int set, int fd);
/* The next that is ready, at once: 1 and `*data`; 0. */
int mmf_sys_epoll_next(int set, uint64_t *data);
int mmf_sys_timer(void);
int mmf_sys_timer_set(int fd, int64_t until); /* monotonic, in nanoseconds */
ssize_t mmf_sys_read(int fd, void *bytes, size_t count);
ssize_t mmf_sys_write(int fd, const void *bytes, size_t count);
int mmf_sys_set_times(int fd); /* sets the file's times to now */

/* The process and the time. */
uid_t mmf_sys_geteuid(void);

/* This thread's file accesses are that user's from now on, if the kernel permits it. */
void mmf_sys_setfsuid(uid_t user);
pid_t mmf_sys_getpid(void);
pid_t mmf_sys_gettid(void);
bool mmf_sys_is_thread(uint32_t number); /* false: no thread has it, in any process */
int mmf_sys_getrlimit(int resource, struct rlimit *limit);
int mmf_sys_clock(clockid_t clock, struct timespec *now);
int mmf_sys_sleep(int64_t nanoseconds);
ssize_t mmf_sys_getrandom(void *bytes, size_t size);
int mmf_sys_cpu_count(void); /* of the machine, switched on */

#endif
