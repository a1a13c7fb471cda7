/*
 * threads.h - this process's threads as owners of mutexes.
 */
#ifndef MMF_OS_LINUX_SYNC_THREADS_H
#define MMF_OS_LINUX_SYNC_THREADS_H

#include <features.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/linux/sys/fork.h"

struct mmf_sync_object;

/*
 * A thread's record. Only the thread itself uses it. One that ends without a word, by
 * exit(2) or its seccomp filter, leaves it.
 */
struct mmf_thread {
    uint32_t number;               /* the kernel's */
    uint32_t fork_epoch;           /* of the process: a fork's child starts afresh */
    int exits_left;                /* rounds of key destructors to let pass */
    struct mmf_sync_object *owned; /* mutexes, the latest first */
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
 * In a library that can be loaded at run time each access to a thread-local variable is a
 * call, and a slow one; but glibc keeps some space for such that need it to be quick.
 */
#ifdef __GLIBC__
#define MMF_QUICK_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define MMF_QUICK_THREAD_LOCAL _Thread_local
#endif

extern MMF_QUICK_THREAD_LOCAL struct mmf_thread *mmf_thread_mine;

/*
 * The calling thread's record if it has one in this process; else NULL: then it owns no
 * mutex. May be called with the process's mutex.
 */
static inline struct mmf_thread *
mmf_thread_find(void)
{
    struct mmf_thread *mine = mmf_thread_mine;

    return mine != NULL && mine->fork_epoch == mmf_fork_epoch() ? mine : NULL;
}

/* False: the thread of that record has ended, without a word. */
bool mmf_thread_is_alive(const struct mmf_thread *thread);

#endif
