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
local_of(const struct mmf_sync_ref *sync)
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
sleep_on(void *context, const struct mmf_sync_ref *objects, const uint32_t *expected,
         const uint32_t *shifts, int count, int64_t until)
{
    uint32_t *words[2 * MMF_SYNC_OBJECTS_MAX];
    uint32_t values[2 * MMF_SYNC_OBJECTS_MAX];

    (void)context;
    for (int i = 0; i < count; i++) {
        words[i] = mmf_sync_futex(objects[i].shared);
        values[i] = expected[i];
        if (shifts == NULL)
            continue;
        words[count + i] = mmf_sync_watch_epoch(objects[i].shared);
        values[count + i] = shifts[i];
    }
    mmf_futex_sleep(words, values, count, shifts == NULL ? 0 : count, until);
}

static void
wake_sleepers(void *context, const struct mmf_sync_ref *object, int count)
{
    (void)context;
    mmf_futex_wake(mmf_sync_futex(object->shared), count);
}

static void
touch_object(void *context, const struct mmf_sync_ref *object)
{
    (void)context;
    mmf_sync_hint_give(local_of(object));
}

static int
is_alive(void *context, const struct mmf_sync_ref *object, uint64_t ticket)
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
                                            .notify_pollers = touch_object,
                                            .is_alive = is_alive};

void
mmf_sync_make_ref(struct mmf_sync_object *local, const struct mmf_thread *thread,
                   struct mmf_sync_ref *ref)
{
    ref->shared = local->shared;
    ref->kind = local->kind;
    ref->identity = mmf_sync_identity_of(local, thread);
    if (local->object != NULL) {
        ref->order[0] = local->object->device;
        ref->order[1] = local->object->inode;
    } else {
        ref->order[0] = UINT64_MAX; /* after the named ones */
        ref->order[1] = (uintptr_t)local;
    }
    ref->is_shared = local->object != NULL;
    ref->context = local;
}
