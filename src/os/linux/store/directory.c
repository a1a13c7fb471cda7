/*
 * directory.c - the directories that hold the names.
 *
 * The root is shared by users (sticky, as /dev/shm) or private to one. In it each user
 * has a directory of mode 0700 for local names; global names stand in the root itself,
 * where the sticky bit keeps users from removing each other's files.
 */
#include "os/linux/store/directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

static const char default_root[] = "/dev/shm";

/* File systems whose locks one host, or one guest, has for itself. */
static const struct {
    uint32_t magic;
    const char *name;
} refused_file_systems[] = {
    {0x6969, "NFS"},        {0x01021997, "9p"},   {0x65735546, "FUSE or virtiofs"},
    {0x517B, "SMB"},        {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB2"},
    {0x00C36400, "Ceph"},   {0x5346414F, "AFS"},  {0x6B414653, "kAFS"},
    {0x0BD00BD0, "Lustre"}, {0x73757245, "Coda"}, {0x01161970, "GFS2"},
    {0x7461636F, "OCFS2"},  {0x47504653, "GPFS"},
};

/*
 * The root that was found good last, so that the usual call does not ask again. Guarded
 * by the claim mutex.
 */
static char good_root[sizeof(((struct mmf_place *)0)->directory)];
static uid_t good_root_user;

static int
was_found_good(const char *root, uid_t user)
{
    int same;

    mmf_claim_lock();
    same = good_root_user == user && strcmp(root, good_root) == 0;
    mmf_claim_unlock();
    return same;
}

static void
note_good(const char *root, uid_t user)
{
    mmf_claim_lock();
    good_root_user = user;
    snprintf(good_root, sizeof(good_root), "%s", root);
    mmf_claim_unlock();
}

/* A directory that went while we looked is a missing directory, not a missing name. */
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
        return fail_directory("look at the file system of", root);
    for (size_t i = 0;
         i < sizeof(refused_file_systems) / sizeof(refused_file_systems[0]); i++) {
        if ((uint32_t)status.f_type == refused_file_systems[i].magic)
            return mmf_fail(
                MMF_E_NOT_SUPPORTED,
                "%s is on %s, whose locks may be unseen by other hosts: set "
                "MMF_DIR to a directory on tmpfs",
                root, refused_file_systems[i].name);
    }
    return MMF_OK;
}

static int
check_root(const char *root, uid_t user)
{
    struct stat status;

    if (mmf_sys_stat(root, &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return mmf_fail_system(MMF_E_PATH_NOT_FOUND, errno,
                                   "the names' directory %s is missing: mount a tmpfs "
                                   "there, or set MMF_DIR",
                                   root);
        return mmf_error_fail("look at the names' directory %s", root);
    }
    if (!S_ISDIR(status.st_mode))
        return mmf_fail(MMF_E_PATH_NOT_FOUND, "%s is no directory: correct MMF_DIR",
                        root);
    if (status.st_uid != 0 && status.st_uid != user)
        return mmf_fail(MMF_E_ACCESS,
                        "%s belongs to user %u, who could replace what is in it: set "
                        "MMF_DIR to a directory of yours or of root's",
                        root, (unsigned)status.st_uid);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX))
        return mmf_fail(
            MMF_E_ACCESS,
            "others may replace files in %s: chmod +t it, or set MMF_DIR to "
            "another directory",
            root);
    return check_file_system(root);
}

int
mmf_place_find(enum mmf_scope scope, struct mmf_place *place)
{
    const char *root = secure_getenv("MMF_DIR");
    int length;
    int rc;

    if (root == NULL || root[0] == '\0')
        root = default_root;
    if (root[0] != '/')
        return mmf_fail(MMF_E_PATH_NOT_FOUND,
                        "MMF_DIR is \"%.200s\": it must be an absolute path", root);
    if (strlen(root) > sizeof(place->directory) - 32)
        return mmf_fail(MMF_E_PATH_TOO_LONG, "MMF_DIR is too long: %.80s...", root);
    place->scope = scope;
    place->user = mmf_sys_geteuid();
    if (!was_found_good(root, place->user)) {
        rc = check_root(root, place->user);
        if (rc < 0)
            return rc;
        note_good(root, place->user);
    }
    place->prefix = scope == MMF_SCOPE_GLOBAL ? MMF_GLOBAL_PREFIX
                    : scope == MMF_SCOPE_USER ? MMF_USER_PREFIX
                                              : "";
    length = (int)strlen(root);
    memcpy(place->directory, root, (size_t)length + 1);
    if (scope != MMF_SCOPE_GLOBAL)
        snprintf(place->directory + length, sizeof(place->directory) - (size_t)length,
                 "/mmf-%u", (unsigned)place->user);
    return MMF_OK;
}

int
mmf_place_check(const struct mmf_place *place, int *exists)
{
    struct stat status;

    *exists = 1;
    if (place->scope == MMF_SCOPE_GLOBAL)
        return MMF_OK;
    if (mmf_sys_lstat(place->directory, &status) < 0) {
        if (errno != ENOENT)
            return mmf_error_fail("look at the names' directory %s", place->directory);
        *exists = 0;
        return MMF_OK;
    }
    if (!S_ISDIR(status.st_mode))
        return mmf_fail(
            MMF_E_ACCESS,
            "%s is no directory, somebody has planted it: remove it, or set "
            "MMF_DIR",
            place->directory);
    if (status.st_uid != place->user)
        return mmf_fail(MMF_E_ACCESS,
                        "%s should belong to user %u, but belongs to user %u: have it "
                        "removed, or set MMF_DIR",
                        place->directory, (unsigned)place->user,
                        (unsigned)status.st_uid);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return mmf_fail(MMF_E_ACCESS,
                        "%s is open to other users (mode %03o): look at what is in it, "
                        "then chmod 700 it",
                        place->directory, (unsigned)status.st_mode & 0777u);
    /* A strange umask, or a kill, came between mkdir and the mode. */
    if ((status.st_mode & S_IRWXU) != S_IRWXU &&
        mmf_sys_chmod(place->directory, S_IRWXU) < 0)
        return fail_directory("chmod 700", place->directory);
    return MMF_OK;
}

int
mmf_place_prepare(const struct mmf_place *place)
{
    int exists;
    int rc = mmf_place_check(place, &exists);

    if (rc < 0 || exists)
        return rc;
    if (mmf_sys_mkdir(place->directory, S_IRWXU) < 0 && errno != EEXIST)
        return fail_directory("make the names' directory", place->directory);
    rc = mmf_place_check(place, &exists);
    if (rc < 0 || exists)
        return rc;
    return mmf_fail(MMF_E_IO, "%s was removed while we made it", place->directory);
}

void
mmf_place_path(const struct mmf_place *place, const struct mmf_name *name,
               char path[PATH_MAX])
{
    char leaf[MMF_LEAF_SIZE];
    size_t directory_length = strlen(place->directory);
    size_t prefix_length = strlen(place->prefix);

    mmf_name_leaf(name, leaf);
    memcpy(path, place->directory, directory_length);
    path[directory_length] = '/';
    memcpy(path + directory_length + 1, place->prefix, prefix_length);
    memcpy(path + directory_length + 1 + prefix_length, leaf, strlen(leaf) + 1);
}
