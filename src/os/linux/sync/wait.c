/*
 * wait.c - waiting for objects, and signalling them: the fast path here, the slow path
 * in shared/sync/wait.c and shared/sync/signal.c.
 */
#include <stdlib.h>

#include <mmf/sync.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sync/object.h"
#include "os/linux/sync/own.h"
#include "os/linux/sync/part.h"
#include "os/linux/sync/poll.h"
#include "os/linux/sync/ref.h"
#include "os/linux/sync/system.h"
#include "os/os.h"
#include "shared/sync/signal.h"

/*
 * Waiting.
 */

static void
note_taken(struct mmf_thread *thread, struct mmf_os_sync *sync)
{
    MMF_ASSERT(thread != NULL);
    if (sync->local->kind == MMF_KIND_MUTEX)
        mmf_sync_note_owned(thread, sync->local);
}

/*
 * The fast path: the object is available, and no other thread waits for it. None polls
 * it either, for that is a flag in the word.
 */
static bool
take_at_once(struct mmf_sync_object *local)
{
    struct mmf_thread *thread = NULL;
    uint64_t identity = 0;

    MMF_ASSERT(local->shared != NULL);
    if (local->kind == MMF_KIND_MUTEX) {
        thread = mmf_thread_find();
        if (thread == NULL)
            return false;
        identity = mmf_sync_identity_of(local, thread);
    }
    if (!mmf_sync_try_take(local->shared, local->kind, identity))
        return false;
    if (thread != NULL)
        mmf_sync_note_owned(thread, local);
    return true;
}

static int
wait_for_one(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync_ref ref;
    int index;
    int rc;

    MMF_ASSERT(mmf_sync_is_ours(sync));
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    mmf_sync_make_ref(sync->local, thread, &ref);
    mmf_sync_consume_poll(sync);
    rc = mmf_sync_wait_any(&ref, 1, mmf_sync_deadline(&mmf_sync_linux, timeout_ms),
                           &mmf_sync_linux, &index);
    if (rc == MMF_OK || rc == MMF_ABANDONED)
        note_taken(thread, sync);
    mmf_sync_rearm_poll(sync, &ref);
    return rc;
}

int
mmf_os_sync_wait(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    if (!mmf_sync_is_ours(sync))
        return mmf_sync_fail_dead();
    return take_at_once(sync->local) ? MMF_OK : wait_for_one(sync, timeout_ms);
}

/*
 * Of an object that was given more than once, the first index: it may have been signalled
 * between the tries at the one and the other.
 */
static int
first_index(struct mmf_os_sync *const *syncs, int index)
{
    MMF_ASSERT(index >= 0);
    for (int i = 0; i < index; i++) {
        if (mmf_os_sync_is_same(syncs[i], syncs[index]))
            return i;
    }
    return index;
}

/* Without objects there is no signal that can be given to this thread. */
static int
wait_for_channels(struct mmf_os_beside *beside, int64_t deadline)
{
    MMF_ASSERT(beside != NULL && beside->count > 0);
    do {
        if (beside->is_over(beside->context))
            break;
        mmf_sync_sleep_beside(beside, deadline);
    } while (mmf_os_now() < deadline);
    return MMF_TIMED_OUT;
}

int
mmf_os_sync_wait_any(struct mmf_os_sync *const *syncs, int count,
                     struct mmf_os_beside *beside, int32_t timeout_ms, int *index)
{
    struct mmf_sync_ref refs[MMF_WAIT_MAXIMUM];
    const struct mmf_sync_ops ops =
        beside == NULL ? mmf_sync_linux : mmf_sync_linux_beside(beside);
    struct mmf_thread *thread = mmf_thread_self();
    int rc;

    MMF_ASSERT(count >= 0 && count <= MMF_WAIT_MAXIMUM);
    if (count == 0)
        return wait_for_channels(beside, mmf_sync_deadline(&ops, timeout_ms));
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        mmf_sync_make_ref(syncs[i]->local, thread, &refs[i]);
        mmf_sync_consume_poll(syncs[i]);
    }
    rc = mmf_sync_wait_any(refs, count, mmf_sync_deadline(&ops, timeout_ms), &ops,
                           index);
    if (rc == MMF_OK || rc == MMF_ABANDONED) {
        *index = first_index(syncs, *index);
        note_taken(thread, syncs[*index]);
    }
    for (int i = 0; i < count; i++)
        mmf_sync_rearm_poll(syncs[i], &refs[i]);
    return rc;
}

static int
compare_refs(const void *one, const void *other)
{
    const struct mmf_sync_ref *a = one;
    const struct mmf_sync_ref *b = other;

    if (a->order[0] != b->order[0])
        return a->order[0] < b->order[0] ? -1 : 1;
    if (a->order[1] != b->order[1])
        return a->order[1] < b->order[1] ? -1 : 1;
    return 0;
}

int
mmf_os_sync_wait_all(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms)
{
    struct mmf_sync_ref refs[MMF_WAIT_MAXIMUM];
    struct mmf_thread *thread = mmf_thread_self();
    int rc;

    MMF_ASSERT(count > 0 && count <= MMF_WAIT_MAXIMUM);
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        mmf_sync_make_ref(syncs[i]->local, thread, &refs[i]);
        mmf_sync_consume_poll(syncs[i]);
    }
    qsort(refs, (size_t)count, sizeof(refs[0]), compare_refs);
    rc = mmf_sync_wait_all(refs, count, mmf_sync_deadline(&mmf_sync_linux, timeout_ms),
                           &mmf_sync_linux);
    for (int i = 0; i < count; i++) {
        struct mmf_sync_ref ref;

        if (rc == MMF_OK || rc == MMF_ABANDONED)
            note_taken(thread, syncs[i]);
        mmf_sync_make_ref(syncs[i]->local, thread, &ref);
        mmf_sync_rearm_poll(syncs[i], &ref);
    }
    return rc;
}

/*
 * Signalling.
 */

/* The word has flags, or the caller owns the mutex several times or not at all. */
static int
release_mutex(struct mmf_sync_object *local, const struct mmf_thread *thread)
{
    struct mmf_sync_ref ref;
    int32_t ignored;

    MMF_ASSERT(local->kind == MMF_KIND_MUTEX);
    mmf_sync_make_ref(local, thread, &ref);
    return mmf_sync_signal(&ref, 1, &ignored, &mmf_sync_linux);
}

int
mmf_os_mutex_release(struct mmf_os_sync *mutex)
{
    struct mmf_sync_object *local = mutex->local;
    struct mmf_thread *thread;
    uint64_t identity;

    if (!mmf_sync_is_ours(mutex))
        return mmf_sync_fail_dead();
    thread = mmf_thread_self();
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    identity = mmf_sync_identity_of(local, thread);
    if (mmf_sync_is_listed(thread, local) &&
        mmf_sync_is_owned_once(local->shared, identity)) {
        /* Off the list before the word is free: another thread may take it at once. */
        mmf_sync_note_not_owned(thread, local);
        if (mmf_sync_try_release_mutex(local->shared, identity))
            return MMF_OK;
    }
    return release_mutex(local, thread);
}

/* What signalling an event or a semaphore needs of a reference: they have no owner. */
static struct mmf_sync_ref
ref_without_thread(struct mmf_sync_object *local)
{
    return (struct mmf_sync_ref){
        .shared = local->shared, .kind = local->kind, .context = local};
}

static int
set_event(struct mmf_sync_object *local)
{
    struct mmf_sync_ref ref = ref_without_thread(local);
    int32_t ignored;

    MMF_ASSERT(local->kind == MMF_KIND_EVENT);
    return mmf_sync_signal(&ref, 1, &ignored, &mmf_sync_linux);
}

int
mmf_os_event_set(struct mmf_os_sync *event)
{
    if (!mmf_sync_is_ours(event))
        return mmf_sync_fail_dead();
    return mmf_sync_try_set_event(event->local->shared) ? MMF_OK
                                                        : set_event(event->local);
}

int
mmf_os_event_reset(struct mmf_os_sync *event)
{
    struct mmf_sync_ref ref = ref_without_thread(event->local);

    return mmf_sync_is_ours(event) ? mmf_sync_reset_event(&ref, &mmf_sync_linux)
                                   : mmf_sync_fail_dead();
}

static int
release_semaphore(struct mmf_sync_object *local, int32_t count, int32_t *previous)
{
    struct mmf_sync_ref ref = ref_without_thread(local);

    MMF_ASSERT(local->kind == MMF_KIND_SEMAPHORE && count > 0);
    return mmf_sync_signal(&ref, count, previous, &mmf_sync_linux);
}

int
mmf_os_semaphore_release(struct mmf_os_sync *semaphore, int32_t count,
                         int32_t *previous)
{
    struct mmf_sync_object *local = semaphore->local;

    if (!mmf_sync_is_ours(semaphore))
        return mmf_sync_fail_dead();
    return mmf_sync_try_release_semaphore(local->shared, count, previous)
               ? MMF_OK
               : release_semaphore(local, count, previous);
}

static int
signal_object(struct mmf_os_sync *object, mmf_kind kind)
{
    int32_t previous;

    switch (kind) {
    case MMF_KIND_MUTEX:
        return mmf_os_mutex_release(object);
    case MMF_KIND_EVENT:
        return mmf_os_event_set(object);
    default:
        return mmf_os_semaphore_release(object, 1, &previous);
    }
}

int
mmf_os_sync_signal_and_wait(struct mmf_os_sync *to_signal, mmf_kind kind,
                            struct mmf_os_sync *to_wait_on, int32_t timeout_ms)
{
    int rc = signal_object(to_signal, kind);

    MMF_ASSERT(mmf_sync_is_ours(to_signal) && mmf_sync_is_ours(to_wait_on));
    return rc < 0 ? rc : mmf_os_sync_wait(to_wait_on, timeout_ms);
}
