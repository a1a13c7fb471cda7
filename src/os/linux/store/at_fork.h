/* at_fork.h - what fork does to the objects that this process holds. */
#ifndef MMF_OS_LINUX_STORE_AT_FORK_H
#define MMF_OS_LINUX_STORE_AT_FORK_H

/*
 * Watch for forks from now on. Called before the first lock descriptor is opened, by
 * each function that may be the first. MMF_OK, or MMF_E_NO_MEMORY with mmf_fail.
 */
int mmf_watch_forks(void);

#endif
