/*
 * entry.c - what lies under a name's path, and removing it when it is dead.
 *
 * Anything may have been planted there: nothing is waited for, locked or removed before
 * it is known to be ours.
 */
#include "os/linux/store/entry.h"

#include <errno.h>
#include <fcntl.h>

#include <mmf/list.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/lock.h"
#include "os/linux/sys/sys.h"
#include "os/linux/sys/user.h"

/*
 * Looking at a file.
 */

static int
fail_denied(const char *path)
{
    int system_error = errno;
    struct stat status;
    char owner[MMF_USER_SIZE];

    if (mmf_sys_lstat(path, &status) < 0)
        return mmf_fail_system(MMF_E_ACCESS, system_error, "open %s", path);
    mmf_user_describe(status.st_uid, owner);
    return mmf_fail_system(MMF_E_ACCESS, system_error,
                           "%s belongs to user %s, who does not let us (mode %03o)",
                           path, owner, (unsigned)status.st_mode & 0777u);
}

static int
fail_foreign(const char *path, const char *why)
{
    return mmf_fail(MMF_E_CORRUPT,
                    "%s %s: it is no mmf object and left alone; remove it "
                    "if you know what it is",
                    path, why);
}

/* An open that failed: what is there? */
static int
explain_failed_open(const char *path, const struct mmf_place *place)
{
    int system_error = errno;
    int exists;
    int rc;

    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        /* Nothing, unless the directory is not what it should be: then say that. */
        rc = mmf_place_check(place, &exists);
        if (rc < 0)
            return rc;
        errno = system_error;
        return system_error == ENOENT ? MMF_STORE_NOTHING
                                      : mmf_error_fail("open %s", path);
    case EACCES:
    case EPERM:
    case EROFS:
        fail_denied(path);
        return MMF_STORE_DENIED;
    case ELOOP:
        fail_foreign(path, "is a symbolic link");
        return MMF_STORE_FOREIGN;
    case EISDIR:
        fail_foreign(path, "is a directory");
        return MMF_STORE_FOREIGN;
    case ENXIO:
    case ENODEV:
        fail_foreign(path, "is a socket, a pipe or a device");
        return MMF_STORE_FOREIGN;
    case EWOULDBLOCK:
        return mmf_fail_system(MMF_E_BUSY, errno,
                               "%s has a lease of a process that does not answer",
                               path);
    default:
        return mmf_error_fail("open %s", path);
    }
}

static int
open_claim(const char *path, int or_read, int *writable)
{
    int fd = mmf_claim_open(path, O_RDWR, 0);

    *writable = 1;
    if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && or_read) {
        fd = mmf_claim_open(path, O_RDONLY, 0);
        *writable = 0;
    }
    return fd;
}

static int
explain_strange_file(const char *path, const struct mmf_place *place,
                     const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        fail_foreign(path, "is no regular file");
    else if (status->st_nlink > 1)
        fail_foreign(path, "has other hard links");
    else if (place->scope != MMF_SCOPE_GLOBAL && status->st_uid != place->user)
        fail_foreign(path, "belongs to another user");
    else if (status->st_size < MMF_CONTROL_SIZE ||
             (status->st_size - MMF_CONTROL_SIZE) % MMF_CONTROL_ALIGNMENT != 0)
        fail_foreign(path, "has no size that an object can have");
    else
        return MMF_STORE_FOUND;
    return MMF_STORE_FOREIGN;
}

int
mmf_store_look(const char *path, const struct mmf_place *place, int or_read,
               struct mmf_store_file *file)
{
    ssize_t count;
    int rc;

    file->fd = open_claim(path, or_read, &file->writable);
    if (file->fd < 0)
        return explain_failed_open(path, place);
    if (mmf_sys_fstat(file->fd, &file->status) < 0) {
        rc = mmf_error_fail("look at %s", path);
        goto done;
    }
    if (file->status.st_nlink == 0) {
        rc = MMF_STORE_NOTHING; /* reaped since we opened it */
        goto done;
    }
    rc = explain_strange_file(path, place, &file->status);
    if (rc != MMF_STORE_FOUND)
        goto done;
    file->data_size = file->status.st_size - MMF_CONTROL_SIZE;
    count = mmf_sys_pread(file->fd, &file->page, sizeof(file->page), file->data_size);
    if (count < 0) {
        rc = mmf_error_fail("read the control page of %s", path);
        goto done;
    }
    if (count == (ssize_t)sizeof(file->page) && mmf_control_is_ours(&file->page))
        return MMF_STORE_FOUND;
    fail_foreign(path, "does not end with a control page");
    rc = MMF_STORE_FOREIGN;
done:
    mmf_claim_close(file->fd);
    file->fd = -1;
    return rc;
}

int
mmf_store_is_linked(const struct mmf_store_file *file, const char *path)
{
    struct stat status;

    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("look at %s", path);
    return status.st_nlink > 0;
}

/*
 * Its contents.
 */

static int
check_kind(const struct mmf_store_file *file, const struct mmf_name *name,
           uint32_t kind)
{
    if (file->page.kind == kind)
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "the name \"%.200s\" belongs to a %s, not to a %s", name->text,
                    mmf_kind_name((mmf_kind)file->page.kind),
                    mmf_kind_name((mmf_kind)kind));
}

int
mmf_store_check(const struct mmf_store_file *file, const struct mmf_name *name,
                uint32_t kind, const char *path)
{
    int rc = mmf_control_check(&file->page, file->data_size, path);

    if (rc < 0)
        return rc;
    if (!mmf_control_has_name(&file->page, name))
        return mmf_fail(MMF_E_CORRUPT,
                        "%s holds another name than \"%.200s\": a copied file, or two "
                        "names with one hash",
                        path, name->text);
    return check_kind(file, name, kind);
}

/*
 * Reaping.
 */

int
mmf_store_reap(int fd, const char *path, dev_t device, ino_t inode)
{
    struct stat named;
    int rc = mmf_lock_reap(fd);
    int saved;

    if (rc != MMF_LOCK_DONE)
        return rc;
    /* Somebody may have removed the file by hand and made another of that name. */
    if (mmf_sys_lstat(path, &named) == 0) {
        if (named.st_dev != device || named.st_ino != inode ||
            mmf_sys_unlink(path) == 0)
            return MMF_LOCK_DONE; /* locks on a file without a name hinder nobody */
    }
    if (errno == ENOENT)
        return MMF_LOCK_DONE;
    saved = errno;
    mmf_lock_release_all(fd);
    errno = saved;
    return -1;
}

void
mmf_store_reap_path_locked(const char *path, dev_t device, ino_t inode)
{
    struct stat status;
    int fd = mmf_claim_open_locked(path, O_RDWR, 0);

    if (fd < 0)
        return;
    if (mmf_sys_fstat(fd, &status) == 0 && status.st_dev == device &&
        status.st_ino == inode)
        mmf_store_reap(fd, path, device, inode);
    mmf_claim_close_locked(fd);
}

/* A dead object that we could not remove. */
static int
fail_unreapable(const char *path, const struct stat *status)
{
    int system_error = errno;
    char owner[MMF_USER_SIZE];

    mmf_user_describe(status->st_uid, owner);
    return mmf_fail_system(
        MMF_E_ACCESS, system_error,
        "%s is dead, but belongs to user %s, who alone can remove it "
        "(any mmf call of that user does)",
        path, owner);
}

int
mmf_store_reap_file(const struct mmf_store_file *file, const char *path)
{
    return mmf_store_reap(file->fd, path, file->status.st_dev, file->status.st_ino);
}

int
mmf_store_reap_dead(const struct mmf_store_file *file, const char *path)
{
    int rc = file->writable ? mmf_store_reap_file(file, path) : -1;

    if (!file->writable)
        errno = EACCES;
    if (rc >= 0)
        return rc == MMF_LOCK_BUSY;
    if (errno == EACCES || errno == EPERM || errno == EBADF)
        return fail_unreapable(path, &file->status);
    return mmf_error_fail("remove the dead object %s", path);
}
