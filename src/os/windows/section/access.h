/* access.h - what an access means to the system. */
#ifndef MMF_OS_WINDOWS_SECTION_ACCESS_H
#define MMF_OS_WINDOWS_SECTION_ACCESS_H

#include <windows.h>

#include "base/access.h"

/* PAGE_...: of a section, and of the pages that a view of it gets. */
static inline DWORD
mmf_access_protection(mmf_access access)
{
    const struct mmf_access_row *row = mmf_access_row(access);

    if (row->copies)
        return PAGE_WRITECOPY;
    if (row->can_execute)
        return row->can_write ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ;
    return row->can_write ? PAGE_READWRITE : PAGE_READONLY;
}

/* FILE_MAP_...: of a view. */
static inline DWORD
mmf_access_of_view(mmf_access access)
{
    const struct mmf_access_row *row = mmf_access_row(access);

    if (row->copies)
        return FILE_MAP_COPY;
    return (row->can_read ? FILE_MAP_READ : 0u) |
           (row->can_write ? FILE_MAP_WRITE : 0u) |
           (row->can_execute ? FILE_MAP_EXECUTE : 0u);
}

/*
 * GENERIC_...: of a file, as .NET's FileStream, also for private views. Execution is no
 * right of a file opened so; the kernel refuses the section (contract 2.9).
 */
static inline DWORD
mmf_access_of_file(mmf_access access)
{
    return mmf_access_row(access)->can_write ? GENERIC_READ | GENERIC_WRITE
                                             : GENERIC_READ;
}

/* SECTION_...: of a handle for `needs` (MMF_CAN_...). */
static inline DWORD
mmf_access_of_handle(uint32_t needs)
{
    return (needs & (MMF_CAN_READ | MMF_CAN_COPY) ? SECTION_MAP_READ : 0u) |
           (needs & MMF_CAN_WRITE ? SECTION_MAP_WRITE : 0u) |
           /* FILE_MAP_EXECUTE is for views. */
           (needs & MMF_CAN_EXECUTE ? SECTION_MAP_EXECUTE : 0u);
}

#endif
