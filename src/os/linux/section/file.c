/*
 * file.c - files to make sections of.
 *
 * A file opened by path is locked the way Windows shares files between a map's
 * owners: readers beside readers, a writer alone (contract 2.2, 3.9). The lock
 * stands on a descriptor of its own, which is never mapped and which a fork's child
 * closes; so it goes with the handle, or with the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/section/file_lock.h"
#include "os/linux/section/section.h"
#include "os/linux/sys/space.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"

struct mmf_os_file {
    int fd;      /* to map */
    int lock_fd; /* by path: carries the locks; -1: wrapped */
    int made;    /* we made the file: abandoned, it is removed */
    int alone;   /* no other map has it */
    int can_read;
    int can_write;
    char *path; /* NULL: wrapped */
};

static int
may_write(mmf_access access)
{
    return access != MMF_ACCESS_READ && access != MMF_ACCESS_READ_EXECUTE;
}

/* Open without waiting for a pipe's other end; links are the user's own business. */
static int
open_user_file(const char *path, int flags)
{
    return mmf_sys_open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
}

/* ENOENT: is it the file or a directory on the way that is missing? */
static int
fail_missing(const char *path)
{
    char directory[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');

    if (slash != NULL && slash != path && (size_t)(slash - path) < sizeof(directory)) {
        memcpy(directory, path, (size_t)(slash - path));
        directory[slash - path] = '\0';
        if (mmf_sys_stat(directory, &status) < 0 &&
            (errno == ENOENT || errno == ENOTDIR))
            return mmf_fail_system(MMF_E_PATH_NOT_FOUND, ENOENT,
                                   "map file %s: directory %s is missing", path,
                                   directory);
    }
    return mmf_fail_system(MMF_E_NOT_FOUND, ENOENT, "map file %s", path);
}

static int
fail_open(const char *path)
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

/* Open by .NET's mode; `*made` tells if the file is new. Answers fd or -1 with errno.
 */
static int
open_by_mode(const char *path, mmf_file_mode mode, int flags, int *made)
{
    int fd;

    *made = 0;
    if (mode == MMF_FILE_MODE_OPEN)
        return open_user_file(path, flags);
    for (int tries = 0; tries < 100; tries++) {
        fd = open_user_file(path, flags | O_CREAT | O_EXCL);
        if (fd >= 0) {
            *made = 1;
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
lock_shared_use(struct mmf_os_file *file, int writing, mmf_file_share share)
{
    int locked;

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
 * The descriptor that carries the locks: noted as a claim from the start, so it is
 * opened second, by path, and must be the same file.
 */
static int
open_lock_descriptor(struct mmf_os_file *file, int flags)
{
    struct stat status;
    struct stat locked;
    char real[PATH_MAX];

    /* Claims do not follow links in the last part; the user's path may. */
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("look at %s", file->path);
    if (!S_ISREG(status.st_mode))
        return MMF_OK; /* devices and pipes: no sharing rule */
    if (realpath(file->path, real) == NULL)
        return fail_open(file->path);
    file->lock_fd = mmf_claim_open(real, flags, 0);
    if (file->lock_fd < 0)
        return fail_open(file->path);
    if (mmf_sys_fstat(file->lock_fd, &locked) < 0)
        return mmf_error_fail("look at %s", file->path);
    if (locked.st_dev != status.st_dev || locked.st_ino != status.st_ino)
        return mmf_fail(MMF_E_SHARING,
                        "map file %s: it was replaced while we opened it", file->path);
    return MMF_OK;
}

static int
check_open_file(const struct mmf_os_file *file)
{
    struct stat status;

    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("look at %s", file->path);
    if (S_ISDIR(status.st_mode))
        return mmf_fail(MMF_E_ACCESS, "map file %s: it is a directory", file->path);
    return MMF_OK;
}

int
mmf_os_file_open(const char *path, mmf_file_mode mode, mmf_access access,
                 mmf_file_share share, struct mmf_os_file **out)
{
    int writing = may_write(access);
    int flags = writing ? O_RDWR : O_RDONLY;
    struct mmf_os_file *file;
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    file = calloc(1, sizeof(*file));
    if (file != NULL)
        file->path = strdup(path);
    if (file == NULL || file->path == NULL) {
        free(file);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to map file %s", path);
    }
    file->lock_fd = -1;
    file->can_read = 1;
    file->can_write = writing;
    file->fd = open_by_mode(path, mode, flags, &file->made);
    if (file->fd < 0) {
        rc = fail_open(path);
        free(file->path);
        free(file);
        return rc;
    }
    rc = check_open_file(file);
    if (rc == MMF_OK)
        rc = open_lock_descriptor(file, flags);
    if (rc == MMF_OK && file->lock_fd >= 0)
        rc = lock_shared_use(file, writing, share);
    if (rc == MMF_OK && mode == MMF_FILE_MODE_CREATE && !file->made &&
        mmf_sys_ftruncate(file->fd, 0) < 0)
        rc = mmf_error_fail("empty file %s", path);
    if (rc < 0) {
        mmf_os_file_abandon(file);
        return rc;
    }
    *out = file;
    return MMF_OK;
}

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

    if (handle < INT32_MIN || handle > INT32_MAX)
        return mmf_fail_system(MMF_E_DISPOSED, EBADF, "handle %lld", (long long)handle);
    flags = mmf_sys_fcntl(fd, F_GETFL, 0);
    if (flags < 0 && errno == EBADF)
        return mmf_fail_system(MMF_E_DISPOSED, errno, "descriptor %d", fd);
    if (flags < 0)
        return mmf_error_fail("ask how descriptor %d was opened", fd);
    file = calloc(1, sizeof(*file));
    if (file == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to map descriptor %d", fd);
    file->fd = fd;
    file->lock_fd = -1;
    file->can_read = (flags & O_ACCMODE) != O_WRONLY;
    file->can_write = (flags & O_ACCMODE) != O_RDONLY;
    *out = file;
    return MMF_OK;
}

int
mmf_os_file_length(const struct mmf_os_file *file, int64_t *length, int *sized)
{
    struct stat status;

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

static void
free_file(struct mmf_os_file *file)
{
    free(file->path);
    free(file);
}

void
mmf_os_file_abandon(struct mmf_os_file *file)
{
    struct stat named;
    struct stat mine;

    if (file->path != NULL) {
        /* Only what we made, and only if it still has that name. */
        if (file->made && mmf_sys_fstat(file->fd, &mine) == 0 &&
            mmf_sys_lstat(file->path, &named) == 0 && mine.st_dev == named.st_dev &&
            mine.st_ino == named.st_ino)
            mmf_sys_unlink(file->path);
        if (file->lock_fd >= 0)
            mmf_claim_close(file->lock_fd);
        mmf_sys_close(file->fd);
    }
    free_file(file);
}

/*
 * Sections of files.
 */

static const char *
name_of_file(const struct mmf_os_file *file)
{
    return file->path != NULL ? file->path : "the descriptor's file";
}

static int
check_access(const struct mmf_os_file *file, mmf_access access)
{
    struct stat status;
    int executes =
        access == MMF_ACCESS_READ_EXECUTE || access == MMF_ACCESS_READ_WRITE_EXECUTE;
    int writes =
        access == MMF_ACCESS_READ_WRITE || access == MMF_ACCESS_READ_WRITE_EXECUTE;

    if (!file->can_read || (writes && !file->can_write))
        return mmf_fail_argument(MMF_E_ACCESS, "access",
                                 "map %s: it was not opened for that access",
                                 name_of_file(file));
    if (!executes)
        return MMF_OK;
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("look at %s", name_of_file(file));
    if (S_ISREG(status.st_mode) && !(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
        return mmf_fail_argument(
            MMF_E_ACCESS, "access",
            "map %s for execution: nobody may execute it; chmod +x",
            name_of_file(file));
    return MMF_OK;
}

static int
grow_file(const struct mmf_os_file *file, mmf_access access, int64_t length,
          int64_t capacity)
{
    int error;
    int rc;

    if (access != MMF_ACCESS_READ_WRITE && access != MMF_ACCESS_READ_WRITE_EXECUTE)
        return mmf_fail(MMF_E_IO,
                        "%s has %lld bytes, the map wants %lld: only a map with write "
                        "access can make it grow",
                        name_of_file(file), (long long)length, (long long)capacity);
    if (capacity > MMF_CAPACITY_MAX)
        return mmf_fail(MMF_E_NO_SPACE, "no file holds %lld bytes",
                        (long long)capacity);
    rc = mmf_space_check(capacity, 0, name_of_file(file));
    if (rc < 0)
        return rc;
    do
        error = mmf_sys_posix_fallocate(file->fd, length, capacity - length);
    while (error == EINTR);
    if (error == 0)
        return MMF_OK;
    mmf_sys_ftruncate(file->fd, length); /* it may have grown half the way */
    if (error == ENOSPC || error == EDQUOT)
        return mmf_space_fail_full(error, file->path, capacity - length,
                                   name_of_file(file));
    errno = error;
    return mmf_error_fail("make %s grow to %lld bytes", name_of_file(file),
                          (long long)capacity);
}

/* The file's absolute path, by which others will open it. */
static int
find_path(const struct mmf_os_file *file, char path[PATH_MAX])
{
    char link[64];
    ssize_t length;

    if (file->path != NULL) {
        if (realpath(file->path, path) == NULL)
            return fail_open(file->path);
        return MMF_OK;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    length = mmf_sys_readlink(link, path, PATH_MAX - 1);
    if (length < 0 && errno == ENOENT)
        return mmf_fail_system(MMF_E_NOT_SUPPORTED, errno,
                               "find the path of descriptor %d: is /proc mounted?",
                               file->fd);
    if (length < 0)
        return mmf_error_fail("find the path of descriptor %d", file->fd);
    path[length] = '\0';
    return MMF_OK;
}

static int
describe_file(const struct mmf_os_file *file, const struct mmf_name *name,
              uid_t publisher, struct mmf_file_ref_shared *ref)
{
    struct stat mine;
    struct stat named;
    char path[PATH_MAX];
    int rc = find_path(file, path);

    if (rc < 0)
        return rc;
    if (mmf_sys_fstat(file->fd, &mine) < 0 ||
        mmf_sys_birth(file->fd, &ref->birth_seconds, &ref->birth_nanoseconds) < 0)
        return mmf_error_fail("look at %s", path);
    memset(&named, 0, sizeof(named));
    if (mmf_sys_stat(path, &named) < 0 && errno != ENOENT && errno != ENOTDIR)
        return mmf_error_fail("look for %s by its path", path);
    if (!S_ISREG(mine.st_mode) || path[0] != '/' || strlen(path) >= MMF_FILE_PATH_MAX ||
        named.st_dev != mine.st_dev || named.st_ino != mine.st_ino)
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "name a map of a file that others cannot find by path (%.300s)",
                        path);
    if (name->scope == MMF_SCOPE_GLOBAL && mine.st_uid != publisher)
        return mmf_fail(
            MMF_E_ACCESS,
            "%.300s belongs to user %u: a global name can only be given to a "
            "file of one's own",
            path, (unsigned)mine.st_uid);
    ref->device = mine.st_dev;
    ref->inode = mine.st_ino;
    ref->path_length = (uint32_t)strlen(path);
    memset(ref->path, 0, sizeof(ref->path));
    memcpy(ref->path, path, ref->path_length);
    return MMF_OK;
}

static int
publish(const struct mmf_os_file *file, const struct mmf_os_request *request,
        struct mmf_object **out)
{
    struct mmf_file_ref_shared ref;
    struct mmf_store_request want = {
        .name = request->name,
        .kind = MMF_KIND_MAP,
        .capacity = request->capacity,
        .data_size = sizeof(ref),
        .first_data = &ref,
        .first_data_size = sizeof(ref),
        .protection = (uint32_t)request->access,
        .flags = MMF_CONTROL_FILE_REF,
        .mode = request->mode,
        .inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE,
    };
    int rc = describe_file(file, request->name, mmf_sys_geteuid(), &ref);

    return rc < 0 ? rc : mmf_store_create(&want, out);
}

int
mmf_os_section_from_file(struct mmf_os_file *file, const struct mmf_os_request *request,
                         int leave_open, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int64_t length;
    int sized;
    int rc = mmf_os_file_length(file, &length, &sized);

    if (rc == MMF_OK)
        rc = check_access(file, request->access);
    if (rc == MMF_OK && sized && request->capacity > length)
        rc = grow_file(file, request->access, length, request->capacity);
    if (rc < 0)
        return rc;
    section = mmf_section_new(request->inheritability);
    if (section == NULL) {
        rc = MMF_E_NO_MEMORY;
        goto fail_shrink;
    }
    if (request->name != NULL) {
        rc = publish(file, request, &section->object);
        if (rc < 0)
            goto fail_free;
    }
    /* A descriptor that stays the caller's is not changed without need. */
    if (section->inheritable || !leave_open) {
        rc = mmf_section_set_inherit(file->fd, request->inheritability);
        if (rc < 0)
            goto fail_leave;
    }
    section->fd = file->fd;
    section->lock_fd = file->lock_fd;
    section->close_fd = !leave_open;
    section->is_memory = 0;
    section->capacity = request->capacity;
    section->protection = request->access;
    free_file(file);
    *out = section;
    return MMF_OK;

fail_leave:
    if (section->object != NULL)
        mmf_object_leave(section->object);
fail_free:
    free(section);
fail_shrink:
    /* Others may have mapped the larger file already, unless the lock keeps them out.
     */
    if (sized && request->capacity > length && file->alone)
        mmf_sys_ftruncate(file->fd, length);
    return rc;
}

/*
 * Opening what a name refers to.
 */

/* Publisher and opener may differ in whether the system tells them a file's birth. */
static int
has_other_birth(const struct mmf_file_ref_shared *ref, int64_t seconds,
                uint32_t nanoseconds)
{
    if ((seconds == 0 && nanoseconds == 0) ||
        (ref->birth_seconds == 0 && ref->birth_nanoseconds == 0))
        return 0;
    return seconds != ref->birth_seconds || nanoseconds != ref->birth_nanoseconds;
}

static int
check_ref_target(int fd, const struct mmf_file_ref_shared *ref,
                 const struct mmf_object *object, const struct mmf_name *name)
{
    struct stat target;
    struct stat publisher;
    int64_t birth_seconds;
    uint32_t birth_nanoseconds;

    if (mmf_sys_fstat(fd, &target) < 0 || mmf_sys_fstat(object->fd, &publisher) < 0 ||
        mmf_sys_birth(fd, &birth_seconds, &birth_nanoseconds) < 0)
        return mmf_error_fail("look at %s", ref->path);
    if (!S_ISREG(target.st_mode) || target.st_dev != ref->device ||
        target.st_ino != ref->inode ||
        has_other_birth(ref, birth_seconds, birth_nanoseconds))
        return mmf_fail(
            MMF_E_CORRUPT,
            "\"%.200s\" maps %.300s, which has been replaced by another file",
            name->text, ref->path);
    if (name->scope == MMF_SCOPE_GLOBAL && target.st_uid != publisher.st_uid)
        return mmf_fail(MMF_E_ACCESS,
                        "\"%.200s\" of user %u leads to %.300s, a file of user %u: not "
                        "followed",
                        name->text, (unsigned)publisher.st_uid, ref->path,
                        (unsigned)target.st_uid);
    if (target.st_size < object->capacity)
        return mmf_fail(
            MMF_E_CORRUPT,
            "%.300s has become shorter (%lld bytes) than the map of it (%lld)",
            ref->path, (long long)target.st_size, (long long)object->capacity);
    return MMF_OK;
}

int
mmf_file_open_ref(struct mmf_object *object, const struct mmf_name *name,
                  uint32_t needs, int *out)
{
    struct mmf_file_ref_shared ref;
    int fd;
    int rc;

    if (mmf_sys_pread(object->fd, &ref, sizeof(ref), 0) != (ssize_t)sizeof(ref))
        return mmf_error_fail("read which file \"%.200s\" maps", name->text);
    rc = mmf_file_ref_check(&ref, object->path);
    if (rc < 0)
        return rc;
    /*
     * What the creator did not allow, no view gets; then reading is enough, as a handle
     * that asks for more than there is opens without complaint (contract 2.8).
     */
    if (object->protection != MMF_ACCESS_READ_WRITE &&
        object->protection != MMF_ACCESS_READ_WRITE_EXECUTE)
        needs &= ~MMF_CAN_WRITE;
    fd = mmf_sys_open(ref.path,
                      (needs & MMF_CAN_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC |
                          O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                      0);
    if (fd < 0 && errno == ELOOP)
        return mmf_fail_system(MMF_E_CORRUPT, errno,
                               "\"%.200s\" maps %.300s, which has become a link: not "
                               "followed",
                               name->text, ref.path);
    if (fd < 0)
        return fail_open(ref.path);
    rc = check_ref_target(fd, &ref, object, name);
    if (rc < 0) {
        mmf_sys_close(fd);
        return rc;
    }
    *out = fd;
    return MMF_OK;
}
