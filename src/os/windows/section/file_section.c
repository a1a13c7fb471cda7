/*
 * file_section.c - making a section of a file.
 */
#include <stdlib.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/section/access.h"
#include "os/windows/section/file.h"
#include "os/windows/section/section.h"
#include "os/windows/store/explain.h"
#include "os/windows/store/names.h"
#include "os/windows/store/security.h"
#include "os/windows/sys/error.h"

/* The kernel makes only files grow that the map may write. */
static int
fail_growth(const struct mmf_os_file *file, const struct mmf_os_request *request,
            int64_t length, DWORD error)
{
    return mmf_fail_system(
        MMF_E_IO, (int)error,
        "file %.400s has %lld bytes, the map wants %lld: only a map with write access "
        "can make it grow",
        file->shown, (long long)length, (long long)request->capacity);
}

static int
fail_section(const struct mmf_os_file *file, const struct mmf_os_request *request,
             int64_t length)
{
    DWORD error = GetLastError();
    uint32_t can = mmf_can_of_access(request->access);

    if (request->capacity > length && !(can & MMF_CAN_WRITE) &&
        error != ERROR_ACCESS_DENIED && error != ERROR_INVALID_HANDLE)
        return fail_growth(file, request, length, error);

    if (request->name != NULL &&
        (error == ERROR_INVALID_HANDLE || error == ERROR_PATH_NOT_FOUND ||
         error == ERROR_BAD_PATHNAME || error == ERROR_INVALID_NAME))
        return mmf_explain_create(MMF_KIND_MAP, request->name);
    if (error == ERROR_ACCESS_DENIED)
        return mmf_fail_system(
            MMF_E_ACCESS, (int)error,
            "map file %.400s: it was not opened for that access (or a name under "
            "Global\\ needs the privilege SeCreateGlobalPrivilege)",
            file->shown);
    return mmf_error_fail_with(error, "map file %.400s with %lld bytes", file->shown,
                               (long long)request->capacity);
}

/* The kernel grows a file before it finds that the name is taken. */
static void
put_length_back(const struct mmf_os_file *file, int64_t length)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = length};
    LARGE_INTEGER now;

    if (GetFileSizeEx(file->handle, &now) && now.QuadPart != length)
        SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof(end));
}

/* The section; NULL with a status. */
static HANDLE
call_create(const struct mmf_os_file *file, const struct mmf_os_request *request,
            const wchar_t *name, SECURITY_ATTRIBUTES *attributes, int64_t length,
            int *rc)
{
    uint64_t size = (uint64_t)request->capacity;
    HANDLE handle;

    SetLastError(ERROR_SUCCESS);
    handle = CreateFileMappingW(file->handle, attributes,
                                mmf_access_protection(request->access),
                                (DWORD)(size >> 32), (DWORD)size, name);
    if (handle == NULL) {
        *rc = fail_section(file, request, length);
        return NULL;
    }
    if (GetLastError() != ERROR_ALREADY_EXISTS)
        return handle;
    CloseHandle(handle);
    *rc = mmf_explain_exists(MMF_KIND_MAP, request->name);
    return NULL;
}

/* The same for a name that is not the kernel's yet. */
static HANDLE
create(const struct mmf_os_file *file, const struct mmf_os_request *request,
       int64_t length, int *rc)
{
    bool inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE;
    struct mmf_security security;
    wchar_t *name = mmf_names_for_kernel(request->name, rc);
    HANDLE handle = NULL;

    MMF_ASSERT(request->capacity > 0 && length >= 0);
    if (*rc < 0)
        return NULL;
    *rc = mmf_security_make(&security, inheritable, false);
    if (*rc == MMF_OK) {
        handle = call_create(file, request, name, &security.attributes, length, rc);
        mmf_security_free(&security);
    }
    free(name);
    if (handle == NULL)
        put_length_back(file, length);
    return handle;
}

int
mmf_os_section_from_file(struct mmf_os_file *file, const struct mmf_os_request *request,
                         int leave_open, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int64_t length;
    int sized;
    int rc = mmf_os_file_length(file, &length, &sized);
    HANDLE handle;

    MMF_ASSERT(file->handle != NULL && out != NULL);
    if (rc < 0)
        return rc;
    handle = create(file, request, length, &rc);
    if (handle == NULL)
        return rc;
    rc = mmf_section_wrap(handle, mmf_can_of_access(request->access), &section);
    if (rc < 0) {
        CloseHandle(handle);
        return rc;
    }
    section->file = leave_open ? NULL : file->handle;
    mmf_file_free(file);
    *out = section;
    return MMF_OK;
}
