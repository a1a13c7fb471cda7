/*
 * named.c - creating and opening sections, .NET's way of calling the kernel (contract
 * 2.1, 2.4).
 */
#include <stdlib.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/invariant.h"
#include "os/windows/section/access.h"
#include "os/windows/section/section.h"
#include "os/windows/store/explain.h"
#include "os/windows/store/names.h"
#include "os/windows/store/security.h"

/* Owns `handle`, also on failure. */
static int
wrap(HANDLE handle, uint32_t given, struct mmf_os_section **out)
{
    int rc = mmf_section_wrap(handle, given, out);

    if (rc < 0)
        CloseHandle(handle);
    return rc;
}

/* The section; NULL with GetLastError(), which says of one that it was there before. */
static HANDLE
call_create(const struct mmf_os_request *request, const wchar_t *name,
            SECURITY_ATTRIBUTES *attributes)
{
    DWORD protection = mmf_access_protection(request->access) |
                       (request->delay_allocate ? SEC_RESERVE : SEC_COMMIT);
    uint64_t size = (uint64_t)request->capacity;

    SetLastError(ERROR_SUCCESS);
    return CreateFileMappingW(INVALID_HANDLE_VALUE, attributes, protection,
                              (DWORD)(size >> 32), (DWORD)size, name);
}

/* A new section of that name in the kernel's form. */
static int
create(const struct mmf_os_request *request, const wchar_t *name, HANDLE *handle)
{
    bool inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE;
    struct mmf_security security;
    int rc = mmf_security_make(&security, inheritable, false);

    MMF_ASSERT((name == NULL) == (request->name == NULL));
    if (rc < 0)
        return rc;
    *handle = call_create(request, name, &security.attributes);
    if (*handle == NULL) {
        rc = mmf_explain_create(MMF_KIND_MAP, request->name);
    } else if (GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(*handle);
        rc = mmf_explain_exists(MMF_KIND_MAP, request->name);
    }
    mmf_security_free(&security);
    return rc;
}

int
mmf_os_section_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    HANDLE handle = NULL;
    int rc;
    wchar_t *name = mmf_names_for_kernel(request->name, &rc);

    MMF_ASSERT(request->capacity > 0 && out != NULL);
    if (rc < 0)
        return rc;
    rc = create(request, name, &handle);
    free(name);
    return rc < 0 ? rc : wrap(handle, mmf_can_of_access(request->access), out);
}

int
mmf_os_section_open(const struct mmf_name *name, uint32_t needs,
                    mmf_inheritability inheritability, struct mmf_os_section **out)
{
    BOOL inherit = inheritability == MMF_INHERITABILITY_INHERITABLE;
    DWORD rights = mmf_access_of_handle(needs);
    HANDLE handle;
    int rc;
    wchar_t *wide = mmf_names_for_kernel(name, &rc);

    MMF_ASSERT(name != NULL && out != NULL);
    if (rc < 0)
        return rc;
    handle = OpenFileMappingW(rights | SECTION_QUERY, inherit, wide);
    if (handle == NULL && GetLastError() == ERROR_ACCESS_DENIED && rights != 0)
        handle = OpenFileMappingW(rights, inherit, wide);
    if (handle == NULL)
        rc = mmf_explain_open(MMF_KIND_MAP, name);
    free(wide);
    return rc < 0 ? rc : wrap(handle, MMF_SECTION_GIVEN_ALL, out);
}
