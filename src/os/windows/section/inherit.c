/*
 * inherit.c - sections from handles that a parent process has passed on: the handle is
 * this process's already, by its number.
 */
#include <stdbool.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/section/section.h"
#include "os/windows/sys/error.h"
#include "os/windows/sys/nt.h"

static bool
is_section(HANDLE handle)
{
    union {
        UNICODE_STRING name;
        char space[512];
    } type;
    static const wchar_t section[] = L"Section";

    if (NtQueryObject(handle, ObjectTypeInformation, &type, sizeof(type), NULL) !=
        STATUS_SUCCESS)
        return false;
    return type.name.Length == sizeof(section) - sizeof(section[0]) &&
           wcsncmp(type.name.Buffer, section, type.name.Length / sizeof(wchar_t)) == 0;
}

int
mmf_os_section_adopt(intptr_t number, uint32_t needs, mmf_inheritability inheritability,
                     struct mmf_os_section **out)
{
    DWORD inherit =
        inheritability == MMF_INHERITABILITY_INHERITABLE ? HANDLE_FLAG_INHERIT : 0;
    HANDLE handle = (HANDLE)number;
    DWORD flags;

    MMF_ASSERT(out != NULL);
    (void)needs; /* what the parent's handle can do decides, when a view is made */
    if (handle == NULL || handle == INVALID_HANDLE_VALUE ||
        !GetHandleInformation(handle, &flags))
        return mmf_fail_system(MMF_E_DISPOSED, ERROR_INVALID_HANDLE,
                               "handle %lld is not open", (long long)number);
    if (!is_section(handle))
        return mmf_fail(MMF_E_CORRUPT, "handle %lld is not a map", (long long)number);
    if (!SetHandleInformation(handle, HANDLE_FLAG_INHERIT, inherit))
        return mmf_error_fail("set the inheritance of a handle");
    return mmf_section_wrap(handle, MMF_SECTION_GIVEN_ALL, out);
}
