/*
 * poll.c - see poll.h, and store/poll_fd.h for what the descriptors are.
 */
#include "os/linux/sync/poll.h"

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sync/ref.h"
#include "os/linux/sync/system.h"
#include "shared/sync/signal.h"

/* What polls readable for this handle. */
static struct mmf_poll_fd *
poll_of(struct mmf_os_sync *sync)
{
    return mmf_sync_is_named(sync->local) ? &sync->watch : &sync->local->counter;
}

/*
 * A kill shows as the closing of a descriptor a moment before the kernel drops its
 * locks. A poll that follows such an event tries again for this long; milliseconds. The
 * kernel needs some 100 ns from the one to the other and does not sleep there, so only a
 * processor that is taken away for longer hides a death, until the object's next event;
 * a wait that sleeps looks for the dead by itself.
 */
enum { DEATH_SETTLES_MS = 5 };

int32_t
mmf_sync_consume_poll(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    const struct mmf_poll_fd *poll = poll_of(sync);

    if (mmf_poll_fd_get(poll) < 0)
        return timeout_ms;
    if (!mmf_sync_is_named(sync->local)) {
        mmf_poll_fd_consume_counter(poll);
        return timeout_ms;
    }
    if (mmf_poll_fd_consume_watch(poll) && sync->local->kind == MMF_KIND_MUTEX &&
        timeout_ms >= 0 && timeout_ms < DEATH_SETTLES_MS)
        return DEATH_SETTLES_MS;
    return timeout_ms;
}

void
mmf_sync_rearm_poll(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref)
{
    MMF_ASSERT(ref->context == sync->local);
    if (mmf_poll_fd_get(poll_of(sync)) < 0)
        return;
    if (mmf_sync_is_available(ref, &mmf_sync_linux))
        mmf_sync_linux.notify_pollers(NULL, ref);
}

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    struct mmf_thread *thread = mmf_thread_self();
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
    mmf_sync_rearm_poll(sync, &ref);
    *fd = mmf_poll_fd_get(poll_of(sync));
    return MMF_OK;
}
