/*
 * space.h - reserving bytes, so that a lack of memory is an error now and no signal
 * later.
 */
#ifndef MMF_OS_LINUX_SYS_SPACE_H
#define MMF_OS_LINUX_SYS_SPACE_H

#include <stdint.h>

/*
 * Refuse what would raise SIGXFSZ or wake the out-of-memory killer: `size` bytes of
 * file, of which `wanted` take memory. `what` names the object in messages.
 *
 * MMF_E_NO_SPACE   beyond the process's file size limit, or any file's
 * MMF_E_NO_MEMORY  beyond what the machine or the cgroup has left
 */
int mmf_space_check(int64_t size, int64_t wanted, const char *what);

/*
 * Allocate the first `count` bytes of a file in memory. Returns 0, or -1 with errno;
 * interrupted by signals it goes on.
 */
int mmf_space_allocate(int fd, int64_t count);

/* How much to try next where a signal has undone the reserving of `piece` bytes. */
int64_t mmf_space_smaller_piece(int64_t piece);

/*
 * mmf_fail for a file system that is full: says how large it is, how much is free, and
 * what to do. `directory` is on it, NULL: memory without a file system.
 */
int mmf_space_fail_full(int system_error, const char *directory, int64_t wanted,
                        const char *what);

#endif
