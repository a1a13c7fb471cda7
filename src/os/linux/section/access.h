/* access.h - what an access means to the system. */
#ifndef MMF_OS_LINUX_SECTION_ACCESS_H
#define MMF_OS_LINUX_SECTION_ACCESS_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "os/os.h"

/* Whether views of it write: to the shared bytes, or to their own copy. */
static inline bool
mmf_access_is_shared_write(mmf_access access)
{
    return (mmf_can_of_access(access) & MMF_CAN_WRITE) != 0;
}

static inline bool
mmf_access_is_private(mmf_access access)
{
    return access == MMF_ACCESS_COPY_ON_WRITE;
}

static inline bool
mmf_access_executes(mmf_access access)
{
    return (mmf_can_of_access(access) & MMF_CAN_EXECUTE) != 0;
}

/* PROT_...: what a view's pages allow. Pages that may be written can be read. */
static inline int
mmf_access_protection(mmf_access access)
{
    int protection = PROT_READ;

    if (mmf_access_is_shared_write(access) || mmf_access_is_private(access))
        protection |= PROT_WRITE;
    if (mmf_access_executes(access))
        protection |= PROT_EXEC;
    return protection;
}

/* O_...: how a file is opened for it; as .NET's FileStream, also for private views. */
static inline int
mmf_access_open_flags(mmf_access access)
{
    return mmf_access_protection(access) & PROT_WRITE ? O_RDWR : O_RDONLY;
}

#endif
