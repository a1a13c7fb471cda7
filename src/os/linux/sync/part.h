/*
 * part.h - this process's part of a mutex, an event or a semaphore.
 */
#ifndef MMF_OS_LINUX_SYNC_PART_H
#define MMF_OS_LINUX_SYNC_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "os/linux/store/objects.h"
#include "os/linux/store/poll_fd.h"
#include "os/linux/sync/threads.h"
#include "os/linux/sys/fork.h"
#include "os/os.h"
#include "shared/sync/word.h"

/* One per process and object, whatever the number of handles. */
struct mmf_sync_object {
    struct mmf_object *object; /* NULL: unnamed */
    void *mapped;            /* the whole file, the control page last; NULL: unnamed */
    mmf_atomic_pointer more; /* the slots beyond those in `shared`; NULL: none yet */
    mmf_atomic_u32 reach;    /* their bytes that this process knows to be allocated */
    struct mmf_sync_shared *shared;
    mmf_kind kind;
    uint64_t ticket;
    uint32_t pid_space; /* of this process */
    uint32_t fork_epoch;
    mmf_atomic_pointer last_owner; /* the thread whose list has it, if `owned` */
    struct mmf_poll_fd counter;    /* unnamed: what polls readable */
    int handles;                   /* unnamed; a named one's are counted by `object` */
    struct mmf_sync_object *next_staying; /* unnamed, without handles */
    mmf_atomic_u32 owned; /* 1: a thread of this process owns the mutex */
    /* That thread's list; only that thread uses these. */
    struct mmf_sync_object *next_owned;
    struct mmf_sync_object *previous_owned;
};

/* A handle. */
struct mmf_os_sync {
    struct mmf_sync_object *local;
    struct mmf_poll_fd watch;     /* named: what polls readable */
    mmf_atomic_u64 settles_until; /* of that: the owner may just have died; 0: no */
};

/* Whether this process may use the handle's object: it was not made before a fork. */
static inline bool
mmf_sync_is_ours(const struct mmf_os_sync *sync)
{
    return sync->local->fork_epoch == mmf_fork_epoch();
}

static inline bool
mmf_sync_is_named(const struct mmf_sync_object *local)
{
    return local->object != NULL;
}

#endif
