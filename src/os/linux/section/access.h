/* access.h - what an access means to the system. */
#ifndef MMF_OS_LINUX_SECTION_ACCESS_H
#define MMF_OS_LINUX_SECTION_ACCESS_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/access.h"

/* Whether views of it write to the shared bytes. */
static inline bool
mmf_access_writes(mmf_access access)
{
    return mmf_access_row(access)->can_write && !mmf_access_row(access)->copies;
}

/* PROT_...: what a view's pages allow. Pages that can be written can be read. */
static inline int
mmf_access_protection(mmf_access access)
{
    const struct mmf_access_row *row = mmf_access_row(access);

    return PROT_READ | (row->can_write ? PROT_WRITE : 0) |
           (row->can_execute ? PROT_EXEC : 0);
}

/* O_...: how a file is opened for it; as .NET's FileStream, also for private views. */
static inline int
mmf_access_open_flags(mmf_access access)
{
    return mmf_access_row(access)->can_write ? O_RDWR : O_RDONLY;
}

#endif
