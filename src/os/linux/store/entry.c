/*
 * entry.c - what is under a name's path.
 *
 * Anything may have been planted there: nothing is waited for or removed before it is
 * known to be ours. All that a file can get before is a lock of ours on a byte that no
 * file has.
 */
#include "os/linux/store/entry.h"

#include <errno.h>
#include <fcntl.h>

#include <mmf/list.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/collect.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/linux/sys/user.h"

/*
 * Opening a file.
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
    return mmf_fail_system(
        MMF_E_ACCESS, system_error,
        "%s belongs to user %s and is not accessible to us (mode %03o)", path, owner,
        (unsigned)status.st_mode & 0777u);
}

static int
fail_invalid(const char *path, const char *why)
{
    return mmf_fail(MMF_E_CORRUPT,
                    "%s %s: it is not an mmf object and left alone; remove it "
                    "if you know what it is",
                    path, why);
}

/* An open that failed: what is there? */
static int
explain_failed_open(const char *path, const struct mmf_directory *directory)
{
    int system_error = errno;
    bool exists;
    int rc;

    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        /* Nothing, unless the directory is not what it should be: then say that. */
        rc = mmf_directory_check(directory, &exists);
        if (rc < 0)
            return rc;
        errno = system_error;
        return system_error == ENOENT ? MMF_ENTRY_NOTHING
                                      : mmf_error_fail("open %s", path);
    case EACCES:
    case EPERM:
    case EROFS:
        fail_denied(path);
        return MMF_ENTRY_DENIED;
    case ELOOP:
        fail_invalid(path, "is a symbolic link");
        return MMF_ENTRY_INVALID;
    case EISDIR:
        fail_invalid(path, "is a directory");
        return MMF_ENTRY_INVALID;
    case ENXIO:
    case ENODEV:
        fail_invalid(path, "is a socket, a pipe or a device");
        return MMF_ENTRY_INVALID;
    case EWOULDBLOCK:
        return mmf_fail_system(MMF_E_BUSY, errno,
                               "%s has a lease of a process that does not answer",
                               path);
    default:
        return mmf_error_fail("open %s", path);
    }
}

static int
open_lock_fd(const char *path, bool or_read, int flags, bool *writable)
{
    int fd = mmf_lock_fd_open(path, O_RDWR | flags, 0);

    *writable = true;
    if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && or_read) {
        fd = mmf_lock_fd_open(path, O_RDONLY | flags, 0);
        *writable = false;
    }
    return fd;
}

/*
 * What has the name, in a directory that is known or checked first: a status, or MMF_OK,
 * and -1 with errno if it cannot be opened. The kernel may not know how to open without
 * links, and the root may be reached by one.
 */
static int
open_named(const char *path, const struct mmf_directory *directory, bool or_read,
           struct mmf_entry *entry)
{
    bool exists;
    int rc;

    if (directory->is_known) {
        entry->fd = open_lock_fd(path, or_read, MMF_SYS_NO_LINKS, &entry->writable);
        if (entry->fd >= 0 || (errno != ELOOP && errno != ENOSYS && errno != EPERM))
            return MMF_OK;
    }
    rc = mmf_directory_check(directory, &exists);
    if (rc == MMF_OK)
        entry->fd = open_lock_fd(path, or_read, 0, &entry->writable);
    return rc;
}

static int
explain_strange_file(const char *path, const struct mmf_directory *directory,
                     const struct stat *status)
{
    bool exists;
    int rc = MMF_OK;

    if (directory->scope != MMF_SCOPE_GLOBAL && status->st_uid != directory->user)
        rc = mmf_directory_check(directory, &exists);
    if (rc < 0)
        return rc;
    if (!S_ISREG(status->st_mode))
        fail_invalid(path, "is not a regular file");
    else if (status->st_nlink > 1)
        fail_invalid(path, "has other hard links");
    else if (directory->scope != MMF_SCOPE_GLOBAL && status->st_uid != directory->user)
        fail_invalid(path, "belongs to another user");
    else if (status->st_size < MMF_CONTROL_SIZE ||
             (status->st_size - MMF_CONTROL_SIZE) % MMF_CONTROL_ALIGNMENT != 0)
        fail_invalid(path, "has no size that an object can have");
    else
        return MMF_ENTRY_FOUND;
    return MMF_ENTRY_INVALID;
}

/* All of a control page but the end of a long name, which few objects have. */
enum {
    NAME_HEAD = 64,
    PAGE_HEAD = offsetof(struct mmf_control_shared, name) + NAME_HEAD
};

/* Read that, and the rest of a longer name. 1; 0: it is too short; -1 with errno. */
static int
read_page(struct mmf_entry *entry)
{
    uint8_t *bytes = (uint8_t *)&entry->page;
    size_t size = sizeof(entry->page) - PAGE_HEAD;
    ssize_t count = mmf_sys_pread(entry->fd, bytes, PAGE_HEAD, entry->data_size);

    MMF_ASSERT(entry->fd >= 0);
    if (count != PAGE_HEAD)
        return count < 0 ? -1 : 0;
    if (entry->page.name_length < NAME_HEAD)
        return 1;
    count =
        mmf_sys_pread(entry->fd, bytes + PAGE_HEAD, size, entry->data_size + PAGE_HEAD);
    return count < 0 ? -1 : count == (ssize_t)size;
}

/* The rest of mmf_entry_open, which closes the descriptor unless this finds. */
static int
inspect(const char *path, const struct mmf_directory *directory,
        struct mmf_entry *entry)
{
    int rc;

    MMF_ASSERT(entry->fd >= 0);
    if (mmf_sys_fstat(entry->fd, &entry->status) < 0)
        return mmf_error_fail("inspect %s", path);
    if (entry->status.st_nlink == 0)
        return MMF_ENTRY_NOTHING; /* collected since we opened it */
    rc = explain_strange_file(path, directory, &entry->status);
    if (rc != MMF_ENTRY_FOUND)
        return rc;
    entry->data_size = entry->status.st_size - MMF_CONTROL_SIZE;
    rc = read_page(entry);
    if (rc < 0)
        return mmf_error_fail("read the control page of %s", path);
    if (rc > 0 && mmf_control_is_ours(&entry->page))
        return MMF_ENTRY_FOUND;
    fail_invalid(path, "does not end with a control page");
    return MMF_ENTRY_INVALID;
}

static void
close_entry(struct mmf_entry *entry)
{
    mmf_lock_fd_close(entry->fd);
    entry->fd = -1;
}

int
mmf_entry_open(const char *path, const struct mmf_directory *directory, bool or_read,
               struct mmf_entry *entry)
{
    int rc;

    MMF_ASSERT(path[0] == '/' && entry != NULL);
    entry->fd = open_lock_fd(path, or_read, 0, &entry->writable);
    if (entry->fd < 0)
        return explain_failed_open(path, directory);
    rc = inspect(path, directory, entry);
    if (rc != MMF_ENTRY_FOUND)
        close_entry(entry);
    return rc;
}

/* Open what is under the path to read it alone: no poller takes it for a death. */
static int
open_to_read(const char *path, const struct mmf_directory *directory,
             struct mmf_entry *entry)
{
    int rc;

    entry->writable = false;
    entry->fd = mmf_lock_fd_open(path, O_RDONLY, 0);
    if (entry->fd < 0)
        return explain_failed_open(path, directory);
    rc = inspect(path, directory, entry);
    if (rc != MMF_ENTRY_FOUND)
        close_entry(entry);
    return rc;
}

int
mmf_entry_check_allocated(const struct stat *status, int64_t capacity, const char *path)
{
    int64_t needed = capacity + MMF_CONTROL_SIZE; /* what lies between takes none */
    struct statfs system;

    MMF_ASSERT(S_ISREG(status->st_mode) && capacity > 0);
    if ((int64_t)status->st_blocks * 512 >= needed)
        return MMF_OK;
    /* Other file systems compress, and then a sound file has fewer blocks. */
    if (mmf_sys_statfs(path, &system) < 0)
        return mmf_error_fail("inspect the file system of %s", path);
    if ((uint32_t)system.f_type != MMF_TMPFS_MAGIC)
        return MMF_OK;
    return mmf_fail(MMF_E_CORRUPT,
                    "%s has holes: %lld bytes are allocated and it needs %lld; no mmf "
                    "call makes a channel so",
                    path, (long long)status->st_blocks * 512, (long long)needed);
}

int
mmf_entry_is_linked(const struct mmf_entry *entry, const char *path)
{
    struct stat status;

    MMF_ASSERT(entry->fd >= 0);
    if (mmf_sys_fstat(entry->fd, &status) < 0)
        return mmf_error_fail("inspect %s", path);
    return status.st_nlink > 0;
}

/*
 * Its contents.
 */

static int
check_kind(const struct mmf_entry *entry, const struct mmf_name *name, uint32_t kind)
{
    if (entry->page.kind == kind)
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "the name \"%.200s\" belongs to a %s, not to a %s", name->text,
                    mmf_kind_name((mmf_kind)entry->page.kind),
                    mmf_kind_name((mmf_kind)kind));
}

/* As Windows, which asks for the owner and for the access list. */
static int
check_user(const struct mmf_entry *entry, const struct mmf_name *name)
{
    if (!name->user_only || ((entry->page.flags & MMF_CONTROL_USER_ONLY) != 0 &&
                             entry->status.st_uid == mmf_sys_geteuid()))
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "\"%.200s\" was not made for this user alone, as the options ask: "
                    "this_user_only = 0 opens it",
                    name->given);
}

int
mmf_entry_check(const struct mmf_entry *entry, const struct mmf_name *name,
                uint32_t kind, const char *path)
{
    int rc = mmf_control_check(&entry->page, entry->data_size, path);

    MMF_ASSERT(kind != MMF_KIND_UNKNOWN);
    if (rc < 0)
        return rc;
    if (!mmf_control_has_name(&entry->page, name))
        return mmf_fail(MMF_E_CORRUPT,
                        "%s holds another name than \"%.200s\": a copied file, or two "
                        "names with one hash",
                        path, name->text);
    rc = check_kind(entry, name, kind);
    return rc == MMF_OK ? check_user(entry, name) : rc;
}

/*
 * Its holders.
 */

int
mmf_entry_collect(const struct mmf_entry *entry, const char *path)
{
    MMF_ASSERT(entry->fd >= 0 && entry->writable);
    return mmf_collect(entry->fd, path, entry->status.st_dev, entry->status.st_ino);
}

static int
fail_uncollectable(const char *path, const struct stat *status)
{
    int system_error = errno;
    char owner[MMF_USER_SIZE];

    mmf_user_describe(status->st_uid, owner);
    return mmf_fail_system(
        MMF_E_ACCESS, system_error,
        "%s is orphaned, but belongs to user %s: only that user can remove it "
        "(with any mmf call)",
        path, owner);
}

/* Collect an orphan, or say why not. */
static int
collect_orphan(const struct mmf_entry *entry, const char *path)
{
    int rc = entry->writable ? mmf_entry_collect(entry, path) : -1;

    MMF_ASSERT(entry->fd >= 0);
    if (!entry->writable)
        errno = EACCES;
    if (rc >= 0)
        return rc == MMF_LOCK_BUSY ? MMF_HELD_PAUSE : MMF_HELD_AGAIN;
    if (errno == ENOENT)
        return MMF_HELD_PAUSE; /* it was moved away since it was opened */
    if (errno != EACCES && errno != EPERM && errno != EBADF)
        return mmf_error_fail("remove the orphaned object %s", path);
    fail_uncollectable(path, &entry->status);
    return MMF_HELD_ORPHANED;
}

/* Whether a process holds it; then we do, too, if `hold` is wanted. As mmf_lock_probe. */
static int
probe(const struct mmf_entry *entry, struct mmf_hold *hold)
{
    int rc = mmf_lock_probe(entry->fd);

    if (rc == MMF_LOCK_DONE && hold != NULL)
        rc = mmf_lock_hold(entry->fd, entry->writable, hold);
    return rc;
}

/* As mmf_entry_open_held, of an open file of ours, by what the probe has said. */
static int
answer(const struct mmf_entry *entry, const char *path, int probed)
{
    switch (probed) {
    case MMF_LOCK_DONE:
        return MMF_HELD;
    case MMF_LOCK_BUSY:
        return MMF_HELD_PAUSE; /* soon there is nothing */
    case MMF_LOCK_ORPHANED:
        return collect_orphan(entry, path);
    default:
        return mmf_error_fail("ask which processes hold %s", path);
    }
}

/* Look at the file after its locks: what is linked then stays so while we hold it. */
static int
find_held(const char *path, const struct mmf_directory *directory,
          struct mmf_hold *hold, struct mmf_entry *entry)
{
    int probed = probe(entry, hold);
    int system_error = errno;
    int rc = inspect(path, directory, entry);

    if (rc == MMF_ENTRY_FOUND) {
        errno = system_error;
        rc = answer(entry, path, probed);
        if (rc == MMF_HELD)
            return MMF_HELD;
    } else if (rc > 0) {
        rc = rc == MMF_ENTRY_NOTHING ? MMF_HELD_AGAIN : MMF_E_CORRUPT;
    }
    close_entry(entry);
    return rc;
}

int
mmf_entry_open_held(const char *path, const struct mmf_directory *directory,
                    bool or_read, struct mmf_hold *hold, struct mmf_entry *entry)
{
    int rc = open_named(path, directory, or_read, entry);

    MMF_ASSERT(path[0] == '/' && entry != NULL);
    if (rc < 0)
        return rc;
    if (entry->fd >= 0)
        return find_held(path, directory, hold, entry);
    rc = explain_failed_open(path, directory);
    switch (rc) {
    case MMF_ENTRY_NOTHING:
        return MMF_HELD_NOTHING;
    case MMF_ENTRY_DENIED:
        return MMF_E_ACCESS;
    case MMF_ENTRY_INVALID:
        return MMF_E_CORRUPT;
    default:
        return rc;
    }
}

/*
 * Inspecting without taking part.
 */

static int
fail_no_object(const struct mmf_name *name, uint32_t kind)
{
    return mmf_fail_argument(MMF_E_NOT_FOUND, "", "no such %s: \"%.200s\"",
                             mmf_kind_name((mmf_kind)kind), name->text);
}

/* An open entry: in use, and what the caller asks for. */
static int
check_inspected(const struct mmf_entry *entry, const struct mmf_name *name,
                uint32_t kind, const char *path)
{
    int rc = mmf_lock_probe(entry->fd);

    if (rc < 0)
        return mmf_error_fail("ask which processes hold %s", path);
    if (rc == MMF_LOCK_ORPHANED)
        return mmf_fail(MMF_E_NOT_FOUND,
                        "no such %s any more: the last holder of \"%.200s\" has ended",
                        mmf_kind_name((mmf_kind)kind), name->text);
    if (rc == MMF_LOCK_BUSY)
        return fail_no_object(name, kind); /* it is being collected */
    return mmf_entry_check(entry, name, kind, path);
}

static int
inspect_in(const struct mmf_directory *directory, const struct mmf_name *name,
           uint32_t kind, struct mmf_entry *entry)
{
    const char *path = mmf_directory_file_path(directory, name);
    int rc;

    if (name->other_user != 0)
        mmf_sys_setfsuid(name->other_user);
    rc = open_to_read(path, directory, entry);
    if (name->other_user != 0)
        mmf_sys_setfsuid(mmf_sys_geteuid());
    switch (rc) {
    case MMF_ENTRY_FOUND:
        rc = check_inspected(entry, name, kind, path);
        if (rc < 0)
            close_entry(entry);
        return rc;
    case MMF_ENTRY_NOTHING:
        return fail_no_object(name, kind);
    case MMF_ENTRY_DENIED:
        return MMF_E_ACCESS;
    case MMF_ENTRY_INVALID:
        return MMF_E_CORRUPT;
    default:
        return rc;
    }
}

int
mmf_entry_inspect(const struct mmf_name *name, uint32_t kind,
                  struct mmf_directory *directory, struct mmf_entry *entry)
{
    bool exists;
    int rc = mmf_watch_forks();

    if (rc == MMF_OK)
        rc = mmf_directory_find(name->scope, directory);
    if (rc < 0)
        return rc;
    if (name->other_user != 0 && name->scope == MMF_SCOPE_LOCAL)
        mmf_directory_of_user(directory, name->other_user);
    rc = mmf_directory_check(directory, &exists);
    if (rc == MMF_OK)
        rc = inspect_in(directory, name, kind, entry);
    if (rc < 0)
        mmf_directory_free(directory);
    return rc;
}
