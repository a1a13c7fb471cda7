/*
 * ops.c - what the rings need of the system (shared/ring/wait.h).
 */
#include "os/windows/channel/handle.h"

#include "base/invariant.h"
#include "os/os.h"

static int64_t
now(void *context)
{
    (void)context;
    return mmf_os_now();
}

static const struct mmf_tokens *
tokens_of(const struct mmf_channel_handle *handle, const mmf_atomic_u32 *doorbell)
{
    const struct mmf_ring_shared *ring = handle->ring.shared;

    MMF_ASSERT(doorbell == &ring->message_doorbell ||
               doorbell == &ring->space_doorbell);
    return doorbell == &ring->message_doorbell ? &handle->message_tokens
                                               : &handle->space_tokens;
}

static void
sleep_on(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, int64_t until)
{
    mmf_tokens_sleep(tokens_of(context, doorbell), doorbell, expected,
                     until - mmf_os_now());
}

static void *
begin_sleep(void *context, mmf_atomic_u32 *doorbell, uint32_t expected)
{
    return mmf_tokens_begin_sleep(tokens_of(context, doorbell), doorbell, expected);
}

static void
end_sleep(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, bool woken)
{
    mmf_tokens_end_sleep(tokens_of(context, doorbell), expected, woken);
}

static int
wake_sleepers(void *context, mmf_atomic_u32 *doorbell, int count)
{
    return mmf_tokens_wake(tokens_of(context, doorbell), doorbell, count);
}

/* There are no descriptors to poll. */
static void
notify_pollers(void *context)
{
    (void)context;
}

static int
is_alive(void *context, uint64_t ticket)
{
    struct mmf_channel_handle *handle = context;

    return (ticket == handle->ticket.number && ticket != 0) ||
           mmf_ticket_is_alive(&handle->name, ticket);
}

/* Spinning is of use if the peer runs meanwhile. */
static bool
has_processors(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return system.dwNumberOfProcessors != 1;
}

struct mmf_ring_ops
mmf_channel_ops_for(struct mmf_channel_handle *handle)
{
    MMF_ASSERT(handle->section != NULL && handle->ring.shared != NULL);
    return (struct mmf_ring_ops){.now = now,
                                 .sleep = sleep_on,
                                 .begin_sleep = begin_sleep,
                                 .end_sleep = end_sleep,
                                 .wake = wake_sleepers,
                                 .notify_pollers = notify_pollers,
                                 .is_alive = is_alive,
                                 .context = handle,
                                 .may_spin = has_processors()};
}
