/*
 * object.c - mutexes, events and semaphores are the kernel's.
 */
#include "os/windows/sync/object.h"

#include <stdbool.h>
#include <stdlib.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/store/explain.h"
#include "os/windows/store/names.h"
#include "os/windows/store/security.h"

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

/* As the options asked; the handle is closed if not. */
static int
check_users(HANDLE handle, const struct mmf_name *name)
{
    int rc = MMF_OK;

    if (name->user_only)
        rc = mmf_security_check_this_user_only(handle, name);
    if (rc < 0)
        CloseHandle(handle);
    return rc;
}

/* A new object of that name in the kernel's form. */
static int
create(const struct mmf_os_sync_request *request, const wchar_t *name, HANDLE *handle)
{
    bool this_user_only = request->name != NULL && request->name->user_only;
    struct mmf_security security;
    int rc = mmf_security_make(&security, false, this_user_only);

    MMF_ASSERT((name == NULL) == (request->name == NULL));
    if (rc < 0)
        return rc;
    SetLastError(ERROR_SUCCESS);
    *handle = call_create(request, &security.attributes, name);
    if (*handle == NULL) {
        rc = mmf_explain_create(request->kind, request->name);
    } else if (GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(*handle);
        rc = mmf_explain_exists(request->kind, request->name);
    }
    mmf_security_free(&security);
    return rc;
}

int
mmf_os_sync_create(const struct mmf_os_sync_request *request, struct mmf_os_sync **out)
{
    HANDLE handle = NULL;
    int rc;
    wchar_t *name = mmf_names_for_kernel(request->name, &rc);

    MMF_ASSERT(out != NULL);
    if (rc < 0)
        return rc;
    rc = create(request, name, &handle);
    free(name);
    return rc < 0 ? rc : wrap(handle, out);
}

int
mmf_os_sync_open(const struct mmf_name *name, mmf_kind kind, struct mmf_os_sync **out)
{
    HANDLE handle;
    int rc;
    wchar_t *wide = mmf_names_for_kernel(name, &rc);

    MMF_ASSERT(name != NULL && out != NULL);
    if (rc < 0)
        return rc;
    handle = mmf_names_open(kind, rights_of(kind), wide);
    if (handle == NULL)
        rc = mmf_explain_open(kind, name);
    free(wide);
    if (rc == MMF_OK)
        rc = check_users(handle, name);
    return rc < 0 ? rc : wrap(handle, out);
}

void
mmf_os_sync_close(struct mmf_os_sync *sync)
{
    CloseHandle(sync->handle);
    free(sync);
}

/* No process forks here. */
int
mmf_os_sync_check_alive(const struct mmf_os_sync *sync)
{
    (void)sync;
    return MMF_OK;
}

/* Windows 10 says it; before it, a wait for all finds out and refuses. */
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
