/*
 * directory.c - the directories that hold the names.
 *
 * The root is shared by users (sticky, as /dev/shm) or private to one. In it each user
 * has a directory of mode 0700 for local names; global names stand in the root itself,
 * where the sticky bit keeps users from removing each other's files.
 */
#include "os/linux/store/directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/procfs.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

static const char default_root[] = "/dev/shm";

/* clang-format off */

/* File systems whose locks are private to one host, or to one guest. */
static const struct {
    uint32_t magic;
    const char *name;
} refused_file_systems[] = {
    {0x00006969, "NFS"},    {0x01021997, "9p"},   {0x65735546, "FUSE or virtiofs"},
    {0x0000517B, "SMB"},    {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB2"},
    {0x00C36400, "Ceph"},   {0x5346414F, "AFS"},  {0x6B414653, "kAFS"},
    {0x0BD00BD0, "Lustre"}, {0x73757245, "Coda"}, {0x01161970, "GFS2"},
    {0x7461636F, "OCFS2"},  {0x47504653, "GPFS"},
};

/* clang-format on */

/* A root, then a user's directory and a file in it, are not longer than a path. */
enum { LONGEST_ROOT = PATH_MAX - MMF_FILE_NAME_SIZE - 48 };

/*
 * The root that was found good last, so that most calls do not check again. Guarded by
 * the process's mutex.
 */
static char good_root[LONGEST_ROOT + 1];
static uid_t good_root_user;
static bool is_names_good; /* the user's own directory in it, too */

static bool
was_found_good(struct mmf_directory *directory)
{
    bool same;

    mmf_process_lock();
    same = good_root_user == directory->user && strcmp(directory->path, good_root) == 0;
    directory->is_known = same && is_names_good && directory->scope != MMF_SCOPE_GLOBAL;
    mmf_process_unlock();
    return same;
}

static void
note_good(const struct mmf_directory *directory)
{
    mmf_process_lock();
    good_root_user = directory->user;
    is_names_good = false;
    snprintf(good_root, sizeof(good_root), "%s", directory->path);
    mmf_process_unlock();
}

/* Unless the root is another one since. */
static void
note_names_good(const struct mmf_directory *directory)
{
    size_t length = (size_t)(strrchr(directory->path, '/') - directory->path);

    mmf_process_lock();
    if (good_root_user == directory->user && strlen(good_root) == length &&
        memcmp(good_root, directory->path, length) == 0)
        is_names_good = true;
    mmf_process_unlock();
}

/* A directory that was removed meanwhile is a missing directory, not a missing name. */
static int
fail_directory(const char *what, const char *directory)
{
    if (errno == ENOENT)
        return mmf_fail_system(MMF_E_PATH_NOT_FOUND, errno, "%s %s", what, directory);
    return mmf_error_fail("%s %s", what, directory);
}

int
mmf_os_name_parse(const char *given, const char *parameter, struct mmf_name *name)
{
    return mmf_name_parse(given, parameter, name);
}

static int
check_file_system(const char *root)
{
    struct statfs status;

    if (mmf_sys_statfs(root, &status) < 0)
        return fail_directory("inspect the file system of", root);
    for (size_t i = 0;
         i < sizeof(refused_file_systems) / sizeof(refused_file_systems[0]); i++) {
        if ((uint32_t)status.f_type == refused_file_systems[i].magic)
            return mmf_fail(
                MMF_E_NOT_SUPPORTED,
                "%s is on %s, whose locks may be hidden from other hosts: set "
                "MMF_DIR to a directory on tmpfs",
                root, refused_file_systems[i].name);
    }
    return MMF_OK;
}

/*
 * In a user namespace whose map leaves root out (toolbox, bubblewrap, rootless podman
 * with the host's IPC), /dev/shm seems to belong to the overflow user, as all that
 * belongs to users who cannot be named. It is accepted if it is the root of a mounted
 * tmpfs, and sticky: what owns a mount's root was chosen by a process that may mount in
 * this mount namespace, and the sticky bit leaves the owner's right alone. A directory
 * that another user has made is no mount. Without a user namespace root is seen as
 * root, and that number is a user like others.
 */
static bool
is_of_unmapped_root(const struct mmf_directory *directory, const struct stat *status)
{
    const char *root = directory->path;
    char text[64];
    struct statfs system;
    struct stat parent;
    unsigned long inner, outer, count;

    if (!(status->st_mode & S_ISVTX) ||
        mmf_procfs_read("/proc/sys/kernel/overflowuid", text, sizeof(text)) <= 0 ||
        strtoul(text, NULL, 10) != status->st_uid ||
        mmf_procfs_read("/proc/self/uid_map", text, sizeof(text)) <= 0 ||
        sscanf(text, "%lu %lu %lu", &inner, &outer, &count) != 3 ||
        (inner == 0 && outer == 0 && count >= UINT32_MAX))
        return false;
    return mmf_sys_stat(mmf_directory_path_of(directory, ".."), &parent) == 0 &&
           parent.st_dev != status->st_dev && mmf_sys_statfs(root, &system) == 0 &&
           (uint32_t)system.f_type == MMF_TMPFS_MAGIC;
}

static int
check_root(const struct mmf_directory *directory)
{
    const char *root = directory->path;
    uid_t user = directory->user;
    struct stat status;

    MMF_ASSERT(root[0] == '/');
    if (mmf_sys_stat(root, &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return mmf_fail_system(MMF_E_PATH_NOT_FOUND, errno,
                                   "the names' directory %s is missing: mount a tmpfs "
                                   "there, or set MMF_DIR",
                                   root);
        return mmf_error_fail("inspect the names' directory %s", root);
    }
    if (!S_ISDIR(status.st_mode))
        return mmf_fail(MMF_E_PATH_NOT_FOUND, "%s is not a directory: correct MMF_DIR",
                        root);
    if (status.st_uid != 0 && status.st_uid != user &&
        !is_of_unmapped_root(directory, &status))
        return mmf_fail(MMF_E_ACCESS,
                        "%s belongs to user %u, who could replace what is in it: set "
                        "MMF_DIR to a directory of your own or of root",
                        root, (unsigned)status.st_uid);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX))
        return mmf_fail(
            MMF_E_ACCESS,
            "others may replace files in %s: chmod +t it, or set MMF_DIR to "
            "another directory",
            root);
    return check_file_system(root);
}

/* MMF_DIR, or the default. */
static int
find_root(const char **root)
{
    *root = secure_getenv("MMF_DIR");
    if (*root == NULL || (*root)[0] == '\0')
        *root = default_root;
    if ((*root)[0] != '/')
        return mmf_fail(MMF_E_PATH_NOT_FOUND,
                        "MMF_DIR is \"%.200s\": it must be an absolute path", *root);
    if (strlen(*root) > LONGEST_ROOT)
        return mmf_fail(MMF_E_PATH_TOO_LONG, "MMF_DIR is too long: %.80s...", *root);
    return MMF_OK;
}

static const char *
prefix_of(enum mmf_scope scope)
{
    switch (scope) {
    case MMF_SCOPE_GLOBAL:
        return MMF_GLOBAL_PREFIX;
    case MMF_SCOPE_USER:
        return MMF_USER_PREFIX;
    default:
        return "";
    }
}

/* Its two paths; that of the directory is the root's so far. */
static int
make_paths(const char *root, struct mmf_directory *directory)
{
    size_t length = strlen(root);
    size_t longest = length + sizeof("/mmf-4294967295");

    directory->path = malloc(2 * longest + 1 + NAME_MAX + 1);
    if (directory->path == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for the path of a name");
    directory->file = directory->path + longest;
    memcpy(directory->path, root, length + 1);
    return MMF_OK;
}

/* "/mmf-<user>"; each open and create does it, and snprintf takes its time. */
static void
append_user_directory(const struct mmf_directory *directory)
{
    char digits[16];
    char *end = directory->path + strlen(directory->path);
    char *first = digits + sizeof(digits) - 1;
    uint32_t rest = directory->user;

    *first = '\0';
    do
        *--first = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    memcpy(end, "/mmf-", 6);
    memcpy(end + 5, first, strlen(first) + 1);
}

static int
ensure_good(struct mmf_directory *directory)
{
    int rc = MMF_OK;

    if (!was_found_good(directory)) {
        rc = check_root(directory);
        if (rc == MMF_OK)
            note_good(directory);
    }
    return rc;
}

int
mmf_directory_find(enum mmf_scope scope, struct mmf_directory *directory)
{
    const char *root;
    int rc = find_root(&root);

    MMF_ASSERT(directory != NULL);
    if (rc == MMF_OK)
        rc = make_paths(root, directory);
    if (rc < 0)
        return rc;
    directory->scope = scope;
    directory->user = mmf_sys_geteuid();
    directory->prefix = prefix_of(scope);
    rc = ensure_good(directory);
    if (rc < 0)
        mmf_directory_free(directory);
    else if (scope != MMF_SCOPE_GLOBAL)
        append_user_directory(directory);
    return rc;
}

void
mmf_directory_free(struct mmf_directory *directory)
{
    free(directory->path);
}

void
mmf_directory_of_user(struct mmf_directory *directory, uid_t user)
{
    MMF_ASSERT(directory->scope == MMF_SCOPE_LOCAL);
    *strrchr(directory->path, '/') = '\0';
    directory->user = user;
    directory->is_known = false;
    append_user_directory(directory);
}

static int
check_user_directory(const struct mmf_directory *directory, const struct stat *status)
{
    if (!S_ISDIR(status->st_mode))
        return mmf_fail(MMF_E_ACCESS,
                        "%s is not a directory, another user has planted it: remove "
                        "it, or set MMF_DIR",
                        directory->path);
    if (status->st_uid != directory->user)
        return mmf_fail(MMF_E_ACCESS,
                        "%s should belong to user %u, but belongs to user %u: have it "
                        "removed, or set MMF_DIR",
                        directory->path, (unsigned)directory->user,
                        (unsigned)status->st_uid);
    if (status->st_mode & (S_IRWXG | S_IRWXO))
        return mmf_fail(MMF_E_ACCESS,
                        "%s is open to other users (mode %03o): check what is in it, "
                        "then chmod 700 it",
                        directory->path, (unsigned)status->st_mode & 0777u);
    return MMF_OK;
}

int
mmf_directory_check(const struct mmf_directory *directory, bool *exists)
{
    struct stat status;
    int rc;

    MMF_ASSERT(exists != NULL && directory->path[0] == '/');
    *exists = true;
    if (directory->scope == MMF_SCOPE_GLOBAL)
        return MMF_OK;
    if (mmf_sys_lstat(directory->path, &status) < 0) {
        if (errno != ENOENT)
            return mmf_error_fail("inspect the names' directory %s", directory->path);
        *exists = false;
        return MMF_OK;
    }
    rc = check_user_directory(directory, &status);
    if (rc < 0)
        return rc;
    /* A strange umask, or a kill, came between mkdir and the mode. */
    if ((status.st_mode & S_IRWXU) != S_IRWXU &&
        mmf_sys_chmod(directory->path, S_IRWXU) < 0)
        return fail_directory("chmod 700", directory->path);
    if (!directory->is_known)
        note_names_good(directory);
    return MMF_OK;
}

int
mmf_directory_prepare(const struct mmf_directory *directory)
{
    bool exists;
    int rc = mmf_directory_check(directory, &exists);

    MMF_ASSERT(directory->path[0] == '/');
    if (rc < 0 || exists)
        return rc;
    if (mmf_sys_mkdir(directory->path, S_IRWXU) < 0 && errno != EEXIST)
        return fail_directory("make the names' directory", directory->path);
    rc = mmf_directory_check(directory, &exists);
    if (rc < 0 || exists)
        return rc;
    return mmf_fail(MMF_E_IO, "%s was removed while we made it", directory->path);
}

static const char *
put_file(const struct mmf_directory *directory, const char *prefix,
         const char *file_name)
{
    size_t length = strlen(directory->path);
    size_t prefix_length = strlen(prefix);
    char *end = directory->file + length + 1;

    MMF_ASSERT(prefix_length + strlen(file_name) <= NAME_MAX);
    memcpy(directory->file, directory->path, length + 1);
    directory->file[length] = '/';
    memcpy(end, prefix, prefix_length + 1);
    memcpy(end + prefix_length, file_name, strlen(file_name) + 1);
    return directory->file;
}

const char *
mmf_directory_file_path(const struct mmf_directory *directory,
                        const struct mmf_name *name)
{
    char file_name[MMF_FILE_NAME_SIZE];

    MMF_ASSERT(name->scope == directory->scope);
    mmf_name_file_name(name, file_name);
    return put_file(directory, directory->prefix, file_name);
}

const char *
mmf_directory_path_of(const struct mmf_directory *directory, const char *file_name)
{
    return put_file(directory, "", file_name);
}
