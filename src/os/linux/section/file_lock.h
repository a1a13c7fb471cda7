/*
 * file_lock.h - which processes may map a user's file at the same time.
 *
 * Two locks. Readers beside readers and a writer alone is the rule among maps, kept by
 * a lock of the open file description on a byte far behind any data. Beside it stands a
 * shared flock, which meets only those programs that lock a file for themselves: .NET's
 * FileStream takes one of the two kinds for every file that it opens, and shares a
 * map's file unless it wants it alone.
 */
#ifndef MMF_OS_LINUX_SECTION_FILE_LOCK_H
#define MMF_OS_LINUX_SECTION_FILE_LOCK_H

#include <stdbool.h>

/*
 * Take both locks. 1: it is ours. 0 with errno EAGAIN: another program has the file in
 * use; other failures are -1 with errno. Failing may leave a lock: close the
 * descriptor.
 */
int mmf_file_lock(int fd, bool writing);

/* Unlock, also what a forked child's copy of the descriptor would keep locked. */
void mmf_file_unlock(int fd);

#endif
