/*
 * threads.h - this process's threads as owners of mutexes.
 */
#ifndef MMF_OS_LINUX_SYNC_THREADS_H
#define MMF_OS_LINUX_SYNC_THREADS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

struct mmf_sync_object;

/*
 * A thread's record. Only the thread itself uses it, but any thread may read `self`, at
 * any time: a record is never freed, it goes to another thread when its own has ended.
 */
struct mmf_thread {
    mmf_atomic_pointer self; /* the thread that has it, see mmf_thread_key; or NULL */
    uint32_t number;         /* 1 and up; of this process alone */
    uint32_t fork_epoch;     /* of the process: a fork's child starts afresh */
    int exits_left;          /* rounds of key destructors to let pass */
    struct mmf_sync_object *owned;  /* mutexes, the latest first */
    struct mmf_thread *next_unused; /* of the records that no thread has */
};

/* What is done when a thread ends. */
struct mmf_thread_ops {
    void (*abandon_owned)(struct mmf_thread *thread); /* it owns mutexes */
};

/* Set them. Before the first mutex is made; all callers pass the same ones. */
void mmf_thread_watch_ends(const struct mmf_thread_ops *ops);

/* The calling thread's record. NULL: no memory, mmf_fail called. */
struct mmf_thread *mmf_thread_self(void);

/*
 * The same if it has one in this process; else NULL: then it owns no mutex. May be
 * called with the process's mutex.
 */
struct mmf_thread *mmf_thread_find(void);

/* A value that no other living thread has. */
static inline void *
mmf_thread_key(void)
{
    return (void *)(uintptr_t)pthread_self();
}

/*
 * The calling thread's record if `*guess` is it, else NULL. This is quicker than
 * mmf_thread_self: in a library that can be loaded at run time each access to a
 * thread-local variable is a call, and a slow one. `*guess` may be any record, or NULL.
 */
static inline struct mmf_thread *
mmf_thread_guess(const mmf_atomic_pointer *guess)
{
    struct mmf_thread *thread = mmf_load_acquire_pointer(guess);

    if (thread == NULL || mmf_load_acquire_pointer(&thread->self) != mmf_thread_key())
        return NULL;
    return thread;
}

#endif
