/*
 * own.h - a thread's list of the mutexes that it owns. Only the thread itself
 * touches it.
 */
#ifndef MMF_OS_LINUX_SYNC_OWN_H
#define MMF_OS_LINUX_SYNC_OWN_H

#include <stdbool.h>

#include "base/invariant.h"
#include "os/linux/sync/part.h"

/* The thread's identity at the object. */
static inline uint64_t
mmf_sync_identity_of(const struct mmf_sync_object *local,
                     const struct mmf_thread *thread)
{
    return mmf_sync_identity(local->ticket, thread->number);
}

/*
 * A process that writes garbage into the shared word can make a thread own what is in the
 * list of another, or in no list. The thread gets wrong answers then; the lists stay
 * sound.
 */
static inline bool
mmf_sync_is_listed(const struct mmf_thread *thread, const struct mmf_sync_object *local)
{
    /* Acquire: what was written before `owned`, `last_owner`, is as new as that. */
    return mmf_load_acquire_u32(&local->owned) != 0 &&
           mmf_load_acquire_pointer(&local->last_owner) == thread;
}

static inline void
mmf_sync_note_owned(struct mmf_thread *thread, struct mmf_sync_object *local)
{
    const struct mmf_thread *owner = mmf_load_acquire_pointer(&local->last_owner);

    /* Taken again; but a dead thread's list is used by no thread any more. */
    if (mmf_load_acquire_u32(&local->owned) &&
        (owner == thread || mmf_thread_is_alive(owner)))
        return;
    mmf_store_release_pointer(&local->last_owner, thread);
    mmf_store_release_u32(&local->owned, 1);
    local->previous_owned = NULL;
    local->next_owned = thread->owned;
    if (thread->owned != NULL)
        thread->owned->previous_owned = local;
    thread->owned = local;
}

static inline void
mmf_sync_note_not_owned(struct mmf_thread *thread, struct mmf_sync_object *local)
{
    MMF_ASSERT(mmf_sync_is_listed(thread, local));
    if (local->previous_owned != NULL)
        local->previous_owned->next_owned = local->next_owned;
    else
        thread->owned = local->next_owned;
    if (local->next_owned != NULL)
        local->next_owned->previous_owned = local->previous_owned;
    mmf_store_relaxed_u32(&local->owned, 0);
}

#endif
