/*
 * object.h - handles on mutexes, events and semaphores.
 */
#ifndef MMF_OS_LINUX_SYNC_OBJECT_H
#define MMF_OS_LINUX_SYNC_OBJECT_H

/* The handle was made before a fork, by the parent process. MMF_E_DISPOSED. */
int mmf_sync_fail_dead(void);

#endif
