/*
 * fork.h - what fork means to the library: the process's one mutex, its id and its fork
 * epoch.
 *
 * fork copies memory, so a child of it must not believe everything that it finds there.
 * The mutex is held while the process forks, and what it guards is then whole.
 */
#ifndef MMF_OS_LINUX_SYS_FORK_H
#define MMF_OS_LINUX_SYS_FORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/atomic.h"
#include "os/os.h"

/*
 * The process's one mutex. It guards the table of objects, the notes about lock
 * descriptors and what else fork must find whole; never wait for another process or
 * thread while you hold it. A function whose name ends in _locked is called with it.
 */
void mmf_process_lock(void);
void mmf_process_unlock(void);

/* Whether the calling thread holds it. For MMF_ASSERT. */
bool mmf_process_is_locked(void);

/* What is done at each fork, with the mutex; and once before the first. */
struct mmf_fork_hooks {
    void (*at_start)(void); /* without the mutex */
    void (*before)(void);
    void (*in_child)(void); /* the child has its own epoch and process id by then */
};

/*
 * Call the hooks at each fork from now on; all callers pass the same ones. Only the
 * first call in a process does anything. Returns 0, or -1 with errno.
 */
int mmf_fork_watch(const struct mmf_fork_hooks *hooks);

/* This process's id, without a system call. After mmf_fork_watch. */
pid_t mmf_process_id(void);

/* How many forks lie between this process and the program's start. */
static inline uint32_t
mmf_fork_epoch(void)
{
    return mmf_load_relaxed_u32(&mmf_os_forks);
}

#endif
