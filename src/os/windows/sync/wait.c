/*
 * wait.c - waiting for objects, and signalling them: each is a call of the kernel's, which
 * also says that an owner has died.
 */
#include <windows.h>

#include <mmf/status.h>
#include <mmf/sync.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"
#include "os/windows/sync/object.h"
#include "os/windows/sys/error.h"
#include "shared/ring/wait.h"

/*
 * Waiting.
 */

static DWORD
milliseconds(int32_t timeout_ms)
{
    MMF_ASSERT(timeout_ms >= -1);
    return timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms;
}

/* `answer` is a wait's for `count` objects; `*index` gets which of them it was. */
static int
outcome(DWORD answer, int count, int *index)
{
    DWORD error = GetLastError();

    MMF_ASSERT(count > 0 && index != NULL);
    if (answer < WAIT_OBJECT_0 + (DWORD)count) {
        *index = (int)(answer - WAIT_OBJECT_0);
        return MMF_OK;
    }
    if (answer >= WAIT_ABANDONED_0 && answer < WAIT_ABANDONED_0 + (DWORD)count) {
        *index = (int)(answer - WAIT_ABANDONED_0);
        return MMF_ABANDONED;
    }
    if (answer == WAIT_TIMEOUT)
        return MMF_TIMED_OUT;
    return mmf_error_fail_with(error, "wait for %d objects", count);
}

int
mmf_os_sync_wait(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    int ignored;

    return outcome(WaitForSingleObject(sync->handle, milliseconds(timeout_ms)), 1,
                   &ignored);
}

static void
take_handles(struct mmf_os_sync *const *syncs, int count,
             HANDLE handles[MAXIMUM_WAIT_OBJECTS])
{
    MMF_ASSERT(count > 0 && count <= MAXIMUM_WAIT_OBJECTS);
    for (int i = 0; i < count; i++)
        handles[i] = syncs[i]->handle;
}

static int
wait_for_any(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms,
             int *index)
{
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];

    take_handles(syncs, count, handles);
    return outcome(
        WaitForMultipleObjects((DWORD)count, handles, FALSE, milliseconds(timeout_ms)),
        count, index);
}

/* The tokens of the channels stand behind the objects. No sleep is longer than a tick. */
static DWORD
sleep_beside(struct mmf_os_sync *const *syncs, int count,
             const struct mmf_os_beside *beside, int64_t left)
{
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];
    DWORD answer = WAIT_TIMEOUT;
    bool may_sleep = true;
    int begun = 0;

    MMF_ASSERT(count + beside->count <= MAXIMUM_WAIT_OBJECTS);
    for (int i = 0; i < count; i++)
        handles[i] = syncs[i]->handle;
    for (; begun < beside->count && may_sleep; begun++) {
        const struct mmf_os_doorbell *doorbell = &beside->doorbells[begun];

        handles[count + begun] = doorbell->ops->begin_sleep(
            doorbell->ops->context, doorbell->word, doorbell->expected);
        may_sleep = handles[count + begun] != NULL;
    }
    if (may_sleep) {
        int64_t longest = left < MMF_RING_TICK ? left : MMF_RING_TICK;

        answer = WaitForMultipleObjects((DWORD)count + (DWORD)begun, handles, FALSE,
                                        (DWORD)((longest + 999999) / 1000000));
    }
    for (int i = 0; i < begun; i++) {
        const struct mmf_os_doorbell *doorbell = &beside->doorbells[i];

        doorbell->ops->end_sleep(
            doorbell->ops->context, doorbell->word, doorbell->expected,
            may_sleep && answer == WAIT_OBJECT_0 + (DWORD)(count + i));
    }
    return answer;
}

/* A doorbell was rung, or there was no signal: neither is the wait's answer. */
static bool
is_no_answer(DWORD answer, int count, int channels)
{
    return answer == WAIT_TIMEOUT ||
           (answer >= WAIT_OBJECT_0 + (DWORD)count &&
            answer < WAIT_OBJECT_0 + (DWORD)(count + channels));
}

int
mmf_os_sync_wait_any(struct mmf_os_sync *const *syncs, int count,
                     struct mmf_os_beside *beside, int32_t timeout_ms, int *index)
{
    int64_t deadline, now = mmf_os_now();

    if (beside == NULL)
        return wait_for_any(syncs, count, timeout_ms, index);
    deadline = timeout_ms < 0 ? INT64_MAX : now + (int64_t)timeout_ms * 1000000;
    do {
        DWORD answer;

        if (beside->is_over(beside->context))
            break;
        answer = sleep_beside(syncs, count, beside, deadline - now);
        if (!is_no_answer(answer, count, beside->count))
            return outcome(answer, count, index);
        now = mmf_os_now();
    } while (now < deadline);
    return MMF_TIMED_OUT;
}

int
mmf_os_sync_wait_all(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms)
{
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];
    DWORD answer;
    int ignored;

    take_handles(syncs, count, handles);
    answer =
        WaitForMultipleObjects((DWORD)count, handles, TRUE, milliseconds(timeout_ms));
    if (answer == WAIT_FAILED && GetLastError() == ERROR_INVALID_PARAMETER)
        return mmf_fail_argument(MMF_E_INVALID, "waitHandles",
                                 "two of the objects are the same one");
    return outcome(answer, count, &ignored);
}

/*
 * Signalling.
 */

int
mmf_os_mutex_release(struct mmf_os_sync *mutex)
{
    if (ReleaseMutex(mutex->handle))
        return MMF_OK;
    if (GetLastError() == ERROR_NOT_OWNER)
        return mmf_fail_system(MMF_E_NOT_OWNER, ERROR_NOT_OWNER,
                               "this thread does not own the mutex");
    return mmf_error_fail("release a mutex");
}

int
mmf_os_event_set(struct mmf_os_sync *event)
{
    return SetEvent(event->handle) ? MMF_OK : mmf_error_fail("set an event");
}

int
mmf_os_event_reset(struct mmf_os_sync *event)
{
    return ResetEvent(event->handle) ? MMF_OK : mmf_error_fail("reset an event");
}

int
mmf_os_semaphore_release(struct mmf_os_sync *semaphore, int32_t count,
                         int32_t *previous)
{
    LONG before;

    MMF_ASSERT(count > 0);
    if (ReleaseSemaphore(semaphore->handle, count, &before)) {
        if (previous != NULL)
            *previous = before;
        return MMF_OK;
    }
    if (GetLastError() == ERROR_TOO_MANY_POSTS)
        return mmf_fail_system(MMF_E_MAXIMUM, ERROR_TOO_MANY_POSTS,
                               "adding %d would go over the semaphore's maximum",
                               count);
    return mmf_error_fail("release a semaphore");
}

/* One call of the kernel's, which is two steps in it (contract 7.1.8). */
int
mmf_os_sync_signal_and_wait(struct mmf_os_sync *to_signal, mmf_kind kind,
                            struct mmf_os_sync *to_wait_on, int32_t timeout_ms)
{
    DWORD answer = SignalObjectAndWait(to_signal->handle, to_wait_on->handle,
                                       milliseconds(timeout_ms), FALSE);
    int ignored;

    if (answer != WAIT_FAILED)
        return outcome(answer, 1, &ignored);
    switch (GetLastError()) {
    case ERROR_NOT_OWNER:
        return mmf_fail_system(MMF_E_NOT_OWNER, ERROR_NOT_OWNER,
                               "this thread does not own the mutex to signal");
    case ERROR_TOO_MANY_POSTS:
        return mmf_fail_system(MMF_E_MAXIMUM, ERROR_TOO_MANY_POSTS,
                               "the semaphore to signal is at its maximum");
    default:
        return mmf_error_fail("signal a %s and wait", mmf_kind_name(kind));
    }
}
