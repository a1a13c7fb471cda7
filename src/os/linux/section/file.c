/*
 * file.c - opening files to make sections of.
 *
 * A file opened by path is locked the way Windows shares files between a map's owners:
 * readers beside readers, a writer alone (contract 2.2, 3.9). The lock stands on a
 * descriptor of its own, which is never mapped and which a fork's child closes; so it
 * goes with the handle, or with the process.
 */
#include "os/linux/section/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/section/file_lock.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"

/*
 * By path.
 */

/* Open without waiting for a pipe's other end; links are the user's own affair. */
static int
open_user_file(const char *path, int flags)
{
    return mmf_sys_open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
}

/* ENOENT: is it the file or a directory on the way that is missing? */
static int
fail_missing(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat status;
    char *directory;
    bool missing;

    if (slash == NULL || slash == path)
        return mmf_fail_system(MMF_E_NOT_FOUND, ENOENT, "map file %s", path);
    directory = strndup(path, (size_t)(slash - path));
    missing = directory != NULL && mmf_sys_stat(directory, &status) < 0 &&
              (errno == ENOENT || errno == ENOTDIR);
    free(directory);
    if (!missing)
        return mmf_fail_system(MMF_E_NOT_FOUND, ENOENT, "map file %s", path);
    return mmf_fail_system(MMF_E_PATH_NOT_FOUND, ENOENT,
                           "map file %s: directory %.*s is missing", path,
                           (int)(slash - path), path);
}

int
mmf_file_fail_open(const char *path)
{
    switch (errno) {
    case ENOENT:
        return fail_missing(path);
    case ENXIO: /* a socket */
        return mmf_fail_system(MMF_E_NOT_SUPPORTED, ENXIO, "map file %s", path);
    case EISDIR:
        return mmf_fail_system(MMF_E_ACCESS, EISDIR, "map file %s", path);
    case EWOULDBLOCK:
        return mmf_fail_system(MMF_E_SHARING, EWOULDBLOCK,
                               "map file %s: a process has a lease on it", path);
    default:
        return mmf_error_fail("map file %s", path);
    }
}

/* Open by .NET's mode; `*made`: the file is new. Returns fd, or -1 with errno. */
static int
open_by_mode(const char *path, mmf_file_mode mode, int flags, bool *made)
{
    int fd;

    *made = false;
    if (mode == MMF_FILE_MODE_OPEN)
        return open_user_file(path, flags);
    for (int tries = 0; tries < 100; tries++) {
        fd = open_user_file(path, flags | O_CREAT | O_EXCL);
        if (fd >= 0) {
            *made = true;
            return fd;
        }
        if (errno != EEXIST || mode == MMF_FILE_MODE_CREATE_NEW)
            return -1;
        fd = open_user_file(path, flags);
        if (fd >= 0 || errno != ENOENT)
            return fd;
        /* Removed between the two: make it after all. */
    }
    return -1;
}

static int
lock_shared_use(struct mmf_os_file *file, bool writing, mmf_file_share share)
{
    int locked;

    MMF_ASSERT(file->lock_fd >= 0);
    if (share == MMF_FILE_SHARE_READ_WRITE)
        return MMF_OK;
    locked = mmf_file_lock(file->lock_fd, writing);
    if (locked == 0)
        return mmf_fail_system(
            MMF_E_SHARING, errno,
            "map file %s: another process has it open, or another map "
            "of this one; share it with MMF_FILE_SHARE_READ_WRITE",
            file->path);
    if (locked < 0)
        return mmf_error_fail("lock file %s", file->path);
    file->alone = writing;
    return MMF_OK;
}

/*
 * The descriptor that carries the locks: noted as such from the start, so it is opened
 * second, by path, and must be the same file.
 */
static int
open_lock_descriptor(struct mmf_os_file *file, int flags)
{
    struct stat status;
    struct stat locked;
    char *real;

    MMF_ASSERT(file->fd >= 0 && file->path != NULL);
    /* Lock descriptors follow no link in the last part; the user's path may. */
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("inspect %s", file->path);
    if (!S_ISREG(status.st_mode))
        return MMF_OK; /* devices and pipes: no sharing rule */
    real = realpath(file->path, NULL);
    if (real == NULL)
        return mmf_file_fail_open(file->path);
    file->lock_fd = mmf_lock_fd_open(real, flags, 0);
    free(real);
    if (file->lock_fd < 0)
        return mmf_file_fail_open(file->path);
    if (mmf_sys_fstat(file->lock_fd, &locked) < 0)
        return mmf_error_fail("inspect %s", file->path);
    if (locked.st_dev != status.st_dev || locked.st_ino != status.st_ino)
        return mmf_fail(MMF_E_SHARING,
                        "map file %s: it was replaced while we opened it", file->path);
    return MMF_OK;
}

static int
check_open_file(const struct mmf_os_file *file)
{
    struct stat status;

    MMF_ASSERT(file->fd >= 0);
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("inspect %s", file->path);
    if (S_ISDIR(status.st_mode))
        return mmf_fail(MMF_E_ACCESS, "map file %s: it is a directory", file->path);
    return MMF_OK;
}

static struct mmf_os_file *
new_file(int fd)
{
    struct mmf_os_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->fd = fd;
    file->lock_fd = -1;
    return file;
}

static struct mmf_os_file *
new_file_by_path(const char *path)
{
    struct mmf_os_file *file = new_file(-1);

    if (file != NULL)
        file->path = strdup(path);
    if (file == NULL || file->path == NULL) {
        free(file);
        mmf_fail(MMF_E_NO_MEMORY, "no memory to map file %s", path);
        return NULL;
    }
    return file;
}

/* Lock an open file; then empty it, if that is the mode. */
static int
take_file(struct mmf_os_file *file, mmf_file_mode mode, int flags, mmf_file_share share)
{
    int rc = check_open_file(file);

    if (rc == MMF_OK)
        rc = open_lock_descriptor(file, flags);
    if (rc == MMF_OK && file->lock_fd >= 0)
        rc = lock_shared_use(file, flags == O_RDWR, share);
    if (rc == MMF_OK && mode == MMF_FILE_MODE_CREATE && !file->made &&
        mmf_sys_ftruncate(file->fd, 0) < 0)
        rc = mmf_error_fail("empty file %s", file->path);
    return rc;
}

int
mmf_os_file_open(const char *path, mmf_file_mode mode, mmf_access access,
                 mmf_file_share share, struct mmf_os_file **out)
{
    int flags = mmf_access_open_flags(access);
    struct mmf_os_file *file;
    int rc = mmf_watch_forks();

    MMF_ASSERT(path != NULL && out != NULL);
    if (rc < 0)
        return rc;
    file = new_file_by_path(path);
    if (file == NULL)
        return MMF_E_NO_MEMORY;
    file->can_read = true;
    file->can_write = flags == O_RDWR;
    file->fd = open_by_mode(path, mode, flags, &file->made);
    if (file->fd < 0) {
        rc = mmf_file_fail_open(path);
        mmf_file_free(file);
        return rc;
    }
    rc = take_file(file, mode, flags, share);
    if (rc < 0) {
        mmf_os_file_abandon(file);
        return rc;
    }
    *out = file;
    return MMF_OK;
}

/*
 * By descriptor.
 */

int
mmf_os_handle_of_fd(int fd, intptr_t *handle)
{
    *handle = fd;
    return MMF_OK;
}

int
mmf_os_file_wrap(intptr_t handle, struct mmf_os_file **out)
{
    struct mmf_os_file *file;
    int fd = (int)handle;
    int flags;

    MMF_ASSERT(out != NULL);
    if (handle < INT32_MIN || handle > INT32_MAX)
        return mmf_fail_system(MMF_E_DISPOSED, EBADF, "handle %lld", (long long)handle);
    flags = mmf_sys_fcntl(fd, F_GETFL, 0);
    if (flags < 0 && errno == EBADF)
        return mmf_fail_system(MMF_E_DISPOSED, errno, "descriptor %d", fd);
    if (flags < 0)
        return mmf_error_fail("ask how descriptor %d was opened", fd);
    file = new_file(fd);
    if (file == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to map descriptor %d", fd);
    file->can_read = (flags & O_ACCMODE) != O_WRONLY;
    file->can_write = (flags & O_ACCMODE) != O_RDONLY;
    *out = file;
    return MMF_OK;
}

/*
 * Either.
 */

const char *
mmf_file_name(const struct mmf_os_file *file)
{
    return file->path != NULL ? file->path : "the descriptor's file";
}

int
mmf_os_file_length(const struct mmf_os_file *file, int64_t *length, int *sized)
{
    struct stat status;

    MMF_ASSERT(file->fd >= 0 && length != NULL && sized != NULL);
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("ask for a file's length");
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode) &&
        !S_ISBLK(status.st_mode))
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "a pipe, a socket or a directory cannot be mapped");
    *sized = S_ISREG(status.st_mode);
    *length = *sized ? status.st_size : 0;
    return MMF_OK;
}

void
mmf_file_free(struct mmf_os_file *file)
{
    free(file->path);
    free(file);
}

void
mmf_os_file_abandon(struct mmf_os_file *file)
{
    struct stat named;
    struct stat mine;

    MMF_ASSERT(file->fd >= 0);
    if (file->path != NULL) {
        /* Only what we made, and only if it still has that name. */
        if (file->made && mmf_sys_fstat(file->fd, &mine) == 0 &&
            mmf_sys_lstat(file->path, &named) == 0 && mine.st_dev == named.st_dev &&
            mine.st_ino == named.st_ino)
            mmf_sys_unlink(file->path);
        if (file->lock_fd >= 0)
            mmf_lock_fd_close(file->lock_fd);
        mmf_sys_close(file->fd);
    }
    mmf_file_free(file);
}
