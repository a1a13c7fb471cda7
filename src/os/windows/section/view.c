/*
 * view.c - mapping a section's bytes.
 */
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/section/access.h"
#include "os/windows/section/section.h"
#include "os/windows/sys/error.h"

/*
 * The two layers of contract 2.8: what the handle may do (access denied), and what the
 * section's creator gave (invalid parameter).
 */
static int
fail_map(int64_t length)
{
    DWORD error = GetLastError();

    if (error == ERROR_INVALID_PARAMETER)
        return mmf_fail_system(
            MMF_E_IO, (int)error,
            "make a view of %lld bytes: the map's creator gave it no such access",
            (long long)length);
    return mmf_error_fail_with(error, "make a view of %lld bytes", (long long)length);
}

/* Pages of a section that was only reserved (DelayAllocatePages) come with a view. */
static int
commit(const struct mmf_os_view *view, mmf_access access)
{
    MEMORY_BASIC_INFORMATION region;

    MMF_ASSERT(view->base != NULL && view->length > 0);
    if (VirtualQuery(view->base, &region, sizeof(region)) == 0)
        return mmf_error_fail("inspect a view");
    if (region.State != MEM_RESERVE)
        return MMF_OK;
    if (VirtualAlloc(view->base, (SIZE_T)view->length, MEM_COMMIT,
                     mmf_access_protection(access)) == NULL)
        return mmf_error_fail("get %lld bytes for a view", (long long)view->length);
    return MMF_OK;
}

int
mmf_os_view_map(struct mmf_os_section *section, int64_t offset, int64_t length,
                mmf_access access, struct mmf_os_view *view)
{
    uint64_t at = (uint64_t)offset;
    /* A file's last page is complete in a view, but must not be asked for by number. */
    bool to_the_end = offset + length == section->capacity;
    int rc;

    MMF_ASSERT(offset >= 0 && length > 0 && length <= section->capacity - offset);
    view->base =
        MapViewOfFile(section->handle, mmf_access_of_view(access), (DWORD)(at >> 32),
                      (DWORD)at, to_the_end ? 0 : (SIZE_T)length);
    if (view->base == NULL)
        return fail_map(length);
    view->length = length;
    view->writes_back = !section->is_memory;
    rc = commit(view, access);
    if (rc < 0)
        mmf_os_view_unmap(view);
    return rc;
}

/*
 * What was asked for beyond the mapping. Each returns a status, with mmf_fail.
 */

static int
use_huge_pages(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "huge pages for a view: Windows gives them to a whole section when "
                    "it is made, and mmf makes no such sections");
}

static int
populate(const struct mmf_os_view *view)
{
    const volatile uint8_t *bytes = view->base;
    int64_t page = mmf_os_limits().page_size;

    MMF_ASSERT(bytes != NULL);
    for (int64_t at = 0; at < view->length; at += page)
        (void)bytes[at];
    return MMF_OK;
}

static int
lock_in_memory(const struct mmf_os_view *view)
{
    MMF_ASSERT(view->base != NULL);
    if (VirtualLock(view->base, (SIZE_T)view->length))
        return MMF_OK;
    return mmf_fail_system(MMF_E_NO_MEMORY, (int)GetLastError(),
                           "lock %lld bytes of a view in memory: raise the working set "
                           "(SetProcessWorkingSetSize)",
                           (long long)view->length);
}

int
mmf_os_view_apply(const struct mmf_os_section *section, const struct mmf_os_view *view,
                  mmf_access access, mmf_view_flags flag)
{
    (void)section;
    (void)access;
    switch (flag) {
    case MMF_VIEW_HUGE_PAGES:
        return use_huge_pages();
    case MMF_VIEW_POPULATE:
        return populate(view);
    default:
        MMF_ASSERT(flag == MMF_VIEW_LOCK);
        return lock_in_memory(view);
    }
}

/* The cache manager may be writing the same pages: contract 3.4.3. */
int
mmf_os_view_flush(const struct mmf_os_view *view)
{
    enum { TRIES = 100 };

    MMF_ASSERT(view->base != NULL && view->length > 0);
    for (int i = 0; i < TRIES; i++) {
        if (FlushViewOfFile(view->base, (SIZE_T)view->length))
            return MMF_OK;
        if (GetLastError() != ERROR_LOCK_VIOLATION)
            break;
        Sleep(i < 10 ? 0 : 10);
    }
    return mmf_error_fail("flush a view");
}

void
mmf_os_view_unmap(struct mmf_os_view *view)
{
    MMF_ASSERT(view->base != NULL);
    UnmapViewOfFile(view->base);
}
