/*
 * file_lock.c - see file_lock.h.
 */
#include "os/linux/section/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>

#include "base/invariant.h"
#include "os/linux/sys/sys.h"

/* No file is that long, and no lock of a named object's (shared/page/control.h) is there. */
#define SHARING_BYTE ((int64_t)1 << 60)

static int
set_sharing_lock(int fd, short type)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = SHARING_BYTE;
    lock.l_len = 1;
    return mmf_sys_lock(fd, F_OFD_SETLK, &lock);
}

int
mmf_file_lock(int fd, bool writing)
{
    MMF_ASSERT(fd >= 0);
    if (mmf_sys_flock(fd, LOCK_SH | LOCK_NB) < 0 ||
        set_sharing_lock(fd, writing ? F_WRLCK : F_RDLCK) < 0)
        return errno == EWOULDBLOCK || errno == EACCES ? 0 : -1;
    return 1;
}

void
mmf_file_unlock(int fd)
{
    MMF_ASSERT(fd >= 0);
    set_sharing_lock(fd, F_UNLCK);
    mmf_sys_flock(fd, LOCK_UN);
}
