/*
 * object.c - mutexes, events and semaphores are the kernel's; so are their waits, and the
 * news of an owner's death.
 */
#include <stdlib.h>
#include <windows.h>

#include <mmf/status.h>
#include <mmf/sync.h>

#include "os/os.h"
#include "os/windows/sys/error.h"
#include "os/windows/store/names.h"

struct mmf_os_sync {
    HANDLE handle;
};

static const char *
kind_name(mmf_kind kind)
{
    return mmf_kind_name(kind);
}

/* The rights of .NET's own handles: to wait, to signal, and whatever else we may. */
static DWORD
rights_of(mmf_kind kind)
{
    DWORD modify = EVENT_MODIFY_STATE; /* a semaphore's is the same */

    if (kind == MMF_KIND_MUTEX)
        modify = MUTEX_MODIFY_STATE;
    return MAXIMUM_ALLOWED | SYNCHRONIZE | modify;
}

static HANDLE
call_create(const struct mmf_os_sync_request *request, SECURITY_ATTRIBUTES *attributes,
            const wchar_t *name)
{
    DWORD rights = rights_of(request->kind);
    DWORD flags = 0;

    switch (request->kind) {
    case MMF_KIND_MUTEX:
        flags = request->initially_owned ? CREATE_MUTEX_INITIAL_OWNER : 0;
        return CreateMutexExW(attributes, name, flags, rights);
    case MMF_KIND_EVENT:
        if (request->manual)
            flags |= CREATE_EVENT_MANUAL_RESET;
        if (request->signalled)
            flags |= CREATE_EVENT_INITIAL_SET;
        return CreateEventExW(attributes, name, flags, rights);
    default:
        return CreateSemaphoreExW(attributes, request->initial, request->maximum, name,
                                  0, rights);
    }
}

static HANDLE
call_open(mmf_kind kind, const wchar_t *name)
{
    switch (kind) {
    case MMF_KIND_MUTEX:
        return OpenMutexW(rights_of(kind), FALSE, name);
    case MMF_KIND_EVENT:
        return OpenEventW(rights_of(kind), FALSE, name);
    default:
        return OpenSemaphoreW(rights_of(kind), FALSE, name);
    }
}

/* Owns `handle`, also on failure. */
static int
wrap(HANDLE handle, struct mmf_os_sync **out)
{
    struct mmf_os_sync *sync = malloc(sizeof(*sync));

    if (sync == NULL) {
        CloseHandle(handle);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle");
    }
    sync->handle = handle;
    *out = sync;
    return MMF_OK;
}

static int
check_user_only(HANDLE handle, const struct mmf_name *name)
{
    return name != NULL && name->user_only ? mmf_place_check_user_only(handle, name)
                                           : MMF_OK;
}

/* A handle on what there is or was made; NULL with a status. */
static HANDLE
create(const struct mmf_os_sync_request *request, int *created, int *rc)
{
    struct mmf_place_security security;
    wchar_t *name = mmf_place_name(request->name, rc);
    HANDLE handle;

    if (*rc < 0)
        return NULL;
    *rc = mmf_place_secure(&security, 0,
                           request->name != NULL && request->name->user_only);
    if (*rc < 0) {
        free(name);
        return NULL;
    }
    SetLastError(ERROR_SUCCESS);
    handle = call_create(request, &security.attributes, name);
    if (handle == NULL)
        *rc = mmf_place_fail("create", kind_name(request->kind), request->name);
    else
        *created = GetLastError() != ERROR_ALREADY_EXISTS;
    mmf_place_release(&security);
    free(name);
    return handle;
}

int
mmf_os_sync_create(const struct mmf_os_sync_request *request, struct mmf_os_sync **out,
                   int *created)
{
    int is_new = 0;
    int rc;
    HANDLE handle = create(request, &is_new, &rc);

    if (handle == NULL)
        return rc;
    if (!is_new)
        rc = check_user_only(handle, request->name);
    if (rc < 0) {
        CloseHandle(handle);
        return rc;
    }
    rc = wrap(handle, out);
    if (rc == MMF_OK)
        *created = is_new;
    return rc;
}

int
mmf_os_sync_open(const struct mmf_name *name, mmf_kind kind, struct mmf_os_sync **out)
{
    int rc;
    wchar_t *wide = mmf_place_name(name, &rc);
    HANDLE handle;

    if (rc < 0)
        return rc;
    handle = call_open(kind, wide);
    if (handle == NULL)
        rc = mmf_place_fail("open", kind_name(kind), name);
    free(wide);
    if (handle == NULL)
        return rc;
    rc = check_user_only(handle, name);
    if (rc < 0) {
        CloseHandle(handle);
        return rc;
    }
    return wrap(handle, out);
}

void
mmf_os_sync_close(struct mmf_os_sync *sync)
{
    CloseHandle(sync->handle);
    free(sync);
}

/* Nothing forks here. */
int
mmf_os_sync_check_alive(const struct mmf_os_sync *sync)
{
    (void)sync;
    return MMF_OK;
}

/* Windows 10 can tell; before it, a wait for all finds out and refuses. */
int
mmf_os_sync_is_same(const struct mmf_os_sync *one, const struct mmf_os_sync *other)
{
    typedef BOOL(WINAPI * compare_function)(HANDLE, HANDLE);
    union {
        FARPROC any;
        compare_function compare;
    } found;
    HMODULE base = GetModuleHandleW(L"kernelbase.dll");

    if (one->handle == other->handle)
        return 1;
    if (base == NULL)
        return 0;
    found.any = GetProcAddress(base, "CompareObjectHandles");
    return found.any != NULL && found.compare(one->handle, other->handle);
}

/*
 * Waits.
 */

static DWORD
milliseconds(int32_t timeout_ms)
{
    return timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms;
}

/* `answer` is a wait's for `count` objects; `*index` gets which of them it was. */
static int
outcome(DWORD answer, int count, int *index)
{
    DWORD error = GetLastError();

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
    for (int i = 0; i < count; i++)
        handles[i] = syncs[i]->handle;
}

int
mmf_os_sync_wait_any(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms,
                     int *index)
{
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];

    take_handles(syncs, count, handles);
    return outcome(
        WaitForMultipleObjects((DWORD)count, handles, FALSE, milliseconds(timeout_ms)),
        count, index);
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
 * Signals.
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
        return mmf_error_fail("signal a %s and wait", kind_name(kind));
    }
}

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    (void)sync;
    (void)fd;
    return mmf_fail(MMF_E_PLATFORM,
                    "there are no descriptors to poll here: wait with mmf_wait_any, or "
                    "open the name with the system's own function and register that "
                    "handle (RegisterWaitForSingleObject)");
}
