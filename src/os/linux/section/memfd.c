/*
 * memfd.c - see memfd.h. The seals keep every process from changing the size, so that
 * no view of it can lose its pages.
 */
#include "os/linux/section/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/section/section.h"
#include "os/linux/store/gc.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"

/* New kernels ask whether the memory may be executed; old ones refuse it. */
static int
open_memfd(bool executable)
{
    enum { NOEXEC_SEAL = 8, EXEC = 16 };
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = mmf_sys_memfd_create("mmf", flags | (executable ? EXEC : NOEXEC_SEAL));

    if (fd < 0 && errno == EINVAL)
        fd = mmf_sys_memfd_create("mmf", flags);
    return fd;
}

static int
fill_memfd(int fd, const struct mmf_os_request *request)
{
    MMF_ASSERT(fd >= 0);
    if (mmf_sys_ftruncate(fd, request->capacity) < 0)
        return -1;
    if (!request->delay_allocate && mmf_space_allocate(fd, request->capacity) < 0)
        return -1;
    return mmf_sys_fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

static int
fail_unnamed(int64_t capacity)
{
    if (errno == ENOSPC || errno == EFBIG)
        return mmf_space_fail_full(errno, NULL, capacity, "create an unnamed map");
    return mmf_error_fail("create an unnamed map");
}

static int
fill_section(const struct mmf_os_request *request, struct mmf_os_section *section)
{
    MMF_ASSERT(section->fd < 0);
    section->fd = open_memfd(mmf_access_row(request->access)->can_execute);
    if (section->fd < 0)
        return fail_unnamed(request->capacity);
    if (fill_memfd(section->fd, request) < 0)
        return fail_unnamed(request->capacity);
    if (section->inheritable)
        return mmf_section_set_inherit(section->fd, request->inheritability);
    return MMF_OK;
}

static int
try_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int rc = mmf_space_check(request->capacity,
                             request->delay_allocate ? 0 : request->capacity,
                             "create an unnamed map");

    if (rc < 0)
        return rc;
    section = mmf_section_new(request->inheritability);
    if (section == NULL)
        return MMF_E_NO_MEMORY;
    rc = fill_section(request, section);
    if (rc < 0)
        goto undo;
    section->capacity = request->capacity;
    section->protection = request->access;
    *out = section;
    return MMF_OK;

undo:
    if (section->fd >= 0)
        mmf_sys_close(section->fd);
    free(section);
    return rc;
}

/* If memory is short, orphaned objects are collected first. */
int
mmf_memfd_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    mmf_error before;
    int rc;

    MMF_ASSERT(request->name == NULL && request->capacity > 0 && out != NULL);
    mmf_fail_keep(&before);
    rc = try_create(request, out);
    if ((rc == MMF_E_NO_MEMORY || rc == MMF_E_NO_SPACE) && mmf_gc_for_space() > 0)
        rc = try_create(request, out);
    return mmf_fail_settle(rc, &before);
}
