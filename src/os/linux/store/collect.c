/*
 * collect.c - see collect.h; lock.h has the protocol.
 */
#include "os/linux/store/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

int
mmf_collect(int fd, const char *path, dev_t device, ino_t inode)
{
    struct stat named;
    int rc = mmf_lock_collect(fd);
    int saved;

    MMF_ASSERT(fd >= 0 && path[0] == '/');
    if (rc != MMF_LOCK_DONE)
        return rc;
    /* A user may have removed the file by hand and made another of that name. */
    if (mmf_sys_lstat(path, &named) == 0) {
        if (named.st_dev != device || named.st_ino != inode ||
            mmf_sys_unlink(path) == 0)
            return MMF_LOCK_DONE; /* locks on a file without a name block no one */
    }
    if (errno == ENOENT)
        return MMF_LOCK_DONE;
    saved = errno;
    mmf_lock_release_all(fd);
    errno = saved;
    return -1;
}

void
mmf_collect_path_locked(const char *path, dev_t device, ino_t inode)
{
    struct stat status;
    int fd = mmf_lock_fd_open_locked(path, O_RDWR, 0);

    MMF_ASSERT(mmf_process_is_locked());
    if (fd < 0)
        return;
    if (mmf_sys_fstat(fd, &status) == 0 && status.st_dev == device &&
        status.st_ino == inode)
        mmf_collect(fd, path, device, inode);
    mmf_lock_fd_close_locked(fd);
}
