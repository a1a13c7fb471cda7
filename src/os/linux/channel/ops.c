/*
 * ops.c - see ops.h.
 */
#include "os/linux/channel/ops.h"

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/poll_fd.h"
#include "os/linux/sys/futex.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

static int64_t
now(void *context)
{
    (void)context;
    return mmf_os_now();
}

static void
sleep_on(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, int64_t until)
{
    uint32_t *word = (uint32_t *)(void *)doorbell;

    (void)context;
    mmf_futex_sleep(&word, &expected, 1, until);
}

static int
wake_sleepers(void *context, mmf_atomic_u32 *doorbell, int count)
{
    MMF_ASSERT(count > 0);
    (void)context;
    return mmf_futex_wake((uint32_t *)(void *)doorbell, count);
}

static void
notify_pollers(void *context)
{
    struct mmf_channel_handle *handle = context;

    mmf_poll_fd_notify_watches(handle->object->fd);
}

static int
is_alive(void *context, uint64_t ticket)
{
    struct mmf_channel_handle *handle = context;

    return ticket == handle->object->ticket ||
           mmf_lock_is_self_alive(handle->object->fd, ticket);
}

/*
 * Spinning is of use if the peer runs meanwhile. That a thread is bound to one processor
 * says nothing: its peer may be bound to another one.
 */
struct mmf_ring_ops
mmf_channel_ops_for(struct mmf_channel_handle *handle)
{
    MMF_ASSERT(handle->object != NULL && handle->object->fd >= 0);
    return (struct mmf_ring_ops){.now = now,
                                 .sleep = sleep_on,
                                 .wake = wake_sleepers,
                                 .notify_pollers = notify_pollers,
                                 .is_alive = is_alive,
                                 .context = handle,
                                 .may_spin = mmf_sys_cpu_count() != 1};
}
