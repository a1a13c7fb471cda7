/*
 * file_section.c - making a section of a file.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/section/file.h"
#include "os/linux/section/file_ref.h"
#include "os/linux/section/section.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

static int
check_access(const struct mmf_os_file *file, mmf_access access)
{
    struct stat status;

    if (!file->can_read || (mmf_access_writes(access) && !file->can_write))
        return mmf_fail_argument(MMF_E_ACCESS, "access",
                                 "map %s: it was not opened for that access",
                                 mmf_file_name(file));
    if (!mmf_access_row(access)->can_execute)
        return MMF_OK;
    if (mmf_sys_fstat(file->fd, &status) < 0)
        return mmf_error_fail("inspect %s", mmf_file_name(file));
    if (S_ISREG(status.st_mode) && !(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
        return mmf_fail_argument(
            MMF_E_ACCESS, "access",
            "map %s for execution: no user may execute it; chmod +x",
            mmf_file_name(file));
    return MMF_OK;
}

/*
 * The bytes from `from` on. A signal undoes a call of fallocate on some kernels: then
 * smaller pieces are tried, or a timer would keep it from ever coming to its end.
 * Returns errno.
 */
static int
add_bytes(int fd, int64_t from, int64_t count)
{
    int64_t piece = count;

    MMF_ASSERT(from >= 0 && count > 0);
    while (count > 0) {
        int error;

        piece = piece < count ? piece : count;
        error = mmf_sys_posix_fallocate(fd, from, piece);
        if (error == EINTR) {
            piece = mmf_space_smaller_piece(piece);
        } else if (error != 0) {
            return error;
        } else {
            from += piece;
            count -= piece;
        }
    }
    return 0;
}

static int
grow_file(const struct mmf_os_file *file, mmf_access access, int64_t length,
          int64_t capacity)
{
    int error;
    int rc;

    MMF_ASSERT(length >= 0 && capacity > length);
    if (!mmf_access_writes(access))
        return mmf_fail(MMF_E_IO,
                        "%s has %lld bytes, the map wants %lld: only a map with write "
                        "access can make it grow",
                        mmf_file_name(file), (long long)length, (long long)capacity);
    if (capacity > MMF_CAPACITY_MAX)
        return mmf_fail(MMF_E_NO_SPACE, "no file holds %lld bytes",
                        (long long)capacity);
    rc = mmf_space_check(capacity, 0, mmf_file_name(file));
    if (rc < 0)
        return rc;
    error = add_bytes(file->fd, length, capacity - length);
    if (error == 0)
        return MMF_OK;
    /* It may have grown half the way. If others may have made it grow meanwhile, their
     * bytes are behind `length` as well, and ours stay. */
    if (file->alone)
        mmf_sys_ftruncate(file->fd, length);
    if (error == ENOSPC || error == EDQUOT)
        return mmf_space_fail_full(error, file->path, capacity - length,
                                   mmf_file_name(file));
    errno = error;
    return mmf_error_fail("make %s grow to %lld bytes", mmf_file_name(file),
                          (long long)capacity);
}

/* Check the file, and make it as long as the map; `*length` is what it had before. */
static int
prepare_file(const struct mmf_os_file *file, const struct mmf_os_request *request,
             int64_t *length, bool *grown)
{
    int sized;
    int rc = mmf_os_file_length(file, length, &sized);

    *grown = false;
    if (rc == MMF_OK)
        rc = check_access(file, request->access);
    if (rc < 0 || !sized || request->capacity <= *length)
        return rc;
    rc = grow_file(file, request->access, *length, request->capacity);
    *grown = rc == MMF_OK;
    return rc;
}

/* Give the file its name, if it gets one, and its descriptor the right inheritance. */
static int
publish(struct mmf_os_file *file, const struct mmf_os_request *request, bool leave_open,
        struct mmf_os_section *section)
{
    int rc = MMF_OK;

    MMF_ASSERT(section->object == NULL);
    if (request->name != NULL)
        rc = mmf_file_ref_publish(file, request, &section->object);
    /* A descriptor that stays the caller's is not changed without need. */
    if (rc == MMF_OK && (section->inheritable || !leave_open))
        rc = mmf_section_set_inherit(file->fd, request->inheritability);
    return rc;
}

int
mmf_os_section_from_file(struct mmf_os_file *file, const struct mmf_os_request *request,
                         int leave_open, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int64_t length;
    bool grown;
    int rc = prepare_file(file, request, &length, &grown);

    MMF_ASSERT(request->capacity > 0 && out != NULL);
    if (rc < 0)
        return rc;
    section = mmf_section_new(request->inheritability);
    if (section == NULL) {
        rc = MMF_E_NO_MEMORY;
        goto undo;
    }
    rc = publish(file, request, leave_open, section);
    if (rc < 0)
        goto undo;
    section->fd = file->fd;
    section->lock_fd = file->lock_fd;
    section->close_fd = !leave_open;
    section->is_memory = false;
    section->capacity = request->capacity;
    section->protection = request->access;
    mmf_file_free(file);
    *out = section;
    return MMF_OK;

undo:
    if (section != NULL && section->object != NULL)
        mmf_object_leave(section->object);
    free(section);
    /* Others may have mapped the larger file already, unless the lock excludes them. */
    if (grown && file->alone)
        mmf_sys_ftruncate(file->fd, length);
    return rc;
}
