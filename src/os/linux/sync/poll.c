/*
 * poll.c - see poll.h, and store/poll_fd.h for what the descriptors are.
 */
#include "os/linux/sync/poll.h"

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sync/ref.h"
#include "os/linux/sync/system.h"
#include "shared/sync/signal.h"
#include "shared/sync/watchers.h"

/* What polls readable for this handle. */
static struct mmf_poll_fd *
poll_of(struct mmf_os_sync *sync)
{
    return mmf_sync_is_named(sync->local) ? &sync->watch : &sync->local->counter;
}

/*
 * A kill shows as the closing of a descriptor a moment before the kernel drops its locks:
 * some 100 ns, in which it does not sleep, so only a processor that is taken away for
 * longer hides a death, until the object's next event. For so long after such an event the
 * descriptor of a mutex that is owned is readable again at once. No call waits for that.
 */
#define DEATH_SETTLES_NS ((int64_t)5000000)

void
mmf_sync_consume_poll(struct mmf_os_sync *sync)
{
    const struct mmf_poll_fd *poll = poll_of(sync);

    if (mmf_poll_fd_get(poll) < 0)
        return;
    if (!mmf_sync_is_named(sync->local))
        mmf_poll_fd_consume_counter(poll);
    else if (mmf_poll_fd_consume_watch(poll) && sync->local->kind == MMF_KIND_MUTEX)
        mmf_store_relaxed_u64(&sync->settles_until,
                              (uint64_t)(mmf_os_now() + DEATH_SETTLES_NS));
}

/* The owner may just have died, and still looks alive. */
static bool
may_settle(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref)
{
    uint64_t until = mmf_load_relaxed_u64(&sync->settles_until);
    uint64_t owner;

    if (until == 0)
        return false;
    owner = mmf_sync_owner(ref);
    if (owner != 0 && owner != ref->identity && (uint64_t)mmf_os_now() < until)
        return true;
    mmf_store_relaxed_u64(&sync->settles_until, 0);
    return false;
}

void
mmf_sync_rearm_poll(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref)
{
    MMF_ASSERT(ref->context == sync->local);
    if (mmf_poll_fd_get(poll_of(sync)) < 0)
        return;
    if (may_settle(sync, ref) || mmf_sync_is_available(ref, &mmf_sync_linux))
        mmf_sync_linux.notify_pollers(NULL, ref);
}

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    struct mmf_thread *thread = mmf_thread_self();
    bool is_new = mmf_poll_fd_get(poll_of(sync)) < 0;
    struct mmf_sync_ref ref;
    int rc;

    MMF_ASSERT(mmf_sync_is_ours(sync) && fd != NULL);
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    if (mmf_sync_is_named(sync->local))
        rc = mmf_poll_fd_make_watch(&sync->watch, sync->local->object->fd,
                                    sync->local->object->path);
    else
        rc = mmf_poll_fd_make_counter(&sync->local->counter);
    if (rc < 0)
        return rc;
    mmf_sync_make_ref(sync->local, thread, &ref);
    mmf_sync_mark_polled(&ref);
    /* An owner may be dead already, and no process notifies of that any more. */
    if ((is_new && mmf_sync_owner(&ref) != 0) ||
        mmf_sync_is_available(&ref, &mmf_sync_linux))
        mmf_sync_linux.notify_pollers(NULL, &ref);
    *fd = mmf_poll_fd_get(poll_of(sync));
    return MMF_OK;
}

int
mmf_os_sync_watch(struct mmf_os_sync *sync, struct mmf_os_watch *watch)
{
    struct mmf_sync_object *local = sync->local;
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync_ref ref;
    int rc = MMF_OK;

    MMF_ASSERT(mmf_sync_is_ours(sync) && watch != NULL);
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    *watch = (struct mmf_os_watch){.counter = -1};
    if (mmf_sync_is_named(local)) {
        watch->file = local->object->fd;
        watch->path = local->object->path;
    } else {
        rc = mmf_poll_fd_make_counter(&local->counter);
        watch->counter = mmf_poll_fd_get(&local->counter);
    }
    mmf_sync_make_ref(local, thread, &ref);
    mmf_sync_mark_polled(&ref);
    return rc;
}

bool
mmf_os_sync_is_available(struct mmf_os_sync *sync)
{
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync_ref ref;

    MMF_ASSERT(mmf_sync_is_ours(sync));
    if (thread == NULL)
        return true; /* the wait says why not */
    mmf_sync_make_ref(sync->local, thread, &ref);
    return mmf_sync_is_available(&ref, &mmf_sync_linux) ||
           mmf_sync_if_dead(&ref, mmf_sync_owner(&ref), &mmf_sync_linux) != 0;
}
