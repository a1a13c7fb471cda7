/*
 * thread.h - this process's threads as owners of mutexes.
 */
#ifndef MMF_OS_LINUX_THREAD_H
#define MMF_OS_LINUX_THREAD_H

#include <stdint.h>

struct mmf_sync_object;

/* A thread's record. Only the thread itself uses it. */
struct mmf_thread {
    uint32_t number;               /* 1 and up; of this process alone */
    uint32_t generation;           /* of the process: a fork's child starts afresh */
    int exits_left;                /* rounds of key destructors to let pass */
    struct mmf_sync_object *owned; /* mutexes, the latest first */
};

/* The calling thread's record. NULL: no memory, mmf_fail called. */
struct mmf_thread *mmf_thread_self(void);

#endif
