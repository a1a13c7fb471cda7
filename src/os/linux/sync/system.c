/*
 * system.c - see sync_system.h.
 */
#include "os/linux/sync/system.h"

#include "os/linux/sys/futex.h"
#include "os/linux/store/lock.h"
#include "os/linux/sync/poll_fd.h"
#include "os/linux/sync/own.h"
#include "os/linux/sys/sys.h"

static struct mmf_sync_object *
local_of(const struct mmf_sync *sync)
{
    return sync->context;
}

int64_t
mmf_sync_now(void *context)
{
    struct timespec now = {0};

    (void)context;
    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
sleep_on(void *context, const struct mmf_sync *objects, const uint32_t *expected,
         const uint32_t *shifts, int count, int64_t until)
{
    uint32_t *words[2 * MMF_SYNC_MOST];
    uint32_t values[2 * MMF_SYNC_MOST];

    (void)context;
    for (int i = 0; i < count; i++) {
        words[i] = mmf_sync_futex(objects[i].shared);
        values[i] = expected[i];
        if (shifts == NULL)
            continue;
        words[count + i] = mmf_sync_shifts(objects[i].shared);
        values[count + i] = shifts[i];
    }
    mmf_futex_sleep(words, values, count, shifts == NULL ? 0 : count, until);
}

static void
wake_sleepers(void *context, const struct mmf_sync *object, int count)
{
    (void)context;
    mmf_futex_wake(mmf_sync_futex(object->shared), count);
}

static void
touch_object(void *context, const struct mmf_sync *object)
{
    (void)context;
    mmf_sync_hint_give(local_of(object));
}

static int
is_alive(void *context, const struct mmf_sync *object, uint64_t ticket)
{
    struct mmf_sync_object *local = local_of(object);

    (void)context;
    if (local->object == NULL)
        return 1; /* a thread of ours; its end frees the mutex */
    return mmf_lock_is_self_alive(local->object->fd, ticket);
}

const struct mmf_sync_ops mmf_sync_linux = {.now = mmf_sync_now,
                                            .sleep = sleep_on,
                                            .wake = wake_sleepers,
                                            .touch = touch_object,
                                            .is_alive = is_alive};

void
mmf_sync_make_grip(struct mmf_sync_object *local, const struct mmf_thread *thread,
                   struct mmf_sync *grip)
{
    grip->shared = local->shared;
    grip->kind = local->kind;
    grip->identity = mmf_sync_identity_of(local, thread);
    if (local->object != NULL) {
        grip->order[0] = local->object->device;
        grip->order[1] = local->object->inode;
    } else {
        grip->order[0] = UINT64_MAX; /* after the named ones */
        grip->order[1] = (uintptr_t)local;
    }
    grip->is_shared = local->object != NULL;
    grip->context = local;
}
