/*
 * collect.c - see collect.h; lock.h has the protocol.
 */
#include "os/linux/store/collect.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/sys/sys.h"

/*
 * The path leads elsewhere: a user has removed the file by hand, and perhaps made another
 * of that name; or this process has changed its root, and the file stays. Between the
 * question for the path and an unlink a hand could put another file there: that takes a
 * user who replaces the objects of its own running programs.
 */
static int
check_gone(int fd)
{
    struct stat status;

    if (mmf_sys_fstat(fd, &status) < 0)
        return -1;
    errno = ENOENT;
    return status.st_nlink == 0 ? 0 : -1;
}

static int
remove_name(int fd, const char *path, dev_t device, ino_t inode)
{
    struct stat named;

    if (mmf_sys_lstat(path, &named) < 0) {
        if (errno != ENOENT)
            return -1;
    } else if (named.st_dev == device && named.st_ino == inode) {
        return mmf_sys_unlink(path) == 0 || errno == ENOENT ? 0 : -1;
    }
    return check_gone(fd);
}

int
mmf_collect(int fd, const char *path, dev_t device, ino_t inode)
{
    int rc = mmf_lock_collect(fd);
    int saved;

    MMF_ASSERT(fd >= 0 && path[0] == '/');
    if (rc != MMF_LOCK_DONE)
        return rc;
    if (remove_name(fd, path, device, inode) == 0)
        return MMF_LOCK_DONE; /* locks on a file without a name block no one */
    saved = errno;
    mmf_lock_release_all(fd);
    errno = saved;
    return -1;
}
