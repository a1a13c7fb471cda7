/*
 * system.c - see system.h.
 */
#include "os/linux/sync/system.h"

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/sync/part.h"
#include "os/linux/sync/poll.h"
#include "os/linux/sys/futex.h"
#include "os/os.h"

static struct mmf_sync_object *
local_of(const struct mmf_sync_ref *sync)
{
    return sync->context;
}

static int64_t
now(void *context)
{
    (void)context;
    return mmf_os_now();
}

static void
sleep_on(void *context, const struct mmf_sync_ref *objects, const uint32_t *expected,
         const uint32_t *epochs, int count, int64_t until)
{
    uint32_t *words[2 * MMF_SYNC_OBJECTS_MAX];
    uint32_t values[2 * MMF_SYNC_OBJECTS_MAX];

    (void)context;
    MMF_ASSERT(count > 0 && count <= MMF_SYNC_OBJECTS_MAX);
    for (int i = 0; i < count; i++) {
        words[i] = mmf_sync_futex(objects[i].shared);
        values[i] = expected[i];
        if (epochs == NULL)
            continue;
        words[count + i] = mmf_sync_watch_epoch(objects[i].shared);
        values[count + i] = epochs[i];
    }
    mmf_futex_sleep(words, values, count, epochs == NULL ? 0 : count, until);
}

static void
wake_sleepers(void *context, const struct mmf_sync_ref *object, int count)
{
    (void)context;
    mmf_futex_wake(mmf_sync_futex(object->shared), count);
}

static void
notify_pollers(void *context, const struct mmf_sync_ref *object)
{
    (void)context;
    mmf_sync_notify_pollers(local_of(object));
}

static int
is_alive(void *context, const struct mmf_sync_ref *object, uint64_t ticket)
{
    struct mmf_sync_object *local = local_of(object);

    (void)context;
    if (local->object == NULL)
        return 1; /* a thread of this process; its end frees the mutex */
    return mmf_lock_is_self_alive(local->object->fd, ticket);
}

const struct mmf_sync_ops mmf_sync_linux = {.now = now,
                                            .sleep = sleep_on,
                                            .wake = wake_sleepers,
                                            .notify_pollers = notify_pollers,
                                            .is_alive = is_alive};
