/*
 * section.c - what all sections have.
 */
#include "os/linux/section/section.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/file_lock.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

struct mmf_os_limits
mmf_os_limits(void)
{
    struct mmf_os_limits limits;

    limits.page_size = getpagesize();
    limits.granularity = limits.page_size;
    limits.address_space = sizeof(void *) == 4 ? (int64_t)1 << 32 : (int64_t)1 << 47;
    limits.capacity_unit = 1;
    return limits;
}

struct mmf_os_section *
mmf_section_new(mmf_inheritability inheritability)
{
    struct mmf_os_section *section;

    if (mmf_watch_forks() < 0)
        return NULL;
    section = mmf_alloc(sizeof(*section));
    if (section == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for a map handle");
        return NULL;
    }
    section->fd = -1;
    section->lock_fd = -1;
    section->close_fd = true;
    section->is_memory = true;
    section->inheritable = inheritability == MMF_INHERITABILITY_INHERITABLE;
    section->fork_epoch = mmf_fork_epoch();
    return section;
}

int
mmf_section_set_inherit(int fd, mmf_inheritability inheritability)
{
    int flags = mmf_sys_fcntl(fd, F_GETFD, 0);

    MMF_ASSERT(fd >= 0);
    if (flags >= 0) {
        if (inheritability == MMF_INHERITABILITY_INHERITABLE)
            flags &= ~FD_CLOEXEC;
        else
            flags |= FD_CLOEXEC;
        if (mmf_sys_fcntl(fd, F_SETFD, flags) == 0)
            return MMF_OK;
    }
    return mmf_error_fail("set the inheritance of a descriptor");
}

int
mmf_os_section_check_alive(const struct mmf_os_section *section)
{
    if (section->inheritable || section->fork_epoch == mmf_fork_epoch())
        return MMF_OK;
    return mmf_fail(
        MMF_E_DISPOSED,
        "the map belongs to the parent process: a fork passes on inheritable "
        "maps only; open it again in the child");
}

void
mmf_os_section_close(struct mmf_os_section *section)
{
    MMF_ASSERT(section->object != NULL || section->fd >= 0);
    if (section->fd >= 0 && section->close_fd)
        mmf_sys_close(section->fd);
    if (section->lock_fd >= 0 && section->fork_epoch == mmf_fork_epoch()) {
        mmf_file_unlock(section->lock_fd);
        mmf_lock_fd_close(section->lock_fd);
    }
    if (section->object != NULL)
        mmf_object_leave(section->object);
    free(section);
}

int64_t
mmf_os_section_capacity(const struct mmf_os_section *section)
{
    return section->capacity;
}

uint32_t
mmf_os_section_given(const struct mmf_os_section *section)
{
    return mmf_can_of_access(section->protection);
}

intptr_t
mmf_os_section_handle(const struct mmf_os_section *section)
{
    MMF_ASSERT(section->object == NULL || section->object->fd >= 0);
    return section->object != NULL ? section->object->fd : section->fd;
}
