/*
 * object.h - this process's part of a mutex, an event or a semaphore.
 */
#ifndef MMF_OS_LINUX_SYNC_OBJECT_H
#define MMF_OS_LINUX_SYNC_OBJECT_H

#include <stdint.h>

#include "base/atomic.h"
#include "os/linux/store/objects.h"
#include "os/linux/sync/threads.h"
#include "os/os.h"
#include "shared/sync/word.h"

/* One per process and object, whatever the number of handles. */
struct mmf_sync_object {
    struct mmf_object *object; /* NULL: unnamed */
    void *page;                /* the mapped control page; NULL: unnamed */
    struct mmf_sync_shared *shared;
    mmf_kind kind;
    uint64_t ticket;
    uint32_t generation;
    mmf_atomic_pointer last_owner; /* a guess at whose record comes next */
    mmf_atomic_u32 counter_fd; /* unnamed, once somebody polls: an eventfd, plus 1 */
    int handles;               /* unnamed; a named one's are counted by `object` */
    mmf_atomic_u32 owned;      /* 1: a thread of this process owns the mutex */
    /* That thread's list; only it touches these. */
    struct mmf_sync_object *next_owned;
    struct mmf_sync_object *previous_owned;
};

/* A handle. */
struct mmf_os_sync {
    struct mmf_sync_object *local;
    mmf_atomic_u32 watch_fd; /* named, once somebody polls: an inotify one, plus 1 */
};

/* Whether the handle's object is one that this process may use. */
static inline int
mmf_sync_is_ours(const struct mmf_os_sync *sync)
{
    return sync->local->generation == mmf_object_generation();
}

/* It is not: the handle is of before a fork. MMF_E_DISPOSED. */
int mmf_sync_fail_dead(void);

/* 1: a thread of ours owns it, so the process must go on living at this object. */
int mmf_sync_is_owned(const struct mmf_sync_object *local);

/*
 * The object is gone with this process's last handle: if the calling thread owns the
 * mutex, it owns nothing any more. 1: so it was.
 */
int mmf_sync_disown(struct mmf_sync_object *local);

/* Unmap and free; the object is going. */
void mmf_sync_destroy(struct mmf_sync_object *local);

/* The thread ends: what it owns is abandoned. */
void mmf_sync_abandon_owned(struct mmf_thread *thread);

#endif
