/*
 * collect.h - removing an orphaned object.
 */
#ifndef MMF_OS_LINUX_STORE_COLLECT_H
#define MMF_OS_LINUX_STORE_COLLECT_H

#include <sys/types.h>

/*
 * Remove the name `path` if it is still the file that `fd` is, and no other process
 * holds it. MMF_LOCK_DONE: removed, or no longer there, and the description keeps the
 * collector's lock; MMF_LOCK_BUSY: a process holds it; -1 with errno (ENOENT: it has a
 * name that is not `path`): no locks are left.
 */
int mmf_collect(int fd, const char *path, dev_t device, ino_t inode);

#endif
