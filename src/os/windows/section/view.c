/*
 * view.c - mapping a section's bytes.
 */
#include <windows.h>

#include <mmf/status.h>

#include "os/windows/sys/error.h"
#include "os/windows/section/section.h"

static DWORD
map_access(mmf_access access)
{
    switch (access) {
    case MMF_ACCESS_READ:
        return FILE_MAP_READ;
    case MMF_ACCESS_WRITE:
        return FILE_MAP_WRITE;
    case MMF_ACCESS_COPY_ON_WRITE:
        return FILE_MAP_COPY;
    case MMF_ACCESS_READ_EXECUTE:
        return FILE_MAP_READ | FILE_MAP_EXECUTE;
    case MMF_ACCESS_READ_WRITE_EXECUTE:
        return FILE_MAP_READ | FILE_MAP_WRITE | FILE_MAP_EXECUTE;
    default:
        return FILE_MAP_READ | FILE_MAP_WRITE;
    }
}

static DWORD
page_protection(mmf_access access)
{
    return access == MMF_ACCESS_WRITE ? PAGE_READWRITE : mmf_section_protection(access);
}

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
            "make a view of %lld bytes: the map's creator gave it no "
            "such access",
            (long long)length);
    return mmf_error_fail_with(error, "make a view of %lld bytes", (long long)length);
}

/* Pages of a section that was only reserved (DelayAllocatePages) come with a view. */
static int
commit(const struct mmf_os_view *view, mmf_access access)
{
    MEMORY_BASIC_INFORMATION region;

    if (VirtualQuery(view->base, &region, sizeof(region)) == 0)
        return mmf_error_fail("look at a view");
    if (region.State != MEM_RESERVE)
        return MMF_OK;
    if (VirtualAlloc(view->base, (SIZE_T)view->length, MEM_COMMIT,
                     page_protection(access)) == NULL)
        return mmf_error_fail("get %lld bytes for a view", (long long)view->length);
    return MMF_OK;
}

/*
 * What was asked for beyond the mapping. Each answers 0 or a status with mmf_fail.
 */

static int
use_huge_pages(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "huge pages for a view: Windows gives them to a whole section when "
                    "it is made, and mmf makes none of these");
}

static int
populate(const struct mmf_os_view *view)
{
    const volatile uint8_t *bytes = view->base;
    int64_t page = mmf_os_limits().page_size;

    for (int64_t at = 0; at < view->length; at += page)
        (void)bytes[at];
    return MMF_OK;
}

static int
lock_in_memory(const struct mmf_os_view *view)
{
    if (VirtualLock(view->base, (SIZE_T)view->length))
        return MMF_OK;
    return mmf_fail_system(MMF_E_NO_MEMORY, (int)GetLastError(),
                           "lock %lld bytes of a view in memory: raise the working set "
                           "(SetProcessWorkingSetSize)",
                           (long long)view->length);
}

static int
apply_flags(const struct mmf_os_view *view, mmf_view_flags flags,
            mmf_view_flags *granted)
{
    static const mmf_view_flags order[] = {MMF_VIEW_HUGE_PAGES, MMF_VIEW_POPULATE,
                                           MMF_VIEW_LOCK};
    mmf_error before;

    *granted = 0;
    mmf_last_error(&before);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        int rc;

        if (!(flags & order[i]))
            continue;
        if (order[i] == MMF_VIEW_HUGE_PAGES)
            rc = use_huge_pages();
        else if (order[i] == MMF_VIEW_POPULATE)
            rc = populate(view);
        else
            rc = lock_in_memory(view);
        if (rc == MMF_OK)
            *granted |= order[i];
        else if (!(flags & MMF_VIEW_BEST_EFFORT))
            return rc;
        else
            mmf_fail_restore(&before);
    }
    return MMF_OK;
}

int
mmf_os_view_map(struct mmf_os_section *section, int64_t offset, int64_t length,
                mmf_access access, mmf_view_flags flags, struct mmf_os_view *view,
                mmf_view_flags *granted)
{
    uint64_t at = (uint64_t)offset;
    /* A file's last page is whole in a view, but must not be asked for by number. */
    int to_the_end = offset + length == section->capacity;
    int rc;

    view->base = MapViewOfFile(section->handle, map_access(access), (DWORD)(at >> 32),
                               (DWORD)at, to_the_end ? 0 : (SIZE_T)length);
    if (view->base == NULL)
        return fail_map(length);
    view->length = length;
    view->writes_back = !section->is_memory;
    rc = commit(view, access);
    if (rc == MMF_OK)
        rc = apply_flags(view, flags, granted);
    if (rc < 0)
        mmf_os_view_unmap(view);
    return rc;
}

/* The cache manager may be writing the same pages: contract 3.4.3. */
int
mmf_os_view_flush(const struct mmf_os_view *view)
{
    enum { TRIES = 100 };

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
    UnmapViewOfFile(view->base);
}
