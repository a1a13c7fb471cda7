/*
 * unpublished.c - making the file of a new object, up to the moment it gets its name.
 *
 * The file is made without a name (O_TMPFILE) and linked when it is complete. Where
 * that does not work, it has a temporary name and is renamed; a creator killed before
 * that leaves the temporary file, which has no holder and is collected like any
 * orphaned object.
 */
#include "os/linux/store/unpublished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/invariant.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/clock.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

/* How the file gets its name; what did not work once is not tried again. */
enum link_way { LINK_DESCRIPTOR, LINK_PROC, LINK_RENAME };
static mmf_atomic_u32 best_link_way; /* an enum link_way */

static int
open_file(const struct mmf_directory *directory,
          const struct mmf_store_request *request, struct mmf_unpublished *unpublished)
{
    uint64_t number;
    int fd = -1;

    unpublished->temporary = NULL;
    if (mmf_load_relaxed_u32(&best_link_way) != LINK_RENAME) {
        fd = mmf_lock_fd_open(directory->path, O_TMPFILE | O_RDWR, request->mode);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
            return fd;
        mmf_store_relaxed_u32(&best_link_way, LINK_RENAME);
    }
    do {
        mmf_unpublished_end(unpublished);
        /*
         * No other creator must ever choose the same name, not even after a collector
         * has removed this file: we would give its file our object's name. A process id
         * does not do: another PID namespace has the same ones.
         */
        if (mmf_sys_getrandom(&number, sizeof(number)) != (ssize_t)sizeof(number))
            return -1;
        if (asprintf(&unpublished->temporary, "%s/%s%s%016llx", directory->path,
                     directory->prefix, MMF_TEMPORARY_PREFIX,
                     (unsigned long long)number) < 0) {
            unpublished->temporary = NULL;
            errno = ENOMEM;
            return -1;
        }
        fd = mmf_lock_fd_open(unpublished->temporary, O_RDWR | O_CREAT | O_EXCL,
                              request->mode);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        mmf_unpublished_end(unpublished);
    return fd;
}

void
mmf_unpublished_end(struct mmf_unpublished *unpublished)
{
    free(unpublished->temporary);
    unpublished->temporary = NULL;
}

void
mmf_unpublished_drop(struct mmf_unpublished *unpublished)
{
    MMF_ASSERT(unpublished->fd >= 0);
    if (unpublished->temporary != NULL)
        mmf_sys_unlink(unpublished->temporary);
    mmf_unpublished_end(unpublished);
    mmf_lock_fd_close(unpublished->fd);
}

static void
fill_page(const struct mmf_store_request *request,
          const struct mmf_directory *directory, struct mmf_control_shared *page)
{
    struct mmf_control_request contents = {
        .name = request->name,
        .capacity = request->capacity,
        .created = mmf_clock_wall(),
        .kind = request->kind,
        .protection = request->protection,
        .flags = request->flags,
        .creator_uid = (uint32_t)directory->user,
        .creator_pid = (uint32_t)mmf_process_id(),
        .creator_command = program_invocation_short_name,
    };

    MMF_ASSERT(request->state_size <= sizeof(page->state));
    mmf_control_fill(&contents, page);
    if (request->state != NULL)
        memcpy(page->state, request->state, request->state_size);
    page->tickets = request->ticket + 1;
}

static int
write_all(int fd, const void *bytes, int64_t count, int64_t offset)
{
    const char *from = bytes;

    while (count > 0) {
        ssize_t n = mmf_sys_pwrite(fd, from, (size_t)count, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        from += n;
        offset += n;
        count -= n;
    }
    return 0;
}

/* The page goes when it is written: threads may have small stacks. */
static int
write_page(const struct mmf_store_request *request,
           const struct mmf_directory *directory, int fd)
{
    struct mmf_control_shared page;

    fill_page(request, directory, &page);
    return write_all(fd, &page, sizeof(page), mmf_control_offset(request->data_size));
}

/* Reserve the bytes and write what is known. Returns 0, or -1 with errno. */
static int
fill(const struct mmf_store_request *request, const struct mmf_directory *directory,
     struct mmf_unpublished *unpublished)
{
    int fd = unpublished->fd;

    if (!request->delay_allocate && mmf_space_allocate(fd, request->data_size) < 0)
        return -1;
    if (request->first_data != NULL &&
        write_all(fd, request->first_data, request->first_data_size, 0) < 0)
        return -1;
    if (write_page(request, directory, fd) < 0)
        return -1;
    if (mmf_sys_fstat(fd, &unpublished->status) < 0)
        return -1;
    if ((unpublished->status.st_mode & 07777) != request->mode &&
        mmf_sys_fchmod(fd, request->mode) < 0)
        return -1; /* a umask had taken bits */
    return 0;
}

static int
hold(const struct mmf_store_request *request, struct mmf_unpublished *unpublished)
{
    int rc = mmf_lock_hold(unpublished->fd, true, &unpublished->hold);

    MMF_ASSERT(unpublished->fd >= 0);
    if (rc == MMF_LOCK_DONE && request->ticket != 0)
        rc = mmf_lock_self(unpublished->fd, request->ticket);
    if (rc == MMF_LOCK_BUSY) {
        errno = EAGAIN; /* a collector took the temporary file for an orphan */
        rc = -1;
    }
    return rc;
}

int
mmf_unpublished_make(const struct mmf_store_request *request,
                     const struct mmf_directory *directory,
                     struct mmf_unpublished *unpublished)
{
    int saved;

    MMF_ASSERT(request->first_data_size <= request->data_size);
    unpublished->fd = open_file(directory, request, unpublished);
    if (unpublished->fd < 0)
        return -1;
    if (fill(request, directory, unpublished) == 0 && hold(request, unpublished) == 0)
        return 0;
    saved = errno;
    mmf_unpublished_drop(unpublished);
    errno = saved;
    return -1;
}

/* By its descriptor, if possible. 0, -1 with errno, or 1: not possible here. */
static int
link_by_descriptor(int fd, const char *path)
{
    if (mmf_load_relaxed_u32(&best_link_way) != LINK_DESCRIPTOR)
        return 1;
    if (mmf_sys_linkat(fd, "", path, AT_EMPTY_PATH) == 0)
        return 0;
    return errno == ENOENT || errno == EPERM || errno == EINVAL ? 1 : -1;
}

static int
link_by_proc(int fd, const char *path)
{
    char self[64];

    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    if (mmf_sys_linkat(AT_FDCWD, self, path, AT_SYMLINK_FOLLOW) < 0)
        return -1;
    mmf_store_relaxed_u32(&best_link_way, LINK_PROC);
    return 0;
}

int
mmf_unpublished_publish(struct mmf_unpublished *unpublished, const char *path)
{
    int rc;

    MMF_ASSERT(unpublished->fd >= 0 && path[0] == '/');
    if (unpublished->temporary != NULL)
        return mmf_sys_rename_noreplace(unpublished->temporary, path);
    rc = link_by_descriptor(unpublished->fd, path);
    return rc <= 0 ? rc : link_by_proc(unpublished->fd, path);
}

bool
mmf_unpublished_can_retry(const struct mmf_unpublished *unpublished)
{
    if (unpublished->temporary != NULL ||
        (errno != ENOENT && errno != EPERM && errno != EACCES && errno != EOPNOTSUPP))
        return false;
    mmf_store_relaxed_u32(&best_link_way, LINK_RENAME);
    return true;
}
