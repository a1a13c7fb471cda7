/*
 * store.c - creating, opening and reaping named objects.
 *
 *   create  an unnamed file is filled, held, then linked under its name: nobody ever
 *           sees a half-made object, and a creator killed before that leaves nothing
 *   open    enter, see that somebody holds it, hold it too
 *   reap    when nobody enters or holds: unlink. Whoever meets a dead object reaps it
 *
 * Whoever holds an object knows that its name is linked, since a reaper removes only
 * what nobody holds, and newcomers join only what somebody holds. What a survivor sees
 * of a process killed here: before the link nothing; between enter and hold a lock gone
 * again; after unlock a dead object, which the next one to come by reaps.
 */
#include "os/linux/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/atomic.h"
#include "base/fail.h"
#include "os/linux/claim.h"
#include "os/linux/error.h"
#include "os/linux/listing.h"
#include "os/linux/patience.h"
#include "os/linux/space.h"
#include "os/linux/sys.h"
#include "os/linux/user.h"

/* Above this, look whether the name is taken before reserving the memory. */
enum { LARGE = 1 << 20 };

/*
 * Looking at a file.
 */

static int
fail_denied(const char *path)
{
    int system_error = errno;
    struct stat status;
    char owner[MMF_USER_SIZE];

    if (mmf_sys_lstat(path, &status) < 0)
        return mmf_fail_system(MMF_E_ACCESS, system_error, "open %s", path);
    mmf_user_describe(status.st_uid, owner);
    return mmf_fail_system(MMF_E_ACCESS, system_error,
                           "%s belongs to user %s, who does not let us (mode %03o)",
                           path, owner, (unsigned)status.st_mode & 0777u);
}

static int
fail_foreign(const char *path, const char *why)
{
    return mmf_fail(MMF_E_CORRUPT,
                    "%s %s: it is no mmf object and left alone; remove it "
                    "if you know what it is",
                    path, why);
}

/* An open that failed: what is there? */
static int
explain_failed_open(const char *path, const struct mmf_place *place)
{
    int system_error = errno;
    int exists;
    int rc;

    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        /* Nothing, unless the directory is not what it should be: then say that. */
        rc = mmf_place_check(place, &exists);
        if (rc < 0)
            return rc;
        errno = system_error;
        return system_error == ENOENT ? MMF_STORE_NOTHING
                                      : mmf_error_fail("open %s", path);
    case EACCES:
    case EPERM:
    case EROFS:
        fail_denied(path);
        return MMF_STORE_DENIED;
    case ELOOP:
        fail_foreign(path, "is a symbolic link");
        return MMF_STORE_FOREIGN;
    case EISDIR:
        fail_foreign(path, "is a directory");
        return MMF_STORE_FOREIGN;
    case ENXIO:
    case ENODEV:
        fail_foreign(path, "is a socket, a pipe or a device");
        return MMF_STORE_FOREIGN;
    case EWOULDBLOCK:
        return mmf_fail_system(MMF_E_BUSY, errno,
                               "%s has a lease of a process that does not answer",
                               path);
    default:
        return mmf_error_fail("open %s", path);
    }
}

static int
open_claim(const char *path, int or_read, int *writable)
{
    int fd = mmf_claim_open(path, O_RDWR, 0);

    *writable = 1;
    if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && or_read) {
        fd = mmf_claim_open(path, O_RDONLY, 0);
        *writable = 0;
    }
    return fd;
}

static int
explain_strange_file(const char *path, const struct mmf_place *place,
                     const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        fail_foreign(path, "is no regular file");
    else if (status->st_nlink > 1)
        fail_foreign(path, "has other hard links");
    else if (place->scope != MMF_SCOPE_GLOBAL && status->st_uid != place->user)
        fail_foreign(path, "belongs to another user");
    else if (status->st_size < MMF_CONTROL_SIZE ||
             (status->st_size - MMF_CONTROL_SIZE) % MMF_CONTROL_ALIGNMENT != 0)
        fail_foreign(path, "has no size that an object can have");
    else
        return MMF_STORE_FOUND;
    return MMF_STORE_FOREIGN;
}

int
mmf_store_look(const char *path, const struct mmf_place *place, int or_read,
               struct mmf_store_file *file)
{
    ssize_t count;
    int rc;

    file->fd = open_claim(path, or_read, &file->writable);
    if (file->fd < 0)
        return explain_failed_open(path, place);
    if (mmf_sys_fstat(file->fd, &file->status) < 0) {
        rc = mmf_error_fail("look at %s", path);
        goto done;
    }
    if (file->status.st_nlink == 0) {
        rc = MMF_STORE_NOTHING; /* reaped since we opened it */
        goto done;
    }
    rc = explain_strange_file(path, place, &file->status);
    if (rc != MMF_STORE_FOUND)
        goto done;
    file->data_size = file->status.st_size - MMF_CONTROL_SIZE;
    count = mmf_sys_pread(file->fd, &file->page, sizeof(file->page), file->data_size);
    if (count < 0) {
        rc = mmf_error_fail("read the control page of %s", path);
        goto done;
    }
    if (count == (ssize_t)sizeof(file->page) && mmf_control_is_ours(&file->page))
        return MMF_STORE_FOUND;
    fail_foreign(path, "does not end with a control page");
    rc = MMF_STORE_FOREIGN;
done:
    mmf_claim_close(file->fd);
    file->fd = -1;
    return rc;
}

/*
 * Reaping.
 */

int
mmf_store_reap(int fd, const char *path, dev_t device, ino_t inode)
{
    struct stat named;
    int rc = mmf_lock_reap(fd);
    int saved;

    if (rc != MMF_LOCK_DONE)
        return rc;
    /* Somebody may have removed the file by hand and made another of that name. */
    if (mmf_sys_lstat(path, &named) == 0) {
        if (named.st_dev != device || named.st_ino != inode ||
            mmf_sys_unlink(path) == 0)
            return MMF_LOCK_DONE; /* locks on a file without a name hinder nobody */
    }
    if (errno == ENOENT)
        return MMF_LOCK_DONE;
    saved = errno;
    mmf_lock_release_all(fd);
    errno = saved;
    return -1;
}

void
mmf_store_reap_path_locked(const char *path, dev_t device, ino_t inode)
{
    struct stat status;
    int fd = mmf_claim_open_locked(path, O_RDWR, 0);

    if (fd < 0)
        return;
    if (mmf_sys_fstat(fd, &status) == 0 && status.st_dev == device &&
        status.st_ino == inode)
        mmf_store_reap(fd, path, device, inode);
    mmf_claim_close_locked(fd);
}

static int
fail_busy(const char *path)
{
    return mmf_fail(
        MMF_E_BUSY,
        "a process has been in the door of %s for %d ms: is one stopped, or "
        "holds somebody its locks by hand?",
        path, MMF_OS_PATIENCE_MS);
}

/* A dead object that we could not remove. */
static int
fail_unreapable(const char *path, const struct stat *status)
{
    int system_error = errno;
    char owner[MMF_USER_SIZE];

    mmf_user_describe(status->st_uid, owner);
    return mmf_fail_system(
        MMF_E_ACCESS, system_error,
        "%s is dead, but belongs to user %s, who alone can remove it "
        "(any mmf call of that user does)",
        path, owner);
}

static int
reap_file(const struct mmf_store_file *file, const char *path)
{
    return mmf_store_reap(file->fd, path, file->status.st_dev, file->status.st_ino);
}

/* Reap, or say why not. 0: gone; 1: try again after a pause. */
static int
reap_dead(const struct mmf_store_file *file, const char *path)
{
    int rc = file->writable ? reap_file(file, path) : -1;

    if (!file->writable)
        errno = EACCES;
    if (rc >= 0)
        return rc == MMF_LOCK_BUSY;
    if (errno == EACCES || errno == EPERM || errno == EBADF)
        return fail_unreapable(path, &file->status);
    return mmf_error_fail("remove the dead object %s", path);
}

/*
 * Opening.
 */

static int
check_kind(const struct mmf_store_file *file, const struct mmf_name *name,
           uint32_t kind)
{
    if (file->page.kind == kind)
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "the name \"%.200s\" belongs to a %s, not to a %s", name->text,
                    mmf_kind_name((mmf_kind)file->page.kind),
                    mmf_kind_name((mmf_kind)kind));
}

/* What a holder must know before it uses the object. */
static int
check_contents(const struct mmf_store_file *file, const struct mmf_name *name,
               uint32_t kind, const char *path)
{
    int rc = mmf_control_check(&file->page, file->data_size, path);

    if (rc < 0)
        return rc;
    if (!mmf_control_has_name(&file->page, name))
        return mmf_fail(MMF_E_CORRUPT,
                        "%s holds another name than \"%.200s\": a copied file, or two "
                        "names with one hash",
                        path, name->text);
    return check_kind(file, name, kind);
}

static int
enter_object(struct mmf_store_file *file, const char *path, const struct mmf_hold *hold,
             int inheritable, int made_here, uint64_t ticket, struct mmf_object **out)
{
    struct mmf_object_request request = {
        .path = path,
        .status = &file->status,
        .hold = *hold,
        .fd = file->fd,
        .inheritable = inheritable,
        .made_here = made_here,
        .ticket = ticket,
        .kind = file->page.kind,
        .protection = file->page.protection,
        .flags = file->page.flags,
        .capacity = file->page.capacity,
        .data_size = file->data_size,
    };

    return mmf_object_enter(&request, out);
}

/* Answers of a try that may be repeated, beside statuses. */
enum { TRY_AGAIN = 1, TRY_AFTER_PAUSE = 2 };

static int
try_open(const char *path, const struct mmf_place *place, const struct mmf_name *name,
         uint32_t kind, int needs_write, int inheritable, struct mmf_object **out)
{
    struct mmf_store_file file;
    struct mmf_hold hold;
    int rc = mmf_store_look(path, place, !needs_write, &file);

    if (rc == MMF_STORE_NOTHING)
        return mmf_fail_argument(MMF_E_NOT_FOUND, "", "there is no \"%.200s\"",
                                 name->text);
    if (rc != MMF_STORE_FOUND)
        return rc < 0 ? rc : rc == MMF_STORE_DENIED ? MMF_E_ACCESS : MMF_E_CORRUPT;

    rc = mmf_lock_enter(file.fd, file.writable, &hold);
    if (rc == MMF_LOCK_BUSY) {
        rc = TRY_AFTER_PAUSE; /* being reaped: soon there is nothing */
        goto fail_close;
    }
    if (rc == MMF_LOCK_DONE)
        rc = mmf_lock_settle(file.fd, &hold);
    if (rc < 0) {
        rc = mmf_error_fail("lock %s", path);
        goto fail_release;
    }
    if (rc == MMF_LOCK_DEAD) {
        mmf_lock_release(file.fd, &hold);
        rc = reap_dead(&file, path);
        if (rc == 0)
            rc = TRY_AGAIN;
        else if (rc > 0)
            rc = TRY_AFTER_PAUSE;
        else if (rc == MMF_E_ACCESS)
            rc = mmf_fail(MMF_E_NOT_FOUND,
                          "there is no \"%.200s\" any more: its last holder is gone",
                          name->text);
        goto fail_close;
    }
    if (rc == MMF_LOCK_BUSY) {
        rc = TRY_AFTER_PAUSE;
        goto fail_release;
    }
    rc = check_contents(&file, name, kind, path);
    if (rc < 0)
        goto fail_release;
    rc = enter_object(&file, path, &hold, inheritable, 0, 0, out);
    if (rc < 0)
        goto fail_release;
    return MMF_OK;

fail_release:
    /* If the last holder left meanwhile, nobody but us saw it go: reap for it. */
    mmf_lock_release(file.fd, &hold);
    if (file.writable)
        reap_file(&file, path);
fail_close:
    mmf_claim_close(file.fd);
    return rc;
}

int
mmf_store_open(const struct mmf_name *name, uint32_t kind, int writable,
               int inheritable, struct mmf_object **out)
{
    struct mmf_patience patience = {0};
    struct mmf_place place;
    char path[PATH_MAX];
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    rc = mmf_place_find(name->scope, &place);
    if (rc < 0)
        return rc;
    mmf_place_path(&place, name, path);
    for (;;) {
        rc = try_open(path, &place, name, kind, writable, inheritable, out);
        if (rc <= 0)
            return rc;
        if (rc == TRY_AFTER_PAUSE && !mmf_patience_wait(&patience))
            return fail_busy(path);
    }
}

/*
 * Creating.
 */

/* How the made file gets its name; what did not work once is not tried again. */
enum link_way { LINK_DESCRIPTOR, LINK_PROC, LINK_RENAME };
static mmf_atomic_u32 best_link_way; /* an enum link_way */

/* A file being made. */
struct draft {
    struct mmf_store_file file;
    struct mmf_hold hold;
    char temporary[PATH_MAX]; /* its name so far, or "" */
};

static int
open_draft(const struct mmf_place *place, const struct mmf_store_request *request,
           struct draft *draft)
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

static void
drop_draft(struct draft *draft)
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
fill_draft(const struct mmf_store_request *request, struct draft *draft)
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
hold_draft(const struct mmf_store_request *request, struct draft *draft)
{
    int rc;

    mmf_lock_choose(&draft->hold, 1);
    rc = mmf_lock_hold(draft->file.fd, &draft->hold);
    if (rc == MMF_LOCK_DONE && request->ticket != 0)
        rc = mmf_lock_self(draft->file.fd, request->ticket);
    if (rc == MMF_LOCK_BUSY) {
        errno = EAGAIN; /* a scavenger took the temporary file for a dead one */
        rc = -1;
    }
    return rc;
}

static int
make_draft(const struct mmf_store_request *request, const struct mmf_place *place,
           struct draft *draft)
{
    draft->file.fd = open_draft(place, request, draft);
    if (draft->file.fd < 0)
        return -1;
    fill_page(request, place, &draft->file.page);
    if (fill_draft(request, draft) < 0 || hold_draft(request, draft) < 0) {
        int saved = errno;

        drop_draft(draft);
        errno = saved;
        return -1;
    }
    return 0;
}

/* Give the draft its name. Answers 0 or -1 with errno; EEXIST: the name is taken. */
static int
publish_draft(struct draft *draft, const char *path)
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

/*
 * The name is taken: by whom? EXISTS and WRONG_KIND if by a living object, TRY_AGAIN
 * when a dead one was reaped.
 */
static int
look_at_taken_name(const char *path, const struct mmf_place *place,
                   const struct mmf_name *name, uint32_t kind)
{
    struct mmf_store_file file;
    int rc = mmf_store_look(path, place, 1, &file);

    if (rc == MMF_STORE_NOTHING)
        return TRY_AGAIN;
    if (rc != MMF_STORE_FOUND)
        return rc < 0 ? rc : rc == MMF_STORE_DENIED ? MMF_E_ACCESS : MMF_E_CORRUPT;
    rc = mmf_lock_probe(file.fd);
    if (rc < 0) {
        rc = mmf_error_fail("ask who holds %s", path);
    } else if (rc == MMF_LOCK_BUSY) {
        rc = TRY_AFTER_PAUSE;
    } else if (rc == MMF_LOCK_DEAD) {
        rc = reap_dead(&file, path);
        if (rc == 0)
            rc = TRY_AGAIN;
        else if (rc > 0)
            rc = TRY_AFTER_PAUSE;
    } else {
        rc = check_contents(&file, name, kind, path);
        if (rc == MMF_OK)
            rc = mmf_fail_argument(MMF_E_EXISTS, "mapName",
                                   "\"%.200s\" exists already: a process holds it",
                                   name->text);
    }
    mmf_claim_close(file.fd);
    return rc;
}

/* Publishing failed for want of a way: is another one left? */
static int
find_other_link_way(const struct draft *draft)
{
    if (draft->temporary[0] != '\0' ||
        (errno != ENOENT && errno != EPERM && errno != EACCES && errno != EOPNOTSUPP))
        return 0;
    mmf_store_relaxed_u32(&best_link_way, LINK_RENAME);
    return 1;
}

static int
fail_draft(const struct mmf_store_request *request, const struct mmf_place *place)
{
    int system_error = errno;

    if (system_error == ENOSPC || system_error == EDQUOT)
        return mmf_space_fail_full(system_error, place->directory,
                                   request->data_size + MMF_CONTROL_SIZE,
                                   request->name->text);
    if (system_error == ENOENT)
        return mmf_fail_system(MMF_E_PATH_NOT_FOUND, system_error,
                               "create \"%.200s\": %s was removed meanwhile",
                               request->name->text, place->directory);
    errno = system_error;
    return mmf_error_fail("create \"%.200s\" in %s", request->name->text,
                          place->directory);
}

/* Make the draft; if there is no room, make some of the dead and try once more. */
static int
make_draft_with_room(const struct mmf_store_request *request,
                     const struct mmf_place *place, const char *path,
                     struct draft *draft)
{
    mmf_error before;
    int system_error;
    int rc;

    if (make_draft(request, place, draft) == 0)
        return MMF_OK;
    system_error = errno;
    if (system_error == EAGAIN)
        return TRY_AFTER_PAUSE;
    if (system_error == ENOSPC || system_error == EDQUOT) {
        /* A taken name is the better answer, and costs no room. */
        mmf_last_error(&before);
        rc = look_at_taken_name(path, place, request->name, request->kind);
        if (rc == MMF_E_EXISTS || rc == MMF_E_WRONG_KIND)
            return rc;
        mmf_fail_restore(&before);
        if (mmf_listing_reap_for_room(place) > 0 &&
            make_draft(request, place, draft) == 0)
            return MMF_OK;
    }
    errno = system_error;
    return fail_draft(request, place);
}

static int
try_create(const struct mmf_store_request *request, const struct mmf_place *place,
           const char *path, struct draft *draft, int *have_draft,
           struct mmf_object **out)
{
    int rc;

    if (!*have_draft) {
        rc = make_draft_with_room(request, place, path, draft);
        if (rc != MMF_OK)
            return rc;
        *have_draft = 1;
    }
    if (publish_draft(draft, path) < 0) {
        if (errno == EEXIST)
            return look_at_taken_name(path, place, request->name, request->kind);
        if (find_other_link_way(draft)) {
            drop_draft(draft);
            *have_draft = 0;
            return TRY_AGAIN;
        }
        if (errno == ENOENT && draft->temporary[0] != '\0') {
            drop_draft(draft); /* a scavenger was quicker than our lock */
            *have_draft = 0;
            return TRY_AFTER_PAUSE;
        }
        return fail_draft(request, place);
    }
    draft->temporary[0] = '\0';
    *have_draft = 0;
    rc = enter_object(&draft->file, path, &draft->hold, request->inheritable, 1,
                      request->ticket, out);
    if (rc < 0) {
        reap_file(&draft->file, path);
        drop_draft(draft);
    }
    return rc;
}

static int
check_request(const struct mmf_store_request *request, const struct mmf_place *place,
              const char *path)
{
    struct stat status;
    int64_t wanted = request->delay_allocate ? 0 : request->data_size;
    int rc;

    if (request->data_size > LARGE && mmf_sys_lstat(path, &status) == 0) {
        rc = look_at_taken_name(path, place, request->name, request->kind);
        if (rc < 0)
            return rc;
    }
    return mmf_space_check(mmf_control_offset(request->data_size) + MMF_CONTROL_SIZE,
                           wanted, request->name->text);
}

/* The same; if memory is short, the dead give theirs back first. */
static int
check_room(const struct mmf_store_request *request, const struct mmf_place *place,
           const char *path)
{
    mmf_error why;
    int rc = check_request(request, place, path);

    if (rc != MMF_E_NO_MEMORY)
        return rc;
    mmf_last_error(&why);
    if (mmf_listing_reap_for_room(place) > 0)
        return check_request(request, place, path);
    mmf_fail_restore(&why);
    return rc;
}

int
mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out)
{
    struct mmf_patience patience = {0};
    struct mmf_place place;
    struct draft draft;
    char path[PATH_MAX];
    int have_draft = 0;
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    rc = mmf_place_find(request->name->scope, &place);
    if (rc < 0)
        return rc;
    rc = mmf_place_prepare(&place);
    if (rc < 0)
        return rc;
    mmf_place_path(&place, request->name, path);
    rc = check_room(request, &place, path);
    if (rc < 0)
        return rc;
    do {
        rc = try_create(request, &place, path, &draft, &have_draft, out);
        if (rc == TRY_AFTER_PAUSE && !mmf_patience_wait(&patience))
            rc = fail_busy(path);
    } while (rc > 0);
    if (have_draft)
        drop_draft(&draft);
    if (rc == MMF_OK)
        mmf_listing_scavenge(&place);
    return rc;
}
