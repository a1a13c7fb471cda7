/*
 * unpublished.c - making the file of a new object, up to the moment it gets its name.
 *
 * The file is made without a name (O_TMPFILE) and linked when it is whole. Where that
 * does not work, it has a temporary name and is renamed; a creator killed before that
 * leaves the temporary file, which has no holder and is reaped like any dead object.
 */
#include "os/linux/store/unpublished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/atomic.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"

/* How the made file gets its name; what did not work once is not tried again. */
enum link_way { LINK_DESCRIPTOR, LINK_PROC, LINK_RENAME };
static mmf_atomic_u32 best_link_way; /* an enum link_way */

static int
open_draft(const struct mmf_place *place, const struct mmf_store_request *request,
           struct mmf_draft *draft)
{
    static mmf_atomic_u32 counter;
    int fd = -1;

    draft->temporary[0] = '\0';
    if (mmf_load_relaxed_u32(&best_link_way) != LINK_RENAME) {
        fd = mmf_claim_open(place->directory, O_TMPFILE | O_RDWR, request->mode);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
            return fd;
        mmf_store_relaxed_u32(&best_link_way, LINK_RENAME);
    }
    do {
        snprintf(draft->temporary, sizeof(draft->temporary), "%s/%s%s%d-%u",
                 place->directory,
                 place->scope == MMF_SCOPE_GLOBAL ? place->prefix : "",
                 MMF_TEMPORARY_PREFIX, (int)mmf_object_process_id(),
                 mmf_add_relaxed_u32(&counter, 1));
        fd = mmf_claim_open(draft->temporary, O_RDWR | O_CREAT | O_EXCL, request->mode);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        draft->temporary[0] = '\0';
    return fd;
}

void
mmf_draft_drop(struct mmf_draft *draft)
{
    if (draft->temporary[0] != '\0')
        mmf_sys_unlink(draft->temporary);
    mmf_claim_close(draft->file.fd);
}

static int64_t
wall_clock_now(void)
{
    struct timespec now = {0};

    mmf_sys_clock(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
fill_page(const struct mmf_store_request *request, const struct mmf_place *place,
          struct mmf_control_shared *page)
{
    struct mmf_control_request contents = {
        .name = request->name,
        .capacity = request->capacity,
        .created = wall_clock_now(),
        .kind = request->kind,
        .protection = request->protection,
        .flags = request->flags,
        .creator_uid = (uint32_t)place->user,
        .creator_pid = (uint32_t)mmf_object_process_id(),
        .creator_command = program_invocation_short_name,
    };

    mmf_control_fill(&contents, page);
    if (request->state != NULL)
        memcpy(page->state, request->state, request->state_size);
    page->tickets = request->ticket + 1;
}

static int
write_whole(int fd, const void *bytes, int64_t count, int64_t offset)
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

/* Reserve the bytes and write what is known. Answers 0 or -1 with errno. */
static int
fill_draft(const struct mmf_store_request *request, struct mmf_draft *draft)
{
    int fd = draft->file.fd;
    int64_t end = mmf_control_offset(request->data_size);

    if (!request->delay_allocate && mmf_space_allocate(fd, request->data_size) < 0)
        return -1;
    if (request->first_data != NULL &&
        write_whole(fd, request->first_data, request->first_data_size, 0) < 0)
        return -1;
    if (write_whole(fd, &draft->file.page, sizeof(draft->file.page), end) < 0)
        return -1;
    if (mmf_sys_fstat(fd, &draft->file.status) < 0)
        return -1;
    if ((draft->file.status.st_mode & 07777) != request->mode &&
        mmf_sys_fchmod(fd, request->mode) < 0)
        return -1; /* a umask had taken bits */
    draft->file.data_size = end;
    draft->file.writable = 1;
    return 0;
}

static int
hold_draft(const struct mmf_store_request *request, struct mmf_draft *draft)
{
    int rc;

    rc = mmf_lock_hold(draft->file.fd, 1, &draft->hold);
    if (rc == MMF_LOCK_DONE && request->ticket != 0)
        rc = mmf_lock_self(draft->file.fd, request->ticket);
    if (rc == MMF_LOCK_BUSY) {
        errno = EAGAIN; /* a scavenger took the temporary file for a dead one */
        rc = -1;
    }
    return rc;
}

int
mmf_draft_make(const struct mmf_store_request *request, const struct mmf_place *place,
               struct mmf_draft *draft)
{
    draft->file.fd = open_draft(place, request, draft);
    if (draft->file.fd < 0)
        return -1;
    fill_page(request, place, &draft->file.page);
    if (fill_draft(request, draft) < 0 || hold_draft(request, draft) < 0) {
        int saved = errno;

        mmf_draft_drop(draft);
        errno = saved;
        return -1;
    }
    return 0;
}

int
mmf_draft_publish(struct mmf_draft *draft, const char *path)
{
    char self[64];

    if (draft->temporary[0] != '\0')
        return mmf_sys_rename_noreplace(draft->temporary, path);
    if (mmf_load_relaxed_u32(&best_link_way) == LINK_DESCRIPTOR) {
        if (mmf_sys_linkat(draft->file.fd, "", path, AT_EMPTY_PATH) == 0)
            return 0;
        if (errno != ENOENT && errno != EPERM && errno != EINVAL)
            return -1;
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", draft->file.fd);
    if (mmf_sys_linkat(AT_FDCWD, self, path, AT_SYMLINK_FOLLOW) == 0) {
        mmf_store_relaxed_u32(&best_link_way, LINK_PROC);
        return 0;
    }
    return -1;
}

int
mmf_draft_find_other_way(const struct mmf_draft *draft)
{
    if (draft->temporary[0] != '\0' ||
        (errno != ENOENT && errno != EPERM && errno != EACCES && errno != EOPNOTSUPP))
        return 0;
    mmf_store_relaxed_u32(&best_link_way, LINK_RENAME);
    return 1;
}
