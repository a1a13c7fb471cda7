/*
 * support_windows.c - handles and memory. What Windows has not skips the test and says why.
 */
#include "support.h"

#include <windows.h>
#include <psapi.h>

int64_t
page_size(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return system.dwPageSize;
}

void
close_file(intptr_t handle)
{
    CloseHandle((HANDLE)handle);
}

int
is_open(intptr_t handle)
{
    DWORD flags;

    return GetHandleInformation((HANDLE)handle, &flags) != 0;
}

void
make_pipe(intptr_t ends[2])
{
    HANDLE read_end, write_end;

    CHECK(CreatePipe(&read_end, &write_end, NULL, 0));
    ends[0] = (intptr_t)read_end;
    ends[1] = (intptr_t)write_end;
}

void
as_stranger(void (*run)(void *payload), void *payload)
{
    (void)run;
    (void)payload;
    need_other_users();
}

size_t
pages_present(void *bytes, size_t size)
{
    PSAPI_WORKING_SET_EX_INFORMATION page;
    size_t n = 0, at;

    for (at = 0; at < size; at += (size_t)page_size()) {
        page.VirtualAddress = (char *)bytes + at;
        CHECK(QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof(page)));
        n += page.VirtualAttributes.Valid;
    }
    return n;
}

/* Windows does not report locked pages. */
long
locked_kilobytes(void)
{
    harness_skip("Windows does not tell how much of a process is locked");
}

void
forbid_locking(void)
{
}
