/*
 * view.c - mapping a section's bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/section/huge.h"
#include "os/linux/section/section.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

static bool
is_private(const struct mmf_os_section *section, mmf_access access)
{
    return mmf_access_row(access)->copies ||
           mmf_access_row(section->protection)->copies;
}

/*
 * A fork must find the view in the object's list or not mapped at all: both are done
 * under the mutex that fork takes.
 */
static int
map_object(struct mmf_object *object, int64_t offset, int64_t length, int protection,
           int flags, struct mmf_os_view *view)
{
    void *base;

    MMF_ASSERT(object->fd >= 0);
    mmf_process_lock();
    base = mmf_sys_mmap(NULL, (size_t)length, protection, flags,
                        mmf_object_map_fd_locked(object), offset);
    if (base != MAP_FAILED) {
        view->base = base;
        view->length = length;
        mmf_object_add_view_locked(object, view);
    }
    mmf_process_unlock();
    return base == MAP_FAILED ? -1 : 0;
}

/*
 * hugetlbfs maps and unmaps in its own pages alone, which are larger than the system's:
 * *unit is their size; else the system's.
 */
static int
find_map_unit(int fd, int64_t *unit)
{
    enum { HUGETLBFS = (int)0x958458f6 };
    struct statfs system;
    struct stat status;
    char link[64];

    *unit = mmf_os_limits().page_size;
    if (mmf_sys_fstat(fd, &status) < 0)
        return -1;
    if (!S_ISREG(status.st_mode) || status.st_blksize <= *unit)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (mmf_sys_statfs(link, &system) == 0 && (int)system.f_type == HUGETLBFS)
        *unit = status.st_blksize;
    return 0;
}

static int
map_descriptor(int fd, int64_t offset, int64_t length, int protection, int flags,
               struct mmf_os_view *view)
{
    int64_t unit;
    void *base;

    MMF_ASSERT(fd >= 0);
    if (find_map_unit(fd, &unit) < 0)
        return -1;
    view->around[0] = offset % unit;
    view->around[1] = (unit - (offset + length) % unit) % unit;
    base = mmf_sys_mmap(NULL, (size_t)(view->around[0] + length + view->around[1]),
                        protection, flags, fd, offset - view->around[0]);
    if (base == MAP_FAILED)
        return -1;
    view->base = (uint8_t *)base + view->around[0];
    view->length = length;
    view->owner = NULL;
    return 0;
}

static int
fail_map(int64_t length, int protection)
{
    if ((errno == EPERM || errno == EACCES) && (protection & PROT_EXEC))
        return mmf_fail_system(
            MMF_E_ACCESS, errno,
            "make an executable view: the map's file system is mounted "
            "noexec, or the system forbids it");
    return mmf_error_fail("make a view of %lld bytes", (long long)length);
}

/*
 * What was asked for beyond the mapping. Each returns a status, with mmf_fail.
 */

static int
use_huge_pages(const struct mmf_os_section *section, const struct mmf_os_view *view)
{
    int fd = section->fd >= 0 ? section->fd : section->object->fd;
    int rc = mmf_huge_check(fd);

    MMF_ASSERT(view->base != NULL);
    if (rc < 0)
        return rc;
    if (mmf_sys_madvise(view->base, (size_t)view->length, MADV_HUGEPAGE) == 0)
        return MMF_OK;
    return mmf_fail_system(MMF_E_NOT_SUPPORTED, errno, "huge pages for a view");
}

static int
populate(const struct mmf_os_view *view, int protection)
{
    int advice = protection & PROT_WRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
    int rc;

    MMF_ASSERT(view->base != NULL);
    do
        rc = mmf_sys_madvise(view->base, (size_t)view->length, advice);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return MMF_OK;
    if (errno == EINVAL) /* before Linux 5.14 */
        return mmf_fail_system(MMF_E_NOT_SUPPORTED, errno, "populate a view");
    return mmf_error_fail("populate a view of %lld bytes", (long long)view->length);
}

static int
lock_in_memory(const struct mmf_os_view *view)
{
    if (mmf_sys_mlock(view->base, (size_t)view->length) == 0)
        return MMF_OK;
    return mmf_fail_system(MMF_E_NO_MEMORY, errno,
                           "lock %lld bytes of a view in memory: raise ulimit -l",
                           (long long)view->length);
}

int
mmf_os_view_apply(const struct mmf_os_section *section, const struct mmf_os_view *view,
                  mmf_access access, mmf_view_flags flag)
{
    switch (flag) {
    case MMF_VIEW_HUGE_PAGES:
        return use_huge_pages(section, view);
    case MMF_VIEW_POPULATE:
        return populate(view, mmf_access_protection(access));
    default:
        MMF_ASSERT(flag == MMF_VIEW_LOCK);
        return lock_in_memory(view);
    }
}

int
mmf_os_view_map(struct mmf_os_section *section, int64_t offset, int64_t length,
                mmf_access access, struct mmf_os_view *view)
{
    int protection = mmf_access_protection(access);
    int sharing = is_private(section, access) ? MAP_PRIVATE : MAP_SHARED;
    int rc;

    MMF_ASSERT(offset >= 0 && length > 0 && view != NULL);
    if (section->fd >= 0)
        rc = map_descriptor(section->fd, offset, length, protection, sharing, view);
    else
        rc = map_object(section->object, offset, length, protection, sharing, view);
    if (rc < 0)
        return fail_map(length, protection);
    view->writes_back = !section->is_memory;
    return MMF_OK;
}

int
mmf_os_view_flush(const struct mmf_os_view *view)
{
    int rc;

    MMF_ASSERT(view->base != NULL && view->length > 0);
    do
        rc = mmf_sys_msync(view->base, (size_t)view->length, MS_SYNC);
    while (rc < 0 && errno == EINTR);
    return rc == 0 ? MMF_OK : mmf_error_fail("flush a view");
}

void
mmf_os_view_unmap(struct mmf_os_view *view)
{
    MMF_ASSERT(view->base != NULL && view->length > 0);
    if (view->owner == NULL) {
        mmf_sys_munmap((uint8_t *)view->base - view->around[0],
                       (size_t)(view->around[0] + view->length + view->around[1]));
        return;
    }
    mmf_process_lock();
    mmf_sys_munmap(view->base, (size_t)view->length);
    mmf_object_remove_view_locked(view->owner, view);
    mmf_process_unlock();
}
