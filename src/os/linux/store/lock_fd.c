/*
 * lock_fd.c - notes which descriptors carry locks.
 *
 * A bitmap by descriptor number; it grows before the descriptor is opened, so that
 * there is no moment at which an open one is not noted.
 */
#include "os/linux/store/lock_fd.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/invariant.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

/* Both guarded by the process's mutex. */
static uint64_t *bits;
static int bits_size; /* how many descriptors fit */

static void (*guard)(bool before); /* guarded by the process's mutex */
static mmf_atomic_u32 is_guarded;  /* the same, for a question without the mutex */

static int
make_space_for(int fd)
{
    uint64_t *larger;
    int size = bits_size == 0 ? 1024 : bits_size;

    MMF_ASSERT(fd >= 0);
    while (size <= fd)
        size *= 2;
    if (size == bits_size)
        return 0;
    larger = realloc(bits, (size_t)size / 8);
    if (larger == NULL)
        return -1;
    memset((char *)larger + bits_size / 8, 0, (size_t)(size - bits_size) / 8);
    bits = larger;
    bits_size = size;
    return 0;
}

static int
open_and_note_locked(const char *path, int flags, mode_t mode)
{
    int fd;

    MMF_ASSERT(mmf_process_is_locked());
    fd = mmf_sys_open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
    if (fd < 0)
        return -1;
    if (make_space_for(fd) < 0) {
        if (flags & O_CREAT)
            mmf_sys_unlink(path);
        mmf_sys_close(fd); /* it has no lock yet */
        errno = ENOMEM;
        return -1;
    }
    bits[fd / 64] |= (uint64_t)1 << (fd % 64);
    return fd;
}

int
mmf_lock_fd_open_locked(const char *path, int flags, mode_t mode)
{
    /* O_TMPFILE names the directory, which may well be reached by a link. */
    if ((flags & O_TMPFILE) != O_TMPFILE)
        flags |= O_NOFOLLOW;
    return open_and_note_locked(path, flags, mode);
}

int
mmf_lock_fd_open_again_locked(int fd, int flags)
{
    char self[64];

    MMF_ASSERT(fd >= 0 && (flags & (O_CREAT | O_NOFOLLOW)) == 0);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    return open_and_note_locked(self, flags, 0);
}

int
mmf_lock_fd_open(const char *path, int flags, mode_t mode)
{
    int fd;

    mmf_process_lock();
    fd = mmf_lock_fd_open_locked(path, flags, mode);
    mmf_process_unlock();
    return fd;
}

void
mmf_lock_fd_forget_locked(int fd)
{
    MMF_ASSERT(mmf_process_is_locked() && fd >= 0);
    if (fd < bits_size)
        bits[fd / 64] &= ~((uint64_t)1 << (fd % 64));
}

void
mmf_lock_fd_close_locked(int fd)
{
    int saved = errno;

    MMF_ASSERT(mmf_process_is_locked());
    if (fd >= 0) {
        void (*around)(bool before) = guard;

        mmf_lock_fd_forget_locked(fd);
        if (around != NULL)
            around(true);
        mmf_sys_close(fd);
        if (around != NULL)
            around(false);
    }
    errno = saved;
}

void
mmf_lock_fd_guard_locked(void (*around)(bool before))
{
    MMF_ASSERT(mmf_process_is_locked());
    guard = around;
    mmf_store_relaxed_u32(&is_guarded, around != NULL);
}

bool
mmf_lock_fd_is_guarded(void)
{
    return mmf_load_relaxed_u32(&is_guarded) != 0;
}

void
mmf_lock_fd_close(int fd)
{
    if (fd < 0)
        return;
    mmf_process_lock();
    mmf_lock_fd_close_locked(fd);
    mmf_process_unlock();
}

void
mmf_lock_fd_forget(int fd)
{
    mmf_process_lock();
    mmf_lock_fd_forget_locked(fd);
    mmf_process_unlock();
}

void
mmf_lock_fd_close_all_locked(void)
{
    MMF_ASSERT(mmf_process_is_locked());
    for (int word = 0; word < bits_size / 64; word++) {
        while (bits[word] != 0)
            mmf_lock_fd_close_locked(word * 64 + __builtin_ctzll(bits[word]));
    }
}
