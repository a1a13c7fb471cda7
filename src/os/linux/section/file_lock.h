/*
 * file_lock.h - who may have a user's file at the same time.
 *
 * Two locks. Readers beside readers and a writer alone is the rule among maps, kept by
 * a lock of the open file description on a byte far behind any data. Beside it stands
 * a shared flock, which meets those who lock a file for themselves, and nobody else:
 * .NET's FileStream takes one of the two kinds for every file that it opens, and shares
 * a map's file as long as it does not want it alone.
 */
#ifndef MMF_OS_LINUX_SECTION_FILE_LOCK_H
#define MMF_OS_LINUX_SECTION_FILE_LOCK_H

/*
 * Take both locks. 1: it is ours. 0 with errno EAGAIN: somebody else has the file in
 * use; other failures are -1 with errno. Failing may leave a lock: close the
 * descriptor.
 */
int mmf_file_lock(int fd, int writing);

/* Let go, also of what a forked child's copy of the descriptor would keep. */
void mmf_file_unlock(int fd);

#endif
