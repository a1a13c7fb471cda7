/*
 * namespace.c - see namespace.h.
 */
#include "os/linux/store/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/collect.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/directory_walk.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"

/*
 * Walking.
 */

/* Whether a file of the directory can be ours. Others' are not even opened. */
static bool
is_candidate(const struct mmf_directory *directory, const char *file_name)
{
    if (file_name[0] == '.' &&
        strncmp(file_name, MMF_TEMPORARY_PREFIX, strlen(MMF_TEMPORARY_PREFIX)) != 0)
        return false;
    return strncmp(file_name, directory->prefix, strlen(directory->prefix)) == 0;
}

static int
visit_record(void *payload, const struct mmf_directory_record *record)
{
    struct mmf_namespace_sample *sample = payload;

    MMF_ASSERT(sample->visit != NULL);
    sample->seen++;
    if (record->next_offset > sample->largest_offset)
        sample->largest_offset = record->next_offset;
    if (!is_candidate(sample->directory, record->name))
        return MMF_OK;
    return sample->visit(sample->payload, sample->directory, record->name);
}

int
mmf_namespace_open(const struct mmf_directory *directory)
{
    /* The root itself may be reached by a link: its owner is checked, not its path. */
    int follow = directory->scope == MMF_SCOPE_GLOBAL ? 0 : O_NOFOLLOW;

    MMF_ASSERT(directory->path[0] == '/');
    return mmf_sys_open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow,
                        0);
}

int
mmf_namespace_sample(int fd, int most, struct mmf_namespace_sample *sample)
{
    int rc = mmf_directory_walk(fd, most, visit_record, sample);

    if (rc != MMF_WALK_UNREADABLE)
        return rc;
    if (errno == ENOENT)
        return MMF_OK; /* the directory was removed meanwhile */
    return mmf_error_fail("read the names' directory %s", sample->directory->path);
}

static int
walk_directory(const struct mmf_directory *directory, mmf_file_visitor visit,
               void *payload)
{
    struct mmf_namespace_sample all = {
        .directory = directory, .visit = visit, .payload = payload};
    bool exists;
    int fd;
    int rc = mmf_directory_check(directory, &exists);

    if (rc < 0 || !exists)
        return rc;
    fd = mmf_namespace_open(directory);
    if (fd < 0)
        return errno == ENOENT
                   ? MMF_OK
                   : mmf_error_fail("open the names' directory %s", directory->path);
    rc = mmf_namespace_sample(fd, INT32_MAX, &all);
    mmf_sys_close(fd);
    return rc;
}

/*
 * All users' local names. Each directory is its user's, who may put a link to /etc or /dev
 * in its place between two steps: so root looks into it with that user's rights.
 */

struct other_users {
    struct mmf_directory *directory; /* of this user; becomes each other one's */
    mmf_file_visitor visit;
    void *payload;
    uid_t self;
};

/* The user of a directory "mmf-1000"; this process's own if it is not one. */
static uid_t
user_of(const char *name, uid_t self)
{
    unsigned long user;
    char same[32];

    if (strncmp(name, "mmf-", 4) != 0)
        return self;
    user = strtoul(name + 4, NULL, 10);
    snprintf(same, sizeof(same), "mmf-%lu", user);
    return user < UINT32_MAX && strcmp(same, name) == 0 ? (uid_t)user : self;
}

/* One that we may not read, or that is not safe, holds nothing that can be listed. */
static int
visit_user(void *payload, const struct mmf_directory_record *record)
{
    const struct other_users *others = payload;
    uid_t user = user_of(record->name, others->self);
    mmf_error before;
    int rc;

    if (user == others->self)
        return MMF_OK;
    mmf_directory_of_user(others->directory, user);
    mmf_fail_keep(&before);
    mmf_sys_setfsuid(user);
    rc = walk_directory(others->directory, others->visit, others->payload);
    mmf_sys_setfsuid(others->self);
    if (rc != MMF_E_ACCESS)
        return rc;
    mmf_fail_restore(&before);
    return MMF_OK;
}

static int
walk_users(const struct mmf_directory *root, struct mmf_directory *local,
           mmf_file_visitor visit, void *payload)
{
    struct other_users others = {
        .directory = local, .visit = visit, .payload = payload, .self = local->user};
    int fd = mmf_namespace_open(root);
    int rc = MMF_WALK_UNREADABLE;

    if (fd >= 0) {
        rc = mmf_directory_walk(fd, INT32_MAX, visit_user, &others);
        mmf_sys_close(fd);
    }
    return rc == MMF_WALK_UNREADABLE
               ? mmf_error_fail("read the names' directory %s", root->path)
               : rc;
}

static int
walk_others(mmf_file_visitor visit, void *payload)
{
    struct mmf_directory root, local;
    int rc = mmf_directory_find(MMF_SCOPE_GLOBAL, &root);

    if (rc < 0)
        return rc;
    rc = mmf_directory_find(MMF_SCOPE_LOCAL, &local);
    if (rc == MMF_OK) {
        rc = walk_users(&root, &local, visit, payload);
        mmf_directory_free(&local);
    }
    mmf_directory_free(&root);
    return rc;
}

int
mmf_namespace_walk(mmf_list_flags flags, mmf_file_visitor visit, void *payload)
{
    static const struct {
        mmf_list_flags flag;
        enum mmf_scope scope;
    } scopes[] = {{MMF_LIST_LOCAL, MMF_SCOPE_LOCAL},
                  {MMF_LIST_GLOBAL, MMF_SCOPE_GLOBAL}};
    mmf_list_flags wanted = flags & (MMF_LIST_LOCAL | MMF_LIST_GLOBAL);
    int rc = mmf_watch_forks();

    MMF_ASSERT(visit != NULL);
    for (size_t i = 0; rc == MMF_OK && i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        struct mmf_directory directory;

        if (wanted != 0 && !(wanted & scopes[i].flag))
            continue;
        rc = mmf_directory_find(scopes[i].scope, &directory);
        if (rc < 0)
            return rc;
        rc = walk_directory(&directory, visit, payload);
        mmf_directory_free(&directory);
    }
    if (rc == MMF_OK && (flags & MMF_LIST_ALL_USERS) && wanted != MMF_LIST_GLOBAL)
        rc = walk_others(visit, payload);
    return rc;
}

/*
 * Inspecting a file.
 */

static bool
is_temporary(const struct mmf_directory *directory, const char *file_name)
{
    return strncmp(file_name + strlen(directory->prefix), MMF_TEMPORARY_PREFIX,
                   strlen(MMF_TEMPORARY_PREFIX)) == 0;
}

/* Errors of an open that are about this file, not about us. */
static bool
is_refusal(int system_error)
{
    return system_error == EACCES || system_error == EPERM || system_error == EROFS ||
           system_error == ELOOP || system_error == EISDIR || system_error == ENXIO ||
           system_error == ENODEV || system_error == EWOULDBLOCK;
}

static void
probe(int fd, const char *path, struct mmf_finding *found)
{
    int rc = mmf_lock_probe(fd);

    MMF_ASSERT(fd >= 0);
    if (rc < 0)
        found->rc = mmf_error_fail("ask which processes hold %s", path);
    else
        found->status =
            rc == MMF_LOCK_ORPHANED ? MMF_OBJECT_ORPHANED : MMF_OBJECT_IN_USE;
}

static void
inspect_open_temporary(int fd, const char *path, const struct mmf_directory *directory,
                       bool keep_orphaned, struct mmf_finding *found)
{
    struct stat status;

    if (mmf_sys_fstat(fd, &status) < 0) {
        found->rc = mmf_error_fail("inspect %s", path);
        return;
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != directory->user) {
        found->status = MMF_OBJECT_INACCESSIBLE;
        return;
    }
    found->resident = (int64_t)status.st_blocks * 512;
    probe(fd, path, found);
    if (found->status == MMF_OBJECT_ORPHANED && !keep_orphaned)
        found->removed =
            mmf_collect(fd, path, status.st_dev, status.st_ino) == MMF_LOCK_DONE;
}

/* A creator's temporary file, which is orphaned if its creator was killed. */
static void
inspect_temporary(const char *path, const struct mmf_directory *directory,
                  bool keep_orphaned, struct mmf_finding *found)
{
    int fd = mmf_lock_fd_open(path, O_RDWR, 0);

    if (fd >= 0)
        inspect_open_temporary(fd, path, directory, keep_orphaned, found);
    else if (is_refusal(errno))
        found->status = MMF_OBJECT_INACCESSIBLE;
    else if (errno != ENOENT) /* else the object has got its name */
        found->rc = mmf_error_fail("open %s", path);
    mmf_lock_fd_close(fd);
}

static void
inspect_object(const char *path, const struct mmf_directory *directory,
               bool keep_orphaned, struct mmf_finding *found)
{
    int rc = mmf_entry_open(path, directory, true, &found->entry);

    if (rc == MMF_ENTRY_DENIED || rc == MMF_E_BUSY)
        found->status = MMF_OBJECT_INACCESSIBLE;
    else if (rc == MMF_ENTRY_INVALID)
        found->status = MMF_OBJECT_INVALID;
    else if (rc < 0)
        found->rc = rc;
    if (rc != MMF_ENTRY_FOUND)
        return;
    found->resident = (int64_t)found->entry.status.st_blocks * 512;
    probe(found->entry.fd, path, found);
    if (found->status == MMF_OBJECT_ORPHANED && !keep_orphaned && found->entry.writable)
        found->removed = mmf_entry_collect(&found->entry, path) == MMF_LOCK_DONE;
    found->checked =
        mmf_control_check(&found->entry.page, found->entry.data_size, path) == MMF_OK;
}

void
mmf_finding_make(const struct mmf_directory *directory, const char *file_name,
                 bool keep_orphaned, struct mmf_finding *found)
{
    const char *path = mmf_directory_path_of(directory, file_name);

    memset(found, 0, offsetof(struct mmf_finding, entry));
    found->entry.fd = -1;
    if (is_temporary(directory, file_name))
        inspect_temporary(path, directory, keep_orphaned, found);
    else
        inspect_object(path, directory, keep_orphaned, found);
    MMF_ASSERT(!found->removed || found->status == MMF_OBJECT_ORPHANED);
}

void
mmf_finding_close(struct mmf_finding *found)
{
    mmf_lock_fd_close(found->entry.fd);
    found->entry.fd = -1;
}
