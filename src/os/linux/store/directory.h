/*
 * directory.h - the directory in which a name's file is, and whether it can be trusted.
 */
#ifndef MMF_OS_LINUX_STORE_DIRECTORY_H
#define MMF_OS_LINUX_STORE_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/name.h"

/* Every file of a global name begins so: the directory has many files of others. */
#define MMF_GLOBAL_PREFIX "mmf."

/* The same for global names of one user, which stand among the local ones. */
#define MMF_USER_PREFIX "global."

/* Temporary files of creators, where O_TMPFILE does not work, begin so after that. */
#define MMF_TEMPORARY_PREFIX ".tmp-"

/*
 * The directory with the names of one scope. Its paths are not on the stack, since
 * threads may have small ones; they are freed by mmf_directory_free.
 */
struct mmf_directory {
    char *path;         /* of the directory */
    char *file;         /* of the file in it that was named last */
    const char *prefix; /* of file names in it */
    enum mmf_scope scope;
    uid_t user;    /* this process's effective user */
    bool is_known; /* this process has found it good before */
};

/*
 * Find the scope's directory: MMF_DIR or /dev/shm, and in it "mmf-<euid>" for local
 * names.
 *
 * MMF_E_PATH_NOT_FOUND  MMF_DIR is not absolute, or not a directory
 * MMF_E_PATH_TOO_LONG   MMF_DIR is too long
 * MMF_E_NOT_SUPPORTED   its file system has locks that other hosts do not see
 * MMF_E_ACCESS          others may replace files in it
 * MMF_E_NO_MEMORY       no memory for its paths
 *
 * After a failure there is nothing to free.
 */
int mmf_directory_find(enum mmf_scope scope, struct mmf_directory *directory);

void mmf_directory_free(struct mmf_directory *directory);

/* Another user's local names instead. */
void mmf_directory_of_user(struct mmf_directory *directory, uid_t user);

/*
 * Check that the directory is there and safe; make it if it is missing. Creators call
 * it each time: after /dev/shm has been cleaned, another user could have made a
 * directory of that name.
 *
 * MMF_E_ACCESS  it belongs to another user, or others may write in it
 */
int mmf_directory_prepare(const struct mmf_directory *directory);

/*
 * Every way in calls one of these two before it goes on by path: what was found to be
 * this user's own, in a directory where no other user may replace it, stays so. A link
 * that another user has planted is not followed.
 *
 * An open of a name in a directory that is known leaves that out if the kernel can open
 * without links: what it finds then is this user's own file, with one name, which no other
 * user can have put into a directory that was made since. If it finds nothing, or another
 * user's file, it checks after all.
 *
 * The same without making it. `*exists` is false if it is missing: then it holds no
 * name.
 */
int mmf_directory_check(const struct mmf_directory *directory, bool *exists);

/* The path of a name's file; it is valid until the next call. */
const char *mmf_directory_file_path(const struct mmf_directory *directory,
                                    const struct mmf_name *name);

/* The same of any file in it, by its file name. */
const char *mmf_directory_path_of(const struct mmf_directory *directory,
                                  const char *file_name);

#endif
