/*
 * ops.c - what the rings need of the system (shared/ring/wait.h).
 */
#include "os/windows/channel/handle.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"

static int64_t
now(void *context)
{
    (void)context;
    return mmf_os_now();
}

/* The tokens of a client's doorbell, which lies in its part. NULL: the system has none. */
static const struct mmf_tokens *
client_tokens_of(struct mmf_channel_handle *handle, const mmf_atomic_u32 *doorbell)
{
    const struct mmf_ring_shape *shape = &handle->ring.shape;
    uint8_t *parts = handle->ring.slots + mmf_service_parts_at(shape);
    uint64_t size = mmf_service_part_size(shape);
    uint32_t number = (uint32_t)((uint64_t)((const uint8_t *)doorbell - parts) / size);
    struct mmf_client_shared *client = (void *)(parts + number * size);
    bool is_answer = doorbell == &client->answer_doorbell;
    struct mmf_tokens *tokens = &handle->client_tokens[number][!is_answer];
    mmf_error before;

    MMF_ASSERT(number < shape->max_senders);
    if (tokens->sleepers != NULL && tokens->semaphores[0] != NULL)
        return tokens;
    mmf_last_error(&before);
    if (mmf_tokens_open(tokens, &handle->name, is_answer ? L'a' : L'b',
                        number * MMF_SLEEPERS_TURNS,
                        is_answer ? &client->answer_sleepers : &client->space_sleepers,
                        is_answer ? 1 : shape->max_receivers) == MMF_OK)
        return tokens;
    mmf_fail_restore(&before);
    return NULL;
}

static const struct mmf_tokens *
tokens_of(struct mmf_channel_handle *handle, const mmf_atomic_u32 *doorbell)
{
    const struct mmf_ring_shared *ring = handle->ring.shared;

    if (doorbell == &ring->message_doorbell)
        return &handle->message_tokens;
    if (doorbell == &ring->space_doorbell)
        return &handle->space_tokens;
    return client_tokens_of(handle, doorbell);
}

static void
sleep_on(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, int64_t until)
{
    const struct mmf_tokens *tokens = tokens_of(context, doorbell);
    int64_t length = until - mmf_os_now();

    if (tokens != NULL)
        mmf_tokens_sleep(tokens, doorbell, expected, length);
    else if (length > 0)
        mmf_os_sleep(length < MMF_RING_TICK ? length : MMF_RING_TICK);
}

static void *
begin_sleep(void *context, mmf_atomic_u32 *doorbell, uint32_t expected)
{
    const struct mmf_tokens *tokens = tokens_of(context, doorbell);

    if (tokens != NULL)
        return mmf_tokens_begin_sleep(tokens, doorbell, expected);
    mmf_os_sleep(1000000); /* nothing can wake us: look again soon */
    return NULL;
}

static void
end_sleep(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, bool woken)
{
    const struct mmf_tokens *tokens = tokens_of(context, doorbell);

    if (tokens != NULL)
        mmf_tokens_end_sleep(tokens, expected, woken);
}

static int
wake_sleepers(void *context, mmf_atomic_u32 *doorbell, int count)
{
    const struct mmf_tokens *tokens = tokens_of(context, doorbell);

    return tokens != NULL ? mmf_tokens_wake(tokens, doorbell, count) : count;
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
