/*
 * ref.c - see ref.h.
 */
#include "os/linux/sync/ref.h"

#include "base/invariant.h"
#include "os/linux/sync/own.h"

void
mmf_sync_make_ref(struct mmf_sync_object *local, const struct mmf_thread *thread,
                  struct mmf_sync_ref *ref)
{
    MMF_ASSERT(local->shared != NULL && thread->number > 0);
    ref->shared = local->shared;
    ref->kind = local->kind;
    ref->identity = mmf_sync_identity_of(local, thread);
    if (mmf_sync_is_named(local)) {
        ref->order[0] = local->object->device;
        ref->order[1] = local->object->inode;
    } else {
        ref->order[0] = UINT64_MAX; /* after the named ones */
        ref->order[1] = (uintptr_t)local;
    }
    /* Threads can end without a word, too; but only a mutex has an owner. */
    ref->is_watched = mmf_sync_is_named(local) || local->kind == MMF_KIND_MUTEX;
    ref->context = local;
}
