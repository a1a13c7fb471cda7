/*
 * section.c - sections: named ones in the store, unnamed ones as sealed memfds.
 */
#include "os/linux/section/section.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/section/file_lock.h"
#include "os/linux/store/list.h"
#include "os/linux/sys/space.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"

struct mmf_os_limits
mmf_os_limits(void)
{
    struct mmf_os_limits limits;

    limits.page_size = sysconf(_SC_PAGESIZE);
    limits.granularity = limits.page_size;
    limits.address_space = sizeof(void *) == 4 ? (int64_t)1 << 32 : (int64_t)1 << 47;
    limits.capacity_unit = 1;
    return limits;
}

struct mmf_os_section *
mmf_section_new(mmf_inheritability inheritability)
{
    struct mmf_os_section *section;

    if (mmf_object_watch_forks() < 0) {
        mmf_error_fail("watch for forks");
        return NULL;
    }
    section = calloc(1, sizeof(*section));
    if (section == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for a map handle");
        return NULL;
    }
    section->fd = -1;
    section->lock_fd = -1;
    section->close_fd = 1;
    section->is_memory = 1;
    section->inheritable = inheritability == MMF_INHERITABILITY_INHERITABLE;
    section->generation = mmf_object_generation();
    return section;
}

int
mmf_section_set_inherit(int fd, mmf_inheritability inheritability)
{
    int flags = mmf_sys_fcntl(fd, F_GETFD, 0);

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

/*
 * Unnamed.
 */

/* Newer kernels want to hear whether the memory may be executed; older ones must not.
 */
static int
open_memfd(int executable)
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
    if (mmf_sys_ftruncate(fd, request->capacity) < 0)
        return -1;
    if (!request->delay_allocate && mmf_space_allocate(fd, request->capacity) < 0)
        return -1;
    return mmf_sys_fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

static int
is_executable(mmf_access access)
{
    return access == MMF_ACCESS_READ_EXECUTE || access == MMF_ACCESS_READ_WRITE_EXECUTE;
}

static int
fail_unnamed(int64_t capacity)
{
    if (errno == ENOSPC || errno == EFBIG)
        return mmf_space_fail_full(errno, NULL, capacity, "create an unnamed map");
    return mmf_error_fail("create an unnamed map");
}

static int
try_create_unnamed(const struct mmf_os_request *request, struct mmf_os_section **out)
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
    section->fd = open_memfd(is_executable(request->access));
    if (section->fd < 0) {
        rc = fail_unnamed(request->capacity);
        goto fail_free;
    }
    if (fill_memfd(section->fd, request) < 0) {
        rc = fail_unnamed(request->capacity);
        goto fail_close;
    }
    if (section->inheritable) {
        rc = mmf_section_set_inherit(section->fd, request->inheritability);
        if (rc < 0)
            goto fail_close;
    }
    section->capacity = request->capacity;
    section->protection = request->access;
    *out = section;
    return MMF_OK;

fail_close:
    mmf_sys_close(section->fd);
fail_free:
    free(section);
    return rc;
}

/* If memory is short, dead objects give theirs back first. */
static int
create_unnamed(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    mmf_error before;
    mmf_error why;
    int rc;

    mmf_last_error(&before);
    rc = try_create_unnamed(request, out);
    if (rc != MMF_E_NO_MEMORY && rc != MMF_E_NO_SPACE)
        return rc;
    mmf_last_error(&why);
    if (mmf_listing_reap_for_room() <= 0) {
        mmf_fail_restore(&why);
        return rc;
    }
    rc = try_create_unnamed(request, out);
    if (rc == MMF_OK)
        mmf_fail_restore(&before);
    return rc;
}

/*
 * Named.
 */

/* Make a section of a handle on an object; on failure the handle is given up. */
static int
wrap_object(struct mmf_object *object, mmf_inheritability inheritability,
            struct mmf_os_section **out)
{
    struct mmf_os_section *section = mmf_section_new(inheritability);

    if (section == NULL) {
        mmf_object_leave(object);
        return MMF_E_NO_MEMORY;
    }
    section->object = object;
    section->capacity = object->capacity;
    section->protection = (mmf_access)object->protection;
    *out = section;
    return MMF_OK;
}

int
mmf_os_section_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    struct mmf_store_request want = {
        .name = request->name,
        .kind = MMF_KIND_MAP,
        .capacity = request->capacity,
        .data_size = request->capacity,
        .protection = (uint32_t)request->access,
        .mode = request->mode,
        .delay_allocate = request->delay_allocate,
        .inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE,
    };
    struct mmf_object *object;
    int rc;

    if (request->capacity > MMF_CAPACITY_MAX)
        return mmf_fail(MMF_E_NO_SPACE, "no system holds %lld bytes",
                        (long long)request->capacity);
    if (request->name == NULL)
        return create_unnamed(request, out);
    rc = mmf_store_create(&want, &object);
    return rc < 0 ? rc : wrap_object(object, request->inheritability, out);
}

int
mmf_os_section_open(const struct mmf_name *name, uint32_t needs,
                    mmf_inheritability inheritability, struct mmf_os_section **out)
{
    struct mmf_object *object;
    int fd = -1;
    int rc = mmf_store_open(name, MMF_KIND_MAP, (needs & MMF_CAN_WRITE) != 0,
                            inheritability == MMF_INHERITABILITY_INHERITABLE, &object);

    if (rc < 0)
        return rc;
    if (object->flags & MMF_CONTROL_FILE_REF) {
        rc = mmf_file_open_ref(object, name, needs, &fd);
        if (rc < 0) {
            mmf_object_leave(object);
            return rc;
        }
    }
    rc = wrap_object(object, inheritability, out);
    if (rc < 0) {
        if (fd >= 0)
            mmf_sys_close(fd);
        return rc;
    }
    (*out)->fd = fd;
    (*out)->is_memory = fd < 0;
    return MMF_OK;
}

/*
 * Inherited.
 */

/* A named object's claim, lock and all, from a parent process. */
static int
adopt_object(int fd, uint32_t needs, const struct mmf_control_shared *page,
             const struct stat *status, mmf_inheritability inheritability,
             struct mmf_os_section **out)
{
    struct mmf_name name = {.text = page->name,
                            .length = page->name_length,
                            .scope = (enum mmf_scope)page->scope};
    struct stat named;
    struct mmf_place place;
    char path[PATH_MAX];
    int rc = mmf_place_find(name.scope, &place);

    if (rc < 0)
        return rc;
    mmf_place_path(&place, &name, path);
    if (mmf_sys_lstat(path, &named) < 0) {
        if (errno != ENOENT)
            return mmf_error_fail("look at %s", path);
        memset(&named, 0, sizeof(named));
    }
    if (named.st_ino != status->st_ino || named.st_dev != status->st_dev)
        return mmf_fail(
            MMF_E_CORRUPT,
            "descriptor %d is the map \"%.200s\", but not the one of that name "
            "in this namespace",
            fd, name.text);
    /* While the descriptor holds the object we can open a handle of our own. */
    rc = mmf_os_section_open(&name, needs, inheritability, out);
    if (rc == MMF_OK)
        mmf_sys_close(fd);
    return rc;
}

/* A memfd or a file of the parent's. */
static int
adopt_descriptor(int fd, int mode, const struct stat *status,
                 mmf_inheritability inheritability, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int rc;

    if (status->st_size < 1)
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d is no map", fd);
    section = mmf_section_new(inheritability);
    if (section == NULL)
        return MMF_E_NO_MEMORY;
    rc = mmf_section_set_inherit(fd, inheritability);
    if (rc < 0) {
        free(section);
        return rc;
    }
    section->fd = fd;
    section->is_memory = mmf_sys_fcntl(fd, F_GET_SEALS, 0) >= 0;
    section->capacity = status->st_size;
    if (mode != O_RDWR)
        section->protection = MMF_ACCESS_READ;
    else if (status->st_mode & S_IXUSR)
        section->protection = MMF_ACCESS_READ_WRITE_EXECUTE;
    else
        section->protection = MMF_ACCESS_READ_WRITE;
    *out = section;
    return MMF_OK;
}

/* Read the control page, if it is a named object's: 1, 0, or a status with mmf_fail. */
static int
read_inherited_page(int fd, const struct stat *status, struct mmf_control_shared *page)
{
    int64_t data_size = status->st_size - MMF_CONTROL_SIZE;
    ssize_t count;
    int rc;

    if (data_size < 0 || data_size % MMF_CONTROL_ALIGNMENT != 0)
        return 0;
    count = mmf_sys_pread(fd, page, sizeof(*page), data_size);
    if (count < 0)
        return mmf_error_fail("read descriptor %d", fd);
    if (count < (ssize_t)sizeof(*page))
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d became shorter", fd);
    if (!mmf_control_is_ours(page))
        return 0;
    rc = mmf_control_check(page, data_size, "the inherited handle");
    return rc < 0 ? rc : 1;
}

static int
fail_not_open(intptr_t handle)
{
    return mmf_fail_system(MMF_E_DISPOSED, EBADF, "handle %lld is not open",
                           (long long)handle);
}

int
mmf_os_section_adopt(intptr_t handle, uint32_t needs, mmf_inheritability inheritability,
                     struct mmf_os_section **out)
{
    struct mmf_control_shared page;
    struct stat status;
    int fd = (int)handle;
    int mode;
    int rc;

    if (handle < 0 || handle > INT32_MAX)
        return fail_not_open(handle);
    if (mmf_sys_fstat(fd, &status) < 0)
        return errno == EBADF ? fail_not_open(handle)
                              : mmf_error_fail("look at descriptor %d", fd);
    mode = mmf_sys_fcntl(fd, F_GETFL, 0);
    if (mode < 0)
        return mmf_error_fail("ask how descriptor %d was opened", fd);
    mode &= O_ACCMODE;
    if (!S_ISREG(status.st_mode) || mode == O_WRONLY)
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d is no map", fd);
    rc = read_inherited_page(fd, &status, &page);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return adopt_descriptor(fd, mode, &status, inheritability, out);
    /* What the parent's handle can do decides, whatever is asked; then the views. */
    needs = mode == O_RDWR ? MMF_CAN_READ | MMF_CAN_WRITE : MMF_CAN_READ;
    return adopt_object(fd, needs, &page, &status, inheritability, out);
}

/*
 * All.
 */

int
mmf_os_section_check_alive(const struct mmf_os_section *section)
{
    if (section->inheritable || section->generation == mmf_object_generation())
        return MMF_OK;
    return mmf_fail(
        MMF_E_DISPOSED,
        "the map belongs to the parent process: a fork passes on inheritable "
        "maps only; open it again in the child");
}

void
mmf_os_section_close(struct mmf_os_section *section)
{
    if (section->fd >= 0 && section->close_fd)
        mmf_sys_close(section->fd);
    if (section->lock_fd >= 0 && section->generation == mmf_object_generation()) {
        mmf_file_unlock(section->lock_fd);
        mmf_claim_close(section->lock_fd);
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
    return section->object != NULL ? section->object->fd : section->fd;
}
