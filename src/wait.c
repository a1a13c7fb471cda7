/*
 * wait.c - .NET's WaitHandle: waits for one, any and all, and signal-and-wait (contract
 * 2.10, 7.1); and the descriptor of an object.
 */
#include <stdio.h>

#include <mmf/status.h>
#include <mmf/sync.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "channel/channel.h"
#include "waitable.h"

static int
check_timeout(int32_t timeout_ms)
{
    return timeout_ms < MMF_INFINITE ? mmf_waitable_fail_timeout(timeout_ms) : MMF_OK;
}

int
mmf_wait_one(mmf_waitable *object, int32_t timeout_ms)
{
    int ignored;

    if (object == NULL)
        return mmf_fail_argument(MMF_E_NULL, "object", "the object is NULL");
    if (object->channel == NULL)
        return mmf_waitable_wait(object, timeout_ms);
    return mmf_wait_any(&object, 1, timeout_ms, &ignored);
}

/* .NET names the element at fault, not the array. */
static int
fail_null_element(int i)
{
    char parameter[32];

    MMF_ASSERT(i >= 0);
    snprintf(parameter, sizeof(parameter), "waitHandles[%d]", i);
    return mmf_fail_argument(MMF_E_NULL, parameter, "object %d is NULL", i);
}

int
mmf_waitable_check(const mmf_waitable *object)
{
    return object->channel != NULL ? mmf_channel_check_waitable(object->channel)
                                   : mmf_os_sync_check_alive(object->sync);
}

/* Contract 2.10: the array, its length, the timeout, then each element. */
static int
check_objects(mmf_waitable *const *objects, int count, int32_t timeout_ms,
              struct mmf_os_sync *syncs[MMF_WAIT_MAXIMUM])
{
    int rc;

    if (objects == NULL)
        return mmf_fail_argument(MMF_E_NULL, "waitHandles", "objects is NULL");
    if (count < 1)
        return mmf_fail_argument(MMF_E_INVALID, "waitHandles",
                                 "invalid count of %d objects: 1 to %d", count,
                                 MMF_WAIT_MAXIMUM);
    if (count > MMF_WAIT_MAXIMUM)
        return mmf_fail(MMF_E_NOT_SUPPORTED, "invalid count of %d objects: at most %d",
                        count, MMF_WAIT_MAXIMUM);
    rc = check_timeout(timeout_ms);
    for (int i = 0; rc == MMF_OK && i < count; i++) {
        if (objects[i] == NULL)
            return fail_null_element(i);
        rc = mmf_waitable_check(objects[i]);
        syncs[i] = objects[i]->sync;
    }
    return rc;
}

/* The first channel's index, or -1. */
static int
find_channel(mmf_waitable *const *objects, int count)
{
    for (int i = 0; i < count; i++) {
        if (objects[i]->channel != NULL)
            return i;
    }
    return -1;
}

static int
fail_channel(const struct mmf_waitable *object, const char *what)
{
    MMF_ASSERT(object->channel != NULL);
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "%s is a %s: this call takes mutexes, events and semaphores; "
                    "mmf_wait_any takes channels, too",
                    what, mmf_kind_name(object->kind));
}

int
mmf_wait_any(mmf_waitable *const *objects, int count, int32_t timeout_ms, int *index)
{
    struct mmf_os_sync *syncs[MMF_WAIT_MAXIMUM];
    int found;
    int rc = check_objects(objects, count, timeout_ms, syncs);

    mmf_os_cancellation_point();
    if (rc == MMF_OK && index == NULL)
        rc = mmf_fail_null("index");
    if (rc < 0)
        return rc;
    if (find_channel(objects, count) >= 0)
        rc = mmf_channel_wait_any(objects, count, timeout_ms, &found);
    else
        rc = mmf_os_sync_wait_any(syncs, count, NULL, timeout_ms, &found);
    if (rc == MMF_OK || rc == MMF_ABANDONED)
        *index = found;
    return rc;
}

static int
check_no_object_twice(struct mmf_os_sync *const *syncs, int count)
{
    MMF_ASSERT(count >= 1 && count <= MMF_WAIT_MAXIMUM);
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count; j++) {
            if (mmf_os_sync_is_same(syncs[i], syncs[j]))
                return mmf_fail_argument(MMF_E_INVALID, "waitHandles",
                                         "objects %d and %d are the same object", i, j);
        }
    }
    return MMF_OK;
}

int
mmf_wait_all(mmf_waitable *const *objects, int count, int32_t timeout_ms)
{
    struct mmf_os_sync *syncs[MMF_WAIT_MAXIMUM];
    int rc = check_objects(objects, count, timeout_ms, syncs);

    mmf_os_cancellation_point();
    if (rc == MMF_OK && find_channel(objects, count) >= 0)
        rc = fail_channel(objects[find_channel(objects, count)], "one of the objects");
    if (rc == MMF_OK)
        rc = check_no_object_twice(syncs, count);
    if (rc < 0)
        return rc;
    if (count == 1)
        return mmf_os_sync_wait(syncs[0], timeout_ms); /* contract 7.1.6 */
    return mmf_os_sync_wait_all(syncs, count, timeout_ms);
}

int
mmf_signal_and_wait(mmf_waitable *to_signal, mmf_waitable *to_wait_on,
                    int32_t timeout_ms)
{
    int rc;

    mmf_os_cancellation_point();
    if (to_signal == NULL)
        return mmf_fail_argument(MMF_E_NULL, "toSignal",
                                 "the object to signal is NULL");
    if (to_wait_on == NULL)
        return mmf_fail_argument(MMF_E_NULL, "toWaitOn",
                                 "the object to wait on is NULL");
    rc = check_timeout(timeout_ms);
    if (rc == MMF_OK && to_signal->channel != NULL)
        rc = fail_channel(to_signal, "the object to signal");
    if (rc == MMF_OK && to_wait_on->channel != NULL)
        rc = fail_channel(to_wait_on, "the object to wait on");
    if (rc == MMF_OK)
        rc = mmf_os_sync_check_alive(to_signal->sync);
    if (rc == MMF_OK)
        rc = mmf_os_sync_check_alive(to_wait_on->sync);
    return rc < 0 ? rc
                  : mmf_os_sync_signal_and_wait(to_signal->sync, to_signal->kind,
                                                to_wait_on->sync, timeout_ms);
}

int
mmf_waitable_fd(mmf_waitable *object, int *fd)
{
    int rc;

    if (object == NULL)
        return mmf_fail_argument(MMF_E_NULL, "object", "the object is NULL");
    rc = mmf_waitable_check(object);
    if (rc == MMF_OK && fd == NULL)
        rc = mmf_fail_null("fd");
    if (rc < 0)
        return rc;
    return object->channel != NULL ? mmf_channel_fd(object->channel, fd)
                                   : mmf_os_sync_poll_fd(object->sync, fd);
}
